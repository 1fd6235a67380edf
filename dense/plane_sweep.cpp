#include "dense/plane_sweep.h"

#include <immintrin.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace ptl {

namespace {

constexpr int radius = match_radius_px, side = 2 * radius + 1;
constexpr float window_pixels = side * side;
constexpr float noise_variance = 3.0f;  ///< of luminance 0..255; below it a window holds nothing to compare
constexpr int strip_rows = 16;
constexpr float nan_value = std::numeric_limits<float>::quiet_NaN();

/// Luminance around 0 with a border of one pixel; NaN wherever nothing is known: it spreads through every sum that
/// touches it, so that validity needs no sums of its own.
struct Plate {
  int width = 0, height = 0;  ///< with the border
  std::vector<float> value;

  explicit Plate(const StereoView& view) : width(view.camera.width_px + 2), height(view.camera.height_px + 2) {
    value.assign(static_cast<size_t>(width) * static_cast<size_t>(height), nan_value);
    for (int y = 0; y < view.camera.height_px; ++y)
      for (int x = 0; x < view.camera.width_px; ++x)
        if (const size_t at = view.camera.index(x, y); view.valid[at])
          value[static_cast<size_t>(y + 1) * static_cast<size_t>(width) + static_cast<size_t>(x + 1)] =
              view.luminance[at] - 128.0f;
  }
};

/// out[x] = mean of 5 × 5 of `rows` (pointers to 5 rows) around column x; the two columns at each end become NaN.
void box_row(const float* const* rows, int width, float* column_sum, float* out) {
  for (int x = 0; x < width; ++x) column_sum[x] = ((rows[0][x] + rows[1][x]) + (rows[2][x] + rows[3][x])) + rows[4][x];
  for (int x = 0; x < std::min(radius, width); ++x) out[x] = out[width - 1 - x] = nan_value;
  for (int x = radius; x < width - radius; ++x)
    out[x] = (((column_sum[x - 2] + column_sum[x - 1]) + (column_sum[x] + column_sum[x + 1])) + column_sum[x + 2]) *
             (1.0f / window_pixels);
}

/// One row of a source as the reference would see it if everything lay at inverse depth w. `base` is the map at x = 0;
/// + 0.5 leads from pixel coordinates to indices of the plate, whose border is one pixel wide. The eight lanes do what
/// the rest of the row does, in the same order: the same bits.
void warp_row(const Plate& source, const float* base, const float* step, int width, float* out) {
  const float right = static_cast<float>(source.width) - 1.001f, bottom = static_cast<float>(source.height) - 1.001f;
  const float* value = source.value.data();
  const int stride = source.width;
  const auto all = [](float v) { return _mm256_set1_ps(v); };
  const __m256 lanes = _mm256_setr_ps(0, 1, 2, 3, 4, 5, 6, 7), zero = _mm256_setzero_ps();
  int x = 0;
  for (; x + 8 <= width; x += 8) {
    const __m256 fx = _mm256_add_ps(all(static_cast<float>(x)), lanes);
    const auto along = [&](int axis) { return _mm256_add_ps(all(base[axis]), _mm256_mul_ps(all(step[axis]), fx)); };
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
  for (; x < width; ++x) {
    const float fx = static_cast<float>(x);
    const float z = base[2] + step[2] * fx;
    const float inverse = 1.0f / z;
    float u = (base[0] + step[0] * fx) * inverse + 0.5f, v = (base[1] + step[1] * fx) * inverse + 0.5f;
    u = z > 0.0f ? u : 0.0f;
    // In the order of the vector instructions, which return the second operand for a NaN.
    u = u > 0.0f ? u : 0.0f, u = u < right ? u : right;
    v = v > 0.0f ? v : 0.0f, v = v < bottom ? v : bottom;
    const int iu = static_cast<int>(u), iv = static_cast<int>(v);
    const float a = u - static_cast<float>(iu), b = v - static_cast<float>(iv);
    const int at = iv * stride + iu;
    const float upper = value[at] + a * (value[at + 1] - value[at]);
    const float lower = value[at + stride] + a * (value[at + stride + 1] - value[at + stride]);
    out[x] = upper + b * (lower - upper);
  }
}

/// Costs of one row of one source; 255 where they are not known.
void correlate_row(const float* mean_s, const float* mean_ss, const float* mean_rs, const float* mean_r,
                   const float* inverse_r, int width, uint8_t* cost) {
  for (int x = 0; x < width; ++x) {
    const float variance = std::max(mean_ss[x] - mean_s[x] * mean_s[x], 0.0f) + noise_variance;
    const float correlation = (mean_rs[x] - mean_r[x] * mean_s[x]) * inverse_r[x] / std::sqrt(variance);
    const float value = std::min(std::max(127.5f - 127.0f * correlation, 0.0f), 254.0f);
    // A NaN, and only that, is unequal to itself.
    cost[x] = static_cast<uint8_t>(static_cast<int>(correlation == correlation ? value : 255.0f));
  }
}

/// Keeps the three best costs of each column and how many were known.
void insert_row(const uint8_t* cost, int width, uint8_t* best0, uint8_t* best1, uint8_t* best2, uint8_t* known) {
  for (int x = 0; x < width; ++x) {
    const uint8_t c = cost[x], b0 = best0[x], b1 = best1[x];
    known[x] = static_cast<uint8_t>(known[x] + (c != 255));
    const uint8_t second = std::max(b0, c);
    best0[x] = std::min(b0, c);
    const uint8_t third = std::max(b1, second);
    best1[x] = std::min(b1, second);
    best2[x] = std::min(best2[x], third);
  }
}

/// Mean of the better half.
void combine_row(const uint8_t* best0, const uint8_t* best1, const uint8_t* best2, const uint8_t* known, int width,
                 uint8_t* out) {
  for (int x = 0; x < width; ++x) {
    const uint16_t b0 = best0[x], b1 = best1[x], b2 = best2[x];
    const uint16_t two = static_cast<uint16_t>((b0 + b1) >> 1);
    const uint16_t three = static_cast<uint16_t>(((b0 + b1 + b2) * 171) >> 9);  // / 3, exact for sums below 766
    uint16_t value = b0;
    value = known[x] > 2 ? two : value;
    value = known[x] > 4 ? three : value;
    out[x] = static_cast<uint8_t>(known[x] == 0 ? unknown_cost : value);
  }
}

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

}  // namespace

SourceMap source_map(const StereoCamera& reference, const StereoCamera& source) {
  const auto calibration = [](const StereoCamera& c) {
    return Mat3<double>(Vec3<double>(c.focal_x_px, 0, 0), Vec3<double>(0, c.focal_y_px, 0),
                        Vec3<double>(c.centre_x_px, c.centre_y_px, 1));
  };
  const Pose<double> relative = source.camera_from_world * inverse(reference.camera_from_world);
  const Mat3<double> k = calibration(source);
  return {k * relative.rotation * glm::inverse(calibration(reference)), k * relative.translation};
}

InversePlanes choose_planes(const StereoCamera& reference, const std::vector<const StereoView*>& sources, double near_m,
                            double far_m, int most) {
  InversePlanes planes;
  planes.first = 1 / far_m;
  const double range = 1 / near_m - 1 / far_m;
  double motion_px = 0;
  const Vec3<double> middle(reference.width_px / 2.0, reference.height_px / 2.0, 1);
  for (const StereoView* source : sources) {
    const SourceMap map = source_map(reference, source->camera);
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

void sweep_planes(const StereoView& reference, const std::vector<const StereoView*>& sources,
                  const InversePlanes& planes, CostVolume& volume) {
  const int width = reference.camera.width_px, height = reference.camera.height_px, count = planes.count;
  const size_t columns = static_cast<size_t>(width), depth_count = static_cast<size_t>(count);
  volume.width_px = width;
  volume.height_px = height;
  volume.planes = planes;
  volume.cost.resize(columns * static_cast<size_t>(height) * depth_count);

  const Plate plate(reference);
  std::vector<Plate> plates;
  std::vector<SourceMap> maps;
  for (const StereoView* source : sources) {
    plates.emplace_back(*source);
    maps.push_back(source_map(reference.camera, source->camera));
  }
  const auto reference_row = [&](int y) {
    return plate.value.data() + static_cast<size_t>(y + 1) * static_cast<size_t>(plate.width) + 1;
  };
  std::vector<float> squares(columns * side), sums(columns), mean_s(columns), mean_ss(columns), mean_rs(columns);
  std::vector<float> mean_r(columns * strip_rows), inverse_r(columns * strip_rows);
  std::vector<uint8_t> strip(columns * strip_rows * depth_count), cost(columns);
  std::vector<uint8_t> best(columns * strip_rows * 4);
  RowRing warped(width), warped_squares(width), products(width);

  for (int first = 0; first < height; first += strip_rows) {
    const int last = std::min(height, first + strip_rows);
    const auto inside = [&](int y) { return y >= radius && y < height - radius; };
    for (int y = first; y < last; ++y) {
      float* mean = mean_r.data() + static_cast<size_t>(y - first) * columns;
      float* inverse = inverse_r.data() + static_cast<size_t>(y - first) * columns;
      if (!inside(y)) {
        std::fill(inverse, inverse + width, nan_value);
        continue;
      }
      const float *rows[side], *square_rows[side];
      for (int k = 0; k < side; ++k) {
        rows[k] = reference_row(y - radius + k);
        float* square = squares.data() + static_cast<size_t>(k) * columns;
        for (int x = 0; x < width; ++x) square[x] = rows[k][x] * rows[k][x];
        square_rows[k] = square;
      }
      box_row(rows, width, sums.data(), mean);
      box_row(square_rows, width, sums.data(), inverse);
      for (int x = 0; x < width; ++x)
        inverse[x] = 1.0f / std::sqrt(std::max(inverse[x] - mean[x] * mean[x], 0.0f) + noise_variance);
    }
    for (int k = 0; k < count; ++k) {
      const double w = planes.at(k);
      std::fill(best.begin(), best.begin() + static_cast<std::ptrdiff_t>(3 * columns * strip_rows), uint8_t(255));
      std::fill(best.begin() + static_cast<std::ptrdiff_t>(3 * columns * strip_rows), best.end(), uint8_t(0));
      for (size_t s = 0; s < plates.size(); ++s) {
        const SourceMap& map = maps[s];
        for (int y = std::max(0, first - radius); y < std::min(height, last + radius); ++y) {
          const Vec3<double> start = map.base * Vec3<double>(0.5, y + 0.5, 1) + map.shift * w;
          float base[3], step[3];
          for (int axis = 0; axis < 3; ++axis) {
            base[axis] = static_cast<float>(start[axis]);
            step[axis] = static_cast<float>(map.base[0][axis]);
          }
          float *value = warped.row(y), *square = warped_squares.row(y), *product = products.row(y);
          const float* own = reference_row(y);
          warp_row(plates[s], base, step, width, value);
          for (int x = 0; x < width; ++x) square[x] = value[x] * value[x];
          for (int x = 0; x < width; ++x) product[x] = value[x] * own[x];
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
          uint8_t* place = best.data() + at;
          const size_t part = columns * strip_rows;
          insert_row(cost.data(), width, place, place + part, place + 2 * part, place + 3 * part);
        }
      }
      for (int y = first; y < last; ++y) {
        const size_t at = static_cast<size_t>(y - first) * columns, part = columns * strip_rows;
        const uint8_t* place = best.data() + at;
        combine_row(place, place + part, place + 2 * part, place + 3 * part, width,
                    strip.data() + (static_cast<size_t>(y - first) * depth_count + static_cast<size_t>(k)) * columns);
      }
    }
    for (int y = first; y < last; ++y) {  // [plane, x] to [x, plane]
      const uint8_t* from = strip.data() + static_cast<size_t>(y - first) * depth_count * columns;
      uint8_t* to = volume.cost.data() + static_cast<size_t>(y) * columns * depth_count;
      for (size_t block = 0; block < columns; block += 16)
        for (size_t k = 0; k < depth_count; ++k)
          for (size_t x = block; x < std::min(columns, block + 16); ++x)
            to[x * depth_count + k] = from[k * columns + x];
    }
  }
}

}  // namespace ptl
