#include <algorithm>
#include <ostream>

#include "datasets/atomic_file.h"
#include "datasets/ply.h"

namespace ptl {
namespace fs = std::filesystem;

void write_ply(const fs::path& path, const PointCloud& cloud, const Vec3<double>& origin_world, const PlyExtras& extras) {
  constexpr size_t longest_list = 255;  // its length is a byte
  const bool with_confidence = extras.confidence.size() == cloud.size() && cloud.size() > 0;
  const bool with_seen_by = extras.seen_by.first.size() == cloud.size() + 1 && cloud.size() > 0;
  const bool as_double = origin_world != Vec3<double>(0);
  const bool with_normals = cloud.normal.size() == cloud.size() && cloud.size() > 0;
  write_file_atomically(path, [&](std::ostream& out) {
    out << "ply\nformat binary_little_endian 1.0\n";
    for (const std::string& comment : extras.comments) out << "comment " << comment << '\n';
    out << "element vertex " << cloud.size() << '\n';
    for (const char* axis : {"x", "y", "z"}) out << "property " << (as_double ? "double " : "float ") << axis << '\n';
    if (with_normals) out << "property float nx\nproperty float ny\nproperty float nz\n";
    out << "property uchar red\nproperty uchar green\nproperty uchar blue\n";
    if (with_confidence) out << "property float confidence\n";
    if (with_seen_by) out << "property list uchar uint seen_by\n";
    out << "end_header\n";
    const auto put = [&out](const auto& value) { out.write(reinterpret_cast<const char*>(&value), sizeof(value)); };
    for (size_t i = 0; i < cloud.size(); ++i) {
      for (int axis = 0; axis < 3; ++axis)
        if (as_double) put(static_cast<double>(cloud.position[i][axis]) + origin_world[axis]);
        else put(cloud.position[i][axis]);
      if (with_normals)
        for (int axis = 0; axis < 3; ++axis) put(cloud.normal[i][axis]);
      out.write(reinterpret_cast<const char*>(cloud.color[i].data()), 3);
      if (with_confidence) put(extras.confidence[i]);
      if (!with_seen_by) continue;
      const uint64_t from = extras.seen_by.first[i];
      const auto length = static_cast<uint8_t>(std::min<uint64_t>(longest_list, extras.seen_by.first[i + 1] - from));
      put(length);
      for (uint64_t k = 0; k < length; ++k) put(extras.seen_by.image_id[from + k]);
    }
  });
}

}  // namespace ptl
