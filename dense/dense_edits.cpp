#include "dense/dense_edits.h"

#include "datasets/point_filter.h"

namespace ptl {

size_t drop_edited(DenseCloud& dense, const PointEdits& edits) {
  if (edits.empty()) return 0;
  const size_t before = dense.cloud.size();
  const std::vector<uint8_t> kept = PointFilter(edits).kept(dense.cloud.position);
  std::vector<uint64_t> first = {0};
  std::vector<uint32_t> seen_by;
  for (size_t i = 0; i < before; ++i) {
    if (!kept[i]) continue;
    for (uint64_t k = dense.first_seen[i]; k < dense.first_seen[i + 1]; ++k) seen_by.push_back(dense.seen_by[k]);
    first.push_back(seen_by.size());
  }
  dense.first_seen = std::move(first);
  dense.seen_by = std::move(seen_by);
  keep_flagged(dense.cloud.position, kept);
  keep_flagged(dense.cloud.color, kept);
  keep_flagged(dense.cloud.normal, kept);
  keep_flagged(dense.confidence, kept);
  return before - dense.cloud.size();
}

}  // namespace ptl
