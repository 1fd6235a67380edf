// Tables from made-up outcomes: means, gains and columns computed by hand; the forms that people take away.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "datasets/error.h"
#include "datasets/image_io.h"
#include "research/table_files.h"
#include "tests/support/expect_input_error.h"
#include "tests/support/temporary_folder.h"

namespace ptl::research {
namespace {

Plan made_plan(size_t scenes = 2) {
  Plan plan;
  plan.title = "A & B <test>";
  plan.scenes.resize(scenes);
  for (size_t i = 0; i < scenes; ++i) plan.scenes[i].name = i == 0 ? "fox" : "plush";
  plan.variants = {{"plain", {}}, {"fancy, 50 %", {"--set", "x=1"}}};
  plan.budgets = {{0, 100}};
  plan.seeds = {0, 1};
  plan.protocols.emplace_back();
  return plan;
}

Outcome made(const std::string& scene, const std::string& variant, uint64_t seed, double psnr_db, double ssim,
             std::array<int, 2> size = {640, 480}) {
  Outcome outcome;
  outcome.scene = scene;
  outcome.variant = variant;
  outcome.budget = "100 steps";
  outcome.seed = seed;
  outcome.fit_command = {"fit", "a folder", "--seed", std::to_string(seed)};
  outcome.data = {{"scene", "0123456789"}};
  outcome.machine = {"host", "processor", 2, 24, "Linux"};
  outcome.versions = {{"pointillist", "1"}, {"CPU", "any"}};
  outcome.seconds = 10 + static_cast<double>(seed);
  outcome.starts = 1;
  outcome.peak_bytes = 1ull << 30;
  EvalResult result;
  result.run = "fit";
  result.scene = scene;
  result.sizes_px = {size};
  result.images = {{"a.jpg", {psnr_db - 1, ssim, {}}}, {"b.jpg", {psnr_db + 1, ssim, {}}}};
  result.mean = {psnr_db, ssim, {}};
  result.steps = 100;
  result.points = 5000;
  outcome.evaluations = {result};
  return outcome;
}

std::vector<Outcome> eight() {
  return {made("fox", "plain", 0, 20, 0.7),   made("fox", "fancy, 50 %", 0, 21, 0.8),
          made("plush", "plain", 0, 24, 0.8), made("plush", "fancy, 50 %", 0, 24.5, 0.8),
          made("fox", "plain", 1, 22, 0.7),   made("fox", "fancy, 50 %", 1, 22.6, 0.8),
          made("plush", "plain", 1, 25, 0.8), made("plush", "fancy, 50 %", 1, 25.1, 0.8)};
}

TEST(Table, MeansSpreadsAndPairedGains) {
  const Table table = make_table(made_plan(), eight(), {});
  ASSERT_EQ(table.parts.size(), 1u);
  const TablePart& part = table.parts[0];
  ASSERT_EQ(part.columns.size(), 2u);
  EXPECT_EQ(part.columns[0].label, "fox");
  const TableCell& plain = *part.columns[0].cells[0];
  EXPECT_DOUBLE_EQ(plain.psnr_db.mean, 21);
  EXPECT_NEAR(*plain.psnr_db.deviation, std::sqrt(2.0), 1e-12);
  EXPECT_FALSE(plain.psnr_gain_db.has_value()) << "the first variant has nothing to be held against";
  const TableCell& fancy = *part.columns[0].cells[1];
  EXPECT_NEAR(fancy.psnr_gain_db->mean, 0.8, 1e-12);  // seed by seed 1.0 and 0.6
  EXPECT_NEAR(*fancy.psnr_gain_db->half_width, 12.706 * std::sqrt(0.08) / std::sqrt(2.0), 1e-9);
  EXPECT_NEAR(fancy.ssim_gain->mean, 0.1, 1e-12);
  EXPECT_FALSE(fancy.lpips.has_value());
  EXPECT_EQ(fancy.outcomes, (std::vector<size_t>{1, 5}));
  // Over scenes: 0.8 and 0.3.
  ASSERT_TRUE(part.overall[1].has_value());
  EXPECT_NEAR(part.overall[1]->psnr_db.mean, (21.8 + 24.8) / 2, 1e-12);
  EXPECT_NEAR(part.overall[1]->psnr_gain_db->mean, 0.55, 1e-12);
  EXPECT_EQ(part.overall[1]->psnr_gain_db->pairs, 2);
  EXPECT_DOUBLE_EQ(table.costs[0][0][0]->seconds.mean, 10.5);
  EXPECT_DOUBLE_EQ(table.costs[0][0][0]->points.mean, 5000);
  EXPECT_TRUE(table.remarks.empty());
}

TEST(Table, WhatDoesNotMeanTheSameStandsInAnotherColumn) {
  std::vector<Outcome> outcomes = {made("fox", "plain", 0, 20, 0.7),
                                   made("fox", "fancy, 50 %", 0, 30, 0.8, {320, 240})};
  Table table = make_table(made_plan(1), outcomes, {});
  ASSERT_EQ(table.parts[0].columns.size(), 2u) << "another size";
  EXPECT_FALSE(table.parts[0].columns[0].cells[1].has_value());
  EXPECT_FALSE(table.parts[0].columns[1].cells[1]->psnr_gain_db.has_value());
  EXPECT_NE(table.parts[0].columns[0].label, table.parts[0].columns[1].label);
  outcomes[1] = made("fox", "fancy, 50 %", 0, 30, 0.8);
  EXPECT_EQ(make_table(made_plan(1), outcomes, {}).parts[0].columns.size(), 1u);
  outcomes[1].data["scene"] = "changed";
  EXPECT_EQ(make_table(made_plan(1), outcomes, {}).parts[0].columns.size(), 2u) << "other data";
  outcomes[1] = made("fox", "fancy, 50 %", 0, 30, 0.8);
  outcomes[1].evaluations[0].images[0].name = "c.jpg";
  EXPECT_EQ(make_table(made_plan(1), outcomes, {}).parts[0].columns.size(), 2u) << "other photos";
  outcomes[1] = made("fox", "fancy, 50 %", 0, 30, 0.8);
  outcomes[1].evaluations[0].protocol.split = "other.txt";
  EXPECT_EQ(make_table(made_plan(1), outcomes, {}).parts[0].columns.size(), 2u) << "another split";
  // A scene with two columns has no part in a mean over scenes.
  outcomes = eight();
  outcomes[0].data["scene"] = "changed";
  table = make_table(made_plan(), outcomes, {});
  EXPECT_FALSE(table.parts[0].overall[0].has_value());
}

TEST(Table, SaysWhatAReaderMustKnow) {
  std::vector<Outcome> outcomes = eight();
  outcomes.pop_back();
  outcomes[0].machine.cores = 64;
  outcomes[1].busy_cores = 1.5;
  outcomes[2].versions[0].second = "2";
  outcomes[3].failure = OutcomeFailure{"fit", "exit status 1", {"out of memory"}};
  outcomes[4].evaluations[0].cloud_held_out = 2;
  const Table table = make_table(made_plan(), outcomes, {});
  std::string all;
  for (const std::string& remark : table.remarks) all += remark + "\n";
  for (const char* part : {"1 of 8 runs", "failed: fancy, 50 % (fit: exit status 1), 1 run;", "different versions",
                           "different machines", "1 of the runs began", "flatter: fox"})
    EXPECT_NE(all.find(part), std::string::npos) << part << "\n" << all;
  EXPECT_TRUE(table.costs[0][0][0]->machine.empty());
  EXPECT_EQ(table.costs[0][1][0]->disturbed, 1);
}

TEST(Table, PublishedFiguresStandOnlyWhereTheyMeanTheSame) {
  PublishedFigure figure{"ADOP", "fox", "a paper, table 1", {}, std::array<int, 2>{640, 480}, 23.0, 0.75, std::nullopt};
  std::vector<PublishedFigure> published(5, figure);
  published[1].protocol.border = "adop_border";
  published[2].size_px = {{1280, 960}};
  published[3].size_px.reset();
  published[4].scene = "elsewhere";
  const Table table = make_table(made_plan(), eight(), published);
  EXPECT_EQ(table.parts[0].columns[0].published.size(), 1u);
  EXPECT_TRUE(table.parts[0].columns[1].published.empty());
  ASSERT_EQ(table.not_comparable.size(), 4u);
  EXPECT_EQ(table.not_comparable[0].obstacle, "border adop_border, here full");
  EXPECT_NE(table.not_comparable[1].obstacle.find("size 1280 × 960"), std::string::npos);
  EXPECT_NE(table.not_comparable[2].obstacle.find("not given"), std::string::npos);
  EXPECT_NE(table.not_comparable[3].obstacle.find("no run"), std::string::npos);
}

TEST(TableFiles, Text) {
  const Table table = make_table(made_plan(), eight(), {});
  EXPECT_EQ(estimate_text({21, std::sqrt(2.0), 2}, 2), "21.00 ± 1.41");
  EXPECT_EQ(difference_text({0.5, std::nullopt, 1}, 2), "+0.50 (n = 1)");
  EXPECT_EQ(difference_text({-0.5, 0.25, 4}, 2), "-0.50 [-0.75, -0.25]");
  const std::string text = table_text(table);
  for (const char* part : {"A & B <test>", "21.00 ± 1.41 dB", "all scenes", "+0.80 ["})
    EXPECT_NE(text.find(part), std::string::npos) << text;
  const std::string csv = table_csv(table);
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 1 + 8 * 3);
  EXPECT_NE(csv.find("fox,\"fancy, 50 %\",100 "
                     "steps,1,full,exif,given,every8,b.jpg,23.6000,0.80000,,,,100,11.0,1.000,5000,0123456789,"),
            std::string::npos)
      << csv;
  const std::string latex = table_latex(table);
  EXPECT_NE(latex.find("fancy, 50 \\% & $21.80 \\pm 1.13$ & $0.800 \\pm 0.000$"), std::string::npos) << latex;
  const auto json = nlohmann::json::parse(table_json(table));
  EXPECT_EQ(json["done"], 8);
  EXPECT_EQ(json["parts"][0]["columns"][0]["variants"]["plain"]["psnr_db"]["mean"], 21.0);
  EXPECT_EQ(json["parts"][0]["columns"][0]["variants"]["plain"]["runs"][1]["seed"], 1);
}

TEST(TableFiles, FlickerStandsWhereItWasMeasured) {
  EXPECT_EQ(table_page(make_table(made_plan(), eight(), {}), {}).find("flicker"), std::string::npos);
  std::vector<Outcome> outcomes = eight();
  for (size_t i = 0; i < outcomes.size(); ++i) {
    FlickerScore flicker;
    flicker.levels = 2 + static_cast<double>(i);
    if (outcomes[i].scene == "plush") flicker.truth_levels = 1.5;
    if (i != 1) outcomes[i].evaluations[0].flicker = flicker;
  }
  const Table table = make_table(made_plan(), outcomes, {});
  const auto& columns = table.parts[0].columns;
  EXPECT_DOUBLE_EQ(columns[0].cells[0]->flicker->mean, 4);  // of 2 and 6
  EXPECT_FALSE(columns[0].cells[0]->true_flicker);
  EXPECT_FALSE(columns[0].cells[1]->flicker) << "one of its runs does not have it";
  EXPECT_DOUBLE_EQ(columns[1].cells[1]->true_flicker->mean, 1.5);
  EXPECT_DOUBLE_EQ(table.parts[0].overall[0]->flicker->mean, 5);  // of 4 and, on the other scene, of 4 and 8
  EXPECT_FALSE(table.parts[0].overall[1]->flicker);
  EXPECT_EQ(flicker_text(*columns[1].cells[0]), "6.00 (true pictures 1.50)");
  EXPECT_NE(table_page(table, {}).find("6.00 (true pictures 1.50)"), std::string::npos);
  EXPECT_NE(table_latex(table).find("PSNR & SSIM & flicker"), std::string::npos);
  EXPECT_NE(table_csv(table).find("b.jpg,21.0000,0.70000,,2.0000,,100,"), std::string::npos) << table_csv(table);
  EXPECT_EQ(nlohmann::json::parse(table_json(table))["parts"][0]["columns"][1]["variants"]["plain"]["true_flicker_levels"]["mean"], 1.5);
}

TEST(TableFiles, PageShowsPicturesAndWhereFiguresComeFrom) {
  const testing::TemporaryFolder folder;
  write_png(folder / "photo.png", Image(1200, 600, 3, 0.5f));
  write_png(folder / "made.png", Image(1200, 600, 3, 0.25f));
  std::vector<Outcome> outcomes = eight();
  outcomes[7].failure = OutcomeFailure{"fit", "exit status 1", {"<script>alert(1)</script>"}};
  outcomes[0].variant = "plain";
  const Table table = make_table(made_plan(), outcomes, {});
  const std::string page =
      table_page(table, {{"fox", "photo.png", folder / "photo.png", {folder / "made.png", std::nullopt}}});
  for (const char* part : {"A &amp; B &lt;test&gt;", "data:image/jpeg;base64,", "href=\"#run0\"", "id=\"run0\"",
                           "a folder", "0123456789", "&lt;script&gt;alert(1)", "21.00 ± 1.41"})
    EXPECT_NE(page.find(part), std::string::npos) << part;
  EXPECT_EQ(page.find("<script>alert(1)"), std::string::npos);
}

TEST(Outcome, IsReadAsItWasWritten) {
  const testing::TemporaryFolder folder;
  Outcome outcome = made("fox", "plain", 3, 20, 0.7);
  outcome.deciding = {"fit", "scene"};
  outcome.started = "2026-01-01T00:00:00Z";
  outcome.busy_cores = 0.25;
  write_outcome(folder / "outcome.json", outcome);
  const Outcome again = read_outcome(folder / "outcome.json");
  EXPECT_EQ(again.scene, "fox");
  EXPECT_EQ(again.seed, 3u);
  EXPECT_EQ(again.fit_command, outcome.fit_command);
  EXPECT_EQ(again.deciding, outcome.deciding);
  EXPECT_EQ(again.versions, outcome.versions);
  EXPECT_EQ(again.data, outcome.data);
  EXPECT_EQ(again.machine.text(), outcome.machine.text());
  EXPECT_EQ(again.busy_cores, 0.25);
  EXPECT_EQ(again.peak_bytes, outcome.peak_bytes);
  EXPECT_FALSE(again.failure.has_value());
  ASSERT_EQ(again.evaluations.size(), 1u);
  EXPECT_EQ(again.evaluations[0].mean.psnr_db, 20);
  EXPECT_EQ(again.evaluations[0].points, 5000);
  outcome.failure = OutcomeFailure{"eval", "signal 9 (Killed)", {"one", "two"}};
  write_outcome(folder / "outcome.json", outcome);
  EXPECT_EQ(read_outcome(folder / "outcome.json").failure->last_lines, (std::vector<std::string>{"one", "two"}));
  const std::string text = testing::file_contents(folder / "outcome.json");
  testing::write_contents(folder / "half.json", text.substr(0, text.size() / 2));
  testing::expect_input_error([&] { read_outcome(folder / "half.json"); }, {"half.json", "is not the outcome"});
  testing::write_contents(folder / "less.json",
                          R"({"format": "pointillist research run", "version": 1, "scene": "fox"})");
  testing::expect_input_error([&] { read_outcome(folder / "less.json"); }, {"less.json", "damaged"});
  testing::write_contents(folder / "later.json", R"({"format": "pointillist research run", "version": 2})");
  testing::expect_input_error([&] { read_outcome(folder / "later.json"); }, {"another version"});
}

}  // namespace
}  // namespace ptl::research
