// What presets need, as doctor says it: memory as info predicts it, steps and time from rehearsals.
#include "renderer/preset_outlook.h"

#include <gtest/gtest.h>

#include "datasets/error.h"
#include "datasets/scene_loader.h"
#include "tests/support/expect_input_error.h"
#include "tests/support/fit_scene.h"
#include "tests/support/temporary_folder.h"

namespace ptl {
namespace {

TEST(PresetOutlook, ByTheClockAndByEpochs) {
  const testing::TemporaryFolder folder;
  testing::write_fit_scene(folder.path());
  const Scene scene = load_scene(folder.path());
  const PresetOutlook quick = preset_outlook(scene, "quick", {}, 1 << 20);
  EXPECT_EQ(quick.seconds, 300);
  EXPECT_GT(quick.step_seconds, 0);
  EXPECT_EQ(quick.steps, static_cast<int64_t>(300 / quick.step_seconds));
  const FitConfig config = preset_config("quick");
  const ExpectedStart start = expected_start(scene, make_split(scene, "every8"), config);
  EXPECT_EQ(quick.memory.peak(), predict_fit_memory(scene, start.cloud, config, start.used_layers, 1 << 20).peak());
  EXPECT_EQ(quick.densifies, start.decision.densify);
  // 10 photos, 8 of them for training, 4 a step, 400 times each.
  const PresetOutlook paper = preset_outlook(scene, "paper", {}, 1 << 20);
  EXPECT_EQ(paper.steps, 800);
  EXPECT_DOUBLE_EQ(paper.seconds, 800 * paper.step_seconds);
  EXPECT_GT(paper.step_seconds, quick.step_seconds) << "16 crops of 512 against one of 256";
  testing::expect_input_error([&] { preset_outlook(scene, "best", {}, 1 << 20); }, {"best", "quick"});
  std::filesystem::remove(folder / "images/photo_003.png");
  testing::expect_input_error([&] { preset_outlook(scene, "quick", {}, 1 << 20); }, {"photo_003.png"});
}

// Sparse points: a fit makes dense ones, which the rehearsal stands in for.
TEST(PresetOutlook, OfASparseScene) {
  const testing::TemporaryFolder folder;
  testing::FitSceneOptions sparse;
  sparse.points = 30;
  sparse.width_px = 320;
  sparse.height_px = 240;
  testing::write_fit_scene(folder.path(), sparse);
  const Scene scene = load_scene(folder.path());
  const PresetOutlook quick = preset_outlook(scene, "quick", {}, 1 << 20);
  EXPECT_TRUE(quick.densifies);
  EXPECT_GT(quick.step_seconds, 0);
  EXPECT_GT(quick.memory.points, 100u << 20) << "of two million points";
  SceneConfig own;
  own.points = "cloud.ply";
  EXPECT_FALSE(preset_outlook(scene, "quick", own, 1 << 20).densifies) << "the user's own choice";
}

TEST(ImageCacheWithin, ShrinksOrRefuses) {
  MemoryPrediction memory;
  memory.program = 100ull << 20;
  memory.points = 300ull << 20;
  memory.image_cache = 500ull << 20;
  EXPECT_EQ(image_cache_within(memory, 900ull << 20), 500ull << 20);
  EXPECT_EQ(image_cache_within(memory, 600ull << 20), 200ull << 20);
  EXPECT_EQ(image_cache_within(memory, 464ull << 20), 64ull << 20);
  testing::expect_input_error([&] { image_cache_within(memory, 463ull << 20); },
                              {"--memory-limit 463", "464 MiB", "points 300", "--max-size"});
  memory.image_cache = 10ull << 20;  // all photos
  EXPECT_EQ(image_cache_within(memory, 410ull << 20), 10ull << 20);
  testing::expect_input_error([&] { image_cache_within(memory, 409ull << 20); }, {"410 MiB"});
}

TEST(PresetOutlook, DurationsForPeople) {
  EXPECT_EQ(rough_duration(12.4), "12 s");
  EXPECT_EQ(rough_duration(300), "5 min");
  EXPECT_EQ(rough_duration(3 * 3600), "3 h");
  EXPECT_EQ(rough_duration(10 * 86400.0), "10 days");
}

}  // namespace
}  // namespace ptl
