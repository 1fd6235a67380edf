// The tiny model with photos, as a folder on the disk.
#pragma once

#include <filesystem>

#include "datasets/exif.h"
#include "datasets/image_io.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tiny_model.h"

namespace ptl::testing {

inline StoredImage grey_photo(int width, int height, uint8_t level = 100, int channels = 3) {
  StoredImage image;
  image.width = width;
  image.height = height;
  image.channels = channels;
  image.values8.assign(image.value_count(), level);
  return image;
}

/// Writes sparse/0 and images/. The photos get the sizes of their cameras and EXIF: 1/50 s, f/2, ISO 100 · 2^i.
inline void write_tiny_scene(const std::filesystem::path& folder, const ColmapModel& model = tiny_model()) {
  write_colmap_model(model, folder / "sparse" / "0", ColmapFormat::binary);
  double iso = 100;
  for (const ColmapImage& image : model.images) {
    const ColmapCamera* camera = nullptr;
    for (const ColmapCamera& candidate : model.cameras)
      if (candidate.id == image.camera_id) camera = &candidate;
    ExifFields exif;
    exif.exposure_time_s = 0.02;
    exif.f_number = 2;
    exif.iso = iso;
    iso *= 2;
    write_jpeg(folder / "images" / image.name,
               grey_photo(static_cast<int>(camera->width_px), static_cast<int>(camera->height_px)), 90,
               make_exif_block(exif));
  }
}

}  // namespace ptl::testing
