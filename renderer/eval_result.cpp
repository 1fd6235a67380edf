#include "renderer/eval_result.h"

#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "datasets/atomic_file.h"
#include "datasets/error.h"

namespace ptl {
namespace fs = std::filesystem;

namespace {

// The order of keys in the file is that of the struct: for people who read it.
using Json = nlohmann::ordered_json;

Json psnr_to_json(double psnr_db) { return std::isinf(psnr_db) ? Json("inf") : Json(psnr_db); }

Json score_to_json(const EvalScore& score) {
  Json json = {{"psnr", psnr_to_json(score.psnr_db)}, {"ssim", score.ssim}, {"lpips", nullptr}};
  if (score.lpips) json["lpips"] = *score.lpips;
  return json;
}

/// Looks values up by key and says which one is wrong.
struct Reader {
  const std::string& source;

  [[noreturn]] void fail(const std::string& key, const char* expected) const {
    throw InputError("{}: the evaluation's '{}' is missing or not {}; was it written by `eval --json`?", source, key,
                     expected);
  }
  const Json& object(const Json& parent, const std::string& key) const {
    if (!parent.contains(key) || !parent[key].is_object()) fail(key, "an object");
    return parent[key];
  }
  const Json& list(const Json& parent, const std::string& key) const {
    if (!parent.contains(key) || !parent[key].is_array()) fail(key, "a list");
    return parent[key];
  }
  std::string text(const Json& parent, const std::string& key) const {
    if (!parent.contains(key) || !parent[key].is_string()) fail(key, "a text");
    return parent[key].get<std::string>();
  }
  double number(const Json& parent, const std::string& key) const {
    if (!parent.contains(key) || !parent[key].is_number() || !std::isfinite(parent[key].get<double>()))
      fail(key, "a number");
    return parent[key].get<double>();
  }
  EvalScore score(const Json& parent) const {
    EvalScore result;
    const bool infinite = parent.contains("psnr") && parent["psnr"].is_string() && parent["psnr"] == "inf";
    result.psnr_db = infinite ? std::numeric_limits<double>::infinity() : number(parent, "psnr");
    result.ssim = number(parent, "ssim");
    if (parent.contains("lpips") && !parent["lpips"].is_null()) result.lpips = number(parent, "lpips");
    return result;
  }
};

}  // namespace

std::string eval_result_to_json(const EvalResult& result) {
  Json json;
  json["run"] = result.run;
  json["scene"] = result.scene;
  json["protocol"] = {{"border", result.protocol.border},
                      {"exposure", result.protocol.exposure},
                      {"pose", result.protocol.pose},
                      {"split", result.protocol.split}};
  if (result.protocol.values != EvalProtocol().values) json["protocol"]["values"] = result.protocol.values;
  json["size"] = result.sizes_px;
  json["images"] = Json::array();
  for (const EvalImage& image : result.images) {
    Json entry = {{"name", image.name}};
    entry.update(score_to_json(image.score));
    json["images"].push_back(std::move(entry));
  }
  json["mean"] = score_to_json(result.mean);
  json["cloud_held_out"] = result.cloud_held_out;
  if (!result.coverage.empty()) json["coverage"] = result.coverage;
  if (result.flicker) {
    const FlickerScore& flicker = *result.flicker;
    json["flicker"] = {{"levels", flicker.levels},
                       {"truth_levels", flicker.truth_levels ? Json(*flicker.truth_levels) : Json()},
                       {"compared", flicker.compared},
                       {"pairs", flicker.pairs},
                       {"path", flicker.path}};
  }
  if (result.points > 0) json["points"] = result.points;
  json["steps"] = result.steps;
  json["seconds"] = result.seconds;
  json["settings"] = Json::object();
  for (const auto& [key, value] : result.settings) json["settings"][key] = value;
  // File names may hold bytes that are not UTF-8: shown as the replacement character.
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

EvalResult eval_result_from_json(std::string_view text, const std::string& source) {
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded() || !json.is_object())
    throw InputError("{}: is not a JSON object, expected what `eval --json` writes", source);
  const Reader reader{source};
  EvalResult result;
  result.run = reader.text(json, "run");
  result.scene = reader.text(json, "scene");
  const Json& protocol = reader.object(json, "protocol");
  result.protocol = {reader.text(protocol, "border"), reader.text(protocol, "exposure"), reader.text(protocol, "pose"),
                     reader.text(protocol, "split")};
  if (protocol.contains("values")) result.protocol.values = reader.text(protocol, "values");
  for (const Json& size : reader.list(json, "size")) {
    if (!size.is_array() || size.size() != 2 || !size[0].is_number_integer() || !size[1].is_number_integer())
      reader.fail("size", "a list of [width, height]");
    result.sizes_px.push_back({size[0].get<int>(), size[1].get<int>()});
  }
  for (const Json& image : reader.list(json, "images")) {
    if (!image.is_object()) reader.fail("images", "a list of objects");
    result.images.push_back({reader.text(image, "name"), reader.score(image)});
  }
  result.mean = reader.score(reader.object(json, "mean"));
  if (json.contains("cloud_held_out")) result.cloud_held_out = static_cast<long long>(reader.number(json, "cloud_held_out"));
  if (json.contains("coverage"))
    for (const Json& share : reader.list(json, "coverage")) {
      if (!share.is_number()) reader.fail("coverage", "a list of numbers");
      result.coverage.push_back(share.get<double>());
    }
  if (json.contains("flicker") && !json["flicker"].is_null()) {
    const Json& flicker = reader.object(json, "flicker");
    FlickerScore score;
    score.levels = reader.number(flicker, "levels");
    if (flicker.contains("truth_levels") && !flicker["truth_levels"].is_null())
      score.truth_levels = reader.number(flicker, "truth_levels");
    score.compared = reader.number(flicker, "compared");
    score.pairs = static_cast<int>(reader.number(flicker, "pairs"));
    score.path = reader.text(flicker, "path");
    result.flicker = score;
  }
  if (json.contains("points")) result.points = static_cast<long long>(reader.number(json, "points"));
  result.steps = static_cast<long long>(reader.number(json, "steps"));
  result.seconds = reader.number(json, "seconds");
  for (const auto& [key, value] : reader.object(json, "settings").items())
    result.settings[key] = value.is_string() ? value.get<std::string>() : value.dump();
  return result;
}

void write_eval_result(const fs::path& path, const EvalResult& result) {
  write_file_atomically(path, eval_result_to_json(result));
}

EvalResult read_eval_result(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream contents;
  if (!stream || !(contents << stream.rdbuf()))
    throw InputError("{}: could not be read, expected the JSON that `eval --json` writes", path.string());
  return eval_result_from_json(contents.str(), path.string());
}

}  // namespace ptl
