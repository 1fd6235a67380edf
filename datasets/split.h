// Which photos are held out. Held-out photos are never used in training, densifying or choosing anything.
#pragma once

#include <string>
#include <vector>

#include "datasets/scene.h"

namespace ptl {

struct Split {
  std::string name;           ///< "every8", "none" or the file's name: the word in reports (method section 7)
  std::vector<int> train;     ///< indices into Scene::images, ascending
  std::vector<int> held_out;  ///< the same; empty for "none"
};

/// `which`: "every8" (images 0, 8, 16, … of the names sorted by bytes), "none", or a file that lists the held-out images,
/// one a line, as names or as indices into that order (# starts a comment). Throws InputError for a file that cannot be
/// read, an entry that is no image of the scene or stands twice, an empty list, or when no training image is left.
Split make_split(const Scene& scene, const std::string& which);

}  // namespace ptl
