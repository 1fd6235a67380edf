// PLY point clouds: ascii and both binary byte orders in, binary little endian out.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "datasets/scene.h"

namespace ptl {

struct PlyContents {
  PointCloud cloud;
  std::vector<float> confidence;      ///< 0..1 a point, as far as the file has property "confidence"; otherwise empty
  bool has_color = false;             ///< otherwise the colours are mid grey
  std::vector<std::string> comments;  ///< the header's comment lines, without the word "comment"
};

/// Reads element "vertex": x, y, z (any number type; doubles keep their precision until `origin_world` is subtracted),
/// optional colours (red/green/blue, diffuse_red/…, r/g/b; bytes as they are, 16 bits scaled
/// down, other integers 0..255; floats 0..1, or 0..255 where one of them is above 1), optional
/// normals nx, ny, nz (normalised; all dropped when any is zero or not finite). Other elements and properties, lists
/// too, are skipped. Throws InputError for a file that is not PLY, a broken header, a count larger than the file, an end
/// in the middle, positions that are NaN or infinite, and zero points.
PlyContents read_ply(const std::filesystem::path& path, const Vec3<double>& origin_world = Vec3<double>(0));

/// Writes x, y, z (double when `origin_world` is not zero, else float), colours and, where there are any, normals and
/// confidences (as many as points).
void write_ply(const std::filesystem::path& path, const PointCloud& cloud,
               const Vec3<double>& origin_world = Vec3<double>(0), const std::vector<std::string>& comments = {},
               const std::vector<float>& confidence = {});

}  // namespace ptl
