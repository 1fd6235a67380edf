// The convolution against the formula written out in float64, and its own bits across threads and instruction sets.
#include "kernels/conv3x3.h"

#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "kernels/hash.h"

namespace ptl {
namespace {

struct Part {
  int channels;
  Resampling resampling;
};

struct Case {
  ConvShape shape;
  std::vector<Part> parts;
};

std::vector<float> random_floats(size_t count, uint64_t id) {
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i) values[i] = 2 * draw_unit(7, DrawPurpose::synthetic, id, i) - 1;
  return values;
}

size_t part_size(const ConvShape& s, const Part& p) {
  size_t pixels = static_cast<size_t>(s.batch) * s.height * s.width;
  if (p.resampling == Resampling::upsample2) pixels /= 4;
  if (p.resampling == Resampling::pool2) pixels *= 4;
  return pixels * p.channels;
}

struct Data {
  std::vector<std::vector<float>> parts;
  std::vector<float> weight, bias, gradient;
  std::vector<ConvInput> inputs;
  int channels = 0;
};

Data make_data(const Case& c) {
  Data d;
  for (const Part& p : c.parts) {
    d.parts.push_back(random_floats(part_size(c.shape, p), d.parts.size()));
    d.channels += p.channels;
  }
  for (size_t i = 0; i < c.parts.size(); ++i) {
    d.inputs.push_back({d.parts[i].data(), c.parts[i].channels, c.parts[i].resampling});
  }
  const ConvShape& s = c.shape;
  d.weight = random_floats(static_cast<size_t>(s.outputs) * d.channels * s.kernel * s.kernel, 10);
  d.bias = random_floats(static_cast<size_t>(s.outputs), 11);
  const int filters = s.gate != Gate::none ? s.outputs / 2 : s.outputs;
  d.gradient = random_floats(static_cast<size_t>(s.batch) * s.height * s.width * filters, 12);
  return d;
}

struct Result {
  std::vector<float> result, saved, weight_gradient, bias_gradient;
  std::vector<std::vector<float>> input_gradients;
};

Result compute(const Case& c, const Data& d, SimdLevel level, int threads) {
  const int before = omp_get_max_threads();
  omp_set_num_threads(threads);
  Result r;
  const ConvShape& s = c.shape;
  r.result.assign(d.gradient.size(), NAN);
  if ((s.gate != Gate::none)) r.saved.assign(d.gradient.size() * 2, NAN);
  float* saved = s.gate != Gate::none ? r.saved.data() : nullptr;
  conv_forward(s, d.inputs, d.weight.data(), d.bias.data(), r.result.data(), saved, level);
  std::vector<float*> pointers;
  for (const auto& p : d.parts) r.input_gradients.emplace_back(p.size(), NAN);
  for (auto& g : r.input_gradients) pointers.push_back(g.data());
  r.weight_gradient.assign(d.weight.size(), NAN);
  r.bias_gradient.assign(d.bias.size(), NAN);
  conv_backward(s, d.inputs, d.weight.data(), d.gradient.data(), saved, pointers, r.weight_gradient.data(),
                r.bias_gradient.data(), level);
  omp_set_num_threads(before);
  return r;
}

/// For each tap from a part's element to a channel of the concatenated image: visit(element of part, weight).
template <class Visit>
void resample(const ConvShape& s, const Part& p, int n, int y, int x, int c, Visit visit) {
  if (p.resampling == Resampling::none) {
    visit(((static_cast<size_t>(n) * s.height + y) * s.width + x) * p.channels + c, 1.0);
  } else if (p.resampling == Resampling::pool2) {
    for (int j = 0; j < 4; ++j) {
      const size_t row = static_cast<size_t>(n) * 2 * s.height + 2 * y + j / 2;
      visit((row * 2 * s.width + 2 * x + j % 2) * p.channels + c, 0.25);
    }
  } else {
    const int h = s.height / 2, w = s.width / 2;
    const double fy = (y + 0.5) / 2 - 0.5, fx = (x + 0.5) / 2 - 0.5;  // where the pixel's centre lies below
    const int y0 = static_cast<int>(std::floor(fy)), x0 = static_cast<int>(std::floor(fx));
    for (int j = 0; j < 4; ++j) {
      const int yy = y0 + j / 2, xx = x0 + j % 2;
      const double wy = j / 2 ? fy - y0 : 1 - (fy - y0), wx = j % 2 ? fx - x0 : 1 - (fx - x0);
      const int yc = std::min(std::max(yy, 0), h - 1), xc = std::min(std::max(xx, 0), w - 1);
      visit(((static_cast<size_t>(n) * h + yc) * w + xc) * p.channels + c, wy * wx);
    }
  }
}

struct Reference {
  std::vector<double> result, weight_gradient, bias_gradient;
  std::vector<std::vector<double>> input_gradients;
};

Reference reference(const Case& c, const Data& d) {
  const ConvShape& s = c.shape;
  const int C = d.channels, O = s.outputs, F = (s.gate != Gate::none) ? O / 2 : O, half = s.kernel / 2;
  const size_t pixels = static_cast<size_t>(s.batch) * s.height * s.width;
  std::vector<double> image(pixels * C, 0.0), image_gradient(pixels * C, 0.0);
  std::vector<double> raw(pixels * O), raw_gradient(pixels * O);
  const auto each_element = [&](auto use) {
    for (int n = 0; n < s.batch; ++n)
      for (int y = 0; y < s.height; ++y)
        for (int x = 0; x < s.width; ++x) {
          int at = 0;
          for (size_t i = 0; i < c.parts.size(); ++i)
            for (int k = 0; k < c.parts[i].channels; ++k, ++at) {
              const size_t pixel = (static_cast<size_t>(n) * s.height + y) * s.width + x;
              resample(s, c.parts[i], n, y, x, k, [&](size_t e, double w) { use(i, e, pixel * C + at, w); });
            }
        }
  };
  const auto each_product = [&](auto use) {  // raw element, image element, weight element
    for (size_t pixel = 0; pixel < pixels; ++pixel) {
      const int x = static_cast<int>(pixel % s.width), y = static_cast<int>(pixel / s.width % s.height);
      for (int ky = 0; ky < s.kernel; ++ky)
        for (int kx = 0; kx < s.kernel; ++kx) {
          const int yy = y + ky - half, xx = x + kx - half;
          if (yy < 0 || xx < 0 || yy >= s.height || xx >= s.width) continue;
          const size_t from = pixel + (yy - y) * static_cast<size_t>(s.width) + (xx - x);
          for (int o = 0; o < O; ++o)
            for (int k = 0; k < C; ++k) {
              use(pixel * O + o, from * C + k, ((static_cast<size_t>(o) * C + k) * s.kernel + ky) * s.kernel + kx);
            }
        }
    }
  };
  each_element([&](size_t i, size_t e, size_t at, double w) { image[at] += w * d.parts[i][e]; });
  for (size_t i = 0; i < raw.size(); ++i) raw[i] = d.bias[i % O];
  each_product([&](size_t r, size_t i, size_t w) { raw[r] += image[i] * d.weight[w]; });
  Reference ref;
  ref.result.resize(pixels * F);
  ref.bias_gradient.assign(O, 0.0);
  for (size_t p = 0; p < pixels; ++p)
    for (int f = 0; f < F; ++f) {
      const double v = raw[p * O + f], g = d.gradient[p * F + f];
      if (!(s.gate != Gate::none)) {
        ref.result[p * F + f] = v;
        raw_gradient[p * O + f] = g;
        continue;
      }
      const bool use_elu = s.gate == Gate::elu;
      const double elu = v > 0 || !use_elu ? v : std::expm1(v), sigmoid = 1 / (1 + std::exp(-raw[p * O + F + f]));
      ref.result[p * F + f] = elu * sigmoid;
      raw_gradient[p * O + f] = g * sigmoid * (v > 0 || !use_elu ? 1 : std::exp(v));
      raw_gradient[p * O + F + f] = g * elu * sigmoid * (1 - sigmoid);
    }
  ref.weight_gradient.assign(d.weight.size(), 0.0);
  for (size_t i = 0; i < raw.size(); ++i) ref.bias_gradient[i % O] += raw_gradient[i];
  each_product([&](size_t r, size_t i, size_t w) {
    ref.weight_gradient[w] += raw_gradient[r] * image[i];
    image_gradient[i] += raw_gradient[r] * d.weight[w];
  });
  for (const auto& p : d.parts) ref.input_gradients.emplace_back(p.size(), 0.0);
  each_element([&](size_t i, size_t e, size_t at, double w) { ref.input_gradients[i][e] += w * image_gradient[at]; });
  return ref;
}

void expect_near(const std::vector<float>& found, const std::vector<double>& expected, const char* what) {
  double largest = 1e-3, difference = 0;
  for (double e : expected) largest = std::max(largest, std::abs(e));
  for (size_t i = 0; i < expected.size(); ++i) {
    ASSERT_TRUE(std::isfinite(found[i])) << what << " " << i;
    difference = std::max(difference, std::abs(found[i] - expected[i]));
  }
  EXPECT_LT(difference / largest, 3e-6) << what;
}

void expect_same_bits(const std::vector<float>& a, const std::vector<float>& b, const char* what) {
  ASSERT_EQ(a.size(), b.size());
  if (a.empty()) return;  // memcmp must not be given the null pointer of an empty vector
  EXPECT_EQ(std::memcmp(a.data(), b.data(), a.size() * sizeof(float)), 0) << what;
}

void expect_same_bits(const Result& a, const Result& b) {
  expect_same_bits(a.result, b.result, "result");
  expect_same_bits(a.saved, b.saved, "saved");
  expect_same_bits(a.weight_gradient, b.weight_gradient, "weight");
  expect_same_bits(a.bias_gradient, b.bias_gradient, "bias");
  for (size_t i = 0; i < a.input_gradients.size(); ++i) {
    expect_same_bits(a.input_gradients[i], b.input_gradients[i], "input");
  }
}

constexpr Resampling same = Resampling::none;
constexpr Resampling up = Resampling::upsample2;
constexpr Resampling pool = Resampling::pool2;

const Case cases[] = {
    {{1, 1, 1, 3, 2, Gate::elu}, {{1, same}}},
    {{1, 1, 1, 1, 3, Gate::none}, {{5, same}}},
    {{1, 1, 7, 3, 1, Gate::none}, {{3, same}}},
    {{1, 9, 1, 3, 4, Gate::elu}, {{4, same}}},
    {{2, 5, 3, 3, 10, Gate::elu}, {{9, same}}},
    {{1, 2, 2, 3, 6, Gate::elu}, {{3, up}}},
    {{1, 1, 1, 3, 6, Gate::elu}, {{3, pool}}},
    {{2, 6, 10, 3, 32, Gate::elu}, {{16, up}, {5, up}, {5, same}}},
    {{1, 34, 26, 3, 48, Gate::elu}, {{16, pool}}},
    {{1, 7, 13, 3, 50, Gate::elu}, {{17, pool}, {4, pool}}},
    {{1, 8, 30, 3, 16, Gate::none}, {{24, up}, {8, up}}},
    {{2, 17, 19, 3, 66, Gate::elu}, {{16, same}, {8, same}, {7, same}}},
    {{1, 40, 33, 1, 3, Gate::none}, {{16, same}, {8, same}}},
    {{1, 3, 100, 3, 33, Gate::none}, {{33, same}}},
    {{2, 6, 14, 3, 34, Gate::linear}, {{5, up}, {3, up}}},
};

TEST(Conv3x3, AgreesWithTheFormulaInDoublePrecision) {
  for (const Case& c : cases) {
    SCOPED_TRACE(testing::Message() << c.shape.height << "x" << c.shape.width << " outputs " << c.shape.outputs);
    const Data d = make_data(c);
    const Reference expected = reference(c, d);
    for (int level = 0; level <= static_cast<int>(best_simd_level()); ++level) {
      const Result found = compute(c, d, static_cast<SimdLevel>(level), 2);
      expect_near(found.result, expected.result, "result");
      expect_near(found.weight_gradient, expected.weight_gradient, "weight gradient");
      expect_near(found.bias_gradient, expected.bias_gradient, "bias gradient");
      for (size_t i = 0; i < c.parts.size(); ++i) {
        expect_near(found.input_gradients[i], expected.input_gradients[i], "input gradient");
      }
    }
  }
}

TEST(Conv3x3, SameBitsForAnyNumberOfThreadsAndBothInstructionSets) {
  for (const Case& c : cases) {
    SCOPED_TRACE(testing::Message() << c.shape.height << "x" << c.shape.width << " outputs " << c.shape.outputs);
    const Data d = make_data(c);
    const Result one = compute(c, d, SimdLevel::avx2, 1);
    for (int threads : {2, 3, 7}) expect_same_bits(one, compute(c, d, SimdLevel::avx2, threads));
    if (best_simd_level() == SimdLevel::avx512) {
      for (int threads : {1, 2, 5}) expect_same_bits(one, compute(c, d, SimdLevel::avx512, threads));
    }
  }
}

TEST(Conv3x3, ExtremeValuesOfTheGate) {
  // 1×1, one input of 1, weight 0: the raw outputs are the biases.
  const float values[] = {-1e30f, -100.0f, -1e-4f, 0.0f, 1e-4f, 100.0f, 1e30f, NAN};
  for (float value : values) {
    for (float gate : values) {
      const float x = 1;
      const float weight[2] = {0, 0};
      const float bias[2] = {value, gate};
      const ConvInput input{&x, 1, Resampling::none};
      float result = 0;
      conv_forward({1, 1, 1, 1, 2, Gate::elu}, std::span(&input, 1), weight, bias, &result, nullptr);
      const double elu = value > 0 ? value : std::expm1(static_cast<double>(value));
      const double expected = elu / (1 + std::exp(-static_cast<double>(gate)));
      if (std::isnan(expected)) {
        EXPECT_TRUE(std::isnan(result)) << value << " " << gate;
      } else {
        EXPECT_NEAR(result, expected, 1e-6 * std::abs(expected) + 2e-7 + 1e-37 * std::abs(elu)) << value << " " << gate;
      }
    }
  }
}

TEST(Conv3x3, GradientsThatAreNotWantedAreNotWritten) {
  const Case c = {{1, 4, 6, 3, 8, Gate::elu}, {{3, up}, {4, same}}};
  const Data d = make_data(c);
  const Result all = compute(c, d, best_simd_level(), 2);
  std::vector<float> second(d.parts[1].size());
  float* const pointers[] = {nullptr, second.data()};
  conv_backward(c.shape, d.inputs, d.weight.data(), d.gradient.data(), all.saved.data(), pointers, nullptr, nullptr);
  expect_same_bits(second, all.input_gradients[1], "input");
}

}  // namespace
}  // namespace ptl
