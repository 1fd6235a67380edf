// Plans: what a file says, in which order its runs come, and what is refused.
#include <gtest/gtest.h>

#include <set>

#include "datasets/error.h"
#include "research/planned_run.h"
#include "research/published.h"
#include "tests/support/expect_input_error.h"
#include "tests/support/temporary_folder.h"

namespace ptl::research {
namespace {

namespace fs = std::filesystem;

class PlanTest : public ::testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_ / "fox"); }
  Plan parse(const std::string& text) const { return parse_plan(text, folder_ / "plan.toml", {}); }
  void refuse(const std::string& text, std::initializer_list<const char*> parts) const {
    testing::expect_input_error([&] { parse(text); }, parts);
  }
  testing::TemporaryFolder folder_;
};

constexpr const char* whole = R"(
title = "What a network is worth"
question = "Is it?"
minutes = [1, 2.5]
steps = 800
seeds = [3, 4]
pictures = 1

[[scene]]
name = "fox"
folder = "fox"
options = ["--format", "colmap"]

[[scene]]
name = "Terrace 1"
synth = 7
synth_options = ["--photos", "12"]
dense = true
dense_options = ["--max-points", "1000"]

[[variant]]
name = "built in"

[[variant]]
name = "random"
preset = "quick"
set = { "raster.layers" = 6, crop.size_px = 128 }
options = ["--network-init", "random"]

[[protocol]]
exposure = "fitted"
)";

TEST_F(PlanTest, SaysWhatTheFileSays) {
  const Plan plan = parse(whole);
  EXPECT_EQ(plan.title, "What a network is worth");
  ASSERT_EQ(plan.scenes.size(), 2u);
  EXPECT_EQ(plan.scenes[0].folder, folder_ / "fox");
  EXPECT_EQ(plan.scenes[0].options, (std::vector<std::string>{"--format", "colmap"}));
  EXPECT_EQ(plan.scenes[1].synth_seed, 7u);
  EXPECT_EQ(plan.budgets, (std::vector<PlanBudget>{{1, 0}, {2.5, 0}, {0, 800}}));
  EXPECT_EQ(plan.budgets[1].name(), "2.5 min");
  EXPECT_EQ(plan.budgets[2].options(), (std::vector<std::string>{"--steps", "800"}));
  EXPECT_EQ(plan.seeds, (std::vector<uint64_t>{3, 4}));
  EXPECT_EQ(plan.variants[1].options,
            (std::vector<std::string>{"--preset", "quick", "--set", "crop.size_px=128", "--set", "raster.layers=6",
                                      "--network-init", "random"}));
  ASSERT_EQ(plan.protocols.size(), 1u);
  EXPECT_EQ(plan.protocols[0].options(),
            (std::vector<std::string>{"--exposure", "fitted", "--pose", "given", "--border", "full"}));
  EXPECT_EQ(plan.pictures, 1);
}

TEST_F(PlanTest, RunsComeSeedBySeedWithVariantsSideBySide) {
  const Plan plan = parse(whole);
  const std::vector<PlannedRun> runs = planned_runs(plan);
  ASSERT_EQ(runs.size(), 2u * 2 * 3 * 2);
  EXPECT_EQ(run_title(plan, runs[0]), "fox · built in · 1 min · seed 3");
  EXPECT_EQ(run_title(plan, runs[1]), "fox · random · 1 min · seed 3");
  EXPECT_EQ(run_title(plan, runs[2]), "fox · built in · 2.5 min · seed 3");
  EXPECT_EQ(run_title(plan, runs[6]), "Terrace 1 · built in · 1 min · seed 3");
  EXPECT_EQ(run_title(plan, runs[12]), "fox · built in · 1 min · seed 4");
  const BenchFolder bench("out");
  EXPECT_EQ(bench.run(plan, runs[9]), fs::path("out/runs/Terrace-1/random/2.5-min_seed3"));
  EXPECT_EQ(bench.files(plan.scenes[0]).folder, folder_ / "fox");
  EXPECT_TRUE(bench.files(plan.scenes[0]).points.empty());
  EXPECT_EQ(bench.files(plan.scenes[1]).folder, fs::path("out/scenes/Terrace-1"));
  EXPECT_EQ(bench.files(plan.scenes[1]).points, fs::path("out/scenes/Terrace-1.dense.ply"));
  std::set<fs::path> folders;
  for (size_t i = 0; i < runs.size(); ++i) {
    EXPECT_EQ(runs[i].number, static_cast<int>(i) + 1);
    folders.insert(bench.run(plan, runs[i]));
  }
  EXPECT_EQ(folders.size(), runs.size());
  EXPECT_EQ(fit_arguments(plan, runs[1], {"S", "P.ply"}, "R"), (std::vector<std::string>{"fit",
                                                                                         "S",
                                                                                         "--out",
                                                                                         "R",
                                                                                         "--no-report",
                                                                                         "--seed",
                                                                                         "3",
                                                                                         "--points",
                                                                                         "P.ply",
                                                                                         "--no-densify",
                                                                                         "--minutes",
                                                                                         "1",
                                                                                         "--format",
                                                                                         "colmap",
                                                                                         "--preset",
                                                                                         "quick",
                                                                                         "--set",
                                                                                         "crop.size_px=128",
                                                                                         "--set",
                                                                                         "raster.layers=6",
                                                                                         "--network-init",
                                                                                         "random"}));
  EXPECT_EQ(densify_arguments(plan.scenes[0], "S", "P.ply"),
            (std::vector<std::string>{"densify", "S", "--out", "P.ply", "--format", "colmap"}));
  EXPECT_EQ(densify_arguments(plan.scenes[1], "S", "P.ply"),
            (std::vector<std::string>{"densify", "S", "--out", "P.ply", "--max-points", "1000"}));
  EXPECT_EQ(synth_arguments(plan.scenes[1], "S"),
            (std::vector<std::string>{"synth", "--out", "S", "--seed", "7", "--photos", "12"}));
}

TEST_F(PlanTest, WhatIsWrongIsNamedWithItsLine) {
  const std::string scene = "[[scene]]\nname = \"fox\"\nfolder = \"fox\"\n", variant = "[[variant]]\nname = \"a\"\n";
  refuse("steps = ", {"plan.toml, line 1", "not valid TOML"});
  refuse("steps = 10\n" + scene, {"plan.toml", "[[variant]]"});
  refuse("steps = 10\n" + variant, {"plan.toml", "[[scene]]"});
  refuse(scene + variant, {"minutes", "steps"});
  refuse("steps = 10\nsteeps = 3\n" + scene + variant, {"line 2", "steeps", "known are"});
  refuse("steps = [10, 10]\n" + scene + variant, {"stands twice"});
  refuse("steps = 10\nseeds = [1, 1]\n" + scene + variant, {"seed stands twice"});
  refuse("steps = 10.5\n" + scene + variant, {"steps", "10.5"});
  refuse("minutes = 0\n" + scene + variant, {"minutes", "above 0"});
  refuse("minutes = \"ten\"\n" + scene + variant, {"minutes", "number"});
  refuse("steps = 10\nseeds = [-1]\n" + scene + variant, {"seeds", "0 or more"});
  refuse("steps = 10\n[[scene]]\nname = \"a\"\nfolder = \"nowhere\"\n" + variant, {"line 4", "nowhere", "--data"});
  refuse("steps = 10\n[[scene]]\nname = \"a\"\n" + variant, {"either 'folder' or 'synth'", "neither"});
  refuse("steps = 10\n[[scene]]\nname = \"a\"\nfolder = \"fox\"\nsynth = 1\n" + variant, {"both"});
  refuse("steps = 10\n[[scene]]\nname = \"a\"\nfolder = \"fox\"\ndense_options = []\ndense = 1\n" + variant,
         {"dense", "true or false"});
  refuse("steps = 10\n[[scene]]\nname = \"a\"\nfolder = \"fox\"\ndense_options = [\"--no-fill\"]\n" + variant,
         {"dense = true"});
  refuse("steps = 10\n" + scene + "options = [\"--out\", \"x\"]\n" + variant, {"options", "--out", "bench itself"});
  refuse("steps = 10\n" + scene + variant + "options = [\"--minutes=3\"]\n", {"--minutes", "bench itself"});
  refuse("steps = 10\n" + scene + variant + "[[variant]]\nname = \"a \"\n", {"variants", "'a' and 'a '"});
  refuse("steps = 10\n" + scene + "[[variant]]\nname = \"–\"\n", {"letter or a digit"});
  refuse("steps = 10\n" + scene + variant + "[[protocol]]\nexposure = \"guessed\"\n",
         {"exposure", "guessed", "interpolated"});
  testing::expect_input_error([&] { read_plan(folder_ / "none.toml"); }, {"none.toml", "no such file"});
}

TEST(PlansInTheBox, AreSound) {
  const testing::TemporaryFolder data;
  for (const char* scene : {"fox", "plush", "fountain"}) fs::create_directories(data / scene);
  int plans = 0;
  for (const auto& entry : fs::directory_iterator(PTL_PLANS)) {
    SCOPED_TRACE(entry.path().string());
    if (entry.path().filename() == "published.toml") {
      EXPECT_GT(read_published(entry.path()).size(), 5u);
      continue;
    }
    const Plan plan = read_plan(entry.path(), data.path());
    EXPECT_FALSE(plan.question.empty());
    EXPECT_GE(plan.variants.size(), 2u);
    ++plans;
  }
  EXPECT_GE(plans, 4);
}

TEST(FolderName, IsAPartOfAPath) {
  EXPECT_EQ(folder_name("built in"), "built-in");
  EXPECT_EQ(folder_name("../../etc"), "etc");
  EXPECT_EQ(folder_name("2.5 min"), "2.5-min");
  EXPECT_EQ(folder_name(" größe / 2 "), "gr-e-2");
  EXPECT_EQ(folder_name("..."), "");
}

TEST(Published, NeedsAProtocolAndASource) {
  const std::string head = "[[figure]]\nmethod = \"ADOP\"\nscene = \"train\"\n";
  const std::string protocol =
      "border = \"adop_border\"\nexposure = \"fitted\"\npose = \"given\"\nsplit = \"every8\"\n";
  const auto figures = parse_published(
      head + "source = \"TRIPS, table 1\"\n" + protocol + "size = [980, 545]\npsnr = 22.34\nssim = 0.755\n", "f");
  ASSERT_EQ(figures.size(), 1u);
  EXPECT_EQ(figures[0].size_px, (std::array<int, 2>{980, 545}));
  EXPECT_EQ(figures[0].psnr_db, 22.34);
  EXPECT_FALSE(figures[0].lpips.has_value());
  testing::expect_input_error([&] { parse_published(head + protocol + "psnr = 1\n", "f"); }, {"f, line", "source"});
  testing::expect_input_error([&] { parse_published(head + "source = \"x\"\n" + protocol, "f"); }, {"no figure"});
  testing::expect_input_error([&] { parse_published("[[figures]]\n", "f"); }, {"figures"});
}

}  // namespace
}  // namespace ptl::research
