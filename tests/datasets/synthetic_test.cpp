// Ray-traced scenes: the tracer against brute force, the written folder against the truth.
#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "datasets/colmap.h"
#include "datasets/exif.h"
#include "datasets/image_io.h"
#include "datasets/ply.h"
#include "datasets/scene_loader.h"
#include "datasets/synthetic_write.h"
#include "tests/support/expect_input_error.h"
#include "tests/support/temporary_folder.h"

namespace ptl {
namespace {

using synthetic::Float3;
using synthetic::Hit;
using synthetic::Primitive;
using synthetic::Ray;
using synthetic::Shape;
using synthetic::Tracer;

SyntheticOptions small() {
  SyntheticOptions options;
  options.seed = 3;
  options.photos = 10;
  options.width_px = 96;
  options.height_px = 64;
  options.samples = 4;
  options.sparse_points = 400;
  return options;
}

const SyntheticCapture& small_capture() {
  static const SyntheticCapture capture = make_synthetic_capture(small());
  return capture;
}

float unit(uint64_t a, uint64_t b) {
  return draw_unit(9, DrawPurpose::synthetic, a, b);
}

TEST(SyntheticTracer, ShapesAtKnownDistances) {
  synthetic::SyntheticScene scene;
  scene.materials.emplace_back();
  Primitive sphere;
  sphere.shape = Shape::sphere;
  sphere.a = {0, 0, 5};
  sphere.radius = 2;
  Primitive box;
  box.shape = Shape::box;
  box.a = {10, 0, 5};
  box.b = {1, 1, 1};
  box.c = {0.25f * 3.14159265f, 0, 0};  // an edge points to the ray
  Primitive capsule;
  capsule.shape = Shape::capsule;
  capsule.a = {20, -3, 5};
  capsule.b = {20, 3, 5};
  capsule.radius = 0.5f;
  Primitive triangle;
  triangle.a = {29, -1, 4};
  triangle.b = {31, -1, 4};
  triangle.c = {30, 2, 4};
  scene.primitives = {sphere, box, capsule, triangle};
  const Tracer tracer(scene);
  const float expected[] = {3, 4, 4.5f, 4};
  for (int i = 0; i < 4; ++i) {
    const Hit hit = tracer.closest({{10.0f * static_cast<float>(i), 0, 0}, {0, 0, 1}});
    EXPECT_EQ(hit.primitive, i);
    EXPECT_NEAR(hit.distance, expected[i], 1e-5f);
  }
  const Hit side = tracer.closest({{10, -5, 5}, {0, 1, 0}});
  EXPECT_NEAR(side.distance, 5 - std::sqrt(2.0f), 1e-5f);
  EXPECT_EQ(tracer.closest({{5, 0, 0}, {0, 0, 1}}).primitive, -1);
  // The end of the capsule is half a sphere.
  EXPECT_NEAR(tracer.closest({{20, 3.3f, 0}, {0, 0, 1}}).distance, 4.6f, 1e-5f);
  EXPECT_EQ(tracer.closest({{20, 3.6f, 0}, {0, 0, 1}}).primitive, -1);
  EXPECT_NEAR(tracer.closest({{20, 10, 5}, {0, -1, 0}}).distance, 6.5f, 1e-5f);
}

TEST(SyntheticTracer, HierarchyFindsWhatBruteForceFinds) {
  const synthetic::SyntheticScene scene = synthetic::make_terrace(5);
  const Tracer tracer(scene);
  int hits = 0;
  for (uint64_t i = 0; i < 400; ++i) {
    Ray ray;
    ray.origin = {4 * unit(i, 0) - 2, 4 * unit(i, 1) - 2, 0.1f + 2 * unit(i, 2)};
    ray.direction = glm::normalize(Float3(unit(i, 3) - 0.5f, unit(i, 4) - 0.5f, unit(i, 5) - 0.5f));
    const Hit fast = tracer.closest(ray), slow = tracer.closest_brute_force(ray);
    EXPECT_EQ(fast.primitive < 0, slow.primitive < 0);
    EXPECT_EQ(fast.distance, slow.distance);
    EXPECT_EQ(tracer.blocked(ray, 1e6f), slow.primitive >= 0);
    hits += slow.primitive >= 0;
  }
  EXPECT_GT(hits, 250);
}

TEST(SyntheticScene, EverythingIsFinite) {
  for (const uint64_t seed : {1, 2, 3, 4, 5, 6}) {
    const synthetic::SyntheticScene scene = synthetic::make_terrace(seed);
    for (const Primitive& p : scene.primitives) {
      const Float3 sum = p.a + p.b + p.c + p.normal[0] + p.normal[1] + p.normal[2] + p.radius;
      ASSERT_TRUE(std::isfinite(sum.x + sum.y + sum.z)) << "seed " << seed;
    }
  }
}

TEST(SyntheticCapture, SameForAnyNumberOfThreadsAndDifferentForAnotherSeed) {
  SyntheticOptions options = small();
  options.photos = 3;
  options.width_px = 48;
  options.height_px = 32;
  const int threads = omp_get_max_threads();
  omp_set_num_threads(1);
  const SyntheticCapture one = make_synthetic_capture(options);
  omp_set_num_threads(3);
  const SyntheticCapture three = make_synthetic_capture(options);
  omp_set_num_threads(threads);
  ASSERT_EQ(one.cloud.size(), three.cloud.size());
  EXPECT_EQ(one.cloud.position, three.cloud.position);
  EXPECT_EQ(one.cloud.color, three.cloud.color);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(one.photos[i].pixels.values8, three.photos[i].pixels.values8);
    EXPECT_EQ(one.photos[i].linear.pixels, three.photos[i].linear.pixels);
  }
  options.seed = 4;
  EXPECT_NE(make_synthetic_capture(options).photos[0].pixels.values8, one.photos[0].pixels.values8);
}

TEST(SyntheticCapture, PhotosAreTheToneMappedRadianceAndTheGaugeHolds) {
  const SyntheticCapture& capture = small_capture();
  double mean = 0;
  for (int i = 0; i < 10; ++i) {
    const SyntheticPhoto& photo = capture.photos[static_cast<size_t>(i)];
    EXPECT_LE(std::fabs(photo.tone.exposure_ev), 1.3);
    if (!is_held_out(i)) mean += photo.tone.exposure_ev;
    EXPECT_EQ(photo.linear.width > 0, is_held_out(i));
    if (!is_held_out(i)) continue;
    double total = 0;
    for (int y = 0; y < 64; ++y)
      for (int x = 0; x < 96; ++x) {
        const Vec3<double> radiance(photo.linear.at(x, y, 0), photo.linear.at(x, y, 1), photo.linear.at(x, y, 2));
        const Vec3<double> value = tone_map(photo.tone, vignette_position(Vec2<double>(x + 0.5, y + 0.5), 96, 64),
                                            ToneMode::evaluation, radiance);
        for (int c = 0; c < 3; ++c) {
          const uint8_t pixel = photo.pixels.values8[static_cast<size_t>((y * 96 + x) * 3 + c)];
          ASSERT_NEAR(255 * value[c], pixel, 0.51);
          total += pixel;
        }
      }
    EXPECT_GT(total / (96 * 64 * 3), 60);
    EXPECT_LT(total / (96 * 64 * 3), 200);
  }
  EXPECT_NEAR(mean, 0, 1e-9);
  EXPECT_EQ(capture.photos[1].tone.white_balance[0], 1);
  EXPECT_EQ(capture.photos[1].tone.white_balance[1], 1);
}

TEST(SyntheticWrite, BracketsAndWrongExif) {
  const testing::TemporaryFolder folder;
  SyntheticOptions options = small();
  options.photos = 12;
  options.width_px = 48;
  options.height_px = 32;
  options.samples = 1;
  const SyntheticCapture metered = make_synthetic_capture(options);
  options.bracket_ev = 2;
  options.exif_error_ev = 0.3;
  write_synthetic_scene(options, folder / "scene");
  const SyntheticCapture bracketed = make_synthetic_capture(options);
  const Scene scene = load_scene(folder / "scene");
  double mean = 0, sum = 0, squares = 0;
  for (size_t i = 0; i < 12; ++i) {
    if (!is_held_out(static_cast<int>(i))) mean += bracketed.photos[i].tone.exposure_ev;
    const double step = bracketed.photos[i].tone.exposure_ev - metered.photos[i].tone.exposure_ev;
    EXPECT_NEAR(step - (bracketed.photos[1].tone.exposure_ev - metered.photos[1].tone.exposure_ev),
                2.0 * (static_cast<double>(i % 3) - 1), 1e-9) << i;
    const double error = *scene.images[i].exposure_ev - (bracketed.reference_ev + bracketed.photos[i].tone.exposure_ev);
    sum += error / 12;
    squares += error * error / 12;
  }
  EXPECT_NEAR(mean, 0, 1e-9);
  EXPECT_LT(std::fabs(sum), 0.25);
  EXPECT_GT(std::sqrt(squares), 0.15);
  EXPECT_LT(std::sqrt(squares), 0.5);
  options.bracket_ev = 5;
  testing::expect_input_error([&] { check(options); }, {"--brackets", "0 to 4 stops"});
}

TEST(SyntheticWrite, WideLensesSeeWhatTheirPointsAre) {
  for (int32_t id = 1; is_camera_model(id); ++id) {
    SyntheticOptions options = small();
    options.camera = static_cast<CameraModel>(id);
    options.samples = 1;
    options.photos = 6;
    const std::string name = camera_table(options.camera).name;
    if (options.camera == CameraModel::ocam) {
      testing::expect_input_error([&] { check(options); }, {"--camera ocam", "COLMAP"});
      continue;
    }
    const testing::TemporaryFolder folder;
    write_synthetic_scene(options, folder / "scene");
    const Scene scene = load_scene(folder / "scene");
    EXPECT_EQ(scene.cameras[0].params, synthetic_camera(options)) << name;
    // Of the points with tracks each observation is where its photo shows it, within the noise of a quarter of a pixel.
    double sum_px = 0, count = 0;
    for (const SparsePoint& point : scene.sparse_points)
      for (const auto& [image_id, index] : point.track) {
        const SceneImage& image = scene.images[image_id - 1];
        const Projection<double> at = project(scene.cameras[0].params, image.camera_from_world * point.position);
        ASSERT_TRUE(at.valid) << name;
        sum_px += std::hypot(at.x_px - image.observations[index].x_px, at.y_px - image.observations[index].y_px);
        ++count;
      }
    ASSERT_GT(count, 200) << name;
    EXPECT_LT(sum_px / count, 0.5) << name;
    EXPECT_GT(scene.cloud.size(), 1000u) << name;
    // The corners of the photo have rays.
    for (const double x : {0.5, 95.5})
      for (const double y : {0.5, 63.5}) {
        Vec3<double> ray;
        EXPECT_TRUE(unproject_ray(scene.cameras[0].params, x, y, ray)) << name;
      }
  }
}

TEST(SyntheticWrite, TheReaderFindsTheTruth) {
  const testing::TemporaryFolder folder;
  write_synthetic_scene(small(), folder / "scene");
  const Scene scene = load_scene(folder / "scene");
  const SyntheticCapture& capture = small_capture();
  ASSERT_EQ(scene.images.size(), 10u);
  ASSERT_GT(scene.cloud.size(), 1000u);
  ASSERT_GT(scene.sparse_points.size(), 200u);
  std::ifstream stream(folder / "scene" / "truth.json");
  const nlohmann::json truth = nlohmann::json::parse(stream);

  std::map<uint64_t, Vec3<double>> positions;
  for (const SparsePoint& point : scene.sparse_points) positions[point.id] = point.position;
  double squares = 0;
  int count = 0, within = 0;
  std::vector<double> differences;
  for (size_t i = 0; i < 10; ++i) {
    const SceneImage& image = scene.images[i];
    ASSERT_EQ(image.name, truth["images"][i]["name"]);
    ASSERT_TRUE(image.exposure_ev.has_value());
    EXPECT_NEAR(*image.exposure_ev, truth["images"][i]["exposure_ev"].get<double>(), 0.01);
    ASSERT_TRUE(image.capture_time_s.has_value());
    EXPECT_EQ(*image.capture_time_s, *scene.images[0].capture_time_s + static_cast<double>(i) * synthetic_photo_interval_s);
    const CameraParams<double>& camera = scene.camera_of(image).params;
    for (const Observation& observation : image.observations) {
      const Projection<double> p = project(camera, image.camera_from_world * positions.at(observation.point_id));
      ASSERT_TRUE(p.valid);
      squares += std::pow(p.x_px - observation.x_px, 2) + std::pow(p.y_px - observation.y_px, 2);
      ++count;
    }
    if (!is_held_out(static_cast<int>(i))) continue;
    // The depth file agrees with the points: each within the range of the pixels around it (edges and bars thinner than
    // these coarse pixels aside), and mostly with its own pixel.
    const Image depth = read_exr(folder / "scene" / truth["images"][i]["depth"].get<std::string>());
    EXPECT_EQ(depth.pixels, capture.photos[i].depth_m.pixels);
    const StoredImage photo = read_image(image.photo_path);
    double error = 0;
    for (size_t k = 0; k < photo.values8.size(); ++k)
      error += std::fabs(static_cast<double>(photo.values8[k]) - capture.photos[i].pixels.values8[k]);
    EXPECT_LT(error / static_cast<double>(photo.values8.size()), 4) << "JPEG against the rendering";
    for (const Observation& observation : image.observations) {
      const Vec3<double> place = image.camera_from_world * positions.at(observation.point_id);
      const Projection<double> p = project(camera, place);
      const int x = static_cast<int>(p.x_px), y = static_cast<int>(p.y_px);
      double low = 1e30, high = 0;
      for (int ny = std::max(0, y - 1); ny <= std::min(63, y + 1); ++ny)
        for (int nx = std::max(0, x - 1); nx <= std::min(95, x + 1); ++nx) {
          const double here = depth.at(nx, ny, 0);
          low = std::min(low, here > 0 ? here : 1e30);
          high = std::max(high, here);
        }
      within += place.z > 0.99 * low && place.z < 1.01 * high;
      differences.push_back(std::fabs(depth.at(std::min(95, x), std::min(63, y), 0) / place.z - 1));
    }
  }
  // Noise of the observations, and of the positions as the camera sees it (0.0005 of the distance, by f = 71 px).
  const double expected = std::sqrt(2 * (0.25 * 0.25 + std::pow(0.0005 * 71, 2)));
  EXPECT_NEAR(std::sqrt(squares / count), expected, 0.04);
  ASSERT_GT(differences.size(), 100u);
  EXPECT_GT(within, 0.9 * static_cast<double>(differences.size()));
  std::nth_element(differences.begin(), differences.begin() + static_cast<int64_t>(differences.size() / 2),
                   differences.end());
  EXPECT_LT(differences[differences.size() / 2], 0.01);
  RecordProperty("within", within);
  RecordProperty("compared", static_cast<int>(differences.size()));
}

TEST(SyntheticWrite, PointsLieOnSurfacesAndOutliersDoNot) {
  SyntheticOptions options = small();
  options.noise = 0;
  options.samples = 1;
  const synthetic::SyntheticScene scene = synthetic::make_terrace(options.seed);
  const Tracer tracer(scene);
  const SyntheticCapture exact = make_synthetic_capture(options);
  for (size_t i = 0; i < exact.cloud.size(); i += 37) {
    // A short ray against the normal meets the surface at once.
    Ray ray;
    ray.origin = exact.cloud.position[i] + 0.01f * exact.cloud.normal[i];
    ray.direction = -exact.cloud.normal[i];
    const Hit hit = tracer.closest(ray, 0.1f);
    ASSERT_GE(hit.primitive, 0) << i;
    EXPECT_LT(hit.distance, 0.03f);
  }
  options.outliers = 0.2;
  const SyntheticCapture with_outliers = make_synthetic_capture(options);
  EXPECT_NEAR(static_cast<double>(with_outliers.cloud.size()), static_cast<double>(exact.cloud.size()) / 0.8, 2);
  options.outliers = 0;
  options.points = 1500;
  EXPECT_NEAR(static_cast<double>(make_synthetic_capture(options).cloud.size()), 1500, 300);
}

TEST(SyntheticCapture, PalettesPermuteAndScaleTheRadiance) {
  SyntheticOptions options = small();
  const SyntheticCapture own = make_synthetic_capture(options);
  options.color_of = {2, 0, 1};
  options.color_gain = {0.5, 1, 2};
  const SyntheticCapture other = make_synthetic_capture(options);
  const Image &a = own.photos[0].linear, &b = other.photos[0].linear;
  ASSERT_EQ(a.pixels.size(), b.pixels.size());
  for (int y = 0; y < a.height; y += 5)
    for (int x = 0; x < a.width; x += 5) {
      EXPECT_NEAR(b.at(x, y, 0), 0.5f * a.at(x, y, 2), 1e-6f);
      EXPECT_NEAR(b.at(x, y, 1), a.at(x, y, 0), 1e-6f);
      EXPECT_NEAR(b.at(x, y, 2), 2 * a.at(x, y, 1), 1e-6f);
    }
  EXPECT_EQ(own.cloud.position, other.cloud.position);
  EXPECT_NE(own.cloud.color, other.cloud.color);
  options.color_of = {0, 3, 1};
  testing::expect_input_error([&] { make_synthetic_capture(options); }, {"color_of", "3"});
}

TEST(SyntheticWrite, RefusesForeignFoldersAndWrongOptions) {
  const testing::TemporaryFolder folder;
  std::filesystem::create_directories(folder / "mine");
  std::ofstream(folder / "mine/letter.txt") << "do not lose me";
  testing::expect_input_error([&] { write_synthetic_scene(small(), folder / "mine"); },
                              {"mine", "did not make", "--out"});
  EXPECT_TRUE(std::filesystem::exists(folder / "mine/letter.txt"));
  SyntheticOptions options = small();
  options.photos = 1;
  testing::expect_input_error([&] { write_synthetic_scene(options, folder / "new"); }, {"--photos", "2 to 10000", "1"});
  EXPECT_FALSE(std::filesystem::exists(folder / "new"));
  // An older synthetic scene is replaced, and nothing else stays behind.
  options = small();
  options.photos = 2;
  options.width_px = 32;
  options.height_px = 24;
  write_synthetic_scene(options, folder / "scene");
  options.photos = 3;
  write_synthetic_scene(options, folder / "scene");
  EXPECT_TRUE(std::filesystem::exists(folder / "scene/images/photo_0002.jpg"));
  int entries = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder.path())) ++entries;
  EXPECT_EQ(entries, 2);
}

}  // namespace
}  // namespace ptl
