// The page of a diagnosis: one HTML file that needs nothing else.
#pragma once

#include <string>

#include "doctor/examine.h"

namespace ptl::doctor {

/// Findings with small copies of the photos concerned and marks on them, a plan of cameras and points seen from above,
/// histograms, a table of all images.
std::string page_html(const Examination& examination);

}  // namespace ptl::doctor
