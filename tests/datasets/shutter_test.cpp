// Cameras that move while they take a photo: poses of rows by hand, synthetic photos against those of still cameras.
#include "datasets/shutter.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "datasets/image_io.h"
#include "datasets/scene_loader.h"
#include "datasets/synthetic_place.h"
#include "datasets/synthetic_write.h"
#include "tests/support/expect_input_error.h"
#include "tests/support/temporary_folder.h"

namespace ptl {
namespace {

constexpr int width = 96, height = 64;

SyntheticOptions small() {
  SyntheticOptions options;
  options.seed = 3;
  options.photos = 9;
  options.width_px = width;
  options.height_px = height;
  options.samples = 2;
  options.sparse_points = 600;
  return options;
}

/// A place, made once, from which the tests take photos of their own.
const SyntheticPlace& place() {
  static const SyntheticPlace place(small());
  return place;
}

Tangent<double> turn_about_y(double radians) {
  return {Vec3<double>(0), Vec3<double>(0, radians, 0)};
}

double mean_speed_px(const CameraParams<double>& camera, double depth_m, const Tangent<double>& motion) {
  double sum = 0;
  for (int y = 0; y < 8; ++y)
    for (int x = 0; x < 8; ++x) {
      Vec3<double> ray;
      EXPECT_TRUE(unproject_ray(camera, (x + 0.5) / 8 * camera.width_px, (y + 0.5) / 8 * camera.height_px, ray));
      const Projection<double> from = project(camera, exp(-0.5 * motion) * (depth_m * ray)),
                               to = project(camera, exp(0.5 * motion) * (depth_m * ray));
      sum += std::hypot(to.x_px - from.x_px, to.y_px - from.y_px) / 64;
    }
  return sum;
}

TEST(Shutter, PosesOfRowsByHand) {
  Pose<double> pose;
  pose.translation = {1, 2, 3};
  PhotoMotion motion;
  motion.readout_motion.translation = {0.8, 0, 0};
  motion.exposure_motion.translation = {0, 0.4, 0};
  // Row 25 of 100 is a quarter of the readout before the middle, the moment 0.5 the end of its exposure.
  const Pose<double> moved = pose_at_row(pose, motion, 25, 100, 0.5);
  EXPECT_NEAR(glm::length(moved.translation - Vec3<double>(0.8, 2.2, 3)), 0, 1e-15);
  EXPECT_EQ(pose_at_row(pose, motion, 50, 100), pose);
  EXPECT_EQ(pose_at_row(pose, {}, 7, 100, 0.3), pose) << "a still camera's poses are the photo's to the bit";
  // A quarter of a turn about the camera's y axis over the readout: at the last row an eighth, x_camera = (0, 0, 1)
  // goes to (sin 45°, 0, cos 45°). The exposure's motion is applied after the readout's.
  motion.readout_motion = turn_about_y(std::numbers::pi / 2);
  motion.exposure_motion.translation = {0, 0, 2};
  const Vec3<double> x = pose_at_row({}, motion, 100, 100, 0.5) * Vec3<double>(0, 0, 1);
  EXPECT_NEAR(glm::length(x - Vec3<double>(std::sqrt(0.5), 0, std::sqrt(0.5) + 1)), 0, 1e-15);
}

TEST(Shutter, PixelGradientsAreTheDerivatives) {
  for (const CameraModel model : {CameraModel::pinhole, CameraModel::fisheye, CameraModel::equirectangular}) {
    SyntheticOptions options = small();
    options.camera = model;
    const CameraParams<double> camera = synthetic_camera(options);
    const Vec3<double> x(0.3, -0.4, 1.7);
    const auto gradients = pixel_gradients(camera, x);
    for (int k = 0; k < 6; ++k) {
      Tangent<double> step;
      (k < 3 ? step.translation[k] : step.rotation[k - 3]) = 1e-6;
      const Projection<double> low = project(camera, exp(-1.0 * step) * x), high = project(camera, exp(step) * x);
      const auto component = [&](const Tangent<double>& g) { return k < 3 ? g.translation[k] : g.rotation[k - 3]; };
      EXPECT_NEAR(component(gradients[0]), (high.x_px - low.x_px) / 2e-6, 1e-5);
      EXPECT_NEAR(component(gradients[1]), (high.y_px - low.y_px) / 2e-6, 1e-5);
    }
  }
}

TEST(Shutter, PointsAreSeenByTheRowThatShowsThem) {
  const CameraParams<double> camera = synthetic_camera(small());
  Pose<double> pose;
  PhotoMotion motion;
  motion.readout_motion = {{0.05, 0.08, 0.1}, {0.06, -0.05, 0.1}};
  for (const double x : {-0.6, 0.0, 0.5})
    for (const double y : {-0.4, 0.1, 0.4}) {
      const Vec3<double> point(x, y, 1.3);
      const Projection<double> seen = project_in_motion(camera, pose, motion, point);
      ASSERT_TRUE(seen.valid);
      const Projection<double> by_row = project(camera, pose_at_row(pose, motion, seen.y_px, height) * point);
      EXPECT_NEAR(by_row.x_px, seen.x_px, 1e-7);
      EXPECT_NEAR(by_row.y_px, seen.y_px, 1e-7);
    }
  // A point that moves down as fast as the readout has no row, or any.
  motion.readout_motion = {{0, 3, 0}, {0, 0, 0}};
  EXPECT_FALSE(project_in_motion(camera, pose, motion, {0, 0.3, 1}).valid);
}

TEST(SyntheticMotion, EachRowIsThatOfAStillCamera) {
  PhotoMotion motion;
  motion.readout_motion = turn_about_y(0.12);  // about 8 pixels
  const Pose<double>& pose = place().path()[2];
  const ToneParams<double>& tone = place().tones()[2];
  const SyntheticPhoto moving = place().photograph(place().camera(), pose, tone, 2, true, motion);
  const SyntheticPhoto still = place().photograph(place().camera(), pose, tone, 2, true);
  EXPECT_NE(moving.pixels.values8, still.pixels.values8);
  for (const int y : {0, 17, 40, height - 1}) {
    const Pose<double> turned = exp(turn_about_y(0.12 * ((y + 0.5) / height - 0.5))) * pose;
    const SyntheticPhoto row = place().photograph(place().camera(), turned, tone, 2, true);
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < 3; ++c) {
        const size_t at = static_cast<size_t>((y * width + x) * 3 + c);
        ASSERT_EQ(moving.pixels.values8[at], row.pixels.values8[at]) << x << ", " << y;
        ASSERT_EQ(moving.linear.at(x, y, c), row.linear.at(x, y, c)) << x << ", " << y;
      }
      ASSERT_EQ(moving.depth_m.at(x, y, 0), row.depth_m.at(x, y, 0)) << x << ", " << y;
    }
  }
}

TEST(SyntheticMotion, BlurIsTheMeanOfStillPhotos) {
  SyntheticOptions options = small();
  options.samples = 48;
  options.width_px = 48;
  options.height_px = 32;
  const SyntheticPlace many(options);
  const Pose<double>& pose = many.path()[2];
  PhotoMotion motion;
  motion.exposure_motion = turn_about_y(0.16);  // about 6 pixels
  const SyntheticPhoto blurred = many.photograph(many.camera(), pose, many.tones()[2], 2, true, motion);
  const SyntheticPhoto still = many.photograph(many.camera(), pose, many.tones()[2], 2, true);
  constexpr int moments = 12;
  Image mean(48, 32, 3);
  for (int k = 0; k < moments; ++k) {
    const Pose<double> turned = exp(turn_about_y(0.16 * ((k + 0.5) / moments - 0.5))) * pose;
    const Image one = many.photograph(many.camera(), turned, many.tones()[2], 2, true).linear;
    for (size_t i = 0; i < mean.pixels.size(); ++i) mean.pixels[i] += one.pixels[i] / moments;
  }
  double off = 0, off_still = 0, sum = 0;
  for (size_t i = 0; i < mean.pixels.size(); ++i) {
    off += std::fabs(static_cast<double>(blurred.linear.pixels[i] - mean.pixels[i]));
    off_still += std::fabs(static_cast<double>(still.linear.pixels[i] - mean.pixels[i]));
    sum += static_cast<double>(blurred.linear.pixels[i] - mean.pixels[i]);
  }
  RecordProperty("off", std::to_string(off / static_cast<double>(mean.pixels.size())));
  RecordProperty("off_still", std::to_string(off_still / static_cast<double>(mean.pixels.size())));
  EXPECT_LT(off, 0.25 * off_still);
  EXPECT_LT(std::fabs(sum), 0.1 * off) << "no bias";
  EXPECT_EQ(blurred.depth_m.pixels, still.depth_m.pixels) << "depths are those of the middle";
}

TEST(SyntheticMotion, PhotosMoveAsFarAsTheOptionsSay) {
  for (const CameraModel model : {CameraModel::pinhole, CameraModel::eucm}) {
    SyntheticOptions options = small();
    options.camera = model;
    options.rolling_shutter_px = 6;
    options.motion_blur_px = 2;
    const CameraParams<double> camera = synthetic_camera(options);
    double mean_px = 0;
    for (int i = 0; i < 64; ++i) {
      const PhotoMotion motion = synthetic_motion(options, camera, 3, i);
      const double readout_px = mean_speed_px(camera, 3, motion.readout_motion);
      EXPECT_GT(readout_px, 0.47 * 6);
      EXPECT_LT(readout_px, 1.53 * 6);
      mean_px += readout_px / 64;
      // One velocity: the exposure's motion is a third of the readout's.
      EXPECT_NEAR(glm::length(3.0 * motion.exposure_motion.translation - motion.readout_motion.translation), 0, 1e-12);
      EXPECT_NEAR(glm::length(3.0 * motion.exposure_motion.rotation - motion.readout_motion.rotation), 0, 1e-12);
    }
    EXPECT_NEAR(mean_px, 6, 0.6) << camera_table(model).name;
  }
}

TEST(SyntheticMotion, ObservationsAreWhereTheMovingCameraSeesThem) {
  for (const CameraModel model : {CameraModel::pinhole, CameraModel::equirectangular}) {
    SyntheticOptions options = small();
    options.camera = model;
    options.noise = 0;
    options.observation_noise_px = 0;
    options.rolling_shutter_px = 6;
    const testing::TemporaryFolder folder;
    write_synthetic_scene(options, folder / "scene");
    const Scene scene = load_scene(folder / "scene");
    std::ifstream stream(folder / "scene" / "truth.json");
    const nlohmann::json truth = nlohmann::json::parse(stream);
    EXPECT_EQ(truth["options"]["rolling_shutter_px"], 6);
    std::map<uint64_t, Vec3<double>> positions;
    for (const SparsePoint& point : scene.sparse_points) positions[point.id] = point.position;
    const CameraParams<double>& camera = scene.cameras[0].params;
    double worst_px = 0, still_px = 0;
    int count = 0;
    for (size_t i = 0; i < scene.images.size(); ++i) {
      PhotoMotion motion;
      for (int k = 0; k < 3; ++k) {
        motion.readout_motion.translation[k] = truth["images"][i]["readout_motion"][static_cast<size_t>(k)];
        motion.readout_motion.rotation[k] = truth["images"][i]["readout_motion"][static_cast<size_t>(3 + k)];
        EXPECT_EQ(truth["images"][i]["exposure_motion"][static_cast<size_t>(k)], 0);
      }
      for (const Observation& o : scene.images[i].observations) {
        const Pose<double>& pose = scene.images[i].camera_from_world;
        const Vec3<double>& point = positions.at(o.point_id);
        // By the definition, with the row that was observed.
        const Projection<double> p = project(camera, pose_at_row(pose, motion, o.y_px, height) * point),
                                 still = project(camera, pose * point);
        ASSERT_TRUE(p.valid);
        worst_px = std::max(worst_px, std::hypot(p.x_px - o.x_px, p.y_px - o.y_px));
        still_px += std::hypot(still.x_px - o.x_px, still.y_px - o.y_px);
        ++count;
      }
    }
    ASSERT_GT(count, 500);
    EXPECT_LT(worst_px, 1e-4) << camera_table(model).name;  // tracks and poses are files of doubles
    EXPECT_GT(still_px / count, 0.7) << "a still camera would be elsewhere";
  }
}

TEST(SyntheticMotion, OlderScenesHaveNone) {
  SyntheticOptions options = small();
  options.photos = 2;
  options.motion_blur_px = 3;
  const testing::TemporaryFolder folder;
  write_synthetic_scene(options, folder / "scene");
  EXPECT_EQ(read_synthetic_options(folder / "scene")->motion_blur_px, 3);
  std::ifstream stream(folder / "scene" / "truth.json");
  nlohmann::json truth = nlohmann::json::parse(stream);
  truth["options"].erase("rolling_shutter_px");
  truth["options"].erase("motion_blur_px");
  std::ofstream(folder / "scene" / "truth.json") << truth.dump();
  EXPECT_EQ(read_synthetic_options(folder / "scene")->rolling_shutter_px, 0);
  EXPECT_EQ(read_synthetic_options(folder / "scene")->motion_blur_px, 0);
}

TEST(SyntheticMotion, RefusesSizesOutOfRange) {
  SyntheticOptions options = small();
  options.rolling_shutter_px = 8;
  check(options);
  options.rolling_shutter_px = 8.5;
  testing::expect_input_error([&] { check(options); }, {"--rolling-shutter", "an eighth", "8.5"});
  options.rolling_shutter_px = 0;
  options.motion_blur_px = -1;
  testing::expect_input_error([&] { check(options); }, {"--motion-blur", "an eighth", "-1"});
}

TEST(Shutter, MotionInPixels) {
  // Focal length 192 px, 192 × 144 pixels. By numpy over the same 9 × 6 points: mean |f (δx − x δz, δy − y δz)|, δ = v/z + ω × (x, y, 1).
  CameraParams<double> camera;
  camera.width_px = 192;
  camera.height_px = 144;
  camera.value[PinholeModel::fx] = camera.value[PinholeModel::fy] = 192;
  camera.value[PinholeModel::cx] = 96;
  camera.value[PinholeModel::cy] = 72;
  update_valid_radius(camera);
  EXPECT_NEAR(mean_motion_px(camera, 4, {{0.1, 0, 0}, Vec3<double>(0)}), 192 * 0.1 / 4, 1e-9);
  EXPECT_NEAR(mean_motion_px(camera, 4, {Vec3<double>(0), {0, 0, 0.1}}), 6.423340751766763, 1e-9);
  EXPECT_NEAR(mean_motion_px(camera, 4, {Vec3<double>(0), {0.03, 0.04, 0}}), 10.272751936475233, 1e-9);
}

}  // namespace
}  // namespace ptl
