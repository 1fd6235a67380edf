// Which planes a pixel of PatchMatch tries: those that it starts from, its neighbours', random ones, and changes of the
// best so far. Each function does that for the pixel (x, y), or for eight pixels from it on, every second one.
#pragma once

#include "dense/patch_formula.h"

namespace ptl {

/// Numbers of draws at a pixel: those of the start, then those of the steps.
inline constexpr uint64_t first_step_draw = 256;

template <class L>
PTL_HD void draw_at(const PatchMatcher& m, int x, int y, uint64_t which, typename L::Real* three) {
  L::draw(mix64(mix64(m.pass.draws ^ static_cast<uint64_t>(y)) ^ which), x, three);
}

/// Uniform in inverse depth; slants around that of a plane across the line of sight, small ones more often.
template <class L>
PTL_HD PatchPlane<L> random_plane(const PatchMatcher& m, int x, int y, const typename L::Real* draws) {
  using Real = typename L::Real;
  const PatchPass& pass = m.pass;
  const float per_focal = 1.0f / pass.focal_px;
  PatchPlane<L> plane;
  plane.w = L::fused(draws[0], L::all(pass.range_half_w), L::all(pass.range_middle_w));
  const Real ray_x = (L::centres(x) - L::all(pass.centre_x_px)) * L::all(per_focal);
  const Real ray_y = L::all((static_cast<float>(y) + 0.5f - pass.centre_y_px) * per_focal);
  const Real square = L::fused(ray_x, ray_x, L::fused(ray_y, ray_y, L::all(1.0f)));
  const Real scale = plane.w * L::all(per_focal);
  plane.slant_x = scale * (ray_x / square + draws[1] * L::absolute(draws[1]) * L::all(2.0f));
  plane.slant_y = scale * (ray_y / square + draws[2] * L::absolute(draws[2]) * L::all(2.0f));
  return plane;
}

/// The best plane among neighbours of the other colour, as it reads here.
template <class L>
struct NeighbourPlane {
  const PatchMatcher& m;
  int x, y;
  PatchBest<L> best{{L::all(0.0f), L::all(0.0f), L::all(0.0f)}, L::all(no_patch_cost)};

  PTL_HD NeighbourPlane(const PatchMatcher& matcher, int x_px, int y_px) : m(matcher), x(x_px), y(y_px) {}
  PTL_HD void look(int dx, int dy) {
    const int64_t there = m.board.at(x + dx, y + dy);
    PatchPlane<L> plane{L::load(m.w + there), L::load(m.slant_x + there), L::load(m.slant_y + there)};
    plane.w = L::fused(plane.slant_x, L::all(static_cast<float>(-dx)),
                       L::fused(plane.slant_y, L::all(static_cast<float>(-dy)), plane.w));
    best.offer(plane, L::load(m.cost + there));
  }
};

/// Eight regions (Xu and Tao 2019 after Galliani et al. 2015): in each of four directions a V beside the pixel and a
/// line farther away.
inline constexpr int patch_regions = 8, v_arms = 3, line_first_px = 3, line_last_px = 23;

template <class L>
PTL_HD PatchPlane<L> best_of_region(const PatchMatcher& m, int region, int x, int y) {
  const int direction = region / 2;  // up, down, left, right
  const int ux = direction < 2 ? 0 : 2 * direction - 5, uy = direction < 2 ? 2 * direction - 1 : 0;
  NeighbourPlane<L> found(m, x, y);
  if (region % 2 == 0) {
    found.look(ux, uy);
    for (int k = 1; k <= v_arms; ++k) {
      found.look((k + 1) * ux + k * uy, (k + 1) * uy + k * ux);
      found.look((k + 1) * ux - k * uy, (k + 1) * uy - k * ux);
    }
  } else {
    for (int k = line_first_px; k <= line_last_px; k += 2) found.look(k * ux, k * uy);
  }
  return found.best.plane;
}

template <class L>
PTL_HD void offer_plane(const PatchMatcher& m, const PatchWindow<L>& window, int x, int y, const PatchPlane<L>& plane,
                        PatchBest<L>& best) {
  best.offer(plane, patch_cost<L>(m, window, x, y, plane));
}

template <class L>
PTL_HD void store_best(const PatchMatcher& m, int x, int y, const PatchBest<L>& best) {
  const int64_t at = m.board.at(x, y);
  L::store(m.w + at, best.plane.w);
  L::store(m.slant_x + at, best.plane.slant_x);
  L::store(m.slant_y + at, best.plane.slant_y);
  L::store(m.cost + at, best.cost);
}

template <class L>
PTL_HD PatchBest<L> load_best(const PatchMatcher& m, int x, int y) {
  const int64_t at = m.board.at(x, y);
  return {{L::load(m.w + at), L::load(m.slant_x + at), L::load(m.slant_y + at)}, L::load(m.cost + at)};
}

/// The boards hold no planes before, and still none where nothing can be compared.
template <class L>
PTL_HD void start_pixel(const PatchMatcher& m, int x, int y) {
  PatchWindow<L> window;
  read_window<L>(m, x, y, window);
  if (!L::any(window.usable)) return;
  PatchBest<L> best{{L::all(0.0f), L::all(0.0f), L::all(0.0f)}, L::all(no_patch_cost)};
  for (int k = 0; k < m.start_count; ++k) {
    const int64_t row = static_cast<int64_t>(y) * m.board.width_px;
    const PatchStart& start = m.start[k];
    offer_plane<L>(
        m, window, x, y,
        {L::load_second(start.w + row, x, m.board.width_px), L::load_second(start.slant_x + row, x, m.board.width_px),
         L::load_second(start.slant_y + row, x, m.board.width_px)},
        best);
  }
  for (int k = 0; k < m.pass.random_starts; ++k) {
    typename L::Real draws[3];
    draw_at<L>(m, x, y, static_cast<uint64_t>(k), draws);
    offer_plane<L>(m, window, x, y, random_plane<L>(m, x, y, draws), best);
  }
  store_best<L>(m, x, y, best);
}

/// One step over a pixel, of the colour whose turn it is.
template <class L>
PTL_HD void improve_pixel(const PatchMatcher& m, int round, int x, int y) {
  using Real = typename L::Real;
  PatchWindow<L> window;
  read_window<L>(m, x, y, window);
  if (!L::any(window.usable)) return;
  PatchBest<L> best = load_best<L>(m, x, y);
  for (int region = 0; region < patch_regions; ++region)
    offer_plane<L>(m, window, x, y, best_of_region<L>(m, region, x, y), best);
  const PatchPass& pass = m.pass;
  uint64_t which = first_step_draw * static_cast<uint64_t>(round + 1);
  Real draws[3];
  for (int k = 0; k < pass.random_planes; ++k) {
    draw_at<L>(m, x, y, which++, draws);
    offer_plane<L>(m, window, x, y, random_plane<L>(m, x, y, draws), best);
  }
  float depth_change_w = pass.depth_change_w, slant_change = pass.slant_change;
  for (int k = 0; k < pass.changes; ++k, depth_change_w *= 0.5f, slant_change *= 0.5f)
    for (int what = 0; what < 3; ++what) {  // depth, slant, both
      draw_at<L>(m, x, y, which++, draws);
      const PatchPlane<L> now = best.plane;
      const Real w = what == 1 ? now.w : L::fused(draws[0], L::all(depth_change_w), now.w);
      // slant/w stays as it is, or changes.
      const Real scale = w / L::most(now.w, L::all(1e-30f));
      const Real change = what == 0 ? L::all(0.0f) : w * L::all(slant_change);
      offer_plane<L>(
          m, window, x, y,
          {w, L::fused(draws[1], change, now.slant_x * scale), L::fused(draws[2], change, now.slant_y * scale)}, best);
    }
  store_best<L>(m, x, y, best);
}

/// The cost of the plane that is there.
template <class L>
PTL_HD void judge_pixel(const PatchMatcher& m, int x, int y) {
  PatchWindow<L> window;
  read_window<L>(m, x, y, window);
  if (!L::any(window.usable)) return;
  const PatchBest<L> best = load_best<L>(m, x, y);
  L::store(m.cost + m.board.at(x, y), patch_cost<L>(m, window, x, y, best.plane));
}

}  // namespace ptl
