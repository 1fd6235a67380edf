#include "datasets/html_text.h"

#include <cstdint>

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

}  // namespace ptl::html
