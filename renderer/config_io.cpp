// Conversions between configuration values and fields, --set, and comparisons. TOML itself: config_toml.cpp.
#include "renderer/config_io.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "datasets/atomic_file.h"
#include "datasets/error.h"
#include "renderer/config_text.h"

namespace ptl::config_detail {

[[noreturn]] void wrong_type(const ConfigValue& value, const std::string& key, const std::string& where,
                             const std::string& expected) {
  throw InputError("{}: {}: expected {}, found {}", where, key, expected, value_text(value));
}

bool to_bool(const ConfigValue& value, const std::string& key, const std::string& where) {
  if (const bool* flag = std::get_if<bool>(&value)) return *flag;
  wrong_type(value, key, where, "true or false");
}

int64_t to_integer(const ConfigValue& value, const std::string& key, const std::string& where, int64_t low,
                   int64_t high) {
  int64_t number = 0;
  if (const int64_t* whole = std::get_if<int64_t>(&value)) {
    number = *whole;
  } else if (const double* real = std::get_if<double>(&value);
             real && std::floor(*real) == *real && std::abs(*real) <= 9007199254740992.0) {
    number = static_cast<int64_t>(*real);  // 1e5 is how people write large counts
  } else {
    wrong_type(value, key, where, "a whole number");
  }
  if (number < low || number > high)
    throw InputError("{}: {}: expected a whole number from {} to {}, found {}", where, key, low, high, number);
  return number;
}

double to_real(const ConfigValue& value, const std::string& key, const std::string& where, bool single_precision) {
  double number = 0;
  if (const double* real = std::get_if<double>(&value))
    number = *real;
  else if (const int64_t* whole = std::get_if<int64_t>(&value))
    number = static_cast<double>(*whole);
  else
    wrong_type(value, key, where, "a number");
  if (single_precision && std::isfinite(number) && std::abs(number) > std::numeric_limits<float>::max())
    throw InputError("{}: {}: {} is too large for a float", where, key, number);
  return number;
}

std::string to_text(const ConfigValue& value, const std::string& key, const std::string& where) {
  if (const std::string* text = std::get_if<std::string>(&value)) return *text;
  wrong_type(value, key, where, "a text");
}

std::vector<double> to_list(const ConfigValue& value, const std::string& key, const std::string& where) {
  if (const auto* list = std::get_if<std::vector<double>>(&value)) return *list;
  wrong_type(value, key, where, "a list of numbers, like [0.5, 1]");
}

int64_t to_choice(const ConfigValue& value, const std::string& key, const std::string& where,
                  const std::vector<std::string>& choices) {
  std::string expected = "one of";
  for (size_t i = 0; i < choices.size(); ++i) expected += (i ? ", " : " ") + choices[i];
  const std::string* text = std::get_if<std::string>(&value);
  if (!text) wrong_type(value, key, where, expected);
  for (size_t i = 0; i < choices.size(); ++i)
    if (*text == choices[i]) return static_cast<int64_t>(i);
  throw InputError("{}: {}: expected {}, found {}{}", where, key, expected, *text, suggestion(*text, choices));
}

double shortest_double(float value) {
  char text[48];
  const auto written = std::to_chars(text, text + sizeof text, value);
  double out = value;
  if (std::isfinite(value)) std::from_chars(text, written.ptr, out);
  return out;
}

std::string suggestion(const std::string& word, const std::vector<std::string>& candidates) {
  std::vector<std::pair<size_t, std::string>> near;
  for (const std::string& candidate : candidates) {
    // Levenshtein distance of the whole key, or of its last part where only that was given.
    const auto distance = [](std::string_view a, std::string_view b) {
      std::vector<size_t> row(b.size() + 1);
      for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
      for (size_t i = 1; i <= a.size(); ++i) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.size(); ++j) {
          const size_t changed = diagonal + (a[i - 1] != b[j - 1]);
          diagonal = row[j];
          row[j] = std::min({row[j] + 1, row[j - 1] + 1, changed});
        }
      }
      return row[b.size()];
    };
    const auto last_part = [](std::string_view key) { return key.substr(key.rfind('.') + 1); };
    size_t best = distance(word, candidate);
    const size_t limit = std::clamp<size_t>(word.size() / 3, 1, 3);
    const size_t tail = distance(last_part(word), last_part(candidate));
    if (tail <= std::max<size_t>(1, last_part(word).size() / 3)) best = std::min(best, tail + 1);
    if (best <= limit) near.emplace_back(best, candidate);
  }
  std::stable_sort(near.begin(), near.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  if (near.size() > 3) near.resize(3);
  std::string text;
  for (size_t i = 0; i < near.size(); ++i) text += (i ? ", " : "") + near[i].second;
  return text.empty() ? "" : "; did you mean " + text + "?";
}

ConfigField& find_field(ConfigFields& fields, const std::string& key, const std::string& where) {
  std::vector<std::string> keys;
  for (ConfigField& field : fields.fields) {
    if (field.key == key) return field;
    keys.push_back(field.key);
  }
  for (const ConfigGroup& group : fields.groups)
    if (group.key == key)
      throw InputError("{}: {} is a group of settings, give one of them, like {}.KEY", where, key, key);
  const std::string near = suggestion(key, keys);
  if (!near.empty()) throw InputError("{}: there is no setting {}{}", where, key, near);
  throw InputError("{}: there is no setting {}; a file written by a fit lists all of them", where, key);
}

void apply_setting_text(std::string_view setting, ConfigFields& fields) {
  const std::string where = "--set " + std::string(setting);
  const auto trim = [](std::string_view text) {
    const size_t begin = text.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return std::string();
    return std::string(text.substr(begin, text.find_last_not_of(" \t") - begin + 1));
  };
  const size_t equals = setting.find('=');
  const std::string key = trim(setting.substr(0, equals));
  if (equals == std::string_view::npos || key.empty())
    throw InputError("{}: expected group.key=value", where);
  ConfigField& field = find_field(fields, key, where);
  const std::string text = trim(setting.substr(equals + 1));
  // Texts and enums are taken as they stand; a list may come without its brackets.
  const bool is_word = std::holds_alternative<std::string>(field.value) && (text.empty() || text.front() != '"');
  const bool is_bare_list =
      std::holds_alternative<std::vector<double>>(field.value) && (text.empty() || text.front() != '[');
  if (is_word)
    field.assign(text, where);
  else
    field.assign(parse_value(is_bare_list ? "[" + text + "]" : text, field, where), where);
}

nlohmann::ordered_json flat_json_of(const ConfigFields& fields) {
  nlohmann::ordered_json out = nlohmann::ordered_json::object();
  for (const ConfigField& field : fields.fields)
    std::visit([&](const auto& value) { out[field.key] = value; }, field.value);
  return out;
}

std::vector<ConfigDifference> differences_of(const ConfigFields& first, const ConfigFields& second) {
  std::vector<ConfigDifference> out;
  for (const ConfigField& a : first.fields)
    for (const ConfigField& b : second.fields) {
      if (a.key != b.key) continue;
      // As text: NaN equals NaN there.
      const std::string text_a = value_text(a.value), text_b = value_text(b.value);
      if (text_a != text_b) out.push_back({a.key, text_a, text_b});
    }
  return out;
}

void write_text(const std::filesystem::path& path, const std::string& text) { write_file_atomically(path, text); }

}  // namespace ptl::config_detail
