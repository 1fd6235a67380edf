// Building blocks of our HTML pages: numbers, tables, the frame of a page, and line charts as SVG.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/html_text.h"
#include "renderer/report.h"

namespace ptl::html {

/// Figures as every page shows them: "24.31", "0.8421", "n/a", "∞".
std::string psnr_text(double psnr_db);
std::string ssim_text(double ssim);
std::string lpips_text(const std::optional<double>& lpips);
std::string duration_text(double seconds);              ///< "4 min 58 s"
std::string count_text(long long count);                ///< "1 234 567" with narrow no-break spaces
std::string sizes_text(const std::vector<std::array<int, 2>>& sizes_px);  ///< "960 × 540" or "3 sizes, …"
std::string protocol_text(const EvalProtocol& protocol);  ///< "border full · exposure exif · …"

/// Two columns, for settings and versions.
std::string key_value_table(const ReportTable& rows);

/// A whole document: `body` between the style sheet and the script that all our pages share. `body` is markup.
std::string page(std::string_view title, std::string_view body);

/// Axes with ticks, labels and a legend; colours come from the page's style sheet. Series with many samples are drawn as
/// means over equal ranges of x.
std::string chart(const ReportChart& chart);

/// Tick positions at 1, 2 or 5 times a power of ten that cover [low, high], about `count` of them.
std::vector<double> ticks(double low, double high, int count);

}  // namespace ptl::html
