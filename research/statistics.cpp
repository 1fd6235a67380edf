#include "research/statistics.h"

#include <array>
#include <cmath>

namespace ptl::research {

Estimate estimate(const std::vector<double>& values) {
  Estimate result;
  result.count = static_cast<int>(values.size());
  const auto n = static_cast<double>(values.size());
  for (const double value : values) result.mean += value / n;
  if (values.size() < 2) return result;
  double squares = 0;
  for (const double value : values) squares += (value - result.mean) * (value - result.mean);
  result.deviation = std::sqrt(squares / (n - 1));
  return result;
}

double student_t_975(int degrees_of_freedom) {
  // Abramowitz and Stegun, table 26.10.
  static constexpr std::array<double, 30> exact = {
      12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
      2.120,  2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042};
  if (degrees_of_freedom <= 30) return exact[static_cast<size_t>(degrees_of_freedom < 1 ? 0 : degrees_of_freedom - 1)];
  return degrees_of_freedom < 40 ? 2.042 : degrees_of_freedom < 60 ? 2.021 : degrees_of_freedom < 120 ? 2.000 : 1.980;
}

bool PairedDifference::is_clear() const {
  return half_width && std::fabs(mean) > *half_width;
}

PairedDifference paired_difference(const std::vector<double>& differences) {
  const Estimate of = estimate(differences);
  PairedDifference result{of.mean, std::nullopt, of.count};
  if (of.deviation)
    result.half_width = student_t_975(of.count - 1) * *of.deviation / std::sqrt(static_cast<double>(of.count));
  return result;
}

}  // namespace ptl::research
