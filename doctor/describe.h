// A diagnosis for the terminal and for programs.
#pragma once

#include <string>

#include "doctor/examine.h"

namespace ptl::doctor {

/// Findings with where they are, how they show and what to do; what was skipped; whether a fit is advisable.
std::string describe_text(const Examination& examination);

/// The same with all images and their figures, as JSON: "scene", "fit_is_advisable", "findings" (check, severity, what,
/// where, shows, remedy, images with name and detail, points), "images" (name and figures; null: not known), "skipped",
/// "presets".
std::string describe_json(const Examination& examination);

/// "a fit is advisable", or why it is not.
std::string verdict(const Diagnosis& diagnosis);

}  // namespace ptl::doctor
