#include "research/outcome.h"

#include <nlohmann/json.hpp>

#include "datasets/atomic_file.h"
#include "datasets/error.h"
#include "research/toml_reader.h"

namespace ptl::research {

namespace {

using Json = nlohmann::ordered_json;
constexpr const char* format_word = "pointillist research run";
constexpr int format_version = 1;

}  // namespace

void write_outcome(const std::filesystem::path& path, const Outcome& outcome) {
  Json json = {{"format", format_word},  {"version", format_version},  {"state", outcome.failure ? "failed" : "done"},
               {"scene", outcome.scene}, {"variant", outcome.variant}, {"budget", outcome.budget},
               {"seed", outcome.seed}};
  if (outcome.failure)
    json["failure"] = {{"command", outcome.failure->command},
                       {"how", outcome.failure->how},
                       {"last_lines", outcome.failure->last_lines}};
  json["fit_command"] = outcome.fit_command;
  json["deciding"] = outcome.deciding;
  json["versions"] = Json::object();
  for (const auto& [name, value] : outcome.versions) json["versions"][name] = value;
  json["data"] = outcome.data;
  json["machine"] = {{"host", outcome.machine.host},
                     {"processor", outcome.machine.processor},
                     {"cores", outcome.machine.cores},
                     {"memory_gib", outcome.machine.memory_gib},
                     {"system", outcome.machine.system}};
  json["started"] = outcome.started;
  json["ended"] = outcome.ended;
  json["seconds"] = outcome.seconds;
  json["starts"] = outcome.starts;
  json["peak_bytes"] = outcome.peak_bytes;
  json["busy_cores"] = outcome.busy_cores;
  json["evaluations"] = Json::array();
  for (const EvalResult& result : outcome.evaluations)
    json["evaluations"].push_back(Json::parse(eval_result_to_json(result)));
  write_file_atomically(path, json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
}

Outcome read_outcome(const std::filesystem::path& path) {
  const std::string text = read_text_file(path, "the outcome of a research run");
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object() || json.value("format", Json()) != format_word)
    throw InputError("{}: is not the outcome of a research run; remove the run's folder to make it again",
                     path.string());
  if (json.value("version", Json()) != format_version)
    throw InputError("{}: was written by another version of the program (format {}, this one reads {})", path.string(),
                     json.value("version", Json()).dump(), format_version);
  Outcome outcome;
  try {
    outcome.scene = json.at("scene");
    outcome.variant = json.at("variant");
    outcome.budget = json.at("budget");
    outcome.seed = json.at("seed");
    if (json.contains("failure")) {
      const Json& failure = json["failure"];
      outcome.failure = OutcomeFailure{failure.at("command"), failure.at("how"), failure.at("last_lines")};
    }
    outcome.fit_command = json.at("fit_command");
    outcome.deciding = json.at("deciding");
    for (const auto& [name, value] : json.at("versions").items()) outcome.versions.emplace_back(name, value);
    outcome.data = json.at("data");
    const Json& machine = json.at("machine");
    outcome.machine = {machine.at("host"), machine.at("processor"), machine.at("cores"), machine.at("memory_gib"),
                       machine.at("system")};
    outcome.started = json.at("started");
    outcome.ended = json.at("ended");
    outcome.seconds = json.at("seconds");
    outcome.starts = json.at("starts");
    outcome.peak_bytes = json.at("peak_bytes");
    outcome.busy_cores = json.at("busy_cores");
    for (const Json& result : json.at("evaluations"))
      outcome.evaluations.push_back(eval_result_from_json(result.dump(), path.string()));
  } catch (const Json::exception& error) {
    throw InputError("{}: is damaged ({}); remove the run's folder to make it again", path.string(), error.what());
  }
  return outcome;
}

}  // namespace ptl::research
