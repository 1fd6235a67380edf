// Fits as a user runs them: files of a run, exact resume, independence of threads.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "datasets/ply.h"
#include "kernels/hash.h"
#include "tests/support/fit_scene.h"
#include "tests/support/run_program.h"
#include "tests/support/tiny_model.h"

namespace ptl::testing {
namespace {

namespace fs = std::filesystem;
const std::string program = PTL_PROGRAM;

std::vector<std::string> fit_arguments(const fs::path& scene, const fs::path& run, int steps,
                                       std::vector<std::string> more = {}) {
  std::vector<std::string> arguments = {"fit", scene.string(), "--out", run.string(), "--steps", std::to_string(steps),
                                        "--set", "crop.size_px=64", "--set", "raster.layers=3", "--set",
                                        "environment.height=16", "--set", "environment.width=32", "--no-report",
                                        "--no-densify"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

/// Metrics without what may differ: time and memory.
std::string comparable_metrics(const fs::path& run) {
  std::istringstream stream(file_contents(run / "metrics.jsonl"));
  std::string result;
  for (std::string text; std::getline(stream, text);) {
    nlohmann::json line = nlohmann::json::parse(text);
    line.erase("seconds");
    line.erase("memory_bytes");
    line.erase("allocated_bytes");
    result += line.dump() + "\n";
  }
  return result;
}

class FitTest : public ::testing::Test {
 protected:
  void SetUp() override { write_fit_scene(scene()); }
  fs::path scene() const { return folder_ / "scene"; }
  fs::path run(const std::string& name) const { return folder_ / name; }
  TemporaryFolder folder_;
};

TEST_F(FitTest, WithinAMemoryLimit) {
  expect_refused(run_program(program, fit_arguments(scene(), run("a"), 2, {"--memory-limit", "50"})), {"--memory-limit 50", "MiB", "--max-size"});
  EXPECT_FALSE(fs::exists(run("a"))) << "nothing was begun";
  const ProgramResult fit = run_program(program, fit_arguments(scene(), run("a"), 2, {"--memory-limit", "2000"}));
  EXPECT_EQ(fit.exit_code, 0) << fit.output;
}

TEST_F(FitTest, MakesARunThatCanBeEvaluatedRenderedExportedAndCompared) {
  const ProgramResult fit = run_program(program, {"fit", scene().string(), "--out", run("a").string(), "--steps", "60",
                                                  "--set", "crop.size_px=64", "--set", "environment.height=16",
                                                  "--set", "environment.width=32"});
  ASSERT_EQ(fit.exit_code, 0) << fit.output;
  EXPECT_NE(fit.output.find("held-out PSNR: "), std::string::npos) << fit.output;
  for (const char* file : {"config.toml", "model.safetensors", "checkpoint.safetensors", "metrics.jsonl", "eval.json",
                           "report.html"})
    EXPECT_TRUE(fs::exists(run("a") / file)) << file;

  const ProgramResult eval = run_program(program, {"eval", run("a").string(), "--json"});
  ASSERT_EQ(eval.exit_code, 0) << eval.output;
  const nlohmann::json result = nlohmann::json::parse(eval.output);
  EXPECT_EQ(result.at("protocol"),
            nlohmann::json({{"border", "full"}, {"exposure", "exif"}, {"pose", "given"}, {"split", "every8"}}));
  EXPECT_EQ(result.at("images").size(), 2u);  // 0 and 8 of 10
  EXPECT_EQ(result.at("images")[1].at("name"), "photo_008.png");
  EXPECT_EQ(result.at("steps"), 60);
  EXPECT_GT(result.at("mean").at("psnr").get<double>(), 12.0);

  for (const char* protocol : {"interpolated", "fitted"}) {
    const ProgramResult other = run_program(program, {"eval", run("a").string(), "--exposure", protocol});
    EXPECT_EQ(other.exit_code, 0) << other.output;
    EXPECT_NE(other.output.find(std::string("exposure ") + protocol), std::string::npos) << other.output;
  }

  // The model renders without its photos.
  fs::rename(scene() / "images", scene() / "elsewhere");
  const ProgramResult render = run_program(program, {"render", run("a").string(), "--view", "photo_003.png", "--width",
                                                     "48", "--out", run("view.png").string()});
  EXPECT_EQ(render.exit_code, 0) << render.output;
  EXPECT_EQ(read_image_size(run("view.png")).width_px, 48);
  EXPECT_EQ(read_image_size(run("view.png")).height_px, 36);
  for (const std::vector<std::string>& kind :
       std::vector<std::vector<std::string>>{{"--depth"}, {"--layer", "1"}, {"--exposure", "1"}}) {
    std::vector<std::string> arguments = {"render", run("a").string(), "--view", "photo_003.png", "--out",
                                          run("other.png").string()};
    arguments.insert(arguments.end(), kind.begin(), kind.end());
    const ProgramResult other = run_program(program, arguments);
    EXPECT_EQ(other.exit_code, 0) << other.output;
  }
  const ProgramResult linear = run_program(program, {"render", run("a").string(), "--view", "photo_003.png", "--out",
                                                     run("view.exr").string()});
  EXPECT_EQ(linear.exit_code, 0) << linear.output;
  EXPECT_EQ(read_exr(run("view.exr")).width, 96);
  const ProgramResult missing = run_program(program, {"eval", run("a").string()});
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_NE(missing.output.find("images"), std::string::npos) << missing.output;
  fs::rename(scene() / "elsewhere", scene() / "images");

  const ProgramResult ply = run_program(program, {"export", run("a").string(), "--ply", run("points.ply").string()});
  EXPECT_EQ(ply.exit_code, 0) << ply.output;
  EXPECT_TRUE(fs::exists(run("points.ply")));

  fs::copy(run("a"), run("b"), fs::copy_options::recursive);
  const ProgramResult compare = run_program(program, {"compare", run("a").string(), run("b").string()});
  EXPECT_EQ(compare.exit_code, 0) << compare.output;
}

TEST_F(FitTest, InfoSaysWhatTheSceneHoldsAndWhatAFitNeeds) {
  const ProgramResult info = run_program(program, {"info", scene().string()});
  EXPECT_EQ(info.exit_code, 0) << info.output;
  for (const char* part : {"10, photo_000.png to photo_009.png", "8 training images, 2 held out", "4 layers",
                           "memory of a fit with preset quick", " MiB",
                           "by name (EXIF time of 0 of 10 images)"})
    EXPECT_NE(info.output.find(part), std::string::npos) << part << " is missing in\n" << info.output;
}

/// The settings of fit_arguments() for info, and the prediction that it prints.
double predicted_mib(const fs::path& scene, std::vector<std::string> more = {}) {
  std::vector<std::string> arguments = {"info", scene.string(), "--set", "dense.mode=off", "--set", "crop.size_px=64", "--set", "raster.layers=3", "--set",
                                        "environment.height=16", "--set", "environment.width=32"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  const ProgramResult info = run_program(program, arguments);
  EXPECT_EQ(info.exit_code, 0) << info.output;
  const std::string before = "memory of a fit with preset quick: ";
  const size_t at = info.output.find(before);
  return at == std::string::npos ? 0 : std::atof(info.output.c_str() + at + before.size());
}

/// What the metrics say was held of the heap after a step.
int64_t allocated_after(const fs::path& run, int64_t step) {
  std::istringstream stream(file_contents(run / "metrics.jsonl"));
  for (std::string text; std::getline(stream, text);) {
    const nlohmann::json line = nlohmann::json::parse(text);
    if (line.value("step", int64_t{0}) == step) return line.at("allocated_bytes").get<int64_t>();
  }
  ADD_FAILURE() << "no step " << step;
  return 0;
}

TEST_F(FitTest, MemoryIsAsPredictedAndDoesNotGrowWithTheSteps) {
  // A map and photos large enough to count beside the program itself.
  const fs::path large = folder_ / "large";
  write_fit_scene(large, {.images = 5, .width_px = 1280, .height_px = 960, .points = 20000});
  // The same number of points from beginning to end; growing has its own line below.
  const std::vector<std::string> settings = {"--set", "environment.height=512", "--set", "environment.width=1024",
                                             "--set", "crop.size_px=128", "--set", "grow.enabled=false"};
  // One thread for the fits: with more, the heap's peak differs from run to run with the order of their requests.
  std::vector<std::string> alone = settings;
  alone.insert(alone.end(), {"--threads", "1"});
  const double predicted = predicted_mib(large, settings);
  const ProgramResult fit = run_program(program, fit_arguments(large, run("fit"), 400, alone));
  ASSERT_EQ(fit.exit_code, 0) << fit.output;
  EXPECT_NEAR(static_cast<double>(fit.peak_bytes) / (1 << 20), predicted, 0.2 * predicted);
  // Resident memory depends on how the heap is cut up; what the program holds of it does not: 300 steps that keep 4 KiB each
  // would be seen. (0 under a sanitizer.)
  const int64_t early = allocated_after(run("fit"), 100), late = allocated_after(run("fit"), 400);
  EXPECT_LT(late - early, 1 << 20) << early << " bytes after 100 steps, " << late << " after 400";
  const std::vector<std::string> grows = {"--set", "grow.enabled=true", "--set", "grow.dense=true"};
  std::vector<std::string> growing = alone;
  growing.insert(growing.end(), grows.begin(), grows.end());
  const ProgramResult grown = run_program(program, fit_arguments(large, run("grown"), 100, growing));
  ASSERT_EQ(grown.exit_code, 0) << grown.output;
  std::vector<std::string> growing_settings = settings;
  growing_settings.insert(growing_settings.end(), grows.begin(), grows.end());
  // A bound: how many points come depends on the photos.
  EXPECT_LT(static_cast<double>(grown.peak_bytes) / (1 << 20), 1.05 * predicted_mib(large, growing_settings));
  EXPECT_GT(static_cast<double>(grown.peak_bytes) / (1 << 20), predicted * 0.95);
  const ProgramResult small = run_program(program, fit_arguments(scene(), run("small"), 20, {"--grow", "off"}));
  const double small_predicted = predicted_mib(scene(), {"--set", "grow.enabled=false"});
  EXPECT_NEAR(static_cast<double>(small.peak_bytes) / (1 << 20), small_predicted, 0.2 * small_predicted);
}

TEST_F(FitTest, ResumeAfterKillsIsExact) {
  constexpr int steps = 400;
  const std::vector<std::string> every_group = {"--grow", "on", "--set", "first_light=true", "--fit", "points,poses,intrinsics,distortion,rolling_shutter,motion_blur"};
  const ProgramResult whole = run_program(program, fit_arguments(scene(), run("whole"), steps, every_group));
  ASSERT_EQ(whole.exit_code, 0) << whole.output;
  EXPECT_NE(whole.output.find("light compared between photos: exposures differ from"), std::string::npos) << whole.output;
  int kills = 0;
  bool finished = false;
  for (int attempt = 0; attempt < 40 && !finished; ++attempt) {
    std::vector<std::string> more = every_group;
    more.insert(more.end(), {"--checkpoint-seconds", "0.05"});
    if (attempt > 0 && fs::exists(run("killed") / "config.toml")) more.push_back("--resume");
    Program fit(program, fit_arguments(scene(), run("killed"), steps, more));
    // Somewhere in the run: start-up takes a good part of a second. Later attempts get longer, so that the test ends.
    const double seconds = 0.4 + 0.05 * attempt + 1.0 * draw_unit(3, DrawPurpose::synthetic, static_cast<uint64_t>(attempt));
    const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
    while (kills < 10 && fit.running() && std::chrono::steady_clock::now() < end)
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    if (kills < 10 && fit.running()) {
      fit.signal(SIGKILL);
      ++kills;
    }
    const ProgramResult result = fit.wait();
    finished = result.exit_code == 0;
    if (!finished) {
      ASSERT_EQ(result.exit_code, -1) << result.output;
    }
  }
  ASSERT_TRUE(finished);
  EXPECT_GE(kills, 1);
  EXPECT_TRUE(file_contents(run("whole") / "model.safetensors") == file_contents(run("killed") / "model.safetensors"))
      << "the model files differ after " << kills << " kills";
  EXPECT_EQ(comparable_metrics(run("whole")), comparable_metrics(run("killed")));
  // Points came and went on the way, and structure moved.
  EXPECT_NE(file_contents(run("whole") / "model.safetensors").find("given_camera_from_world"), std::string::npos);
  EXPECT_NE(comparable_metrics(run("whole")).find("\"grow\""), std::string::npos);
}

TEST_F(FitTest, InterruptSavesAndSaysHowToGoOn) {
  Program fit(program, fit_arguments(scene(), run("a"), 100000));
  while (fit.running() && file_contents(run("a") / "metrics.jsonl").empty())
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  fit.signal(SIGINT);
  const ProgramResult result = fit.wait();
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_NE(result.output.find("--resume"), std::string::npos) << result.output;
  EXPECT_TRUE(fs::exists(run("a") / "checkpoint.safetensors"));
  EXPECT_FALSE(fs::exists(run("a") / "model.safetensors"));
}

TEST_F(FitTest, ThreadsAndChecksChangeNothing) {
  ASSERT_EQ(run_program(program, fit_arguments(scene(), run("one"), 25, {"--threads", "1", "--grow", "on"})).exit_code, 0);
  ASSERT_EQ(run_program(program, fit_arguments(scene(), run("two"), 25, {"--threads", "2", "--grow", "on", "--check-every", "4",
                                                                         "--image-cache", "0"})).exit_code, 0);
  EXPECT_TRUE(file_contents(run("one") / "model.safetensors") == file_contents(run("two") / "model.safetensors"));
  ASSERT_EQ(run_program(program, fit_arguments(scene(), run("u1"), 8, {"--threads", "1", "--network", "unet"})).exit_code, 0);
  ASSERT_EQ(run_program(program, fit_arguments(scene(), run("u2"), 8, {"--threads", "2", "--network", "unet"})).exit_code, 0);
  EXPECT_TRUE(file_contents(run("u1") / "model.safetensors") == file_contents(run("u2") / "model.safetensors"));
  for (const char* threads : {"1", "2"})
    ASSERT_EQ(run_program(program, fit_arguments(scene(), run(std::string("s") + threads), 25,
                                                 {"--threads", threads, "--grow", "on", "--set", "first_light=true", "--fit", "points,poses,intrinsics,distortion"})).exit_code, 0);
  EXPECT_TRUE(file_contents(run("s1") / "model.safetensors") == file_contents(run("s2") / "model.safetensors"));
}

TEST_F(FitTest, PosesThatMovedAreScoredExportedAndAudited) {
  const ProgramResult fit = run_program(program, fit_arguments(scene(), run("a"), 60, {"--fit", "poses,intrinsics", "--freeze", "response", "--set",
                                                                                                           "structure.max_pose_shift=1e-4"}));
  ASSERT_EQ(fit.exit_code, 0) << fit.output;
  EXPECT_NE(fit.output.find("poses reached their limit"), std::string::npos) << fit.output;
  EXPECT_NE(file_contents(run("a") / "metrics.jsonl").find("\"held\""), std::string::npos);
  for (const char* pose : {"given", "aligned", "refined"}) {
    const ProgramResult eval = run_program(program, {"eval", run("a").string(), "--pose", pose});
    EXPECT_EQ(eval.exit_code, 0) << eval.output;
    EXPECT_NE(eval.output.find(std::string("pose ") + pose), std::string::npos) << eval.output;
  }
  const ProgramResult known = run_program(program, {"eval", run("a").string(), "--pose", "aligned", "--poses", scene().string()});
  EXPECT_EQ(known.exit_code, 0) << known.output;
  const ProgramResult exported = run_program(program, {"export", run("a").string(), "--colmap", run("colmap").string(), "--transforms",
                                                       run("transforms.json").string(), "--adop", run("adop").string(), "--photometry",
                                                       run("light").string()});
  ASSERT_EQ(exported.exit_code, 0) << exported.output;
  EXPECT_EQ(run_program(program, {"info", run("adop").string()}).exit_code, 0);
  for (const char* file : {"colmap/cameras.bin", "colmap/images.txt", "transforms.json", "light/images.csv"}) EXPECT_TRUE(fs::exists(folder_ / file)) << file;
  const ProgramResult report = run_program(program, {"report", run("a").string()});
  EXPECT_EQ(report.exit_code, 0) << report.output;
  for (const char* part : {"Cameras from above", "How far cameras moved", "that gained most", "training cameras moved by"})
    EXPECT_NE(file_contents(run("a") / "report.html").find(part), std::string::npos) << part;
  const ColmapModel model = read_colmap_model(run("colmap"));
  EXPECT_EQ(model.images.size(), 10u);
  // A sound scene passes its audit, as it is and fitted; the page is written.
  for (const fs::path& target : {scene(), run("a")}) {
    const ProgramResult audit = run_program(program, {"audit", target.string(), "--images", "4", "--crops", "2", "--out", run("audit.html").string()});
    EXPECT_NE(audit.output.find("structure gradient against its definition"), std::string::npos) << audit.output;
    EXPECT_NE(file_contents(run("audit.html")).find("Knock and gradient"), std::string::npos);
  }
  // Wrong words.
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"eval", run("a").string(), "--pose", "guessed"}, {"export", run("a").string()},
           {"fit", scene().string(), "--out", run("b").string(), "--fit", "lenses"}, {"audit", run("nowhere").string()}}) {
    const ProgramResult wrong = run_program(program, arguments);
    EXPECT_NE(wrong.exit_code, 0) << arguments[0];
    EXPECT_FALSE(wrong.output.empty());
  }
}

TEST_F(FitTest, ResumeRefusesAnotherConfigurationOrScene) {
  ASSERT_EQ(run_program(program, fit_arguments(scene(), run("a"), 6)).exit_code, 0);
  const ProgramResult config = run_program(program, {"fit", scene().string(), "--out", run("a").string(), "--resume",
                                                     "--set", "raster.channels=6"});
  EXPECT_EQ(config.exit_code, 1);
  EXPECT_NE(config.output.find("raster.channels: 8 in the run, 6 now"), std::string::npos) << config.output;
  FitSceneOptions other;
  other.points = 2000;
  write_fit_scene(folder_ / "other", other);
  const ProgramResult moved = run_program(program, {"fit", (folder_ / "other").string(), "--out", run("a").string(),
                                                    "--resume", "--steps", "8"});
  EXPECT_EQ(moved.exit_code, 1);
  EXPECT_NE(moved.output.find("is not the one that this run was started with"), std::string::npos) << moved.output;
  // More steps are welcome.
  const ProgramResult longer = run_program(program, {"fit", scene().string(), "--out", run("a").string(), "--resume",
                                                     "--steps", "8", "--no-report"});
  EXPECT_EQ(longer.exit_code, 0) << longer.output;
  const ProgramResult again = run_program(program, fit_arguments(scene(), run("a"), 6));
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_NE(again.output.find("--resume"), std::string::npos) << again.output;
}

/// On the command line: points come and go, within the bound, where the cloud is sparse, and in a dense one if asked to.
TEST_F(FitTest, GrowsWhereTheCloudIsSparseUnlessToldOtherwise) {
  ASSERT_EQ(run_program(program, fit_arguments(scene(), run("on"), 40, {"--grow", "on", "--set", "grow.points_per_event=50"})).exit_code, 0);
  const fs::path sparse = folder_ / "sparse";
  write_fit_scene(sparse, {.images = 10, .width_px = 192, .height_px = 144, .points = 150});
  const auto grows = [&](const fs::path& from, const std::string& name, std::vector<std::string> more) {
    EXPECT_EQ(run_program(program, fit_arguments(from, run(name), 10, std::move(more))).exit_code, 0);
    return comparable_metrics(run(name)).find("\"grow\"") != std::string::npos;
  };
  EXPECT_FALSE(grows(scene(), "dense", {}));
  EXPECT_TRUE(grows(sparse, "sparse", {}));
  EXPECT_TRUE(grows(sparse, "auto", {"--set", "grow.dense=true", "--grow", "auto"}));
  EXPECT_FALSE(grows(sparse, "off", {"--grow", "off"}));
  std::istringstream stream(comparable_metrics(run("on")));
  int events = 0;
  for (std::string text; std::getline(stream, text);) {
    const nlohmann::json line = nlohmann::json::parse(text);
    if (!line.contains("grow")) continue;
    ++events;
    EXPECT_LE(line.at("split").get<int64_t>() + line.at("traced").get<int64_t>(), 50);
    EXPECT_LE(line.at("points").get<int64_t>(), 3000 + 50 * events);
  }
  EXPECT_EQ(events, 3);
  const ProgramResult wrong = run_program(program, fit_arguments(scene(), run("wrong"), 5, {"--grow", "perhaps"}));
  EXPECT_NE(wrong.exit_code, 0);
  EXPECT_NE(wrong.output.find("perhaps"), std::string::npos) << wrong.output;
}

/// Dense points from the training photos: made once, kept with the run, the same when a fit goes on.
TEST_F(FitTest, DensifiesFromTheTrainingPhotosAndKeepsThePoints) {
  const fs::path sparse = folder_ / "sparse";
  write_fit_scene(sparse, {.images = 10, .width_px = 192, .height_px = 144, .points = 150});
  const auto arguments = [&](const fs::path& out, const std::string& steps, std::vector<std::string> more = {}) {
    std::vector<std::string> all = {"fit", sparse.string(), "--out", out.string(), "--steps", steps, "--set", "crop.size_px=64",
                                    "--set", "environment.height=16", "--set", "environment.width=32", "--no-report"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  };
  const ProgramResult whole = run_program(program, arguments(run("whole"), "30"));  // by itself: the cloud is sparse
  ASSERT_EQ(whole.exit_code, 0) << whole.output;
  EXPECT_NE(whole.output.find("too sparse"), std::string::npos) << whole.output;
  EXPECT_NE(whole.output.find("dense points made from 8 training photos"), std::string::npos) << whole.output;
  EXPECT_FALSE(fs::exists(run("whole") / "dense.work"));
  const PlyContents dense = read_ply(run("whole") / "dense.ply");
  EXPECT_GT(dense.cloud.size(), 5000u);
  for (const std::string& comment : dense.comments)
    EXPECT_TRUE(comment != "dense_photo photo_000.png" && comment != "dense_photo photo_008.png") << "a held-out photo was used";

  ASSERT_EQ(run_program(program, arguments(run("parts"), "12")).exit_code, 0);
  const ProgramResult resumed = run_program(program, arguments(run("parts"), "30", {"--resume"}));
  ASSERT_EQ(resumed.exit_code, 0) << resumed.output;
  EXPECT_TRUE(file_contents(run("whole") / "dense.ply") == file_contents(run("parts") / "dense.ply"));

  // eval says so when a cloud was made from the photos that it scores.
  const fs::path all = folder_ / "all.ply";
  ASSERT_EQ(run_program(program, {"densify", sparse.string(), "--out", all.string(), "--all-photos"}).exit_code, 0);
  ASSERT_EQ(run_program(program, arguments(run("all"), "5", {"--points", all.string()})).exit_code, 0);
  const ProgramResult eval = run_program(program, {"eval", run("all").string()});
  EXPECT_NE(eval.output.find("was made from 2 of these held-out photos"), std::string::npos) << eval.output;
  const ProgramResult clean = run_program(program, {"eval", run("whole").string()});
  EXPECT_EQ(clean.output.find("warning"), std::string::npos) << clean.output;

  const ProgramResult own = run_program(program, arguments(run("own"), "5", {"--no-densify"}));
  EXPECT_EQ(own.exit_code, 0) << own.output;
  EXPECT_FALSE(fs::exists(run("own") / "dense.ply"));
}

/// Photogrammetry delivers coordinates of millions of metres, where a float steps by half a metre.
TEST_F(FitTest, AGeoreferencedSceneFitsAndExportsAsTheUnshiftedOne) {
  const Vec3<double> shift(4.5e5, 5.4e6, 300);
  fs::copy(scene(), folder_ / "far", fs::copy_options::recursive);
  const fs::path model = fs::path("sparse") / "0";
  write_colmap_model(shifted(read_colmap_model(scene() / model), shift), folder_ / "far" / model, ColmapFormat::binary);
  double psnr_db[2];
  std::vector<Vec3<float>> exported[2];
  for (int far = 0; far < 2; ++far) {
    const fs::path out = run(far ? "far" : "near");
    ASSERT_EQ(run_program(program, fit_arguments(far ? folder_ / "far" : scene(), out, 60)).exit_code, 0);
    psnr_db[far] = nlohmann::json::parse(run_program(program, {"eval", out.string(), "--json"}).output)["mean"]["psnr"];
    ASSERT_EQ(run_program(program, {"export", out.string(), "--ply", (out / "points.ply").string()}).exit_code, 0);
    exported[far] = read_ply(out / "points.ply", far ? shift : Vec3<double>(0)).cloud.position;
  }
  // The shifted file's doubles step by 1e-9: a position rounded to float may differ in its last bit (5e-7 at 4 m).
  ASSERT_EQ(exported[0].size(), exported[1].size());
  const auto less = [](const Vec3<float>& a, const Vec3<float>& b) { return a.x < b.x; };
  for (auto& positions : exported) std::sort(positions.begin(), positions.end(), less);
  for (size_t i = 0; i < exported[0].size(); ++i)
    ASSERT_LT(glm::distance(exported[0][i], exported[1][i]), 2e-6f) << i;
  EXPECT_NEAR(psnr_db[0], psnr_db[1], 0.2);
}

TEST_F(FitTest, TwoFitsCannotShareAFolder) {
  Program first(program, fit_arguments(scene(), run("a"), 100000));
  while (first.running() && !fs::exists(run("a") / "checkpoint.safetensors"))
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  const ProgramResult second = run_program(program, {"fit", scene().string(), "--out", run("a").string(), "--resume"});
  EXPECT_EQ(second.exit_code, 1);
  EXPECT_NE(second.output.find("another fit is writing"), std::string::npos) << second.output;
  first.signal(SIGKILL);
  first.wait();
}

}  // namespace
}  // namespace ptl::testing
