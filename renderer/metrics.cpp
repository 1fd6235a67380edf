#include "renderer/metrics.h"

#include <cmath>
#include <limits>

#include "kernels/image_loss.h"

namespace ptl {
namespace {

constexpr int64_t adop_border_px = 16;

/// What is scored: clamped, and with the protocol's border.
torch::Tensor prepared(const torch::Tensor& image, BorderProtocol border, const char* what) {
  TORCH_CHECK(image.dim() == 3 && image.size(2) == 3, what, ": expected an image [H,W,3], got ", image.sizes());
  TORCH_CHECK(image.scalar_type() == torch::kFloat32 && image.device().is_cpu(), what,
              ": expected float32 on the CPU, got ", image.scalar_type());
  const torch::NoGradGuard no_grad;
  torch::Tensor out = image.clamp(0, 1).contiguous();
  if (border == BorderProtocol::adop_border) {
    const int64_t height = out.size(0), width = out.size(1);
    TORCH_CHECK(height > 2 * adop_border_px && width > 2 * adop_border_px, what, ": adop_border needs more than ",
                2 * adop_border_px, " px, the image has ", width, " x ", height);
    torch::Tensor framed = torch::zeros_like(out);
    const auto inside = [&](torch::Tensor t) {
      return t.narrow(0, adop_border_px, height - 2 * adop_border_px)
          .narrow(1, adop_border_px, width - 2 * adop_border_px);
    };
    inside(framed).copy_(inside(out));
    out = framed;
  }
  return out;
}

ImageLayout interleaved(const torch::Tensor& image) {
  return {image.size(2), image.size(0), image.size(1), 1, image.size(1) * image.size(2), image.size(2)};
}

torch::Tensor prepared_mask(const torch::Tensor& mask, const torch::Tensor& image, const char* what) {
  if (!mask.defined()) return mask;
  TORCH_CHECK(mask.dim() == 2 && mask.size(0) == image.size(0) && mask.size(1) == image.size(1) &&
                  mask.scalar_type() == torch::kFloat32 && mask.is_cpu(),
              what, ": expected a float32 mask [", image.size(0), ", ", image.size(1), "] on the CPU, got ", mask.sizes(),
              " on ", mask.device());
  return mask.contiguous();
}

}  // namespace

double psnr_db(const torch::Tensor& image, const torch::Tensor& target, BorderProtocol border,
               const torch::Tensor& mask) {
  TORCH_CHECK(image.sizes() == target.sizes(), "psnr: sizes differ: ", image.sizes(), " and ", target.sizes());
  const torch::Tensor a = prepared(image, border, "psnr"), b = prepared(target, border, "psnr");
  const torch::Tensor m = prepared_mask(mask, a, "psnr");
  const DifferenceMeans means =
      difference_means<float>(Device{}, interleaved(a), a.const_data_ptr<float>(), b.const_data_ptr<float>(),
                              m.defined() ? m.const_data_ptr<float>() : nullptr, nullptr, 0, 0);
  return means.mse > 0 ? -10 * std::log10(means.mse) : std::numeric_limits<double>::infinity();
}

double ssim(const torch::Tensor& image, const torch::Tensor& target, BorderProtocol border,
            const torch::Tensor& mask) {
  TORCH_CHECK(image.sizes() == target.sizes(), "ssim: sizes differ: ", image.sizes(), " and ", target.sizes());
  const torch::Tensor a = prepared(image, border, "ssim"), b = prepared(target, border, "ssim");
  TORCH_CHECK(a.size(0) >= ssim_window_px && a.size(1) >= ssim_window_px, "ssim: the image has ", a.size(1), " x ",
              a.size(0), " px, at least ", ssim_window_px, " x ", ssim_window_px, " are needed");
  const torch::Tensor m = prepared_mask(mask, a, "ssim");
  // In double: float loses digits in E[a²] − E[a]² where an image is flat.
  const torch::Tensor a64 = a.to(torch::kFloat64), b64 = b.to(torch::kFloat64);
  const torch::Tensor m64 = m.defined() ? m.to(torch::kFloat64) : m;
  return ssim_mean<double>(Device{}, interleaved(a), a64.const_data_ptr<double>(), b64.const_data_ptr<double>(),
                           m.defined() ? m64.const_data_ptr<double>() : nullptr, nullptr, 0);
}

ImageScore score_image(const torch::Tensor& image, const torch::Tensor& target, BorderProtocol border,
                       const torch::Tensor& mask) {
  return {psnr_db(image, target, border, mask), ssim(image, target, border, mask)};
}

ImageScore mean_score(const std::vector<ImageScore>& scores) {
  TORCH_CHECK(!scores.empty(), "mean_score: no image was scored");
  ImageScore mean;
  for (const ImageScore& score : scores) {
    mean.psnr_db += score.psnr_db;
    mean.ssim += score.ssim;
  }
  mean.psnr_db /= static_cast<double>(scores.size());
  mean.ssim /= static_cast<double>(scores.size());
  return mean;
}

}  // namespace ptl
