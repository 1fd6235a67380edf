// Models of HDR scenes: what their pictures mean, and their file.
#include <gtest/gtest.h>

#include "datasets/hdr_photo.h"
#include "datasets/prepare.h"
#include "datasets/scene_loader.h"
#include "datasets/split.h"
#include "renderer/additive_light.h"
#include "renderer/checkpoint.h"
#include "renderer/model_file.h"
#include "renderer/photometry.h"
#include "renderer/picture.h"
#include "renderer/pipeline.h"
#include "tests/support/expect_input_error.h"
#include "tests/support/fit_scene.h"
#include "tests/support/temporary_folder.h"

namespace ptl::testing {
namespace {

class HdrModelTest : public ::testing::Test {
 protected:
  void SetUp() override {
    write_fit_scene(folder_ / "scene", {10, 96, 72, 900, true});
    scene_ = load_scene(folder_ / "scene");
    split_ = make_split(scene_, "every8");
    choose_photo_range(scene_, split_.train);
    config_ = preset_config("quick");
    config_.environment.height = 8;
    config_.environment.width = 16;
  }
  SceneModel model() const { return make_scene_model(scene_, split_, prepare_points(scene_, {}), config_, 3); }
  TemporaryFolder folder_;
  Scene scene_;
  Split split_;
  FitConfig config_;
};

TEST_F(HdrModelTest, LinearRadianceIsWhatThePicturesValuesStandFor) {
  const SceneModel hdr = model();
  const RenderView view = photo_view(hdr, 1);
  const torch::Tensor output = torch::linspace(-0.2, 1.2, 3 * 72 * 96).view({3, 72, 96});
  const torch::Tensor picture = develop(hdr, output, 1, view, {});
  const torch::Tensor linear = linear_radiance(hdr, output, 1).permute({1, 2, 0}).contiguous();
  for (int64_t i = 0; i < picture.numel(); i += 101) {
    const float value = picture.const_data_ptr<float>()[i], radiance = linear.const_data_ptr<float>()[i];
    EXPECT_NEAR(radiance / radiance_of_value(value, *hdr.photo_range), 1, 1e-4);
  }
  // A stop more light is a stop more in the values, wherever they stay in the range.
  const torch::Tensor darker = develop(hdr, output, 1, view, {1.0, {1, 1}});
  const double stop = 1 / hdr.photo_range->stops();
  EXPECT_TRUE(torch::allclose((picture - stop).clamp_min(0), darker, 0, 1e-5));
}

TEST_F(HdrModelTest, ExposuresBeginAtZeroWhateverIsGiven) {
  for (SceneImage& image : scene_.images) image.exposure_ev = 3.0 + image.id;
  config_.raster.descriptor_init = DescriptorInit::color_only;
  const SceneModel hdr = model();
  EXPECT_EQ(hdr.radiance_ev, 0);
  EXPECT_TRUE(torch::equal(hdr.tone->exposure_ev, torch::zeros({10})));
  EXPECT_FALSE(hdr.tone->exposures_vary());
}

TEST_F(HdrModelTest, TheFileKeepsTheRange) {
  const SceneModel first = model();
  write_model(folder_ / "a.safetensors", first);
  const SceneModel second = read_model(folder_ / "a.safetensors");
  EXPECT_EQ(second.photo_range, first.photo_range);
  EXPECT_EQ(second.tone->options().log_stops, first.photo_range->stops());
  SceneModel other = model();
  other.photo_range->high += 1;
  EXPECT_NE(scene_fingerprint(other), scene_fingerprint(first));
  other.photo_range = LogRange{3, 3};
  write_model(folder_ / "b.safetensors", other);
  expect_input_error([&] { read_model(folder_ / "b.safetensors"); }, {"b.safetensors", "photo_range"});
}

TEST_F(HdrModelTest, AMovingCameraAddsUpRadianceNotItsLogarithm) {
  const SceneModel hdr = model();
  // A lamp four stops brighter than the wall, half of the time each: (16 + 1)/2 of the wall.
  const torch::Tensor outputs = torch::full({3, 72, 96}, 0.3, torch::kFloat);
  const float wall = linear_radiance(hdr, outputs, 1)[1][5][7].item<float>();
  torch::Tensor lamp = outputs.clone();  // the output whose value that is, by bisection
  float low = 0.3f, high = 1;
  for (int k = 0; k < 40; ++k) {
    lamp.fill_((low + high) / 2);
    (linear_radiance(hdr, lamp, 1)[1][5][7].item<float>() < 16 * wall ? low : high) = (low + high) / 2;
  }
  const torch::Tensor mean = output_of_light(hdr, (additive_light(hdr, outputs) + additive_light(hdr, lamp)) / 2);
  EXPECT_NEAR(linear_radiance(hdr, mean, 1)[1][5][7].item<float>() / wall, 8.5, 0.01);
}

TEST_F(HdrModelTest, LightAndOutputsAreInverseAndKeepGradientsOutsideTheRange) {
  const SceneModel hdr = model();
  const torch::Tensor output = torch::linspace(-0.4, 2, 200, torch::kDouble).requires_grad_();
  const torch::Tensor back = output_of_light(hdr, additive_light(hdr, output));
  EXPECT_TRUE(torch::allclose(back, output, 1e-9, 1e-9));
  EXPECT_TRUE(torch::allclose(torch::autograd::grad({back.sum()}, {output})[0], torch::ones({200}, torch::kDouble), 1e-6));
  SceneModel ordinary = model();
  ordinary.photo_range.reset();
  EXPECT_TRUE(output_of_light(ordinary, additive_light(ordinary, output)).is_same(output));
}

TEST_F(HdrModelTest, AutomaticExposureBringsTheMiddleOfTheValues) {
  const SceneModel hdr = model();
  ViewPictures pictures(hdr, photo_view(hdr, 1));
  const std::optional<double> ev = pictures.automatic_exposure_ev(1);
  const std::optional<Image> linear = pictures.radiance(1);
  ASSERT_TRUE(ev && linear);
  double sum = 0;
  for (size_t i = 0; i < linear->pixels.size(); i += 3)
    sum += std::log2(0.2126 * linear->pixels[i] + 0.7152 * linear->pixels[i + 1] + 0.0722 * linear->pixels[i + 2]);
  const double middle = (hdr.photo_range->low + hdr.photo_range->high) / 2;
  EXPECT_NEAR(*ev, sum / static_cast<double>(linear->pixels.size() / 3) - middle, 1e-4);
}

}  // namespace
}  // namespace ptl::testing
