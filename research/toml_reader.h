// TOML tables read key by key: every message names the file, the line and the key; what no one asked for is an error.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ptl::research {

/// One table of a file. take_…() marks its key as known; finish() refuses the others.
class TomlTable {
 public:
  /// Throws InputError for text that is not TOML.
  static TomlTable parse(const std::string& text, const std::string& file);
  ~TomlTable();
  TomlTable(TomlTable&&) noexcept;

  bool has(const std::string& key) const;
  std::optional<std::string> take_text(const std::string& key);
  std::optional<bool> take_flag(const std::string& key);
  std::optional<double> take_number(const std::string& key);
  std::optional<int64_t> take_whole(const std::string& key);
  std::optional<std::vector<std::string>> take_texts(const std::string& key);
  std::optional<std::vector<double>> take_numbers(const std::string& key);
  std::optional<std::vector<int64_t>> take_wholes(const std::string& key);
  /// [[key]] or key = [{…}, …]; empty when it is not there.
  std::vector<TomlTable> take_tables(const std::string& key);
  /// Of a table, "name=value" for each entry as `fit --set` takes it; tables within give "group.name=value".
  std::vector<std::string> take_settings(const std::string& key);

  [[noreturn]] void fail(const std::string& key, const std::string& message) const;  ///< with file and line
  std::string required_text(const std::string& key);
  void finish() const;

 private:
  struct State;
  explicit TomlTable(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// The whole file as text; InputError when it cannot be read.
std::string read_text_file(const std::filesystem::path& path, const char* expected);

}  // namespace ptl::research
