// What a figure's page says about the machine that it was measured on.
#pragma once

#include <string>

namespace ptl::research {

struct Machine {
  std::string host;
  std::string processor;  ///< model name as the system gives it
  int cores = 0;          ///< that this process may use
  double memory_gib = 0;
  std::string system;  ///< kernel and release
  /// Times are comparable between machines of the same text: "processor, cores, GiB".
  std::string text() const;
};

Machine this_machine();
std::string host_name();

/// Cores that are busy now, whoever keeps them so, looked at for `seconds`; 0 where the system does not say.
double busy_cores(double seconds);

/// Now in UTC: "2026-01-31T12:00:00Z".
std::string timestamp();

}  // namespace ptl::research
