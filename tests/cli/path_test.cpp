// Camera paths and edits of points as a user meets them: render --path, fit, densify and info with --edits.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>

#include "datasets/camera_path_json.h"
#include "datasets/camera_path_nerfstudio.h"
#include "datasets/path_curve.h"
#include "datasets/ply.h"
#include "datasets/point_filter.h"
#include "datasets/scene_loader.h"
#include "tests/support/fit_scene.h"
#include "tests/support/run_program.h"

namespace ptl::testing {
namespace {

namespace fs = std::filesystem;
const std::string program = PTL_PROGRAM;

double mean_of(const Image& image) {
  double sum = 0;
  for (const float value : image.pixels) sum += static_cast<double>(value);
  return sum / static_cast<double>(image.pixels.size());
}

/// One fit for all tests, of a scene of which photos and model are never changed.
class PathTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    shared_ = new TemporaryFolder;
    FitSceneOptions options;
    options.points = 2000;
    write_fit_scene(scene(), options);
    const ProgramResult fit = run_program(program, fit_arguments(model_run(), {}));
    ASSERT_EQ(fit.exit_code, 0) << fit.output;
  }
  static void TearDownTestSuite() {
    delete shared_;
    shared_ = nullptr;
  }
  static fs::path scene() { return *shared_ / "scene"; }
  static fs::path model_run() { return *shared_ / "run"; }
  static std::vector<std::string> fit_arguments(const fs::path& run, std::vector<std::string> more) {
    std::vector<std::string> arguments = {
        "fit",   scene().string(),       "--out",       run.string(),      "--steps",   "20",
        "--set", "crop.size_px=64",      "--set",       "raster.layers=3", "--set",     "environment.height=16",
        "--set", "environment.width=32", "--no-report", "--no-densify",    "--threads", "1"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  ProgramResult render(std::vector<std::string> more) {
    std::vector<std::string> arguments = {"render", model_run().string(), "--threads", "1"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_program(program, arguments);
  }
  /// From the pose of one photo to that of another, with the photos' field of view: focal length 96 px at a height
  /// of 72.
  CameraPath path_between(const char* from, const char* to) {
    const Scene loaded = load_scene(scene());
    origin_ = loaded.origin_world;
    CameraPath path;
    for (const SceneImage& image : loaded.images)
      if (image.name == from || image.name == to) {
        PathFrame key;
        key.time_s = static_cast<double>(path.keys.size());
        key.camera_from_world = image.camera_from_world;
        key.vertical_fov_deg = 2 * std::atan(0.5 * 72 / 96) * 180 / std::numbers::pi;
        path.keys.push_back(key);
      }
    // Not the pose of any photo at its end.
    path.keys[1].camera_from_world =
        Pose<double>{exp(Tangent<double>{Vec3<double>(0), Vec3<double>(0.02, -0.1, 0.05)}).rotation, Vec3<double>(0)} *
        path.keys[1].camera_from_world;
    path.frames_per_s = 4;
    path.image = from;
    return path;
  }
  fs::path frame(const std::string& folder, int i) const {
    return folder_ / folder / fmt::format("frame_{:06}.png", i);
  }

  static TemporaryFolder* shared_;
  TemporaryFolder folder_;
  Vec3<double> origin_{0};
};
TemporaryFolder* PathTest::shared_ = nullptr;

TEST_F(PathTest, FramesAreThePicturesOfTheirPosesBitForBit) {
  CameraPath path = path_between("photo_002.png", "photo_005.png");
  const fs::path file = folder_ / "path.json";
  write_camera_path(path, origin_, file);
  const ProgramResult rendered = render({"--path", file.string(), "--out", (folder_ / "frames").string()});
  ASSERT_EQ(rendered.exit_code, 0) << rendered.output;
  EXPECT_NE(rendered.output.find("5 frames of 96 x 72 px"), std::string::npos) << rendered.output;

  // The photo's own pose, by its name.
  ASSERT_EQ(render({"--view", "photo_002.png", "--out", (folder_ / "view.png").string()}).exit_code, 0);
  EXPECT_TRUE(file_contents(folder_ / "view.png") == file_contents(frame("frames", 0)));
  // All of them, as a list of views.
  nlohmann::json views;
  const std::vector<PathFrame> frames = sample_path(read_camera_path(file, origin_), 4);
  for (size_t i = 0; i < frames.size(); ++i) {
    const Pose<double> pose = pose_to_world(frames[i].camera_from_world, origin_);
    nlohmann::json rows;
    for (int row = 0; row < 3; ++row)
      rows.push_back({pose.rotation[0][row], pose.rotation[1][row], pose.rotation[2][row], pose.translation[row]});
    views["views"].push_back({{"name", std::to_string(i)}, {"image", "photo_002.png"}, {"camera_from_world", rows}});
  }
  write_contents(folder_ / "views.json", views.dump());
  ASSERT_EQ(render({"--path", (folder_ / "views.json").string(), "--out", (folder_ / "views").string()}).exit_code, 0);
  for (int i = 0; i < 5; ++i)
    EXPECT_TRUE(file_contents(folder_ / "views" / (std::to_string(i) + ".png")) == file_contents(frame("frames", i)))
        << i;
  EXPECT_FALSE(file_contents(frame("frames", 0)) == file_contents(frame("frames", 1)));

  // With the photo's lens, whatever the fields of view say, and exposures as key frames have them: two stops darker.
  path.lens_of_image = true;
  for (PathFrame& key : path.keys) key.vertical_fov_deg = 100;
  write_camera_path(path, origin_, file);
  ASSERT_EQ(render({"--path", file.string(), "--out", (folder_ / "lens").string()}).exit_code, 0);
  EXPECT_TRUE(file_contents(frame("lens", 3)) == file_contents(frame("frames", 3)));
  path.keys[0].exposure_ev = path.keys[1].exposure_ev = 2;
  write_camera_path(path, origin_, file);
  ASSERT_EQ(render({"--path", file.string(), "--out", (folder_ / "dark").string()}).exit_code, 0);
  ASSERT_EQ(render({"--path", file.string(), "--out", (folder_ / "bright").string(), "--exposure", "2", "--fps", "1"})
                .exit_code,
            0);
  const Image dark = to_float(read_image(frame("dark", 0))), plain = to_float(read_image(frame("frames", 0)));
  EXPECT_LT(mean_of(dark), 0.7 * mean_of(plain));
  EXPECT_GT(mean_of(to_float(read_image(frame("bright", 1)))), 1.3 * mean_of(dark));
  EXPECT_FALSE(fs::exists(frame("bright", 2)));  // one frame a second
}

TEST_F(PathTest, FlickerIsMeasuredAlongIt) {
  const fs::path file = folder_ / "path.json";
  write_camera_path(path_between("photo_002.png", "photo_003.png"), origin_, file);
  const auto eval = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"eval", model_run().string(), "--json", "--threads", "1"});
    return run_program(program, more);
  };
  const ProgramResult along = eval({"--flicker", "--path", file.string()});
  ASSERT_EQ(along.exit_code, 0) << along.output;
  const nlohmann::json flicker = nlohmann::json::parse(along.output.substr(along.output.find('{')))["flicker"];
  EXPECT_EQ(flicker["path"], file.string());
  EXPECT_EQ(flicker["pairs"], 4);
  EXPECT_GT(flicker["levels"].get<double>(), 0);
  EXPECT_GT(flicker["compared"].get<double>(), 0.1);
  EXPECT_EQ(nlohmann::json::parse(eval({}).output).count("flicker"), 0u);
  const ProgramResult alone = eval({"--path", file.string()});
  EXPECT_NE(alone.exit_code, 0);
  EXPECT_NE(alone.output.find("--path requires --flicker"), std::string::npos) << alone.output;
  expect_refused(eval({"--flicker", "--path", (folder_ / "none.json").string()}), {"none.json"});
}

TEST_F(PathTest, GoesOnWithWhatIsThereAndMixesNothing) {
  CameraPath path = path_between("photo_001.png", "photo_007.png");
  path.width_px = 64;
  path.height_px = 36;
  const fs::path file = folder_ / "path.json";
  write_camera_path(path, origin_, file);
  const std::vector<std::string> arguments = {"--path", file.string(), "--out", (folder_ / "f").string()};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), arguments.begin(), arguments.end());
    return render(more);
  };
  expect_refused(with({"--resume"}), {"no frames to resume"});
  ASSERT_EQ(with({}).exit_code, 0);
  EXPECT_EQ(read_image_size(frame("f", 0)).width_px, 64);
  EXPECT_EQ(read_image_size(frame("f", 0)).height_px, 36);
  const std::string second = file_contents(frame("f", 2));
  fs::remove(frame("f", 2));
  expect_refused(with({}), {"frames in this folder already", "--resume"});
  expect_refused(with({"--resume", "--width", "48"}), {"another path, model, size or exposure"});
  expect_refused(with({"--resume", "--exposure", "1"}), {"another path, model, size or exposure"});
  expect_refused(with({"--resume", "--depth"}), {"another path, model, size or exposure"});
  const ProgramResult resumed = with({"--resume"});
  EXPECT_EQ(resumed.exit_code, 0) << resumed.output;
  EXPECT_NE(resumed.output.find("4 frames were there"), std::string::npos) << resumed.output;
  EXPECT_TRUE(file_contents(frame("f", 2)) == second);
}

TEST_F(PathTest, VideosAndNerfstudiosPaths) {
  CameraPath path = path_between("photo_001.png", "photo_007.png");
  path.width_px = 48;
  path.height_px = 36;
  const fs::path file = folder_ / "nerfstudio.json";
  write_nerfstudio_path(path, origin_, file);
  const std::string system_path = std::getenv("PATH");
  ::setenv("PATH", folder_.path().c_str(), 1);
  expect_refused(
      render({"--path", file.string(), "--out", (folder_ / "f").string(), "--video", (folder_ / "v.mp4").string()}),
      {"ffmpeg", "apt-get install ffmpeg"});
  EXPECT_FALSE(fs::exists(folder_ / "f"));
  write_contents(folder_ / "ffmpeg", "#!/bin/sh\nfor a; do last=\"$a\"; done\necho video > \"$last\"\n");
  ::chmod((folder_ / "ffmpeg").c_str(), 0755);
  const ProgramResult made =
      render({"--path", file.string(), "--out", (folder_ / "f").string(), "--video", (folder_ / "v.mp4").string()});
  ::setenv("PATH", system_path.c_str(), 1);
  EXPECT_EQ(made.exit_code, 0) << made.output;
  EXPECT_EQ(file_contents(folder_ / "v.mp4"), "video\n");
  EXPECT_NE(made.output.find("5 frames of 48 x 36 px"), std::string::npos) << made.output;
  EXPECT_NE(made.output.find("names no image"), std::string::npos) << made.output;
  EXPECT_NE(made.output.find("--nerfstudio-transform"), std::string::npos) << made.output;
  // The same path in the coordinates of a run of nerfstudio, with its transform: the same pictures but for rounding.
  const NerfstudioTransform transform{
      exp(Tangent<double>{Vec3<double>(0), Vec3<double>(0.3, 1, -0.2)}).rotation, {1, 2, 3}, 0.2};
  write_nerfstudio_path(path, origin_, file, transform);
  nlohmann::json rows;
  for (int row = 0; row < 3; ++row)
    rows.push_back({transform.rotation[0][row], transform.rotation[1][row], transform.rotation[2][row],
                    transform.translation[row]});
  write_contents(folder_ / "t.json", nlohmann::json({{"transform", rows}, {"scale", 0.2}}).dump());
  ASSERT_EQ(render({"--path", file.string(), "--out", (folder_ / "g").string(), "--nerfstudio-transform",
                    (folder_ / "t.json").string()})
                .exit_code,
            0);
  for (int i = 0; i < 5; ++i) {
    const Image a = to_float(read_image(frame("f", i))), b = to_float(read_image(frame("g", i)));
    double difference = 0;
    for (size_t k = 0; k < a.pixels.size(); ++k) difference += static_cast<double>(std::abs(a.pixels[k] - b.pixels[k]));
    EXPECT_LT(difference / static_cast<double>(a.pixels.size()), 2e-3) << i;
  }
}

TEST_F(PathTest, WrongPathsAreRefused) {
  const fs::path file = folder_ / "path.json";
  const auto refused = [&](const std::string& contents, const std::vector<std::string>& parts,
                           std::vector<std::string> more = {}) {
    write_contents(file, contents);
    more.insert(more.begin(), {"--path", file.string(), "--out", (folder_ / "f").string()});
    expect_refused(render(more), parts);
    EXPECT_FALSE(fs::exists(folder_ / "f"));
  };
  refused("{", {"path.json", "not a JSON file", "line 1"});
  refused("[]", {"path.json", "not a camera path"});
  refused(R"({"format": "something"})", {"format", "pointillist camera path"});
  refused(R"({"views": 3})", {"path.json"});
  CameraPath path = path_between("photo_001.png", "photo_007.png");
  path.image = "photo_001.jpg";
  write_camera_path(path, origin_, file);
  refused(file_contents(file), {"photo_001.jpg"});
  path.image = "photo_001.png";
  write_camera_path(path, origin_, file);
  const std::string sound = file_contents(file);
  refused(sound, {"--fps", "found -1"}, {"--fps", "-1"});
  refused(sound, {"video:", ".mp4"}, {"--video", "a.gif"});
  refused(sound, {"out of range"}, {"--width", "20000"});
  refused(sound, {"--nerfstudio-transform", "is not nerfstudio's"}, {"--nerfstudio-transform", "t.json"});
  expect_refused(render({"--view", "photo_001.png", "--fps", "3", "--out", (folder_ / "a.png").string()}),
                 {"--fps", "--path"});
}

TEST_F(PathTest, EditsLeaveOutPointsAndTouchNoFile) {
  // The wall is at z = 4, x in −4..4: a box keeps its right half, a brush removes a disc of it.
  const Scene whole = load_scene(scene());
  PointEdit keep, stroke;
  keep.kind = PointEdit::Kind::keep_box;
  keep.box = {Vec3<double>(2, 0, 4) - whole.origin_world, {2, 3, 1}, Mat3<double>(1)};
  stroke.kind = PointEdit::Kind::remove_spheres;
  stroke.spheres = {{Vec3<double>(1, 0, 4) - whole.origin_world, 0.5}};
  const fs::path file = folder_ / "edits.json", points = scene() / "sparse" / "0" / "points3D.bin";
  write_point_edits({keep, stroke}, whole.origin_world, file);
  size_t expected = 0;
  for (const SparsePoint& point : read_colmap_model(scene() / "sparse" / "0").points)
    expected += point.position.x >= 0 && glm::distance(point.position, Vec3<double>(1, 0, 4)) > 0.5;
  const std::string before = file_contents(points);

  const std::string dropped = fmt::format("drops {} of 2000 points", 2000 - expected);
  const ProgramResult info = run_program(program, {"info", scene().string(), "--edits", file.string()});
  EXPECT_EQ(info.exit_code, 0) << info.output;
  EXPECT_NE(info.output.find(dropped), std::string::npos) << info.output;
  const fs::path run = folder_ / "run";
  const ProgramResult fit = run_program(program, fit_arguments(run, {"--edits", file.string(), "--grow", "off", "--set",
                                                                     "raster.remove_isolated=false"}));
  EXPECT_EQ(fit.exit_code, 0) << fit.output;
  EXPECT_NE(fit.output.find(dropped), std::string::npos) << fit.output;
  EXPECT_NE(file_contents(run / "config.toml").find("edits.json"), std::string::npos);
  ASSERT_EQ(run_program(program, {"export", run.string(), "--ply", (folder_ / "p.ply").string()}).exit_code, 0);
  const PlyContents left = read_ply(folder_ / "p.ply");
  EXPECT_EQ(left.cloud.size(), expected);
  for (const Vec3<float>& p : left.cloud.position) EXPECT_GE(p.x, -1e-6f);
  EXPECT_TRUE(file_contents(points) == before);
  // A run is of its edits: with others it does not go on.
  write_point_edits({keep}, whole.origin_world, file);
  expect_refused(run_program(program, {"fit", scene().string(), "--out", run.string(), "--resume", "--steps", "25"}),
                 {"is not the one that this run was started with"});
  // Wrong files.
  write_contents(file, "{}");
  for (const char* command : {"info", "fit", "densify"})
    expect_refused(run_program(program, {command, scene().string(), "--edits", file.string(),
                                         command == std::string("info") ? "--preset" : "--out",
                                         command == std::string("info") ? "quick" : (folder_ / "o.ply").string()}),
                   {"edits.json", "expected \"format\""});
  keep.box.centre = Vec3<double>(1000);
  write_point_edits({keep}, whole.origin_world, file);
  expect_refused(run_program(program, {"info", scene().string(), "--edits", file.string()}),
                 {"edits.json", "drops all 2000 points"});
}

TEST_F(PathTest, EditsOfDensePoints) {
  const Scene whole = load_scene(scene());
  PointEdit remove;
  remove.kind = PointEdit::Kind::remove_box;
  remove.box = {Vec3<double>(-2, 0, 4) - whole.origin_world, {2, 5, 2}, Mat3<double>(1)};
  write_point_edits({remove}, whole.origin_world, folder_ / "edits.json");
  const fs::path all = folder_ / "all.ply", some = folder_ / "some.ply";
  ASSERT_EQ(run_program(program, {"densify", scene().string(), "--out", all.string(), "--threads", "1"}).exit_code, 0);
  const ProgramResult edited = run_program(program, {"densify", scene().string(), "--out", some.string(), "--edits",
                                                     (folder_ / "edits.json").string(), "--threads", "1"});
  ASSERT_EQ(edited.exit_code, 0) << edited.output;
  const PlyContents before = read_ply(all, whole.origin_world), after = read_ply(some);
  size_t expected = 0;
  for (const Vec3<float>& p : before.cloud.position) expected += PointFilter({remove}).keeps(Vec3<double>(p));
  EXPECT_GT(expected, 100u);
  EXPECT_LT(expected, before.cloud.size());
  EXPECT_EQ(after.cloud.size(), expected);
  EXPECT_EQ(after.confidence.size(), expected);
  EXPECT_EQ(after.seen_by.first.size(), expected + 1);
  EXPECT_EQ(after.seen_by.first.back(), after.seen_by.image_id.size());
  EXPECT_NE(edited.output.find(fmt::format("drops {} of the dense points", before.cloud.size() - expected)),
            std::string::npos)
      << edited.output;
}

}  // namespace
}  // namespace ptl::testing
