// Means, spreads and intervals of few values.
#pragma once

#include <optional>
#include <vector>

namespace ptl::research {

struct Estimate {
  double mean = 0;
  std::optional<double> deviation;  ///< of the sample (n − 1); from two values on
  int count = 0;
};

/// Of one value or more.
Estimate estimate(const std::vector<double>& values);

/// Half the width of Student's interval of 95 % is this times deviation/√n; degrees of freedom n − 1 ≥ 1. Exact to
/// three digits up to 30, and for more the value of the next smaller tabulated number (40, 60, 120): never too narrow.
double student_t_975(int degrees_of_freedom);

/// Mean of paired differences with its interval of 95 % (Student); no interval from one pair.
struct PairedDifference {
  double mean = 0;
  std::optional<double> half_width;
  int pairs = 0;
  /// The interval does not hold 0.
  bool is_clear() const;
};
PairedDifference paired_difference(const std::vector<double>& differences);

}  // namespace ptl::research
