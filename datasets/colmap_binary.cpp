#include <bit>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <functional>

#include "datasets/atomic_file.h"
#include "datasets/colmap_cameras.h"
#include "datasets/colmap_files.h"
#include "datasets/error.h"

namespace ptl::colmap_files {
namespace fs = std::filesystem;

static_assert(std::endian::native == std::endian::little, "COLMAP's files are little endian, and are read as they are");

std::string read_whole_file(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) throw InputError("{}: no such file", path.string());
  if (!fs::is_regular_file(status)) throw InputError("{}: expected a file, found a folder or a device", path.string());
  errno = 0;
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw InputError("{}: could not be opened: {}", path.string(), std::strerror(errno));
  std::string contents(fs::file_size(path), '\0');
  stream.read(contents.data(), static_cast<std::streamsize>(contents.size()));
  if (stream.gcount() != static_cast<std::streamsize>(contents.size()))
    throw InputError("{}: could not be read to its end", path.string());
  return contents;
}

std::string printable(const std::string& text) {
  std::string result;
  for (const char c : text.substr(0, 80)) result += (c >= 0x20 && c < 0x7f) || c < 0 ? c : '?';
  return text.size() > 80 ? result + "…" : result;
}

namespace {

constexpr const char* advice = "the file is damaged or was not written by COLMAP; copy or export the model again";

/// Reads values from a file in memory and never beyond its end.
class BoundedReader {
 public:
  explicit BoundedReader(const fs::path& path) : path_(path.string()), bytes_(read_whole_file(path)) {}

  size_t remaining() const { return bytes_.size() - at_; }

  template <class T>
  T get(const char* what) {
    if (remaining() < sizeof(T))
      throw InputError("{}: ends in the middle of {} (at byte {} of {}): {}", path_, what, at_, bytes_.size(), advice);
    T value;
    std::memcpy(&value, bytes_.data() + at_, sizeof(T));
    at_ += sizeof(T);
    return value;
  }

  /// A count of items of at least `item_bytes` each: more than the rest of the file can hold is refused before any
  /// memory is asked for.
  size_t count(const char* what, size_t item_bytes) {
    const auto number = get<uint64_t>(what);
    if (number > remaining() / item_bytes)
      throw InputError("{}: says {} {}, but the {} bytes that follow can hold at most {}: {}", path_, number, what,
                       remaining(), remaining() / item_bytes, advice);
    return static_cast<size_t>(number);
  }

  std::string text(const char* what) {
    const size_t end = bytes_.find('\0', at_);
    if (end == std::string::npos)
      throw InputError("{}: ends in the middle of {} (at byte {} of {}): {}", path_, what, at_, bytes_.size(), advice);
    std::string value = bytes_.substr(at_, end - at_);
    at_ = end + 1;
    return value;
  }

  void expect_end(size_t items, const char* what) const {
    if (remaining() > 0)
      throw InputError("{}: expected the end after {} {} (byte {}), found {} more bytes: {}", path_, items, what, at_,
                       remaining(), advice);
  }

 private:
  std::string path_;
  std::string bytes_;
  size_t at_ = 0;
};

template <class T>
void put(std::ostream& stream, T value) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  stream.write(bytes, sizeof(T));
}

}  // namespace

ColmapModel read_binary(const fs::path& model_folder) {
  ColmapModel model;
  {
    const fs::path path = model_folder / "cameras.bin";
    BoundedReader in(path);
    model.cameras.resize(in.count("cameras", 24));
    for (ColmapCamera& camera : model.cameras) {
      camera.id = in.get<uint32_t>("a camera");
      camera.model_id = in.get<int32_t>("a camera");
      camera.width_px = in.get<uint64_t>("a camera");
      camera.height_px = in.get<uint64_t>("a camera");
      camera.params.resize(static_cast<size_t>(colmap_camera_model(camera.model_id, path).param_count));
      for (double& value : camera.params) value = in.get<double>("a camera's parameters");
    }
    in.expect_end(model.cameras.size(), "cameras");
  }
  {
    BoundedReader in(model_folder / "images.bin");
    model.images.resize(in.count("images", 73));
    for (ColmapImage& image : model.images) {
      image.id = in.get<uint32_t>("an image");
      for (double& value : image.rotation_wxyz) value = in.get<double>("an image's pose");
      for (double& value : image.translation) value = in.get<double>("an image's pose");
      image.camera_id = in.get<uint32_t>("an image");
      image.name = in.text("an image's name");
      image.observations.resize(in.count("2D points of an image", 24));
      for (Observation& observation : image.observations) {
        observation.x_px = in.get<double>("an image's 2D points");
        observation.y_px = in.get<double>("an image's 2D points");
        observation.point_id = in.get<uint64_t>("an image's 2D points");
      }
    }
    in.expect_end(model.images.size(), "images");
  }
  {
    BoundedReader in(model_folder / "points3D.bin");
    model.points.resize(in.count("points", 51));
    for (SparsePoint& point : model.points) {
      point.id = in.get<uint64_t>("a point");
      for (int axis = 0; axis < 3; ++axis) point.position[axis] = in.get<double>("a point's position");
      for (uint8_t& value : point.color) value = in.get<uint8_t>("a point's colour");
      point.reprojection_error_px = in.get<double>("a point");
      point.track.resize(in.count("track elements of a point", 8));
      for (auto& [image_id, index] : point.track) {
        image_id = in.get<uint32_t>("a point's track");
        index = in.get<uint32_t>("a point's track");
      }
    }
    in.expect_end(model.points.size(), "points");
  }
  return model;
}

void write_binary(const ColmapModel& model, const fs::path& model_folder) {
  write_file_atomically(model_folder / "cameras.bin", [&](std::ostream& out) {
    put<uint64_t>(out, model.cameras.size());
    for (const ColmapCamera& camera : model.cameras) {
      put(out, camera.id);
      put(out, colmap_camera_model(camera.model_id, model_folder).id);
      put(out, camera.width_px);
      put(out, camera.height_px);
      for (const double value : camera.params) put(out, value);
    }
  });
  write_file_atomically(model_folder / "images.bin", [&](std::ostream& out) {
    put<uint64_t>(out, model.images.size());
    for (const ColmapImage& image : model.images) {
      put(out, image.id);
      for (const double value : image.rotation_wxyz) put(out, value);
      for (const double value : image.translation) put(out, value);
      put(out, image.camera_id);
      out.write(image.name.c_str(), static_cast<std::streamsize>(image.name.size() + 1));
      put<uint64_t>(out, image.observations.size());
      for (const Observation& observation : image.observations) {
        put(out, observation.x_px);
        put(out, observation.y_px);
        put(out, observation.point_id);
      }
    }
  });
  write_file_atomically(model_folder / "points3D.bin", [&](std::ostream& out) {
    put<uint64_t>(out, model.points.size());
    for (const SparsePoint& point : model.points) {
      put(out, point.id);
      for (int axis = 0; axis < 3; ++axis) put(out, point.position[axis]);
      for (const uint8_t value : point.color) put(out, value);
      put(out, point.reprojection_error_px);
      put<uint64_t>(out, point.track.size());
      for (const auto& [image_id, index] : point.track) {
        put(out, image_id);
        put(out, index);
      }
    }
  });
}

}  // namespace ptl::colmap_files
