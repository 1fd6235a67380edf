// PSNR and SSIM against scikit-image 0.26. Recorded by tests/reference/record_image_values.py.
#include "renderer/metrics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/renderer/image_formula.h"

namespace ptl {
namespace {

using test::formula_image;
using test::formula_mask;

struct Recorded {
  int64_t height, width;
  uint64_t seed_a, seed_b;
  double psnr, ssim, masked_ssim, border_psnr, border_ssim;
};
constexpr Recorded recorded[] = {
    {40, 48, 1, 2, 21.766007600349, 0.788070546641, 0.946375127800, 33.451972339337, 0.981615814964},
    {75, 61, 3, 4, 21.755192427930, 0.784918124716, 0.943508051615, 27.447128956960, 0.928962154316}};

TEST(Metrics, AgreeWithScikitImage) {
  for (const Recorded& r : recorded) {
    const torch::Tensor a = formula_image(r.height, r.width, r.seed_a), b = formula_image(r.height, r.width, r.seed_b);
    EXPECT_NEAR(psnr_db(a, b), r.psnr, 1e-5);
    EXPECT_NEAR(ssim(a, b), r.ssim, 1e-7);
    EXPECT_NEAR(ssim(a, b, BorderProtocol::full, formula_mask(r.height, r.width)), r.masked_ssim, 1e-7);
    EXPECT_NEAR(psnr_db(a, b, BorderProtocol::adop_border), r.border_psnr, 1e-5);
    EXPECT_NEAR(ssim(a, b, BorderProtocol::adop_border), r.border_ssim, 1e-7);
    const ImageScore score = score_image(a, b);
    EXPECT_EQ(score.psnr_db, psnr_db(a, b));
    EXPECT_EQ(score.ssim, ssim(a, b));
  }
}

TEST(Metrics, ByHand) {
  const torch::Tensor half = torch::full({16, 16, 3}, 0.5f);
  EXPECT_NEAR(psnr_db(half, torch::full({16, 16, 3}, 0.25f)), -10 * std::log10(0.0625), 1e-12);
  EXPECT_TRUE(std::isinf(psnr_db(half, half)));
  EXPECT_NEAR(ssim(half, half), 1.0, 1e-12);
  // Flat images: only the luminance term is left, (2·0.5·0.25 + c1) / (0.25 + 0.0625 + c1).
  EXPECT_NEAR(ssim(half, torch::full({16, 16, 3}, 0.25f)), (0.25 + 1e-4) / (0.3125 + 1e-4), 1e-9);
  // Both are clamped.
  EXPECT_TRUE(std::isinf(psnr_db(torch::full({16, 16, 3}, 1.5f), torch::ones({16, 16, 3}))));
}

TEST(Metrics, MaskDividesByItsSum) {
  torch::Tensor a = torch::zeros({12, 12, 3}), b = torch::zeros({12, 12, 3}), mask = torch::zeros({12, 12});
  a[0][0].fill_(0.1f);   // counts
  a[5][5].fill_(1.0f);   // masked out
  mask[0].fill_(1.0f);
  const double mse = static_cast<double>(0.1f) * 0.1f / 12;
  EXPECT_NEAR(psnr_db(a, b, BorderProtocol::full, mask), -10 * std::log10(mse), 1e-5);
}

TEST(Metrics, MeanOfEachImagesPsnr) {
  const ImageScore mean = mean_score({{20, 0.5}, {30, 0.7}, {25, 0.9}});
  EXPECT_DOUBLE_EQ(mean.psnr_db, 25);
  EXPECT_DOUBLE_EQ(mean.ssim, 0.7);
  EXPECT_THROW(mean_score({}), c10::Error);
}

TEST(Metrics, WrongShapesAreRefused) {
  const torch::Tensor good = torch::zeros({16, 16, 3});
  EXPECT_THROW(psnr_db(good, torch::zeros({16, 17, 3})), c10::Error);
  EXPECT_THROW(psnr_db(torch::zeros({3, 16, 16}), torch::zeros({3, 16, 16})), c10::Error);
  EXPECT_THROW(ssim(torch::zeros({10, 16, 3}), torch::zeros({10, 16, 3})), c10::Error);
  EXPECT_THROW(psnr_db(good, good, BorderProtocol::adop_border), c10::Error);
  EXPECT_THROW(psnr_db(good, good, BorderProtocol::full, torch::ones({15, 16})), c10::Error);
}

}  // namespace
}  // namespace ptl
