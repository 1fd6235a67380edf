// The cloud in its colours, drawn within a time: while the view moves, as many points as a frame can take, the same
// share of every block in view; while it rests, more and more of them into the same picture until all that are held are
// there.
#pragma once

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "datasets/image.h"
#include "kernels/camera.h"
#include "viewer/cloud_pages.h"
#include "viewer/drawn_cloud.h"
#include "viewer/gl_objects.h"
#include "viewer/point_budget.h"
#include "viewer/point_cost.h"

namespace ptl {

class GlPoints {
 public:
  GlPoints();
  /// Points reach OpenGL's memory little by little, in the frames that follow; the cloud that is there already stays.
  void set_cloud(std::shared_ptr<const DrawnCloud> cloud);
  /// One byte a vertex of a block of the cloud: not 0 for points that edits remove. At once; a new cloud has none.
  /// low, high: around those for which that changes.
  void set_removed(size_t block, std::span<const uint8_t> removed, const Vec3<float>& low, const Vec3<float>& high);
  /// Removed points in a colour of warning instead of not at all.
  void show_removed(bool show);

  /// Hands a page of points to OpenGL, where some are missing there, and draws for about `milliseconds`. False: there is
  /// more to draw for this view.
  bool draw(const CameraParams<double>& camera, const Pose<double>& camera_from_world, double milliseconds);
  /// What draw() drew; of the camera's size.
  GlCanvas& canvas() { return front_; }
  /// Depth of the point drawn at a pixel, as the camera's model measures it (Projection::depth_m); +∞ where there is none.
  float depth_m(int x_px, int y_px);
  /// The same for all pixels of the canvas: 1 channel.
  Image depths_m();

  uint64_t points_drawn() const { return drawn_; }
  double points_per_ms() const { return budget_.points_per_ms(); }
  bool uploaded() const { return uploaded_ == pages_.size(); }

 private:
  struct Page {
    CloudPage of;
    GlBuffer vertices, removed;
    GlVertexArray array;
  };
  /// Binds its flags; makes them, with no point removed, where there are none yet.
  static void bind_removed(Page& page);
  void upload();
  static void clear(GlCanvas& canvas);
  /// As draw_share(), but it ends early where that takes longer than `milliseconds`. Returns how far it came; adds to
  /// `points`. `cost`: of these blocks.
  double draw_within(double from, double to, double sized_for, const std::vector<uint8_t>& blocks, const ViewCost& cost,
                     double milliseconds, PointBudget& budget, uint64_t& points);
  /// Draws a picture again where points came or went, with the share of them that the time allows. False: where that
  /// is cannot be told.
  bool draw_changes(double milliseconds);
  /// [from, to) of every block whose flag is not 0, in sizes for a picture of `sized_for` of the points.
  uint64_t draw_share(double from, double to, double sized_for, const std::vector<uint8_t>& blocks);
  float depth_m_of(float depth) const;  ///< of the depth buffer's 0..1
  void set_uniforms(const CameraParams<double>& camera, const Pose<double>& pose, float size_factor);

  GlProgram program_;
  GlCanvas front_{true}, back_{true};  ///< what is shown; what is refined
  std::shared_ptr<const DrawnCloud> cloud_;
  std::vector<Page> pages_;
  size_t uploaded_ = 0;                      ///< pages, the first ones
  PointBudget budget_, refining_budget_;     ///< of a moving view's points, which are large, and of the small ones
  PointCost cost_;
  std::vector<uint8_t> seen_;                ///< blocks that the view may see
  ViewCost seen_cost_;                       ///< of them
  double front_share_ = 0, back_share_ = 0;  ///< of every block, drawn so far
  uint64_t drawn_ = 0, back_drawn_ = 0;
  CameraParams<double> camera_;
  Pose<double> pose_;
  bool restart_ = true, show_removed_ = false;
  std::vector<std::pair<Vec3<float>, Vec3<float>>> changed_;  ///< boxes where points came or went since they were drawn
  double near_ = 0.01, far_ = 1000;
};

}  // namespace ptl
