// pointillist synth: a ray-traced scene of our own.
#include <fmt/format.h>

#include <memory>
#include <string>

#include "cli/commands.h"
#include "cli/step_progress.h"
#include "datasets/synthetic_write.h"

namespace ptl {

void add_synth_command(CLI::App& app) {
  struct Arguments {
    SyntheticOptions options;
    std::string out, camera = "pinhole", photos_as = "jpg";
  };
  const auto arguments = std::make_shared<Arguments>();
  SyntheticOptions& o = arguments->options;
  CLI::App* command = app.add_subcommand("synth", "ray-trace a scene of our own, with all of its truth");
  command->add_option("--out", arguments->out, "folder to make (an older synthetic scene there is replaced)")
      ->required();
  command->add_option("--seed", o.seed, "another place for each number")->capture_default_str();
  command->add_option("--photos", o.photos, "number of photos; every 8th is meant to be held out")
      ->capture_default_str();
  command->add_option("--width", o.width_px, "width of the photos in pixels")->capture_default_str();
  command->add_option("--height", o.height_px, "height of the photos in pixels")->capture_default_str();
  command->add_option("--samples", o.samples, "rays a pixel")->capture_default_str();
  command->add_option("--density", o.density, "points per pixel of a photo")->capture_default_str();
  command->add_option("--points", o.points, "about how many points, instead of --density (0: by density)")
      ->capture_default_str();
  command
      ->add_option("--noise", o.noise,
                   "error of the points' positions, as a share of their distance to the nearest camera")
      ->capture_default_str();
  command->add_option("--outliers", o.outliers, "share of points that lie on no surface")->capture_default_str();
  command->add_option("--camera", arguments->camera, "pinhole, fisheye, rad_tan_thin_prism_fisheye, fov, division, eucm, equirectangular")
      ->capture_default_str();
  command->add_option("--distortion", o.distortion, "factor on the lens distortion")->capture_default_str();
  command->add_option("--brackets", o.bracket_ev, "stops: photos in turn darker by so much, as metered, and brighter")
      ->capture_default_str();
  command->add_option("--exif-error", o.exif_error_ev, "stops: standard deviation of the error of each photo's EXIF exposure")
      ->capture_default_str();
  command
      ->add_option("--rolling-shutter", o.rolling_shutter_px,
                   "pixels by which points move while a photo is read out row by row, on average over photos")
      ->capture_default_str();
  command
      ->add_option("--motion-blur", o.motion_blur_px,
                   "pixels by which points move while a row is exposed, on average over photos")
      ->capture_default_str();
  command->add_option("--contrast", o.contrast, "power of the radiance: 1.5 makes 12 stops of 8")->capture_default_str();
  command->add_option("--photos-as", arguments->photos_as, "jpg, or exr: linear radiance in one scale, without what a camera does to it")
      ->check(CLI::IsMember({"jpg", "exr"}))
      ->capture_default_str();
  command->add_flag("--hdr", o.truth_of_all, "linear radiance and depth of every photo, not only of the held-out ones");
  command->callback([arguments] {
    arguments->options.exr_photos = arguments->photos_as == "exr";
    arguments->options.camera = camera_model_named(arguments->camera, "--camera");
    {
      StepProgress progress;
      write_synthetic_scene(arguments->options, arguments->out, [&](const std::string& step, int done, int total) {
        progress.show(step, done + 1, total);
      });
    }
    fmt::print("{}: {} photos of {} x {} pixels, seed {}; the truth is in truth.json\n", arguments->out,
               arguments->options.photos, arguments->options.width_px, arguments->options.height_px,
               arguments->options.seed);
  });
}

}  // namespace ptl
