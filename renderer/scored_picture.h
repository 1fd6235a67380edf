// A picture held against its photo, the same way whoever made it: `eval` for our own, `score` for those of other
// programs.
#pragma once

#include <torch/torch.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "renderer/eval_result.h"
#include "renderer/metrics.h"
#include "renderer/vgg.h"

namespace ptl {

struct ScoringOptions {
  BorderProtocol border = BorderProtocol::full;
  bool right_half = false;             ///< only that half counts: the left one served to fit exposure or pose
  std::shared_ptr<const Lpips> lpips;  ///< null: n/a
};

struct ScoredPicture {
  EvalScore score;
  std::array<int, 2> size_px{};  ///< width and height of what was scored
};

/// [H, W, C] as a file of 8 bits a channel holds it: clamped to 0..1 and rounded. What is scored.
torch::Tensor as_written(const torch::Tensor& picture);

/// picture and photo [H, W, 3] float32 0..1 as encoded, mask [H, W]; all on the CPU. The picture is scored as a file
/// holds it: 8 bits a channel, so that a picture that was written and read again has the same figures.
ScoredPicture score_picture(const torch::Tensor& picture, const torch::Tensor& photo, const torch::Tensor& mask,
                            const ScoringOptions& options);

/// Collects scores, in order.
class ScoreSums {
 public:
  void add(const std::string& name, const ScoredPicture& scored);
  /// Sets images, sizes_px and mean.
  void finish(EvalResult& result) const;

 private:
  std::vector<EvalImage> images_;
  std::vector<std::array<int, 2>> sizes_px_;
};

}  // namespace ptl
