#include "tests/fuzz/fuzzed_readers.h"

#include <fstream>

#include "datasets/camera_path_json.h"
#include "datasets/camera_path_nerfstudio.h"
#include "datasets/error.h"
#include "datasets/exif.h"
#include "datasets/image_io.h"
#include "datasets/ply.h"
#include "datasets/point_edits.h"
#include "datasets/scene_loader.h"

namespace ptl::testing {
namespace fs = std::filesystem;

namespace {

std::function<void(const fs::path&)> scene_reader(const std::string& format) {
  return [format](const fs::path& folder) {
    LoadOptions options;
    options.format = format;
    options.photos_needed = false;
    load_scene(folder, options);
  };
}

std::function<void(const fs::path&)> photos_in(const std::vector<std::string>& names) {
  return [names](const fs::path& folder) {
    for (const std::string& name : names) {
      const Image grey(80, 60, 3, 0.5f);
      fs::path(name).extension() == ".png" ? write_png(folder / name, grey) : write_jpeg(folder / name, grey);
    }
  };
}

void nothing(const fs::path&) {}

void write_cloud(const fs::path& file, const Vec3<double>& origin_world = Vec3<double>(0)) {
  PointCloud cloud;
  cloud.position = {{0, 0, 0}, {0.1f, 0, 0}};
  cloud.color = {{1, 2, 3}, {4, 5, 6}};
  write_ply(file, cloud, origin_world);
}

void read_picture(const fs::path& file) {
  read_image_info(file);
  if (image_format(file) == ImageFormat::exr) {
    read_exr(file);
    return;
  }
  read_image(file, 3);
  read_alpha(file);
}

FuzzedReader picture_reader(const std::string& kind) {
  return {kind, {"file." + kind}, nothing, [kind](const fs::path& folder) { read_picture(folder / ("file." + kind)); }};
}

}  // namespace

const std::vector<FuzzedReader>& fuzzed_readers() {
  static const std::vector<FuzzedReader> readers = {
      {"colmap_binary",
       {"sparse/0/cameras.bin", "sparse/0/images.bin", "sparse/0/points3D.bin"},
       nothing,
       scene_reader("colmap")},
      {"colmap_text",
       {"sparse/0/cameras.txt", "sparse/0/images.txt", "sparse/0/points3D.txt"},
       nothing,
       scene_reader("colmap")},
      {"transforms",
       {"transforms.json"},
       [](const fs::path& folder) { write_cloud(folder / "sparse_pc.ply"); },
       scene_reader("transforms")},
      {"bundler",
       {"bundle/bundle.out", "list.txt"},
       photos_in({"photos/a photo.jpg", "photos/b.jpg", "photos/c.jpg"}),
       scene_reader("bundler")},
      {"openmvg",
       {"sfm_data.json"},
       photos_in({"images/a.jpg", "images/b.jpg", "images/c.jpg"}),
       scene_reader("openmvg")},
      {"metashape",
       {"cameras.xml"},
       [](const fs::path& folder) {
         photos_in({"images/a.jpg", "images/b.JPG", "images/c.jpg"})(folder);
         write_cloud(folder / "points.ply", {4027894.07, 306999.08, 4919499.33});  // before the seed's cameras
       },
       scene_reader("metashape")},
      {"adop",
       {"dataset.ini", "camera0.ini", "camera1.ini", "images.txt", "camera_indices.txt", "poses.txt", "exposure.txt",
        "masks.txt", "point_cloud.ply"},
       nothing,
       scene_reader("adop")},
      {"scannet",
       {"intrinsic/intrinsic_color.txt", "intrinsic/intrinsic_depth.txt", "intrinsic/extrinsic_color.txt",
        "intrinsic/extrinsic_depth.txt", "pose/0.txt", "pose/10.txt"},
       [](const fs::path& folder) {
         photos_in({"color/0.png", "color/10.png"})(folder);
         for (const char* name : {"depth/0.png", "depth/10.png"}) write_png(folder / name, Image(40, 30, 1, 0.02f), 16);
       },
       scene_reader("scannet")},
      {"ply", {"points.ply"}, nothing, [](const fs::path& folder) { read_ply(folder / "points.ply"); }},
      {"edits",
       {"edits.json"},
       nothing,
       [](const fs::path& folder) { read_point_edits(folder / "edits.json", Vec3<double>(1, 2, 3)); }},
      {"camera_path",
       {"path.json"},
       nothing,
       [](const fs::path& folder) {
         const Vec3<double> origin(1, 2, 3);
         try {
           read_camera_path(folder / "path.json", origin);
         } catch (const InputError&) {
           read_nerfstudio_path(folder / "path.json", origin, NerfstudioTransform());
         }
       }},
      {"nerfstudio_transform",
       {"dataparser_transforms.json"},
       nothing,
       [](const fs::path& folder) { read_nerfstudio_transform(folder / "dataparser_transforms.json"); }},
      {"exif",
       {"file.jpg"},
       nothing,
       [](const fs::path& folder) {
         read_exif(folder / "file.jpg");
         read_exposure_ev(folder / "file.jpg");
       }},
      picture_reader("jpg"),
      picture_reader("png"),
      picture_reader("tif"),
      picture_reader("exr"),
  };
  return readers;
}

void read_fuzzed(const FuzzedReader& reader, const fs::path& folder, std::string_view input) {
  for (size_t i = 0; i < reader.files.size(); ++i) {
    const size_t end = i + 1 < reader.files.size() ? input.find(part_separator) : std::string_view::npos;
    const fs::path file = folder / reader.files[i];
    fs::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << input.substr(0, end);
    input = end == std::string_view::npos ? std::string_view{} : input.substr(end + part_separator.size());
  }
  try {
    reader.read(folder);
  } catch (const InputError&) {
    // What a user gets to read.
  }
}

}  // namespace ptl::testing
