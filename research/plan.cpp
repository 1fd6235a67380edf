#include "research/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>

#include "datasets/error.h"
#include "research/toml_reader.h"

namespace ptl::research {
namespace fs = std::filesystem;

namespace {

/// Those that say which run it is, or that the bench must know.
constexpr const char* reserved_options[] = {"--out",   "--resume", "--seed",     "--minutes",
                                            "--steps", "--report", "--no-report"};

std::vector<std::string> checked_options(TomlTable& table, const std::string& key) {
  std::vector<std::string> options = table.take_texts(key).value_or(std::vector<std::string>{});
  for (const std::string& option : options)
    for (const char* reserved : reserved_options)
      if (option == reserved || option.rfind(std::string(reserved) + "=", 0) == 0)
        table.fail(key, fmt::format("{} is set by the bench itself (seeds, minutes and steps are keys of the plan)",
                                    reserved));
  return options;
}

template <class Named>
void check_names(const std::vector<Named>& list, const char* what, const fs::path& file) {
  std::map<std::string, std::string> seen;
  for (const Named& item : list) {
    const auto [at, fresh] = seen.emplace(folder_name(item.name), item.name);
    if (folder_name(item.name).empty())
      throw InputError("{}: the {} '{}' needs a letter or a digit in its name", file.string(), what, item.name);
    if (!fresh)
      throw InputError(
          "{}: two {}s have names that are the same as a folder's ('{}' and '{}'); expected different ones",
          file.string(), what, at->second, item.name);
  }
}

PlanScene read_scene(TomlTable& table, const fs::path& data_folder) {
  PlanScene scene;
  scene.name = table.required_text("name");
  const std::optional<std::string> folder = table.take_text("folder");
  const std::optional<int64_t> seed = table.take_whole("synth");
  if (folder.has_value() == seed.has_value())
    table.fail("name", fmt::format("the scene '{}' needs either 'folder' or 'synth' (a seed), found {}", scene.name,
                                   folder ? "both" : "neither"));
  if (seed) {
    if (*seed < 0) table.fail("synth", "expected a seed of 0 or more");
    scene.synth_seed = static_cast<uint64_t>(*seed);
  } else {
    scene.folder =
        fs::absolute(fs::path(*folder).is_absolute() ? fs::path(*folder) : data_folder / *folder).lexically_normal();
    std::error_code error;
    if (!fs::exists(scene.folder, error))
      table.fail("folder", fmt::format("{} is not there; --data FOLDER says where scenes are", scene.folder.string()));
  }
  scene.synth_options = checked_options(table, "synth_options");
  if (!seed && !scene.synth_options.empty()) table.fail("synth_options", "go with 'synth' only");
  scene.dense = table.take_flag("dense").value_or(false);
  scene.dense_options = checked_options(table, "dense_options");
  if (!scene.dense && !scene.dense_options.empty()) table.fail("dense_options", "go with 'dense = true' only");
  scene.options = checked_options(table, "options");
  table.finish();
  return scene;
}

PlanVariant read_variant(TomlTable& table) {
  PlanVariant variant;
  variant.name = table.required_text("name");
  if (const std::optional<std::string> preset = table.take_text("preset"))
    variant.options.insert(variant.options.end(), {"--preset", *preset});
  for (const std::string& setting : table.take_settings("set"))
    variant.options.insert(variant.options.end(), {"--set", setting});
  const std::vector<std::string> more = checked_options(table, "options");
  variant.options.insert(variant.options.end(), more.begin(), more.end());
  table.finish();
  return variant;
}

PlanProtocol read_protocol(TomlTable& table) {
  PlanProtocol protocol;
  const auto word = [&](const char* key, std::string& value, std::initializer_list<const char*> known) {
    if (const std::optional<std::string> text = table.take_text(key)) value = *text;
    std::string list;
    for (const char* each : known) {
      if (value == each) return;
      list += (list.empty() ? "" : ", ") + std::string(each);
    }
    table.fail(key, fmt::format("expected one of {}, found '{}'", list, value));
  };
  word("exposure", protocol.exposure, {"exif", "interpolated", "fitted"});
  word("pose", protocol.pose, {"given", "aligned", "refined"});
  word("border", protocol.border, {"full", "adop_border"});
  table.finish();
  return protocol;
}

}  // namespace

std::string PlanBudget::name() const {
  return minutes > 0 ? fmt::format("{:g} min", minutes) : fmt::format("{} steps", steps);
}

std::vector<std::string> PlanBudget::options() const {
  if (minutes > 0) return {"--minutes", fmt::format("{:g}", minutes)};
  return {"--steps", std::to_string(steps)};
}

std::vector<std::string> PlanProtocol::options() const {
  return {"--exposure", exposure, "--pose", pose, "--border", border};
}

std::string folder_name(const std::string& name) {
  std::string result;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) && byte < 128)
      result += c;
    else if ((c == '.' || c == '_') && !result.empty())
      result += c;
    else if (!result.empty() && result.back() != '-')
      result += '-';
  }
  while (!result.empty() && (result.back() == '-' || result.back() == '.')) result.pop_back();
  return result;
}

Plan parse_plan(const std::string& text, const fs::path& file, const fs::path& data_folder) {
  TomlTable table = TomlTable::parse(text, file.string());
  const fs::path beside = fs::absolute(file).parent_path();
  Plan plan;
  plan.file = file;
  plan.title = table.take_text("title").value_or(file.stem().string());
  plan.question = table.take_text("question").value_or("");
  for (TomlTable& scene : table.take_tables("scene"))
    plan.scenes.push_back(read_scene(scene, data_folder.empty() ? beside : data_folder));
  for (TomlTable& variant : table.take_tables("variant")) plan.variants.push_back(read_variant(variant));
  for (TomlTable& protocol : table.take_tables("protocol")) plan.protocols.push_back(read_protocol(protocol));
  if (plan.protocols.empty()) plan.protocols.emplace_back();
  for (const double minutes : table.take_numbers("minutes").value_or(std::vector<double>{})) {
    if (!(minutes > 0 && minutes < 1e6)) table.fail("minutes", "expected minutes above 0");
    plan.budgets.push_back({minutes, 0});
  }
  for (const int64_t steps : table.take_wholes("steps").value_or(std::vector<int64_t>{})) {
    if (steps < 1) table.fail("steps", "expected 1 step or more");
    plan.budgets.push_back({0, steps});
  }
  for (const int64_t seed : table.take_wholes("seeds").value_or(std::vector<int64_t>{0}))
    plan.seeds.push_back(static_cast<uint64_t>(seed));
  if (const std::optional<std::string> published = table.take_text("published"))
    plan.published = fs::path(*published).is_absolute() ? fs::path(*published) : beside / *published;
  plan.pictures = static_cast<int>(std::clamp<int64_t>(table.take_whole("pictures").value_or(2), 0, 64));
  plan.flicker = table.take_flag("flicker").value_or(true);
  table.finish();

  const std::string name = file.string();
  if (plan.scenes.empty()) throw InputError("{}: has no [[scene]]; expected one or more", name);
  if (plan.variants.empty()) throw InputError("{}: has no [[variant]]; expected one or more", name);
  if (plan.budgets.empty())
    throw InputError("{}: says neither 'minutes' nor 'steps'; expected the length of the fits", name);
  if (plan.seeds.empty()) throw InputError("{}: 'seeds' is empty; expected one or more", name);
  check_names(plan.scenes, "scene", file);
  check_names(plan.variants, "variant", file);
  const auto twice = [](const auto& list) {
    for (size_t i = 0; i < list.size(); ++i)
      if (std::find(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(i), list[i]) !=
          list.begin() + static_cast<std::ptrdiff_t>(i))
        return true;
    return false;
  };
  if (twice(plan.budgets)) throw InputError("{}: a length of the fits stands twice", name);
  if (twice(plan.seeds)) throw InputError("{}: a seed stands twice", name);
  if (twice(plan.protocols)) throw InputError("{}: a [[protocol]] stands twice", name);
  return plan;
}

Plan read_plan(const fs::path& file, const fs::path& data_folder) {
  return parse_plan(read_text_file(file, "a plan of research runs in TOML (docs/research.md)"), file, data_folder);
}

}  // namespace ptl::research
