// Panoramas have no seam: not for points, photos, the network's picture, nor for training crops.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "datasets/image_io.h"
#include "datasets/synthetic_write.h"
#include "renderer/crops.h"
#include "renderer/pipeline.h"
#include "renderer/unfitted_model.h"
#include "tests/support/temporary_folder.h"

namespace ptl {
namespace {

using testing::TemporaryFolder;

constexpr int width_px = 512, height_px = 256;

class Panorama : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TemporaryFolder;
    SyntheticOptions options;
    options.photos = 9;
    options.width_px = width_px;
    options.height_px = height_px;
    options.samples = 1;
    options.camera = CameraModel::equirectangular;
    write_synthetic_scene(options, folder_->path() / "scene");
    shown_ = new Shown(open_shown(folder_->path() / "scene", {}, torch::kCPU));
  }
  static void TearDownTestSuite() {
    delete shown_;
    delete folder_;
  }
  static const SceneModel& model() { return shown_->run.model; }
  static ImageCache& photos() { return *shown_->photos; }

  static TemporaryFolder* folder_;
  static Shown* shown_;
};
TemporaryFolder* Panorama::folder_ = nullptr;
Shown* Panorama::shown_ = nullptr;

/// Columns moved to the left by `by`, around the seam.
torch::Tensor rolled(const torch::Tensor& image, int64_t by) {
  return torch::roll(image, -by, image.dim() - 1);
}

torch::Tensor layer_0(const Pyramid& pyramid, const torch::Tensor& values) {
  return values.narrow(0, 0, static_cast<int64_t>(pyramid.shape.width_px) * pyramid.shape.height_px)
      .view({pyramid.shape.height_px, pyramid.shape.width_px});
}

TEST_F(Panorama, PointsOfACropOverTheSeamAreThoseOfThePhoto) {
  const RenderView whole = photo_view(model(), 0);
  ASSERT_EQ(whole.camera.model, CameraModel::equirectangular);
  const Pyramid all = render_pyramid(model(), whole, nullptr).raster;
  ASSERT_EQ(all.shape.width_px, width_px) << "a multiple of the coarsest cell";
  for (const int offset : {96, 448, -96, -32}) {
    RenderView view = whole;
    view.crop.offset_x_px = static_cast<float>(offset);
    const Pyramid moved = render_pyramid(model(), view, nullptr).raster;
    EXPECT_TRUE(torch::equal(layer_0(moved, moved.weight), rolled(layer_0(all, all.weight), offset))) << offset;
    EXPECT_TRUE(torch::equal(layer_0(moved, moved.min_depth_m), rolled(layer_0(all, all.min_depth_m), offset)))
        << offset;
  }
  EXPECT_GT(all.weight.gt(0).sum().item<int64_t>(), width_px * height_px / 4);
}

TEST_F(Panorama, PhotosAreSampledOverTheSeam) {
  Image photo = photos().photo(1);
  Crop crop;
  crop.width_px = 64;
  crop.height_px = 16;
  crop.offset_y_px = 40;
  std::vector<float> rgb(64 * 16 * 3), mask(64 * 16);
  for (const int offset : {480, 511, -20, 10}) {
    crop.offset_x_px = static_cast<float>(offset);
    photos().sample_crop(1, crop, rgb.data(), mask.data());
    for (int y = 0; y < 16; ++y)
      for (int x = 0; x < 64; ++x) {
        const int from = (x + offset + width_px) % width_px;
        for (int c = 0; c < 3; ++c)
          ASSERT_EQ(rgb[static_cast<size_t>((y * 64 + x) * 3 + c)], photo.at(from, y + 40, c)) << offset << " " << x;
        ASSERT_EQ(mask[static_cast<size_t>(y * 64 + x)], 1.0f);
      }
  }
  // At half the size a pixel is the mean of two columns, those beyond the seam too.
  crop.zoom = 0.5f;
  crop.offset_x_px = 248;
  crop.offset_y_px = 20;
  photos().sample_crop(1, crop, rgb.data(), mask.data());
  for (const int x : {7, 8, 9}) {
    const int from = (2 * (x + 248)) % width_px;
    const float mean =
        (photo.at(from, 40, 0) + photo.at(from + 1, 40, 0) + photo.at(from, 41, 0) + photo.at(from + 1, 41, 0)) / 4;
    EXPECT_NEAR(rgb[static_cast<size_t>(x * 3)], mean, 1e-6) << x;
  }
}

TEST_F(Panorama, TheNetworksPictureHasNoSeam) {
  torch::NoGradGuard no_gradient;
  const RenderView view = photo_view(model(), 0);
  const torch::Tensor picture = render_radiance(model(), view);
  ASSERT_EQ(picture.size(2), width_px);
  // The same from a camera that is turned by a quarter: what was at the seam is in the middle of its right half.
  RenderView turned = view;
  const double half = std::numbers::pi / 4;
  const Mat3<double> turn = rotation_from_quaternion(std::array<double, 4>{std::cos(half), 0, std::sin(half), 0});
  turned.camera_from_world.rotation = turn * view.camera_from_world.rotation;
  turned.camera_from_world.translation = turn * view.camera_from_world.translation;
  const torch::Tensor other = render_radiance(model(), turned);
  const int quarter = width_px / 4;
  const torch::Tensor left = (other - rolled(picture, quarter)).abs(),
                      right = (other - rolled(picture, -quarter)).abs();
  const torch::Tensor difference = left.mean().item<double>() < right.mean().item<double>() ? left : right;
  // Rounding moves a few points into a neighbouring pixel.
  const double everywhere = difference.mean().item<double>(), level = picture.abs().mean().item<double>();
  EXPECT_LT(everywhere, 0.01 * level);
  const int64_t seams[] = {0, quarter, width_px / 2, 3 * quarter};
  for (const int64_t column : seams) {
    const int64_t first = std::max<int64_t>(0, column - 8), count = std::min<int64_t>(16, width_px - first);
    EXPECT_LT(difference.narrow(2, first, count).mean().item<double>(), 3 * everywhere + 1e-3 * level) << column;
  }
}

TEST_F(Panorama, TrainingCropsReachOverTheSeam) {
  EpochOrder order(model());
  int over = 0;
  for (int64_t step = 0; step < 200; ++step)
    for (const TrainingCrop& crop : crops_of_step(model(), order, step)) {
      const float photo_px = crop.crop.zoom * width_px;
      EXPECT_GE(crop.crop.offset_x_px, 0);
      EXPECT_LE(crop.crop.offset_x_px, photo_px);
      EXPECT_LE(static_cast<float>(crop.crop.width_px), photo_px + 1);
      over += crop.crop.offset_x_px + static_cast<float>(crop.crop.width_px) > photo_px + 1;
    }
  EXPECT_GT(over, 50);
}

}  // namespace
}  // namespace ptl
