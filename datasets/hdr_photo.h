// Photos as a fit looks at them, ordinary and of high dynamic range alike; and the range of a scene's HDR photos.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "datasets/image_io.h"
#include "datasets/scene.h"

namespace ptl {

/// Linear radiance of an OpenEXR photo, three channels. InputError: no R, G and B, or a pixel that is NaN or infinite.
/// Values below 0, as filters leave them, are kept.
Image read_radiance(const std::filesystem::path& path);

/// The photo as three channels, reduced to a size (resize.h: reduce_area). OpenEXR becomes 16-bit values of its
/// radiance's logarithm, averaged before that is taken; any other file is what read_image makes of it. InputError as of
/// both, and for OpenEXR without a range.
StoredImage read_photo(const std::filesystem::path& path, const std::optional<LogRange>& range, int width_px,
                       int height_px);
StoredImage read_photo(const std::filesystem::path& path, const std::optional<LogRange>& range);

/// Whether a scene's photos are OpenEXR (all are, or none: datasets/scene_photos.h).
bool is_hdr(const Scene& scene);

/// Where the photos are HDR: sets Scene::photo_range from at most 16 of the images with these indices, which are those
/// that may be learned from, and says so in the oddities. From the darkest thousandth to the brightest thousandth of
/// their values above 0 under the masks, a stop more on either side, in whole stops; at least 6 and at most 24 of them,
/// counted from above. The cloud's colours, whatever tool made them, are brought to the photos' values: their median
/// and their spread become those of the photos. InputError as of read_radiance, and where all values are 0 or less.
void choose_photo_range(Scene& scene, const std::vector<int>& images);

/// "log-coded, 11 stops from 2^-7 to 2^4": what figures of HDR photos are taken on.
std::string describe(const LogRange& range);

}  // namespace ptl
