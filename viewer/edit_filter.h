// Which of a cloud's points the edits remove, found on a thread of its own, block by block: only blocks for which an
// edit came, went or changed are looked at again, so that a stroke costs what it touches.
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "datasets/point_edits.h"
#include "viewer/drawn_cloud.h"

namespace ptl {

/// What a list of edits means within a block: nothing to ask its points, or the few edits that can tell them apart.
struct BlockEdits {
  enum class Fate { kept, removed, mixed } fate = Fate::kept;
  PointEdits edits;  ///< mixed: PointFilter of these keeps the same points of the block as that of all edits
};
BlockEdits edits_of_block(const PointEdits& edits, const CloudBlock& block);

class EditFilter {
 public:
  /// `wake` is called by the thread when there is something to take.
  explicit EditFilter(std::function<void()> wake);
  EditFilter(const EditFilter&) = delete;
  EditFilter& operator=(const EditFilter&) = delete;
  ~EditFilter();

  /// Another cloud, of which no point is removed yet. May be null.
  void set_cloud(std::shared_ptr<const DrawnCloud> cloud);
  /// The newest request wins. Versions rise.
  void request(PointEdits edits, uint64_t version);

  /// Blocks in which something changed since the last call, about `most_points` of their points.
  struct Decided {
    size_t block = 0;
    std::vector<uint8_t> removed;                ///< one a vertex of the block; 0: kept
    Vec3<float> low{INFINITY}, high{-INFINITY};  ///< around the vertices for which that is another than before
  };
  std::vector<Decided> take(size_t most_points);

  struct Status {
    uint64_t version = 0;  ///< of the last request that was decided for all blocks
    uint64_t removed = 0;  ///< points of the whole cloud then
    bool exact = true;     ///< false: the cloud holds a share of its points, and `removed` was scaled up from them
    bool taken = true;     ///< nothing waits for take()
  };
  Status status() const;

 private:
  class Work;
  std::unique_ptr<Work> work_;
};

}  // namespace ptl
