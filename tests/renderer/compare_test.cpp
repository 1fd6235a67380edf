#include "renderer/compare.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/support/expect_input_error.h"
#include "tests/support/temporary_folder.h"

namespace ptl {
namespace {

using testing::expect_input_error;

EvalResult run_of(const std::string& name, double psnr_db) {
  EvalResult run;
  run.run = name;
  run.scene = "fox";
  run.sizes_px = {{960, 540}};
  run.images = {{"0001.jpg", {psnr_db - 1, 0.7, 0.25}}, {"0009.jpg", {psnr_db + 1, 0.8, {}}}};
  run.mean = {psnr_db, 0.75, {}};
  run.steps = 1500;
  run.seconds = 300.5;
  run.settings = {{"fit.seed", "1"}, {"network.kind", "light"}};
  return run;
}

TEST(EvalResult, RoundTrip) {
  testing::TemporaryFolder folder;
  EvalResult run = run_of("name with \"quotes\" and ü", 21.123456789012345);
  run.coverage = {0.375, 0.5, 1.0};
  run.images[1].score.psnr_db = std::numeric_limits<double>::infinity();
  write_eval_result(folder / "eval.json", run);
  const EvalResult read = read_eval_result(folder / "eval.json");
  EXPECT_EQ(eval_result_to_json(read), eval_result_to_json(run));
  EXPECT_EQ(read.run, run.run);
  EXPECT_EQ(read.mean.psnr_db, run.mean.psnr_db);  // to the last bit
  EXPECT_EQ(read.images[1].score.psnr_db, run.images[1].score.psnr_db);
  EXPECT_EQ(read.images[0].score.lpips, 0.25);
  EXPECT_FALSE(read.mean.lpips);
  EXPECT_EQ(read.protocol, run.protocol);
  EXPECT_EQ(read.sizes_px, run.sizes_px);
  EXPECT_EQ(read.steps, 1500);
  EXPECT_EQ(read.settings, run.settings);
  EXPECT_EQ(eval_result_to_json(run).find("values"), std::string::npos);
  run.protocol.values = "log-coded, 9 stops from 2^-6 to 2^3";
  EXPECT_EQ(eval_result_from_json(eval_result_to_json(run), "x").protocol, run.protocol);
}

TEST(EvalResult, WrongFilesAreNamed) {
  const std::string good = eval_result_to_json(run_of("a", 20));
  const auto without = [&](const std::string& part, const std::string& instead) {
    std::string text = good;
    const size_t at = text.find(part);
    EXPECT_NE(at, std::string::npos) << part;
    return text.replace(at, part.size(), instead);
  };
  expect_input_error([] { eval_result_from_json("no json", "x.json"); }, {"x.json", "not a JSON object"});
  expect_input_error([] { eval_result_from_json("[]", "x.json"); }, {"x.json"});
  expect_input_error([&] { eval_result_from_json(without("\"steps\"", "\"step\""), "x.json"); }, {"x.json", "'steps'"});
  expect_input_error([&] { eval_result_from_json(without("\"border\": \"full\"", "\"border\": 3"), "x.json"); },
                     {"'border'", "a text"});
  expect_input_error([&] { eval_result_from_json(without("\"psnr\": 19.0", "\"psnr\": null"), "x.json"); }, {"'psnr'"});
  expect_input_error([&] { eval_result_from_json(without("540", "\"a\""), "x.json"); }, {"'size'"});
  expect_input_error([] { read_eval_result("no_such_run/eval.json"); }, {"no_such_run/eval.json"});
}

TEST(EvalResult, SettingsMayBeNumbers) {
  std::string text = eval_result_to_json(run_of("a", 20));
  const size_t at = text.find("\"fit.seed\": \"1\"");
  ASSERT_NE(at, std::string::npos);
  text.replace(at, 15, "\"fit.seed\": 1");
  EXPECT_EQ(eval_result_from_json(text, "x").settings.at("fit.seed"), "1");
}

TEST(Compare, RanksByPsnr) {
  const Comparison comparison = compare_runs({run_of("worst", 18), run_of("best", 23), run_of("middle", 20)});
  EXPECT_TRUE(comparison.can_rank());
  EXPECT_EQ(comparison.order, (std::vector<int>{1, 2, 0}));
  const std::string text = comparison_text(comparison);
  EXPECT_NE(text.find("rank  run"), std::string::npos);
  EXPECT_NE(text.find("1     best"), std::string::npos);
  EXPECT_LT(text.find("best"), text.find("worst"));
  EXPECT_NE(text.find("all settings are the same"), std::string::npos);
  EXPECT_NE(comparison_html(comparison).find("<tr class=\"best\">"), std::string::npos);
}

TEST(Compare, ShowsSettingsThatDiffer) {
  EvalResult a = run_of("a", 20), b = run_of("b", 19);
  b.settings["network.kind"] = "unet";
  b.settings.erase("fit.seed");
  const Comparison comparison = compare_runs({a, b});
  ASSERT_EQ(comparison.differing_settings.size(), 2u);
  EXPECT_EQ(comparison.differing_settings[0].key, "fit.seed");
  EXPECT_EQ(comparison.differing_settings[0].values, (std::vector<std::string>{"1", "–"}));
  EXPECT_EQ(comparison.differing_settings[1].values, (std::vector<std::string>{"light", "unet"}));
  EXPECT_TRUE(comparison.can_rank());
}

TEST(Compare, RefusesToRankWhatDoesNotMeanTheSame) {
  const EvalResult a = run_of("a", 20);
  const auto refused = [&](auto change, const std::string& what) {
    EvalResult b = run_of("b", 30);
    change(b);
    const Comparison comparison = compare_runs({a, b});
    EXPECT_FALSE(comparison.can_rank()) << what;
    ASSERT_EQ(comparison.obstacles.size(), 1u) << what;
    EXPECT_NE(comparison.obstacles[0].find(what), std::string::npos) << comparison.obstacles[0];
    EXPECT_EQ(comparison.order, (std::vector<int>{0, 1})) << what;  // as given
    const std::string text = comparison_text(comparison), page = comparison_html(comparison);
    EXPECT_EQ(text.find("rank  run"), std::string::npos);
    EXPECT_NE(text.find("not ranked"), std::string::npos);
    EXPECT_NE(text.find(what), std::string::npos);
    EXPECT_NE(page.find("not ranked"), std::string::npos);
    EXPECT_EQ(page.find("<tr class=\"best\">"), std::string::npos);
  };
  refused([](EvalResult& b) { b.protocol.split = "none"; }, "different split: every8 (a), none (b)");
  refused([](EvalResult& b) { b.protocol.border = "adop_border"; }, "different border");
  refused([](EvalResult& b) { b.protocol.exposure = "fitted"; }, "different exposure");
  refused([](EvalResult& b) { b.protocol.pose = "aligned"; }, "different pose");
  refused([](EvalResult& b) { b.protocol.values = "log-coded, 9 stops from 2^-6 to 2^3"; }, "different values");
  refused([](EvalResult& b) { b.sizes_px = {{480, 270}}; }, "different size: 960 × 540 (a), 480 × 270 (b)");
  refused([](EvalResult& b) { b.scene = "plush"; }, "different scene");
  refused([](EvalResult& b) { b.images.pop_back(); }, "different images");
  refused([](EvalResult& b) { b.images.clear(); }, "no held-out images in b");
}

TEST(Compare, SizesInAnotherOrderAreTheSame) {
  EvalResult a = run_of("a", 20), b = run_of("b", 21);
  a.sizes_px = {{1, 2}, {3, 4}};
  b.sizes_px = {{3, 4}, {1, 2}};
  EXPECT_TRUE(compare_runs({a, b}).can_rank());
}

TEST(Compare, OneRunIsNoComparison) {
  expect_input_error([] { compare_runs({run_of("a", 20)}); }, {"at least two"});
}

TEST(Compare, NamesAreEscaped) {
  EvalResult a = run_of("<b>", 20), b = run_of("<script>", 21);
  b.settings["<i>"] = "<u>";
  const std::string page = comparison_html(compare_runs({a, b}));
  for (const char* tag : {"<b>", "<i>", "<u>"}) EXPECT_EQ(page.find(tag), std::string::npos) << tag;
  EXPECT_NE(page.find("&lt;script&gt;"), std::string::npos);
}

}  // namespace
}  // namespace ptl
