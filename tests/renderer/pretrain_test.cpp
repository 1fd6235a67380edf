// Pretraining: scenes by seed, faults of clouds, rounds that can be killed, weights in a file.
#include "renderer/pretrain.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <set>

#include "datasets/scene_loader.h"
#include "renderer/builtin_networks.h"
#include "renderer/evaluate.h"
#include "renderer/pretrain_scenes.h"
#include "renderer/run_folder.h"
#include "tests/support/expect_input_error.h"
#include "tests/support/fit_scene.h"
#include "tests/support/temporary_folder.h"

namespace ptl::testing {
namespace {

namespace fs = std::filesystem;

PretrainConfig small_config() {
  PretrainConfig config;
  config.rounds = 2;
  config.scenes_per_round = 1;
  config.steps_per_scene = 8;
  config.validation_seeds = {1};
  config.validate_every = 2;
  return config;
}

/// To the bit; their files also say how many minutes they took.
bool same_weights(const fs::path& one, const fs::path& other) {
  const NetworkWeights a = read_network_weights(one / "network.safetensors"), b = read_network_weights(other / "network.safetensors");
  bool same = a.tensors.size() == b.tensors.size();
  for (size_t i = 0; same && i < a.tensors.size(); ++i) same = torch::equal(a.tensors[i].second, b.tensors[i].second);
  return same;
}

TEST(PretrainDraw, SeedsDifferAndCoverTheRange) {
  std::set<std::string> seen;
  int fitted = 0, clean_poses = 0;
  double least_density = 100, most_density = 0;
  for (uint64_t seed = 1000; seed < 1100; ++seed) {
    const PretrainDraw draw = draw_pretrain_scene(seed);
    check(draw.capture);
    EXPECT_EQ(describe(draw), describe(draw_pretrain_scene(seed)));
    seen.insert(describe(draw));
    fitted += draw.fitted;
    clean_poses += draw.pose_error_px == 0;
    least_density = std::min(least_density, draw.capture.density);
    most_density = std::max(most_density, draw.capture.density);
  }
  EXPECT_EQ(seen.size(), 100u);
  EXPECT_GT(fitted, 25);
  EXPECT_LT(fitted, 75);
  EXPECT_GT(clean_poses, 25);
  EXPECT_LT(clean_poses, 75);
  EXPECT_LT(least_density, 0.2);
  EXPECT_GT(most_density, 1.3);
}

TEST(PretrainDraw, CloudsAreSpoiltAsDrawn) {
  const TemporaryFolder folder;
  write_fit_scene(folder / "scene");
  const Scene sound = load_scene(folder / "scene");
  PretrainDraw draw;
  draw.capture.seed = 5;
  Scene scene = sound;
  spoil_cloud(draw, scene);
  spoil_poses(draw, scene);
  EXPECT_EQ(scene.cloud.position.size(), sound.cloud.size());
  EXPECT_EQ(scene.images[3].camera_from_world.translation, sound.images[3].camera_from_world.translation);

  draw.strays = 10;
  scene = sound;
  spoil_cloud(draw, scene);
  EXPECT_GT(scene.cloud.size(), sound.cloud.size());
  ASSERT_EQ(scene.cloud.color.size(), scene.cloud.size());
  int before_the_wall = 0;  // which is at z = 4 of the cameras
  for (size_t i = sound.cloud.size(); i < scene.cloud.size(); ++i) before_the_wall += scene.cloud.position[i].z < 3.5f;
  EXPECT_EQ(before_the_wall, static_cast<int>(scene.cloud.size() - sound.cloud.size()));

  draw.strays = 0;
  draw.uneven = 0.9;
  scene = sound;
  spoil_cloud(draw, scene);
  // A wave of loss between none and 90 %.
  EXPECT_LT(scene.cloud.size(), sound.cloud.size() * 9 / 10);
  EXPECT_GT(scene.cloud.size(), sound.cloud.size() / 10);

  draw.uneven = 0;
  draw.holes = 3;
  draw.hole_radius = 0.1;
  scene = sound;
  spoil_cloud(draw, scene);
  EXPECT_LT(scene.cloud.size(), sound.cloud.size());

  draw.pose_error_px = 2;
  scene = sound;
  spoil_poses(draw, scene);
  double moved_px = 0;
  for (size_t i = 0; i < scene.images.size(); ++i) {
    const CameraParams<double>& camera = scene.cameras[0].params;
    const Vec3<double> point(sound.cloud.position[100]);
    const auto a = project(camera, sound.images[i].camera_from_world * point);
    const auto b = project(camera, scene.images[i].camera_from_world * point);
    moved_px += std::hypot(a.x_px - b.x_px, a.y_px - b.y_px) / static_cast<double>(scene.images.size());
  }
  EXPECT_GT(moved_px, 0.5);
  EXPECT_LT(moved_px, 5);
}

TEST(NetworkWeights, ComeBackInHalfPrecision) {
  const TemporaryFolder folder;
  NetworkConfig config;
  config.kind = NetworkKind::light;
  config.in_channels = 9;
  const NeuralRenderer network(config, 3);
  write_network_weights(folder / "w.safetensors", network_weights(network, {{"steps", "12"}}));
  const NetworkWeights weights = read_network_weights(folder / "w.safetensors");
  EXPECT_EQ(weights.origin, (std::map<std::string, std::string>{{"steps", "12"}}));
  NeuralRenderer other(config, 4);
  set_network_weights(other, weights, "w");
  for (size_t i = 0; i < weights.tensors.size(); ++i) {
    const torch::Tensor first = network.named_parameters()[i].second.detach();
    EXPECT_TRUE(torch::equal(other.named_parameters()[i].second.detach(), first.to(torch::kHalf).to(torch::kFloat)));
  }
  write_network_weights(folder / "again.safetensors", weights);
  EXPECT_TRUE(file_contents(folder / "w.safetensors") == file_contents(folder / "again.safetensors"));

  config.levels = 6;
  NeuralRenderer deeper(config, 4);
  expect_input_error([&] { set_network_weights(deeper, weights, "w.safetensors"); },
                     {"w.safetensors", "expected light, 6 layers", "found light, 4 layers"});
  NamedTensors broken = weights.tensors;
  broken[0].second = broken[0].second.clone().fill_(NAN);
  write_network_weights(folder / "nan.safetensors", {weights.config, broken, {}});
  expect_input_error([&] { read_network_weights(folder / "nan.safetensors"); }, {"nan.safetensors", "not finite"});
  write_safetensors(folder / "other.safetensors", weights.tensors, {{"format", "something"}});
  expect_input_error([&] { read_network_weights(folder / "other.safetensors"); }, {"not the weights of a network"});
}

TEST(Pretrain, AKilledRunEndsInTheSameWeightsAndLearns) {
  const TemporaryFolder folder;
  const PretrainConfig config = small_config();
  std::vector<double> psnr_db;
  PretrainControls controls;
  controls.validated = [&](int64_t, const std::vector<ValidationScore>& scores) { psnr_db.push_back(scores[0].psnr_db); };
  ASSERT_TRUE(pretrain(config, folder / "whole", controls));
  ASSERT_EQ(psnr_db.size(), 2u);
  EXPECT_GT(psnr_db[1], psnr_db[0]);

  int steps = 0;
  controls.stop_requested = [&] { return ++steps > 14; };  // in the second round
  EXPECT_FALSE(pretrain(config, folder / "parts", controls));
  EXPECT_FALSE(fs::exists(folder / "parts" / "network.safetensors"));
  expect_input_error([&] { pretrain(config, folder / "parts", {}); }, {"--resume"});
  controls.stop_requested = {};
  controls.resume = true;
  PretrainConfig other = config;
  other.layers = 5;
  expect_input_error([&] { pretrain(other, folder / "parts", controls); }, {"layers", "4 in the run, 5 now"});
  other = config;
  other.scenes = {"somewhere"};
  expect_input_error([&] { pretrain(other, folder / "parts", controls); }, {"--scene", "somewhere"});
  ASSERT_TRUE(pretrain(config, folder / "parts", controls));
  EXPECT_TRUE(same_weights(folder / "whole", folder / "parts"));
  EXPECT_FALSE(fs::exists(folder / "whole" / "work"));
}

/// On a scene that no network was trained on, with no fit: what their metadata says, and more than the points drawn plainly.
TEST(BuiltinNetworks, ReachTheirRecordedFigures) {
  const TemporaryFolder folder;
  for (const auto& [kind, layers] : std::vector<std::pair<NetworkKind, int>>{
           {NetworkKind::light, 4}, {NetworkKind::light, 6}, {NetworkKind::unet, 4}}) {
    const NetworkWeights weights = builtin_network(kind, layers);
    PretrainConfig config;
    config.network = kind;
    config.layers = layers;
    PretrainDraw draw = draw_pretrain_scene(1);
    draw.fitted = false;
    PretrainScene scene = make_pretrain_scene(draw, pretrain_fit_config(config), layers, folder / "seed_1", torch::kCPU);
    set_network_weights(*scene.model.network, weights, "built-in");
    double psnr_db = 0, ssim = 0;
    ASSERT_EQ(std::sscanf(weights.origin.at("validation").c_str(), "seed 1 %lf dB %lf", &psnr_db, &ssim), 2);
    const EvalScore found = evaluate(scene.model, *scene.photos, {}).mean;
    EXPECT_NEAR(found.psnr_db, psnr_db, 0.05) << describe_network(weights.config);  // it was taken before rounding to half precision
    EXPECT_NEAR(found.ssim, ssim, 0.002);
    EvaluateOptions plain;
    plain.plain = true;
    EXPECT_GT(found.psnr_db, evaluate(scene.model, *scene.photos, plain).mean.psnr_db);
  }
}

TEST(Pretrain, KeptScenesAreTakenAgain) {
  const TemporaryFolder folder;
  PretrainConfig config = small_config();
  config.rounds = 1;
  config.steps_per_scene = 2;
  PretrainControls controls;
  ASSERT_TRUE(pretrain(config, folder / "thrown_away", controls));
  controls.kept_scenes = folder / "scenes";
  ASSERT_TRUE(pretrain(config, folder / "first", controls));
  const fs::path photo = folder / "scenes" / "seed_1000" / "images" / "photo_0001.jpg";
  ASSERT_TRUE(fs::exists(photo));
  const auto made = fs::last_write_time(photo);
  ASSERT_TRUE(pretrain(config, folder / "second", controls));
  EXPECT_EQ(fs::last_write_time(photo), made);
  // One that was made from another draw, by another version say, is made again.
  std::ofstream(folder / "scenes" / "seed_1000" / "draw.txt") << "another";
  ASSERT_TRUE(pretrain(config, folder / "third", controls));
  EXPECT_NE(fs::last_write_time(photo), made);
  // Made ahead by threads, and thrown away.
  controls.kept_scenes.clear();
  controls.scene_threads = 2;
  ASSERT_TRUE(pretrain(config, folder / "ahead", controls));
  EXPECT_FALSE(fs::exists(folder / "ahead" / "work"));
  for (const char* run : {"first", "second", "third", "ahead"})
    EXPECT_TRUE(same_weights(folder / "thrown_away", folder / run)) << run;
}

TEST(Pretrain, AThreadThatCannotMakeItsSceneSaysWhy) {
  const TemporaryFolder folder;
  fs::create_directory(folder / "scenes");
  std::ofstream(folder / "scenes" / "seed_1000") << "a file in the way";
  PretrainConfig config = small_config();
  PretrainControls controls;
  controls.kept_scenes = folder / "scenes";
  controls.scene_threads = 2;
  expect_input_error([&] { pretrain(config, folder / "run", controls); }, {"seed_1000"});
}

TEST(Pretrain, WrongSettingsAreNamed) {
  PretrainConfig config;
  config.first_seed = 0;
  expect_input_error([&] { config.check(); }, {"seed 1", "validation"});
  config = {};
  config.steps_per_scene = 0;
  expect_input_error([&] { config.check(); }, {"steps_per_scene"});
}

}  // namespace
}  // namespace ptl::testing
