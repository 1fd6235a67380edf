// The sweep by rows, whose inner loops are vector code.
#include "dense/plane_sweep.h"

#include <immintrin.h>

#include <deque>
#include <vector>

#include "dense/plane_sweep_pixels.h"

namespace ptl {

namespace {

constexpr int radius = match_radius_px, side = match_side_px;
constexpr int strip_rows = 16;

/// out[x] = mean of 5 × 5 of `rows` (pointers to 5 rows) around column x; the two columns at each end become NaN.
void box_row(const float* const* rows, int width, float* column_sum, float* out) {
  for (int x = 0; x < width; ++x)
    column_sum[x] = sum_of_five(rows[0][x], rows[1][x], rows[2][x], rows[3][x], rows[4][x]);
  for (int x = 0; x < std::min(radius, width); ++x) out[x] = out[width - 1 - x] = not_known;
  for (int x = radius; x < width - radius; ++x)
    out[x] = mean_of_columns(column_sum[x - 2], column_sum[x - 1], column_sum[x], column_sum[x + 1], column_sum[x + 2]);
}

/// warped_value() of a whole row. The eight lanes do what it does, in the same order: the same bits.
void warp_row(const Plate& source, RowInSource row, int width, float* out) {
  const float right = static_cast<float>(source.width) - 1.001f, bottom = static_cast<float>(source.height) - 1.001f;
  const float* value = source.value;
  const int stride = source.width;
  const auto all = [](float v) { return _mm256_set1_ps(v); };
  const __m256 lanes = _mm256_setr_ps(0, 1, 2, 3, 4, 5, 6, 7), zero = _mm256_setzero_ps();
  int x = 0;
  for (; x + 8 <= width; x += 8) {
    const __m256 fx = _mm256_add_ps(all(static_cast<float>(x)), lanes);
    const auto along = [&](int axis) {
      return _mm256_add_ps(all(row.base[axis]), _mm256_mul_ps(all(row.step[axis]), fx));
    };
    const __m256 z = along(2), inverse = _mm256_div_ps(all(1.0f), z);
    __m256 u = _mm256_add_ps(_mm256_mul_ps(along(0), inverse), all(0.5f));
    __m256 v = _mm256_add_ps(_mm256_mul_ps(along(1), inverse), all(0.5f));
    u = _mm256_and_ps(u, _mm256_cmp_ps(z, zero, _CMP_GT_OQ));
    u = _mm256_min_ps(_mm256_max_ps(u, zero), all(right));
    v = _mm256_min_ps(_mm256_max_ps(v, zero), all(bottom));
    const __m256i iu = _mm256_cvttps_epi32(u), iv = _mm256_cvttps_epi32(v);
    const __m256 a = _mm256_sub_ps(u, _mm256_cvtepi32_ps(iu)), b = _mm256_sub_ps(v, _mm256_cvtepi32_ps(iv));
    const __m256i at = _mm256_add_epi32(_mm256_mullo_epi32(iv, _mm256_set1_epi32(stride)), iu);
    const auto gather = [&](int offset) { return _mm256_i32gather_ps(value + offset, at, 4); };
    const auto mix = [](__m256 from, __m256 to, __m256 share) {
      return _mm256_add_ps(from, _mm256_mul_ps(share, _mm256_sub_ps(to, from)));
    };
    const __m256 upper = mix(gather(0), gather(1), a), lower = mix(gather(stride), gather(stride + 1), a);
    _mm256_storeu_ps(out + x, mix(upper, lower, b));
  }
  for (; x < width; ++x) out[x] = warped_value(source, row, x);
}

void correlate_row(const float* mean_s, const float* mean_ss, const float* mean_rs, const float* mean_r,
                   const float* inverse_r, int width, uint8_t* cost) {
  for (int x = 0; x < width; ++x) cost[x] = matching_cost(mean_s[x], mean_ss[x], mean_rs[x], mean_r[x], inverse_r[x]);
}

/// BestCosts of a row, field by field.
struct BestCostsRow {
  uint8_t *best0, *best1, *best2, *known;

  void insert(const uint8_t* cost, int width) const {
    for (int x = 0; x < width; ++x) {
      BestCosts best{best0[x], best1[x], best2[x], known[x]};
      best.insert(cost[x]);
      known[x] = best.known, best0[x] = best.best0, best1[x] = best.best1, best2[x] = best.best2;
    }
  }
  void combine(int width, uint8_t* out) const {
    for (int x = 0; x < width; ++x) out[x] = BestCosts{best0[x], best1[x], best2[x], known[x]}.combined();
  }
};

/// Rows of an image of which the window's last 5 are needed, in a ring.
struct RowRing {
  std::vector<float> values;
  int width;
  explicit RowRing(int width_px) : values(static_cast<size_t>(width_px) * side), width(width_px) {}
  float* row(int y) { return values.data() + static_cast<size_t>(y % side) * static_cast<size_t>(width); }
  void window(int y, const float** rows) {
    for (int k = 0; k < side; ++k) rows[k] = row(y - radius + k);
  }
};

/// `own` and `plates`: of the reference and of the sources.
void sweep_by_rows(const Plate& own, const std::vector<Plate>& plates, std::span<const MatchSource> sources,
                   const InversePlanes& planes, const CostVolume& volume) {
  const int width = volume.width_px, height = volume.height_px, count = planes.count;
  const size_t columns = static_cast<size_t>(width), depth_count = static_cast<size_t>(count);
  std::vector<float> squares(columns * side), sums(columns), mean_s(columns), mean_ss(columns), mean_rs(columns);
  std::vector<float> mean_r(columns * strip_rows), inverse_r(columns * strip_rows);
  std::vector<uint8_t> strip(columns * strip_rows * depth_count), cost(columns);
  std::vector<uint8_t> best(columns * strip_rows * 4);
  const auto best_row = [&](int row) {
    uint8_t* const place = best.data() + static_cast<size_t>(row) * columns;
    constexpr size_t rows = strip_rows;
    return BestCostsRow{place, place + rows * columns, place + 2 * rows * columns, place + 3 * rows * columns};
  };
  RowRing warped(width), warped_squares(width), products(width);

  for (int first = 0; first < height; first += strip_rows) {
    const int last = std::min(height, first + strip_rows);
    const auto inside = [&](int y) { return y >= radius && y < height - radius; };
    for (int y = first; y < last; ++y) {
      float* mean = mean_r.data() + static_cast<size_t>(y - first) * columns;
      float* inverse = inverse_r.data() + static_cast<size_t>(y - first) * columns;
      if (!inside(y)) continue;  // nor is it looked at
      const float *rows[side], *square_rows[side];
      for (int k = 0; k < side; ++k) {
        rows[k] = own.row(y - radius + k);
        float* square = squares.data() + static_cast<size_t>(k) * columns;
        for (int x = 0; x < width; ++x) square[x] = rows[k][x] * rows[k][x];
        square_rows[k] = square;
      }
      box_row(rows, width, sums.data(), mean);
      box_row(square_rows, width, sums.data(), inverse);
      for (int x = 0; x < width; ++x) inverse[x] = inverse_deviation(inverse[x], mean[x]);
    }
    for (int k = 0; k < count; ++k) {
      const double w = planes.at(k);
      std::fill(best.begin(), best.begin() + static_cast<std::ptrdiff_t>(3 * columns * strip_rows), no_cost);
      std::fill(best.begin() + static_cast<std::ptrdiff_t>(3 * columns * strip_rows), best.end(), uint8_t(0));
      for (size_t s = 0; s < plates.size(); ++s) {
        for (int y = std::max(0, first - radius); y < std::min(height, last + radius); ++y) {
          float *value = warped.row(y), *square = warped_squares.row(y), *product = products.row(y);
          const float* reference_row = own.row(y);
          warp_row(plates[s], RowInSource(sources[s].map, y, w), width, value);
          for (int x = 0; x < width; ++x) square[x] = value[x] * value[x];
          for (int x = 0; x < width; ++x) product[x] = value[x] * reference_row[x];
          const int centre = y - radius;  // the row whose window is complete now
          if (centre < first || centre >= last || !inside(centre)) continue;
          const float* rows[side];
          warped.window(centre, rows);
          box_row(rows, width, sums.data(), mean_s.data());
          warped_squares.window(centre, rows);
          box_row(rows, width, sums.data(), mean_ss.data());
          products.window(centre, rows);
          box_row(rows, width, sums.data(), mean_rs.data());
          const size_t at = static_cast<size_t>(centre - first) * columns;
          correlate_row(mean_s.data(), mean_ss.data(), mean_rs.data(), mean_r.data() + at, inverse_r.data() + at, width,
                        cost.data());
          best_row(centre - first).insert(cost.data(), width);
        }
      }
      for (int y = first; y < last; ++y)
        best_row(y - first).combine(
            width, strip.data() + (static_cast<size_t>(y - first) * depth_count + static_cast<size_t>(k)) * columns);
    }
    for (int y = first; y < last; ++y) {  // [plane, x] to [x, plane]
      const uint8_t* from = strip.data() + static_cast<size_t>(y - first) * depth_count * columns;
      uint8_t* to = volume.at(0, y);
      for (size_t block = 0; block < columns; block += 16)
        for (size_t k = 0; k < depth_count; ++k)
          for (size_t x = block; x < std::min(columns, block + 16); ++x)
            to[x * depth_count + k] = from[k * columns + x];
    }
  }
}

}  // namespace

InversePlanes choose_planes(const StereoCamera& reference, std::span<const MatchSource> sources, double near_m,
                            double far_m, int most) {
  InversePlanes planes;
  planes.first = 1 / far_m;
  const double range = 1 / near_m - 1 / far_m;
  double motion_px = 0;
  const Vec3<double> middle(reference.width_px / 2.0, reference.height_px / 2.0, 1);
  for (const MatchSource& source : sources) {
    const SourceMap& map = source.map;
    // Around the geometric middle of the range, where the homography's motion is typical.
    const double w = 0.5 * (1 / near_m + 1 / far_m), step = range * 1e-3;
    const Vec3<double> a = map.base * middle + map.shift * w, b = map.base * middle + map.shift * (w + step);
    if (a.z <= 0 || b.z <= 0) continue;
    motion_px = std::max(motion_px, glm::length(Vec2<double>(a) / a.z - Vec2<double>(b) / b.z) * 1e3);
  }
  planes.count = (std::clamp(static_cast<int>(motion_px), 32, most) + 15) / 16 * 16;
  planes.step = range / (planes.count - 1);
  return planes;
}

void sweep_planes(const Device& device, const MatchPixels& reference, std::span<const MatchSource> sources,
                  const InversePlanes& planes, const CostVolume& volume, ImageDriver driver) {
  if (!goes_by_rows("sweep_planes", device, driver)) {
    sweep_planes_by_pixels(device, reference, sources, planes, volume);
    return;
  }
  std::deque<Scratch<float>> memory;
  const auto make_plate = [&](const MatchPixels& photo) {
    float* const values = memory.emplace_back(device, Plate(photo).count()).data();
    const Plate plate(photo, values);
    fill_plate(device, photo, plate, values);
    return plate;
  };
  std::vector<Plate> plates;
  for (const MatchSource& source : sources) plates.push_back(make_plate(source.pixels));
  sweep_by_rows(make_plate(reference), plates, sources, planes, volume);
}

}  // namespace ptl
