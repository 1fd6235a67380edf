// Cameras of every model for tests: weak and strong distortion, every term at work, photos that the lens does not fill.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "kernels/camera.h"

namespace ptl::test {

struct NamedCamera {
  std::string name;
  CameraParams<double> params;
};

inline CameraParams<double> camera_of(CameraModel model, int width, int height, std::initializer_list<double> values) {
  CameraParams<double> camera;
  camera.model = model;
  camera.width_px = width;
  camera.height_px = height;
  int i = 0;
  for (const double value : values) camera.value[i++] = value;
  update_valid_radius(camera);
  return camera;
}

/// Real OCamCalib calibration of a catadioptric camera, 848 × 800, cut where its polynomial turns steep.
inline CameraParams<double> ocam_camera() {
  return camera_of(
      CameraModel::ocam, 848, 800,
      {0.999134, -0.000325, -0.000071, 390.949324, 423.714757, 0.6, 434.372025, 226.016722, -31.205890, 43.418508,
       11.945692, -5.582063, 36.541804, -10.674868, -55.334360, 1.105775, 43.550131, 25.374995, 4.505945});
}

inline std::vector<NamedCamera> wide_cameras() {
  using enum CameraModel;
  return {
      {"fisheye, full frame",
       camera_of(fisheye, 640, 480, {300, 310, 320, 240, 0.7, -.02, .01, .001, -.002, .003, -.001, .0015, -.0005})},
      {"fisheye, 200 degrees in a circle",
       camera_of(fisheye, 400, 400,
                 {110, 112, 201, 197, -0.3, .01, -.004, -.0008, .0006, .0003, -.00004, .0007, -.001})},
      {"fisheye without distortion", camera_of(fisheye, 300, 200, {60, 60, 150, 100})},
      {"fisheye that folds", camera_of(fisheye, 500, 400, {160, 160, 250, 200, 0, -.09, .001})},
      {"rad_tan_thin_prism_fisheye", camera_of(rad_tan_thin_prism_fisheye, 640, 480,
                                               {240, 242, 320, 240, 0.5, .02, -.03, .01, .002, -.001, .0001, .0006,
                                                -.0004, .001, -.0001, -.0008, .0002})},
      {"rad_tan_thin_prism_fisheye, wider", camera_of(rad_tan_thin_prism_fisheye, 480, 480,
                                                      {130, 130, 238, 243, 0, .02, -.006, .0004, .0001, -.00002,
                                                       .000001, -.0005, .0007, .0004, .0001, .0003, -.0001})},
      {"fov", camera_of(fov, 640, 480, {300, 310, 320, 240, -1, .9})},
      {"fov, nearly a pinhole", camera_of(fov, 640, 480, {500, 500, 320, 240, 0, .02})},
      {"division, behind the camera too", camera_of(division, 640, 480, {200, 205, 320, 240, 0.4, -.4})},
      {"division, pincushion", camera_of(division, 640, 480, {300, 310, 320, 240, 0, .06})},
      {"division of a pinhole", camera_of(division, 640, 480, {300, 310, 320, 240})},
      {"eucm", camera_of(eucm, 640, 480, {220, 225, 320, 240, 0.3, .6, 1.1})},
      {"eucm, wide", camera_of(eucm, 480, 480, {140, 140, 240, 240, 0, .62, 0.9})},
      {"eucm, narrow", camera_of(eucm, 640, 480, {400, 410, 310, 230, 0, .35, .8})},
      {"equirectangular", camera_of(equirectangular, 640, 320, {})},
      {"equirectangular, odd size", camera_of(equirectangular, 501, 333, {})},
      {"ocam", ocam_camera()},
  };
}

/// Directions all over the sphere: the i-th of n, evenly.
inline Vec3<double> direction_on_sphere(int i, int n) {
  const double y = 1 - 2 * (i + 0.5) / n, turn = 2.399963229728653 * i, level = std::sqrt(1 - y * y);
  return {level * std::cos(turn), y, level * std::sin(turn)};
}

}  // namespace ptl::test
