// What tests of readers ask of a scene: the pixel of a point, for comparison with pixels computed elsewhere; what it says.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "datasets/scene.h"

namespace ptl::testing {

inline Projection<double> projected(const Scene& scene, const std::string& name, const Vec3<double>& x_world) {
  for (const SceneImage& image : scene.images)
    if (image.name == name)
      return project(scene.camera_of(image).params, image.camera_from_world * (x_world - scene.origin_world));
  ADD_FAILURE() << "the scene has no image '" << name << "'";
  return {};
}

/// One of its oddities holds this.
inline bool says(const Scene& scene, const std::string& part) {
  for (const std::string& oddity : scene.oddities)
    if (oddity.find(part) != std::string::npos) return true;
  return false;
}

}  // namespace ptl::testing
