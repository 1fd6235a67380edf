#include "renderer/report_html.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstdint>

#include "renderer/report_style.h"

namespace ptl::html {

namespace {

/// Length of the UTF-8 sequence at the start of `text`; 0 when it is not one.
size_t sequence_length(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  size_t length = 0;
  uint32_t code = 0, least = 0;
  if (first < 0x80) return 1;
  if ((first & 0xe0) == 0xc0) length = 2, code = first & 0x1f, least = 0x80;
  else if ((first & 0xf0) == 0xe0) length = 3, code = first & 0x0f, least = 0x800;
  else if ((first & 0xf8) == 0xf0) length = 4, code = first & 0x07, least = 0x10000;
  else return 0;
  if (text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
    code = code << 6 | (byte(i) & 0x3f);
  }
  return code < least || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? 0 : length;
}

}  // namespace

std::string escape(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const size_t length = sequence_length(text);
    const char first = text[0];
    if (length == 0 || (length == 1 && (first < ' ' || first == 0x7f) && first != '\n' && first != '\t'))
      result += "\xEF\xBF\xBD";
    else if (first == '&') result += "&amp;";
    else if (first == '<') result += "&lt;";
    else if (first == '>') result += "&gt;";
    else if (first == '"') result += "&quot;";
    else if (first == '\'') result += "&#39;";
    else result += text.substr(0, length);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return result;
}

std::string data_uri(std::string_view bytes) {
  static constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string uri = bytes.starts_with("\x89PNG") ? "data:image/png;base64," : "data:image/jpeg;base64,";
  uri.reserve(uri.size() + bytes.size() * 4 / 3 + 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    for (size_t k = 0; k < 3; ++k)
      group = group << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    for (size_t k = 0; k < 4; ++k) uri += i + k > bytes.size() ? '=' : digits[group >> (18 - 6 * k) & 63];
  }
  return uri;
}

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
  return fmt::format("border {} · exposure {} · pose {} · split {}", protocol.border, protocol.exposure, protocol.pose,
                     protocol.split);
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
