// Configuration: one `visit` per struct feeds TOML reading and writing, --set, reports and comparisons.
//
//   enum class Kind { adam, sgd };
//   std::vector<std::string> enum_names(Kind*);            // beside the enum, in its order from 0: {"adam", "sgd"}
//
//   struct GroupConfig {
//     double rate = 1e-3;
//     Kind kind = Kind::adam;
//     template <class V> void visit(V&& v) {
//       v("rate", rate, "1", "learning rate (method section 9)");
//       v("kind", kind, "", "optimiser");
//     }
//   };
//   struct FitConfig {
//     int64_t steps = 0;
//     GroupConfig network;
//     template <class V> void visit(V&& v) {
//       v("steps", steps, "steps", "length of the fit");
//       v.group("network", network, "the neural renderer");
//     }
//     void check() const;                                    // ranges; stays with the struct
//   };
//
//   FitConfig config;
//   read_toml(path, config);  apply_setting("network.rate=2e-4", config);  config.check();
//   write_toml(path, config); flat_json(config); differences(stored, config);
//
// Field types: bool, int, int64_t, float, double, std::string, an enum with enum_names, std::vector<double>.
// Keys are written group.subgroup.key in every message, on the command line and in flat JSON.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace ptl {

/// A field's value without its C++ width: what files and messages hold. Enums are their names.
using ConfigValue = std::variant<bool, int64_t, double, std::string, std::vector<double>>;

/// One field of a visited struct.
struct ConfigField {
  std::string key;                  ///< "group.key"
  std::string unit;                 ///< empty: none
  std::string help;
  std::string type;                 ///< for messages: "true or false", "a whole number", "one of adam, sgd", …
  std::vector<std::string> choices; ///< of an enum, otherwise empty
  ConfigValue value;                ///< at the time of listing
  std::function<void(const ConfigValue&, const std::string& where)> assign;  ///< writes to the struct; InputError
};

/// A group's name and help, for the headings of a written file.
struct ConfigGroup {
  std::string key;
  std::string help;
};

/// All fields of a struct in the order of its visit(). `assign` holds references into the struct.
struct ConfigFields {
  std::vector<ConfigField> fields;
  std::vector<ConfigGroup> groups;
};

/// One difference between two configurations.
struct ConfigDifference {
  std::string key;
  std::string first, second;        ///< the values as TOML writes them
};

namespace config_detail {

bool to_bool(const ConfigValue& value, const std::string& key, const std::string& where);
int64_t to_integer(const ConfigValue& value, const std::string& key, const std::string& where, int64_t low,
                   int64_t high);
double to_real(const ConfigValue& value, const std::string& key, const std::string& where, bool single_precision);
std::string to_text(const ConfigValue& value, const std::string& key, const std::string& where);
std::vector<double> to_list(const ConfigValue& value, const std::string& key, const std::string& where);
int64_t to_choice(const ConfigValue& value, const std::string& key, const std::string& where,
                  const std::vector<std::string>& choices);
/// A float as the shortest decimal that reads back to it, as a double (so that 0.1f is written 0.1).
double shortest_double(float value);

template <class T>
constexpr bool is_field_type = std::is_same_v<T, bool> || std::is_same_v<T, int> || std::is_same_v<T, int64_t> ||
                               std::is_same_v<T, float> || std::is_same_v<T, double> ||
                               std::is_same_v<T, std::string> || std::is_same_v<T, std::vector<double>> ||
                               std::is_enum_v<T>;

/// The visitor that lists fields.
class Lister {
 public:
  Lister(ConfigFields& out, std::string prefix) : out_(out), prefix_(std::move(prefix)) {}

  template <class T>
  void operator()(const char* name, T& field, const char* unit, const char* help) {
    static_assert(is_field_type<T>, "configuration fields are bool, int, int64_t, float, double, std::string, an enum "
                                    "or std::vector<double>");
    ConfigField entry;
    entry.key = prefix_ + name;
    entry.unit = unit;
    entry.help = help;
    const std::string key = entry.key;
    if constexpr (std::is_same_v<T, bool>) {
      entry.type = "true or false";
      entry.value = field;
      entry.assign = [&field, key](const ConfigValue& v, const std::string& where) { field = to_bool(v, key, where); };
    } else if constexpr (std::is_same_v<T, int> || std::is_same_v<T, int64_t>) {
      entry.type = "a whole number";
      entry.value = static_cast<int64_t>(field);
      entry.assign = [&field, key](const ConfigValue& v, const std::string& where) {
        field = static_cast<T>(
            to_integer(v, key, where, std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
      };
    } else if constexpr (std::is_floating_point_v<T>) {
      entry.type = "a number";
      if constexpr (std::is_same_v<T, float>)
        entry.value = shortest_double(field);
      else
        entry.value = field;
      entry.assign = [&field, key](const ConfigValue& v, const std::string& where) {
        field = static_cast<T>(to_real(v, key, where, std::is_same_v<T, float>));
      };
    } else if constexpr (std::is_same_v<T, std::string>) {
      entry.type = "a text";
      entry.value = field;
      entry.assign = [&field, key](const ConfigValue& v, const std::string& where) { field = to_text(v, key, where); };
    } else if constexpr (std::is_same_v<T, std::vector<double>>) {
      entry.type = "a list of numbers";
      entry.value = field;
      entry.assign = [&field, key](const ConfigValue& v, const std::string& where) { field = to_list(v, key, where); };
    } else {
      entry.choices = enum_names(static_cast<T*>(nullptr));
      entry.type = "one of";
      for (size_t i = 0; i < entry.choices.size(); ++i) entry.type += (i ? ", " : " ") + entry.choices[i];
      entry.value = entry.choices.at(static_cast<size_t>(field));
      entry.assign = [&field, key, choices = entry.choices](const ConfigValue& v, const std::string& where) {
        field = static_cast<T>(to_choice(v, key, where, choices));
      };
    }
    out_.fields.push_back(std::move(entry));
  }

  template <class T>
  void group(const char* name, T& config, const char* help = "") {
    out_.groups.push_back({prefix_ + name, help});
    Lister inner(out_, prefix_ + name + ".");
    config.visit(inner);
  }

 private:
  ConfigFields& out_;
  std::string prefix_;
};

void read_toml_file(const std::filesystem::path& path, ConfigFields& fields);
void read_toml_text(std::string_view text, const std::string& name, ConfigFields& fields);
void apply_setting_text(std::string_view setting, ConfigFields& fields);
std::string toml_text(const ConfigFields& fields);
nlohmann::ordered_json flat_json_of(const ConfigFields& fields);
std::vector<ConfigDifference> differences_of(const ConfigFields& first, const ConfigFields& second);
void write_text(const std::filesystem::path& path, const std::string& text);

}  // namespace config_detail

/// The fields of `config`, with references into it: it must outlive the result.
template <class Config>
ConfigFields list_fields(Config& config) {
  ConfigFields out;
  config_detail::Lister lister(out, "");
  config.visit(lister);
  return out;
}

/// Sets the fields that the file names; others keep their values. An unknown key, a value of another type or a key
/// given twice is an InputError with file, line, key and what was expected. All or nothing: `config` is unchanged then.
template <class Config>
void read_toml(const std::filesystem::path& path, Config& config) {
  Config copy = config;
  ConfigFields fields = list_fields(copy);
  config_detail::read_toml_file(path, fields);
  config = copy;
}

/// The same from text; `name` stands for the file in messages.
template <class Config>
void read_toml_string(std::string_view text, const std::string& name, Config& config) {
  Config copy = config;
  ConfigFields fields = list_fields(copy);
  config_detail::read_toml_text(text, name, fields);
  config = copy;
}

/// The whole configuration as TOML, each key with its unit and help as a comment. Reads back to the same values.
template <class Config>
std::string to_toml(const Config& config) {
  Config copy = config;
  return config_detail::toml_text(list_fields(copy));
}

/// to_toml, written atomically.
template <class Config>
void write_toml(const std::filesystem::path& path, const Config& config) {
  config_detail::write_text(path, to_toml(config));
}

/// Applies one `--set group.key=value`. The value is TOML, or a bare word for texts and enums, or numbers with commas
/// for a list. InputError names the option, the key, what was expected, and near keys.
template <class Config>
void apply_setting(std::string_view setting, Config& config) {
  Config copy = config;
  ConfigFields fields = list_fields(copy);
  config_detail::apply_setting_text(setting, fields);
  config = copy;
}

/// {"group.key": value, …} in the order of visit().
template <class Config>
nlohmann::ordered_json flat_json(const Config& config) {
  Config copy = config;
  return config_detail::flat_json_of(list_fields(copy));
}

/// The fields in which two configurations of one type differ, in the order of visit().
template <class Config>
std::vector<ConfigDifference> differences(const Config& first, const Config& second) {
  Config first_copy = first, second_copy = second;
  return config_detail::differences_of(list_fields(first_copy), list_fields(second_copy));
}

}  // namespace ptl
