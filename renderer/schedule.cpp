#include "renderer/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "datasets/error.h"

namespace ptl {

void ScheduleConfig::check() const {
  const auto require = [](bool good, const char* field, const char* expected, double found) {
    if (!good) throw InputError("schedule.{}: expected {}, found {}", field, expected, found);
  };
  require(warm_up >= 0 && warm_up < 1, "warm_up", "a share in [0, 1)", warm_up);
  require(hold >= 0 && hold < 1, "hold", "a share in [0, 1)", hold);
  require(warm_up + hold < 1, "hold", "warm_up + hold below 1", hold);
  require(final_factor > 0 && final_factor <= 1, "final_factor", "a factor in (0, 1]", final_factor);
  require(plateau_factor > 0 && plateau_factor < 1, "plateau_factor", "a factor in (0, 1)", plateau_factor);
  require(patience >= 1, "patience", "at least 1 epoch", static_cast<double>(patience));
}

double budget_factor(const ScheduleConfig& config, int64_t step, int64_t step_budget) {
  if (config.kind == ScheduleKind::constant || config.kind == ScheduleKind::plateau || step_budget <= 0) return 1;
  const double budget = static_cast<double>(step_budget);
  const double done = static_cast<double>(std::clamp<int64_t>(step, 0, step_budget - 1));
  const double warm_steps = std::floor(config.warm_up * budget);
  if (done < warm_steps) return (done + 1) / (warm_steps + 1);
  const double begin = warm_steps + std::floor(config.hold * budget);
  const double last = budget - 1;
  if (done <= begin || last <= begin) return done >= last && last > 0 ? config.final_factor : 1;
  const double progress = (done - begin) / (last - begin);
  if (config.kind == ScheduleKind::exponential) return std::pow(config.final_factor, progress);
  return config.final_factor + (1 - config.final_factor) * 0.5 * (1 + std::cos(std::numbers::pi * progress));
}

Schedule::Schedule(ScheduleConfig config, int64_t step_budget)
    : config_(std::move(config)), step_budget_(step_budget) {
  config_.check();
}

void Schedule::set_step_budget(int64_t step_budget) {
  step_budget_ = step_budget;
  revision_.reset();
}

void Schedule::revise_step_budget(int64_t step, int64_t step_budget) {
  revision_ = Revision{step, std::min(planned_step(step), step_budget_ - 1), std::max(step + 1, step_budget)};
}

int64_t Schedule::planned_step(int64_t step) const {
  if (!revision_) return step;
  if (step <= revision_->step) return std::max<int64_t>(0, revision_->planned_step - (revision_->step - step));
  const int64_t last = revision_->step_budget - 1;
  if (step >= last || last <= revision_->step) return step_budget_ - 1;
  const double share = static_cast<double>(step - revision_->step) / static_cast<double>(last - revision_->step);
  return revision_->planned_step + std::llround(share * static_cast<double>(step_budget_ - 1 - revision_->planned_step));
}

double Schedule::factor(const std::string& group, int64_t step) const {
  if (config_.kind != ScheduleKind::plateau) return budget_factor(config_, planned_step(step), step_budget_);
  const auto found = plateau_factor_.find(group);
  return found == plateau_factor_.end() ? 1.0 : found->second;
}

bool Schedule::end_epoch(double epoch_loss, const std::vector<std::string>& active_groups) {
  if (config_.kind != ScheduleKind::plateau) return false;
  if (epoch_loss < best_loss_) {
    best_loss_ = epoch_loss;
    epochs_since_best_ = 0;
    return false;
  }
  if (++epochs_since_best_ < config_.patience) return false;
  for (const std::string& group : active_groups) {
    const auto [entry, is_new] = plateau_factor_.try_emplace(group, 1.0);
    entry->second *= config_.plateau_factor;
  }
  best_loss_ = std::numeric_limits<double>::infinity();
  epochs_since_best_ = 0;
  ++cuts_;
  return true;
}

nlohmann::json Schedule::save() const {
  // JSON has no infinity: null stands for "no loss yet".
  nlohmann::json best = nullptr;
  if (std::isfinite(best_loss_)) best = best_loss_;
  nlohmann::json state = {{"step_budget", step_budget_},
                          {"best_loss", best},
                          {"epochs_since_best", epochs_since_best_},
                          {"cuts", cuts_},
                          {"plateau_factor", plateau_factor_}};
  if (revision_) state["revision"] = {
      {"step", revision_->step}, {"planned_step", revision_->planned_step}, {"step_budget", revision_->step_budget}};
  return state;
}

void Schedule::load(const nlohmann::json& state) {
  try {
    const nlohmann::json& best = state.at("best_loss");
    const double best_loss = best.is_null() ? std::numeric_limits<double>::infinity() : best.get<double>();
    const auto step_budget = state.at("step_budget").get<int64_t>();
    const auto since = state.at("epochs_since_best").get<int64_t>();
    const auto cuts = state.at("cuts").get<int64_t>();
    auto factors = state.at("plateau_factor").get<std::map<std::string, double>>();
    std::optional<Revision> revision;
    if (state.contains("revision")) {
      const nlohmann::json& saved = state["revision"];
      const auto step = saved.at("step").get<int64_t>();
      revision = Revision{step, saved.value("planned_step", step), saved.at("step_budget").get<int64_t>()};
    }
    best_loss_ = best_loss;
    revision_ = revision;
    step_budget_ = step_budget;
    epochs_since_best_ = since;
    cuts_ = cuts;
    plateau_factor_ = std::move(factors);
  } catch (const nlohmann::json::exception& error) {
    throw InputError("the state of the learning-rate schedule cannot be read: {}", error.what());
  }
}

}  // namespace ptl
