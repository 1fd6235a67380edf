// Parts of the page of a diagnosis, as markup.
#pragma once

#include <string>
#include <vector>

#include "doctor/examine.h"

namespace ptl::doctor {

/// The worst severity that each image is concerned by: −1 none, else the number of the Severity.
std::vector<int> worst_by_image(const Examination& examination);

/// Cameras and points seen from above, as SVG: up is the mean of the cameras' own. Cameras beyond the plan stand at its
/// border; points of findings are ringed.
std::string plan_svg(const Examination& examination);

/// The photo of a mention, small, with its marks; a grey field where it could not be read.
std::string shot(const Examination& examination, const Mention& mention);

/// How often a figure has which values, as SVG; bars say which images they hold.
std::string histogram(const Examination& examination, const ImageFigure& figure);

inline constexpr const char* severity_class[] = {"note", "harmful", "severe"};

}  // namespace ptl::doctor
