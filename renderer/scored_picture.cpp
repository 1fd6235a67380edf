#include "renderer/scored_picture.h"

#include <algorithm>

#include "datasets/image_io.h"
#include "renderer/image_tensor.h"

namespace ptl {

torch::Tensor as_written(const torch::Tensor& picture) {
  return tensor_from_image(to_float(to_stored(image_from_tensor(picture))));
}

ScoredPicture score_picture(const torch::Tensor& picture, const torch::Tensor& photo, const torch::Tensor& mask,
                            const ScoringOptions& options) {
  torch::Tensor scored = as_written(picture), target = photo, weight = mask;
  if (options.right_half) {
    const int64_t first = scored.size(1) / 2, width = scored.size(1) - first;
    scored = scored.narrow(1, first, width).contiguous();
    target = target.narrow(1, first, width).contiguous();
    weight = weight.narrow(1, first, width).contiguous();
  }
  const ImageScore score = score_image(scored, target, options.border, weight);
  ScoredPicture result;
  result.score = {score.psnr_db, score.ssim, std::nullopt};
  if (options.lpips) result.score.lpips = (*options.lpips)(scored, target);
  result.size_px = {static_cast<int>(scored.size(1)), static_cast<int>(scored.size(0))};
  return result;
}

void ScoreSums::add(const std::string& name, const ScoredPicture& scored) {
  images_.push_back({name, scored.score});
  if (std::find(sizes_px_.begin(), sizes_px_.end(), scored.size_px) == sizes_px_.end())
    sizes_px_.push_back(scored.size_px);
}

void ScoreSums::finish(EvalResult& result) const {
  result.images = images_;
  result.sizes_px = sizes_px_;
  std::vector<ImageScore> scores;
  double lpips = 0;
  bool with_lpips = !images_.empty();
  for (const EvalImage& image : images_) {
    scores.push_back({image.score.psnr_db, image.score.ssim});
    with_lpips = with_lpips && image.score.lpips.has_value();
    lpips += image.score.lpips.value_or(0);
  }
  const ImageScore mean = mean_score(scores);
  result.mean = {mean.psnr_db, mean.ssim, std::nullopt};
  if (with_lpips) result.mean.lpips = lpips / static_cast<double>(images_.size());
}

}  // namespace ptl
