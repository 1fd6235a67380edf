// PSNR and SSIM of finished images (method section 7). Both are checked against scikit-image.
#pragma once

#include <torch/torch.h>

#include <string>
#include <vector>

namespace ptl {

/// What happens at the border of an image before it is scored: one of the four words of a report's protocol.
enum class BorderProtocol {
  full,         ///< the whole image
  adop_border,  ///< 16 px are set to zero on each side in both images, and count (0.2 to 0.5 dB higher)
};
inline std::vector<std::string> enum_names(BorderProtocol*) { return {"full", "adop_border"}; }

struct ImageScore {
  double psnr_db = 0;
  double ssim = 0;
};

/// Images [H,W,3] float32 in [0,1] (values outside are clamped), CPU. PSNR of equal images is infinite.
/// mask [H,W] float32, undefined: everything counts; PSNR then divides by the mask's sum, SSIM multiplies both by it.
double psnr_db(const torch::Tensor& image, const torch::Tensor& target, BorderProtocol border = BorderProtocol::full,
               const torch::Tensor& mask = {});
double ssim(const torch::Tensor& image, const torch::Tensor& target, BorderProtocol border = BorderProtocol::full,
            const torch::Tensor& mask = {});
ImageScore score_image(const torch::Tensor& image, const torch::Tensor& target,
                       BorderProtocol border = BorderProtocol::full, const torch::Tensor& mask = {});

/// The mean over images of each image's score, added in order (infinite if one is).
ImageScore mean_score(const std::vector<ImageScore>& scores);

}  // namespace ptl
