#include "bench/patchmatch_cost.h"

namespace ptl::patches {

PatchCost::PatchCost(const PatchView& reference, const std::vector<PatchSource>& sources,
                     const PatchMatchOptions& options, float least_w, float most_w)
    : options_(options), least_w_(least_w), most_w_(most_w), luminance_(reference.view.camera, -1.0f) {
  const StereoCamera& camera = reference.view.camera;
  for (int y = 0; y < camera.height_px; ++y)
    for (int x = 0; x < camera.width_px; ++x)
      if (const size_t at = camera.index(x, y); reference.view.valid[at])
        luminance_.pixel(x, y) = reference.view.luminance[at];
  for (const PatchSource& from : sources) {
    if (sources_.size() == most_sources) break;
    Source& source = sources_.emplace_back();
    const StereoCamera& c = from.view->view.camera;
    const SourceMap map = source_map(camera, c);
    for (int row = 0; row < 3; ++row) {
      for (int column = 0; column < 3; ++column) source.base[row][column] = static_cast<float>(map.base[column][row]);
      source.shift[row] = static_cast<float>(map.shift[row]);
    }
    source.quads = from.view->quads.data();
    source.width = static_cast<float>(c.width_px), source.height = static_cast<float>(c.height_px);
    source.stride = c.width_px;
    source.inverse_depth = from.planes ? from.planes->inverse_depth.data() : nullptr;
    source.per_step = from.planes ? static_cast<float>(1 / from.step) : 0.0f;
  }
  const float reach = static_cast<float>(options.radius);
  for (int difference = 0; difference < 256; ++difference)
    similarity_[static_cast<size_t>(difference)] =
        options.color_sigma > 0 ? std::exp(-static_cast<float>(difference) / options.color_sigma) : 1.0f;
  size_t k = 0;
  for (int dy = -options.radius; dy <= options.radius; ++dy)
    for (int dx = -options.radius; dx <= options.radius; ++dx)
      closeness_[k++] = options.color_sigma > 0
                            ? std::exp(-std::hypot(static_cast<float>(dx), static_cast<float>(dy)) / (2 * reach))
                            : 1.0f;
}

void PatchCost::fill_window(int x, int y, int radius, Window& window) const {
  const __m256 zero = _mm256_setzero_ps(), centre = _mm256_loadu_ps(luminance_.row((x + y) & 1, y) + (x >> 1));
  const bool bilateral = options_.color_sigma > 0;
  __m256 weights = zero, sum = zero, known = zero;
  int k = 0;
  for (int dy = -radius; dy <= radius; ++dy)
    for (int dx = -radius; dx <= radius; ++dx, ++k) {
      const int sx = x + dx * options_.spacing, sy = y + dy * options_.spacing;
      const __m256 value = _mm256_loadu_ps(luminance_.row((sx + sy) & 1, sy) + (sx >> 1));
      const __m256 valid = _mm256_cmp_ps(value, zero, _CMP_GE_OQ);
      __m256 weight = all(1.0f);
      if (bilateral) {
        const __m256i difference = _mm256_cvtps_epi32(absolute(_mm256_sub_ps(value, centre)));
        weight = _mm256_i32gather_ps(similarity_.data(), _mm256_min_epi32(difference, _mm256_set1_epi32(255)), 4);
        weight = _mm256_mul_ps(weight, all(closeness_[static_cast<size_t>(k)]));
      }
      weight = _mm256_and_ps(weight, valid);
      known = _mm256_add_ps(known, _mm256_and_ps(all(1.0f), valid));
      weights = _mm256_add_ps(weights, weight);
      sum = _mm256_fmadd_ps(weight, value, sum);
      _mm256_store_ps(window.weight + k * lanes, weight);
      _mm256_store_ps(window.product + k * lanes, value);
    }
  const __m256 scale = _mm256_div_ps(all(1.0f), _mm256_max_ps(weights, all(1e-6f))), mean = _mm256_mul_ps(sum, scale);
  __m256 variance = all(noise_variance);
  for (int s = 0; s < k; ++s) {
    const __m256 weight = _mm256_mul_ps(_mm256_load_ps(window.weight + s * lanes), scale);
    const __m256 centred = _mm256_sub_ps(_mm256_load_ps(window.product + s * lanes), mean);
    const __m256 product = _mm256_mul_ps(weight, centred);
    variance = _mm256_fmadd_ps(product, centred, variance);
    _mm256_store_ps(window.weight + s * lanes, weight);
    _mm256_store_ps(window.product + s * lanes, product);
  }
  const __m256 inverse = _mm256_div_ps(all(1.0f), _mm256_sqrt_ps(variance));
  for (int s = 0; s < k; ++s)
    _mm256_store_ps(window.product + s * lanes, _mm256_mul_ps(_mm256_load_ps(window.product + s * lanes), inverse));
  window.usable = _mm256_and_ps(_mm256_cmp_ps(centre, zero, _CMP_GE_OQ),
                                _mm256_cmp_ps(known, all(static_cast<float>(k) * 0.5f), _CMP_GE_OQ));
}

}  // namespace ptl::patches
