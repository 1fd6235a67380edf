#include "renderer/fit.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "datasets/error.h"
#include "renderer/clock.h"
#include "renderer/config_io.h"
#include "renderer/evaluate.h"
#include "renderer/grow_look.h"
#include "renderer/model_file.h"

namespace ptl {

int64_t estimate_step_budget(Fitter& fitter, double seconds_left) {
  constexpr int ignored = 3, timed = 9;
  // The optimiser, photos that are decoded for the first time, files, and points that are added take the rest: up to 18 % of
  // a fit where it was measured.
  constexpr double usable = 0.85;
  std::vector<double> seconds;
  for (int i = 0; i < ignored + timed; ++i) {
    fitter.rehearse(i);
    if (i < ignored) continue;
    // Once more, now that the step's photos are decoded: most steps of a fit find theirs in the cache.
    const double start = now_seconds();
    fitter.rehearse(i);
    seconds.push_back(now_seconds() - start);
  }
  std::sort(seconds.begin(), seconds.end());
  return std::max<int64_t>(20, static_cast<int64_t>(seconds_left * usable / seconds[seconds.size() / 2]));
}

namespace {

/// An event renders the photos that it looks at three times; tracing and the new order of the points take as long as one
/// to two of these (docs/growing.md).
double seconds_of_growing(const SceneModel& model, ImageCache& photos) {
  constexpr double looks_per_event = 4;
  const GrowConfig& config = model.config.grow;
  if (!points_grow(config, model.point_spacing_px)) return 0;
  const double start = now_seconds();
  look_at(model, photos, grow_images(model, 0), config.side_px);
  return looks_per_event * config.events * (now_seconds() - start);
}

/// How fast steps are, checks and files included, over a part of a fit before its length is planned anew.
class StepRate {
 public:
  /// Shares of the planned steps.
  StepRate(double from_share, double to_share, int64_t planned_steps)
      : from_(static_cast<int64_t>(from_share * static_cast<double>(planned_steps))),
        to_(static_cast<int64_t>(to_share * static_cast<double>(planned_steps))) {}
  /// After each step. Steps a second once, where the part ends and was long enough to tell.
  std::optional<double> after(int64_t step, const Schedule& schedule) {
    constexpr int64_t fewest_steps = 20;
    const int64_t planned = schedule.planned_step(step);
    if (told_ || planned < from_ || schedule.revised_at() >= to_) return std::nullopt;
    if (first_step_ < 0) first_step_ = step, first_s_ = now_seconds();
    if (planned < to_ || step - first_step_ < fewest_steps) return std::nullopt;
    told_ = true;
    return static_cast<double>(step - first_step_) / (now_seconds() - first_s_);
  }

 private:
  int64_t from_, to_;
  int64_t first_step_ = -1;  ///< of those that were timed
  double first_s_ = 0;
  bool told_ = false;
};

/// Before the end, when points have grown; and where motion blur, whose renderings nobody could count before, has begun.
std::vector<StepRate> step_rates(const FitConfig& config, int64_t planned_steps) {
  std::vector<StepRate> rates;
  const double blur = config.structure.motion_blur_lock;
  if (!config.groups.motion_blur.frozen && blur < 0.5) rates.emplace_back(blur + 0.01, blur + 0.05, planned_steps);
  rates.emplace_back(0.62, 0.75, planned_steps);
  return rates;
}

}  // namespace

FitOutcome run_fit(SceneModel& model, ImageCache& photos, const RunFolder& run, const Checkpoint* resume,
                   const FitControls& controls, const std::function<void(const FitProgress&)>& progress) {
  constexpr int usual_checks = 10;  // of a fit
  constexpr int64_t most_skipped_steps = 5;
  double started = now_seconds();
  FitState state;
  if (resume) {
    state = resume->state;
    // A raised length: steps as given, minutes in proportion to the first estimate.
    if (model.config.steps > 0) {
      state.step_budget = std::max(state.step_budget, model.config.steps);
    } else {
      const FitConfig before = read_model_config(resume->file);
      if (before.minutes > 0 && model.config.minutes > before.minutes)
        state.step_budget = static_cast<int64_t>(static_cast<double>(state.step_budget) * model.config.minutes / before.minutes);
    }
  } else {
    state.scene_fingerprint = scene_fingerprint(model);
    state.step_budget = model.config.steps;
    if (state.step_budget == 0 && model.config.epochs > 0)
      state.step_budget = (model.config.epochs * static_cast<int64_t>(model.training_images().size()) +
                           model.config.crop.images_per_step - 1) / model.config.crop.images_per_step;
  }
  Fitter fitter(model, photos, std::max<int64_t>(1, state.step_budget));
  if (!resume) {
    state.seconds = controls.seconds_before;
    if (state.step_budget == 0) {
      const double before_check = now_seconds();
      held_out_check(model, photos, controls.check_images);
      const double of_checks = usual_checks * (now_seconds() - before_check);
      state.step_budget = estimate_step_budget(
          fitter, model.config.minutes * 60 - controls.seconds_before - of_checks - seconds_of_growing(model, photos));
    }
    fitter.set_step_budget(state.step_budget);
    state.check_every =
        controls.check_every > 0 ? controls.check_every : std::max<int64_t>(1, state.step_budget / usual_checks);
  } else {
    fitter.optimizer().load(resume->file);
    fitter.schedule().load(resume->schedule);
    if (state.step_budget != resume->state.step_budget) fitter.set_step_budget(state.step_budget);
  }
  MetricsLog metrics(run.metrics(), state.step);
  const double seconds_before = state.seconds;
  started = resume ? now_seconds() : started;
  const int64_t first_step = state.step;
  const auto save = [&] { write_checkpoint(run.checkpoint(), model, fitter.optimizer(), fitter.schedule(), state); };
  if (!resume) save();

  FitProgress shown;
  shown.step_budget = state.step_budget;
  shown.held_out_psnr_db = std::numeric_limits<double>::quiet_NaN();
  const double loop_started = now_seconds();
  double last_save = loop_started, last_shown = 0;
  FitOutcome outcome;
  const int64_t samples_per_step = model.config.crop.images_per_step;
  const auto epoch_samples = static_cast<int64_t>(model.training_images().size());
  const double clock_limit = model.config.steps == 0 && model.config.epochs == 0 && model.config.minutes > 0 ? model.config.minutes * 60.0 : 0.0;
  std::vector<StepRate> rates = step_rates(model.config, fitter.schedule().step_budget());

  while (state.step < state.step_budget) {
    if (const auto grown = fitter.grow_before(state.step))
      metrics.write({{"grow", state.step + 1},
                     {"points", grown->points},
                     {"dropped", grown->dropped},
                     {"split", grown->split},
                     {"traced", grown->traced},
                     {"seconds", seconds_before + now_seconds() - started}});
    const FitStep step = fitter.step(state.step);
    ++state.step;
    if (!step.problem.empty()) {
      // Nothing was updated: the fit goes on from the state before this step.
      metrics.write({{"skipped", state.step}, {"problem", step.problem}, {"seconds", seconds_before + now_seconds() - started}});
      if (++state.skipped_steps > most_skipped_steps)
        throw InputError("step {}: {}; this is the {}th step that had to be left out; the checkpoint in {} is good: lower "
                         "the learning rate of that group with --set groups.NAME.learning_rate=... and start again",
                         state.step, step.problem, state.skipped_steps, run.folder.string());
      if (controls.warn) controls.warn(fmt::format("step {} was left out: {}", state.step, step.problem));
      continue;
    }
    const double loss = step.loss;
    state.epoch_loss_sum += loss * static_cast<double>(samples_per_step);
    state.epoch_samples += samples_per_step;
    if (state.epoch_samples >= epoch_samples) {
      fitter.end_epoch(state.epoch_loss_sum / static_cast<double>(state.epoch_samples), state.step - 1);
      state.epoch_loss_sum = 0;
      state.epoch_samples = 0;
    }
    state.seconds = seconds_before + now_seconds() - started;
    metrics.write({{"step", state.step},
                   {"loss", loss},
                   {"seconds", state.seconds},
                   {"memory_bytes", resident_bytes()},
                   {"allocated_bytes", allocated_bytes()}});
    if (state.step % state.check_every == 0 || state.step == state.step_budget) {
      const double psnr = held_out_check(model, photos, controls.check_images);
      shown.held_out_psnr_db = psnr;
      metrics.write({{"check", state.step},
                     {"psnr", std::isnan(psnr) ? nlohmann::ordered_json() : nlohmann::ordered_json(psnr)},
                     {"seconds", seconds_before + now_seconds() - started}});
    }
    const double now = now_seconds();
    state.seconds = seconds_before + now - started;
    if (progress && (now - last_shown > 0.5 || state.step == state.step_budget)) {
      last_shown = now;
      shown.step = state.step;
      shown.loss = loss;
      shown.seconds = state.seconds;
      shown.seconds_left = (now - loop_started) / static_cast<double>(state.step - first_step) *
                           static_cast<double>(state.step_budget - state.step);
      shown.resident_bytes = resident_bytes();
      shown.points = model.points.size();
      progress(shown);
    }
    if (now - last_save > controls.checkpoint_seconds) {
      save();
      last_save = now_seconds();
    }
    if (controls.stop_requested && controls.stop_requested()) {
      save();
      outcome.steps = state.step;
      outcome.seconds = state.seconds;
      return outcome;
    }
    if (clock_limit > 0) {
      // So that the rates fall to their end, and the time is used, however fast the rehearsed steps were.
      constexpr double usable = 0.98;  // the model's file takes the rest
      for (StepRate& rate : rates) {
        const std::optional<double> steps_per_s = rate.after(state.step, fitter.schedule());
        if (!steps_per_s) continue;
        const double left_s = std::max(0.0, clock_limit - state.seconds);
        state.step_budget = state.step + std::max<int64_t>(1, static_cast<int64_t>(usable * left_s * *steps_per_s));
        fitter.schedule().revise_step_budget(state.step, state.step_budget);
        shown.step_budget = state.step_budget;
        metrics.write({{"revised_budget", state.step_budget}, {"seconds", state.seconds}});
      }
    }
    if (clock_limit > 0 && state.seconds > clock_limit) {
      outcome.ended_by_clock = state.step < state.step_budget;
      break;
    }
  }
  save();
  write_model(run.model(), model);
  outcome.finished = true;
  outcome.structure = fitter.structure_report();
  if (!outcome.structure.held_images.empty() || outcome.structure.held_points > 0) {
    nlohmann::ordered_json names = nlohmann::ordered_json::array();
    for (const int64_t image : outcome.structure.held_images) names.push_back(model.images[static_cast<size_t>(image)].name);
    metrics.write({{"held", state.step}, {"images", names}, {"points", outcome.structure.held_points}});
  }
  outcome.steps = state.step;
  outcome.seconds = state.seconds;
  return outcome;
}

}  // namespace ptl
