#include "renderer/fit.h"

#include <ATen/record_function.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "datasets/error.h"
#include "renderer/config_io.h"
#include "renderer/evaluate.h"
#include "renderer/grow_look.h"
#include "renderer/model_file.h"
#include "renderer/pipeline.h"

namespace ptl {

namespace {

double now_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

NamedTensors network_tensors(const SceneModel& model) { return model.network->named_parameters(); }

}  // namespace

Fitter::Fitter(SceneModel& model, ImageCache& photos, int64_t step_budget)
    : model_(model), photos_(photos), order_(model), schedule_(model.config.schedule, step_budget) {
  const GroupSettings& groups = model.config.groups;
  optimizer_.add(groups.network, network_tensors(model));
  optimizer_.add(groups.descriptors, {{"descriptors", model.descriptors}});
  optimizer_.add(model.config.environment.enabled ? groups.environment : groups.background,
                 {{"texels", model.background->texels}});
  optimizer_.add(groups.exposure, {{"exposure", model.tone->exposure_ev}});
  optimizer_.add(groups.white_balance, {{"white_balance", model.tone->white_balance}});
  optimizer_.add(groups.response, {{"response", model.tone->response}});
  optimizer_.add(groups.vignette, {{"vignette", model.tone->vignette}});
  if (model.config.loss.w_vgg > 0) vgg_ = std::make_shared<Vgg19Loss>(model.config.vgg_weights, model.device());
  set_step_budget(step_budget);
}

void Fitter::set_step_budget(int64_t step_budget) {
  schedule_.set_step_budget(step_budget);
  const GroupSettings& groups = model_.config.groups;
  const auto unlocked =
      static_cast<int64_t>(std::ceil(model_.config.photometric_lock * static_cast<double>(step_budget)));
  for (const GroupConfig* group : {&groups.exposure, &groups.white_balance, &groups.response, &groups.vignette})
    optimizer_.group(group->name).config().locked_until = std::max(group->locked_until, unlocked);
}

double Fitter::accumulate_gradients(int64_t step) {
  const std::vector<TrainingCrop> crops = crops_of_step(model_, order_, step);
  const double share = 1.0 / static_cast<double>(crops.size());
  double sum = 0;
  for (const TrainingCrop& crop : crops) {
    RenderView view = photo_view(model_, crop.image);
    view.crop = crop.crop;
    const int64_t height = crop.crop.height_px, width = crop.crop.width_px;
    torch::Tensor photo = torch::empty({height, width, 3}), mask = torch::empty({height, width});
    {
      RECORD_USER_SCOPE("photos");
      photos_.sample_crop(static_cast<int>(crop.image), crop.crop, photo.mutable_data_ptr<float>(),
                          mask.mutable_data_ptr<float>());
      photo = photo.to(model_.device());
      mask = mask.to(model_.device());
    }
    const TrainingDraw draw{static_cast<uint64_t>(step), model_.images[static_cast<size_t>(crop.image)].id,
                            crop.crop_index};
    const torch::Tensor radiance = render_radiance(model_, view, &draw);
    const torch::Tensor image = apply_tone(model_, radiance, view, crop.image, ToneMode::training);
    LossValue loss;
    {
      RECORD_USER_SCOPE("loss");
      loss = image_loss(model_.config.loss, image.unsqueeze(0), photo.permute({2, 0, 1}).unsqueeze(0), mask, vgg_);
    }
    RECORD_USER_SCOPE("backward");
    (loss.total * share).backward();
    sum += loss.total.item<double>();
  }
  if (optimizer_.group("response").active(step)) model_.tone->regulariser().backward();
  return sum * share;
}

double Fitter::step(int64_t step) {
  RECORD_USER_SCOPE("step");
  optimizer_.zero_grad();
  const double loss = accumulate_gradients(step);
  std::map<std::string, double> factors;
  for (const ParameterGroup& group : optimizer_.groups())
    factors[group.config().name] = schedule_.factor(group.config().name, step);
  {
    RECORD_USER_SCOPE("optimiser");
    optimizer_.step(step, factors);
    const bool exposure_free = optimizer_.group("exposure").active(step);
    if (exposure_free || optimizer_.group("response").active(step) || optimizer_.group("white_balance").active(step)) {
      torch::NoGradGuard no_gradient;
      model_.tone->fix_gauge(exposure_free && model_.tone->exposures_vary() ? ExponentGauge::exposure_slope
                                                                            : ExponentGauge::response_middle);
    }
  }
  return loss;
}

std::optional<GrowEvent> Fitter::grow_before(int64_t step) {
  const GrowConfig& config = model_.config.grow;
  if (!config.enabled || optimizer_.group("descriptors").config().frozen) return std::nullopt;
  const std::optional<int64_t> event = grow_event_before(config, step, schedule_.step_budget());
  if (!event) return std::nullopt;
  optimizer_.zero_grad();
  return grow(model_, photos_, optimizer_, *event);
}

void Fitter::rehearse(int64_t step) {
  optimizer_.zero_grad();
  accumulate_gradients(step);
  optimizer_.zero_grad();
}

void Fitter::end_epoch(double mean_loss, int64_t step) {
  std::vector<std::string> active;
  for (const ParameterGroup& group : optimizer_.groups())
    if (group.active(step)) active.push_back(group.config().name);
  schedule_.end_epoch(mean_loss, active);
}

int64_t estimate_step_budget(Fitter& fitter, double seconds_left) {
  constexpr int ignored = 3, timed = 9;
  // The optimiser, photos that are decoded for the first time, files, and points that are added take the rest: up to 18 % of
  // a fit where it was measured. A fit that the clock ends at 94 % of its budget loses little: its rates have fallen to 6 %.
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
  if (!config.enabled) return 0;
  const double start = now_seconds();
  look_at(model, photos, grow_images(model, 0), config.side_px);
  return looks_per_event * config.events * (now_seconds() - start);
}

}  // namespace

FitOutcome run_fit(SceneModel& model, ImageCache& photos, const RunFolder& run, const Checkpoint* resume,
                   const FitControls& controls, const std::function<void(const FitProgress&)>& progress) {
  constexpr int usual_checks = 10;  // of a fit
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
    fitter.set_step_budget(state.step_budget);
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
  double last_save = now_seconds(), last_shown = 0;
  FitOutcome outcome;
  const int64_t samples_per_step = model.config.crop.images_per_step;
  const auto epoch_samples = static_cast<int64_t>(model.training_images().size());
  const double clock_limit = model.config.steps == 0 && model.config.epochs == 0 && model.config.minutes > 0 ? model.config.minutes * 60.0 : 0.0;

  while (state.step < state.step_budget) {
    if (const auto grown = fitter.grow_before(state.step))
      metrics.write({{"grow", state.step + 1},
                     {"points", grown->points},
                     {"dropped", grown->dropped},
                     {"split", grown->split},
                     {"traced", grown->traced},
                     {"seconds", seconds_before + now_seconds() - started}});
    const double loss = fitter.step(state.step);
    if (!std::isfinite(loss))
      throw InputError("step {}: the loss is not finite ({}); the last checkpoint in {} is good: lower the learning rates "
                       "with --set and start again", state.step + 1, loss, run.folder.string());
    ++state.step;
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
                   {"memory_bytes", resident_bytes()}});
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
      shown.seconds_left = (now - started) / static_cast<double>(state.step - first_step) *
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
    if (clock_limit > 0 && state.seconds > clock_limit) {
      outcome.ended_by_clock = state.step < state.step_budget;
      break;
    }
  }
  save();
  write_model(run.model(), model);
  outcome.finished = true;
  outcome.steps = state.step;
  outcome.seconds = state.seconds;
  return outcome;
}

}  // namespace ptl
