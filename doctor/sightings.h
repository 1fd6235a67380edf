// Which points which images see, and where in the photo: what most checks look at. From the tracks of sparse points
// where there are any, else from the cloud's points, projected, as far as nothing nearer hides them.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "datasets/scene.h"

namespace ptl::doctor {

struct Sighting {
  uint32_t point = 0;            ///< index into Sightings::position
  float x = 0, y = 0;            ///< where the pose says that it is, in shares of width and height; may be outside
  float seen_x = 0, seen_y = 0;  ///< where it was observed; the same without tracks
  float depth_m = 0;
  bool projected = false;  ///< x, y, depth_m mean something: the point is in front of the camera
};

struct Sightings {
  bool tracked = false;
  bool has_color = false;  ///< colours differ from each other
  std::vector<Vec3<double>> position;
  std::vector<std::array<uint8_t, 3>> color;
  std::vector<std::vector<Sighting>> by_image;  ///< in order of the points, each point once

  struct Seer {
    int image = 0;
    uint32_t index = 0;  ///< into by_image[image]
  };
  std::vector<std::vector<Seer>> by_point;
};

/// Images with fewer triangulated observations than this, in the median, are no tracks to rely on.
inline constexpr size_t least_tracked = 20;

Sightings find_sightings(const Scene& scene);

/// Whether any two colours differ.
bool colors_differ(const std::vector<std::array<uint8_t, 3>>& colors);

}  // namespace ptl::doctor
