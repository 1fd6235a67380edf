#include "cli/render_path.h"

#include <fmt/format.h>

#include <initializer_list>
#include <utility>
#include <vector>

#include "cli/step_progress.h"
#include "datasets/error.h"
#include "datasets/video.h"

namespace ptl {

void add_path_options(CLI::App& command, PathOptions& options) {
  command.add_option("--fps", options.frames_per_s, "frames a second of a path (by default the path's)");
  command.add_option("--video", options.video, "a path's frames as a video too (.mp4, .mkv, .mov, .webm), by ffmpeg");
  command.add_option("--image", options.image,
                     "the image whose tone mapping (and lens, where it wants one) a path gets");
  command.add_option("--nerfstudio-transform", options.transform,
                     "dataparser_transforms.json of the nerfstudio run that a path is from");
  command.add_flag("--resume", options.resume, "go on with the frames in --out");
}

void refuse_path_options(const PathOptions& options, const char* instead) {
  for (const auto& [name, given] :
       std::initializer_list<std::pair<const char*, bool>>{{"--fps", options.frames_per_s != 0},
                                                           {"--video", !options.video.empty()},
                                                           {"--resume", options.resume},
                                                           {"--image", !options.image.empty()},
                                                           {"--nerfstudio-transform", !options.transform.empty()}})
    if (given) throw InputError("{}: goes only with --path and a camera path, found {}", name, instead);
}

void render_path(const OpenedRun& opened, const std::string& file, const std::string& out, const PathOptions& options,
                 int asked_width_px, int asked_height_px, const std::string& development,
                 const std::function<void(const PathPicture&, const std::filesystem::path&)>& render_one) {
  const SceneModel& model = opened.model;
  if (!options.video.empty()) {  // before hours of rendering
    check_video_name(options.video);
    find_ffmpeg();
  }
  OpenedPath path = open_path(file, model.origin_world, options.transform);
  if (!options.image.empty()) path.path.image = options.image;
  const PathPlan plan = plan_path(model, path, options.frames_per_s, asked_width_px, asked_height_px);
  const std::vector<PathPicture>& pictures = plan.pictures;
  for (const std::string& remark : path.remarks) fmt::print("note: {}: {}\n", file, remark);
  if (path.path.image.empty())
    fmt::print("note: {} names no image: tone mapping as of {} (--image)\n", file, model.images.front().name);
  const FrameFolder frames = path_folder(plan, opened.model_path, development, out, options.resume);
  size_t kept = 0;
  {
    StepProgress progress;
    for (size_t i = 0; i < pictures.size(); ++i) {
      if (frames.has(i))
        ++kept;
      else
        render_one(pictures[i], frames.picture(i));
      progress.show("rendering", static_cast<int>(i) + 1, static_cast<int>(pictures.size()));
    }
    if (!options.video.empty()) {
      progress.show("video", 0, 1);
      write_video(frames, options.video);
    }
  }
  if (kept > 0) fmt::print("{} frames were there from an earlier run\n", kept);
  fmt::print("{}: {} frames of {} x {} px, {:.2f} s at {} frames per second\n", out, pictures.size(),
             plan.size.width_px, plan.size.height_px, static_cast<double>(pictures.size()) / plan.frames_per_s,
             plan.frames_per_s);
  if (!options.video.empty()) fmt::print("{}\n", options.video);
}

}  // namespace ptl
