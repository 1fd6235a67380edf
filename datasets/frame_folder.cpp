#include "datasets/frame_folder.h"

#include "datasets/atomic_file.h"
#include "datasets/error.h"
#include "datasets/json_place.h"

namespace ptl {
namespace fs = std::filesystem;

namespace {

bool has_pictures(const fs::path& folder) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (name.rfind("frame_", 0) == 0 && entry.path().extension() == ".png") return true;
  }
  return false;
}

}  // namespace

FrameFolder::FrameFolder(fs::path folder, const FrameSet& set, bool resume) : folder_(std::move(folder)), set_(set) {
  if (fs::exists(folder_) && !fs::is_directory(folder_))
    throw InputError("{}: is a file; expected the name of a folder for the frames", folder_.string());
  const fs::path note = folder_ / "frames.json";
  const bool noted = fs::exists(note);
  if (!resume && (noted || has_pictures(folder_)))
    throw InputError("{}: there are frames in this folder already; {}choose another with --out", folder_.string(),
                     noted ? "go on with --resume, or " : "");
  if (resume && !noted)
    throw InputError("{}: no frames to resume in this folder; leave --resume away to start", folder_.string());
  if (resume) {
    const nlohmann::json document = read_json_file(note);
    const JsonPlace root(document, note.string());
    if (root.at("fingerprint").text() != set_.fingerprint ||
        root.at("frames").number() != static_cast<double>(set_.count))
      throw InputError(
          "{}: its frames are of another path, model, size or exposure than the ones asked for; choose another "
          "folder (--out)",
          folder_.string());
    return;
  }
  const nlohmann::ordered_json document = {{"fingerprint", set_.fingerprint},
                                           {"frames", set_.count},
                                           {"fps", set_.frames_per_s},
                                           {"width_px", set_.width_px},
                                           {"height_px", set_.height_px}};
  write_file_atomically(note, document.dump(1) + "\n");
}

fs::path FrameFolder::picture(size_t index) const {
  return folder_ / fmt::format("frame_{:06}.png", index);
}

bool FrameFolder::has(size_t index) const {
  return fs::exists(picture(index));
}

}  // namespace ptl
