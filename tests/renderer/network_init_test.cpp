// What a fit's network begins with: the built-in weights where they fit, and why not where they don't.
#include "renderer/network_init.h"

#include <gtest/gtest.h>

#include "kernels/hash.h"
#include "renderer/builtin_networks.h"
#include "renderer/fitter.h"
#include "tests/support/expect_input_error.h"
#include "renderer/open_run.h"
#include "tests/support/fit_scene.h"
#include "tests/support/temporary_folder.h"

namespace ptl::testing {
namespace {

/// A scene that is fitted a few steps.
struct SmallFit {
  SmallFit() {
    write_fit_scene(folder / "scene");
    FitConfig config = preset_config("quick");
    config.crop.size_px = 64;
    config.environment.height = 16;
    config.environment.width = 32;
    config.groups.descriptors.learning_rate = 0.01;
    const Scene scene = open_scene(folder / "scene", config.scene);
    model = make_scene_model(scene, make_split(scene, "every8"), prepare_points(scene, {}), config, 3);
    photos = std::make_unique<ImageCache>(image_sources(scene), 1 << 24);
  }
  TemporaryFolder folder;
  SceneModel model;
  std::unique_ptr<ImageCache> photos;
};

TEST(BuiltinNetworks, LoadWithTheShapeThatTheirNameSays) {
  for (const NetworkKind kind : {NetworkKind::light, NetworkKind::unet}) {
    for (const int layers : builtin_layers(kind)) {
      const NetworkWeights weights = builtin_network(kind, layers);
      EXPECT_EQ(weights.config.kind, kind);
      EXPECT_EQ(weights.config.levels, layers);
      EXPECT_EQ(weights.config.in_channels, preset_config("quick").raster.channels + 1);
      EXPECT_EQ(weights.origin.at("made_by"), "pointillist pretrain");
      NeuralRenderer network(weights.config);
      set_network_weights(network, weights, "built-in");
    }
  }
  EXPECT_EQ(builtin_layers(NetworkKind::light), (std::vector<int>{4, 6}));
  EXPECT_EQ(builtin_layers(NetworkKind::unet), (std::vector<int>{4}));
  EXPECT_EQ(nearest_builtin_layers(NetworkKind::light, 1), 4);
  EXPECT_EQ(nearest_builtin_layers(NetworkKind::light, 4), 4);
  EXPECT_EQ(nearest_builtin_layers(NetworkKind::light, 5), 6);
  EXPECT_EQ(nearest_builtin_layers(NetworkKind::light, 8), 6);
  EXPECT_EQ(nearest_builtin_layers(NetworkKind::unet, 8), 4);
  expect_input_error([] { builtin_network(NetworkKind::light, 5); }, {"light", "5", "4 or 6"});
}

TEST(NetworkInit, MoreLayersShowTheSamePictureAtFirstAndThenLearn) {
  const NetworkWeights weights = builtin_network(NetworkKind::light, 6);
  const NetworkWeights more = with_more_layers(weights, 8);
  EXPECT_EQ(more.config.levels, 8);
  NeuralRenderer six(weights.config, 1), eight(more.config, 1);
  set_network_weights(six, weights, "six");
  set_network_weights(eight, more, "eight");
  std::vector<torch::Tensor> pyramid;
  for (int i = 0; i < 8; ++i) {
    torch::Tensor layer = torch::empty({1, 9, 128 >> i, 256 >> i});
    for (int64_t k = 0; k < layer.numel(); ++k)
      layer.mutable_data_ptr<float>()[k] = draw_unit(3, DrawPurpose::synthetic, static_cast<uint64_t>(i), static_cast<uint64_t>(k));
    pyramid.push_back(layer);
  }
  const torch::Tensor expected = six.forward({pyramid.begin(), pyramid.begin() + 6}), found = eight.forward(pyramid);
  EXPECT_TRUE(torch::allclose(found, expected, 0, 1e-5)) << (found - expected).abs().max().item<float>();
  // The coarser layers' weights have a gradient, so that a fit gives them a meaning.
  found.sum().backward();
  for (const auto& [name, tensor] : eight.named_parameters())
    if (name == "block5.weight") {
      EXPECT_EQ(tensor.detach().narrow(1, 0, 16 + 9).abs().sum().item<float>(), 0);
      EXPECT_GT(tensor.grad().narrow(1, 0, 16 + 9).abs().sum().item<float>(), 0);
    }
  EXPECT_EQ(with_more_layers(weights, 6).tensors.size(), weights.tensors.size());
  EXPECT_THROW(with_more_layers(weights, 5), std::invalid_argument);
  EXPECT_THROW(with_more_layers(builtin_network(NetworkKind::unet, 4), 6), std::invalid_argument);
  // A scene that asks for eight gets them, where crops are large enough.
  FitConfig config = preset_config("quick");
  const NetworkInit init = choose_network_init(config, 8);
  ASSERT_TRUE(init.weights);
  EXPECT_EQ(config.raster.layers, 8);
  config = preset_config("quick");
  config.crop.size_px = 64;
  choose_network_init(config, 8);
  EXPECT_EQ(config.raster.layers, 6);
}

TEST(NetworkInit, AutoTakesTheBuiltInWeightsAndTheirInput) {
  FitConfig config = preset_config("quick");
  EXPECT_EQ(config.network.init, "auto");
  const NetworkInit init = choose_network_init(config, 5);
  ASSERT_TRUE(init.weights);
  EXPECT_EQ(config.network.init, "builtin");
  EXPECT_EQ(config.raster.layers, 6);
  EXPECT_TRUE(config.raster.coverage_channel);
  EXPECT_EQ(config.raster.descriptor_init, DescriptorInit::color_only);
  EXPECT_NE(init.remark.find("6 layers"), std::string::npos) << init.remark;
  // The same decision again, as a resumed fit makes it.
  FitConfig again = preset_config("quick");
  choose_network_init(again, config.raster.layers);
  EXPECT_EQ(again.raster.layers, config.raster.layers);
  // Layers that a small crop cannot have are not chosen.
  FitConfig small = preset_config("quick");
  small.crop.size_px = 32;
  choose_network_init(small, 5);
  EXPECT_EQ(small.raster.layers, 5);  // the one of four layers and one more, since the one of six has too many
}

TEST(NetworkInit, SettingsThatDoNotFitAreNamed) {
  struct Case {
    const char* key;
    void (*change)(FitConfig&);
  };
  for (const Case& c : std::initializer_list<Case>{
           {"raster.channels", [](FitConfig& f) { f.raster.channels = 4; }},
           {"raster.layers", [](FitConfig& f) { f.raster.layers = 5; }},
           {"network.light_channels", [](FitConfig& f) { f.network.light_channels = 8; }},
           {"network.feature_factor",
            [](FitConfig& f) {
              f.network.kind = NetworkKind::unet;
              f.network.feature_factor = 6;
            }},
           {"raster.log_descriptors", [](FitConfig& f) { f.raster.log_descriptors = true; }},
           {"raster.descriptor_init", [](FitConfig& f) { f.raster.descriptor_init = DescriptorInit::uniform; }},
           {"raster.holes", [](FitConfig& f) { f.raster.holes = HoleFill::background; }}}) {
    FitConfig config = preset_config("quick");
    c.change(config);
    const NetworkInit init = choose_network_init(config, 4);
    EXPECT_FALSE(init.weights) << c.key;
    EXPECT_EQ(config.network.init, "random");
    EXPECT_FALSE(config.raster.coverage_channel);
    EXPECT_NE(init.remark.find(c.key), std::string::npos) << init.remark;
    config.network.init = "builtin";
    expect_input_error([&] { choose_network_init(config, 4); }, {"--network-init builtin", c.key, "random"});
  }
  FitConfig paper = preset_config("paper");
  EXPECT_FALSE(choose_network_init(paper, 4).weights);
  EXPECT_EQ(paper.network.init, "random");
}

/// Weights that wait for network.lock keep their values and get no gradients; random ones never wait.
TEST(NetworkInit, WeightsFromElsewhereWaitForTheirLock) {
  SmallFit small;
  SceneModel& model = small.model;
  model.config.network.lock = 0.5;
  const auto weights = [&] { return model.network->named_parameters()[0].second.detach().clone(); };
  for (const char* init : {"builtin", "random"}) {
    model.config.network.init = init;
    const torch::Tensor before = weights();
    Fitter fitter(model, *small.photos, 4);
    ASSERT_EQ(fitter.step(0).problem, "");
    const bool waits = std::string(init) == "builtin";
    EXPECT_EQ(torch::equal(weights(), before), waits) << init;
    EXPECT_EQ(model.network->named_parameters()[0].second.grad().defined(), !waits) << init;
    ASSERT_EQ(fitter.step(2).problem, "");
    EXPECT_FALSE(torch::equal(weights(), before)) << init;
    model.network->named_parameters()[0].second.mutable_grad().reset();
  }
}

TEST(Fitter, ANetworkOfTheCallerIsLeftToIt) {
  SmallFit small;
  SceneModel& model = small.model;
  const torch::Tensor before = model.network->named_parameters()[0].second.detach().clone();
  const torch::Tensor descriptors = model.descriptors.detach().clone();
  Fitter fitter(model, *small.photos, 4, NetworkOwner::caller);
  ASSERT_EQ(fitter.step(0).problem, "");
  const torch::Tensor weight = model.network->named_parameters()[0].second;
  EXPECT_TRUE(torch::equal(weight.detach(), before));
  EXPECT_FALSE(torch::equal(model.descriptors.detach(), descriptors));
  const torch::Tensor gradient = weight.grad().clone();
  EXPECT_GT(gradient.abs().sum().item<double>(), 0);
  ASSERT_EQ(fitter.step(0).problem, "");  // added to, since nobody cleared it
  EXPECT_FALSE(torch::equal(weight.grad(), gradient));
}

}  // namespace
}  // namespace ptl::testing
