#include "kernels/tone.h"

#include <gtest/gtest.h>

namespace ptl {
namespace {

ToneParams<double> some_params() {
  ToneParams<double> p;
  p.exposure_ev = 0.3;
  p.white_balance[0] = 1.2;
  p.white_balance[1] = 0.9;
  const double vignette[5] = {-0.2, 0.05, -0.01, 0.1, -0.07};
  for (int i = 0; i < 5; ++i) p.vignette[i] = vignette[i];
  set_initial_response(p.response);
  return p;
}

TEST(Tone, ByHand) {
  ToneParams<double> p;
  for (auto& channel : p.response)
    for (int j = 0; j < response_samples; ++j) channel[j] = static_cast<double>(j) / (response_samples - 1);
  p.exposure_ev = 1;
  p.white_balance[0] = 1.5;
  p.vignette[0] = -0.5;
  // Photo 200×100: the pixel (150, 75) lies at ((2·150 − 200)/100, 2·75/100 − 1) = (1, 0.5): r² = 1.25, factor 0.375.
  const Vec2<double> at = vignette_position(Vec2<double>(150, 75), 200, 100);
  EXPECT_EQ(at, Vec2<double>(1, 0.5));
  const Vec3<double> out = tone_map(p, at, ToneMode::evaluation, Vec3<double>(1, 1, 8));
  EXPECT_NEAR(out.x, 0.5 * 1.5 * 0.375, 1e-15);
  EXPECT_NEAR(out.y, 0.5 * 0.375, 1e-15);
  EXPECT_EQ(out.z, 1);
}

TEST(Tone, LeaksAsTheMethodSays) {
  ToneParams<double> p;
  set_initial_response(p.response);
  const Vec3<double> training = tone_map(p, Vec2<double>(0, 0), ToneMode::training, Vec3<double>(-2, 4, 1));
  EXPECT_NEAR(training.x, -0.02, 1e-15);
  EXPECT_NEAR(training.y, 1 + 0.01 * (1 - 1 / std::sqrt(4.0001)), 1e-15);
  EXPECT_NEAR(training.z, 1, 1e-15);
  const Vec3<double> evaluation = tone_map(p, Vec2<double>(0, 0), ToneMode::evaluation, Vec3<double>(-2, 4, 1));
  EXPECT_EQ(evaluation, Vec3<double>(0, 1, 1));
  EXPECT_NEAR(tone_map(p, Vec2<double>(0, 0), ToneMode::evaluation, Vec3<double>(0.5)).y, std::pow(0.5, 1 / 2.2), 1e-15);
}

// HDR: the response says the logarithm, gains are added to it.
TEST(Tone, LogarithmsByHand) {
  ToneParams<double> p;
  for (auto& channel : p.response)
    for (int j = 0; j < response_samples; ++j) channel[j] = static_cast<double>(j) / (response_samples - 1);
  p.log_stops = 8;
  p.exposure_ev = 1;  // half: one of 8 stops
  p.white_balance[0] = 4;
  p.vignette[0] = -0.5;
  const Vec2<double> at(1, 0);  // factor 0.5
  const Vec3<double> out = tone_map(p, at, ToneMode::evaluation, Vec3<double>(0.3, 0.75, 0.2));
  EXPECT_NEAR(out.x, 0.3, 1e-15);
  EXPECT_NEAR(out.y, 0.5, 1e-15);
  EXPECT_EQ(out.z, 0);
  EXPECT_NEAR(tone_map(p, at, ToneMode::training, Vec3<double>(0.2)).z, -0.05, 1e-15);
  p.vignette[0] = -2;  // below 0 at the border: finite, and without a gradient
  const Vec3<double> dark = tone_map(p, at, ToneMode::training, Vec3<double>(0.5));
  EXPECT_NEAR(dark.y, 0.5 + std::log2(1e-6) / 8, 1e-15);
  ToneGradient sums;
  sums.white_balance[0] = sums.white_balance[1] = 0;
  tone_map_backward(p, at, ToneMode::training, Vec3<double>(0.5), Vec3<double>(1), sums);
  EXPECT_EQ(sums.exposure_ev, 0);
  EXPECT_EQ(sums.vignette[0], 0);
}

TEST(Tone, BackwardAgainstFiniteDifferences) {
  const Vec2<double> position(0.8, -0.6);
  const Vec3<double> weight(0.7, -1.1, 0.4);
  const auto check_all = [&](double log_stops, ToneMode mode) {
    for (const Vec3<double>& radiance : {Vec3<double>(0.31, 0.55, 0.77), Vec3<double>(-0.4, 3.1, 0.02)}) {
      ToneParams<double> params = some_params();
      params.log_stops = log_stops;
      const auto loss = [&](const ToneParams<double>& p, const Vec3<double>& x) {
        return glm::dot(weight, tone_map(p, position, mode, x));
      };
      ToneGradient sums;
      sums.white_balance[0] = sums.white_balance[1] = 0;
      const Vec3<double> grad = tone_map_backward(params, position, mode, radiance, weight, sums);
      const double step = 1e-7;
      const auto check = [&](double analytic, auto&& change, const char* name) {
        ToneParams<double> p[2] = {params, params};
        Vec3<double> x[2] = {radiance, radiance};
        change(p[0], x[0], step);
        change(p[1], x[1], -step);
        EXPECT_NEAR(analytic, (loss(p[0], x[0]) - loss(p[1], x[1])) / (2 * step), 2e-7) << name;
      };
      for (int c = 0; c < 3; ++c) check(grad[c], [c](auto&, auto& x, double d) { x[c] += d; }, "radiance");
      check(sums.exposure_ev, [](auto& p, auto&, double d) { p.exposure_ev += d; }, "exposure");
      for (int i = 0; i < 2; ++i)
        check(sums.white_balance[i], [i](auto& p, auto&, double d) { p.white_balance[i] += d; }, "white balance");
      for (int i = 0; i < 5; ++i) check(sums.vignette[i], [i](auto& p, auto&, double d) { p.vignette[i] += d; }, "vignette");
      for (int c = 0; c < 3; ++c)
        for (int j = 0; j < response_samples; ++j)
          check(sums.response[c][j], [c, j](auto& p, auto&, double d) { p.response[c][j] += d; }, "response");
    }
  };
  for (const double log_stops : {0.0, 11.0})
    for (const ToneMode mode : {ToneMode::evaluation, ToneMode::training}) check_all(log_stops, mode);
}

TEST(Tone, RegulariserByHandAndItsGradient) {
  ToneParams<double> p;  // all 0 but one sample: bends −h/2, h, −h/2
  p.response[1][7] = 0.1;
  EXPECT_NEAR(response_regulariser(p.response), 625e-5 * (0.0025 + 0.01 + 0.0025), 1e-15);
  p.response[1][7] = 0;
  p.response[2][0] = 0.1;  // pulled to 0, and bends the first inner sample by −0.05
  EXPECT_NEAR(response_regulariser(p.response), 625e-5 * (0.01 + 0.0025), 1e-15);
  p = some_params();
  double gradient[3][response_samples] = {};
  response_regulariser(p.response, 2.0, gradient);
  for (int c = 0; c < 3; ++c)
    for (int j = 0; j < response_samples; ++j) {
      ToneParams<double> plus = p, minus = p;
      plus.response[c][j] += 1e-6;
      minus.response[c][j] -= 1e-6;
      EXPECT_NEAR(gradient[c][j], 2 * (response_regulariser(plus.response) - response_regulariser(minus.response)) / 2e-6,
                  1e-8);
    }
}

}  // namespace
}  // namespace ptl
