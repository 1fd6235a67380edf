// A plan of research runs as a TOML file says it: which scenes, variants, budgets and seeds are to be fitted, and how
// the held-out photos are scored. docs/research.md describes the file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace ptl::research {

struct PlanScene {
  std::string name;
  std::filesystem::path folder;            ///< absolute; empty for a synthetic scene, which the bench makes
  std::optional<uint64_t> synth_seed;      ///< of `pointillist synth`
  std::vector<std::string> synth_options;  ///< beside --seed and --out
  bool dense = false;                      ///< all fits get the same dense points, which the bench makes once
  std::vector<std::string> dense_options;  ///< of `pointillist densify`, beside --out
  std::vector<std::string> options;        ///< of each fit of this scene
};

struct PlanVariant {
  std::string name;
  std::vector<std::string> options;  ///< of each fit of this variant: preset, settings and further words, in this order
};

/// How long a fit is. By the clock it depends on the machine; in steps it does not.
struct PlanBudget {
  double minutes = 0;  ///< 0: in steps
  int64_t steps = 0;
  std::string name() const;                  ///< "5 min", "800 steps"
  std::vector<std::string> options() const;  ///< of `fit`
  bool operator==(const PlanBudget&) const = default;
};

/// How held-out photos are scored (method section 7); the words of `eval`.
struct PlanProtocol {
  std::string exposure = "exif", pose = "given", border = "full";
  std::vector<std::string> options() const;  ///< of `eval`
  bool operator==(const PlanProtocol&) const = default;
};

struct Plan {
  std::filesystem::path file;
  std::string title;
  std::string question;  ///< what the plan is to find out; may be empty
  std::vector<PlanScene> scenes;
  std::vector<PlanVariant> variants;  ///< the first one is what the others are held against
  std::vector<PlanBudget> budgets;
  std::vector<uint64_t> seeds;
  std::vector<PlanProtocol> protocols;
  std::filesystem::path published;  ///< absolute; empty: none
  bool flicker = true;              ///< measured by the first protocol (renderer/flicker.h)
  int pictures = 2;                 ///< held-out photos of each scene that the page shows
};

/// `data_folder`: where relative scene folders are; empty: beside the plan. Throws InputError that names the file, the
/// line and the key for TOML that is not valid, for keys that are not known, missing or of another type, for names that
/// are not distinct as names of folders, for scenes that are not there, and for options that the bench itself sets.
Plan read_plan(const std::filesystem::path& file, const std::filesystem::path& data_folder = {});
/// The same for a text that was read already; `file` names it in messages.
Plan parse_plan(const std::string& text, const std::filesystem::path& file, const std::filesystem::path& data_folder);

/// The name as a part of a path: letters, digits, dots and dashes; everything else becomes one dash.
std::string folder_name(const std::string& name);

}  // namespace ptl::research
