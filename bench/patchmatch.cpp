#include "bench/patchmatch.h"

#include <array>
#include <cmath>
#include <utility>

#include "bench/patchmatch_cost.h"
#include "datasets/error.h"
#include "kernels/hash.h"

namespace ptl {

namespace {

using namespace patches;

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

  template <int radius>
  void offer(const Window& window, int x, int y, const Planes& planes, Best& best) const {
    const __m256 value = of_patches_.cost<radius>(window, x, y, planes);
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
  float focal_;
  PatchCost of_patches_;
  std::vector<Region> regions_ = regions();
  Board w_, slant_x_, slant_y_, cost_;
};

Matcher::Matcher(const PatchView& reference, const std::vector<PatchSource>& sources, const InversePlanes& range,
                 uint64_t image, const PatchMatchOptions& options)
    : camera_(reference.view.camera),
      options_(options),
      range_(range),
      image_(image),
      focal_(static_cast<float>(camera_.focal_x_px)),
      of_patches_(reference, sources, options, static_cast<float>(range.first) * 0.5f,
                  static_cast<float>(range.at(range.count - 1)) * 1.05f),
      w_(camera_, 0.0f),
      slant_x_(camera_, 0.0f),
      slant_y_(camera_, 0.0f),
      cost_(camera_, no_cost) {}

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
      of_patches_.fill_window(x, y, radius, window);
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
  if (of_patches_.geometric()) {
    // What is handed on is the photos' cost alone.
    of_patches_.forget_depths();
    for (int color = 0; color < 2; ++color)
      for_each_group<radius>(color, [&](int x, int y, int i, const Window& window) {
        const Planes planes{_mm256_loadu_ps(w_.row(color, y) + i), _mm256_loadu_ps(slant_x_.row(color, y) + i),
                            _mm256_loadu_ps(slant_y_.row(color, y) + i)};
        _mm256_storeu_ps(cost_.row(color, y) + i, of_patches_.cost<radius>(window, x, y, planes));
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
