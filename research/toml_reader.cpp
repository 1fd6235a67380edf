#include "research/toml_reader.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <set>

#include "datasets/colmap_files.h"
#include "datasets/error.h"

namespace ptl::research {

struct TomlTable::State {
  std::shared_ptr<const toml::table> document;  ///< keeps `table` alive
  const toml::table* table = nullptr;
  std::string file;
  std::set<std::string> known;

  const toml::node* take(const std::string& key) {
    known.insert(key);
    return table->get(key);
  }
};

namespace {

std::string place(const std::string& file, const toml::source_region& source) {
  return fmt::format("{}, line {}", file, source.begin.line);
}

/// A value as `--set` reads it.
std::string value_text(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
  if (const auto* whole = node.as_integer()) return std::to_string(whole->get());
  if (const auto* real = node.as_floating_point()) return fmt::format("{}", real->get());
  const auto* array = node.as_array();
  if (!array) return {};
  std::string list;
  for (const toml::node& element : *array) list += (list.empty() ? "" : ", ") + value_text(element);
  return "[" + list + "]";
}

void add_settings(const toml::table& table, const std::string& prefix, std::vector<std::string>& settings) {
  for (const auto& [name, node] : table) {
    const std::string key = prefix + std::string(name.str());
    if (const toml::table* inner = node.as_table())
      add_settings(*inner, key + ".", settings);
    else
      settings.push_back(key + "=" + value_text(node));
  }
}

}  // namespace

TomlTable::TomlTable(std::unique_ptr<State> state) : state_(std::move(state)) {}
TomlTable::~TomlTable() = default;
TomlTable::TomlTable(TomlTable&&) noexcept = default;

TomlTable TomlTable::parse(const std::string& text, const std::string& file) {
  try {
    auto state = std::make_unique<State>();
    state->document = std::make_shared<const toml::table>(toml::parse(text, file));
    state->table = state->document.get();
    state->file = file;
    return TomlTable(std::move(state));
  } catch (const toml::parse_error& error) {
    throw InputError("{}: not valid TOML: {}", place(file, error.source()), std::string(error.description()));
  }
}

bool TomlTable::has(const std::string& key) const {
  return state_->table->contains(key);
}

void TomlTable::fail(const std::string& key, const std::string& message) const {
  const toml::node* node = state_->table->get(key);
  throw InputError("{}: {}: {}", place(state_->file, node ? node->source() : state_->table->source()), key, message);
}

std::optional<std::string> TomlTable::take_text(const std::string& key) {
  const toml::node* node = state_->take(key);
  if (!node) return std::nullopt;
  if (!node->is_string()) fail(key, "expected a text in quotes");
  return node->as_string()->get();
}

std::string TomlTable::required_text(const std::string& key) {
  std::optional<std::string> text = take_text(key);
  if (!text || text->empty()) fail(key, "expected a text, found none");
  return *text;
}

std::optional<bool> TomlTable::take_flag(const std::string& key) {
  const toml::node* node = state_->take(key);
  if (!node) return std::nullopt;
  if (!node->is_boolean()) fail(key, "expected true or false");
  return node->as_boolean()->get();
}

std::optional<double> TomlTable::take_number(const std::string& key) {
  const toml::node* node = state_->take(key);
  if (!node) return std::nullopt;
  if (!node->is_number()) fail(key, "expected a number");
  return node->value<double>();
}

std::optional<int64_t> TomlTable::take_whole(const std::string& key) {
  const toml::node* node = state_->take(key);
  if (!node) return std::nullopt;
  if (!node->is_integer()) fail(key, "expected a whole number");
  return node->as_integer()->get();
}

std::optional<std::vector<std::string>> TomlTable::take_texts(const std::string& key) {
  const toml::node* node = state_->take(key);
  if (!node) return std::nullopt;
  std::vector<std::string> texts;
  if (!node->is_array()) fail(key, "expected a list of texts");
  for (const toml::node& element : *node->as_array()) {
    if (!element.is_string()) fail(key, "expected a list of texts, found something else in it");
    texts.push_back(element.as_string()->get());
  }
  return texts;
}

std::optional<std::vector<double>> TomlTable::take_numbers(const std::string& key) {
  const toml::node* node = state_->take(key);
  if (!node) return std::nullopt;
  if (node->is_number()) return std::vector<double>{*node->value<double>()};
  if (!node->is_array()) fail(key, "expected a number or a list of numbers");
  std::vector<double> numbers;
  for (const toml::node& element : *node->as_array()) {
    if (!element.is_number()) fail(key, "expected a list of numbers, found something else in it");
    numbers.push_back(*element.value<double>());
  }
  return numbers;
}

std::optional<std::vector<int64_t>> TomlTable::take_wholes(const std::string& key) {
  const std::optional<std::vector<double>> numbers = take_numbers(key);
  if (!numbers) return std::nullopt;
  std::vector<int64_t> wholes;
  for (const double number : *numbers) {
    if (!(number >= 0 && number < 9e15) || number != static_cast<double>(static_cast<int64_t>(number)))
      fail(key, fmt::format("expected whole numbers of 0 or more, found {}", number));
    wholes.push_back(static_cast<int64_t>(number));
  }
  return wholes;
}

std::vector<TomlTable> TomlTable::take_tables(const std::string& key) {
  const toml::node* node = state_->take(key);
  std::vector<TomlTable> tables;
  if (!node) return tables;
  if (!node->is_array()) fail(key, fmt::format("expected tables: [[{}]]", key));
  for (const toml::node& element : *node->as_array()) {
    if (!element.is_table()) fail(key, fmt::format("expected tables: [[{}]]", key));
    auto state = std::make_unique<State>();
    state->document = state_->document;
    state->table = element.as_table();
    state->file = state_->file;
    tables.push_back(TomlTable(std::move(state)));
  }
  return tables;
}

std::vector<std::string> TomlTable::take_settings(const std::string& key) {
  const toml::node* node = state_->take(key);
  std::vector<std::string> settings;
  if (!node) return settings;
  if (!node->is_table()) fail(key, "expected a table of settings: { \"group.key\" = value }");
  add_settings(*node->as_table(), "", settings);
  return settings;
}

void TomlTable::finish() const {
  for (const auto& [name, node] : *state_->table) {
    const std::string key(name.str());
    if (state_->known.count(key)) continue;
    std::string known;
    for (const std::string& each : state_->known) known += (known.empty() ? "" : ", ") + each;
    throw InputError("{}: there is no key '{}' here; known are {}", place(state_->file, node.source()), key, known);
  }
}

std::string read_text_file(const std::filesystem::path& path, const char* expected) {
  try {
    return colmap_files::read_whole_file(path);
  } catch (const InputError& error) {
    throw InputError("{}; expected {}", error.what(), expected);
  }
}

}  // namespace ptl::research
