#include "renderer/optimizer.h"

#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>
#include <filesystem>

#include "datasets/error.h"
#include "tests/renderer/image_formula.h"

namespace ptl {
namespace {

GroupConfig group(const std::string& name, OptimizerKind kind, double rate = 0.1) {
  GroupConfig config;
  config.name = name;
  config.kind = kind;
  config.learning_rate = rate;
  return config;
}

torch::Tensor parameter(std::initializer_list<double> values) {
  return torch::tensor(std::vector<double>(values), torch::kFloat64).requires_grad_();
}

void set_gradient(torch::Tensor value, std::initializer_list<double> gradient) {
  value.mutable_grad() = torch::tensor(std::vector<double>(gradient), value.options().requires_grad(false));
}

TEST(Optimizer, AdamFollowsItsDefinitionAndLibTorch) {
  torch::Tensor ours = test::formula_tensor({7, 5}, 3, 1, -0.5).requires_grad_();
  torch::Tensor theirs = ours.detach().clone().requires_grad_();
  torch::Tensor exact = ours.detach().to(torch::kFloat64);
  torch::Tensor mean = torch::zeros_like(exact), square = torch::zeros_like(exact);
  Optimizer optimizer;
  optimizer.add(group("g", OptimizerKind::adam), {{"x", ours}});
  torch::optim::Adam reference({theirs}, torch::optim::AdamOptions(0.1));
  for (int t = 1; t <= 40; ++t) {
    const torch::Tensor gradient = test::formula_tensor({7, 5}, 100 + static_cast<uint64_t>(t), 2, -0.5);
    ours.mutable_grad() = gradient.clone();
    theirs.mutable_grad() = gradient.clone();
    optimizer.step(t);
    reference.step();
    const torch::Tensor g = gradient.to(torch::kFloat64);
    mean = 0.9 * mean + 0.1 * g;
    square = 0.999 * square + 0.001 * g * g;
    exact -= 0.1 * (mean / (1 - std::pow(0.9, t))) / ((square / (1 - std::pow(0.999, t))).sqrt() + 1e-8);
  }
  EXPECT_TRUE(torch::allclose(ours.to(torch::kFloat64), exact, 1e-5, 1e-5));
  EXPECT_TRUE(torch::allclose(ours, theirs, 1e-5, 1e-5));
}

TEST(Optimizer, SgdByHand) {
  torch::Tensor x = parameter({1, 2});
  Optimizer optimizer;
  optimizer.add(group("g", OptimizerKind::sgd, 0.5), {{"x", x}});
  set_gradient(x, {2, -4});
  optimizer.step(0, {{"g", 0.1}});
  EXPECT_DOUBLE_EQ(x[0].item<double>(), 0.9);
  EXPECT_DOUBLE_EQ(x[1].item<double>(), 2.2);
}

TEST(Optimizer, SparseAdamLeavesZeroGradientsAlone) {
  // An element that gets gradients now and then moves as if the other steps had not been.
  torch::Tensor sparse = parameter({0, 0, 5}), dense = parameter({0});
  Optimizer optimizer;
  optimizer.add(group("sparse", OptimizerKind::sparse_adam), {{"x", sparse}});
  optimizer.add(group("dense", OptimizerKind::adam), {{"x", dense}});
  for (int t = 0; t < 12; ++t) {
    const double g = 1 + 0.3 * t;
    const bool seen = t % 3 == 0;
    set_gradient(sparse, {seen ? g : 0, 0.5, 0});
    if (seen)
      set_gradient(dense, {g});
    else
      dense.mutable_grad().reset();
    optimizer.step(t);
  }
  EXPECT_NEAR(sparse[0].item<double>(), dense[0].item<double>(), 1e-12);
  EXPECT_EQ(sparse[2].item<double>(), 5.0);
  EXPECT_NEAR(sparse[1].item<double>(), -1.2, 1e-6);  // a constant gradient: one rate a step

  // Plain Adam goes on without gradient.
  torch::Tensor plain = parameter({0});
  Optimizer other;
  other.add(group("g", OptimizerKind::adam), {{"x", plain}});
  set_gradient(plain, {1});
  other.step(0);
  const double after_one = plain[0].item<double>();
  set_gradient(plain, {0});
  other.step(1);
  EXPECT_NE(plain[0].item<double>(), after_one);
}

/// Rows in any order, some twice (two crops), against the dense gradient, for every rule.
TEST(Optimizer, SparseGradientsAreTheSameAsDenseOnes) {
  for (const OptimizerKind kind : {OptimizerKind::sparse_adam, OptimizerKind::adam, OptimizerKind::sgd}) {
    torch::Tensor rows_value = test::formula_tensor({50, 3}, 3, 1, -0.5).requires_grad_();
    torch::Tensor dense_value = rows_value.detach().clone().requires_grad_();
    Optimizer rows_optimizer, dense_optimizer;
    rows_optimizer.add(group("g", kind), {{"x", rows_value}});
    dense_optimizer.add(group("g", kind), {{"x", dense_value}});
    for (int t = 0; t < 6; ++t) {
      const torch::Tensor index = torch::tensor(std::vector<int64_t>{7, 3, 49, 7, 0, 20 + t}).unsqueeze(0);
      torch::Tensor values = test::formula_tensor({6, 3}, 100 + static_cast<uint64_t>(t), 2, -0.5);
      values[2].fill_(0);  // a row that is there and has no gradient
      const torch::Tensor sparse = torch::sparse_coo_tensor(index, values, {50, 3});
      rows_value.mutable_grad() = sparse;
      dense_value.mutable_grad() = sparse.to_dense();
      rows_optimizer.step(t);
      dense_optimizer.step(t);
      ASSERT_TRUE(torch::equal(rows_value, dense_value)) << t;
    }
    EXPECT_TRUE(rows_value[49].equal(test::formula_tensor({50, 3}, 3, 1, -0.5)[49]));
    rows_value.mutable_grad() = torch::sparse_coo_tensor(torch::tensor(std::vector<int64_t>{5}).unsqueeze(0),
                                                         torch::full({1, 3}, std::nanf("")), {50, 3});
    EXPECT_NE(rows_optimizer.step(9), "");
  }
}

TEST(Optimizer, TinyGradientsNeedATinyEpsilon) {
  torch::Tensor x = parameter({0}), y = parameter({0});
  GroupConfig tiny = group("tiny", OptimizerKind::adam);
  tiny.epsilon = 1e-15;
  Optimizer optimizer;
  optimizer.add(tiny, {{"x", x}});
  optimizer.add(group("usual", OptimizerKind::adam), {{"x", y}});
  set_gradient(x, {1e-9});
  set_gradient(y, {1e-9});
  optimizer.step(0);
  EXPECT_NEAR(x[0].item<double>(), -0.1, 1e-6);
  EXPECT_NEAR(y[0].item<double>(), -0.1 / 11, 1e-6);
}

TEST(Optimizer, LocksAndFrozenGroups) {
  torch::Tensor locked = parameter({1}), frozen = parameter({1});
  GroupConfig late = group("late", OptimizerKind::sgd);
  late.locked_until = 3;
  GroupConfig ice = group("ice", OptimizerKind::sgd);
  ice.frozen = true;
  Optimizer optimizer;
  ParameterGroup& first = optimizer.add(late, {{"x", locked}});
  optimizer.add(ice, {{"x", frozen}});
  set_gradient(locked, {1});
  set_gradient(frozen, {std::nan("")});  // of no interest to anybody
  optimizer.step(2);
  EXPECT_EQ(locked[0].item<double>(), 1);
  optimizer.step(3);
  EXPECT_DOUBLE_EQ(locked[0].item<double>(), 0.9);
  EXPECT_EQ(frozen[0].item<double>(), 1);
  EXPECT_TRUE(first.active(3));  // the reference outlives later groups
}

TEST(Optimizer, NotFiniteGradientsAreNamedAndNothingIsChanged) {
  for (const double bad : {std::nan(""), HUGE_VAL, -HUGE_VAL}) {
    torch::Tensor good = parameter({1}), x = parameter({1, 2}), y = parameter({1, 2});
    Optimizer optimizer;
    optimizer.add(group("network", OptimizerKind::sgd), {{"w", good}});
    optimizer.add(group("poses", OptimizerKind::adam), {{"x", x}, {"y", y}});
    set_gradient(good, {1});
    set_gradient(x, {1, 1});
    set_gradient(y, {1, bad});
    EXPECT_EQ(optimizer.step(17), "poses/y");
    EXPECT_EQ(optimizer.first_value_not_finite(), "");
    EXPECT_EQ(good[0].item<double>(), 1);
    EXPECT_EQ(x[0].item<double>(), 1);
  }
}

struct Fit {
  torch::Tensor a, b, c;
  Optimizer optimizer;
  Fit() {
    a = test::formula_tensor({300, 70}, 1, 1, 0).requires_grad_();
    b = test::formula_tensor({900, 8}, 2, 1, 0).requires_grad_();
    c = test::formula_tensor({5}, 3, 1, 0).requires_grad_();
    optimizer.add(group("network", OptimizerKind::adam, 1e-2), {{"w", a}});
    optimizer.add(group("descriptors", OptimizerKind::sparse_adam, 1e-2), {{"d", b}});
    optimizer.add(group("exposure", OptimizerKind::sgd, 1e-2), {{"e", c}});
  }
  void run(int begin, int end) {
    for (int t = begin; t < end; ++t) {
      const uint64_t s = 10 + 3 * static_cast<uint64_t>(t);
      a.mutable_grad() = test::formula_tensor({300, 70}, s, 1, -0.5);
      b.mutable_grad() = test::formula_tensor({900, 8}, s + 1, 1, -0.5);
      b.mutable_grad().masked_fill_(test::formula_tensor({900, 8}, s + 2, 1, 0) < 0.6, 0);
      c.mutable_grad() = test::formula_tensor({5}, s, 1, -0.5);
      optimizer.step(t);
    }
  }
};

TEST(Optimizer, RestoreIsExact) {
  Fit whole, first, second;
  whole.run(0, 9);
  first.run(0, 4);
  const auto path = std::filesystem::path(::testing::TempDir()) / "ptl_optimizer_state.safetensors";
  NamedTensors state;
  first.optimizer.save(state);
  write_safetensors(path, state);
  {
    const torch::NoGradGuard no_grad;
    second.a.copy_(first.a);
    second.b.copy_(first.b);
    second.c.copy_(first.c);
  }
  second.optimizer.load(SafetensorsFile(path));
  second.run(4, 9);
  EXPECT_TRUE(torch::equal(whole.a, second.a));
  EXPECT_TRUE(torch::equal(whole.b, second.b));
  EXPECT_TRUE(torch::equal(whole.c, second.c));
  NamedTensors end_whole, end_second;
  whole.optimizer.save(end_whole);
  second.optimizer.save(end_second);
  ASSERT_EQ(end_whole.size(), 6u);
  for (size_t i = 0; i < end_whole.size(); ++i) {
    EXPECT_EQ(end_whole[i].first, end_second[i].first);
    EXPECT_TRUE(torch::equal(end_whole[i].second, end_second[i].second)) << end_whole[i].first;
  }
  // A fit of another shape refuses it.
  Optimizer other;
  other.add(group("network", OptimizerKind::adam), {{"w", torch::zeros({3}).requires_grad_()}});
  try {
    other.load(SafetensorsFile(path));
    FAIL() << "accepted";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("optimizer/network/w/mean"), std::string::npos) << error.what();
  }
  std::filesystem::remove(path);
}

TEST(Optimizer, SameBitsWithAnyNumberOfThreads) {
  const int before = omp_get_max_threads();
  omp_set_num_threads(1);
  Fit one;
  one.run(0, 5);
  omp_set_num_threads(4);
  Fit four;
  four.run(0, 5);
  omp_set_num_threads(before);
  EXPECT_TRUE(torch::equal(one.a, four.a));
  EXPECT_TRUE(torch::equal(one.b, four.b));
}

TEST(Optimizer, RemapKeepsMomentsOfKeptRows) {
  torch::Tensor x = torch::zeros({3, 2}).requires_grad_();
  Optimizer optimizer;
  ParameterGroup& points = optimizer.add(group("points", OptimizerKind::sparse_adam), {{"x", x}});
  x.mutable_grad() = torch::tensor({{1.f, 1.f}, {2.f, 0.f}, {3.f, 3.f}});
  optimizer.step(0);
  torch::Tensor grown = torch::zeros({4, 2}).requires_grad_();
  points.remap_rows("x", grown, torch::tensor({2, -1, 1, 2}, torch::kInt64));
  NamedTensors state;
  optimizer.save(state);
  EXPECT_TRUE(torch::allclose(state[0].second, torch::tensor({{.3f, .3f}, {0.f, 0.f}, {.2f, 0.f}, {.3f, .3f}})));
  EXPECT_TRUE(torch::equal(state[2].second, torch::tensor({{1, 1}, {0, 0}, {1, 0}, {1, 1}}, torch::kInt32)));
  EXPECT_THROW(points.remap_rows("x", grown, torch::tensor({9, 0, 0, 0}, torch::kInt64)), c10::Error);
  EXPECT_THROW(points.remap_rows("y", grown, torch::tensor({0, 0, 0, 0}, torch::kInt64)), c10::Error);
}

TEST(Optimizer, RangesAndNamesAreChecked) {
  GroupConfig bad = group("poses", OptimizerKind::adam, -1);
  try {
    bad.check();
    FAIL() << "accepted";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("poses.learning_rate"), std::string::npos) << error.what();
  }
  bad.learning_rate = 1;
  bad.beta2 = 1;
  EXPECT_THROW(bad.check(), InputError);
  Optimizer optimizer;
  optimizer.add(group("a", OptimizerKind::sgd), {{"x", parameter({1})}});
  EXPECT_THROW(optimizer.add(group("a", OptimizerKind::sgd), {{"x", parameter({1})}}), c10::Error);
  EXPECT_THROW(optimizer.add(group("b", OptimizerKind::sgd), {{"x", parameter({1})}, {"x", parameter({1})}}),
               c10::Error);
}

}  // namespace
}  // namespace ptl
