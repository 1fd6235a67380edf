// Are the structure gradients right, on a user's own scene? Three questions: do the cameras' derivatives agree with
// finite differences; is the structure gradient what its definition says, with points really moved; and does it point
// back when a pose, a focal length or points are knocked by a known amount?
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "datasets/image_cache.h"
#include "kernels/structure_grad.h"
#include "renderer/scene_model.h"

namespace ptl {

struct AuditOptions {
  int images = 24;  ///< of the training images, spread evenly, for the third question
  int crops = 6;    ///< of each of them
  int crop_px = 256;
  double knock_px = 2;  ///< mean distance that an image's points move by
  double focal_knock = 0.01;
  int moved_points = 60;  ///< for the second question
  uint64_t seed = 1;
  /// The model was fitted: its network and tone mapper show the scene. Otherwise the points' colours are compared with
  /// the photos, on every layer.
  bool fitted = true;
};

/// What is audited. Tests put faults in its place.
struct AuditSubject {
  std::function<ProjectionJacobian<double>(const CameraParams<double>&, const Vec3<double>&)> jacobian =
      project_jacobian<double>;
  std::function<PixelGradient(const StructureImage&, const StructureConfig&, int64_t)> pixel_gradient =
      structure_pixel_gradient;
  std::function<torch::Tensor(torch::Tensor)> pose_gradient = [](torch::Tensor gradient) { return gradient; };
};

struct AuditCamera {
  uint32_t id = 0;
  int64_t compared = 0;     ///< points over the whole image and beyond its border
  double worst = 0;         ///< largest |analytic − finite difference| over 1 + the size of the derivative
  std::string worst_entry;  ///< which derivative that was
};

struct AuditDefinition {
  int64_t compared = 0;  ///< point and layer
  int64_t not_zero = 0;
  int64_t evicting = 0;  ///< left out: the moved point would also evict others (method section 8.2)
  double worst = 0;      ///< largest difference over the largest term
};

/// Gradient and knock of an image, each of the six components in pixels that it moves the image's points by.
struct AuditImage {
  std::string name;
  double cosine = 0;  ///< between the knock and the gradient: 1 where a step against the gradient leads straight back
  double knock[6] = {}, gradient[6] = {};
  double focal_knock = 0, focal_gradient = 0;  ///< equal signs: it points back; 0 of a camera without a focal length
};

struct AuditPoints {
  int64_t compared = 0;
  double median_cosine = 0;
  double share = 0;  ///< of them with a cosine above 0
};

struct AuditResult {
  std::vector<AuditCamera> cameras;
  AuditDefinition definition;
  std::vector<AuditImage> images;
  AuditPoints points;
  std::vector<std::string> problems;  ///< what is wrong; empty: nothing
  std::vector<std::string> doubts;    ///< what could not be told

  double mean_cosine() const;
  double share_pointing_back() const;
  double share_of_axis(int axis) const;  ///< of images whose gradient has the knock's sign there
  double share_of_focal() const;
};

AuditCamera audit_camera(const ModelCamera& camera, const AuditSubject& subject = {});
AuditDefinition audit_definition(const SceneModel& model, const AuditOptions& options,
                                 const AuditSubject& subject = {});

/// All three, with `progress` told what is done and how far it is.
AuditResult audit(const SceneModel& model, ImageCache& photos, const AuditOptions& options,
                  const AuditSubject& subject = {},
                  const std::function<void(const char* step, int done, int total)>& progress = {});

/// A table for people, JSON for programs, and a page with plots.
std::string audit_text(const AuditResult& result);
std::string audit_json(const AuditResult& result);
std::string audit_html(const std::string& title, const AuditResult& result);

}  // namespace ptl
