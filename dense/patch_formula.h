// PatchMatch's definition: what a plane costs at a pixel, and which planes a pixel tries. Every driver calls these
// functions, with one pixel at a time or with eight (patch_lanes.h), and gets the same bits.
//
// A pixel's hypothesis is a plane: inverse depth w at the pixel and its slant, the change of w per pixel along x and y.
// Inverse depth is affine in the image on any plane, so another pixel's plane reads
//   w(x, y) = w_n + slant · (x − x_n, y − y_n)
// here. Its cost in one source is 1 − correlation of the 5 × 5 pixels around, warped by the plane, zero-mean and
// normalised, which exposure does not change; the better half of the sources counts (at most three), so that a source
// in which the pixel is hidden does no harm.
#pragma once

#include "dense/patch_board.h"
#include "dense/patch_lanes.h"

namespace ptl {

inline constexpr int patch_radius_px = 2;  ///< of the window
inline constexpr int patch_side_px = 2 * patch_radius_px + 1, patch_samples = patch_side_px * patch_side_px;
/// Of luminance 0..255; below it a window holds nothing to compare.
inline constexpr float patch_noise_variance = 3.0f;
inline constexpr float no_patch_cost = 4.0f;  ///< of what cannot be compared; correlations give 0 to 2
inline constexpr float middle_luminance = 128.0f;
inline constexpr float least_window_share = 0.5f;  ///< of a window's pixels that must be valid
inline constexpr float most_stretch = 4.0f;        ///< of the window in a source
inline constexpr float border_px = 1.5f;           ///< between the window in a source and the photo's border
inline constexpr int most_patch_sources = 8;       ///< of a reference's sources the first so many are looked at
inline constexpr int most_better = 3;              ///< of these count

/// A photo that the reference is matched with, in a device's memory.
struct PatchSource {
  float base[3][3], shift[3];  ///< rows of source_map
  const uint32_t* quads;       ///< [height, width] (PatchView)
  int width_px, height_px;
  const float* inverse_depth;  ///< [height, width], 0: none; nothing: the photos alone count
  float px_per_w;              ///< 1 / step of the source's own search range
};

/// What a pass over a photo's pixels does.
struct PatchPass {
  uint64_t draws = 0;                          ///< prefix of the draws: seed, pass and photo
  float least_w = 0, most_w = 0;               ///< planes beyond cost no_patch_cost
  float range_middle_w = 0, range_half_w = 0;  ///< of wholly random planes
  float focal_px = 1, centre_x_px = 0, centre_y_px = 0;
  int random_starts = 0;        ///< planes beside those that it starts from
  int random_planes = 0;        ///< beside the neighbours'
  int changes = 0;              ///< each of depth, of slant and of both; each half as large as the one before
  float depth_change_w = 0;     ///< of the first change
  float slant_change = 0;       ///< of the first change of slant/w
  float disagreement_cost = 0;  ///< of a pixel by which a source's depth disagrees
  float most_disagreement_px = 0;
};

/// Planes to start from, [height, width] in the order of the image.
struct PatchStart {
  const float *w, *slant_x, *slant_y;
};
inline constexpr int most_patch_starts = 2;

/// Everything that the formulas read and write, in a device's memory.
struct PatchMatcher {
  PatchBoard board;
  float *w, *slant_x, *slant_y, *cost;  ///< boards; w 0: no plane
  const float* luminance;               ///< a board; negative: not valid
  PatchSource source[most_patch_sources];
  int source_count;
  PatchStart start[most_patch_starts];
  int start_count;
  PatchPass pass;
};

template <class L>
struct PatchPlane {
  typename L::Real w, slant_x, slant_y;
};

/// The reference's windows: weights that add up to one, and these times the centred luminance over its deviation, so
/// that  Σ product · other / deviation(other)  is the correlation.
template <class L>
struct PatchWindow {
  typename L::Real weight[patch_samples], product[patch_samples];
  typename L::Mask usable;
};

template <class L>
PTL_HD void read_window(const PatchMatcher& m, int x, int y, PatchWindow<L>& window) {
  using Real = typename L::Real;
  const Real zero = L::all(0.0f), one = L::all(1.0f);
  Real known = zero, sum = zero;
  int k = 0;
  for (int dy = -patch_radius_px; dy <= patch_radius_px; ++dy)
    for (int dx = -patch_radius_px; dx <= patch_radius_px; ++dx, ++k) {
      const Real value = L::load(m.luminance + m.board.at(x + dx, y + dy));
      const Real weight = L::choose(L::below(value, zero), zero, one);
      known = known + weight;
      sum = L::fused(weight, value, sum);
      window.weight[k] = weight;
      window.product[k] = value;
    }
  const Real scale = one / L::most(known, one), mean = sum * scale;
  Real variance = L::all(patch_noise_variance);
  for (k = 0; k < patch_samples; ++k) {
    const Real weight = window.weight[k] * scale, centred = window.product[k] - mean, product = weight * centred;
    variance = L::fused(product, centred, variance);
    window.weight[k] = weight;
    window.product[k] = product;
  }
  const Real inverse = one / L::root(variance);
  for (k = 0; k < patch_samples; ++k) window.product[k] = window.product[k] * inverse;
  const Real centre = L::load(m.luminance + m.board.at(x, y));
  window.usable = L::both(L::below(L::all(-0.5f), centre),
                          L::below(L::all(static_cast<float>(patch_samples) * least_window_share), known));
}

/// In one source, no_patch_cost where it cannot be had. The map around the pixel is linearised; the window walks
/// through the source in fixed point. With the source's depths: plus what their disagreement costs.
template <class L>
PTL_HD typename L::Real cost_in_source(const PatchSource& source, const PatchPass& pass, const PatchWindow<L>& window,
                                       typename L::Real x_px, float y_px, const PatchPlane<L>& plane) {
  using Real = typename L::Real;
  using Whole = typename L::Whole;
  const Real zero = L::all(0.0f);
  Real place[3];  // homogeneous
  for (int i = 0; i < 3; ++i)
    place[i] =
        L::fused(L::all(source.shift[i]), plane.w,
                 L::fused(L::all(source.base[i][0]), x_px, L::all(source.base[i][1] * y_px + source.base[i][2])));
  const Real inverse = L::all(1.0f) / place[2], u = place[0] * inverse, v = place[1] * inverse;
  Real du[2], dv[2];  // by x and y
  for (int axis = 0; axis < 2; ++axis) {
    const Real slant = axis == 0 ? plane.slant_x : plane.slant_y;
    Real d[3];
    for (int i = 0; i < 3; ++i) d[i] = L::fused(L::all(source.shift[i]), slant, L::all(source.base[i][axis]));
    du[axis] = L::fused_minus(u, d[2], d[0]) * inverse;
    dv[axis] = L::fused_minus(v, d[2], d[1]) * inverse;
  }
  constexpr float radius = static_cast<float>(patch_radius_px);
  const Real reach_u = L::fused(L::all(radius), L::absolute(du[0]) + L::absolute(du[1]), L::all(border_px));
  const Real reach_v = L::fused(L::all(radius), L::absolute(dv[0]) + L::absolute(dv[1]), L::all(border_px));
  typename L::Mask known = L::both(L::below(zero, place[2]), L::both(L::below(reach_u, u), L::below(reach_v, v)));
  known = L::both(known, L::below(u + reach_u, L::all(static_cast<float>(source.width_px))));
  known = L::both(known, L::below(v + reach_v, L::all(static_cast<float>(source.height_px))));
  const Real widest = L::all(most_stretch * radius + border_px);
  known = L::both(known, L::both(L::below(reach_u, widest), L::below(reach_v, widest)));
  if (!L::any(known)) return L::all(no_patch_cost);

  // What is not known stays within the photo.
  const auto fixed = [&](Real value) { return L::to_fixed(L::choose(known, value, zero)); };
  const Whole step_ux = fixed(du[0]), step_uy = fixed(du[1]), step_vx = fixed(dv[0]), step_vy = fixed(dv[1]);
  Whole row_u = fixed(u - L::all(0.5f)), row_v = fixed(v - L::all(0.5f));
  for (int k = 0; k < patch_radius_px; ++k) {
    row_u = row_u - step_ux - step_uy;
    row_v = row_v - step_vx - step_vy;
  }
  Real sum = zero, square = zero, product = zero;
  typename L::Mask valid = known;
  int k = 0;
  for (int dy = 0; dy < patch_side_px; ++dy) {
    Whole at_u = row_u, at_v = row_v;
    for (int dx = 0; dx < patch_side_px; ++dx, ++k) {
      const Whole quad = L::gather_quad(source.quads, L::fixed_place(at_u, at_v, source.width_px));
      if (k == patch_samples / 2) valid = L::not_zero(quad);
      const Real value = L::fused(L::mix_quad(quad, at_u, at_v), L::all(quad_unit), L::all(-middle_luminance));
      const Real weighted = window.weight[k] * value;
      sum = sum + weighted;
      square = L::fused(weighted, value, square);
      product = L::fused(window.product[k], value, product);
      at_u = at_u + step_ux;
      at_v = at_v + step_vx;
    }
    row_u = row_u + step_uy;
    row_v = row_v + step_vy;
  }
  const Real variance = L::most(L::fused_minus(sum, sum, square), zero) + L::all(patch_noise_variance);
  Real cost = L::all(1.0f) - product / L::root(variance);
  if (source.inverse_depth) {
    const Real found = L::gather(source.inverse_depth,
                                 L::place(L::choose(known, u, zero), L::choose(known, v, zero), source.width_px));
    // The plane's inverse depth in the source is w / z.
    const Real difference = L::absolute(L::fused_minus(plane.w, inverse, found)) * L::all(source.px_per_w);
    const Real cap = L::all(pass.most_disagreement_px);
    cost = L::fused(L::choose(L::below(zero, found), L::least(difference, cap), cap), L::all(pass.disagreement_cost),
                    cost);
  }
  return L::choose(L::both(valid, known), cost, L::all(no_patch_cost));
}

/// Mean over the better half of the sources that know the window. Without one, or beyond the range: no_patch_cost.
template <class L>
PTL_HD typename L::Real patch_cost(const PatchMatcher& m, const PatchWindow<L>& window, int x, int y,
                                   const PatchPlane<L>& plane) {
  using Real = typename L::Real;
  const Real zero = L::all(0.0f), none = L::all(no_patch_cost), x_px = L::centres(x);
  Real best[most_better] = {none, none, none}, known = zero;
  for (int s = 0; s < m.source_count; ++s) {
    Real value = cost_in_source<L>(m.source[s], m.pass, window, x_px, static_cast<float>(y) + 0.5f, plane);
    known = known + L::choose(L::below(value, none), L::all(1.0f), zero);
    for (int k = 0; k < most_better; ++k) {
      const Real smaller = L::least(best[k], value);
      value = L::most(best[k], value);
      best[k] = smaller;
    }
  }
  const Real half = L::floor((known + L::all(1.0f)) * L::all(0.5f));
  const Real counted = L::least(half, L::all(static_cast<float>(most_better)));
  Real sum = zero;
  for (int k = 0; k < most_better; ++k)
    sum = sum + L::choose(L::below(L::all(static_cast<float>(k)), counted), best[k], zero);
  typename L::Mask sound = L::both(window.usable, L::below(zero, counted));
  sound = L::both(sound, L::both(L::below(L::all(m.pass.least_w), plane.w), L::below(plane.w, L::all(m.pass.most_w))));
  return L::choose(sound, sum / L::most(counted, L::all(1.0f)), none);
}

/// The best plane so far.
template <class L>
struct PatchBest {
  PatchPlane<L> plane;
  typename L::Real cost;

  PTL_HD void offer(const PatchPlane<L>& other, typename L::Real other_cost) {
    const typename L::Mask better = L::below(other_cost, cost);
    plane = {L::choose(better, other.w, plane.w), L::choose(better, other.slant_x, plane.slant_x),
             L::choose(better, other.slant_y, plane.slant_y)};
    cost = L::choose(better, other_cost, cost);
  }
};

}  // namespace ptl
