// A view that no photo was taken from: a pose with a field of view, or with the lens of one of the dataset's cameras.
// Paths (datasets/camera_path.h) and the viewer make their cameras here, so that both render the same pixels.
#pragma once

#include <optional>

#include "kernels/camera.h"
#include "kernels/se3.h"

namespace ptl {

inline constexpr double least_fov_deg = 1, largest_fov_deg = 170;

struct ViewCamera {
  Pose<double> camera_from_world;            ///< scene coordinates
  double vertical_fov_deg = 60;              ///< of the whole height; where `lens` is given it does not count
  std::optional<CameraParams<double>> lens;  ///< a camera of the dataset, with its distortion, at any size
};

/// A pinhole without distortion whose height spans the field of view, with square pixels and the centre in the middle.
CameraParams<double> pinhole_of_fov(double vertical_fov_deg, int width_px, int height_px);

/// A dataset's camera for a picture of another size and shape: pixels keep their shape, all of the photo's frame is in
/// the picture and stands in its middle. With the photo's own size it is the camera itself. A panorama has the whole sphere in
/// pictures of any shape: its pixels stretch.
CameraParams<double> lens_for_size(const CameraParams<double>& lens, int width_px, int height_px);

/// The camera of a view for a picture of this size.
CameraParams<double> view_params(const ViewCamera& view, int width_px, int height_px);

/// The field of view that the view's height spans, with a lens that of its photo's height without distortion; at most
/// largest_fov_deg.
double vertical_fov_deg(const ViewCamera& view);

}  // namespace ptl
