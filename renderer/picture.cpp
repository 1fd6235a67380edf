#include "renderer/picture.h"

#include <algorithm>
#include <cmath>

#include "datasets/error.h"
#include "kernels/tone.h"
#include "renderer/background_pyramid.h"
#include "renderer/image_tensor.h"
#include "renderer/network_stop.h"
#include "renderer/picture_colors.h"

namespace ptl {

ViewPictures::ViewPictures(const SceneModel& model, const RenderView& view, const std::atomic<bool>* stop)
    : model_(model), view_(view), stop_(stop) {}

const FilledPyramid* ViewPictures::pyramid() {
  torch::NoGradGuard no_gradient;
  if (!pyramid_ && !stopped()) pyramid_ = render_pyramid(model_, view_, nullptr);
  return stopped() ? nullptr : &*pyramid_;
}

const torch::Tensor* ViewPictures::network_output() {
  torch::NoGradGuard no_gradient;
  if (!radiance_.defined()) {
    const FilledPyramid* filled = pyramid();
    if (!filled) return nullptr;
    const NetworkStop way_out(stop_);
    torch::Tensor output = radiance_of(model_, *filled, view_);
    if (stopped()) return nullptr;  // some of its rows may be missing
    radiance_ = output;
  }
  return stopped() ? nullptr : &radiance_;
}

Image ViewPictures::developed(const torch::Tensor& radiance, const PictureLight& light) {
  torch::NoGradGuard no_gradient;
  const int64_t camera = model_.images[static_cast<size_t>(light.image)].camera;
  ToneParams<float> initial;
  set_initial_response(initial.response);
  const torch::Tensor response = light.response
                                     ? model_.tone->response.detach()[camera]
                                     : torch::from_blob(&initial.response[0][0], {3, response_samples}).clone();
  const torch::Tensor vignette = light.vignette ? model_.tone->vignette.detach()[camera] : torch::zeros({5});
  const torch::Tensor gains = torch::tensor(
      {static_cast<float>(light.setting.white_balance[0]), static_cast<float>(light.setting.white_balance[1])});
  const ToneFrame frame{view_.camera.width_px, view_.camera.height_px, view_.crop};
  developed_rgb_ = tone_map(radiance, torch::full({1}, light.setting.exposure_ev, torch::kFloat), gains, vignette, response,
                            frame, ToneMode::evaluation, model_.tone->options().log_stops);
  return image_from_tensor(developed_rgb_.permute({1, 2, 0}));
}

torch::Tensor ViewPictures::finest(const torch::Tensor& values) const {
  const PyramidShape& shape = pyramid_->raster.shape;
  return values.narrow(0, 0, static_cast<int64_t>(shape.width_px) * shape.height_px)
      .view({shape.height_px, shape.width_px})
      .narrow(0, 0, view_.crop.height_px)
      .narrow(1, 0, view_.crop.width_px)
      .to(torch::kCPU)
      .contiguous();
}

std::optional<Image> ViewPictures::neural(const PictureLight& light) {
  const torch::Tensor* output = network_output();
  if (!output) return std::nullopt;
  return developed(*output, light);
}

std::optional<Image> ViewPictures::plain(const PictureLight& light) {
  const FilledPyramid* filled = pyramid();
  if (!filled) return std::nullopt;
  return developed(plain_radiance(*filled, view_), light);
}

std::optional<Image> ViewPictures::environment(const PictureLight& light) {
  torch::NoGradGuard no_gradient;
  if (stopped()) return std::nullopt;
  const NetworkStop way_out(stop_);
  const torch::Tensor output = radiance_of(model_, background_pyramid(model_, view_), view_);
  if (stopped()) return std::nullopt;
  return developed(output, light);
}

std::optional<Image> ViewPictures::radiance(int64_t image) {
  const torch::Tensor* output = network_output();
  if (!output) return std::nullopt;
  return image_from_tensor(linear_radiance(model_, *output, image).permute({1, 2, 0}));
}

std::optional<Image> ViewPictures::depth_m() {
  if (!pyramid()) return std::nullopt;
  return image_from_tensor(finest(pyramid_->raster.min_depth_m));
}

std::optional<Image> ViewPictures::depth() {
  const std::optional<Image> depths = depth_m();
  if (!depths) return std::nullopt;
  float near = std::numeric_limits<float>::infinity();
  for (const float depth : depths->pixels) near = std::min(near, depth);
  Image picture(depths->width, depths->height, 3);
  for (size_t i = 0; i < depths->pixels.size(); ++i) {
    const float value = std::isfinite(depths->pixels[i]) ? near / depths->pixels[i] : 0.0f;
    std::fill_n(picture.pixels.begin() + static_cast<std::ptrdiff_t>(3 * i), 3, value);
  }
  return picture;
}

std::optional<Image> ViewPictures::weight() {
  if (!pyramid()) return std::nullopt;
  const torch::Tensor weight = finest(pyramid_->raster.weight);
  const int32_t* points = weight.const_data_ptr<int32_t>();
  Image picture(view_.crop.width_px, view_.crop.height_px, 3);
  for (size_t i = 0; 3 * i < picture.pixels.size(); ++i) {
    const Rgb color = ramp_color(points_on_ramp(points[i]));
    std::copy(color.begin(), color.end(), picture.pixels.begin() + static_cast<std::ptrdiff_t>(3 * i));
  }
  return picture;
}

std::optional<Image> ViewPictures::support() {
  if (!pyramid()) return std::nullopt;
  const PyramidShape shape = pyramid_->raster.shape;
  const torch::Tensor weight = pyramid_->raster.weight.to(torch::kCPU);
  const int32_t* points = weight.const_data_ptr<int32_t>();
  Image picture(view_.crop.width_px, view_.crop.height_px, 3);
  for (int y = 0; y < picture.height; ++y)
    for (int x = 0; x < picture.width; ++x) {
      int layer = 0;
      while (layer < shape.layers &&
             points[shape.first(layer) + static_cast<int64_t>(y >> layer) * shape.width(layer) + (x >> layer)] == 0)
        ++layer;
      const Rgb color = support_color(layer < shape.layers ? layer : -1, shape.layers);
      std::copy(color.begin(), color.end(),
                picture.pixels.begin() + static_cast<std::ptrdiff_t>(picture.index(x, y, 0)));
    }
  return picture;
}

std::optional<Image> ViewPictures::error(const PictureLight& light, const Image& photo) {
  std::optional<Image> picture = neural(light);
  if (!picture) return std::nullopt;
  TORCH_CHECK(photo.width == picture->width && photo.height == picture->height && photo.channels == 3,
              "error picture: the photo is ", photo.width, " x ", photo.height, " x ", photo.channels, ", the view ",
              picture->width, " x ", picture->height);
  for (size_t i = 0; i < picture->pixels.size(); i += 3) {
    float difference = 0;
    for (size_t c = 0; c < 3; ++c) difference += std::abs(picture->pixels[i + c] - photo.pixels[i + c]) / 3;
    const Rgb color = ramp_color(error_on_ramp(difference));
    std::copy(color.begin(), color.end(), picture->pixels.begin() + static_cast<std::ptrdiff_t>(i));
  }
  return picture;
}

std::optional<Image> ViewPictures::layer_values(int layer, const std::array<int, 3>& channels) {
  if (layer < 0 || layer >= model_.layers)
    throw InputError("--layer: the model has layers 0 to {}, found {}", model_.layers - 1, layer);
  const FilledPyramid* filled = pyramid();
  if (!filled) return std::nullopt;
  torch::NoGradGuard no_gradient;
  const torch::Tensor pixels =
      split_layers(filled->raster.shape, filled->features)[static_cast<size_t>(layer)].squeeze(0).permute({1, 2, 0}).to(
          torch::kCPU);
  std::vector<torch::Tensor> chosen;
  for (const int channel : channels) {
    if (channel < 0) throw InputError("channels: expected 0 to {}, found {}", pixels.size(2) - 1, channel);
    chosen.push_back(pixels.select(2, std::min<int64_t>(channel, pixels.size(2) - 1)));
  }
  return image_from_tensor(torch::stack(chosen, 2));
}

std::optional<Image> ViewPictures::layer(int layer, const std::array<int, 3>& channels) {
  std::optional<Image> values = layer_values(layer, channels);
  if (!values) return std::nullopt;
  for (float& value : values->pixels)
    value = std::pow(std::clamp(value, 0.0f, 1.0f), static_cast<float>(1.0 / initial_response_gamma));
  return values;
}

std::optional<double> ViewPictures::automatic_exposure_ev(int64_t image) {
  const torch::Tensor* output = network_output();
  if (!output) return std::nullopt;
  const Image linear = image_from_tensor(linear_radiance(model_, *output, image).permute({1, 2, 0}));
  const std::optional<LogRange>& hdr = model_.photo_range;
  const double least = hdr ? 0 : 1e-6;
  double sum = 0;
  size_t count = 0;
  for (size_t i = 0; i < linear.pixels.size(); i += 3) {
    const float* p = &linear.pixels[i];
    const double luminance = 0.2126 * p[0] + 0.7152 * p[1] + 0.0722 * p[2];
    if (!(luminance > least)) continue;
    sum += std::log2(luminance);
    ++count;
  }
  const double middle_log2 = hdr ? (hdr->low + hdr->high) / 2 : std::log2(0.18);
  // Pictures get darker as the exposure's number rises (kernels/tone.h).
  return count > 0 ? sum / static_cast<double>(count) - middle_log2 : 0.0;
}

}  // namespace ptl
