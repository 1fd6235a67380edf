// The thread that renders, without a window: its pictures against the renderer's own, cancelling, a run that grows.
#include "viewer/render_thread.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "datasets/image_io.h"
#include "datasets/ply.h"
#include "renderer/model_file.h"
#include "renderer/network_stop.h"
#include "renderer/open_run.h"
#include "renderer/picture.h"
#include "renderer/unfitted_model.h"
#include "tests/support/fit_scene.h"
#include "tests/support/temporary_folder.h"

namespace ptl::testing {
namespace {

namespace fs = std::filesystem;

SceneModel small_model(const fs::path& folder, int seed = 0) {
  FitConfig config = preset_config("quick");
  config.seed = seed;
  config.environment.height = 16;
  config.environment.width = 32;
  const Scene scene = open_scene(folder, config.scene);
  PrepareOptions prepare;
  return make_scene_model(scene, make_split(scene, "every8"), prepare_points(scene, prepare), config, 3);
}

class RenderThreadTest : public ::testing::Test {
 protected:
  void SetUp() override {
    write_fit_scene(folder_ / "scene");
    fs::create_directories(folder_ / "run");
  }
  RenderThreadOptions options() const {
    RenderThreadOptions result;
    result.path = (folder_ / "run").string();
    result.threads = 1;
    return result;
  }
  template <class Done>
  static bool wait_for(Done&& done, double seconds = 60) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
    while (!done()) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
  }
  static std::shared_ptr<const ViewScene> scene_of(RenderThread& thread) {
    std::shared_ptr<const ViewScene> scene;
    wait_for([&] { return (scene = thread.take_scene()) != nullptr || !thread.status().error.empty(); });
    return scene;
  }
  static ViewRequest request_of(const ViewScene& scene, size_t image, std::vector<ViewMode> modes,
                                uint64_t serial = 1) {
    ViewRequest request;
    request.serial = serial;
    request.camera = scene.images[image].camera;
    request.camera_from_world = scene.images[image].camera_from_world;
    request.light.image = static_cast<int64_t>(image);
    for (const ViewMode mode : modes) {
      WantedPicture wanted;
      wanted.mode = mode;
      wanted.layer = 1;
      wanted.photo = static_cast<int64_t>(image);
      request.wanted.push_back(wanted);
    }
    return request;
  }
  TemporaryFolder folder_;
};

TEST_F(RenderThreadTest, PicturesAreTheRenderersBitForBit) {
  const SceneModel model = small_model(folder_ / "scene");
  write_model(folder_ / "run" / "model.safetensors", model);
  RenderThread thread(options());
  const auto scene = scene_of(thread);
  ASSERT_TRUE(scene) << thread.status().error;
  EXPECT_TRUE(scene->has_model);
  EXPECT_EQ(scene->images.size(), 10u);
  EXPECT_TRUE(scene->photos) << scene->photos_missing;
  EXPECT_EQ(scene->cloud->total, static_cast<uint64_t>(model.points.size()));
  constexpr size_t image = 3;
  const std::vector<ViewMode> modes = {ViewMode::neural,      ViewMode::depth,   ViewMode::weight, ViewMode::layer,
                                       ViewMode::environment, ViewMode::support, ViewMode::error};
  thread.request(request_of(*scene, image, modes));
  std::vector<Picture> pictures;
  ASSERT_TRUE(wait_for([&] {
    for (Picture& picture : thread.take_pictures()) pictures.push_back(std::move(picture));
    return pictures.size() == modes.size();
  }));
  const RenderView view = photo_view(model, static_cast<int64_t>(image));
  ViewPictures expected(model, view);
  PictureLight light;
  light.image = static_cast<int64_t>(image);
  light.setting = photometric_setting(model, light.image, ExposureProtocol::exif);
  const Image photo = scene->photos->photo(static_cast<int>(image));
  const std::optional<Image> images[] = {
      expected.neural(light),      expected.depth(),   expected.weight(),           expected.layer(1, {0, 1, 2}),
      expected.environment(light), expected.support(), expected.error(light, photo)};
  for (size_t i = 0; i < modes.size(); ++i) {
    EXPECT_EQ(pictures[i].message, "");
    EXPECT_EQ(pictures[i].slot, i);
    EXPECT_EQ(pictures[i].pixels.values8, to_stored(*images[i]).values8) << view_mode_info(modes[i]).name;
  }
  // An untrained network, but different kinds must be different pictures.
  EXPECT_NE(pictures[0].pixels.values8, pictures[4].pixels.values8);
}

TEST_F(RenderThreadTest, TheNewestRequestWins) {
  write_model(folder_ / "run" / "model.safetensors", small_model(folder_ / "scene"));
  RenderThread thread(options());
  const auto scene = scene_of(thread);
  ASSERT_TRUE(scene) << thread.status().error;
  for (uint64_t serial = 1; serial <= 30; ++serial)
    thread.request(request_of(*scene, serial % 10, {ViewMode::neural}, serial));
  std::vector<Picture> pictures;
  ASSERT_TRUE(wait_for([&] {
    for (Picture& picture : thread.take_pictures()) pictures.push_back(std::move(picture));
    return !pictures.empty() && pictures.back().serial == 30;
  }));
  EXPECT_LT(pictures.size(), 30u);
}

TEST_F(RenderThreadTest, AStoppedNetworkGivesNoPictureAndTheNextOneIsWhole) {
  const SceneModel model = small_model(folder_ / "scene");
  const RenderView view = photo_view(model, 2);
  std::atomic<bool> stop{true};
  EXPECT_FALSE(ViewPictures(model, view, &stop).neural({}));
  EXPECT_FALSE(ViewPictures(model, view, &stop).support());
  // Stopped from the first row on, memory that is filled with another picture stays as it is: no row was computed.
  torch::NoGradGuard no_gradient;
  const FilledPyramid pyramid = render_pyramid(model, view, nullptr);
  const torch::Tensor whole = radiance_of(model, pyramid, view);
  {
    const NetworkStop way_out(&stop);
    radiance_of(model, pyramid, view);
  }
  stop = false;
  const NetworkStop way_out(&stop);
  EXPECT_TRUE(torch::equal(radiance_of(model, pyramid, view), whole));
}

TEST_F(RenderThreadTest, FollowsARunThatHasNoModelYet) {
  RenderThreadOptions follow = options();
  follow.follow = true;
  RenderThread thread(follow);
  ASSERT_TRUE(wait_for([&] { return !thread.status().error.empty(); }));
  EXPECT_NE(thread.status().error.find("waiting for the fit's first checkpoint"), std::string::npos)
      << thread.status().error;
  write_model(folder_ / "run" / "checkpoint.safetensors", small_model(folder_ / "scene"));
  auto first = scene_of(thread);
  if (!first) first = scene_of(thread);
  ASSERT_TRUE(wait_for([&] { return first || (first = thread.take_scene()) != nullptr; }));
  EXPECT_TRUE(thread.status().error.empty());
  write_model(folder_ / "run" / "checkpoint.safetensors", small_model(folder_ / "scene", 1));
  std::shared_ptr<const ViewScene> second;
  ASSERT_TRUE(wait_for([&] { return (second = thread.take_scene()) != nullptr; }));
  EXPECT_GT(second->generation, first->generation);
}

TEST_F(RenderThreadTest, AnotherPathIsAnErrorAndScenesAreShownWithoutAFit) {
  RenderThreadOptions nowhere = options();
  nowhere.path = (folder_ / "nowhere").string();
  RenderThread missing(nowhere);
  ASSERT_TRUE(wait_for([&] { return !missing.status().error.empty(); }));
  EXPECT_NE(missing.status().error.find("no such scene, run or model file"), std::string::npos);
  RenderThreadOptions scene_only = options();
  scene_only.path = (folder_ / "scene").string();
  RenderThread thread(scene_only);
  const auto scene = scene_of(thread);
  ASSERT_TRUE(scene) << thread.status().error;
  EXPECT_TRUE(scene->has_model);
  EXPECT_FALSE(scene->fitted);
  EXPECT_FALSE(scene->coarse);
  EXPECT_EQ(scene->cloud->total, 3000u);
}

TEST_F(RenderThreadTest, AScenesPointsComeFewFirstAndThenAll) {
  write_fit_scene(folder_ / "large", {.points = 150000});
  RenderThreadOptions large = options();
  large.path = (folder_ / "large").string();
  RenderThread thread(large);
  const auto few = scene_of(thread);
  ASSERT_TRUE(few) << thread.status().error;
  EXPECT_TRUE(few->coarse);
  EXPECT_EQ(few->cloud->total, 150000u);
  std::shared_ptr<const ViewScene> all;
  ASSERT_TRUE(wait_for([&] { return (all = thread.take_scene()) != nullptr; }));
  EXPECT_FALSE(all->coarse);
  EXPECT_GT(all->generation, few->generation);
  // What is rendered now has all of the points: the pictures are those of the whole model.
  thread.request(request_of(*all, 3, {ViewMode::weight}));
  std::vector<Picture> pictures;
  ASSERT_TRUE(wait_for([&] { return !(pictures = thread.take_pictures()).empty(); }));
  std::string missing;
  Scene scene = open_unfitted(folder_ / "large", {}, missing);
  const SceneModel model = unfitted_model(scene, {});
  EXPECT_EQ(pictures[0].pixels.values8, to_stored(*ViewPictures(model, photo_view(model, 3)).weight()).values8);
}

CameraPath path_between(const ViewScene& scene, double frames_per_s) {
  CameraPath path;
  path.frames_per_s = frames_per_s;
  for (const size_t image : {2u, 5u}) {
    PathFrame key;
    key.time_s = static_cast<double>(path.keys.size());
    key.camera_from_world = scene.images[image].camera_from_world;
    path.keys.push_back(key);
  }
  return path;
}

TEST_F(RenderThreadTest, FramesOfAPathAreMadeThoughPicturesAreWantedAllTheTime) {
  write_model(folder_ / "run" / "model.safetensors", small_model(folder_ / "scene"));
  RenderThread thread(options());
  const auto scene = scene_of(thread);
  ASSERT_TRUE(scene) << thread.status().error;
  // Frames that take far longer than the time between two requests.
  CameraPath path = path_between(*scene, 1);
  path.width_px = 1600;
  path.height_px = 1200;
  thread.export_path({path, (folder_ / "frames").string(), ""});
  uint64_t serial = 0;
  size_t pictures = 0;
  // Each request drops the one before, faster than a frame can be rendered.
  ASSERT_TRUE(wait_for([&] {
    thread.request(request_of(*scene, serial % 10, {ViewMode::neural}, serial + 1));
    ++serial;
    pictures += thread.take_pictures().size();
    return !thread.export_status().running();
  }));
  EXPECT_EQ(thread.export_status().stage, PathExportStatus::Stage::done) << thread.export_status().message;
  EXPECT_EQ(thread.export_status().frames_done, 2u);
  EXPECT_GT(pictures, 0u) << "the view got nothing";
  EXPECT_TRUE(fs::exists(folder_ / "frames" / "frame_000001.png"));
}

TEST_F(RenderThreadTest, AnExportNeedsAModelAndEndsWithTheThread) {
  {
    // Points that no photo shows: there is nothing to choose layers by.
    write_fit_scene(folder_ / "aside");
    Scene moved = open_scene(folder_ / "aside", {});
    for (Vec3<float>& position : moved.cloud.position) position.x += 1000;
    write_ply(folder_ / "aside" / "points.ply", moved.cloud, moved.origin_world);
    RenderThreadOptions of_scene = options();
    of_scene.path = (folder_ / "aside").string();
    RenderThread thread(of_scene);
    const auto scene = scene_of(thread);
    ASSERT_TRUE(scene) << thread.status().error;
    EXPECT_FALSE(scene->has_model);
    EXPECT_FALSE(scene->remarks.empty());
    thread.export_path({path_between(*scene, 2), (folder_ / "frames").string(), ""});
    ASSERT_TRUE(wait_for([&] { return !thread.export_status().running(); }));
    EXPECT_EQ(thread.export_status().stage, PathExportStatus::Stage::failed);
    EXPECT_NE(thread.export_status().message.find("need a model"), std::string::npos);
    EXPECT_FALSE(fs::exists(folder_ / "frames"));
  }
  {
    RenderThreadOptions unfitted = options();
    unfitted.path = (folder_ / "scene").string();
    RenderThread thread(unfitted);
    const auto scene = scene_of(thread);
    ASSERT_TRUE(scene) << thread.status().error;
    thread.export_path({path_between(*scene, 2), (folder_ / "unfitted").string(), ""});
    ASSERT_TRUE(wait_for([&] { return !thread.export_status().running(); }));
    EXPECT_EQ(thread.export_status().stage, PathExportStatus::Stage::done) << thread.export_status().message;
  }
  write_model(folder_ / "run" / "model.safetensors", small_model(folder_ / "scene"));
  {
    RenderThread thread(options());
    const auto scene = scene_of(thread);
    ASSERT_TRUE(scene);
    thread.export_path({path_between(*scene, 1000), (folder_ / "frames").string(), ""});
    ASSERT_TRUE(wait_for([&] { return thread.export_status().frames_done > 2; }));
  }
  for (const auto& entry : fs::directory_iterator(folder_ / "frames"))
    EXPECT_TRUE(entry.path().extension() == ".png" || entry.path().filename() == "frames.json") << entry.path();
}

}  // namespace
}  // namespace ptl::testing
