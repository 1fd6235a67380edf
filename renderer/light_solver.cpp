#include "renderer/light_solver.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <utility>

#include "datasets/quantile.h"

namespace ptl {

namespace {

constexpr double ln2 = 0.69314718055994530942;
// Of values that count. The response is straight up to its first sample, 0.236 at first, which no camera's is: in stops, that is far off.
constexpr double darkest = 0.24, brightest = 0.97;
constexpr int most_steps = 30, radiance_steps = 2;
constexpr double least_gain = 1e-6;  // of the cost, that a step is worth
constexpr double least_noise = 0.01;

// What is believed beforehand, as standard deviations.
constexpr double exif_ev = 0.3, unknown_ev = 1, white_balance_gain = 0.1;
constexpr double vignette_terms = 0.3, vignette_centre = 0.1;
constexpr double response_sample = 0.2, response_bend = 0.002, fixed = 1e-5;
constexpr double bend_share = 0.3;         // of the bend at first: another exponent changes bends in proportion
constexpr double value_share = 0.05;        // of a value's weight: errors of a point and of a surface are alike
constexpr double between_channels = 0.05;  // of the same sample
constexpr double point_log2 = 100;
constexpr int middle = (response_samples - 1) / 2;

constexpr int per_image = 3, per_camera = 5 + 3 * response_samples;

/// The unknowns: of each image EV, red, blue; of each camera the vignette's five and the response's samples.
struct Layout {
  int images, cameras;
  int size() const { return per_image * images + per_camera * cameras; }
  int image(int i) const { return per_image * i; }
  int camera(int k) const { return per_image * images + per_camera * k; }
  int response(int k, int c, int j) const { return camera(k) + 5 + response_samples * c + j; }
};

ToneParams<double> tone_of(const LightProblem& problem, const Layout& at, const std::vector<double>& unknowns, int image) {
  ToneParams<double> tone;
  const double* of_image = &unknowns[static_cast<size_t>(at.image(image))];
  const double* of_camera = &unknowns[static_cast<size_t>(at.camera(problem.images[static_cast<size_t>(image)].camera))];
  tone.exposure_ev = of_image[0];
  tone.white_balance[0] = of_image[1];
  tone.white_balance[1] = of_image[2];
  std::copy_n(of_camera, 5, tone.vignette);
  std::copy_n(of_camera + 5, 3 * response_samples, &tone.response[0][0]);
  tone.log_stops = problem.log_stops;
  return tone;
}

/// One channel of a sighting: value − formula, and the formula's derivatives.
struct Row {
  int point;  ///< 3 · point + channel
  double residual;
  double by_log2_radiance;
  std::array<int, 10> unknown;
  std::array<double, 10> by;
  int count = 0;
  void add(int index, double derivative) {
    if (derivative == 0) return;
    unknown[static_cast<size_t>(count)] = index;
    by[static_cast<size_t>(count++)] = derivative;
  }
};

class Solver {
 public:
  explicit Solver(const LightProblem& problem)
      : problem_(problem), at_{static_cast<int>(problem.images.size()), problem.cameras} {
    begin();
  }

  LightSolution solve() {
    LightSolution solution;
    solution.error_before = median_error(unknowns_, log2_radiance_);
    double damping = 1e-3;
    for (; solution.steps < most_steps; ++solution.steps) {
      const std::vector<Row> rows = linearised();
      solution.values = static_cast<int64_t>(rows.size());
      if (rows.empty()) break;
      scale_ = std::max(least_noise, 2 * 1.4826 * median_error(unknowns_, log2_radiance_));
      const double cost = cost_of(unknowns_, log2_radiance_);
      double reached = cost;
      bool better = false;
      for (int attempt = 0; attempt < 8 && !better; ++attempt) {
        std::vector<double> unknowns = unknowns_, log2_radiance = log2_radiance_;
        better = take_step(rows, damping, unknowns, log2_radiance);
        if (better) {
          for (int k = 0; k < radiance_steps; ++k) fit_radiance(unknowns, log2_radiance);
          better = (reached = cost_of(unknowns, log2_radiance)) < cost;
        }
        damping = better ? std::max(1e-6, damping / 5) : damping * 10;
        if (better) {
          unknowns_ = std::move(unknowns);
          log2_radiance_ = std::move(log2_radiance);
        }
      }
      if (!better || cost - reached < least_gain * cost) break;
    }
    solution.error_after = median_error(unknowns_, log2_radiance_);
    fill(solution);
    return solution;
  }

 private:
  void begin() {
    const auto size = static_cast<size_t>(at_.size());
    unknowns_.assign(size, 0);
    std::vector<double> deviation(size, fixed);
    FittedTone<double> usual;
    set_initial_response(usual.response);
    const auto believed = [&](int index, double value, bool sought, double by) {
      unknowns_[static_cast<size_t>(index)] = value;
      deviation[static_cast<size_t>(index)] = sought ? by : fixed;
    };
    for (int i = 0; i < at_.images; ++i) {
      const LightImage& image = problem_.images[static_cast<size_t>(i)];
      believed(at_.image(i), image.exposure_ev, problem_.exposure, image.exposure_known ? exif_ev : unknown_ev);
      for (int k : {1, 2}) believed(at_.image(i) + k, 1, problem_.white_balance, white_balance_gain);
    }
    for (int k = 0; k < at_.cameras; ++k) {
      const FittedTone<double>& at_first = problem_.camera_at_first.empty() ? usual : problem_.camera_at_first[static_cast<size_t>(k)];
      for (int j = 0; j < 5; ++j) believed(at_.camera(k) + j, at_first.vignette[j], problem_.vignette, j < 3 ? vignette_terms : vignette_centre);
      for (int c = 0; c < 3; ++c)
        for (int j = 0; j < response_samples; ++j)
          believed(at_.response(k, c, j), at_first.response[c][j], problem_.response && j != middle, response_sample);
    }
    given_ = unknowns_;
    precision_.resize(size);
    for (size_t i = 0; i < size; ++i) precision_[i] = 1 / (deviation[i] * deviation[i]);
    // Where a point's radiance begins: the mean of what its photos say, by the exposures and the response at first.
    const auto points = static_cast<size_t>(3 * problem_.points);
    log2_radiance_.assign(points, 0);
    std::vector<int> seen(points, 0);
    for (const LightSighting& sighting : problem_.sightings)
      for (int c = 0; c < 3; ++c) {
        const auto point = static_cast<size_t>(3 * sighting.point + c);
        const double value = std::clamp(sighting.value[c], darkest, brightest);
        const double gain_ev = problem_.log_stops > 0 ? 0 : problem_.images[static_cast<size_t>(sighting.image)].exposure_ev;
        log2_radiance_[point] += initial_response_gamma * std::log2(value) + gain_ev;
        ++seen[point];
      }
    for (size_t p = 0; p < points; ++p)
      if (seen[p] > 0) log2_radiance_[p] /= seen[p];
  }

  /// f(sighting, tone, radiance) for all, image by image.
  template <class F>
  void for_each(const std::vector<double>& unknowns, const std::vector<double>& log2_radiance, F f) const {
    int image = -1;
    ToneParams<double> tone;
    for (const LightSighting& sighting : problem_.sightings) {
      if (sighting.image != image) tone = tone_of(problem_, at_, unknowns, image = sighting.image);
      Vec3<double> radiance;
      for (int c = 0; c < 3; ++c) radiance[c] = std::exp2(log2_radiance[static_cast<size_t>(3 * sighting.point + c)]);
      f(sighting, tone, radiance);
    }
  }

  static bool counts(double value) { return value > darkest && value < brightest; }

  template <class F>
  void for_each_residual(const std::vector<double>& unknowns, const std::vector<double>& log2_radiance, F f) const {
    for_each(unknowns, log2_radiance, [&](const LightSighting& sighting, const ToneParams<double>& tone, const Vec3<double>& radiance) {
      const Vec3<double> made = tone_map(tone, sighting.position, ToneMode::training, radiance);
      for (int c = 0; c < 3; ++c)
        if (counts(sighting.value[c])) f(sighting.value[c] - made[c]);
    });
  }

  double median_error(const std::vector<double>& unknowns, const std::vector<double>& log2_radiance) const {
    std::vector<double> errors;
    for_each_residual(unknowns, log2_radiance, [&](double residual) { errors.push_back(std::abs(residual)); });
    return errors.empty() ? 0 : quantile(std::move(errors), 0.5);
  }

  /// The negative logarithm of the posterior, but for a factor: normal distributions, but Cauchy's for the values.
  double cost_of(const std::vector<double>& unknowns, const std::vector<double>& log2_radiance) const {
    double cost = 0;
    for_each_residual(unknowns, log2_radiance, [&](double residual) { cost += value_share * std::log1p(residual * residual / (scale_ * scale_)); });
    for (size_t i = 0; i < unknowns.size(); ++i) cost += precision_[i] * (unknowns[i] - given_[i]) * (unknowns[i] - given_[i]);
    for_each_belief([&](std::initializer_list<std::pair<int, double>> terms, double deviation) {
      double sum = 0;
      for (const auto& [index, factor] : terms) sum += factor * change(unknowns, index);
      cost += sum * sum / (deviation * deviation);
    });
    for (const double log2 : log2_radiance) cost += log2 * log2 / (point_log2 * point_log2);
    return cost;
  }

  double change(const std::vector<double>& unknowns, int index) const {
    return unknowns[static_cast<size_t>(index)] - given_[static_cast<size_t>(index)];
  }

  /// f({{unknown, factor}, …}, standard deviation): sums of changes that are believed to be near 0. Responses change smoothly, and alike in
  /// all channels.
  template <class F>
  void for_each_belief(F f) const {
    using Terms = std::initializer_list<std::pair<int, double>>;
    for (int k = 0; k < at_.cameras; ++k)
      for (int j = 0; j < response_samples; ++j)
        for (int c = 0; c < 3; ++c) {
          if (j > 0 && j + 1 < response_samples) {
            const int before = at_.response(k, c, j - 1), here = at_.response(k, c, j), after = at_.response(k, c, j + 1);
            const auto at_first = [&](int index) { return given_[static_cast<size_t>(index)]; };
            const double bend = std::abs(at_first(here) - (at_first(before) + at_first(after)) / 2);
            f(Terms{{before, -0.5}, {here, 1.0}, {after, -0.5}}, response_bend + bend_share * bend);
          }
          f(Terms{{at_.response(k, c, j), 1.0}, {at_.response(k, (c + 1) % 3, j), -1.0}}, between_channels);
        }
  }

  std::vector<Row> linearised() const {
    std::vector<Row> rows;
    for_each(unknowns_, log2_radiance_, [&](const LightSighting& sighting, const ToneParams<double>& tone, const Vec3<double>& radiance) {
      const Vec3<double> made = tone_map(tone, sighting.position, ToneMode::training, radiance);
      const int camera = problem_.images[static_cast<size_t>(sighting.image)].camera;
      for (int c = 0; c < 3; ++c) {
        if (!counts(sighting.value[c])) continue;
        Vec3<double> channel(0);
        channel[c] = 1;
        ToneGradient by{};
        by.white_balance[0] = by.white_balance[1] = 0;  // sums begin at nothing, gains at 1
        const Vec3<double> by_radiance = tone_map_backward(tone, sighting.position, ToneMode::training, radiance, channel, by);
        Row row;
        row.point = 3 * sighting.point + c;
        row.residual = sighting.value[c] - made[c];
        row.by_log2_radiance = by_radiance[c] * radiance[c] * ln2;
        row.add(at_.image(sighting.image), by.exposure_ev);
        for (int k = 0; k < 2; ++k) row.add(at_.image(sighting.image) + 1 + k, by.white_balance[k]);
        for (int k = 0; k < 5; ++k) row.add(at_.camera(camera) + k, by.vignette[k]);
        for (int j = 0; j < response_samples; ++j) row.add(at_.response(camera, c, j), by.response[c][j]);
        rows.push_back(row);
      }
    });
    // Each point's together; within, the order of the images.
    std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.point < b.point; });
    return rows;
  }

  double weight_of(double residual) const { return value_share / (scale_ * scale_ + residual * residual); }

  /// Of one point's rows: Σ w J_ρ², Σ w J_ρ r (with the prior), and Σ w J_ρ J over its unknowns.
  struct PointSums {
    int point = 0;  ///< as a Row has it
    double square = 0, residual = 0;
    std::vector<std::pair<int, double>> cross;
  };
  PointSums sums_of(const Row* first, const Row* last, double damping) const {
    PointSums sums;
    sums.point = first->point;
    for (const Row* row = first; row != last; ++row) {
      const double weighted = weight_of(row->residual) * row->by_log2_radiance;
      sums.square += weighted * row->by_log2_radiance;
      sums.residual += weighted * row->residual;
      for (int k = 0; k < row->count; ++k)
        sums.cross.emplace_back(row->unknown[static_cast<size_t>(k)], weighted * row->by[static_cast<size_t>(k)]);
    }
    std::stable_sort(sums.cross.begin(), sums.cross.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    size_t kept = 0;
    for (size_t i = 1; i < sums.cross.size(); ++i)
      if (sums.cross[i].first == sums.cross[kept].first)
        sums.cross[kept].second += sums.cross[i].second;
      else
        sums.cross[++kept] = sums.cross[i];
    if (!sums.cross.empty()) sums.cross.resize(kept + 1);
    sums.square += damping * sums.square + 1 / (point_log2 * point_log2);
    sums.residual -= log2_radiance_[static_cast<size_t>(first->point)] / (point_log2 * point_log2);
    return sums;
  }

  template <class F>
  static void for_each_point(const std::vector<Row>& rows, F f) {
    for (size_t first = 0, last; first < rows.size(); first = last) {
      for (last = first; last < rows.size() && rows[last].point == rows[first].point; ++last) {
      }
      f(rows.data() + first, rows.data() + last);
    }
  }

  /// Moves the unknowns and the radiances; false where more damping is needed.
  bool take_step(const std::vector<Row>& rows, double damping, std::vector<double>& unknowns, std::vector<double>& log2_radiance) const {
    const int64_t size = at_.size();
    torch::Tensor matrix = torch::zeros({size, size}, torch::kDouble), right = torch::zeros({size, 1}, torch::kDouble);
    double* a = matrix.mutable_data_ptr<double>();
    double* b = right.mutable_data_ptr<double>();
    for (const Row& row : rows) {
      const double weight = weight_of(row.residual);
      for (int k = 0; k < row.count; ++k) {
        const double weighted = weight * row.by[static_cast<size_t>(k)];
        const int64_t from = row.unknown[static_cast<size_t>(k)];
        b[from] += weighted * row.residual;
        for (int m = 0; m < row.count; ++m) a[from * size + row.unknown[static_cast<size_t>(m)]] += weighted * row.by[static_cast<size_t>(m)];
      }
    }
    for (int64_t i = 0; i < size; ++i) a[i * size + i] *= 1 + damping;
    std::vector<PointSums> points;
    for_each_point(rows, [&](const Row* first, const Row* last) { points.push_back(sums_of(first, last, damping)); });
    for (const PointSums& sums : points)
      for (const auto& [i, x] : sums.cross) {
        b[i] -= x * sums.residual / sums.square;
        for (const auto& [j, y] : sums.cross) a[i * size + j] -= x * y / sums.square;
      }
    for (int64_t i = 0; i < size; ++i) {
      const double precision = precision_[static_cast<size_t>(i)];
      a[i * size + i] += precision;
      b[i] -= precision * change(unknowns, static_cast<int>(i));
    }
    for_each_belief([&](std::initializer_list<std::pair<int, double>> terms, double deviation) {
      const double precision = 1 / (deviation * deviation);
      double sum = 0;
      for (const auto& [index, factor] : terms) sum += factor * change(unknowns, index);
      for (const auto& [i, x] : terms) {
        b[i] -= precision * x * sum;
        for (const auto& [j, y] : terms) a[i * size + j] += precision * x * y;
      }
    });
    const auto [factor, info] = torch::linalg_cholesky_ex(matrix);
    if (info.item<int>() != 0) return false;  // not positive definite
    const torch::Tensor solved = torch::cholesky_solve(right, factor).contiguous();
    const double* step = solved.const_data_ptr<double>();
    for (size_t i = 0; i < unknowns.size(); ++i) unknowns[i] += step[i];
    for (const PointSums& sums : points) {
      double left = sums.residual;
      for (const auto& [i, x] : sums.cross) left -= x * step[i];
      log2_radiance[static_cast<size_t>(sums.point)] += std::clamp(left / sums.square, -2.0, 2.0);
    }
    return true;
  }

  /// A step of the radiances alone: the formula is not linear in both together, and the response has corners.
  void fit_radiance(const std::vector<double>& unknowns, std::vector<double>& log2_radiance) const {
    std::vector<double> square(log2_radiance.size(), 1 / (point_log2 * point_log2)), right(log2_radiance.size(), 0);
    for (size_t p = 0; p < right.size(); ++p) right[p] = -log2_radiance[p] * square[p];
    for_each(unknowns, log2_radiance, [&](const LightSighting& sighting, const ToneParams<double>& tone, const Vec3<double>& radiance) {
      const Vec3<double> made = tone_map(tone, sighting.position, ToneMode::training, radiance);
      ToneGradient unused{};
      const Vec3<double> by_radiance = tone_map_backward(tone, sighting.position, ToneMode::training, radiance, Vec3<double>(1), unused);
      for (int c = 0; c < 3; ++c) {
        if (!counts(sighting.value[c])) continue;
        const double residual = sighting.value[c] - made[c], by = by_radiance[c] * radiance[c] * ln2;
        const double weight = weight_of(residual);
        square[static_cast<size_t>(3 * sighting.point + c)] += weight * by * by;
        right[static_cast<size_t>(3 * sighting.point + c)] += weight * by * residual;
      }
    });
    for (size_t p = 0; p < right.size(); ++p) log2_radiance[p] += std::clamp(right[p] / square[p], -1.0, 1.0);
  }

  void fill(LightSolution& solution) const {
    double shift = 0, tint[2] = {};
    for (int i = 0; i < at_.images; ++i) {
      shift += change(unknowns_, at_.image(i)) / at_.images;
      for (int k = 0; k < 2; ++k) tint[k] += std::log(unknowns_[static_cast<size_t>(at_.image(i) + 1 + k)]) / at_.images;
    }
    const auto rounded = [](double value) { return std::round(value * 65536) / 65536; };  // the last bits are the library's own
    for (int i = 0; i < at_.images; ++i) {
      const double* of_image = &unknowns_[static_cast<size_t>(at_.image(i))];
      solution.exposure_ev.push_back(rounded(of_image[0] - shift));
      solution.white_balance.push_back({rounded(of_image[1] / std::exp(tint[0])), rounded(of_image[2] / std::exp(tint[1]))});
    }
    for (int k = 0; k < at_.cameras; ++k) {
      FittedTone<double> tone;
      const double* of_camera = &unknowns_[static_cast<size_t>(at_.camera(k))];
      std::transform(of_camera, of_camera + 5, tone.vignette, rounded);
      std::transform(of_camera + 5, of_camera + per_camera, &tone.response[0][0], rounded);
      for (int c = 0; c < 3; ++c) tone.response[c][middle] = given_[static_cast<size_t>(at_.response(k, c, middle))];
      solution.camera.push_back(tone);
    }
  }

  const LightProblem& problem_;
  Layout at_;
  std::vector<double> unknowns_, given_, precision_;
  std::vector<double> log2_radiance_;  ///< [points, 3]
  double scale_ = least_noise;         ///< of errors that are still ordinary
};

}  // namespace

LightSolution solve_light(const LightProblem& problem) { return Solver(problem).solve(); }

}  // namespace ptl
