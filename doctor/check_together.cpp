// Images with several faults: better left to the held-out ones, or away.
#include <fmt/format.h>

#include <map>
#include <set>

#include "doctor/checks.h"

namespace ptl::doctor {

void check_together(const Evidence& evidence, Diagnosis& diagnosis) {
  std::map<int, std::set<std::string>> faults;
  for (const Finding& finding : diagnosis.findings) {
    if (finding.severity == Severity::note || 2 * finding.images.size() > evidence.images()) continue;
    for (const Mention& mention : finding.images) faults[mention.image].insert(finding.check);
  }
  Finding several =
      finding("several_faults", Severity::note, "", "each of these photos spoils its surroundings in more than one way",
              "hold them out of the fit: write their names into a file, one a line, for --split FILE");
  for (const auto& [image, checks] : faults) {
    if (checks.size() < 2) continue;
    std::string list;
    for (const std::string& check : checks) list += (list.empty() ? "" : ", ") + check;
    several.images.push_back({image, list, {}});
  }
  several.what = photos_have(several.images.size()) + " several faults";
  report_images(diagnosis, std::move(several));
}

}  // namespace ptl::doctor
