#include "renderer/tone_mapper.h"

#include <torch/library.h>

#include <algorithm>
#include <cmath>

#include "renderer/tensor_device.h"

namespace ptl {
namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

ImageStrides strides_of(const Tensor& image) { return {image.stride(0), image.stride(1), image.stride(2)}; }

template <class T>
ToneParams<T> pack(const Tensor& exposure_ev, const Tensor& white_balance, const Tensor& vignette,
                   const Tensor& response, double log_stops) {
  ToneParams<T> params;
  params.log_stops = static_cast<T>(log_stops);
  params.exposure_ev = *exposure_ev.const_data_ptr<T>();
  std::copy_n(white_balance.const_data_ptr<T>(), 2, params.white_balance);
  std::copy_n(vignette.const_data_ptr<T>(), 5, params.vignette);
  std::copy_n(response.const_data_ptr<T>(), 3 * response_samples, &params.response[0][0]);
  return params;
}

template <class T>
Tensor from_doubles(const double* values, int64_t count, const Tensor& like) {
  Tensor result = torch::empty(like.sizes(), like.options());
  T* out = result.mutable_data_ptr<T>();
  for (int64_t i = 0; i < count; ++i) out[i] = static_cast<T>(values[i]);
  return result;
}

void check_arguments(const Tensor& radiance, const Tensor& exposure_ev, const Tensor& white_balance,
                     const Tensor& vignette, const Tensor& response, int64_t width_px, int64_t height_px) {
  TORCH_CHECK(radiance.dim() == 3 && radiance.size(0) == 3, "tone_map: radiance: expected [3, H, W], found ",
              radiance.sizes());
  TORCH_CHECK(radiance.size(1) == height_px && radiance.size(2) == width_px, "tone_map: radiance: expected ", height_px,
              " rows of ", width_px, " pixels as the crop has, found ", radiance.sizes());
  TORCH_CHECK(radiance.scalar_type() == torch::kFloat || radiance.scalar_type() == torch::kDouble,
              "tone_map: radiance: expected float or double, found ", radiance.scalar_type());
  const auto check = [&](const char* name, const Tensor& t, int64_t count) {
    TORCH_CHECK(t.numel() == count, "tone_map: ", name, ": expected ", count, " values, found ", t.sizes());
    TORCH_CHECK(t.scalar_type() == radiance.scalar_type(), "tone_map: ", name, ": expected ", radiance.scalar_type(),
                " as radiance has, found ", t.scalar_type());
    TORCH_CHECK(t.is_cpu(), "tone_map: ", name, ": expected a tensor on the CPU, found ", t.device());
  };
  check("exposure_ev", exposure_ev, 1);
  check("white_balance", white_balance, 2);
  check("vignette", vignette, 5);
  check("response", response, 3 * response_samples);
}

struct ToneMapFunction : torch::autograd::Function<ToneMapFunction> {
  static Tensor forward(AutogradContext* context, const Tensor& radiance, const Tensor& exposure_ev,
                        const Tensor& white_balance, const Tensor& vignette, const Tensor& response,
                        const ToneFrame& frame, bool training, double log_stops) {
    const Tensor e = exposure_ev.contiguous(), w = white_balance.contiguous(), v = vignette.contiguous(),
                 r = response.contiguous();
    // Broadcast (stride 0) memory cannot be written to in the same layout.
    const Tensor in = radiance.is_non_overlapping_and_dense() ? radiance : radiance.contiguous();
    context->save_for_backward({in, e, w, v, r});
    context->saved_data["frame"] = std::vector<int64_t>{frame.photo_width_px, frame.photo_height_px,
                                                        frame.crop.width_px, frame.crop.height_px, training};
    context->saved_data["log_stops"] = log_stops;
    context->saved_data["crop"] =
        std::vector<double>{frame.crop.zoom, frame.crop.offset_x_px, frame.crop.offset_y_px};
    Tensor output = torch::empty_like(in);
    const TensorDevice device("tone_map", in);
    AT_DISPATCH_FLOATING_TYPES(in.scalar_type(), "tone_map", [&] {
      tone_map_image<scalar_t>(device, pack<scalar_t>(e, w, v, r, log_stops), frame,
                               training ? ToneMode::training : ToneMode::evaluation, in.const_data_ptr<scalar_t>(),
                               strides_of(in), output.mutable_data_ptr<scalar_t>(), strides_of(output));
    });
    return output;
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    const variable_list saved = context->get_saved_variables();
    const auto numbers = context->saved_data["frame"].toIntVector();
    const double log_stops = context->saved_data["log_stops"].toDouble();
    const auto crop = context->saved_data["crop"].toDoubleVector();
    ToneFrame frame;
    frame.photo_width_px = static_cast<int32_t>(numbers[0]);
    frame.photo_height_px = static_cast<int32_t>(numbers[1]);
    frame.crop = {static_cast<float>(crop[0]), static_cast<float>(crop[1]), static_cast<float>(crop[2]),
                  static_cast<int32_t>(numbers[2]), static_cast<int32_t>(numbers[3])};
    const ToneMode mode = numbers[4] ? ToneMode::training : ToneMode::evaluation;
    const Tensor& radiance = saved[0];
    Tensor grad_radiance = torch::empty_like(radiance);
    const TensorDevice device("tone_map_backward", radiance);
    Tensor grad_exposure, grad_balance, grad_vignette, grad_response;
    AT_DISPATCH_FLOATING_TYPES(radiance.scalar_type(), "tone_map_backward", [&] {
      const ToneGradient sums = tone_map_image_backward<scalar_t>(
          device, pack<scalar_t>(saved[1], saved[2], saved[3], saved[4], log_stops), frame, mode,
          radiance.const_data_ptr<scalar_t>(), strides_of(radiance), grads[0].const_data_ptr<scalar_t>(),
          strides_of(grads[0]), grad_radiance.mutable_data_ptr<scalar_t>());
      grad_exposure = from_doubles<scalar_t>(&sums.exposure_ev, 1, saved[1]);
      grad_balance = from_doubles<scalar_t>(sums.white_balance, 2, saved[2]);
      grad_vignette = from_doubles<scalar_t>(sums.vignette, 5, saved[3]);
      grad_response = from_doubles<scalar_t>(&sums.response[0][0], 3 * response_samples, saved[4]);
    });
    return {grad_radiance, grad_exposure, grad_balance, grad_vignette, grad_response, Tensor(), Tensor(), Tensor()};
  }
};

struct SmoothnessFunction : torch::autograd::Function<SmoothnessFunction> {
  static Tensor forward(AutogradContext* context, const Tensor& response) {
    const Tensor exact = response.to(torch::kDouble).contiguous();
    context->saved_data["type"] = static_cast<int64_t>(response.scalar_type());
    context->save_for_backward({exact});
    return torch::scalar_tensor(response_regulariser(curves(exact)), response.options());
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    const Tensor exact = context->get_saved_variables()[0];
    Tensor gradient = torch::zeros_like(exact);
    using Rows = double (*)[response_samples];
    response_regulariser(curves(exact), grads[0].item<double>(), reinterpret_cast<Rows>(gradient.data_ptr<double>()));
    return {gradient.to(static_cast<torch::ScalarType>(context->saved_data["type"].toInt()))};
  }

 private:
  using Curves = double[3][response_samples];
  static const Curves& curves(const Tensor& exact) { return *reinterpret_cast<const Curves*>(exact.data_ptr<double>()); }
};

/// ptl::tone_map(…, int[] sizes: photo width, height, crop width, height; float[] crop: zoom, offset x, y; bool
/// training, float log_stops)
Tensor tone_map_operator(const Tensor& radiance, const Tensor& exposure_ev, const Tensor& white_balance,
                         const Tensor& vignette, const Tensor& response, at::IntArrayRef sizes,
                         at::ArrayRef<double> crop, bool training, double log_stops) {
  TORCH_CHECK(sizes.size() == 4 && crop.size() == 3, "tone_map: expected 4 sizes and 3 numbers of the crop, found ",
              sizes.size(), " and ", crop.size());
  TORCH_CHECK(sizes[0] > 0 && sizes[1] > 0 && crop[0] > 0, "tone_map: expected a photo size and zoom above 0, found ",
              sizes[0], " × ", sizes[1], " and ", crop[0]);
  TORCH_CHECK(log_stops >= 0 && std::isfinite(log_stops), "tone_map: expected log_stops of at least 0, found ", log_stops);
  check_arguments(radiance, exposure_ev, white_balance, vignette, response, sizes[2], sizes[3]);
  ToneFrame frame;
  frame.photo_width_px = static_cast<int32_t>(sizes[0]);
  frame.photo_height_px = static_cast<int32_t>(sizes[1]);
  frame.crop = {static_cast<float>(crop[0]), static_cast<float>(crop[1]), static_cast<float>(crop[2]),
                static_cast<int32_t>(sizes[2]), static_cast<int32_t>(sizes[3])};
  return ToneMapFunction::apply(radiance, exposure_ev, white_balance, vignette, response, frame, training, log_stops);
}

constexpr float varying_ev = 0.1f;    ///< less is how well exposures are known
constexpr double least_tint = 1e-6;  ///< of the logarithm: rounding

/// mean of values[index], in double, in order.
double mean_at(const float* values, const std::vector<int64_t>& index) {
  double sum = 0;
  for (const int64_t i : index) sum += static_cast<double>(values[i]);
  return sum / static_cast<double>(index.size());
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(ptl, library) {
  library.def(
      "tone_map(Tensor radiance, Tensor exposure_ev, Tensor white_balance, Tensor vignette, Tensor response, "
      "int[] sizes, float[] crop, bool training, float log_stops=0) -> Tensor",
      tone_map_operator);
}

Tensor tone_map(const Tensor& radiance, const Tensor& exposure_ev, const Tensor& white_balance, const Tensor& vignette,
                const Tensor& response, const ToneFrame& frame, ToneMode mode, double log_stops) {
  const int64_t sizes[] = {frame.photo_width_px, frame.photo_height_px, frame.crop.width_px, frame.crop.height_px};
  const double crop[] = {frame.crop.zoom, frame.crop.offset_x_px, frame.crop.offset_y_px};
  return tone_map_operator(radiance, exposure_ev, white_balance, vignette, response, sizes, crop,
                           mode == ToneMode::training, log_stops);
}

Tensor response_smoothness(const Tensor& response) {
  TORCH_CHECK(response.is_cpu() && response.numel() == 3 * response_samples,
              "response_smoothness: expected [3, 25] on the CPU, found ", response.sizes(), " on ", response.device());
  return SmoothnessFunction::apply(response);
}

ToneMapperImpl::ToneMapperImpl(ToneMapperOptions options) : options_(std::move(options)) {
  const int64_t images = options_.num_images, cameras = options_.num_cameras;
  TORCH_CHECK(images > 0 && cameras > 0, "ToneMapper: expected images and cameras, found ", images, " and ", cameras);
  TORCH_CHECK(options_.exposure_ev.empty() || static_cast<int64_t>(options_.exposure_ev.size()) == images,
              "ToneMapper: expected an exposure for each of ", images, " images, found ", options_.exposure_ev.size());
  if (options_.camera_of_image.empty()) options_.camera_of_image.assign(static_cast<size_t>(images), 0);
  TORCH_CHECK(static_cast<int64_t>(options_.camera_of_image.size()) == images,
              "ToneMapper: expected a camera for each of ", images, " images, found ", options_.camera_of_image.size());
  for (const int64_t camera : options_.camera_of_image)
    TORCH_CHECK(camera >= 0 && camera < cameras, "ToneMapper: expected cameras 0 to ", cameras - 1, ", found ", camera);
  for (const int64_t image : options_.training_images)
    TORCH_CHECK(image >= 0 && image < images, "ToneMapper: expected images 0 to ", images - 1, ", found ", image);
  Tensor exposure = torch::zeros({images});
  for (size_t i = 0; i < options_.exposure_ev.size(); ++i)
    exposure.mutable_data_ptr<float>()[i] = static_cast<float>(options_.exposure_ev[i]);
  ToneParams<float> initial;
  set_initial_response(initial.response);
  const Tensor curve = torch::from_blob(&initial.response[0][0], {1, 3, response_samples}).clone();
  exposure_ev = register_parameter("exposure_ev", exposure);
  white_balance = register_parameter("white_balance", torch::ones({images, 2}));
  vignette = register_parameter("vignette", torch::zeros({cameras, 5}));
  response = register_parameter("response", curve.repeat({cameras, 1, 1}));
  initial_exposure_ev_ = register_buffer("initial_exposure_ev", exposure_ev.detach().clone());
  initial_response_ = register_buffer("initial_response", response.detach().clone());
}

Tensor ToneMapperImpl::forward(const Tensor& radiance, int64_t image, const ToneFrame& frame, ToneMode mode) {
  TORCH_CHECK(image >= 0 && image < options_.num_images, "ToneMapper: expected an image from 0 to ",
              options_.num_images - 1, ", found ", image);
  const int64_t camera = options_.camera_of_image[static_cast<size_t>(image)];
  return tone_map(radiance, exposure_ev[image], white_balance[image], vignette[camera], response[camera], frame, mode,
                  options_.log_stops);
}

Tensor ToneMapperImpl::regulariser() {
  Tensor sum = response_smoothness(response[0]);
  for (int64_t camera = 1; camera < options_.num_cameras; ++camera) sum = sum + response_smoothness(response[camera]);
  return sum;
}

void ToneMapperImpl::begin_with_these_exposures() {
  const torch::NoGradGuard no_gradient;
  initial_exposure_ev_.copy_(exposure_ev);
}

bool ToneMapperImpl::exposures_vary() const {
  const float* ev = initial_exposure_ev_.const_data_ptr<float>();
  for (const int64_t image : options_.training_images)
    if (std::abs(ev[image] - ev[options_.training_images.front()]) > varying_ev) return true;
  return false;
}

void ToneMapperImpl::fix_gauge(ExponentGauge gauge) {
  torch::NoGradGuard no_grad;
  const std::vector<int64_t>& training = options_.training_images;
  if (training.empty()) return;
  float* ev = exposure_ev.mutable_data_ptr<float>();
  const float* initial_ev = initial_exposure_ev_.const_data_ptr<float>();
  const double initial_mean = mean_at(initial_ev, training);
  const double shift = mean_at(ev, training) - initial_mean;
  double excess_slope = 0;
  if (gauge == ExponentGauge::exposure_slope) {
    TORCH_CHECK(exposures_vary(), "fix_gauge: the slope of exposures needs initial exposures that differ");
    double product = 0, square = 0;
    for (const int64_t i : training) {
      const double initial = static_cast<double>(initial_ev[i]) - initial_mean;
      product += (static_cast<double>(ev[i]) - initial_mean - shift) * initial;
      square += initial * initial;
    }
    excess_slope = product / square - 1;
  }
  // What moves along the free directions (all alike; in proportion to EXIF's exposure) is taken away, nothing else.
  for (const int64_t i : training)
    ev[i] = static_cast<float>(static_cast<double>(ev[i]) - shift -
                               excess_slope * (static_cast<double>(initial_ev[i]) - initial_mean));
  float* gain = white_balance.mutable_data_ptr<float>();
  for (int64_t k = 0; k < 2; ++k) {
    double tint = 0;
    for (const int64_t i : training) tint += std::log(std::max(1e-6, static_cast<double>(gain[2 * i + k]))) / static_cast<double>(training.size());
    if (std::abs(tint) < least_tint) continue;
    const auto undo = static_cast<float>(std::exp(-tint));
    for (const int64_t i : training) gain[2 * i + k] *= undo;
  }
  if (gauge == ExponentGauge::response_middle) {
    constexpr int64_t middle = (response_samples - 1) / 2;
    static_assert(response_samples % 2 == 1, "a sample lies at 0.5");
    response.select(2, middle).copy_(initial_response_.select(2, middle));
  }
}

}  // namespace ptl
