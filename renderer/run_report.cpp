#include "renderer/run_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <numeric>

#include "datasets/split.h"
#include "renderer/camera_moves.h"
#include "renderer/config_io.h"
#include "renderer/coverage.h"
#include "renderer/device_setup.h"
#include "renderer/image_tensor.h"
#include "renderer/photometry_export.h"
#include "renderer/report.h"

namespace ptl {

namespace {

/// The loss averaged over runs of steps, so that a chart has a few hundred points.
std::vector<ReportChart> curves(const std::vector<nlohmann::json>& metrics) {
  ReportChart loss{"Loss", "step", "loss", {{"mean of crops", {}, {}}}, false, false, false};
  ReportChart psnr{"Held-out PSNR", "step", "PSNR (dB)", {{"check", {}, {}}}, false, false, false};
  std::vector<std::pair<double, double>> steps;
  for (const nlohmann::json& line : metrics) {
    if (line.contains("step") && line.contains("loss")) steps.emplace_back(line.at("step"), line.at("loss"));
    if (line.contains("check") && line.contains("psnr") && line.at("psnr").is_number()) {
      psnr.series[0].x.push_back(line.at("check"));
      psnr.series[0].y.push_back(line.at("psnr"));
    }
  }
  const size_t bin = std::max<size_t>(1, steps.size() / 250);
  for (size_t i = 0; i + bin <= steps.size(); i += bin) {
    double x = 0, y = 0;
    for (size_t j = i; j < i + bin; ++j) {
      x += steps[j].first;
      y += steps[j].second;
    }
    loss.series[0].x.push_back(x / static_cast<double>(bin));
    loss.series[0].y.push_back(y / static_cast<double>(bin));
  }
  return {loss, psnr};
}

/// Where points came from: a line for the dense ones, and for each time that points came and went.
std::vector<std::string> point_notes(const std::vector<nlohmann::json>& metrics) {
  std::vector<std::string> notes;
  for (const nlohmann::json& line : metrics) {
    if (line.contains("dense_points"))
      notes.push_back(fmt::format("{} dense points from {} photos, matched at {} px: {:.0f} s in all, {:.0f} s matching, "
                                  "{:.0f} s fusing, at most {} MiB", line.value("dense_points", int64_t{0}),
                                  line.value("photos", 0), line.value("matched_at_px", 0), line.value("seconds", 0.0),
                                  line.value("seconds_matching", 0.0), line.value("seconds_fusing", 0.0),
                                  line.value("memory_bytes", uint64_t{0}) >> 20));
    if (line.contains("grow"))
      notes.push_back(fmt::format("before step {}: {} points dropped, {} added by splitting, {} where photos stayed wrong; {} then",
                                  line.value("grow", int64_t{0}), line.value("dropped", int64_t{0}),
                                  line.value("split", int64_t{0}), line.value("traced", int64_t{0}),
                                  line.value("points", int64_t{0})));
  }
  return notes;
}

constexpr size_t photos_looked_at = 24;

/// Where points are: what the network must make up lies beyond.
ReportChart coverage_chart(const Coverage& training, const std::vector<double>& held_out) {
  ReportChart chart{"Pixels with a point", "layer (0: full size)", "share", {}, false, false, false};
  const auto add = [&](const char* name, const std::vector<double>& shares) {
    if (shares.empty()) return;
    chart.series.push_back({name, {}, shares});
    for (size_t l = 0; l < shares.size(); ++l) chart.series.back().x.push_back(static_cast<double>(l));
  };
  add("training", training.by_layer());
  add("held out", held_out);
  return chart;
}

ReportChart points_chart(const std::vector<int64_t>& images, const Coverage& training) {
  ReportChart chart{"Points drawn in training photos", "photo (in capture order)", "points", {{"training", {}, {}}}, false, true, false};
  for (size_t i = 0; i < images.size(); ++i) {
    chart.series[0].x.push_back(static_cast<double>(images[i]));
    chart.series[0].y.push_back(static_cast<double>(training.points_by_view()[i]));
  }
  return chart;
}

/// How far cameras moved, and which images gained most by it.
void add_cameras(const SceneModel& model, ImageCache& photos, ReportData& data) {
  constexpr int side_px = 512;
  constexpr size_t named = 5;
  const std::vector<CameraMove> moves = camera_moves(model);
  if (moves.empty()) return;
  for (ReportChart& chart : camera_charts(model, moves)) data.curves.push_back(std::move(chart));
  double px = 0, distance = 0, degrees = 0, readout_px = 0, exposure_px = 0;
  for (const CameraMove& move : moves) {
    const double share = 1.0 / static_cast<double>(moves.size());
    px += share * move.mean_px;
    distance += share * move.distance_m;
    degrees += share * move.degrees;
    readout_px += share * move.readout_px;
    exposure_px += share * move.exposure_px;
  }
  if (px > 0)
    data.notes.push_back(fmt::format("training cameras moved by {:.2f} px, {:.4g} scene units and {:.3f} degrees on average", px, distance, degrees));
  if (readout_px > 0 || exposure_px > 0)
    data.notes.push_back(fmt::format("while training photos were taken, points moved by {:.2f} px (rows read out) and {:.2f} px (exposure) on average",
                                     readout_px, exposure_px));
  const std::vector<int64_t> looked_at = spread_evenly(model.training_images(), photos_looked_at);
  const std::vector<double> gains = pose_gains_db(model, photos, looked_at, side_px);
  std::vector<size_t> order(gains.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return gains[a] > gains[b]; });
  std::string most;
  for (size_t k = 0; k < std::min(named, order.size()); ++k)
    most += fmt::format("{}{} {:+.2f} dB", k ? ", " : "", model.images[static_cast<size_t>(looked_at[order[k]])].name, gains[order[k]]);
  data.notes.push_back(fmt::format("training photos that gained most by their new pose, camera and motion (of {} looked at, at {} px): {}",
                                   looked_at.size(), side_px, most));
}

void add_clouds(const RunFolder& run, ReportData& data) {
  for (const auto& [which, title] : {std::pair{"own", "The scene's own points"}, {"begin", "The points that the fit began with"},
                                     {"fitted", "The points of the fitted model"}}) {
    std::ifstream stream(run.cloud_picture(which), std::ios::binary);
    if (stream) data.clouds.push_back({title, std::string(std::istreambuf_iterator<char>(stream), {})});
  }
}

}  // namespace

EvalResult evaluate_and_report(const SceneModel& model, ImageCache& photos, const RunFolder& run,
                               const FitOutcome& outcome, bool write_page, const EvaluateOptions& options) {
  ReportData data;
  EvaluateOptions with_pictures = options;
  with_pictures.each_image = [&](const EvaluatedImage& image) {
    if (write_page) {
      const Image mask = image_from_tensor(image.mask);
      data.images.push_back(make_report_image(model.images[static_cast<size_t>(image.image)].name, image.score,
                                              image_from_tensor(image.photo), image_from_tensor(image.rendering),
                                              &mask));
    }
    if (options.each_image) options.each_image(image);
  };
  EvalResult result = evaluate(model, photos, with_pictures);
  result.run = std::filesystem::absolute(run.folder).lexically_normal().filename().string();
  result.steps = outcome.steps;
  result.seconds = outcome.seconds;
  write_eval_result(run.eval(), result);
  if (!write_page) return result;

  const FitConfig& config = model.config;
  data.title = model.scene_name;
  data.subtitle = fmt::format("run {}, preset {}, network {}", result.run, config.preset,
                              network_kind_name(config.network.kind));
  data.result = result;
  data.highlights = {{"points", fmt::format("{}", model.points.size())},
                     {"layers", fmt::format("{}", model.layers)},
                     {"channels", fmt::format("{}", config.raster.channels)},
                     {"peak memory", fmt::format("{} MiB", peak_resident_bytes() >> 20)}};
  const std::vector<nlohmann::json> metrics = read_metrics(run.metrics());
  data.curves = curves(metrics);
  const std::vector<int64_t> looked_at = spread_evenly(model.training_images(), photos_looked_at);
  const Coverage training = coverage_of(model, looked_at);
  data.curves.push_back(coverage_chart(training, result.coverage));
  data.curves.push_back(points_chart(looked_at, training));
  add_cameras(model, photos, data);
  add_clouds(run, data);
  add_to_report(photometry_of(model), data);
  data.versions = version_table();
  data.notes.push_back(loss_description(config.loss, !config.vgg_weights.empty()));
  data.notes.push_back("points: " + model.cloud_source);
  for (std::string& note : point_notes(metrics)) data.notes.push_back(std::move(note));
  if (model.cloud_held_out > 0)
    data.notes.push_back(fmt::format("the cloud was made from {} held-out photos as well: the figures flatter", model.cloud_held_out));
  if (!result.mean.lpips) data.notes.push_back("LPIPS: n/a (no weights were given)");
  write_report(run.report(), data);
  return result;
}

}  // namespace ptl
