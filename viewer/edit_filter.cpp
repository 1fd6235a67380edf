#include "viewer/edit_filter.h"

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "datasets/point_filter.h"
#include "viewer/edit_box.h"

namespace ptl {

namespace {

using Vec = Vec3<double>;
using Kind = PointEdit::Kind;

/// Wider than rounding: what is on a border is left to the points themselves.
double slack(const Vec& low, const Vec& high) {
  return 1e-9 * (glm::length(low) + glm::length(high));
}

struct Bounds {
  Vec low, high;
  bool meets(const Vec& other_low, const Vec& other_high) const {
    const double s = slack(low, high) + slack(other_low, other_high);
    for (int axis = 0; axis < 3; ++axis)
      if (other_low[axis] > high[axis] + s || other_high[axis] < low[axis] - s) return false;
    return true;
  }
};

enum class Overlap { none, some, all };

/// How much of a block lies in a box: `none` and `all` are certain.
Overlap overlap(const EditBox& box, const Bounds& block) {
  Vec low(INFINITY), high(-INFINITY);
  for (int i = 0; i < 8; ++i) {
    const Vec corner((i & 1) ? block.high.x : block.low.x, (i & 2) ? block.high.y : block.low.y,
                     (i & 4) ? block.high.z : block.low.z);
    const Vec at = box.box_from_scene * (corner - box.centre);
    low = glm::min(low, at);
    high = glm::max(high, at);
  }
  const double s = slack(low, high) + slack(box.centre, box.half_size);
  bool all = true;
  for (int axis = 0; axis < 3; ++axis) {
    if (low[axis] > box.half_size[axis] + s || high[axis] < -box.half_size[axis] - s) return Overlap::none;
    all &= low[axis] >= -box.half_size[axis] + s && high[axis] <= box.half_size[axis] - s;
  }
  if (all) return Overlap::all;
  Vec corner_low(INFINITY), corner_high(-INFINITY);
  for (const Vec& corner : box_corners(box)) {
    corner_low = glm::min(corner_low, corner);
    corner_high = glm::max(corner_high, corner);
  }
  return block.meets(corner_low, corner_high) ? Overlap::some : Overlap::none;
}

}  // namespace

BlockEdits edits_of_block(const PointEdits& edits, const CloudBlock& block) {
  const Bounds bounds{Vec(block.low), Vec(block.high)};
  BlockEdits result;
  bool any_keep = false, all_kept = false;
  PointEdits keep;
  for (const PointEdit& edit : edits) {
    if (edit.kind == Kind::keep_box || edit.kind == Kind::remove_box) {
      const Overlap part = overlap(edit.box, bounds);
      if (edit.kind == Kind::keep_box) {
        any_keep = true;
        all_kept |= part == Overlap::all;
        if (part == Overlap::some) keep.push_back(edit);
      } else if (part == Overlap::all) {
        return {BlockEdits::Fate::removed, {}};
      } else if (part == Overlap::some) {
        result.edits.push_back(edit);
      }
      continue;
    }
    PointEdit part;
    part.kind = edit.kind;
    for (const EditSphere& s : edit.spheres)
      if (bounds.meets(s.centre - Vec(s.radius), s.centre + Vec(s.radius))) part.spheres.push_back(s);
    for (const EditCylinder& c : edit.cylinders)
      if (bounds.meets(glm::min(c.from, c.to) - Vec(c.radius), glm::max(c.from, c.to) + Vec(c.radius)))
        part.cylinders.push_back(c);
    if (!part.spheres.empty() || !part.cylinders.empty()) result.edits.push_back(std::move(part));
  }
  if (any_keep && !all_kept) {
    if (keep.empty()) return {BlockEdits::Fate::removed, {}};
    result.edits.insert(result.edits.end(), keep.begin(), keep.end());
  }
  result.fate = result.edits.empty() ? BlockEdits::Fate::kept : BlockEdits::Fate::mixed;
  return result;
}

class EditFilter::Work {
 public:
  explicit Work(std::function<void()> wake) : wake_(std::move(wake)), thread_([this] { run(); }) {}
  ~Work() {
    {
      std::lock_guard lock(mutex_);
      end_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  void set_cloud(std::shared_ptr<const DrawnCloud> cloud) {
    {
      std::lock_guard lock(mutex_);
      new_cloud_ = std::move(cloud);
      decided_.clear();
      status_ = {};
      ++clouds_;
    }
    changed_.notify_all();
  }
  void request(PointEdits edits, uint64_t version) {
    {
      std::lock_guard lock(mutex_);
      wanted_ = std::move(edits);
      wanted_version_ = version;
      ++requests_;
    }
    changed_.notify_all();
  }
  std::vector<Decided> take(size_t most_points) {
    std::lock_guard lock(mutex_);
    std::vector<Decided> result;
    for (size_t points = 0; !decided_.empty() && points < most_points;) {
      result.push_back(std::move(decided_.begin()->second));
      decided_.erase(decided_.begin());
      points += result.back().removed.size();
    }
    return result;
  }
  Status status() const {
    std::lock_guard lock(mutex_);
    Status status = status_;
    status.taken = decided_.empty();
    return status;
  }

 private:
  void run() {
    uint64_t requests = 0, clouds = 0, version = 0;
    std::shared_ptr<const DrawnCloud> cloud;
    PointEdits edits;
    std::vector<BlockEdits> known;            // what the edits meant for each block last
    std::vector<std::vector<uint8_t>> flags;  // of its vertices; empty: all are kept
    std::vector<uint64_t> removed;            // how many of them are not
    size_t left = 0, next = 0;  // blocks that the newest edits have not been compared with; where to go on
    while (true) {
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return end_ || left > 0 || requests_ != requests || clouds_ != clouds; });
        if (end_) return;
        if (clouds_ != clouds) {
          clouds = clouds_;
          cloud = new_cloud_;
          const size_t blocks = cloud ? cloud->blocks.size() : 0;
          known.assign(blocks, {});
          flags.assign(blocks, {});
          removed.assign(blocks, 0);
          left = blocks;
          next = 0;
        }
        if (requests_ != requests) {
          requests = requests_;
          edits = wanted_;
          version = wanted_version_;
          left = known.size();
        }
        if (left == 0) finish(version, cloud.get(), removed);
      }
      if (left == 0) {
        wake();
        continue;
      }
      // Around in a circle, so that no block waits for ever while edits change with every movement of the mouse.
      next = next < known.size() ? next : 0;
      if (std::optional<Decided> decided = decide(*cloud, next, edits, known[next], flags[next])) {
        removed[next] = static_cast<uint64_t>(std::count(decided->removed.begin(), decided->removed.end(), 1));
        std::lock_guard lock(mutex_);
        if (clouds_ == clouds) put(std::move(*decided));
      }
      ++next;
      --left;
      if (left > 0) continue;
      {
        std::lock_guard lock(mutex_);
        if (clouds_ == clouds) finish(version, cloud.get(), removed);
      }
      wake();
    }
  }

  /// Nothing where no vertex changed.
  static std::optional<Decided> decide(const DrawnCloud& cloud, size_t index, const PointEdits& edits,
                                       BlockEdits& known, std::vector<uint8_t>& flags) {
    const CloudBlock& block = cloud.blocks[index];
    BlockEdits now = edits_of_block(edits, block);
    if (now.fate == known.fate && now.edits == known.edits) return std::nullopt;
    Decided decided;
    decided.block = index;
    decided.removed.assign(block.count, now.fate == BlockEdits::Fate::removed);
    const PointFilter filter(now.edits);
    bool changed = false;
    for (uint32_t i = 0; i < block.count; ++i) {
      const CloudVertex& v = cloud.vertices[block.first + i];
      const Vec3<float> at(v.x, v.y, v.z);
      if (now.fate == BlockEdits::Fate::mixed) decided.removed[i] = !filter.keeps(Vec(at));
      if (decided.removed[i] == (flags.empty() ? 0 : flags[i])) continue;
      decided.low = glm::min(decided.low, at);
      decided.high = glm::max(decided.high, at);
      changed = true;
    }
    known = std::move(now);
    if (!changed) return std::nullopt;
    flags = decided.removed;
    return decided;
  }

  /// With the mutex held. What was not taken yet is outdated, but for where it changed something.
  void put(Decided decided) {
    Decided& place = decided_[decided.block];
    decided.low = glm::min(decided.low, place.low);
    decided.high = glm::max(decided.high, place.high);
    place = std::move(decided);
  }
  /// With the mutex held.
  void finish(uint64_t version, const DrawnCloud* cloud, const std::vector<uint64_t>& removed) {
    status_ = {version, 0, true, false};
    double scaled = 0;
    for (size_t b = 0; b < removed.size(); ++b) {
      const CloudBlock& block = cloud->blocks[b];
      status_.exact &= block.stands_for == block.count;
      scaled += static_cast<double>(removed[b]) * static_cast<double>(block.stands_for) / std::max(1u, block.count);
    }
    status_.removed = static_cast<uint64_t>(std::llround(scaled));
  }
  void wake() const {
    if (wake_) wake_();
  }

  const std::function<void()> wake_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::shared_ptr<const DrawnCloud> new_cloud_;
  PointEdits wanted_;
  uint64_t wanted_version_ = 0, requests_ = 0, clouds_ = 0;
  std::map<size_t, Decided> decided_;
  Status status_;
  bool end_ = false;
  std::thread thread_;  // last: it uses all of the above
};

EditFilter::EditFilter(std::function<void()> wake) : work_(std::make_unique<Work>(std::move(wake))) {}
EditFilter::~EditFilter() = default;
void EditFilter::set_cloud(std::shared_ptr<const DrawnCloud> cloud) {
  work_->set_cloud(std::move(cloud));
}
void EditFilter::request(PointEdits edits, uint64_t version) {
  work_->request(std::move(edits), version);
}
std::vector<EditFilter::Decided> EditFilter::take(size_t most_points) {
  return work_->take(most_points);
}
EditFilter::Status EditFilter::status() const {
  return work_->status();
}

}  // namespace ptl
