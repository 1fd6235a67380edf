// Learning rates over time (method section 9). A schedule depends on steps and losses only, never on the clock, and its
// state is a few numbers that a checkpoint keeps.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace ptl {

enum class ScheduleKind {
  constant,
  plateau,      ///< × `factor` when the epoch loss has not improved for `patience` epochs (long fits)
  cosine,       ///< warm-up, then half a cosine down to final_factor at the end of the budget (short fits)
  exponential,  ///< warm-up, then a constant ratio a step down to final_factor at the end of the budget
};
inline std::vector<std::string> enum_names(ScheduleKind*) { return {"constant", "plateau", "cosine", "exponential"}; }

struct ScheduleConfig {
  ScheduleKind kind = ScheduleKind::cosine;
  double warm_up = 0.02;        ///< share of the budget over which the rate rises linearly to its value
  double final_factor = 0.05;   ///< cosine, exponential: factor at the end of the budget
  double hold = 0.0;            ///< share of the budget after the warm-up at full rate, before the decay begins
  double plateau_factor = 0.75; ///< plateau: the cut (ADOP: 0.75)
  int64_t patience = 12;        ///< plateau: epochs without improvement before a cut (ADOP: 10..15)

  template <class V>
  void visit(V&& v) {
    v("kind", kind, "", "constant, plateau (long fits), cosine or exponential (short fits, follow the step budget)");
    v("warm_up", warm_up, "share of the budget", "the rate rises linearly to its value");
    v("final_factor", final_factor, "1", "cosine, exponential: factor of the rate at the end of the budget");
    v("hold", hold, "share of the budget", "time at full rate between the warm-up and the decay");
    v("plateau_factor", plateau_factor, "1", "plateau: factor of a cut");
    v("patience", patience, "epochs", "plateau: epochs without a better loss before a cut");
  }
  /// InputError with the field and its range.
  void check() const;
};

/// The factor of a rate that follows the budget (constant, cosine, exponential): a pure function.
/// step in [0, budget): step + 1 of the warm-up's steps have part of the rate, the last step has final_factor.
double budget_factor(const ScheduleConfig& config, int64_t step, int64_t step_budget);

/// The factors of all groups. Groups that were locked during an epoch do not take part in that epoch's cut.
class Schedule {
 public:
  Schedule(ScheduleConfig config, int64_t step_budget);

  /// Factors by group for this step. Absent groups: see factor().
  double factor(const std::string& group, int64_t step) const;

  /// End of an epoch with its mean loss (without regularisers). `active_groups`: neither frozen nor locked. Returns
  /// true when it cut; the best loss starts anew then.
  bool end_epoch(double epoch_loss, const std::vector<std::string>& active_groups);

  /// The steps that were planned. What happens at a share of a fit (locks, growing) counts by them.
  int64_t step_budget() const { return step_budget_; }
  /// A resumed fit may raise its budget.
  void set_step_budget(int64_t step_budget);
  /// The fit will end after `step_budget` steps in place of those planned, since steps are faster or slower than was thought: from
  /// `step` on, which keeps its rate, rates fall at another speed and end where they would have.
  void revise_step_budget(int64_t step, int64_t step_budget);
  /// The planned step at which that was done last; −1: never.
  int64_t revised_at() const { return revision_ ? revision_->planned_step : -1; }
  /// The step of the plan whose rate this one has: itself until the plan is revised.
  int64_t planned_step(int64_t step) const;

  /// All state; numbers survive exactly (text with 17 digits).
  nlohmann::json save() const;
  /// InputError when a field is missing or of another type.
  void load(const nlohmann::json& state);

 private:
  struct Revision {
    int64_t step = 0, planned_step = 0, step_budget = 0;
  };

  ScheduleConfig config_;
  int64_t step_budget_;
  std::optional<Revision> revision_;
  double best_loss_ = std::numeric_limits<double>::infinity();
  int64_t epochs_since_best_ = 0;
  int64_t cuts_ = 0;
  std::map<std::string, double> plateau_factor_;  ///< by group
};

}  // namespace ptl
