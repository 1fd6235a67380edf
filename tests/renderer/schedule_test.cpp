#include "renderer/schedule.h"

#include <gtest/gtest.h>

#include <cmath>

#include "datasets/error.h"

namespace ptl {
namespace {

TEST(Schedule, CosineByHand) {
  ScheduleConfig config;
  config.kind = ScheduleKind::cosine;
  config.warm_up = 0.1;
  config.final_factor = 0.2;
  // Budget 101: 10 steps of warm-up (factor (step + 1) / 11), then from step 10 to step 100 half a cosine.
  EXPECT_DOUBLE_EQ(budget_factor(config, 0, 101), 1.0 / 11);
  EXPECT_DOUBLE_EQ(budget_factor(config, 9, 101), 10.0 / 11);
  EXPECT_DOUBLE_EQ(budget_factor(config, 10, 101), 1.0);
  EXPECT_NEAR(budget_factor(config, 55, 101), 0.6, 1e-12);
  EXPECT_NEAR(budget_factor(config, 100, 101), 0.2, 1e-12);
  EXPECT_NEAR(budget_factor(config, 1000, 101), 0.2, 1e-12);
  config.hold = 0.4;  // 40 steps more at full rate
  EXPECT_DOUBLE_EQ(budget_factor(config, 50, 101), 1.0);
  EXPECT_NEAR(budget_factor(config, 75, 101), 0.6, 1e-12);
}

TEST(Schedule, ExponentialAndConstant) {
  ScheduleConfig config;
  config.kind = ScheduleKind::exponential;
  config.warm_up = 0;
  config.final_factor = 0.01;
  EXPECT_DOUBLE_EQ(budget_factor(config, 0, 11), 1.0);
  EXPECT_NEAR(budget_factor(config, 5, 11), 0.1, 1e-12);
  EXPECT_NEAR(budget_factor(config, 10, 11), 0.01, 1e-12);
  config.kind = ScheduleKind::constant;
  EXPECT_EQ(budget_factor(config, 7, 11), 1.0);
  config.kind = ScheduleKind::cosine;
  EXPECT_EQ(budget_factor(config, 0, 1), 1.0);
  EXPECT_EQ(budget_factor(config, 0, 0), 1.0);
}

TEST(Schedule, PlateauCutsAndStartsAnew) {
  ScheduleConfig config;
  config.kind = ScheduleKind::plateau;
  config.patience = 2;
  Schedule schedule(config, 100);
  EXPECT_FALSE(schedule.end_epoch(1.0, {"network"}));
  EXPECT_FALSE(schedule.end_epoch(1.0, {"network"}));   // equal is not better: 1
  EXPECT_TRUE(schedule.end_epoch(1.1, {"network"}));    // 2: cut; "poses" was locked and keeps its rate
  EXPECT_EQ(schedule.factor("network", 5), 0.75);
  EXPECT_EQ(schedule.factor("poses", 5), 1.0);
  // The best starts anew: a loss worse than the old best counts as progress once.
  EXPECT_FALSE(schedule.end_epoch(1.05, {"network", "poses"}));
  EXPECT_FALSE(schedule.end_epoch(1.06, {"network", "poses"}));
  EXPECT_TRUE(schedule.end_epoch(1.07, {"network", "poses"}));
  EXPECT_EQ(schedule.factor("network", 5), 0.75 * 0.75);
  EXPECT_EQ(schedule.factor("poses", 5), 0.75);
}

TEST(Schedule, StateIsExact) {
  ScheduleConfig config;
  config.kind = ScheduleKind::plateau;
  config.patience = 3;
  Schedule whole(config, 100), first(config, 100);
  const auto loss = [](int epoch) { return 0.1 + std::fmod(epoch * 0.37, 0.3) / 3; };
  for (int epoch = 0; epoch < 7; ++epoch) {
    whole.end_epoch(loss(epoch), {"a", "b"});
    first.end_epoch(loss(epoch), {"a", "b"});
  }
  Schedule second(config, 1);
  second.load(nlohmann::json::parse(first.save().dump()));
  for (int epoch = 7; epoch < 40; ++epoch) {
    EXPECT_EQ(whole.end_epoch(loss(epoch), {"a"}), second.end_epoch(loss(epoch), {"a"}));
    EXPECT_EQ(whole.factor("a", epoch), second.factor("a", epoch));
    EXPECT_EQ(whole.factor("b", epoch), second.factor("b", epoch));
  }
  EXPECT_EQ(whole.save(), second.save());
  EXPECT_LT(whole.factor("a", 0), 0.75);

  Schedule fresh(config, 5);
  EXPECT_NO_THROW(fresh.load(Schedule(config, 9).save()));  // no loss yet
  EXPECT_EQ(fresh.step_budget(), 9);
  EXPECT_THROW(fresh.load(nlohmann::json::object()), InputError);
  EXPECT_THROW(fresh.load({{"best_loss", "x"}}), InputError);
}

TEST(Schedule, ARevisedBudgetKeepsTheRateAndReachesTheEnd) {
  ScheduleConfig config;
  config.kind = ScheduleKind::cosine;
  config.warm_up = 0.1;
  config.final_factor = 0.2;
  const auto planned = [&](int64_t step) { return budget_factor(config, step, 101); };
  for (const int64_t budget : {81, 101, 401}) {
    Schedule schedule(config, 101);
    schedule.revise_step_budget(75, budget);
    EXPECT_EQ(schedule.revised_at(), 75);
    EXPECT_EQ(schedule.step_budget(), 101);
    for (int64_t step = 0; step <= 75; ++step) EXPECT_EQ(schedule.factor("a", step), planned(step)) << step;
    for (int64_t step = 76; step < budget; ++step) EXPECT_LE(schedule.factor("a", step), schedule.factor("a", step - 1)) << step;
    EXPECT_EQ(schedule.factor("a", budget - 1), planned(100));
    // Halfway through the rest, the rate of halfway through the planned rest.
    EXPECT_NEAR(schedule.factor("a", 75 + (budget - 1 - 75) / 2), planned(87), 0.02);
    Schedule again(config, 1);
    again.load(nlohmann::json::parse(schedule.save().dump()));
    for (int64_t step = 0; step < budget; ++step) EXPECT_EQ(again.factor("a", step), schedule.factor("a", step)) << step;
    again.set_step_budget(50);
    EXPECT_EQ(again.revised_at(), -1);
    EXPECT_EQ(again.factor("a", 49), budget_factor(config, 49, 50));
  }
  // Slower at a third, faster at three quarters of the plan.
  Schedule twice(config, 101);
  twice.revise_step_budget(30, 65);
  EXPECT_EQ(twice.planned_step(30), 30);
  EXPECT_EQ(twice.planned_step(47), 65);  // 30 + 17/34 · 70
  twice.revise_step_budget(52, 77);       // 30 + 22/34 · 70 = 75
  EXPECT_EQ(twice.revised_at(), 75);
  EXPECT_EQ(twice.planned_step(52), 75);
  EXPECT_EQ(twice.planned_step(64), 88);  // 75 + 12/24 · 25 = 87.5
  EXPECT_EQ(twice.factor("a", 76), planned(100));
  for (int64_t step = 53; step < 77; ++step) EXPECT_LE(twice.factor("a", step), twice.factor("a", step - 1)) << step;
  Schedule thrice(config, 1);
  thrice.load(nlohmann::json::parse(twice.save().dump()));
  for (int64_t step = 52; step < 77; ++step) EXPECT_EQ(thrice.factor("a", step), twice.factor("a", step)) << step;
  Schedule late(config, 101);
  late.revise_step_budget(100, 90);  // the time is up: one more step
  EXPECT_EQ(late.factor("a", 100), planned(100));
  EXPECT_THROW(late.load({{"step_budget", 1}, {"best_loss", nullptr}, {"epochs_since_best", 0}, {"cuts", 0},
                          {"plateau_factor", nlohmann::json::object()}, {"revision", 1}}), InputError);
}

TEST(Schedule, RangesAreChecked) {
  ScheduleConfig config;
  config.patience = 0;
  EXPECT_THROW(config.check(), InputError);
  config = {};
  config.final_factor = 0;
  EXPECT_THROW(config.check(), InputError);
  config = {};
  config.warm_up = 0.6;
  config.hold = 0.5;
  EXPECT_THROW(config.check(), InputError);
}

}  // namespace
}  // namespace ptl
