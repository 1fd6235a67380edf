// Inner parts of config_io.h: values as text.
#pragma once

#include <string>
#include <vector>

#include "renderer/config_io.h"

namespace ptl::config_detail {

/// A value as TOML writes it; numbers with the fewest digits that read back to the same double.
std::string value_text(const ConfigValue& value);

/// One TOML value; InputError says what `field` takes.
ConfigValue parse_value(const std::string& text, const ConfigField& field, const std::string& where);

/// "; did you mean a, b?" or nothing.
std::string suggestion(const std::string& word, const std::vector<std::string>& candidates);

/// The field of this key; InputError names near ones.
ConfigField& find_field(ConfigFields& fields, const std::string& key, const std::string& where);

}  // namespace ptl::config_detail
