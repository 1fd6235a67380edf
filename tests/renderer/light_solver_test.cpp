// What sightings of points say of exposures, white balances, vignettes and responses: found again where it is known.
#include "renderer/light_solver.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/hash.h"

namespace ptl::testing {
namespace {

double unit(uint64_t a, uint64_t b, uint64_t c = 0) { return static_cast<double>(draw_unit(5, DrawPurpose::synthetic, a, b, c)); }
double normal(uint64_t a, uint64_t b) { return normal_of(unit(a, b, 1), unit(a, b, 2)); }

constexpr int images = 24, points = 400;

/// Two cameras of different response and vignette; each photo shows two points of three.
struct Known {
  explicit Known(double log_stops = 0) {
    problem.points = points;
    problem.cameras = 2;
    problem.log_stops = log_stops;
    double mean = 0, tint[2] = {};  // which are 0 and 1 where light is relative
    for (int i = 0; i < images; ++i) {
      mean += draw_ev(i) / images;
      for (int k = 0; k < 2; ++k) tint[k] += draw_tint(i, k) / images;
    }
    for (int i = 0; i < images; ++i) {
      ToneParams<double> tone;
      tone.log_stops = log_stops;
      set_initial_response(tone.response);
      const bool second = i % 2 == 1;
      if (log_stops == 0) {
        tone.exposure_ev = draw_ev(i) - mean;
        for (int k = 0; k < 2; ++k) tone.white_balance[k] = std::exp(draw_tint(i, k) - tint[k]);
        for (int c = 0; c < 3; ++c)
          for (int j = 0; j < response_samples; ++j) {  // the middle stays
            const double x = static_cast<double>(j) / (response_samples - 1);
            tone.response[c][j] += (second ? -0.2 : 0.25) * x * (1 - x) * (x - 0.5);
          }
      }
      const double vignette[2][5] = {{-0.1, -0.01, 0.002, 0.03, -0.02}, {-0.05, 0.01, 0, 0, 0.01}};
      std::copy_n(vignette[second], 5, tone.vignette);
      tones.push_back(tone);
      problem.images.push_back({second, tone.exposure_ev, true});
    }
    for (int i = 0; i < images; ++i)
      for (int p = 0; p < points; ++p) {
        const auto a = static_cast<uint64_t>(i), b = static_cast<uint64_t>(p);
        if ((i + p) % 3 == 0) continue;
        LightSighting sighting;
        sighting.image = i;
        sighting.point = p;
        sighting.position = Vec2<double>(3 * unit(a, b, 3) - 1.5, 2 * unit(a, b, 4) - 1);
        Vec3<double> radiance;
        for (int c = 0; c < 3; ++c) radiance[c] = 0.03 + 0.5 * unit(1000, b, 10 + static_cast<uint64_t>(c));
        sighting.value = tone_map(tones[a], sighting.position, ToneMode::evaluation, radiance);
        problem.sightings.push_back(sighting);
      }
  }
  static double draw_tint(int i, int k) { return 0.05 * normal(static_cast<uint64_t>(i), 11 + static_cast<uint64_t>(k)); }
  static double draw_ev(int i) { return 0.7 * normal(static_cast<uint64_t>(i), 7); }

  LightProblem problem;
  std::vector<ToneParams<double>> tones;
};

struct Differences {
  double exposure_ev = 0, white_balance = 0, response = 0, vignette = 0;  ///< the largest
};

Differences differences(const Known& known, const LightSolution& found) {
  Differences result;
  const auto grow = [](double& largest, double difference) { largest = std::max(largest, std::abs(difference)); };
  for (size_t i = 0; i < images; ++i) {
    const ToneParams<double>& tone = known.tones[i];
    const FittedTone<double>& camera = found.camera[static_cast<size_t>(known.problem.images[i].camera)];
    grow(result.exposure_ev, found.exposure_ev[i] - tone.exposure_ev);
    for (size_t k = 0; k < 2; ++k) grow(result.white_balance, found.white_balance[i][k] / tone.white_balance[k] - 1);
    for (int c = 0; c < 3; ++c)
      for (int j = 2; j < 22; ++j) grow(result.response, camera.response[c][j] - tone.response[c][j]);
    for (const Vec2<double> corner : {Vec2<double>(1.5, 1), Vec2<double>(-1.5, 1), Vec2<double>(1.5, -1), Vec2<double>(-1.5, -1)})
      grow(result.vignette, vignette_factor(camera.vignette, corner) / vignette_factor(tone.vignette, corner) - 1);
  }
  return result;
}

TEST(LightSolver, FindsWhatMadeTheValues) {
  const Known known;
  const LightSolution found = solve_light(known.problem);
  const Differences off = differences(known, found);
  EXPECT_LT(off.exposure_ev, 0.01);
  EXPECT_LT(off.white_balance, 0.015);  // the exponents of channels differ by what is believed of white balances
  EXPECT_LT(off.response, 0.005);
  EXPECT_LT(off.vignette, 0.005);
  EXPECT_LT(found.error_after, 1e-3);
  EXPECT_LT(found.steps, 12) << "derivatives that are wrong find it too, slowly";
  EXPECT_GT(found.error_before, 5e-3);
  EXPECT_GT(found.values, 15000);
}

TEST(LightSolver, MissingExposuresAndWrongOnesAreFound) {
  Known known;
  double mean = 0;
  for (int i = 0; i < images; ++i) {
    LightImage& image = known.problem.images[static_cast<size_t>(i)];
    if (i % 3 == 0) {
      image.exposure_known = false;
      image.exposure_ev = 0;
    } else {
      image.exposure_ev += 0.3 * normal(static_cast<uint64_t>(i), 8);
    }
    mean += image.exposure_ev / images;
  }
  const LightSolution found = solve_light(known.problem);
  // The exponent is EXIF's to say, which is in error: exposures are right but for a factor near 1.
  double product = 0, square = 0;
  for (size_t i = 0; i < images; ++i) {
    product += (found.exposure_ev[i] - mean) * known.tones[i].exposure_ev;
    square += known.tones[i].exposure_ev * known.tones[i].exposure_ev;
  }
  EXPECT_NEAR(product / square, 1, 0.1);
  for (size_t i = 0; i < images; ++i) EXPECT_NEAR((found.exposure_ev[i] - mean) / (product / square), known.tones[i].exposure_ev, 0.01) << i;
  EXPECT_LT(differences(known, found).white_balance, 0.02);
}

TEST(LightSolver, OutliersAreNoMatter) {
  Known known;
  for (size_t s = 0; s < known.problem.sightings.size(); s += 8)
    for (int c = 0; c < 3; ++c) known.problem.sightings[s].value[c] = unit(s, 20, static_cast<uint64_t>(c));
  const Differences off = differences(known, solve_light(known.problem));
  EXPECT_LT(off.exposure_ev, 0.03);
  EXPECT_LT(off.white_balance, 0.02);
  EXPECT_LT(off.response, 0.02);
  EXPECT_LT(off.vignette, 0.02);
}

TEST(LightSolver, WhatIsNotLookedForStays) {
  Known known;
  for (int i = 0; i < images; ++i) known.problem.images[static_cast<size_t>(i)].exposure_ev = 0.25 * (i % 4) - 0.375;
  known.problem.exposure = known.problem.response = false;
  const LightSolution found = solve_light(known.problem);
  FittedTone<double> usual;
  set_initial_response(usual.response);
  for (int i = 0; i < images; ++i) EXPECT_NEAR(found.exposure_ev[static_cast<size_t>(i)], 0.25 * (i % 4) - 0.375, 1e-4);
  for (int j = 0; j < response_samples; ++j) EXPECT_NEAR(found.camera[1].response[2][j], usual.response[2][j], 1e-4);
}

TEST(LightSolver, TheVignetteOfHdrPhotos) {
  Known known(12);
  known.problem.exposure = known.problem.white_balance = known.problem.response = false;
  const LightSolution found = solve_light(known.problem);
  EXPECT_LT(differences(known, found).vignette, 0.005);
}

TEST(LightSolver, NothingSeenChangesNothing) {
  Known known;
  for (LightSighting& sighting : known.problem.sightings) sighting.value = Vec3<double>(1);  // white
  const LightSolution found = solve_light(known.problem);
  EXPECT_EQ(found.values, 0);
  for (size_t i = 0; i < images; ++i) EXPECT_NEAR(found.exposure_ev[i], known.tones[i].exposure_ev, 1e-4);
}

}  // namespace
}  // namespace ptl::testing
