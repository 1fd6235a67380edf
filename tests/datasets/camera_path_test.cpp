#include "datasets/camera_path.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "datasets/path_curve.h"
#include "kernels/hash.h"
#include "tests/support/expect_input_error.h"

namespace ptl {
namespace {

using testing::expect_input_error;
using Vec = Vec3<double>;
constexpr double pi = std::numbers::pi;

PathFrame key_at(double time_s, const Vec& centre, const Vec& axis_angle = Vec(0), double fov_deg = 60) {
  PathFrame key;
  key.time_s = time_s;
  key.camera_from_world.rotation = exp(Tangent<double>{Vec(0), axis_angle}).rotation;
  key.camera_from_world.translation = -(key.camera_from_world.rotation * centre);
  key.vertical_fov_deg = fov_deg;
  return key;
}

double unit(uint64_t a, uint64_t b) {
  return 2 * static_cast<double>(draw_unit(9, DrawPurpose::synthetic, a, b)) - 1;
}

/// Uneven in space, turns and time; turns of up to 170° between key frames.
CameraPath wild_path(int count = 8) {
  CameraPath path;
  double time_s = 2.5;
  for (int i = 0; i < count; ++i) {
    const auto n = static_cast<uint64_t>(i);
    const double size = i % 3 == 0 ? 0.05 : 2;
    PathFrame key = key_at(time_s, size * Vec(unit(n, 0), unit(n, 1), unit(n, 2)) + Vec(i, 0, 0),
                           1.4 * Vec(unit(n, 3), unit(n, 4), unit(n, 5)), 50 + 20 * unit(n, 6));
    key.exposure_ev = 2 * unit(n, 7);
    path.keys.push_back(key);
    time_s += i % 2 == 0 ? 0.2 : 3;
  }
  return path;
}

void expect_same(const PathFrame& a, const PathFrame& b) {
  EXPECT_EQ(a.camera_from_world.rotation, b.camera_from_world.rotation);
  EXPECT_EQ(a.camera_from_world.translation, b.camera_from_world.translation);
  EXPECT_EQ(a.vertical_fov_deg, b.vertical_fov_deg);
  EXPECT_EQ(a.exposure_ev, b.exposure_ev);
}

TEST(CameraPath, TwoKeyFramesAreAStraightWayAtConstantSpeed) {
  CameraPath path;
  path.keys = {key_at(1, Vec(0), Vec(0), 30), key_at(3, Vec(4, -2, 1), Vec(0, 1.2, 0), 90)};
  path.keys[0].exposure_ev = 1;
  path.keys[1].exposure_ev = -1;
  const PathCurve curve(path);
  for (const double share : {0.25, 0.5, 0.75}) {
    const PathFrame frame = curve.at(1 + 2 * share);
    EXPECT_LT(glm::distance(camera_centre(frame.camera_from_world), share * Vec(4, -2, 1)), 1e-12);
    const Mat3<double> expected = exp(Tangent<double>{Vec(0), Vec(0, 1.2 * share, 0)}).rotation;
    EXPECT_LT(rotation_angle(frame.camera_from_world.rotation * glm::transpose(expected)), 1e-12);
    EXPECT_NEAR(*frame.exposure_ev, 1 - 2 * share, 1e-12);
  }
  // The focal length, whose logarithm goes evenly: in the middle the geometric mean of the two.
  const auto focal = [](double fov_deg) { return 1 / std::tan(fov_deg * pi / 360); };
  EXPECT_NEAR(focal(curve.at(2).vertical_fov_deg), std::sqrt(focal(30) * focal(90)), 1e-12);
  EXPECT_NEAR(curve.length(0), std::sqrt(21.0), 1e-12);
  EXPECT_NEAR(curve.angle_rad(0), 1.2, 1e-12);
  expect_same(curve.at(-100), path.keys[0]);
  expect_same(curve.at(100), path.keys[1]);
}

TEST(CameraPath, PassesEachKeyFrameExactly) {
  const CameraPath path = wild_path();
  const PathCurve curve(path);
  for (const PathFrame& key : path.keys) expect_same(curve.at(key.time_s), key);
  CameraPath one;
  one.keys = {key_at(5, Vec(1, 2, 3))};
  expect_same(PathCurve(one).at(7), one.keys[0]);
}

/// Values and first derivatives on both sides of each key frame, and along the way: no jump, no kink, in anything.
TEST(CameraPath, IsSmooth) {
  for (const bool loop : {false, true}) {
    CameraPath path = wild_path();
    if (loop) close_loop(path, 1.5);
    const PathCurve curve(path);
    const double h = 1e-7, start = path.keys.front().time_s, end = path.keys.back().time_s;
    const auto slope = [&](double t) {  // central difference of everything, one side of t only
      const PathFrame a = curve.at(t - h / 2), b = curve.at(t + h / 2);
      const Vec v = (camera_centre(b.camera_from_world) - camera_centre(a.camera_from_world)) / h;
      const Vec w = skew_part(b.camera_from_world.rotation * glm::transpose(a.camera_from_world.rotation)) / h;
      return std::array<double, 8>{v.x,
                                   v.y,
                                   v.z,
                                   w.x,
                                   w.y,
                                   w.z,
                                   (b.vertical_fov_deg - a.vertical_fov_deg) / h,
                                   (*b.exposure_ev - *a.exposure_ev) / h};
    };
    for (size_t i = loop ? 0 : 1; i + 1 < path.keys.size(); ++i) {
      const double t = path.keys[i].time_s;
      const auto before = slope(i == 0 ? end - 2 * h : t - 2 * h), after = slope(t + 2 * h);
      for (size_t k = 0; k < 8; ++k) {
        double size = 0;
        for (const double value : before) size = std::max(size, std::abs(value));
        EXPECT_NEAR(before[k], after[k], 1e-3 * size + 2e-3) << "key frame " << i << ", part " << k;
      }
    }
    PathFrame last = curve.at(start);
    for (double t = start; t < end; t += 1e-3) {
      const PathFrame frame = curve.at(t);
      EXPECT_LT(glm::distance(camera_centre(frame.camera_from_world), camera_centre(last.camera_from_world)), 0.1);
      EXPECT_LT(rotation_angle(frame.camera_from_world.rotation * glm::transpose(last.camera_from_world.rotation)),
                0.1);
      last = frame;
    }
  }
}

TEST(CameraPath, ValuesStayBetweenTheirKeyFramesAndTimeNeverRunsBack) {
  CameraPath path;
  // On a line, with a rest, a long slow part and a short fast one.
  const double x[] = {0, 0.1, 0.1, 5, 5.01, 9}, t[] = {0, 5, 6, 6.2, 11, 11.1};
  const double fov[] = {30, 30, 90, 90, 20, 60};
  for (int i = 0; i < 6; ++i) path.keys.push_back(key_at(t[i], Vec(x[i], 0, 0), Vec(0), fov[i]));
  const PathCurve curve(path);
  double before = -1e-12;
  for (double time_s = 0; time_s <= 11.1; time_s += 0.003) {
    const PathFrame frame = curve.at(time_s);
    const double now = camera_centre(frame.camera_from_world).x;
    EXPECT_GE(now, before - 1e-9) << time_s;
    before = now;
    const size_t part = static_cast<size_t>(std::upper_bound(t, t + 6, time_s) - t) - 1;
    if (part >= 5) continue;
    EXPECT_GE(frame.vertical_fov_deg, std::min(fov[part], fov[part + 1]) - 1e-9);
    EXPECT_LE(frame.vertical_fov_deg, std::max(fov[part], fov[part + 1]) + 1e-9);
  }
  // At rest nothing moves.
  EXPECT_NEAR(camera_centre(curve.at(5.5).camera_from_world).x, 0.1, 1e-15);
}

TEST(CameraPath, TurnsTakeTheShortWayWhateverTheQuaternionsSigns) {
  // Around y in steps of 100°: the quaternions' w changes its sign on the way.
  CameraPath path;
  for (int i = 0; i < 8; ++i) path.keys.push_back(key_at(i, Vec(0), Vec(0, i * 100 * pi / 180, 0)));
  const PathCurve curve(path);
  for (int i = 0; i < 70; ++i) {
    const PathFrame frame = curve.at(0.1 * i);
    const Mat3<double> expected = exp(Tangent<double>{Vec(0), Vec(0, i * 10 * pi / 180, 0)}).rotation;
    EXPECT_LT(rotation_angle(frame.camera_from_world.rotation * glm::transpose(expected)), 1e-9) << i;
  }
}

TEST(CameraPath, UnitsAndPlaceOfTheWorldChangeNothing) {
  const CameraPath path = wild_path();
  CameraPath moved = path;
  const double scale = 37;
  const Vec shift(1000, -500, 200);
  for (PathFrame& key : moved.keys) {
    const Vec centre = camera_centre(key.camera_from_world) * scale + shift;
    key.camera_from_world.translation = -(key.camera_from_world.rotation * centre);
  }
  const PathCurve a(path), b(moved);
  for (double t = 2.5; t < path.keys.back().time_s; t += 0.07) {
    const Vec expected = camera_centre(a.at(t).camera_from_world) * scale + shift;
    EXPECT_LT(glm::distance(camera_centre(b.at(t).camera_from_world), expected), 1e-9 * scale + 1e-10);
  }
}

TEST(CameraPath, FramesAtARate) {
  CameraPath path;
  path.keys = {key_at(1, Vec(0)), key_at(2, Vec(1, 0, 0)), key_at(3, Vec(0, 1, 0))};
  std::vector<PathFrame> frames = sample_path(path, 30);
  ASSERT_EQ(frames.size(), 61u);  // both ends
  EXPECT_EQ(frames[15].time_s, 1.5);
  expect_same(frames[30], path.keys[1]);
  expect_same(frames.back(), path.keys[2]);
  EXPECT_EQ(sample_path(path, 0.7).size(), 2u);
  close_loop(path, 1);
  EXPECT_TRUE(path.loop);
  EXPECT_EQ(sample_path(path, 30).size(), 90u);  // the last would be the first again
  expect_input_error([&] { sample_path(path, 0); }, {"frames per second", "found 0"});
  set_duration(path, 9e4);
  expect_input_error([&] { sample_path(path, 60); }, {"more than the 1000000 frames"});
}

TEST(CameraPath, Edits) {
  CameraPath path;
  EXPECT_EQ(append_key(path, key_at(77, Vec(0)), 5), 0u);
  EXPECT_EQ(path.keys[0].time_s, 0);
  append_key(path, key_at(0, Vec(1, 0, 0)), 2);
  append_key(path, key_at(0, Vec(3, 0, 0)), 2);
  EXPECT_EQ(insert_key(path, key_at(1, Vec(0, 9, 0))), 1u);
  ASSERT_EQ(path.keys.size(), 4u);
  EXPECT_EQ(insert_key(path, key_at(1.0004, Vec(0, 8, 0))), 1u);  // the same moment: replaced, its time stays
  ASSERT_EQ(path.keys.size(), 4u);
  EXPECT_EQ(path.keys[1].time_s, 1);
  EXPECT_EQ(camera_centre(path.keys[1].camera_from_world).y, 8);
  EXPECT_EQ(move_key(path, 1, 3.0), 2u);  // passes another
  EXPECT_EQ(path.keys[2].time_s, 3);
  const size_t beside = move_key(path, 2, 4.0);  // onto the last: just before it
  EXPECT_EQ(beside, 2u);
  EXPECT_LT(path.keys[2].time_s, 4);
  check_path(path, "test");
  delete_key(path, 2);
  set_duration(path, 8);
  EXPECT_EQ(path.keys[1].time_s, 4);
  EXPECT_EQ(path.keys[2].time_s, 8);
  // A loop's ends belong together; without one of them it is none.
  close_loop(path, 2);
  replace_key(path, 0, key_at(0, Vec(0, 0, 7), Vec(0), 40));
  EXPECT_TRUE(path.loop);
  EXPECT_EQ(path.keys.back().vertical_fov_deg, 40);
  EXPECT_EQ(path.keys.back().time_s, 10);
  check_path(path, "test");
  delete_key(path, 3);
  EXPECT_FALSE(path.loop);
  check_path(path, "test");
  // Exposures: as the others have it.
  PathFrame bright = key_at(20, Vec(1));
  bright.exposure_ev = 2;
  insert_key(path, bright);
  EXPECT_FALSE(path.keys.back().exposure_ev);
  for (PathFrame& key : path.keys) key.exposure_ev = key.time_s;
  insert_key(path, key_at(6, Vec(2)));
  EXPECT_NEAR(*path.keys[2].exposure_ev, 6, 1e-9);
}

TEST(CameraPath, ConstantSpeedIsTheSameMeanSpeedEverywhere) {
  CameraPath path = wild_path();
  const double duration = path.duration_s();
  retime_to_constant_speed(path);
  EXPECT_NEAR(path.duration_s(), duration, 1e-9);
  check_path(path, "test");
  const PathCurve curve(path);
  double total = 0;
  for (size_t i = 0; i + 1 < path.keys.size(); ++i) total += curve.length(i);
  for (size_t i = 0; i + 1 < path.keys.size(); ++i)
    EXPECT_NEAR(curve.length(i) / (path.keys[i + 1].time_s - path.keys[i].time_s), total / duration, 1e-6 * total);
  // By hand: 1 and 3 units on a line in 4 seconds; a rest keeps its time.
  CameraPath line;
  line.keys = {key_at(0, Vec(0)), key_at(3, Vec(1, 0, 0)), key_at(5, Vec(1, 0, 0)), key_at(6, Vec(4, 0, 0))};
  retime_to_constant_speed(line);
  EXPECT_NEAR(line.keys[1].time_s, 1, 1e-4);
  EXPECT_NEAR(line.keys[2].time_s - line.keys[1].time_s, 2, 1e-9);
  EXPECT_NEAR(line.keys[3].time_s, 6, 1e-9);
  // On the spot: by angles.
  CameraPath spot;
  spot.keys = {key_at(0, Vec(0)), key_at(1, Vec(0), Vec(0, 0.9, 0)), key_at(4, Vec(0), Vec(0, 1.2, 0))};
  retime_to_constant_speed(spot);
  EXPECT_NEAR(spot.keys[1].time_s, 3, 1e-9);
}

TEST(CameraPath, BrokenPathsAreRefused) {
  const auto expect = [](const std::function<void(CameraPath&)>& harm, std::initializer_list<const char*> parts) {
    CameraPath path = wild_path(4);
    harm(path);
    expect_input_error([&] { check_path(path, "FILE"); }, parts);
  };
  expect([](CameraPath& p) { p.keys.clear(); }, {"FILE", "no key frames"});
  expect([](CameraPath& p) { p.keys[2].time_s = p.keys[1].time_s; },
         {"FILE: key frame 2: time_s", "expected more than"});
  expect([](CameraPath& p) { p.keys[1].vertical_fov_deg = 180; }, {"key frame 1: vertical_fov_deg", "found 180"});
  expect([](CameraPath& p) { p.keys[1].vertical_fov_deg = NAN; }, {"vertical_fov_deg", "nan"});
  expect([](CameraPath& p) { p.keys[3].exposure_ev.reset(); },
         {"key frame 3: exposure_ev", "all key frames or in none"});
  expect([](CameraPath& p) { p.keys[0].camera_from_world.rotation *= 1.1; }, {"key frame 0: camera_from_world"});
  expect([](CameraPath& p) { p.keys[0].camera_from_world.translation.y = INFINITY; }, {"finite", "inf"});
  expect([](CameraPath& p) { p.loop = true; }, {"loop", "the view of the first"});
  expect([](CameraPath& p) { p.lens_of_image = true; }, {"lens_of_image", "image"});
  expect([](CameraPath& p) { p.frames_per_s = 0; }, {"fps"});
}

TEST(RotationPath, QuaternionsByHand) {
  const double c = std::cos(pi / 4), s = std::sin(pi / 4);
  const Quaternion none = {1, 0, 0, 0}, quarter_x = {c, s, 0, 0};
  const Vec turn = rotation_to(none, quarter_x);
  EXPECT_NEAR(turn.x, pi / 2, 1e-12);
  const Vec same = rotation_to(none, {-c, -s, 0, 0});  // the other sign of the same rotation
  EXPECT_NEAR(same.x, pi / 2, 1e-12);
  EXPECT_NEAR(rotation_between(none, quarter_x, 0.5)[1], std::sin(pi / 8), 1e-12);
  const Quaternion q = {0.5, 0.5, -0.5, 0.5}, p = {0.8, 0, 0.6, 0};
  const Mat3<double> product = rotation_from_quaternion(q) * rotation_from_quaternion(p);
  const Mat3<double> direct = rotation_from_quaternion(quaternion_product(q, p));
  for (int i = 0; i < 3; ++i) EXPECT_LT(glm::distance(product[i], direct[i]), 1e-12);
  const Quaternion back = rotated_by(q, rotation_to(q, p));
  const Mat3<double> arrived = rotation_from_quaternion(back) * glm::transpose(rotation_from_quaternion(p));
  EXPECT_LT(rotation_angle(arrived), 1e-12);
  EXPECT_LT(glm::length(rotation_to(q, rotated_by(q, Vec(1e-9, 0, 0))) - Vec(1e-9, 0, 0)), 1e-15);
}

}  // namespace
}  // namespace ptl
