// Depths for untextured areas: planes through segments of even colour, from the confirmed depths within them.
#pragma once

#include "dense/depth_map.h"

namespace ptl {

struct FillOptions {
  float scale = 60;               ///< Felzenszwalb and Huttenlocher's k: larger segments for larger values
  int least_pixels = 200;         ///< of a segment
  int least_seeds = 40;           ///< confirmed depths within it
  double tolerance_share = 0.01;  ///< of inverse depth, for a seed to lie on the plane
  double least_inliers = 0.7;     ///< share of the seeds that must
  int border_px = 3;              ///< this close to a segment's border a match may come from beyond it: no seeds there
  double bare_share =
      0.1;             ///< a segment with fewer confirmed depths inside (sky, bare walls) loses those at its border
  double reach = 0.5;  ///< how far beyond the box around its seeds a plane is believed, in that box's sizes
};

/// A window at a silhouette matches by the foreground's texture, and gives the background around it the foreground's
/// depth. So a segment without confirmed depths in its inside loses those along its border, and no plane is drawn
/// through them. Then fills pixels without depth, on every second row and column (a low density), and marks them
/// `filled_in`. Segments end where colour changes (Felzenszwalb and Huttenlocher 2004), so that planes end at image
/// edges. Returns how many pixels were filled.
int64_t fill_depths(DepthMap& map, const FillOptions& options);

/// A number per pixel, the same within a segment: the segment's first pixel.
std::vector<int> segment_colors(const DepthMap& map, float scale);

}  // namespace ptl
