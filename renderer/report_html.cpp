#include "renderer/report_html.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "renderer/report_style.h"

namespace ptl::html {

std::string psnr_text(double psnr_db) { return std::isinf(psnr_db) ? "∞" : fmt::format("{:.2f}", psnr_db); }

std::string ssim_text(double ssim) { return fmt::format("{:.4f}", ssim); }

std::string lpips_text(const std::optional<double>& lpips) { return lpips ? fmt::format("{:.4f}", *lpips) : "n/a"; }

std::string duration_text(double seconds) {
  if (!(seconds > 0)) return "0 s";
  if (seconds < 60) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<long long>(seconds + 0.5);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
}

std::string count_text(long long count) {
  std::string digits = std::to_string(count);
  const std::ptrdiff_t first = count < 0 ? 1 : 0;
  for (auto place = static_cast<std::ptrdiff_t>(digits.size()) - 3; place > first; place -= 3)
    digits.insert(static_cast<size_t>(place), "\xE2\x80\xAF");
  return digits;
}

std::string sizes_text(const std::vector<std::array<int, 2>>& sizes_px) {
  std::string text = sizes_px.size() > 1 ? fmt::format("{} sizes: ", sizes_px.size()) : "";
  for (size_t i = 0; i < sizes_px.size() && i < 3; ++i)
    text += fmt::format("{}{} × {}", i ? ", " : "", sizes_px[i][0], sizes_px[i][1]);
  return sizes_px.empty() ? "–" : sizes_px.size() > 3 ? text + ", …" : text;
}

std::string protocol_text(const EvalProtocol& protocol) {
  return fmt::format("border {} · exposure {} · pose {} · split {}{}", protocol.border, protocol.exposure, protocol.pose,
                     protocol.split, protocol.values == EvalProtocol().values ? "" : " · values " + protocol.values);
}

std::string key_value_table(const ReportTable& rows) {
  std::string markup = "<table class=\"pairs\"><tbody>";
  for (const auto& [key, value] : rows)
    markup += fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td></tr>", escape(key), escape(value));
  return markup + "</tbody></table>";
}

std::string page(std::string_view title, std::string_view body) {
  // The policy forbids the page to load anything: it stays what it was written as, whatever names it shows.
  return fmt::format(R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{}</title>
<style>
{}</style>
</head>
<body>
{}
<script>
{}</script>
</body>
</html>
)",
                     escape(title), style_sheet, body, script);
}

}  // namespace ptl::html
