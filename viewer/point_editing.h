// The edits of points as a user of the window makes them: boxes with handles, strokes of a brush, undo, a file. Knows
// views and pixels, no window. The points themselves are asked by viewer/edit_filter.h.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "datasets/point_edits.h"
#include "viewer/edit_box.h"
#include "viewer/edit_brush.h"

namespace ptl {

enum class EditTool { keep_box, remove_box, brush };

/// What lies under a stroke, from the moment it began: what the stroke lays bare must not be its next prey.
struct StrokeDepths {
  std::shared_ptr<const Image> depth_m;  ///< 1 channel, +∞ where nothing is; may be of another size than the picture
  std::shared_ptr<const DrawnCloud> cloud;  ///< for a brush through everything
};

class PointEditing {
 public:
  // What panels and keys change as they like.
  bool on = false;
  bool show_removed = false;
  EditTool tool = EditTool::keep_box;
  Brush brush;
  std::string file;     ///< where save() writes
  std::string message;  ///< of the last save or load
  bool message_is_error = false;
  bool asks_to_leave = false;  ///< the window was to close with edits that no file has

  /// The list as it is shown: with a drag and a stroke that go on.
  PointEdits shown() const;
  /// Rises whenever shown() changes. At least 1.
  uint64_t version() const { return history_.version() + changes_; }
  /// Without what goes on.
  const PointEdits& edits() const { return history_.edits(); }
  bool unsaved() const;
  /// The file that was loaded or saved last; empty: none.
  const std::string& list_file() const { return list_file_; }

  /// The edit whose box has handles; −1: none.
  int selected() const;
  void select(int index);
  const EditBox* selected_box() const;  ///< as shown; null: none

  // Steps of undo, each.
  void add_box(PointEdit::Kind kind, const EditBox& box);  ///< and selects it
  void remove(size_t index);
  bool undo();
  bool redo();
  bool can_undo() const { return history_.can_undo(); }
  bool can_redo() const { return history_.can_redo(); }

  /// A box that panels change: any number of changes, then one step.
  void change_box(const EditBox& box);
  void end_change();

  /// The mouse over the picture. `least_side` of boxes, scene units. True: it is for the edits, not for the camera.
  bool press(const EditView& view, const Vec2<double>& pixel, const StrokeDepths& depths, double least_side);
  bool move(const EditView& view, const Vec2<double>& pixel);
  void release();
  void wheel(double clicks);  ///< the brush's radius
  bool active() const { return dragged_ != -1 || painting_; }
  int handle_at(const EditView& view, const Vec2<double>& pixel) const;

  /// Reads a file in place of the list; what was undone is forgotten. InputError.
  void load(const std::string& from, const Vec3<double>& origin_world);
  /// InputError.
  void save(const Vec3<double>& origin_world);

 private:
  void dab(const EditView& view, const Vec2<double>& pixel);
  std::optional<double> depth_at(const EditView& view, const Vec2<double>& pixel) const;

  PointEditHistory history_;
  PointEdits saved_;
  std::string list_file_;
  uint64_t changes_ = 1;
  int selected_ = -1;
  // A drag: the box as it is now.
  int dragged_ = -1;
  std::optional<EditBox> changed_box_;
  EditBox box_at_press_;
  EditView view_;  // that the drag or the stroke began in
  Vec2<double> press_px_{0}, last_px_{0};
  double least_side_ = 0;
  // A stroke.
  bool painting_ = false;
  PointEdit stroke_;
  StrokeDepths depths_;
  std::optional<double> last_depth_m_;  ///< of its last dab
};

/// A word for people: "crop box", "stroke of 12".
std::string edit_title(const PointEdit& edit);

/// A command line's word, in quotes where a shell needs them.
std::string shell_word(const std::string& word);

}  // namespace ptl
