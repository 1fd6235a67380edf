// Photos are decoded when they are needed and kept, as integers, within a memory bound. What the cache holds never
// changes a result, only the time that it takes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <list>
#include <memory>
#include <mutex>
#include <vector>

#include "datasets/image.h"
#include "datasets/scene.h"
#include "kernels/camera.h"

namespace ptl {

/// A photo (and its mask) and the size that it is used at.
struct ImageSource {
  std::filesystem::path photo_path;
  std::filesystem::path mask_path;  ///< empty: no mask; grey, white counts, grey in part; the photo itself: its alpha
  int stored_width_px = 0;          ///< what the file must have; otherwise InputError
  int stored_height_px = 0;
  int width_px = 0;                 ///< what it is reduced to by the area filter; at most the stored size
  int height_px = 0;
  bool wraps_x = false;             ///< a panorama: crops may reach over its seam
  std::optional<LogRange> range = {}; ///< of HDR photos
};

/// Of every image of a scene, in its order, at the scene's used size.
std::vector<ImageSource> image_sources(const Scene& scene);

class ImageCache {
 public:
  /// `max_bytes` bounds the decoded photos and masks that are kept. A single photo may exceed it; then only that is kept.
  ImageCache(std::vector<ImageSource> sources, uint64_t max_bytes);

  struct Decoded {
    StoredImage photo;  ///< RGB at the used size
    StoredImage mask;   ///< grey, 8 or 16 bits, at the used size; empty when there is none
    uint64_t bytes() const { return photo.bytes() + mask.bytes(); }
  };

  /// The photo, decoded now when it is not held. Thread-safe. Holding the pointer keeps it alive beyond the bound.
  /// Throws InputError for a missing or damaged file, or one of another size than expected.
  std::shared_ptr<const Decoded> get(int image);

  /// Fills rgb [height, width, 3] (0..1, as encoded in the photo; HDR: datasets/log_range.h) and mask [height, width]
  /// (0..1) of a crop (kernels/camera.h: x_crop = zoom · x_photo − offset). The crop pixel (x, y) shows the photo at ((x, y) + 0.5 + offset)/zoom:
  /// bilinear for zoom ≥ 1, the mean over the covered box below. Where that lies outside of the photo, both are 0.
  /// The same crop gives the same bits at any time. Thread-safe.
  void sample_crop(int image, const Crop& crop, float* rgb, float* mask);

  /// The whole photo / mask at the used size: sample_crop with the identity. The mask has one channel (all 1 without one).
  Image photo(int image);
  Image mask(int image);

  int size() const { return static_cast<int>(sources_.size()); }
  const ImageSource& source(int image) const { return sources_.at(static_cast<size_t>(image)); }
  uint64_t max_bytes() const { return max_bytes_; }

  struct Statistics {
    uint64_t bytes = 0;       ///< held now
    uint64_t peak_bytes = 0;  ///< the most that was held at once
    uint64_t decoded = 0;     ///< photos decoded so far
    uint64_t reused = 0;      ///< requests that found theirs
    double decode_seconds = 0;
  };
  Statistics statistics() const;

 private:
  struct Slot {
    std::shared_ptr<const Decoded> decoded;  ///< null: not held
    std::list<int>::iterator place;          ///< in recent_, while held
  };
  Decoded decode(const ImageSource& source) const;
  void make_room(uint64_t bytes);

  std::vector<ImageSource> sources_;
  uint64_t max_bytes_;
  mutable std::mutex mutex_;
  std::vector<Slot> slots_;
  std::list<int> recent_;  ///< images that are held, the one used last in front
  Statistics statistics_;
};

}  // namespace ptl
