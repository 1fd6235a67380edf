// Panoramas and very wide lenses as the stereo can take them: each photo as up to six pinhole photos that look forward,
// right, back, left, up and down.
#pragma once

#include <filesystem>
#include <vector>

#include "datasets/scene.h"
#include "dense/fuse.h"
#include "dense/match_photos.h"
#include "kernels/device.h"

namespace ptl {

/// A panorama, or a lens that sees more than 65° beside its axis in the middle of a side: too much for one pinhole.
bool needs_faces(const CameraParams<double>& camera);
bool has_wide_photos(const Scene& scene, const std::vector<int>& photos);

struct PhotoFaces {
  Scene scene;                ///< its images: other photos as they are, the faces of each wide one
  std::vector<int> photos;    ///< all of them
  std::vector<int> image_of;  ///< by image: the one of the scene that it is from
};

/// The faces of those `photos` (indices into Scene::images; others are left out) that need them. They span 100°, so
/// that what lies at an edge is seen well by one of two, with as many pixels a degree as the photo's middle but no more
/// than `most_side_px` a side, and are PNGs in `folder`/faces, with the photo's mask and what it does not show as
/// alpha; an interrupted run finds them there. Faces that show next to nothing of the photo are left out. Keypoints and
/// tracks go to every face that shows them. InputError as ImageCache::get. `device`: with its scratch memory.
PhotoFaces split_wide_photos(const Device& device, const Scene& scene, const std::vector<int>& photos, int most_side_px,
                             const std::filesystem::path& folder, const DenseProgress& progress);

/// Images of the faces' scene → those of the photos'; an image that saw a point in several faces counts once.
void seen_by_photos(const PhotoFaces& faces, DenseCloud& points);
/// Those of which no face has a photo to match with.
std::vector<int> unconnected_photos(const PhotoFaces& faces, const std::vector<int>& unconnected);

}  // namespace ptl
