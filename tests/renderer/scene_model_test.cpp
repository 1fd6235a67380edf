// Scene models: the file's round trip, hostile files, crops and epochs, one step's determinism, one threading runtime.
#include <gtest/gtest.h>
#include <omp.h>

#include <fstream>
#include <numeric>
#include <set>

#include "datasets/prepare.h"
#include "datasets/scene_loader.h"
#include "datasets/split.h"
#include "renderer/coverage.h"
#include "renderer/crops.h"
#include "renderer/device_setup.h"
#include "renderer/evaluate.h"
#include "renderer/fit.h"
#include "renderer/grow.h"
#include "renderer/model_file.h"
#include "renderer/pipeline.h"
#include "tests/support/expect_input_error.h"
#include "tests/support/fit_scene.h"
#include "tests/support/temporary_folder.h"

namespace ptl::testing {
namespace {

class SceneModelTest : public ::testing::Test {
 protected:
  void SetUp() override {
    FitSceneOptions small;
    small.points = 900;
    write_fit_scene(folder_ / "scene", small);
    scene_ = load_scene(folder_ / "scene");
    config_ = preset_config("quick");
    config_.crop.size_px = 64;
    config_.raster.layers = 3;
    config_.environment.height = 8;
    config_.environment.width = 16;
  }
  SceneModel model() {
    return make_scene_model(scene_, make_split(scene_, "every8"), prepare_points(scene_, {}), config_, 3);
  }
  TemporaryFolder folder_;
  Scene scene_;
  FitConfig config_;
};

TEST_F(SceneModelTest, FileRoundTripGivesTheSameBytesAndPictures) {
  SceneModel first = model();
  ImageCache photos(image_sources(scene_), 1 << 20);
  Fitter fitter(first, photos, 10);
  for (int64_t step = 0; step < 3; ++step) fitter.step(step);
  write_model(folder_ / "a.safetensors", first);
  const SceneModel second = read_model(folder_ / "a.safetensors");
  write_model(folder_ / "b.safetensors", second);
  EXPECT_TRUE(file_contents(folder_ / "a.safetensors") == file_contents(folder_ / "b.safetensors"));
  torch::NoGradGuard no_gradient;
  EXPECT_TRUE(torch::equal(render_radiance(first, photo_view(first, 2)), render_radiance(second, photo_view(second, 2))));
  EXPECT_EQ(second.held_out_images(), (std::vector<int64_t>{0, 8}));
  EXPECT_EQ(second.origin_world, first.origin_world);
}

/// Time orders neighbours only where all images have it; the split stays by name.
TEST_F(SceneModelTest, NeighboursAreOrderedByTimeWhereAllHaveIt) {
  const size_t count = scene_.images.size();
  ASSERT_GE(count, 9u);
  for (size_t i = 0; i < count; ++i) scene_.images[i].capture_time_s = 100.0 - static_cast<double>(i);
  scene_.images[8].capture_time_s = 97.5;  // between 2 and 3
  SceneModel timed = model();
  std::vector<int64_t> expected;
  for (auto i = static_cast<int64_t>(count) - 1; i >= 0; --i) {
    if (i != 8) expected.push_back(i);
    if (i == 3) expected.push_back(8);
  }
  EXPECT_EQ(timed.neighbour_order(), expected);
  EXPECT_EQ(timed.held_out_images(), (std::vector<int64_t>{0, 8}));
  {
    torch::NoGradGuard no_gradient;
    for (int64_t i = 0; i < static_cast<int64_t>(count); ++i) timed.tone->exposure_ev[i] = static_cast<double>(i);
  }
  EXPECT_DOUBLE_EQ(photometric_setting(timed, 8, ExposureProtocol::interpolated).exposure_ev, 2.5);
  EXPECT_DOUBLE_EQ(photometric_setting(timed, 0, ExposureProtocol::interpolated).exposure_ev, 1);  // the last: one side
  write_model(folder_ / "a.safetensors", timed);
  EXPECT_EQ(read_model(folder_ / "a.safetensors").neighbour_order(), expected);

  scene_.images[5].capture_time_s.reset();
  SceneModel partly = model();
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(partly.neighbour_order(), expected);
}

TEST_F(SceneModelTest, NewerAndDamagedFilesAreRefused) {
  const SceneModel good = model();
  const auto write = [&](const std::string& key, const std::string& value) {
    std::map<std::string, std::string> metadata = model_metadata(good);
    metadata[key] = value;
    write_safetensors(folder_ / "m.safetensors", model_tensors(good), metadata);
  };
  const auto read = [&] { read_model(folder_ / "m.safetensors"); };
  write("format_version", "99");
  expect_input_error(read, {"m.safetensors", "newer", "99"});
  write("format_version", "-1");
  expect_input_error(read, {"format_version"});
  write("format", "something else");
  expect_input_error(read, {"not a pointillist model"});
  write("cameras", "[]");
  expect_input_error(read, {"damaged", "no cameras"});
  write("images", R"([{"id": 1, "name": "a", "camera": 7}])");
  expect_input_error(read, {"damaged"});
  write("scene", "{");
  expect_input_error(read, {"damaged"});
  write("config", "raster.channels = 99");
  expect_input_error(read, {"raster.channels"});
  NamedTensors tensors = model_tensors(good);
  for (auto& [name, tensor] : tensors)
    if (name == "descriptors") tensor = torch::zeros({7, 8});
  write_safetensors(folder_ / "m.safetensors", tensors, model_metadata(good));
  expect_input_error(read, {"descriptors"});
  tensors = model_tensors(good);
  for (auto& [name, tensor] : tensors)
    if (name == "points/position") tensor = torch::full_like(tensor, std::numeric_limits<float>::quiet_NaN());
  write_safetensors(folder_ / "m.safetensors", tensors, model_metadata(good));
  expect_input_error(read, {"points/position is not finite"});
}

// Models of version 1 were fitted with the background in all holes, and their configuration does not say so.
TEST_F(SceneModelTest, OldFilesKeepTheBackgroundInTheirHoles) {
  const SceneModel good = model();
  ASSERT_EQ(good.config.raster.holes, HoleFill::coarser);
  std::map<std::string, std::string> metadata = model_metadata(good);
  std::string& config = metadata["config"];
  const size_t line = config.find("holes = ");
  ASSERT_NE(line, std::string::npos);
  config.erase(line, config.find('\n', line) - line + 1);
  write_safetensors(folder_ / "new.safetensors", model_tensors(good), metadata);
  EXPECT_EQ(read_model(folder_ / "new.safetensors").config.raster.holes, HoleFill::coarser);
  metadata["format_version"] = "1";
  write_safetensors(folder_ / "old.safetensors", model_tensors(good), metadata);
  EXPECT_EQ(read_model(folder_ / "old.safetensors").config.raster.holes, HoleFill::background);
}

// Those of version 2 were fitted with their points as they were: a fit that goes on from one does not begin to grow, and
// one that did grow does not stop.
TEST_F(SceneModelTest, OldFilesGrowAsTheyDid) {
  const SceneModel good = model();
  std::map<std::string, std::string> metadata = model_metadata(good);
  std::string& config = metadata["config"];
  const size_t table = config.find("[grow]");
  ASSERT_NE(table, std::string::npos);
  config.erase(table, config.find("\n[", table) + 1 - table);
  for (const int version : {2, 3, 4, 5}) {
    metadata["format_version"] = std::to_string(version);
    write_safetensors(folder_ / "m.safetensors", model_tensors(good), metadata);
    const GrowConfig grow = read_model_config(SafetensorsFile(folder_ / "m.safetensors")).grow;
    EXPECT_EQ(points_grow(grow, 10), version >= 3) << version;
    EXPECT_EQ(points_grow(grow, 1), version == 3 || version == 4) << version;  // dense clouds grew then
  }
}

TEST_F(SceneModelTest, TheBackgroundBeginsWithTheCloudsMeanColor) {
  const SceneModel m = model();
  const torch::Tensor mean = m.descriptors.detach().to(torch::kDouble).mean(0);
  const torch::Tensor texel = m.background->texels.detach()[3][5];
  for (int c = 0; c < 8; ++c) EXPECT_NEAR(texel[c].item<float>(), c < 3 ? mean[c].item<double>() : -1.0, 1e-6) << c;
}

TEST_F(SceneModelTest, CoverageGrowsWithTheLayers) {
  const SceneModel m = model();
  const std::vector<double> all = coverage_of(m, m.held_out_images()).by_layer();
  ASSERT_EQ(all.size(), static_cast<size_t>(m.layers));
  for (size_t l = 1; l < all.size(); ++l) EXPECT_GE(all[l], all[l - 1]);
  EXPECT_GT(all[0], 0);
  EXPECT_LE(all.back(), 1);
  // The mean over images, counted here from the weights of one layer.
  const std::vector<int64_t> two = {m.held_out_images()[0], m.training_images()[1]};
  double sum = 0;
  for (const int64_t image : two) {
    const FilledPyramid pyramid = render_pyramid(m, photo_view(m, image), nullptr);
    const int64_t pixels = static_cast<int64_t>(pyramid.raster.shape.width_px) * pyramid.raster.shape.height_px;
    const int32_t* weight = pyramid.raster.weight.const_data_ptr<int32_t>();
    sum += static_cast<double>(pixels - std::count(weight, weight + pixels, 0)) / static_cast<double>(pixels);
  }
  EXPECT_DOUBLE_EQ(coverage_of(m, two).by_layer()[0], sum / 2);
  EXPECT_TRUE(coverage_of(m, {}).by_layer().empty());
  EXPECT_EQ(spread_evenly(std::vector<int64_t>{1, 2, 3, 4, 5, 6}, 3), (std::vector<int64_t>{1, 3, 5}));
}

TEST_F(SceneModelTest, AnEpochIsEachTrainingPhotoOnce) {
  const SceneModel m = model();
  EpochOrder order(m);
  ASSERT_EQ(order.epoch_length(), 8);
  std::vector<std::vector<int64_t>> epochs;
  for (int64_t epoch = 0; epoch < 3; ++epoch) {
    std::vector<int64_t> images;
    for (int64_t i = 0; i < 8; ++i) images.push_back(order.image_of_sample(8 * epoch + i));
    EXPECT_EQ(std::set<int64_t>(images.begin(), images.end()), (std::set<int64_t>{1, 2, 3, 4, 5, 6, 7, 9}));
    epochs.push_back(images);
  }
  EXPECT_NE(epochs[0], epochs[1]);
  // A pure function of the sample: any order of questions gives the same answers.
  EpochOrder again(m);
  EXPECT_EQ(again.image_of_sample(17), epochs[2][1]);
  EXPECT_EQ(again.image_of_sample(3), epochs[0][3]);
}

TEST_F(SceneModelTest, CropsLieInThePhotoWithZoomsOfTheRange) {
  config_.crop.crops_per_image = 4;
  config_.crop.size_px = 48;
  config_.crop.zoom_low = 0.4;  // the photo is 96 × 72: no crop fits below 2/3
  config_.crop.zoom_high = 1.2;
  const SceneModel m = model();
  EpochOrder order(m);
  std::set<float> zooms;
  for (int64_t step = 0; step < 50; ++step) {
    const std::vector<TrainingCrop> crops = crops_of_step(m, order, step);
    ASSERT_EQ(crops.size(), 4u);
    for (const TrainingCrop& crop : crops) {
      EXPECT_GE(crop.crop.zoom, 48.0f / 72.0f);
      EXPECT_LE(crop.crop.zoom, 1.2f);
      EXPECT_GE(crop.crop.offset_x_px, 0.0f);
      EXPECT_LE(crop.crop.offset_x_px + 48, 96 * crop.crop.zoom + 0.5f);
      EXPECT_LE(crop.crop.offset_y_px + 48, 72 * crop.crop.zoom + 0.5f);
      zooms.insert(crop.crop.zoom);
    }
  }
  EXPECT_GT(zooms.size(), 150u);
}

TEST_F(SceneModelTest, AStepIsTheSameWithAnyNumberOfThreads) {
  ImageCache photos(image_sources(scene_), 1 << 20);
  std::vector<std::string> files;
  for (const int threads : {1, 2, 3}) {
    set_threads(threads);
    SceneModel m = model();
    Fitter fitter(m, photos, 4);
    for (int64_t step = 0; step < 4; ++step) fitter.step(step);
    write_model(folder_ / "m.safetensors", m);
    files.push_back(file_contents(folder_ / "m.safetensors"));
  }
  set_threads(0);
  EXPECT_TRUE(files[0] == files[1]);
  EXPECT_TRUE(files[0] == files[2]);
}

TEST_F(SceneModelTest, HeldOutPhotosAreNeverDecodedByAFit) {
  for (const char* name : {"photo_000.png", "photo_008.png"})
    std::filesystem::remove(folder_ / "scene" / "images" / name);
  SceneModel m = model();
  ImageCache photos(image_sources(scene_), 1 << 20);
  Fitter fitter(m, photos, 20);
  for (int64_t step = 0; step < 20; ++step) fitter.step(step);  // would throw: the files are gone
}

TEST_F(SceneModelTest, TheProcessHasOneThreadingRuntime) {
  set_threads(2);
  SceneModel m = model();
  ImageCache photos(image_sources(scene_), 1 << 20);
  Fitter fitter(m, photos, 2);
  fitter.step(0);
  std::set<std::string> runtimes;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);)
    for (const char* name : {"libgomp", "libiomp", "libomp.", "libtbb", "libpthreadpool"})
      if (line.find(name) != std::string::npos) runtimes.insert(line.substr(line.find_last_of('/') + 1));
  EXPECT_EQ(runtimes.size(), 1u) << *runtimes.begin();
  // And no second pool: the master and its one helper.
  size_t threads = 0;
  for ([[maybe_unused]] const auto& task : std::filesystem::directory_iterator("/proc/self/task")) ++threads;
  EXPECT_LE(threads, 2u + 1u);  // the sanitizers' background thread, where there is one
  set_threads(0);
}

}  // namespace
}  // namespace ptl::testing
