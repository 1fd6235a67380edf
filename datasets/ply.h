// PLY point clouds: ascii and both binary byte orders in, binary little endian out.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "datasets/scene.h"

namespace ptl {

/// The photos that saw each point, by the scene's image ids: image_id[first[i]] … image_id[first[i + 1] − 1].
struct SeenBy {
  std::vector<uint64_t> first;  ///< one more than points; empty: not known
  std::vector<uint32_t> image_id;
};

/// What a file may hold besides the cloud; each part empty where it does not.
struct PlyExtras {
  std::vector<std::string> comments;  ///< the header's comment lines, without the word "comment"
  std::vector<float> confidence;      ///< 0..1, one a point: property "confidence"
  SeenBy seen_by;                     ///< property "list … uint seen_by"; at most 255 photos a point are written
};

struct PlyContents : PlyExtras {
  PointCloud cloud;
  bool has_color = false;  ///< otherwise the colours are mid grey
};

/// Reads element "vertex": x, y, z (any number type; doubles keep their precision until `origin_world` is subtracted),
/// optional colours (red/green/blue, diffuse_red/…, r/g/b; bytes as they are, 16 bits scaled
/// down, other integers 0..255; floats 0..1, or 0..255 where one of them is above 1), optional
/// normals nx, ny, nz (normalised; all dropped when any is zero or not finite). Other elements and properties, lists
/// too, are skipped. Throws InputError for a file that is not PLY, a broken header, a count larger than the file, an end
/// in the middle, positions that are NaN or infinite, and zero points.
PlyContents read_ply(const std::filesystem::path& path, const Vec3<double>& origin_world = Vec3<double>(0));

/// Writes x, y, z (double when `origin_world` is not zero, else float), colours, normals where there are any, and the extras.
void write_ply(const std::filesystem::path& path, const PointCloud& cloud,
               const Vec3<double>& origin_world = Vec3<double>(0), const PlyExtras& extras = {});

}  // namespace ptl
