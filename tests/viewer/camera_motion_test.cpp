#include "viewer/camera_motion.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <numbers>

#include "datasets/scene_loader.h"
#include "datasets/undo_stack.h"
#include "viewer/scene_frame.h"

namespace ptl {
namespace {

using Vec = Vec3<double>;
constexpr double pi = std::numbers::pi;
// A scene whose up is z. The camera at the origin looks along y, level, so that its right is x.
const Vec up(0, 0, 1);
ViewCamera level_camera(const Vec& centre = Vec(0)) {
  ViewCamera camera;
  camera.camera_from_world = pose_looking(centre, Vec(0, 1, 0), up);
  return camera;
}

void expect_near(const Vec& a, const Vec& b, double tolerance = 1e-12) {
  EXPECT_LT(glm::distance(a, b), tolerance)
      << a.x << " " << a.y << " " << a.z << " against " << b.x << " " << b.y << " " << b.z;
}

Vec2<double> pixel_of(const ViewCamera& camera, const Vec& point, int width_px = 640, int height_px = 480) {
  const CameraParams<double> lens = view_params(camera, width_px, height_px);
  const Projection<double> p = project(lens, camera.camera_from_world * point);
  EXPECT_TRUE(p.valid);
  return {p.x_px, p.y_px};
}

TEST(CameraMotion, AxesOfALevelCamera) {
  const Pose<double> pose = level_camera(Vec(1, 2, 3)).camera_from_world;
  expect_near(right_of(pose), Vec(1, 0, 0));
  expect_near(down_of(pose), Vec(0, 0, -1));
  expect_near(forward_of(pose), Vec(0, 1, 0));
  expect_near(camera_centre(pose), Vec(1, 2, 3));
  EXPECT_NEAR(glm::determinant(pose.rotation), 1, 1e-12);
  EXPECT_EQ(roll_rad(pose, up), 0);
}

TEST(CameraMotion, KeysMoveAlongTheAxes) {
  const struct {
    FlyInput input;
    Vec way;
  } cases[] = {{{.forward = 1}, {0, 1, 0}}, {{.forward = -1}, {0, -1, 0}}, {{.right = 1}, {1, 0, 0}},
               {{.right = -1}, {-1, 0, 0}}, {{.up = 1}, {0, 0, 1}},        {{.up = -1}, {0, 0, -1}}};
  for (const auto& [input, way] : cases) {
    const ViewCamera next = fly(level_camera(Vec(1, 2, 3)), input, up, 4.0, 0.05);
    expect_near(camera_centre(next.camera_from_world), Vec(1, 2, 3) + 0.2 * way);
    EXPECT_EQ(next.camera_from_world.rotation, level_camera().camera_from_world.rotation);  // bit for bit
  }
  // Two keys are no faster than one; a stall is no leap.
  const ViewCamera diagonal = fly(level_camera(), {.right = 1, .forward = 1}, up, 1.0, 0.1);
  EXPECT_NEAR(glm::length(camera_centre(diagonal.camera_from_world)), 0.1, 1e-12);
  const ViewCamera stalled = fly(level_camera(), {.forward = 1}, up, 1.0, 7.0);
  EXPECT_NEAR(glm::length(camera_centre(stalled.camera_from_world)), longest_step_s, 1e-12);
  // W is where the camera looks, up and down too.
  ViewCamera tilted = fly(level_camera(), {.look = {0.3, 0.2}}, up, 1, 0);
  const Vec forward = forward_of(tilted.camera_from_world);
  tilted = fly(tilted, {.forward = 1}, up, 10, 0.1);
  expect_near(camera_centre(tilted.camera_from_world), forward);
}

TEST(CameraMotion, LookingTurnsTheWayOfTheMouse) {
  const ViewCamera right = fly(level_camera(), {.look = {0.25, 0}}, up, 1, 0);
  expect_near(forward_of(right.camera_from_world), Vec(std::sin(0.3), std::cos(0.3), 0));  // 0.25 · 1.2 rad
  const ViewCamera down = fly(level_camera(), {.look = {0, 0.25}}, up, 1, 0);
  expect_near(forward_of(down.camera_from_world), Vec(0, std::cos(0.3), -std::sin(0.3)));
  expect_near(camera_centre(down.camera_from_world), Vec(0));
}

TEST(CameraMotion, LookingKeepsLevelAndStopsAtThePoles) {
  ViewCamera camera = level_camera();
  for (int i = 0; i < 5000; ++i)
    camera = fly(camera, {.look = {0.013 * std::sin(i), 0.02 * std::cos(0.7 * i)}}, up, 1, 0);
  EXPECT_NEAR(roll_rad(camera.camera_from_world, up), 0, 1e-9);
  const Mat3<double> r = camera.camera_from_world.rotation, square = r * glm::transpose(r);
  for (int c = 0; c < 3; ++c)
    for (int k = 0; k < 3; ++k) EXPECT_NEAR(square[c][k], c == k, 1e-12);
  for (const double direction : {1.0, -1.0}) {
    ViewCamera pole = level_camera();
    for (int i = 0; i < 20; ++i) pole = fly(pole, {.look = {0.1, 0.2 * direction}}, up, 1, 0);
    const double to_pole = std::acos(glm::dot(forward_of(pole.camera_from_world), -direction * up));
    EXPECT_NEAR(to_pole, least_pole_angle_rad, 1e-6);
    EXPECT_NEAR(roll_rad(pole.camera_from_world, up), 0, 1e-6);
    EXPECT_TRUE(std::isfinite(pole.camera_from_world.translation.x));
  }
  // Beyond the limit from the start: straight down. It does not jump, and comes back.
  ViewCamera floor = level_camera();
  floor.camera_from_world = pose_looking(Vec(0), Vec(0, 1e-4, -1), up);
  const ViewCamera still = fly(floor, {.look = {0, 0.1}}, up, 1, 0);
  expect_near(forward_of(still.camera_from_world), forward_of(floor.camera_from_world));
  const ViewCamera back = fly(floor, {.look = {0, -0.5}}, up, 1, 0);
  EXPECT_NEAR(std::acos(glm::dot(forward_of(back.camera_from_world), -up)), 0.6 + 1e-4, 1e-6);
}

TEST(CameraMotion, ARolledCameraKeepsItsRollUntilLevelled) {
  ViewCamera camera = level_camera(Vec(1, 2, 3));
  // To the right by 0.4: its right axis goes down.
  camera.camera_from_world.rotation =
      exp(Tangent<double>{Vec(0), Vec(0, 0, -0.4)}).rotation * camera.camera_from_world.rotation;
  camera.camera_from_world.translation = -(camera.camera_from_world.rotation * Vec(1, 2, 3));
  EXPECT_LT(right_of(camera.camera_from_world).z, 0);
  EXPECT_NEAR(roll_rad(camera.camera_from_world, up), 0.4, 1e-12);
  const ViewCamera looked = fly(camera, {.look = {0.4, -0.3}}, up, 1, 0);
  EXPECT_NEAR(roll_rad(looked.camera_from_world, up), 0.4, 1e-12);
  const Pose<double> half = with_roll_share(looked.camera_from_world, up, 0.5);
  EXPECT_NEAR(roll_rad(half, up), 0.2, 1e-12);
  expect_near(forward_of(half), forward_of(looked.camera_from_world));
  expect_near(camera_centre(half), Vec(1, 2, 3));
  EXPECT_NEAR(roll_rad(with_roll_share(half, up, 0), up), 0, 1e-12);
}

TEST(CameraMotion, OrbitKeepsThePivotsPixelAndFollowsTheMouse) {
  const Vec pivot(0.7, 5, -0.4);
  ViewCamera camera = level_camera();
  const Vec2<double> pixel = pixel_of(camera, pivot);
  // A drag to the right by a half height: the camera goes a quarter turn to the left; the front of the pivot goes
  // right.
  const ViewCamera quarter = orbit(level_camera(), Vec(0, 5, 0), up, {0.5, 0});
  expect_near(camera_centre(quarter.camera_from_world), Vec(-5, 5, 0), 1e-9);
  expect_near(forward_of(quarter.camera_from_world), Vec(1, 0, 0), 1e-9);
  const ViewCamera right = orbit(camera, pivot, up, {0.05, 0}), down = orbit(camera, pivot, up, {0, 0.05});
  const Vec front = pivot - Vec(0, 1, 0);
  EXPECT_GT(pixel_of(right, front).x, pixel_of(camera, front).x);
  EXPECT_GT(pixel_of(down, front).y, pixel_of(camera, front).y);
  EXPECT_LT(camera_centre(right.camera_from_world).x, 0);
  EXPECT_GT(camera_centre(down.camera_from_world).z, 0);
  for (int i = 0; i < 3000; ++i)
    camera = orbit(camera, pivot, up, {0.01 * std::sin(0.1 * i), 0.03 * std::cos(0.37 * i)});
  EXPECT_LT(glm::distance(pixel_of(camera, pivot), pixel), 1e-7);
  EXPECT_NEAR(roll_rad(camera.camera_from_world, up), 0, 1e-9);
  // The free one goes over the poles.
  ViewCamera over = level_camera();
  for (int i = 0; i < 10; ++i) over = orbit_free(over, Vec(0, 5, 0), {0, 0.1});
  expect_near(camera_centre(over.camera_from_world), Vec(0, 10, 0), 1e-9);
  expect_near(down_of(over.camera_from_world), up, 1e-9);
  expect_near(camera_centre(orbit_free(level_camera(), Vec(0, 5, 0), {0.5, 0}).camera_from_world), Vec(-5, 5, 0), 1e-9);
}

TEST(CameraMotion, TheTurntableTurnsAboutUp) {
  // Counter-clockwise from above (x to the right, y ahead): from behind the pivot to its right.
  const ViewCamera turned = turntable(level_camera(Vec(0, 0, 2)), Vec(0, 5, 0), up, 5 * pi, 0.1);
  expect_near(camera_centre(turned.camera_from_world), Vec(5, 5, 2), 1e-9);
  expect_near(forward_of(turned.camera_from_world), Vec(-1, 0, 0), 1e-9);
}

TEST(CameraMotion, PanDollyAndZoomKeepWhatTheyPromise) {
  const Vec point(0.5, 4, 0.25);
  const ViewCamera camera = level_camera();
  const Vec2<double> before = pixel_of(camera, point);
  EXPECT_LT(glm::distance(pixel_of(pan(camera, 4, {30, -20}, 640, 480), point), before + Vec2<double>(30, -20)), 1e-9);
  const ViewCamera near = dolly(camera, point, 3, 0.1);
  EXPECT_NEAR(glm::distance(camera_centre(near.camera_from_world), point), glm::length(point) * 0.729, 1e-12);
  EXPECT_LT(glm::distance(pixel_of(near, point), before), 1e-9);
  const ViewCamera there_and_back = dolly(near, point, -3, 0.1);
  expect_near(camera_centre(there_and_back.camera_from_world), Vec(0));
  EXPECT_NEAR(glm::distance(camera_centre(dolly(camera, point, 500, 0.1).camera_from_world), point), 0.1, 1e-12);
  const double tangent = std::tan(camera.vertical_fov_deg * pi / 360);
  EXPECT_NEAR(std::tan(zoom(camera, 2).vertical_fov_deg * pi / 360), 0.81 * tangent, 1e-12);
  EXPECT_EQ(zoom(camera, 500).vertical_fov_deg, least_fov_deg);
  EXPECT_EQ(zoom(camera, -500).vertical_fov_deg, largest_fov_deg);
}

TEST(CameraMotion, FramingShowsTheWholeBoxAndNoMore) {
  // By hand: a cube of side 2, 90° high and wide: the front face, 1 in front of the middle, fits at a distance of 1.
  ViewCamera camera = level_camera(Vec(7, 7, 7));
  camera.vertical_fov_deg = 90;
  const ViewCamera framed = frame_box(camera, Vec(-1), Vec(1), 100, 100, 0);
  expect_near(camera_centre(framed.camera_from_world), Vec(0, -2, 0), 1e-9);
  camera = fly(camera, {.look = {0.7, 0.3}}, up, 1, 0);
  const Vec low(-3, -1, 0), high(1, 2, 0.5);
  const ViewCamera tilted = frame_box(camera, low, high, 640, 480);
  EXPECT_EQ(tilted.camera_from_world.rotation, camera.camera_from_world.rotation);
  double farthest = 0;
  for (int corner = 0; corner < 8; ++corner) {
    const Vec at(corner & 1 ? high.x : low.x, corner & 2 ? high.y : low.y, corner & 4 ? high.z : low.z);
    const Vec2<double> pixel = pixel_of(tilted, at);
    farthest = std::max({farthest, std::abs(pixel.x - 320) / 320, std::abs(pixel.y - 240) / 240});
  }
  EXPECT_NEAR(farthest, 0.95, 1e-9);
  const ViewCamera nothing = frame_box(camera, Vec(2), Vec(2), 640, 480);
  EXPECT_LT(glm::distance(pixel_of(nothing, Vec(2)), Vec2<double>(320, 240)), 1e-9);
}

TEST(CameraMotion, FlightsBeginAndEndExactlyAndStayOnTheWay) {
  CameraFlight flight;
  flight.from = level_camera();
  flight.to = orbit(level_camera(Vec(3, 0, 1)), Vec(0, 5, 0), up, {0.3, 0.1});
  flight.to.lens = pinhole_of_fov(20, 300, 200);
  flight.to.lens->value[PinholeModel::k1] = 0.01;
  EXPECT_EQ(flight.at(0).camera_from_world.rotation, flight.from.camera_from_world.rotation);
  EXPECT_EQ(flight.at(flight.duration_s).camera_from_world.translation, flight.to.camera_from_world.translation);
  EXPECT_TRUE(flight.at(9).lens);
  EXPECT_TRUE(flight.over(flight.duration_s));
  const ViewCamera middle = flight.at(flight.duration_s / 2);
  EXPECT_FALSE(middle.lens);
  expect_near(camera_centre(middle.camera_from_world), 0.5 * camera_centre(flight.to.camera_from_world), 1e-9);
  EXPECT_NEAR(middle.vertical_fov_deg, std::sqrt(60.0 * 20.0), 1e-9);
  const auto angle = [](const ViewCamera& a, const ViewCamera& b) {
    return rotation_angle(a.camera_from_world.rotation * glm::transpose(b.camera_from_world.rotation));
  };
  EXPECT_NEAR(angle(middle, flight.from), angle(middle, flight.to), 1e-9);
  EXPECT_LT(glm::distance(camera_centre(flight.at(1e-3).camera_from_world), Vec(0)), 1e-6);  // from rest
}

TEST(ViewCamera, LensesKeepTheirPhotoWhole) {
  CameraParams<double> photo = pinhole_of_fov(50, 400, 300);
  photo.value[PinholeModel::cx] = 190;
  photo.value[PinholeModel::k1] = -0.05;
  update_valid_radius(photo);
  const CameraParams<double> same = lens_for_size(photo, 400, 300);
  for (int i = 0; i < camera_param_capacity; ++i) EXPECT_EQ(same.value[i], photo.value[i]);
  EXPECT_EQ(same.valid_radius, photo.valid_radius);
  // Twice as large within a wide window: bands of 200 px left and right.
  const CameraParams<double> wide = lens_for_size(photo, 1200, 600);
  const Vec at(0.2, -0.1, 1);
  EXPECT_NEAR(project(wide, at).x_px, 2 * project(photo, at).x_px + 200, 1e-9);
  EXPECT_NEAR(project(wide, at).y_px, 2 * project(photo, at).y_px, 1e-9);
  EXPECT_NEAR(vertical_fov_deg({{}, 10, photo}), 50, 1e-9);
  EXPECT_NEAR(pinhole_of_fov(90, 200, 100).value[PinholeModel::fy], 50, 1e-9);
}

/// Cameras on a circle of radius 3 that look at the middle, tilted down; every third in portrait, every second rolled a
/// little.
TEST(SceneFrame, UpIsWhatLevelCamerasAgreeOn) {
  const Vec true_up = glm::normalize(Vec(0.2, -0.9, 0.3));
  const Vec a = glm::normalize(glm::cross(true_up, Vec(1, 0, 0))), b = glm::cross(true_up, a);
  std::vector<Pose<double>> cameras;
  for (int i = 0; i < 30; ++i) {
    const double angle = 0.15 * i;  // three quarters of the circle: the mean of the cameras' ups is tilted
    const Vec centre = 3.0 * (std::cos(angle) * a + std::sin(angle) * b) + 1.5 * true_up;
    Pose<double> pose = pose_looking(centre, -centre, true_up);
    const double roll = (i % 3 == 0 ? pi / 2 : 0.0) + (i % 2 == 0 ? 0.03 : -0.03);
    pose = Pose<double>{exp(Tangent<double>{Vec(0), Vec(0, 0, roll)}).rotation, Vec(0)} * pose;
    cameras.push_back(pose);
  }
  const Vec found = estimate_up(cameras);
  EXPECT_NEAR(glm::length(found), 1, 1e-12);
  EXPECT_GT(glm::dot(found, true_up), std::cos(0.03));
  // Parallel cameras: the level axis says nothing of the tilt; their own up stays.
  const std::vector<Pose<double>> row(5, level_camera().camera_from_world);
  EXPECT_GT(glm::dot(estimate_up(row), up), 1 - 1e-9);
  expect_near(estimate_up({}), Vec(0, -1, 0));
}

/// On photos that people took, most cameras are held level against the estimated up.
TEST(SceneFrame, RealCamerasAreHeldLevel) {
  const char* data = std::getenv("PTL_TEST_DATA");
  if (!data) GTEST_SKIP() << "PTL_TEST_DATA is not set";
  for (const char* name : {"plush", "fountain", "fox"}) {
    LoadOptions options;
    options.photos_needed = false;
    options.format = "colmap";  // fox has a transforms.json too
    std::vector<Pose<double>> cameras;
    for (const SceneImage& image : load_scene(std::filesystem::path(data) / name, options).images)
      cameras.push_back(image.camera_from_world);
    const Vec found = estimate_up(cameras);
    std::vector<double> off_deg;
    for (const Pose<double>& pose : cameras) {
      const double x = std::abs(glm::dot(right_of(pose), found)), y = std::abs(glm::dot(down_of(pose), found));
      off_deg.push_back(std::asin(std::min(x, y)) * 180 / pi);
    }
    std::sort(off_deg.begin(), off_deg.end());
    const double median_deg = off_deg[off_deg.size() / 2];
    std::cout << name << ": half of the cameras within " << median_deg << " degrees of level\n";
    EXPECT_LT(median_deg, 5) << name;
  }
}

TEST(SceneFrame, TheMiddleCameraIsTheNearestToTheMean) {
  std::vector<Pose<double>> cameras;
  for (const double x : {0.0, 1.0, 2.2, 9.0}) cameras.push_back(level_camera(Vec(x, 0, 0)).camera_from_world);
  EXPECT_EQ(middle_camera(cameras), 2u);
}

TEST(UndoStack, GoesBackAndForthWithTheStateOfNow) {
  UndoStack<int> stack(3);
  EXPECT_FALSE(stack.undo(0));
  stack.record(1);  // jumped from 1 to 10, walked on to 11
  EXPECT_EQ(stack.undo(11), 1);
  EXPECT_FALSE(stack.can_undo());
  EXPECT_EQ(stack.redo(1), 11);
  EXPECT_EQ(stack.undo(12), 1);
  stack.record(2);  // another jump: what was undone is forgotten
  EXPECT_FALSE(stack.can_redo());
  for (int i = 3; i < 8; ++i) stack.record(i);
  EXPECT_EQ(stack.undo(8), 7);
  EXPECT_EQ(stack.undo(7), 6);
  EXPECT_EQ(stack.undo(6), 5);
  EXPECT_FALSE(stack.undo(5));  // three steps at most
}

}  // namespace
}  // namespace ptl
