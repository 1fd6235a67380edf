// A sound synthetic scene, made once a test program; copies of it with one fault each.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "datasets/colmap.h"
#include "datasets/exif.h"
#include "datasets/image_io.h"
#include "datasets/ply.h"
#include "datasets/synthetic_write.h"
#include "doctor/describe.h"
#include "doctor/examine.h"
#include "tests/support/temporary_folder.h"

namespace ptl::testing {

inline constexpr int sound_photos = 32;

inline SyntheticOptions sound_options() {
  SyntheticOptions options;
  options.photos = sound_photos;
  options.width_px = 288;
  options.height_px = 192;
  options.samples = 2;
  options.density = 0.3;
  options.sparse_points = 4000;
  return options;
}

inline const std::filesystem::path& sound_scene() {
  static const TemporaryFolder folder;
  static const std::filesystem::path scene = [] {
    write_synthetic_scene(sound_options(), folder / "scene");
    return folder / "scene";
  }();
  return scene;
}

/// A copy that a test may damage.
class Planted {
 public:
  explicit Planted(const std::filesystem::path& original = sound_scene()) : scene_(folder_ / "scene") {
    std::filesystem::create_directories(scene_);
    for (const char* part : {"images", "sparse", "points.ply"})
      std::filesystem::copy(original / part, scene_ / part, std::filesystem::copy_options::recursive);
  }

  const std::filesystem::path& path() const { return scene_; }
  std::filesystem::path photo_path(int i) const { return scene_ / "images" / synthetic_photo_name(i); }
  std::filesystem::path model_path() const { return scene_ / "sparse" / "0"; }

  /// Changes the pixels of a photo and keeps its EXIF.
  void change_photo(int i, const std::function<void(StoredImage&)>& change) {
    StoredImage photo = read_image(photo_path(i));
    change(photo);
    write_jpeg(photo_path(i), photo, 95, make_exif_block(read_exif(photo_path(i))));
  }
  void change_exif(int i, const std::function<void(ExifFields&)>& change) {
    ExifFields fields = read_exif(photo_path(i));
    change(fields);
    write_jpeg(photo_path(i), read_image(photo_path(i)), 95, make_exif_block(fields));
  }
  void strip_exif(int i) { write_jpeg(photo_path(i), read_image(photo_path(i)), 95); }
  void change_model(const std::function<void(ColmapModel&)>& change) {
    ColmapModel model = read_colmap_model(model_path());
    change(model);
    write_colmap_model(model, model_path(), ColmapFormat::binary);
  }
  void change_cloud(const std::function<void(PointCloud&)>& change) {
    PointCloud cloud = read_ply(scene_ / "points.ply").cloud;
    change(cloud);
    write_ply(scene_ / "points.ply", cloud);
  }
  void mask(int i, const StoredImage& mask) { write_png(scene_ / "masks" / (synthetic_photo_name(i) + ".png"), mask); }

  doctor::Examination examine(const doctor::ExamineOptions& options = {}) const {
    return doctor::examine(doctor::open_scene_to_examine(scene_, {}), options);
  }

 private:
  TemporaryFolder folder_;
  std::filesystem::path scene_;
};

inline StoredImage plain_mask(int width, int height, uint8_t value) {
  StoredImage mask;
  mask.width = width, mask.height = height, mask.channels = 1;
  mask.values8.assign(static_cast<size_t>(width) * static_cast<size_t>(height), value);
  return mask;
}

/// The pose with the camera turned by degrees about its own axis and its centre moved by `moved` (camera axes).
inline void move_pose(ColmapImage& image, const Vec3<double>& moved, const Vec3<double>& axis, double degrees) {
  const auto& q = image.rotation_wxyz;
  const double half = degrees * 3.14159265358979323846 / 360, s = std::sin(half);
  const std::array<double, 4> t{std::cos(half), s * axis.x, s * axis.y, s * axis.z};
  const std::array<double, 4> turned{
      t[0] * q[0] - t[1] * q[1] - t[2] * q[2] - t[3] * q[3], t[0] * q[1] + t[1] * q[0] + t[2] * q[3] - t[3] * q[2],
      t[0] * q[2] - t[1] * q[3] + t[2] * q[0] + t[3] * q[1], t[0] * q[3] + t[1] * q[2] - t[2] * q[1] + t[3] * q[0]};
  const Vec3<double> x(image.translation[0], image.translation[1], image.translation[2]);
  const Vec3<double> turned_x = x * std::cos(2 * half) + glm::cross(axis, x) * std::sin(2 * half) +
                                axis * glm::dot(axis, x) * (1 - std::cos(2 * half)) - moved;
  image.rotation_wxyz = turned;
  image.translation = {turned_x.x, turned_x.y, turned_x.z};
}

inline ColmapImage& image_named(ColmapModel& model, int i) {
  return *std::find_if(model.images.begin(), model.images.end(),
                       [&](const ColmapImage& image) { return image.name == synthetic_photo_name(i); });
}

inline const doctor::Finding* find_check(const doctor::Examination& examination, const std::string& check) {
  for (const doctor::Finding& finding : examination.diagnosis.findings)
    if (finding.check == check) return &finding;
  return nullptr;
}

/// The check's finding; a test fails with what was found instead when there is none.
inline const doctor::Finding& check_found(const doctor::Examination& examination, const std::string& check) {
  const doctor::Finding* finding = find_check(examination, check);
  if (finding == nullptr) throw std::runtime_error(check + " was not found; found was\n" + describe_text(examination));
  return *finding;
}

inline std::set<std::string> names_in(const doctor::Examination& examination, const doctor::Finding& finding) {
  std::set<std::string> names;
  for (const doctor::Mention& mention : finding.images)
    names.insert(examination.opened.scene.images[static_cast<size_t>(mention.image)].name);
  return names;
}

inline std::set<std::string> photo_names(std::initializer_list<int> photos) {
  std::set<std::string> names;
  for (const int i : photos) names.insert(synthetic_photo_name(i));
  return names;
}

/// The check found something of this severity, about these photos and no others.
inline void expect_found(const doctor::Examination& examination, const std::string& check, doctor::Severity severity,
                         std::initializer_list<int> photos) {
  const doctor::Finding* finding = find_check(examination, check);
  ASSERT_NE(finding, nullptr) << check << " was not found; found was\n" << describe_text(examination);
  EXPECT_EQ(doctor::severity_name(finding->severity), std::string(doctor::severity_name(severity)))
      << describe_text(examination);
  EXPECT_EQ(names_in(examination, *finding), photo_names(photos)) << describe_text(examination);
  if (severity == doctor::Severity::severe) {
    EXPECT_FALSE(examination.diagnosis.fit_is_advisable());
  }
}

/// Nothing severe or harmful beside these checks.
inline void expect_nothing_else(const doctor::Examination& examination, const std::set<std::string>& expected) {
  for (const doctor::Finding& finding : examination.diagnosis.findings)
    if (finding.severity != doctor::Severity::note) {
      EXPECT_TRUE(expected.count(finding.check)) << "unexpected " << finding.check << "\n"
                                                 << describe_text(examination);
    }
}

}  // namespace ptl::testing
