// The user's edits (datasets/point_edits.h) on dense points.
#pragma once

#include <cstddef>

#include "datasets/point_edits.h"
#include "dense/fuse.h"

namespace ptl {

/// Drops what the edits do not keep, with all that is known of it. Returns how many points went.
size_t drop_edited(DenseCloud& dense, const PointEdits& edits);

}  // namespace ptl
