// Photos for the interface, decoded on a thread of their own: small ones of all images for the frusta, one whole one at
// a time.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "datasets/image_cache.h"

namespace ptl {

class PhotoShelf {
 public:
  PhotoShelf(std::shared_ptr<ImageCache> photos, std::function<void()> wake);
  PhotoShelf(const PhotoShelf&) = delete;
  PhotoShelf& operator=(const PhotoShelf&) = delete;
  ~PhotoShelf();

  /// This photo is wanted next, whole (at most `largest_side_px`).
  void want(int image);

  struct Item {
    int image = 0;
    bool small = false;
    StoredImage pixels;   ///< 8 bits, RGB
    std::string problem;  ///< not empty: it could not be read
  };
  std::vector<Item> take();

  static constexpr int small_side_px = 128;
  static constexpr int largest_side_px = 1920;

 private:
  class Work;
  std::unique_ptr<Work> work_;
};

}  // namespace ptl
