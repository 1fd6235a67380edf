#include "renderer/config_io.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <iterator>

#include "datasets/error.h"

namespace ptl {
namespace {

enum class Kind { light, unet };
std::vector<std::string> enum_names(Kind*) { return {"light", "unet"}; }

struct NetworkConfig {
  Kind kind = Kind::light;
  int layers = 4;
  float dropout = 0.1f;
  template <class V>
  void visit(V&& v) {
    v("kind", kind, "", "which network");
    v("layers", layers, "", "number of layers");
    v("dropout", dropout, "1", "share of points");
  }
};

struct RateConfig {
  double network = 2e-4;
  template <class V>
  void visit(V&& v) {
    v("network", network, "1", "network");
  }
};

struct OptimizerConfig {
  bool sparse = true;
  RateConfig rate;
  template <class V>
  void visit(V&& v) {
    v("sparse", sparse, "", "leave unseen elements alone");
    v.group("rate", rate, "learning rates");
  }
};

struct SampleConfig {
  NetworkConfig network;
  OptimizerConfig optimizer;
  int64_t steps = 1000;  // behind a group in visit: still written before the headings
  std::string name = "a \"quoted\" \\ name\n";
  std::vector<double> levels = {0.5, 1};
  template <class V>
  void visit(V&& v) {
    v.group("network", network, "the neural renderer");
    v.group("optimizer", optimizer, "optimisers");
    v("steps", steps, "steps", "length of the fit");
    v("name", name, "", "a text");
    v("levels", levels, "px", "a list");
  }
};

template <class F>
std::string message_of(F&& f) {
  try {
    f();
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

void expect_part(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << "expected: " << part << "\nfound: " << text;
}

TEST(Config, RoundTripWithComments) {
  SampleConfig config;
  config.network.kind = Kind::unet;
  config.network.dropout = 0.3f;
  config.optimizer.rate.network = 1.0 / 3;
  config.steps = INT64_MAX;
  config.levels = {1e-15, -2, 1e300, std::nextafter(0.1, 1)};
  const std::string text = to_toml(config);
  expect_part(text, "# which network; one of light, unet\nkind = \"unet\"");
  expect_part(text, "# length of the fit [steps]\nsteps = 9223372036854775807");
  expect_part(text, "# the neural renderer\n[network]\n");
  expect_part(text, "[optimizer.rate]\n");
  expect_part(text, "dropout = 0.3\n");  // not 0.30000001192
  SampleConfig read;
  read.name = "other";
  read_toml_string(text, "x.toml", read);
  EXPECT_TRUE(differences(config, read).empty());
  EXPECT_EQ(read.name, config.name);
  EXPECT_EQ(read.network.dropout, 0.3f);
  EXPECT_EQ(read.optimizer.rate.network, 1.0 / 3);
  EXPECT_EQ(read.levels, config.levels);
  EXPECT_EQ(to_toml(read), text);
}

TEST(Config, FilesToo) {
  const auto path = std::filesystem::path(::testing::TempDir()) / "ptl_config_test.toml";
  SampleConfig config, read;
  config.steps = 77;
  write_toml(path, config);
  read_toml(path, read);
  EXPECT_EQ(read.steps, 77);
  std::filesystem::remove(path);
  expect_part(message_of([&] { read_toml(path, read); }), path.string() + ": no such file");
}

TEST(Config, PartsOfAFileKeepTheRest) {
  SampleConfig config;
  read_toml_string("steps = 5\n[network]\nlayers = 6\n[optimizer]\nrate.network = 1\n", "x.toml", config);
  EXPECT_EQ(config.steps, 5);
  EXPECT_EQ(config.network.layers, 6);
  EXPECT_EQ(config.optimizer.rate.network, 1.0);
  EXPECT_EQ(config.network.kind, Kind::light);
  EXPECT_TRUE(config.optimizer.sparse);
}

TEST(Config, WrongFilesNameFileLineAndKey) {
  SampleConfig config;
  const auto read = [&](const std::string& text) {
    return message_of([&] { read_toml_string(text, "my.toml", config); });
  };
  std::string text = read("steps = 3\n\n[network]\nlayer = 5\n");
  expect_part(text, "my.toml, line 4: there is no setting network.layer; did you mean network.layers?");
  EXPECT_EQ(config.steps, 1000) << "half a file was applied";
  expect_part(read("[optimizer]\nlayers = 2\n"), "did you mean network.layers?");
  expect_part(read("[netwrok]\nlayers = 2\n"), "line 1: there is no group netwrok; did you mean network?");
  expect_part(read("zzzzzz = 1\n"), "there is no setting zzzzzz; a file written by a fit lists all");
  expect_part(read("network = 1\n"), "network is a group of settings");
  expect_part(read("steps = \"many\"\n"), "line 1: steps: expected a whole number, found \"many\"");
  expect_part(read("steps = 1.5\n"), "expected a whole number, found 1.5");
  expect_part(read("[network]\nlayers = 3000000000\n"), "expected a whole number from -2147483648 to 2147483647");
  expect_part(read("[network]\nkind = \"unett\"\n"), "expected one of light, unet, found unett; did you mean unet?");
  expect_part(read("[network]\ndropout = 1e39\n"), "too large for a float");
  expect_part(read("[optimizer]\nsparse = 1\n"), "expected true or false, found 1");
  expect_part(read("levels = [1, \"a\"]\n"), "expected a list of numbers");
  expect_part(read("levels = 1\n"), "levels: expected a list of numbers");
  expect_part(read("name = 3\n"), "name: expected a text, found 3");
  expect_part(read("steps = 1979-05-27\n"), "expected a number, a text");
  expect_part(read("steps = 1\nsteps = 2\n"), "my.toml, line 2: not valid TOML");
  expect_part(read("steps = \n"), "not valid TOML");
  EXPECT_TRUE(differences(config, SampleConfig()).empty());
}

TEST(Config, SetOption) {
  SampleConfig config;
  apply_setting("network.kind=unet", config);
  apply_setting(" steps = 1e5", config);
  apply_setting("optimizer.rate.network=4e-4", config);
  apply_setting("optimizer.sparse=false", config);
  apply_setting("name=two words = fine", config);
  apply_setting("levels=1, 2.5", config);
  EXPECT_EQ(config.network.kind, Kind::unet);
  EXPECT_EQ(config.steps, 100000);
  EXPECT_EQ(config.optimizer.rate.network, 4e-4);
  EXPECT_FALSE(config.optimizer.sparse);
  EXPECT_EQ(config.name, "two words = fine");
  EXPECT_EQ(config.levels, (std::vector<double>{1, 2.5}));
  apply_setting("levels=[]", config);
  EXPECT_TRUE(config.levels.empty());
  apply_setting("name=\"quoted\\t\"", config);
  EXPECT_EQ(config.name, "quoted\t");
  const auto set = [&](const std::string& text) { return message_of([&] { apply_setting(text, config); }); };
  expect_part(set("steps"), "--set steps: expected group.key=value");
  expect_part(set("=3"), "expected group.key=value");
  expect_part(set("network.layrs=3"), "did you mean network.layers?");
  expect_part(set("steps=ten"), "--set steps=ten: steps: expected a whole number, found ten");
  expect_part(set("steps="), "expected a whole number, found nothing");
  expect_part(set("steps=1\nname = 2"), "expected a whole number");
  expect_part(set("network=3"), "network is a group of settings");
}

TEST(Config, JsonAndDifferences) {
  SampleConfig a, b;
  const nlohmann::ordered_json json = flat_json(a);
  EXPECT_EQ(json["network.kind"], "light");
  EXPECT_EQ(json["network.layers"], 4);
  EXPECT_EQ(json["network.dropout"], 0.1);
  EXPECT_EQ(json["optimizer.sparse"], true);
  EXPECT_EQ(json["levels"], (std::vector<double>{0.5, 1}));
  EXPECT_EQ(json.begin().key(), "network.kind");
  EXPECT_EQ(json.size(), 8u);
  b.network.kind = Kind::unet;
  b.optimizer.rate.network = 1e-3;
  const std::vector<ConfigDifference> found = differences(a, b);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].key, "network.kind");
  EXPECT_EQ(found[0].first, "\"light\"");
  EXPECT_EQ(found[0].second, "\"unet\"");
  EXPECT_EQ(found[1].key, "optimizer.rate.network");
  EXPECT_EQ(found[1].second, "0.001");
}

}  // namespace
}  // namespace ptl
