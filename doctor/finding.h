// What the doctor says: findings, and the figures of each image that they rest on. Plain data.
#pragma once

#include <string>
#include <vector>

namespace ptl::doctor {

enum class Severity {
  note,     ///< true, and good to know; a fit does not suffer
  harmful,  ///< pictures get worse where it is; a fit is still worth its time
  severe,   ///< a fit is refused, or spends its time on a falsehood: mend it first
};

/// Something to draw over a photo, in shares of its width and height. A dot where both ends are the same.
struct Mark {
  float x = 0, y = 0, to_x = 0, to_y = 0;
};

/// An image that a finding is about.
struct Mention {
  int image = 0;       ///< index into Scene::images
  std::string detail;  ///< what was measured there, short
  std::vector<Mark> marks;
};

struct Finding {
  std::string check;  ///< a word for programs: "swapped_photos"
  Severity severity = Severity::note;
  std::string what;   ///< one sentence
  std::string where;  ///< beside the images: points, files, cameras; may be empty
  std::string shows;  ///< how it shows in pictures
  std::string remedy;
  std::vector<Mention> images;
  std::vector<size_t> points;  ///< indices into the cloud, a few of them: for the plan
};

/// One number of every image, for histograms and the table. NaN: not known.
struct ImageFigure {
  std::string name;  ///< "reprojection error"
  std::string unit;  ///< "px"
  std::vector<double> value;
};

/// What a preset will need on this machine: made by whoever knows the presets (the command, with LibTorch).
struct PresetNeed {
  std::string preset, memory, time, remark;
};

struct Diagnosis {
  std::vector<Finding> findings;  ///< most harmful first
  std::vector<ImageFigure> figures;
  std::vector<std::string> skipped;  ///< checks that could not be made, and why
  std::vector<PresetNeed> needs;
  double seconds = 0;

  bool fit_is_advisable() const { return findings.empty() || findings.front().severity != Severity::severe; }
};

/// "severe", "harmful", "note".
const char* severity_name(Severity severity);

/// Most harmful first: by severity, then by how many images are concerned; equals keep their order.
void sort_findings(std::vector<Finding>& findings);

}  // namespace ptl::doctor
