// fit --network-init: a fit begins with weights from a file, and says what is wrong with them.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "renderer/builtin_networks.h"
#include "renderer/model_file.h"
#include "renderer/network_weights.h"
#include "renderer/run_folder.h"
#include "tests/support/fit_scene.h"
#include "tests/support/run_program.h"
#include "tests/support/temporary_folder.h"

namespace ptl::testing {
namespace {

namespace fs = std::filesystem;

const char* const program = PTL_PROGRAM;

class NetworkInitTest : public ::testing::Test {
 protected:
  void SetUp() override {
    write_fit_scene(folder_ / "scene");
    NetworkConfig config;
    config.kind = NetworkKind::light;
    config.levels = 3;
    config.in_channels = 7;
    write_network_weights(weights(), network_weights(NeuralRenderer(config, 5), {}));
  }
  fs::path weights() const { return folder_ / "weights.safetensors"; }
  ProgramResult fit(const fs::path& run, std::vector<std::string> more) const {
    std::vector<std::string> arguments = {"fit", (folder_ / "scene").string(), "--out", (folder_ / run).string(), "--steps", "3",
                                          "--set", "crop.size_px=64", "--set", "environment.height=16", "--set",
                                          "environment.width=32", "--no-report", "--no-densify"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_program(program, arguments);
  }
  TemporaryFolder folder_;
};

TEST_F(NetworkInitTest, AFitBeginsWithTheWeightsAndTheirInput) {
  const ProgramResult result = fit("a", {"--network-init", weights().string(), "--freeze", "network"});
  ASSERT_EQ(result.exit_code, 0) << result.output;
  const SceneModel model = read_model(folder_ / "a" / "model.safetensors");
  EXPECT_EQ(model.layers, 3);
  EXPECT_EQ(model.descriptors.size(1), 6);
  EXPECT_EQ(model.config.raster.descriptor_init, DescriptorInit::color_only);
  const NetworkWeights expected = read_network_weights(weights());
  for (size_t i = 0; i < expected.tensors.size(); ++i)
    EXPECT_TRUE(torch::equal(model.network->named_parameters()[i].second.detach(), expected.tensors[i].second)) << i;
  // A fit that goes on needs the weights no more.
  fs::remove(weights());
  const ProgramResult longer = run_program(program, {"fit", (folder_ / "scene").string(), "--out", (folder_ / "a").string(),
                                                     "--resume", "--steps", "5", "--no-report"});
  EXPECT_EQ(longer.exit_code, 0) << longer.output;
}

TEST_F(NetworkInitTest, WrongWeightsAreRefused) {
  const ProgramResult layers = fit("a", {"--network-init", weights().string(), "--set", "raster.layers=4"});
  EXPECT_EQ(layers.exit_code, 1);
  EXPECT_NE(layers.output.find("expected light, 4 layers of 7 channels"), std::string::npos) << layers.output;
  EXPECT_NE(layers.output.find("found light, 3 layers"), std::string::npos) << layers.output;
  EXPECT_FALSE(fs::exists(folder_ / "a" / "checkpoint.safetensors"));
  const ProgramResult missing = fit("b", {"--network-init", (folder_ / "nowhere.safetensors").string()});
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_NE(missing.output.find("nowhere.safetensors"), std::string::npos) << missing.output;
  EXPECT_EQ(fit("c", {"--network-init", "random"}).exit_code, 0);
}

/// The command that made the built-in networks, at a hundredth of its steps: a network of each kind, which has learnt.
TEST_F(NetworkInitTest, TheBuiltInNetworksAreMadeAgainInSmall) {
  ::setenv("PTL_PROGRAM_PATH", program, 1);
  ::setenv("THREADS", "2", 1);
  const ProgramResult made = run_program(PTL_PRETRAIN_SCRIPT, {(folder_ / "again").string(), "0.01"});
  ::unsetenv("PTL_PROGRAM_PATH");
  ::unsetenv("THREADS");
  ASSERT_EQ(made.exit_code, 0) << made.output;
  for (const NetworkKind kind : {NetworkKind::light, NetworkKind::unet})
    for (const int layers : builtin_layers(kind)) {
      const std::string name = fmt::format("{}_{}", network_kind_name(kind), layers);
      const NetworkWeights again = read_network_weights(folder_ / "again" / (name + ".safetensors"));
      EXPECT_EQ(describe_network(again.config), describe_network(builtin_network(kind, layers).config));
      // With no fit, on seeds that were not trained on: before the first round, and after the last.
      std::map<int, double> psnr_db;
      for (const nlohmann::json& line : read_metrics(folder_ / "again" / name / "metrics.jsonl"))
        if (line.contains("check")) psnr_db[line.at("check").get<int>()] += line.at("psnr").get<double>() / 3;
      ASSERT_GE(psnr_db.size(), 2u);
      EXPECT_GT(psnr_db.rbegin()->second, psnr_db.begin()->second + 2) << name;
    }
}

/// The command refuses what it cannot do before it makes any scene.
TEST_F(NetworkInitTest, PretrainRefusesWrongSettings) {
  const ProgramResult seeds = run_program(program, {"pretrain", "--out", (folder_ / "p").string(), "--first-seed", "0"});
  EXPECT_EQ(seeds.exit_code, 1);
  EXPECT_NE(seeds.output.find("validation"), std::string::npos) << seeds.output;
  const ProgramResult resume = run_program(program, {"pretrain", "--out", (folder_ / "p").string(), "--resume"});
  EXPECT_EQ(resume.exit_code, 1);
  EXPECT_NE(resume.output.find("no run to resume"), std::string::npos) << resume.output;
}

}  // namespace
}  // namespace ptl::testing
