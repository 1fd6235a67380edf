#include "doctor/finding.h"

#include <algorithm>

namespace ptl::doctor {

const char* severity_name(Severity severity) {
  switch (severity) {
    case Severity::severe:
      return "severe";
    case Severity::harmful:
      return "harmful";
    case Severity::note:
      break;
  }
  return "note";
}

void sort_findings(std::vector<Finding>& findings) {
  std::stable_sort(findings.begin(), findings.end(), [](const Finding& a, const Finding& b) {
    if (a.severity != b.severity) return a.severity > b.severity;
    return a.images.size() > b.images.size();
  });
}

}  // namespace ptl::doctor
