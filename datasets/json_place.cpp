#include "datasets/json_place.h"

#include <cmath>
#include <cstring>
#include <fstream>

#include "datasets/error.h"

namespace ptl {

nlohmann::json read_json_file(const std::filesystem::path& file) {
  std::error_code error;
  if (std::filesystem::is_directory(file, error))
    throw InputError("{}: is a folder; expected a JSON file", file.string());
  std::ifstream stream(file, std::ios::binary);
  if (!stream)
    throw InputError("{}: could not be opened: {}; expected a JSON file", file.string(), std::strerror(errno));
  const auto bytes = std::filesystem::file_size(file, error);
  if (!error && bytes > (256u << 20))
    throw InputError("{}: has {} MiB; expected a JSON file of at most 256", file.string(), bytes >> 20);
  try {
    return nlohmann::json::parse(stream);
  } catch (const nlohmann::json::exception& failed) {
    // "[json.exception.parse_error.101] parse error at line 1, column 5: …"
    const std::string what = failed.what();
    const size_t after = what.find("] ");
    throw InputError("{}: not a JSON file: {}", file.string(),
                     after == std::string::npos ? what : what.substr(after + 2));
  }
}

JsonPlace::JsonPlace(const nlohmann::json& value, std::string file, std::string place)
    : value_(&value), file_(std::move(file)), place_(std::move(place)) {}

void JsonPlace::refuse(const std::string& expected) const {
  std::string found;
  if (value_->is_object())
    found = "an object";
  else if (value_->is_array())
    found = fmt::format("a list of {}", value_->size());
  else
    found = value_->dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  if (found.size() > 60) found = found.substr(0, 57) + "...";
  throw InputError("{}: {}{}expected {}, found {}", file_, place_, place_.empty() ? "" : ": ", expected, found);
}

void JsonPlace::fail(const std::string& message) const {
  throw InputError("{}: {}{}{}", file_, place_, place_.empty() ? "" : ": ", message);
}

JsonPlace JsonPlace::at(const char* name) const {
  if (!value_->is_object()) refuse(fmt::format("an object with \"{}\"", name));
  if (!value_->contains(name))
    throw InputError("{}: {}{}expected \"{}\", found none", file_, place_, place_.empty() ? "" : ": ", name);
  return JsonPlace((*value_)[name], file_, place_.empty() ? name : place_ + "." + name);
}

std::optional<JsonPlace> JsonPlace::find(const char* name) const {
  if (!value_->is_object()) refuse("an object");
  if (!value_->contains(name) || (*value_)[name].is_null()) return std::nullopt;
  return at(name);
}

void JsonPlace::only(std::initializer_list<const char*> names) const {
  if (!value_->is_object()) refuse("an object");
  for (const auto& [name, unused] : value_->items()) {
    bool known = false;
    std::string list;
    for (const char* one : names) {
      known = known || name == one;
      list += (list.empty() ? "" : ", ") + std::string(one);
    }
    if (!known)
      throw InputError("{}: {}{}expected only {}; found \"{}\" too", file_, place_, place_.empty() ? "" : ": ", list,
                       name.substr(0, 40));
  }
}

void JsonPlace::expect_format(const char* name) const {
  if (at("format").text() != name) at("format").refuse(std::string("\"") + name + "\"");
  if (at("version").whole(0, 1 << 30) != 1) at("version").refuse("1, the version that this program knows");
}

size_t JsonPlace::size(const char* expected) const {
  if (!value_->is_array()) refuse(expected);
  return value_->size();
}

JsonPlace JsonPlace::at(size_t index) const {
  if (index >= size()) refuse(fmt::format("at least {} elements", index + 1));
  return JsonPlace((*value_)[index], file_, fmt::format("{}[{}]", place_, index));
}

double JsonPlace::number(double low, double high) const {
  const double n = value_->is_number() ? value_->get<double>() : NAN;
  if (!(n >= low && n <= high))
    refuse(low <= -1e300 && high >= 1e300 ? "a number" : fmt::format("a number between {} and {}", low, high));
  return n;
}

int JsonPlace::whole(int low, int high) const {
  // 640.0 is a whole number too: other programs write it so.
  const double n = value_->is_number() ? value_->get<double>() : NAN;
  if (!(n >= low && n <= high && n == std::floor(n)))
    refuse(fmt::format("a whole number between {} and {}", low, high));
  return static_cast<int>(n);
}

bool JsonPlace::boolean() const {
  if (!value_->is_boolean()) refuse("true or false");
  return value_->get<bool>();
}

std::string JsonPlace::text() const {
  if (!value_->is_string()) refuse("a text");
  return value_->get<std::string>();
}

Vec3<double> JsonPlace::vector() const {
  if (size("a list of 3 numbers") != 3) refuse("a list of 3 numbers");
  return {at(size_t{0}).number(), at(size_t{1}).number(), at(size_t{2}).number()};
}

Pose<double> JsonPlace::pose() const {
  constexpr const char* expected = "3 rows of 4 numbers";
  if (size(expected) != 3) refuse(expected);
  Pose<double> pose;
  for (int row = 0; row < 3; ++row) {
    const JsonPlace numbers = at(static_cast<size_t>(row));
    if (numbers.size("4 numbers") != 4) numbers.refuse("4 numbers");
    for (int column = 0; column < 3; ++column)
      pose.rotation[column][row] = numbers.at(static_cast<size_t>(column)).number();
    pose.translation[row] = numbers.at(size_t{3}).number();
  }
  const std::optional<Mat3<double>> rotation = as_rotation(pose.rotation);
  if (!rotation) refuse("a rotation and a translation, [[r r r t] x 3]");
  pose.rotation = *rotation;
  return pose;
}

std::optional<Mat3<double>> as_rotation(const Mat3<double>& m) {
  const auto deviation = [](const Mat3<double>& r) {
    const Mat3<double> d = r * glm::transpose(r) - Mat3<double>(1.0);
    return glm::length(d[0]) + glm::length(d[1]) + glm::length(d[2]);
  };
  const double off = deviation(m);
  if (!(off < 1e-4) || !(glm::determinant(m) > 0)) return std::nullopt;
  // What was written in full comes back bit for bit.
  if (off < 1e-12) return m;
  // Newton's iteration to the nearest orthonormal matrix.
  Mat3<double> r = m;
  for (int i = 0; i < 4; ++i) r = 0.5 * (r + glm::transpose(glm::inverse(r)));
  return r;
}

nlohmann::ordered_json json_of_pose(const Pose<double>& pose) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (int row = 0; row < 3; ++row)
    rows.push_back({pose.rotation[0][row], pose.rotation[1][row], pose.rotation[2][row], pose.translation[row]});
  return rows;
}

nlohmann::ordered_json json_of_vector(const Vec3<double>& v) {
  return {v.x, v.y, v.z};
}

}  // namespace ptl
