#include "cli/eval_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "renderer/vgg.h"

namespace ptl {

void print_eval_table(const EvalResult& result, const std::string& lpips_name) {
  size_t width = 5;
  for (const EvalImage& image : result.images) width = std::max(width, image.name.size());
  fmt::print("protocol: border {}, exposure {}, pose {}, split {}\n", result.protocol.border, result.protocol.exposure,
             result.protocol.pose, result.protocol.split);
  if (result.protocol.values != EvalProtocol().values)
    fmt::print("values: {}; not to be held against figures of ordinary photos\n", result.protocol.values);
  for (const auto& size : result.sizes_px) fmt::print("size: {} x {} px\n", size[0], size[1]);
  if (result.cloud_held_out > 0)
    fmt::print("warning: the cloud was made from {} of these held-out photos as well, so that these figures flatter\n",
               result.cloud_held_out);
  if (!result.coverage.empty()) {
    fmt::print("pixels with a point, by layer:");
    for (const double share : result.coverage) fmt::print(" {:.1f} %", 100 * share);
    fmt::print("\n");
  }
  if (result.flicker) {
    const FlickerScore& flicker = *result.flicker;
    fmt::print("flicker: {:.2f} of 255 levels from frame to frame{}; {} pairs along {}, {:.0f} % of the pixels compared\n",
               flicker.levels,
               flicker.truth_levels ? fmt::format(" ({:.2f} in true pictures)", *flicker.truth_levels) : std::string(),
               flicker.pairs, flicker.path.empty() ? "walks from held-out photos" : flicker.path, 100 * flicker.compared);
  }
  fmt::print("{:<{}}  {:>9}  {:>6}  {:>10}\n", "image", width, "PSNR (dB)", "SSIM", lpips_name);
  for (const EvalImage& image : result.images)
    fmt::print("{:<{}}  {:>9.2f}  {:>6.3f}  {:>10}\n", image.name, width, image.score.psnr_db, image.score.ssim,
               lpips_text(image.score.lpips));
  fmt::print("{:<{}}  {:>9.2f}  {:>6.3f}  {:>10}\n", "mean", width, result.mean.psnr_db, result.mean.ssim,
             lpips_text(result.mean.lpips));
}

}  // namespace ptl
