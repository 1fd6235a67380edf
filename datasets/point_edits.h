// Which points of a scene its user does not want: a crop box, boxes to remove, strokes of a brush. Said by places, not
// by indices, so that one list serves sparse, dense and fitted clouds alike. The user's own files are never changed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "datasets/undo_stack.h"
#include "kernels/camera_params.h"
#include "kernels/se3.h"

namespace ptl {

/// All places and lengths in scene coordinates here, in world coordinates in files.
struct EditBox {
  Vec3<double> centre{0};
  Vec3<double> half_size{1};       ///< along its own axes, each above 0
  Mat3<double> box_from_scene{1};  ///< rotation: rows are the box's axes
  bool operator==(const EditBox&) const = default;
};
struct EditSphere {
  Vec3<double> centre{0};
  double radius = 0;
  bool operator==(const EditSphere&) const = default;
};
/// A cylinder with flat ends around the way from one point to another.
struct EditCylinder {
  Vec3<double> from{0}, to{0};
  double radius = 0;
  bool operator==(const EditCylinder&) const = default;
};

/// One step of editing, and one of undo.
struct PointEdit {
  enum class Kind { keep_box, remove_box, remove_spheres, remove_cylinders };
  Kind kind = Kind::keep_box;
  EditBox box;                          ///< of the two kinds with a box
  std::vector<EditSphere> spheres;      ///< of a stroke on points
  std::vector<EditCylinder> cylinders;  ///< of a stroke along rays of a view
  bool operator==(const PointEdit&) const = default;
};

/// A point is kept that lies in at least one of the boxes to keep (where there are any) and in nothing that is removed.
/// What lies on a border is inside. The order does not matter.
using PointEdits = std::vector<PointEdit>;

/// InputError, which begins with `where`, for an edit without extent, with numbers that are not finite, or of no
/// rotation.
void check_edits(const PointEdits& edits, const std::string& where);

/// {"format": "pointillist point edits", "version": 1, "edits": [
///   {"keep_box": {"centre": [x, y, z], "half_size": [x, y, z], "axes": [[x, y, z] × 3]}}, {"remove_box": {…}},
///   {"remove_spheres": [{"centre": [x, y, z], "radius": r}, …]},
///   {"remove_cylinders": [{"from": [x, y, z], "to": [x, y, z], "radius": r}, …]}, …]}
/// in world coordinates; axes: of the box, unit vectors, left out where they are the world's.
void write_point_edits(const PointEdits& edits, const Vec3<double>& origin_world, const std::filesystem::path& file);

/// InputError with file and place for anything that is not as above.
PointEdits read_point_edits(const std::filesystem::path& file, const Vec3<double>& origin_world);

/// What a brush of this radius at a pixel of a view covers between two depths (camera z): a cylinder along the pixel's
/// ray, as wide as the brush is at the depth in the middle. Nothing where the camera sees nothing at that pixel.
std::optional<EditCylinder> brush_cylinder(const CameraParams<double>& camera, const Pose<double>& camera_from_world,
                                           double x_px, double y_px, double radius_px, double near_m, double far_m);

/// A list that is being edited, with undo and redo.
class PointEditHistory {
 public:
  explicit PointEditHistory(PointEdits begin = {}) : edits_(std::move(begin)) {}
  const PointEdits& edits() const { return edits_; }
  void add(PointEdit edit);
  /// Instead of an edit that is there: a box that was dragged.
  void replace(size_t index, PointEdit edit);
  void remove(size_t index);
  bool undo();  ///< false: nothing to undo
  bool redo();
  bool can_undo() const { return steps_.can_undo(); }
  bool can_redo() const { return steps_.can_redo(); }
  /// Rises with every change: for whoever keeps a result.
  uint64_t version() const { return version_; }

 private:
  PointEdits edits_;
  UndoStack<PointEdits> steps_;
  uint64_t version_ = 0;
};

}  // namespace ptl
