// The only file of renderer/ that sees toml++.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <iterator>
#include <toml++/toml.h>

#include "datasets/error.h"
#include "renderer/config_io.h"
#include "renderer/config_text.h"

namespace ptl::config_detail {
namespace {

std::string place(const std::string& file, const toml::source_region& source) {
  return fmt::format("{}, line {}", file, source.begin.line);
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      (out += '\\') += c;
    else if (byte < 0x20 || byte == 0x7f)
      out += fmt::format("\\u{:04x}", byte);
    else
      out += c;
  }
  return out + "\"";
}

std::string number_text(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  char buffer[48];
  const auto written = std::to_chars(buffer, buffer + sizeof buffer, value);
  std::string text(buffer, written.ptr);
  // TOML tells 1 and 1.0 apart.
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

ConfigValue value_of(const toml::node& node, const std::string& key, const std::string& where) {
  if (const auto* flag = node.as_boolean()) return flag->get();
  if (const auto* whole = node.as_integer()) return whole->get();
  if (const auto* real = node.as_floating_point()) return real->get();
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* array = node.as_array()) {
    std::vector<double> list;
    for (const toml::node& element : *array) {
      const auto number = element.value<double>();
      if (!number || !element.is_number())
        throw InputError("{}: {}: expected a list of numbers, found something else in it", where, key);
      list.push_back(*number);
    }
    return list;
  }
  throw InputError("{}: {}: expected a number, a text, true, false or a list of numbers", where, key);
}

void assign_table(const toml::table& table, const std::string& prefix, const std::string& file, ConfigFields& fields) {
  for (const auto& [name, node] : table) {
    const std::string key = prefix + std::string(name.str());
    const std::string where = place(file, name.source());
    if (const toml::table* inner = node.as_table()) {
      const auto is_group = [&](const ConfigGroup& group) { return group.key == key; };
      if (std::any_of(fields.groups.begin(), fields.groups.end(), is_group)) {
        assign_table(*inner, key + ".", file, fields);
        continue;
      }
      std::vector<std::string> groups;
      for (const ConfigGroup& group : fields.groups) groups.push_back(group.key);
      throw InputError("{}: there is no group {}{}", where, key, suggestion(key, groups));
    }
    ConfigField& field = find_field(fields, key, where);
    field.assign(value_of(node, key, where), where);
  }
}

}  // namespace

std::string value_text(const ConfigValue& value) {
  if (const bool* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const int64_t* whole = std::get_if<int64_t>(&value)) return std::to_string(*whole);
  if (const double* real = std::get_if<double>(&value)) return number_text(*real);
  if (const std::string* text = std::get_if<std::string>(&value)) return quoted(*text);
  std::string out = "[";
  const auto& list = std::get<std::vector<double>>(value);
  for (size_t i = 0; i < list.size(); ++i) out += (i ? ", " : "") + number_text(list[i]);
  return out + "]";
}

ConfigValue parse_value(const std::string& text, const ConfigField& field, const std::string& where) {
  const InputError wrong("{}: {}: expected {}, found {}", where, field.key, field.type,
                         text.empty() ? "nothing" : text);
  if (text.empty() || text.find('\n') != std::string::npos) throw wrong;
  try {
    const toml::table table = toml::parse("value = " + text);
    const toml::node* node = table.get("value");
    if (table.size() != 1 || !node) throw wrong;
    return value_of(*node, field.key, where);
  } catch (const toml::parse_error&) {
    throw wrong;
  }
}

void read_toml_text(std::string_view text, const std::string& name, ConfigFields& fields) {
  try {
    assign_table(toml::parse(text, name), "", name, fields);
  } catch (const toml::parse_error& error) {
    throw InputError("{}: not valid TOML: {}", place(name, error.source()), std::string(error.description()));
  }
}

void read_toml_file(const std::filesystem::path& path, ConfigFields& fields) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) throw InputError("{}: no such file", path.string());
  if (!std::filesystem::is_regular_file(path, error)) throw InputError("{}: expected a TOML file", path.string());
  std::ifstream in(path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (!in) throw InputError("{}: cannot be read", path.string());
  read_toml_text(text, path.string(), fields);
}

std::string toml_text(const ConfigFields& fields) {
  const auto group_of = [](const std::string& key) {
    const size_t dot = key.rfind('.');
    return dot == std::string::npos ? std::string() : key.substr(0, dot);
  };
  std::string out;
  const auto write_group = [&](const std::string& group) {
    for (const ConfigField& field : fields.fields) {
      if (group_of(field.key) != group) continue;
      std::string comment = field.help;
      if (!field.choices.empty()) comment += (comment.empty() ? "" : "; ") + field.type;
      if (!field.unit.empty() && field.unit != "1") comment += (comment.empty() ? "[" : " [") + field.unit + "]";
      if (!comment.empty()) out += "# " + comment + "\n";
      out += field.key.substr(group.empty() ? 0 : group.size() + 1) + " = " + value_text(field.value) + "\n";
    }
  };
  // Keys without a group must stand before the first heading.
  write_group("");
  for (const ConfigGroup& group : fields.groups) {
    if (!out.empty()) out += "\n";
    if (!group.help.empty()) out += "# " + group.help + "\n";
    out += "[" + group.key + "]\n";
    write_group(group.key);
  }
  return out;
}

}  // namespace ptl::config_detail
