// Research runs as a user makes them: a plan in, a table out; stopped, killed, shared, and with a run that fails.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "datasets/image_io.h"
#include "tests/support/fit_scene.h"
#include "tests/support/run_program.h"

namespace ptl::testing {
namespace {

namespace fs = std::filesystem;
const std::string program = PTL_PROGRAM;

constexpr const char* small_settings =
    "set = { crop.size_px = 64, raster.layers = 3, environment.height = 16, environment.width = 32 }\n";

class BenchTest : public ::testing::Test {
 protected:
  void SetUp() override { write_fit_scene(folder_ / "wall"); }

  /// Two variants of a small fit.
  void write_plan(int steps, const std::string& more = {}) const {
    write_contents(plan(), "title = \"Two rates\"\nsteps = " + std::to_string(steps) + "\n" + more +
                               "[[scene]]\nname = \"wall\"\nfolder = \"wall\"\noptions = [\"--no-densify\", "
                               "\"--network-init\", \"random\"]\n"
                               "[[variant]]\nname = \"as it is\"\n" +
                               small_settings + "[[variant]]\nname = \"slow network\"\n" + small_settings +
                               "options = [\"--set\", \"groups.network.learning_rate=0.0003\"]\n");
  }
  fs::path plan() const { return folder_ / "plan.toml"; }
  fs::path out(const std::string& name = "out") const { return folder_ / name; }
  std::vector<std::string> arguments(const std::string& name = "out", std::vector<std::string> more = {}) const {
    std::vector<std::string> words = {"bench", plan().string(), "--out", out(name).string(), "--threads", "1"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  nlohmann::json table(const std::string& name = "out") const {
    return nlohmann::json::parse(file_contents(out(name) / "table.json"));
  }
  /// Figures alone: no times.
  static nlohmann::json figures(const nlohmann::json& table) { return table.at("parts"); }
  fs::path run_folder(const std::string& variant, const std::string& length, const std::string& name = "out") const {
    return out(name) / "runs/wall" / variant / (length + "_seed0");
  }
  static size_t count(const std::string& text, const std::string& part) {
    size_t found = 0;
    for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
    return found;
  }
  TemporaryFolder folder_;
};

TEST_F(BenchTest, MakesTheTableAndNothingTwice) {
  write_plan(12, "seeds = [0, 1]\n[[protocol]]\n[[protocol]]\nexposure = \"fitted\"\n");
  const ProgramResult list = run_program(program, arguments("out", {"--list"}));
  EXPECT_EQ(count(list.output, "missing"), 4u) << list.output;
  const ProgramResult bench = run_program(program, arguments());
  ASSERT_EQ(bench.exit_code, 0) << bench.output;
  for (const char* file : {"table.html", "table.csv", "table.tex", "table.json"})
    EXPECT_TRUE(fs::exists(out() / file)) << file;
  EXPECT_NE(bench.output.find("[4/4] wall · slow network · 12 steps · seed 1"), std::string::npos) << bench.output;
  const nlohmann::json first = table();
  EXPECT_EQ(first["done"], 4);
  ASSERT_EQ(first["parts"].size(), 2u);
  const nlohmann::json& cell = first["parts"][0]["columns"][0]["variants"]["slow network"];
  EXPECT_EQ(cell["psnr_db"]["count"], 2);
  EXPECT_EQ(cell["psnr_gain_db"]["pairs"], 2);
  EXPECT_EQ(first["parts"][1]["columns"][0]["protocol"]["exposure"], "fitted");
  EXPECT_NE(file_contents(out() / "table.html").find("data:image/jpeg"), std::string::npos)
      << "pictures beside each other";
  // The figures are those of eval.
  const ProgramResult eval =
      run_program(program, {"eval", (run_folder("as-it-is", "12-steps") / "fit").string(), "--json", "--threads", "1"});
  const auto outcome = nlohmann::json::parse(file_contents(run_folder("as-it-is", "12-steps") / "outcome.json"));
  EXPECT_EQ(nlohmann::json::parse(eval.output)["mean"], outcome["evaluations"][0]["mean"]);
  const nlohmann::json& flicker = outcome["evaluations"][0]["flicker"];
  EXPECT_GT(flicker["levels"].get<double>(), 0);
  EXPECT_EQ(flicker["truth_levels"], nullptr);
  EXPECT_EQ(outcome["evaluations"][1].count("flicker"), 0u) << "measured by the first protocol";
  EXPECT_EQ(cell["flicker_levels"]["count"], 2);
  EXPECT_FALSE(outcome["versions"]["commit"].get<std::string>().empty());
  EXPECT_EQ(outcome["data"]["scene"].get<std::string>().size(), 32u);
  EXPECT_GT(outcome["peak_bytes"].get<uint64_t>(), 1u << 20);

  const auto written = fs::last_write_time(run_folder("as-it-is", "12-steps") / "log.txt");
  const ProgramResult again = run_program(program, arguments());
  EXPECT_EQ(again.exit_code, 0) << again.output;
  EXPECT_EQ(fs::last_write_time(run_folder("as-it-is", "12-steps") / "log.txt"), written);
  EXPECT_EQ(table(), first);
  EXPECT_NE(run_program(program, arguments("out", {"--list"})).output.find("done"), std::string::npos);

  // Another plan does not take these figures for its own.
  write_plan(13, "seeds = [0, 1]\n");
  fs::rename(run_folder("as-it-is", "12-steps"), run_folder("as-it-is", "13-steps"));
  expect_refused(run_program(program, arguments()), {"other options", "13-steps_seed0"});
}

TEST_F(BenchTest, GoesPastARunThatFails) {
  write_plan(10);
  std::string text = file_contents(plan());
  text += "[[variant]]\nname = \"wrong\"\noptions = [\"--set\", \"no.such=1\"]\n";
  write_contents(plan(), text);
  const ProgramResult bench = run_program(program, arguments());
  EXPECT_EQ(bench.exit_code, 1);
  EXPECT_NE(bench.output.find("1 of 3 runs failed"), std::string::npos) << bench.output;
  EXPECT_EQ(table()["done"], 2);
  EXPECT_EQ(table()["failed"], 1);
  const auto outcome = nlohmann::json::parse(file_contents(run_folder("wrong", "10-steps") / "outcome.json"));
  EXPECT_EQ(outcome["failure"]["command"], "fit");
  EXPECT_NE(outcome["failure"]["last_lines"].dump().find("no.such"), std::string::npos);
  EXPECT_NE(file_contents(out() / "table.html").find("no.such"), std::string::npos);
  // Nothing is tried again by itself.
  const std::string log = file_contents(run_folder("wrong", "10-steps") / "log.txt");
  EXPECT_EQ(run_program(program, arguments()).exit_code, 1);
  EXPECT_EQ(file_contents(run_folder("wrong", "10-steps") / "log.txt"), log);
  EXPECT_EQ(run_program(program, arguments("out", {"--retry-failed"})).exit_code, 1);
  EXPECT_EQ(count(file_contents(run_folder("wrong", "10-steps") / "log.txt"), " pointillist fit"), 1u)
      << "from the beginning";
}

TEST_F(BenchTest, OnlyOneForJobArrays) {
  write_plan(10);
  EXPECT_EQ(run_program(program, arguments("out", {"--only", "2"})).exit_code, 0);
  EXPECT_FALSE(fs::exists(run_folder("as-it-is", "10-steps") / "outcome.json"));
  EXPECT_TRUE(fs::exists(run_folder("slow-network", "10-steps") / "outcome.json"));
  EXPECT_NE(table()["remarks"].dump().find("1 of 2 runs have not been made"), std::string::npos);
  expect_refused(run_program(program, arguments("out", {"--only", "3"})), {"--only 3", "1 to 2"});
  EXPECT_EQ(run_program(program, arguments("out", {"--table"})).exit_code, 0);
}

TEST_F(BenchTest, KilledAndSharedRunsGiveTheTableOfOneProcess) {
  write_plan(60);
  ASSERT_EQ(run_program(program, arguments("alone")).exit_code, 0);
  // Killed in the midst of a fit, whose process must die with it.
  {
    Program first(program, arguments("shared"));
    const fs::path metrics = run_folder("as-it-is", "60-steps", "shared") / "fit/metrics.jsonl";
    while (first.running() && count(file_contents(metrics), "\"step\"") < 5)
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    first.signal(SIGKILL);
    EXPECT_EQ(first.wait().exit_code, -1);
  }
  Program second(program, arguments("shared")), third(program, arguments("shared"));
  const ProgramResult a = second.wait(), b = third.wait();
  EXPECT_EQ(a.exit_code, 0) << a.output;
  EXPECT_EQ(b.exit_code, 0) << b.output;
  EXPECT_EQ(figures(table("shared")), figures(table("alone")));
  EXPECT_EQ(table("shared")["done"], 2);
  EXPECT_NE((a.output + b.output).find("goes on after a process that ended"), std::string::npos)
      << a.output << b.output;
  const auto outcome =
      nlohmann::json::parse(file_contents(run_folder("as-it-is", "60-steps", "shared") / "outcome.json"));
  EXPECT_EQ(outcome["starts"], 2);
  EXPECT_EQ(count(file_contents(run_folder("slow-network", "60-steps", "shared") / "log.txt"), " pointillist fit"), 1u)
      << "once";
}

TEST_F(BenchTest, InterruptedItGoesOn) {
  write_plan(60);
  Program first(program, arguments());
  const fs::path metrics = run_folder("as-it-is", "60-steps") / "fit/metrics.jsonl";
  while (first.running() && count(file_contents(metrics), "\"step\"") < 5)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  first.signal(SIGTERM);
  const ProgramResult stopped = first.wait();
  EXPECT_EQ(stopped.exit_code, 1);
  EXPECT_NE(stopped.output.find("the same command goes on"), std::string::npos) << stopped.output;
  EXPECT_NE(run_program(program, arguments("out", {"--list"})).output.find("stopped"), std::string::npos);
  const ProgramResult rest = run_program(program, arguments());
  EXPECT_EQ(rest.exit_code, 0) << rest.output;
  EXPECT_EQ(table()["done"], 2);
}

TEST_F(BenchTest, MakesSyntheticScenesAndDensePointsOnce) {
  write_contents(
      plan(),
      std::string(
          "steps = 5\n[[scene]]\nname = \"made\"\nsynth = 3\nsynth_options = [\"--photos\", \"12\", \"--width\", "
          "\"160\", \"--height\", \"112\", \"--samples\", \"1\"]\ndense = true\n[[variant]]\nname = \"one\"\n") +
          small_settings + "options = [\"--network-init\", \"random\"]\n");
  const ProgramResult bench = run_program(program, arguments());
  ASSERT_EQ(bench.exit_code, 0) << bench.output;
  EXPECT_TRUE(fs::exists(out() / "scenes/made/truth.json"));
  EXPECT_TRUE(fs::exists(out() / "scenes/made.dense.ply"));
  EXPECT_EQ(table()["parts"][0]["columns"][0]["scene"], "made");
  const auto outcome = nlohmann::json::parse(file_contents(out() / "runs/made/one/5-steps_seed0/outcome.json"));
  EXPECT_EQ(outcome["data"]["dense points"].get<std::string>().size(), 32u);
  EXPECT_GT(outcome["evaluations"][0]["flicker"]["truth_levels"].get<double>(), 0) << "a synthetic scene knows its truth";
  // Another recipe does not take that scene for its own.
  std::string text = file_contents(plan());
  text.replace(text.find("synth = 3"), 9, "synth = 4");
  text.replace(text.find("steps = 5"), 9, "steps = 6");
  write_contents(plan(), text);
  expect_refused(run_program(program, arguments()), {"scenes/made", "other options"});
}

// What `eval --pictures` wrote, scored as any program's pictures, has eval's figures to the last digit.
TEST_F(BenchTest, ScoreGivesTheFiguresOfEval) {
  const fs::path run = folder_ / "run", pictures = folder_ / "pictures";
  ASSERT_EQ(
      run_program(program, {"fit", (folder_ / "wall").string(), "--out", run.string(), "--steps", "15", "--no-report",
                            "--no-densify", "--set", "crop.size_px=64", "--set", "raster.layers=3", "--set",
                            "environment.height=16", "--set", "environment.width=32", "--network-init", "random"})
          .exit_code,
      0);
  const ProgramResult eval = run_program(program, {"eval", run.string(), "--json", "--pictures", pictures.string()});
  ASSERT_EQ(eval.exit_code, 0) << eval.output;
  const std::vector<std::string> score_words = {
      "score", (pictures / "renderings").string(), "--scene", (folder_ / "wall").string(), "--exposure", "exif",
      "--json"};
  const ProgramResult score = run_program(program, score_words);
  ASSERT_EQ(score.exit_code, 0) << score.output;
  const auto evaluated = nlohmann::json::parse(eval.output), scored = nlohmann::json::parse(score.output);
  for (const char* key : {"images", "mean", "size", "protocol", "scene"}) EXPECT_EQ(evaluated[key], scored[key]) << key;
  // The same pictures as `render` makes them.
  const ProgramResult render = run_program(
      program, {"render", run.string(), "--view", "photo_000.png", "--out", (folder_ / "view.png").string()});
  ASSERT_EQ(render.exit_code, 0) << render.output;
  EXPECT_EQ(read_image(folder_ / "view.png").values8, read_image(pictures / "renderings/photo_000.png").values8);
  // The table for people, and pictures that are numbered.
  const ProgramResult unstated =
      run_program(program, {"score", (pictures / "renderings").string(), "--scene", (folder_ / "wall").string()});
  EXPECT_NE(unstated.output.find("exposure unstated"), std::string::npos) << unstated.output;
  fs::create_directories(folder_ / "numbered");
  int number = 0;
  for (const char* name : {"photo_000.png", "photo_008.png"})
    fs::copy(pictures / "renderings" / name, folder_ / "numbered" / (std::to_string(number++) + ".png"));
  expect_refused(
      run_program(program, {"score", (folder_ / "numbered").string(), "--scene", (folder_ / "wall").string()}),
      {"no picture of 2 of the 2", "photo_000.png", "--by-order"});
  const ProgramResult ordered = run_program(program, {"score", (folder_ / "numbered").string(), "--scene",
                                                      (folder_ / "wall").string(), "--by-order", "--json"});
  EXPECT_EQ(nlohmann::json::parse(ordered.output)["mean"], evaluated["mean"]) << ordered.output;
  write_png(folder_ / "numbered/0.png", Image(10, 10, 3));
  expect_refused(run_program(program, {"score", (folder_ / "numbered").string(), "--scene", (folder_ / "wall").string(),
                                       "--by-order"}),
                 {"0.png", "96 x 72", "10 x 10"});
  fs::copy(pictures / "renderings/photo_000.png", pictures / "renderings/photo_000.png.png");
  expect_refused(run_program(program, score_words), {"several pictures", "photo_000.png"});
}

}  // namespace
}  // namespace ptl::testing
