// Everything that the checks look at, gathered once.
#pragma once

#include <string>
#include <vector>

#include "datasets/scene.h"
#include "datasets/split.h"
#include "doctor/finding.h"
#include "doctor/photo_look.h"
#include "doctor/sightings.h"

namespace ptl::doctor {

struct Evidence {
  const Scene& scene;
  std::vector<std::string> refusals;  ///< what a fit would refuse, in its own words
  Split split;
  std::vector<PhotoLook> photos;  ///< one an image
  bool pixels = true;             ///< photos were decoded; off: --quick
  Sightings sightings;
  std::vector<Vec3<double>> centres;  ///< of the cameras, scene coordinates

  size_t images() const { return scene.images.size(); }
  const std::string& name(size_t image) const { return scene.images[image].name; }
};

/// A finding without images yet.
inline Finding finding(const char* check, Severity severity, std::string what, std::string shows, std::string remedy) {
  Finding result;
  result.check = check;
  result.severity = severity;
  result.what = std::move(what);
  result.shows = std::move(shows);
  result.remedy = std::move(remedy);
  return result;
}

/// Adds it where it is about anything.
inline void report_images(Diagnosis& diagnosis, Finding finding) {
  if (!finding.images.empty()) diagnosis.findings.push_back(std::move(finding));
}

/// "1 photo is", "3 photos are".
inline std::string photos_are(size_t count) {
  return std::to_string(count) + (count == 1 ? " photo is" : " photos are");
}
inline std::string photos_have(size_t count) {
  return std::to_string(count) + (count == 1 ? " photo has" : " photos have");
}

}  // namespace ptl::doctor
