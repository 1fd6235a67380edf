// Reading JSON that people or other programs wrote: every value knows the file and the place that it stands at, and
// says what was expected there when it is something else.
#pragma once

#include <filesystem>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "kernels/se3.h"

namespace ptl {

/// The whole file. InputError: it cannot be opened, is larger than 256 MiB, or is not JSON (with line and column).
nlohmann::json read_json_file(const std::filesystem::path& file);

class JsonPlace {
 public:
  /// `value` must outlive this. `place`: for messages, like "key_frames[3].time_s"; empty for the whole file.
  JsonPlace(const nlohmann::json& value, std::string file, std::string place = "");

  const nlohmann::json& value() const { return *value_; }
  const std::string& place() const { return place_; }

  /// InputError: FILE: PLACE: expected `expected`, found what is there.
  [[noreturn]] void refuse(const std::string& expected) const;

  /// InputError: FILE: PLACE: `message`.
  [[noreturn]] void fail(const std::string& message) const;

  /// A member of an object; InputError where this is no object or has none of that name.
  JsonPlace at(const char* name) const;
  /// The same, nothing where there is none of that name or it is null.
  std::optional<JsonPlace> find(const char* name) const;
  /// InputError for members with other names: a misspelt one must not be passed over.
  void only(std::initializer_list<const char*> names) const;

  /// InputError unless "format" is this name and "version" is 1.
  void expect_format(const char* name) const;

  /// The elements of a list. `expected`: for the message.
  size_t size(const char* expected = "a list") const;
  JsonPlace at(size_t index) const;

  double number(double low = -1e300, double high = 1e300) const;  ///< finite and within the range, ends included
  int whole(int low, int high) const;
  bool boolean() const;
  std::string text() const;
  Vec3<double> vector() const;  ///< a list of three numbers
  /// [[r r r t] × 3]: a rotation and a translation as COLMAP writes them; the rotation made exactly orthonormal where
  /// it is one to six digits.
  Pose<double> pose() const;

 private:
  const nlohmann::json* value_;
  std::string file_, place_;
};

/// The rotation nearest to m, where m is one to about six digits; nothing where it is none.
std::optional<Mat3<double>> as_rotation(const Mat3<double>& m);

/// Rows as JSON, [[r r r t] × 3].
nlohmann::ordered_json json_of_pose(const Pose<double>& pose);
nlohmann::ordered_json json_of_vector(const Vec3<double>& v);

}  // namespace ptl
