// Which photos are held out. Held-out photos are never used in training, densifying or choosing anything.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "datasets/scene.h"

namespace ptl {

struct Split {
  std::string name;           ///< "every8", "none", "dataset" or the file's name: the word in reports (method section 7)
  std::vector<int> train;     ///< indices into Scene::images, ascending
  std::vector<int> held_out;  ///< the same; empty for "none"
};

/// `which`: "every8" (images 0, 8, 16, … of the names sorted by bytes), "none", "dataset" (those that the dataset itself
/// keeps for testing), or a file that lists the held-out images, one a line, as names or as indices into that order (#
/// starts a comment). Throws InputError for a file that cannot be read, an entry that is no image of the scene or stands
/// twice, an empty list, a dataset that keeps none, or when no training image is left.
Split make_split(const Scene& scene, const std::string& which);

/// At most `count` of the images, spread evenly over their order.
template <class Index>
std::vector<Index> spread_evenly(const std::vector<Index>& images, size_t count) {
  if (images.size() <= count) return images;
  std::vector<Index> some;
  for (size_t i = 0; i < count; ++i) some.push_back(images[i * images.size() / count]);
  return some;
}

}  // namespace ptl
