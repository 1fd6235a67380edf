#include "bench/patchmatch.h"

#include <immintrin.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "datasets/error.h"
#include "kernels/hash.h"

namespace ptl {

namespace {

constexpr int lanes = 8;                ///< pixels of one colour and row that are worked on at once
constexpr float noise_variance = 3.0f;  ///< as the plane sweep's
constexpr float no_cost = 4.0f;         ///< of what cannot be compared; correlations give 0 to 2
constexpr int most_radius = 4, most_samples = (2 * most_radius + 1) * (2 * most_radius + 1);
constexpr int most_sources = 8, most_better = 4;

__m256 all(float value) {
  return _mm256_set1_ps(value);
}
__m256 choose(__m256 which, __m256 yes, __m256 no) {
  return _mm256_blendv_ps(no, yes, which);
}
__m256 absolute(__m256 value) {
  return _mm256_andnot_ps(all(-0.0f), value);
}
__m256 below(__m256 a, __m256 b) {
  return _mm256_cmp_ps(a, b, _CMP_LT_OQ);
}

/// Eight pixels' planes.
struct Planes {
  __m256 w, slant_x, slant_y;
};

/// Values of pixels in two boards, one a colour, so that every second pixel of a row lies beside the next. Cell i of
/// colour c in row y is pixel x = 2 i + ((y + c) & 1). Around it a margin, so that neighbours need no test.
struct Board {
  static constexpr int margin_rows = 24, margin_cells = 16;
  int stride, rows;
  std::vector<float> values;

  Board(const StereoCamera& camera, float value)
      : stride((camera.width_px + 1) / 2 + 2 * margin_cells + lanes), rows(camera.height_px + 2 * margin_rows) {
    values.assign(2 * static_cast<size_t>(stride) * static_cast<size_t>(rows), value);
  }
  static int first_x(int color, int y) { return (y + color) & 1; }
  size_t first_cell(int color, int y) const {
    return (static_cast<size_t>(color) * static_cast<size_t>(rows) + static_cast<size_t>(y + margin_rows)) *
               static_cast<size_t>(stride) +
           margin_cells;
  }
  float* row(int color, int y) { return values.data() + first_cell(color, y); }
  const float* row(int color, int y) const { return values.data() + first_cell(color, y); }
  float& pixel(int x, int y) { return row((x + y) & 1, y)[x >> 1]; }
};

/// The reference's windows around eight pixels: weights that add up to one, and these times the centred luminance over
/// its deviation, so that  Σ product · other / deviation(other)  is the correlation.
struct Window {
  alignas(32) float weight[most_samples * lanes];
  alignas(32) float product[most_samples * lanes];
  __m256 usable;  ///< lanes with a window
};

/// Where a region's pixels lie, from the pixel that asks: V shapes beside it, lines farther away, in four directions.
/// All have the other colour.
using Region = std::vector<std::pair<int, int>>;
std::vector<Region> regions() {
  std::vector<Region> all_regions;
  for (const auto& [ux, uy] : std::array<std::pair<int, int>, 4>{{{0, -1}, {0, 1}, {-1, 0}, {1, 0}}}) {
    const int vx = uy, vy = ux;  // across
    Region near{{ux, uy}}, far;
    for (int k = 1; k <= 3; ++k) {
      near.emplace_back((k + 1) * ux + k * vx, (k + 1) * uy + k * vy);
      near.emplace_back((k + 1) * ux - k * vx, (k + 1) * uy - k * vy);
    }
    for (int k = 3; k <= 23; k += 2) far.emplace_back(k * ux, k * uy);
    all_regions.push_back(near);
    all_regions.push_back(far);
  }
  return all_regions;
}

struct Source {
  float base[3][3], shift[3];  ///< rows of source_map
  const uint32_t* quads;
  float width, height;
  int stride;
  const float* inverse_depth;  ///< or nothing
  float per_step;
};

class Matcher {
 public:
  Matcher(const PatchView& reference, const std::vector<PatchSource>& sources, const InversePlanes& range,
          uint64_t image, const PatchMatchOptions& options);
  PlaneField run(const std::vector<SeedDepth>& seeds, const PlaneField* start);

 private:
  struct Best {
    Planes planes;
    __m256 cost;
  };
  template <int radius>
  void sweep(int color, int round);
  template <int radius>
  void start_from(const std::vector<PlaneField>& fields, int random_planes);
  template <int radius, class Body>
  void for_each_group(int color, const Body& body);
  template <int radius>
  PlaneField run_with(const std::vector<SeedDepth>& seeds, const PlaneField* start);

  void fill_window(int x, int y, int radius, Window& window) const;
  template <int radius>
  __m256 source_cost(const Source& source, const Window& window, __m256 x_px, float y_px, const Planes& planes) const;
  template <int radius>
  __m256 cost(const Window& window, int x, int y, const Planes& planes) const;
  template <int radius>
  void offer(const Window& window, int x, int y, const Planes& planes, Best& best) const {
    const __m256 value = cost<radius>(window, x, y, planes);
    const __m256 better = below(value, best.cost);
    best.planes = {choose(better, planes.w, best.planes.w), choose(better, planes.slant_x, best.planes.slant_x),
                   choose(better, planes.slant_y, best.planes.slant_y)};
    best.cost = choose(better, value, best.cost);
  }
  void draw(int x, int y, int round, int which, __m256 (&values)[3]) const;
  Planes random_planes(int x, int y, const __m256 (&draws)[3]) const;

  const StereoCamera& camera_;
  PatchMatchOptions options_;
  InversePlanes range_;
  uint64_t image_;
  float least_w_, most_w_, focal_;
  std::vector<Source> sources_;
  std::vector<Region> regions_ = regions();
  Board luminance_, w_, slant_x_, slant_y_, cost_;
  std::array<float, 256> similarity_{};          ///< of a difference of luminance
  std::array<float, most_samples> closeness_{};  ///< of a sample's place
};

Matcher::Matcher(const PatchView& reference, const std::vector<PatchSource>& sources, const InversePlanes& range,
                 uint64_t image, const PatchMatchOptions& options)
    : camera_(reference.view.camera),
      options_(options),
      range_(range),
      image_(image),
      least_w_(static_cast<float>(range.first) * 0.5f),
      most_w_(static_cast<float>(range.at(range.count - 1)) * 1.05f),
      focal_(static_cast<float>(camera_.focal_x_px)),
      luminance_(camera_, -1.0f),
      w_(camera_, 0.0f),
      slant_x_(camera_, 0.0f),
      slant_y_(camera_, 0.0f),
      cost_(camera_, no_cost) {
  for (int y = 0; y < camera_.height_px; ++y)
    for (int x = 0; x < camera_.width_px; ++x)
      if (const size_t at = camera_.index(x, y); reference.view.valid[at])
        luminance_.pixel(x, y) = reference.view.luminance[at];
  for (const PatchSource& from : sources) {
    if (sources_.size() == most_sources) break;
    Source& source = sources_.emplace_back();
    const StereoCamera& c = from.view->view.camera;
    const SourceMap map = source_map(camera_, c);
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

void Matcher::fill_window(int x, int y, int radius, Window& window) const {
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

/// One minus the correlation in one source; no_cost where it cannot be had. The map around the pixel is linearised, and
/// the window walks through the source in fixed point (16 bits of fraction); weights of the interpolation have 6 bits.
template <int radius>
__m256 Matcher::source_cost(const Source& source, const Window& window, __m256 x_px, float y_px,
                            const Planes& planes) const {
  const auto row_of = [&](int i) {
    const __m256 rest = all(source.base[i][1] * y_px + source.base[i][2]);
    return _mm256_fmadd_ps(all(source.shift[i]), planes.w, _mm256_fmadd_ps(all(source.base[i][0]), x_px, rest));
  };
  const __m256 z = row_of(2), inverse = _mm256_div_ps(all(1.0f), z);
  const __m256 u = _mm256_mul_ps(row_of(0), inverse), v = _mm256_mul_ps(row_of(1), inverse);
  const auto derivative = [&](int i, int axis, __m256 value) {
    const __m256 slant = axis == 0 ? planes.slant_x : planes.slant_y;
    const __m256 dz = _mm256_fmadd_ps(all(source.shift[2]), slant, all(source.base[2][axis]));
    const __m256 di = _mm256_fmadd_ps(all(source.shift[i]), slant, all(source.base[i][axis]));
    return _mm256_mul_ps(_mm256_fnmadd_ps(value, dz, di), inverse);
  };
  const __m256 du_x = derivative(0, 0, u), du_y = derivative(0, 1, u), dv_x = derivative(1, 0, v),
               dv_y = derivative(1, 1, v);
  const float reach = static_cast<float>(radius * options_.spacing);
  const __m256 reach_u = _mm256_fmadd_ps(all(reach), _mm256_add_ps(absolute(du_x), absolute(du_y)), all(1.5f));
  const __m256 reach_v = _mm256_fmadd_ps(all(reach), _mm256_add_ps(absolute(dv_x), absolute(dv_y)), all(1.5f));
  __m256 known = _mm256_and_ps(below(_mm256_setzero_ps(), z), below(reach_u, u));
  known = _mm256_and_ps(known, below(reach_v, v));
  known = _mm256_and_ps(known, below(_mm256_add_ps(u, reach_u), all(source.width)));
  known = _mm256_and_ps(known, below(_mm256_add_ps(v, reach_v), all(source.height)));
  known = _mm256_and_ps(known, below(_mm256_max_ps(reach_u, reach_v), all(4.0f * reach + 1.5f)));
  if (_mm256_movemask_ps(known) == 0) return all(no_cost);

  const auto fixed = [&](__m256 value, float shift) {  // lanes that are not known stay within the photo
    const __m256 safe = choose(known, _mm256_sub_ps(value, all(shift)), _mm256_setzero_ps());
    return _mm256_cvtps_epi32(_mm256_mul_ps(safe, all(65536.0f)));
  };
  const auto step = [&](__m256 value) {
    return fixed(_mm256_mul_ps(value, all(static_cast<float>(options_.spacing))), 0.0f);
  };
  const __m256i step_ux = step(du_x), step_uy = step(du_y), step_vx = step(dv_x), step_vy = step(dv_y);
  __m256i row_u = fixed(u, 0.5f), row_v = fixed(v, 0.5f);
  for (int k = 0; k < radius; ++k) {
    row_u = _mm256_sub_epi32(row_u, _mm256_add_epi32(step_ux, step_uy));
    row_v = _mm256_sub_epi32(row_v, _mm256_add_epi32(step_vx, step_vy));
  }
  const __m256i stride = _mm256_set1_epi32(source.stride << 16 | 1),
                high = _mm256_set1_epi32(static_cast<int>(0xffff0000u));
  const __m256i fraction = _mm256_set1_epi32(63), one = _mm256_set1_epi32(64), ones = _mm256_set1_epi32(0x00400040);
  __m256 sum = _mm256_setzero_ps(), square = sum, product = sum;
  __m256i middle = one;
  const float *weight = window.weight, *own = window.product;
  for (int dy = 0; dy <= 2 * radius; ++dy) {
    __m256i at_u = row_u, at_v = row_v;
    for (int dx = 0; dx <= 2 * radius; ++dx, weight += lanes, own += lanes) {
      // v · stride + u from their whole parts, which have 16 bits each.
      const __m256i place =
          _mm256_madd_epi16(_mm256_or_si256(_mm256_and_si256(at_v, high), _mm256_srli_epi32(at_u, 16)), stride);
      const __m256i quad = _mm256_i32gather_epi32(reinterpret_cast<const int*>(source.quads), place, 4);
      if (dx == radius && dy == radius) middle = quad;
      const __m256i a = _mm256_and_si256(_mm256_srli_epi32(at_u, 10), fraction);
      const __m256i b = _mm256_and_si256(_mm256_srli_epi32(at_v, 10), fraction);
      // Bytes (64 − a, a, 64 − a, a), then halves (64 − b, b).
      __m256i across = _mm256_sub_epi32(_mm256_slli_epi32(a, 8), a);
      across = _mm256_add_epi32(_mm256_or_si256(across, _mm256_slli_epi32(across, 16)), ones);
      const __m256i down = _mm256_add_epi32(_mm256_sub_epi32(_mm256_slli_epi32(b, 16), b), one);
      const __m256i mixed = _mm256_madd_epi16(_mm256_maddubs_epi16(quad, across), down);
      const __m256 value = _mm256_fmadd_ps(_mm256_cvtepi32_ps(mixed), all(1.0f / 4096.0f), all(-128.0f));
      const __m256 weighted = _mm256_mul_ps(_mm256_load_ps(weight), value);
      sum = _mm256_add_ps(sum, weighted);
      square = _mm256_fmadd_ps(weighted, value, square);
      product = _mm256_fmadd_ps(_mm256_load_ps(own), value, product);
      at_u = _mm256_add_epi32(at_u, step_ux);
      at_v = _mm256_add_epi32(at_v, step_vx);
    }
    row_u = _mm256_add_epi32(row_u, step_uy);
    row_v = _mm256_add_epi32(row_v, step_vy);
  }
  const __m256 variance =
      _mm256_add_ps(_mm256_max_ps(_mm256_fnmadd_ps(sum, sum, square), _mm256_setzero_ps()), all(noise_variance));
  __m256 result = _mm256_sub_ps(all(1.0f), _mm256_div_ps(product, _mm256_sqrt_ps(variance)));
  if (source.inverse_depth) {
    const __m256i place =
        _mm256_add_epi32(_mm256_mullo_epi32(_mm256_cvttps_epi32(choose(known, v, _mm256_setzero_ps())),
                                            _mm256_set1_epi32(source.stride)),
                         _mm256_cvttps_epi32(choose(known, u, _mm256_setzero_ps())));
    const __m256 found = _mm256_i32gather_ps(source.inverse_depth, place, 4);
    const __m256 difference = absolute(_mm256_fnmadd_ps(planes.w, inverse, found));
    const __m256 error = _mm256_min_ps(_mm256_mul_ps(difference, all(source.per_step)), all(options_.geometric_cap_px));
    const __m256 judged = choose(below(_mm256_setzero_ps(), found), error, all(options_.geometric_cap_px));
    result = _mm256_fmadd_ps(judged, all(options_.geometric_weight), result);
  }
  const __m256 valid = _mm256_castsi256_ps(_mm256_cmpeq_epi32(middle, _mm256_setzero_si256()));
  return choose(_mm256_andnot_ps(valid, known), result, all(no_cost));
}

/// Mean over the better sources. Lanes without a window and planes out of range: no_cost.
template <int radius>
__m256 Matcher::cost(const Window& window, int x, int y, const Planes& planes) const {
  const __m256 x_px = _mm256_add_ps(all(static_cast<float>(x) + 0.5f), _mm256_setr_ps(0, 2, 4, 6, 8, 10, 12, 14));
  __m256 best[most_better] = {all(no_cost), all(no_cost), all(no_cost), all(no_cost)}, known = _mm256_setzero_ps();
  for (const Source& source : sources_) {
    __m256 value = source_cost<radius>(source, window, x_px, static_cast<float>(y) + 0.5f, planes);
    known = _mm256_add_ps(known, _mm256_and_ps(below(value, all(no_cost)), all(1.0f)));
    for (__m256& place : best) {
      const __m256 smaller = _mm256_min_ps(place, value);
      value = _mm256_max_ps(place, value);
      place = smaller;
    }
  }
  __m256 wanted;
  if (options_.better > 0)
    wanted = _mm256_min_ps(known, all(static_cast<float>(options_.better)));
  else
    wanted = _mm256_min_ps(_mm256_floor_ps(_mm256_mul_ps(_mm256_add_ps(known, all(1.0f)), all(0.5f))), all(3.0f));
  __m256 sum = _mm256_setzero_ps();
  for (int k = 0; k < most_better; ++k)
    sum = _mm256_add_ps(sum, _mm256_and_ps(below(all(static_cast<float>(k)), wanted), best[k]));
  const __m256 mean = _mm256_div_ps(sum, _mm256_max_ps(wanted, all(1.0f)));
  __m256 sound = _mm256_and_ps(window.usable, below(_mm256_setzero_ps(), wanted));
  sound = _mm256_and_ps(sound, _mm256_and_ps(below(all(least_w_), planes.w), below(planes.w, all(most_w_))));
  return choose(sound, mean, all(no_cost));
}

void Matcher::draw(int x, int y, int round, int which, __m256 (&values)[3]) const {
  const uint64_t prefix = draw_prefix(options_.seed, DrawPurpose::densify, image_, static_cast<uint64_t>(y),
                                      static_cast<uint64_t>(round) << 8 | static_cast<uint64_t>(which));
  alignas(32) int32_t parts[3][lanes];
  for (int lane = 0; lane < lanes; ++lane) {
    const uint64_t bits = mix64(prefix ^ static_cast<uint64_t>(x + 2 * lane));
    for (int k = 0; k < 3; ++k) parts[k][lane] = static_cast<int32_t>(bits >> (1 + 21 * k) & 0x1fffff);
  }
  for (int k = 0; k < 3; ++k)  // −1 … 1
    values[k] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(_mm256_load_si256(reinterpret_cast<const __m256i*>(parts[k]))),
                                all(1.0f / 1048576.0f), all(-1.0f));
}

/// Uniform in inverse depth; slopes around that of a plane across the line of sight, small ones more often.
Planes Matcher::random_planes(int x, int y, const __m256 (&draws)[3]) const {
  Planes planes;
  const float half = 0.5f * static_cast<float>(range_.step * (range_.count - 1));
  planes.w = _mm256_fmadd_ps(draws[0], all(half), all(static_cast<float>(range_.first) + half));
  const __m256 x_px = _mm256_add_ps(all(static_cast<float>(x) + 0.5f), _mm256_setr_ps(0, 2, 4, 6, 8, 10, 12, 14));
  const __m256 ray_x =
      _mm256_mul_ps(_mm256_sub_ps(x_px, all(static_cast<float>(camera_.centre_x_px))), all(1 / focal_));
  const __m256 ray_y = all((static_cast<float>(y) + 0.5f - static_cast<float>(camera_.centre_y_px)) / focal_);
  const __m256 square = _mm256_fmadd_ps(ray_x, ray_x, _mm256_fmadd_ps(ray_y, ray_y, all(1.0f)));
  const __m256 scale = _mm256_mul_ps(planes.w, all(1 / focal_));
  const auto slope = [&](__m256 ray, __m256 number) {
    const __m256 away = _mm256_mul_ps(_mm256_mul_ps(number, absolute(number)), all(2.0f));
    return _mm256_mul_ps(scale, _mm256_add_ps(_mm256_div_ps(ray, square), away));
  };
  planes.slant_x = slope(ray_x, draws[1]);
  planes.slant_y = slope(ray_y, draws[2]);
  return planes;
}

/// body(x, y, i, window): x is the first of the eight pixels, i its cell.
template <int radius, class Body>
void Matcher::for_each_group(int color, const Body& body) {
#pragma omp parallel for schedule(dynamic, 4)
  for (int y = 0; y < camera_.height_px; ++y) {
    Window window;
    const int first = Board::first_x(color, y);
    for (int x = first; x < camera_.width_px; x += 2 * lanes) {
      fill_window(x, y, radius, window);
      if (_mm256_movemask_ps(window.usable) != 0) body(x, y, x >> 1, window);
    }
  }
}

template <int radius>
void Matcher::start_from(const std::vector<PlaneField>& fields, int random_number) {
  for (int color = 0; color < 2; ++color)
    for_each_group<radius>(color, [&](int x, int y, int i, const Window& window) {
      Best best{{_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps()}, all(no_cost)};
      for (const PlaneField& field : fields) {
        alignas(32) float parts[3][lanes] = {};
        for (int lane = 0; lane < lanes && x + 2 * lane < camera_.width_px; ++lane) {
          const size_t at = camera_.index(x + 2 * lane, y);
          parts[0][lane] = field.inverse_depth[at];
          parts[1][lane] = field.slant_x[at], parts[2][lane] = field.slant_y[at];
        }
        offer<radius>(window, x, y, {_mm256_load_ps(parts[0]), _mm256_load_ps(parts[1]), _mm256_load_ps(parts[2])},
                      best);
      }
      for (int k = 0; k < random_number; ++k) {
        __m256 draws[3];
        draw(x, y, 0, k, draws);
        offer<radius>(window, x, y, random_planes(x, y, draws), best);
      }
      _mm256_storeu_ps(w_.row(color, y) + i, best.planes.w);
      _mm256_storeu_ps(slant_x_.row(color, y) + i, best.planes.slant_x);
      _mm256_storeu_ps(slant_y_.row(color, y) + i, best.planes.slant_y);
      _mm256_storeu_ps(cost_.row(color, y) + i, best.cost);
    });
}

template <int radius>
void Matcher::sweep(int color, int round) {
  for_each_group<radius>(color, [&](int x, int y, int i, const Window& window) {
    float *w_at = w_.row(color, y) + i, *x_at = slant_x_.row(color, y) + i, *y_at = slant_y_.row(color, y) + i;
    Best best{{_mm256_loadu_ps(w_at), _mm256_loadu_ps(x_at), _mm256_loadu_ps(y_at)},
              _mm256_loadu_ps(cost_.row(color, y) + i)};
    for (const Region& region : regions_) {
      Planes found{_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps()};
      __m256 least = all(no_cost);
      for (const auto& [dx, dy] : region) {
        const int cell = (x + dx) >> 1, other = 1 - color;
        const __m256 value = _mm256_loadu_ps(cost_.row(other, y + dy) + cell);
        const __m256 better = below(value, least);
        const __m256 slant_x = _mm256_loadu_ps(slant_x_.row(other, y + dy) + cell);
        const __m256 slant_y = _mm256_loadu_ps(slant_y_.row(other, y + dy) + cell);
        __m256 w = _mm256_loadu_ps(w_.row(other, y + dy) + cell);
        w = _mm256_fmadd_ps(slant_x, all(static_cast<float>(-dx)),
                            _mm256_fmadd_ps(slant_y, all(static_cast<float>(-dy)), w));
        least = choose(better, value, least);
        found = {choose(better, w, found.w), choose(better, slant_x, found.slant_x),
                 choose(better, slant_y, found.slant_y)};
      }
      offer<radius>(window, x, y, found, best);
    }
    __m256 draws[3];
    int which = 0;
    if (round < options_.random_rounds) {
      draw(x, y, round + 1, which++, draws);
      offer<radius>(window, x, y, random_planes(x, y, draws), best);
    }
    for (int k = 0; k < options_.refinements; ++k) {
      const float shrunk = std::ldexp(1.0f, -(round * options_.refinements + k));
      const float depth_change = options_.depth_change_px * static_cast<float>(range_.step) * shrunk;
      const float slant_change = options_.slant_change * shrunk / focal_;
      for (int what = 0; what < 3; ++what) {  // depth, slant, both
        draw(x, y, round + 1, which++, draws);
        const Planes& now = best.planes;
        const __m256 w = what == 1 ? now.w : _mm256_fmadd_ps(draws[0], all(depth_change), now.w);
        // The slope g/w stays as it is, or changes.
        const __m256 scale = _mm256_div_ps(w, _mm256_max_ps(now.w, all(1e-30f)));
        const __m256 change = what == 0 ? _mm256_setzero_ps() : _mm256_mul_ps(w, all(slant_change));
        offer<radius>(window, x, y,
                      {w, _mm256_fmadd_ps(draws[1], change, _mm256_mul_ps(now.slant_x, scale)),
                       _mm256_fmadd_ps(draws[2], change, _mm256_mul_ps(now.slant_y, scale))},
                      best);
      }
    }
    _mm256_storeu_ps(w_at, best.planes.w);
    _mm256_storeu_ps(x_at, best.planes.slant_x);
    _mm256_storeu_ps(y_at, best.planes.slant_y);
    _mm256_storeu_ps(cost_.row(color, y) + i, best.cost);
  });
}

template <int radius>
PlaneField Matcher::run_with(const std::vector<SeedDepth>& seeds, const PlaneField* start) {
  if (start)
    start_from<radius>({*start}, 0);
  else
    start_from<radius>(planes_of_seeds(camera_, seeds), options_.random_starts);
  for (int round = 0; round < options_.iterations; ++round)
    for (int color = 0; color < 2; ++color) sweep<radius>(color, round);
  if (options_.geometric_weight > 0 && !sources_.empty() && sources_.front().inverse_depth) {
    // What is handed on is the photos' cost alone.
    for (Source& source : sources_) source.inverse_depth = nullptr;
    for (int color = 0; color < 2; ++color)
      for_each_group<radius>(color, [&](int x, int y, int i, const Window& window) {
        const Planes planes{_mm256_loadu_ps(w_.row(color, y) + i), _mm256_loadu_ps(slant_x_.row(color, y) + i),
                            _mm256_loadu_ps(slant_y_.row(color, y) + i)};
        _mm256_storeu_ps(cost_.row(color, y) + i, cost<radius>(window, x, y, planes));
      });
  }
  PlaneField field;
  for (auto* values : {&field.inverse_depth, &field.slant_x, &field.slant_y, &field.cost})
    values->assign(camera_.pixel_count(), 0.0f);
  for (int y = 0; y < camera_.height_px; ++y)
    for (int x = 0; x < camera_.width_px; ++x) {
      const size_t at = camera_.index(x, y);
      field.cost[at] = cost_.pixel(x, y);
      if (!(field.cost[at] < no_cost)) continue;
      field.inverse_depth[at] = w_.pixel(x, y);
      field.slant_x[at] = slant_x_.pixel(x, y), field.slant_y[at] = slant_y_.pixel(x, y);
    }
  return field;
}

PlaneField Matcher::run(const std::vector<SeedDepth>& seeds, const PlaneField* start) {
  switch (options_.radius) {
    case 1:
      return run_with<1>(seeds, start);
    case 2:
      return run_with<2>(seeds, start);
    case 3:
      return run_with<3>(seeds, start);
    case 4:
      return run_with<4>(seeds, start);
    default:
      throw InputError("--radius: expected 1 to {}, found {}", most_radius, options_.radius);
  }
}

}  // namespace

PatchView::PatchView(StereoView stereo_view) : view(std::move(stereo_view)) {
  const int width = view.camera.width_px, height = view.camera.height_px;
  quads.assign(view.camera.pixel_count(), 0);
  const auto byte = [&](size_t at) {
    return static_cast<uint32_t>(std::clamp(view.luminance[at] + 0.5f, 1.0f, 255.0f));
  };
  for (int y = 0; y + 1 < height; ++y)
    for (int x = 0; x + 1 < width; ++x) {
      const size_t at = view.camera.index(x, y), under = at + static_cast<size_t>(width);
      if (view.valid[at] && view.valid[at + 1] && view.valid[under] && view.valid[under + 1])
        quads[at] = byte(at) | byte(at + 1) << 8 | byte(under) << 16 | byte(under + 1) << 24;
    }
}

PlaneField match_patches(const PatchView& reference, const std::vector<PatchSource>& sources,
                         const InversePlanes& range, uint64_t image, const std::vector<SeedDepth>& seeds,
                         const PlaneField* start, const PatchMatchOptions& options) {
  if (options.spacing < 1 || options.radius * options.spacing > Board::margin_rows)
    throw InputError("--spacing: expected 1 to {}, found {}", Board::margin_rows / std::max(options.radius, 1),
                     options.spacing);
  if (reference.view.camera.width_px > 32767 || reference.view.camera.height_px > 32767)
    throw InputError("a photo of more than 32767 px; expected a smaller --side");
  return Matcher(reference, sources, range, image, options).run(seeds, start);
}

}  // namespace ptl
