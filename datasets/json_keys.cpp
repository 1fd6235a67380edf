#include "datasets/json_keys.h"

#include <fstream>
#include <nlohmann/json.hpp>

namespace ptl {

namespace {

/// Stops, by returning false, at the first key that is looked for.
class KeyFinder : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit KeyFinder(const std::set<std::string>& keys) : keys_(keys) {}
  bool found() const { return found_; }

  bool null() override { return inside(); }
  bool boolean(bool) override { return inside(); }
  bool number_integer(number_integer_t) override { return inside(); }
  bool number_unsigned(number_unsigned_t) override { return inside(); }
  bool number_float(number_float_t, const string_t&) override { return inside(); }
  bool string(string_t&) override { return inside(); }
  bool binary(binary_t&) override { return inside(); }
  bool start_object(std::size_t) override { return ++depth_ > 0; }
  bool end_object() override { return --depth_ > 0; }
  bool start_array(std::size_t) override { return depth_++ > 0; }  // a list at the top has no keys
  bool end_array() override { return --depth_ > 0; }
  bool key(string_t& name) override {
    found_ = depth_ == 1 && keys_.count(name);
    return !found_;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

 private:
  bool inside() const { return depth_ > 0; }

  const std::set<std::string>& keys_;
  int depth_ = 0;
  bool found_ = false;
};

}  // namespace

bool json_has_top_key(const std::filesystem::path& file, const std::set<std::string>& keys) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) return false;
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return false;
  KeyFinder finder(keys);
  nlohmann::json::sax_parse(stream, &finder);
  return finder.found();
}

}  // namespace ptl
