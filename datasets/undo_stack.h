// Undo and redo of anything that can be copied: camera jumps, edits of paths, edits of points.
#pragma once

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace ptl {

/// The states before and after now; now itself is the caller's, who may change it in ways that are not worth a step.
template <class State>
class UndoStack {
 public:
  explicit UndoStack(size_t most_steps = 200) : most_steps_(most_steps) {}

  /// Before a change: the state that undo() goes back to. What was undone is forgotten.
  void record(State before) {
    redo_.clear();
    undo_.push_back(std::move(before));
    if (undo_.size() > most_steps_) undo_.erase(undo_.begin());
  }
  /// The state before the last change, or nothing; `now` is what redo() comes back to.
  std::optional<State> undo(State now) { return step(undo_, redo_, std::move(now)); }
  std::optional<State> redo(State now) { return step(redo_, undo_, std::move(now)); }

  bool can_undo() const { return !undo_.empty(); }
  bool can_redo() const { return !redo_.empty(); }
  void clear() {
    undo_.clear();
    redo_.clear();
  }

 private:
  static std::optional<State> step(std::vector<State>& from, std::vector<State>& to, State now) {
    if (from.empty()) return std::nullopt;
    to.push_back(std::move(now));
    State state = std::move(from.back());
    from.pop_back();
    return state;
  }

  size_t most_steps_;
  std::vector<State> undo_, redo_;
};

}  // namespace ptl
