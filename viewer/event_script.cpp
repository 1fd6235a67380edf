#include "viewer/event_script.h"

#define GLFW_INCLUDE_NONE
#include <GLFW/glfw3.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include "datasets/error.h"

namespace ptl {

double ScriptCommand::number(size_t index) const {
  const std::string& word = words.at(index);
  char* end = nullptr;
  const double value = std::strtod(word.c_str(), &end);
  if (end == word.c_str() || *end) throw InputError("script, line {}: expected a number, found '{}'", line, word);
  return value;
}

int ScriptCommand::key() const {
  static const std::map<std::string, int> names = {
      {"tab", GLFW_KEY_TAB},        {"escape", GLFW_KEY_ESCAPE},    {"space", GLFW_KEY_SPACE},
      {"left", GLFW_KEY_LEFT},      {"right", GLFW_KEY_RIGHT},      {"f1", GLFW_KEY_F1},
      {"f12", GLFW_KEY_F12},        {"shift", GLFW_KEY_LEFT_SHIFT}, {"control", GLFW_KEY_LEFT_CONTROL},
      {"[", GLFW_KEY_LEFT_BRACKET}, {"]", GLFW_KEY_RIGHT_BRACKET},  {"backspace", GLFW_KEY_BACKSPACE},
      {"enter", GLFW_KEY_ENTER},    {"delete", GLFW_KEY_DELETE},    {"alt", GLFW_KEY_LEFT_ALT}};
  const std::string& word = words.at(0);
  if (const auto found = names.find(word); found != names.end()) return found->second;
  if (word.size() == 1 && word[0] >= 'a' && word[0] <= 'z') return GLFW_KEY_A + word[0] - 'a';
  if (word.size() == 1 && word[0] >= '0' && word[0] <= '9') return GLFW_KEY_0 + word[0] - '0';
  throw InputError("script, line {}: no such key: '{}'", line, word);
}

int ScriptCommand::button(size_t index) const {
  if (words.size() <= index || words[index] == "left") return GLFW_MOUSE_BUTTON_LEFT;
  if (words[index] == "right") return GLFW_MOUSE_BUTTON_RIGHT;
  if (words[index] == "middle") return GLFW_MOUSE_BUTTON_MIDDLE;
  throw InputError("script, line {}: expected left, right or middle, found '{}'", line, words[index]);
}

std::deque<ScriptCommand> read_script(const std::filesystem::path& file) {
  static const std::map<std::string, size_t> least_words = {
      {"key", 1},        {"move", 2},        {"press", 1},    {"release", 1}, {"click", 1},  {"drag", 4},
      {"scroll", 1},     {"text", 1},        {"resize", 2},   {"frames", 1},  {"wait", 1},   {"settle", 0},
      {"generation", 1}, {"screenshot", 1},  {"push", 1},     {"source", 1},  {"notice", 0}, {"file", 1},
      {"exported", 0},   {"frames-done", 1}, {"held-out", 1}, {"state", 1},   {"close", 0},  {"quit", 0}};
  std::ifstream stream(file);
  if (!stream) throw InputError("{}: the script could not be opened", file.string());
  std::deque<ScriptCommand> commands;
  int number = 0;
  for (std::string text; std::getline(stream, text);) {
    ++number;
    std::istringstream words(text);
    ScriptCommand command;
    command.line = number;
    if (!(words >> command.name) || command.name[0] == '#') continue;
    for (std::string word; words >> word;) command.words.push_back(word);
    const auto known = least_words.find(command.name);
    if (known == least_words.end())
      throw InputError("{}, line {}: no such command: '{}'", file.string(), number, command.name);
    if (command.words.size() < known->second)
      throw InputError("{}, line {}: '{}' takes {} words, found {}", file.string(), number, command.name, known->second,
                       command.words.size());
    commands.push_back(std::move(command));
  }
  return commands;
}

}  // namespace ptl
