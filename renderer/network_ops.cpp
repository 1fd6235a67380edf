#include "renderer/network_ops.h"

#include <torch/torch.h>

#include <array>

#include "datasets/error.h"
#include "renderer/network_stop.h"

namespace ptl {
namespace {

thread_local const std::atomic<bool>* stop_of_thread = nullptr;

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

Tensor channels_last(const Tensor& x) {
  return x.contiguous(torch::MemoryFormat::ChannelsLast);
}

Tensor empty_channels_last(int64_t n, int64_t c, int64_t h, int64_t w) {
  return torch::empty({n, c, h, w}, torch::TensorOptions().memory_format(torch::MemoryFormat::ChannelsLast));
}

struct Sizes {
  ConvShape shape;
  std::vector<ConvInput> inputs;
};

/// inputs are channels-last and float32. The output's size follows from the first input.
Sizes describe(at::TensorList inputs, at::IntArrayRef resampling, const Tensor& weight, int64_t gate) {
  const bool gated = gate != 0;
  TORCH_CHECK(gate >= 0 && gate <= 2, "conv_block: gate must be 0 (none), 1 (linear) or 2 (elu), found ", gate);
  TORCH_CHECK(!inputs.empty() && inputs.size() == resampling.size(), "conv_block: one resampling for each input");
  TORCH_CHECK(weight.dim() == 4 && weight.size(2) == weight.size(3) && (weight.size(2) == 1 || weight.size(2) == 3),
              "conv_block: weight must be [O, C, 1, 1] or [O, C, 3, 3], found ", weight.sizes());
  TORCH_CHECK(!gated || weight.size(0) % 2 == 0, "conv_block: a gated block needs an even number of outputs");
  Sizes sizes;
  int64_t channels = 0;
  int64_t height = 0;
  int64_t width = 0;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Tensor& x = inputs[i];
    TORCH_CHECK(x.dim() == 4 && x.scalar_type() == torch::kFloat32 && x.is_cpu(),
                "conv_block: inputs must be float32 [N, C, H, W] on the CPU");
    const auto how = static_cast<Resampling>(resampling[i]);
    int64_t h = x.size(2);
    int64_t w = x.size(3);
    if (how == Resampling::upsample2) h *= 2, w *= 2;
    if (how == Resampling::pool2) {
      TORCH_CHECK(h % 2 == 0 && w % 2 == 0, "conv_block: pooling needs even sizes, found ", h, "x", w);
      h /= 2, w /= 2;
    }
    if (i == 0) height = h, width = w;
    TORCH_CHECK(h == height && w == width && x.size(0) == inputs[0].size(0), "conv_block: input ", i, " of size ",
                x.sizes(), " does not fit an output of ", height, "x", width);
    channels += x.size(1);
    sizes.inputs.push_back({x.const_data_ptr<float>(), static_cast<int>(x.size(1)), how});
  }
  TORCH_CHECK(channels == weight.size(1), "conv_block: ", channels, " input channels, the weight has ", weight.size(1));
  sizes.shape = {static_cast<int>(inputs[0].size(0)), static_cast<int>(height),         static_cast<int>(width),
                 static_cast<int>(weight.size(2)),    static_cast<int>(weight.size(0)), static_cast<Gate>(gate)};
  return sizes;
}

/// keep: also returns what the backward needs (undefined when not gated).
std::array<Tensor, 2> run_forward(at::TensorList inputs, at::IntArrayRef resampling, const Tensor& weight,
                                  const Tensor& bias, int64_t gate, bool keep) {
  const bool gated = gate != 0;
  const Sizes sizes = describe(inputs, resampling, weight, gate);
  const ConvShape& s = sizes.shape;
  TORCH_CHECK(bias.dim() == 1 && bias.size(0) == s.outputs, "conv_block: bias must be [", s.outputs, "]");
  Tensor result = empty_channels_last(s.batch, gated ? s.outputs / 2 : s.outputs, s.height, s.width);
  Tensor saved;
  if (gated && keep) saved = empty_channels_last(s.batch, s.outputs, s.height, s.width);
  conv_forward(s, sizes.inputs, weight.const_data_ptr<float>(), bias.const_data_ptr<float>(),
               result.mutable_data_ptr<float>(), saved.defined() ? saved.mutable_data_ptr<float>() : nullptr,
               best_simd_level(), stop_of_thread);
  return {result, saved};
}

class ConvBlock : public torch::autograd::Function<ConvBlock> {
 public:
  static Tensor forward(AutogradContext* context, at::TensorList inputs, const Tensor& weight, const Tensor& bias,
                        std::vector<int64_t> resampling, int64_t gate) {
    std::vector<Tensor> kept;
    for (const Tensor& x : inputs) kept.push_back(channels_last(x));
    const Tensor w = weight.contiguous();
    auto [result, saved] = run_forward(kept, resampling, w, bias.contiguous(), gate, true);
    kept.push_back(w);
    kept.push_back(saved);
    context->save_for_backward(kept);
    context->saved_data["resampling"] = std::move(resampling);
    context->saved_data["gate"] = gate;
    return result;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list kept = context->get_saved_variables();
    const std::vector<int64_t> resampling = context->saved_data["resampling"].toIntVector();
    const size_t count = resampling.size();
    const std::vector<Tensor> inputs(kept.begin(), kept.begin() + static_cast<std::ptrdiff_t>(count));
    const Tensor& weight = kept[count];
    const Tensor& saved = kept[count + 1];
    const Sizes sizes = describe(inputs, resampling, weight, context->saved_data["gate"].toInt());
    const Tensor gradient = channels_last(gradients[0]);

    variable_list result(count + 4);
    std::vector<float*> input_gradients(count, nullptr);
    for (size_t i = 0; i < count; ++i) {
      if (!context->needs_input_grad(i)) continue;
      const Tensor& x = inputs[i];
      result[i] = empty_channels_last(x.size(0), x.size(1), x.size(2), x.size(3));
      input_gradients[i] = result[i].mutable_data_ptr<float>();
    }
    if (context->needs_input_grad(count)) result[count] = torch::empty_like(weight);
    if (context->needs_input_grad(count + 1)) result[count + 1] = torch::empty({weight.size(0)});
    conv_backward(sizes.shape, sizes.inputs, weight.const_data_ptr<float>(), gradient.const_data_ptr<float>(),
                  saved.defined() ? saved.const_data_ptr<float>() : nullptr, input_gradients,
                  result[count].defined() ? result[count].mutable_data_ptr<float>() : nullptr,
                  result[count + 1].defined() ? result[count + 1].mutable_data_ptr<float>() : nullptr);
    return result;
  }
};

Tensor conv_block_op(at::TensorList inputs, at::IntArrayRef resampling, const Tensor& weight, const Tensor& bias,
                     int64_t gate) {
  bool differentiate = weight.requires_grad() || bias.requires_grad();
  for (const Tensor& x : inputs) differentiate = differentiate || x.requires_grad();
  if (differentiate && torch::GradMode::is_enabled()) {
    return ConvBlock::apply(inputs, weight, bias, resampling.vec(), gate);
  }
  std::vector<Tensor> ready;
  for (const Tensor& x : inputs) ready.push_back(channels_last(x));
  return run_forward(ready, resampling, weight.contiguous(), bias.contiguous(), gate, false)[0];
}

/// ×2 along one dimension: pixel 2i is 1/4 of i - 1 and 3/4 of i, pixel 2i + 1 is 3/4 of i and 1/4 of i + 1.
Tensor upsample2_along(const Tensor& x, int64_t dim) {
  const int64_t n = x.size(dim);
  const Tensor before = torch::cat({x.narrow(dim, 0, 1), x.narrow(dim, 0, n - 1)}, dim);
  const Tensor after = torch::cat({x.narrow(dim, 1, n - 1), x.narrow(dim, n - 1, 1)}, dim);
  const Tensor near = x * 0.75;
  std::vector<int64_t> sizes = x.sizes().vec();
  sizes[static_cast<size_t>(dim)] = 2 * n;
  return torch::stack({near + before * 0.25, near + after * 0.25}, dim + 1).reshape(sizes);
}

TORCH_LIBRARY_FRAGMENT(ptl, m) {
  m.def("conv_block(Tensor[] inputs, int[] resampling, Tensor weight, Tensor bias, int gate) -> Tensor",
        &conv_block_op);
}

}  // namespace

NetworkStop::NetworkStop(const std::atomic<bool>* stop) : before_(std::exchange(stop_of_thread, stop)) {}
NetworkStop::~NetworkStop() {
  stop_of_thread = before_;
}

Tensor upsample2_deterministic(const Tensor& x) {
  return upsample2_along(upsample2_along(x, 2), 3);
}

Tensor conv_block(const std::vector<BlockInput>& inputs, const Tensor& weight, const Tensor& bias, Gate gate) {
  std::vector<Tensor> tensors;
  std::vector<int64_t> resampling;
  for (const BlockInput& input : inputs) {
    tensors.push_back(input.tensor);
    resampling.push_back(static_cast<int64_t>(input.resampling));
  }
  return conv_block_op(tensors, resampling, weight, bias, static_cast<int64_t>(gate));
}

Tensor conv_block_libtorch(const std::vector<BlockInput>& inputs, const Tensor& weight, const Tensor& bias, Gate gate) {
  std::vector<Tensor> parts;
  for (const auto& [x, how] : inputs) {
    if (how == Resampling::upsample2) {
      parts.push_back(x.is_cuda() ? upsample2_deterministic(x)
                                  : at::upsample_bilinear2d(x, {2 * x.size(2), 2 * x.size(3)}, false));
    } else {
      parts.push_back(how == Resampling::pool2 ? at::avg_pool2d(x, 2) : x);
    }
  }
  const Tensor all = parts.size() == 1 ? parts[0] : torch::cat(parts, 1);
  const Tensor raw = at::conv2d(all, weight, bias, 1, weight.size(2) / 2);
  if (gate == Gate::none) return raw;
  const std::vector<Tensor> halves = raw.chunk(2, 1);
  return (gate == Gate::elu ? torch::elu(halves[0]) : halves[0]) * torch::sigmoid(halves[1]);
}

}  // namespace ptl
