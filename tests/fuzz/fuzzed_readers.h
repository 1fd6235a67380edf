// Every reader of datasets/ behind one call: bytes in, nothing out but an InputError. Fuzzed by libFuzzer
// (scripts/experiments/fuzz), and what that found worth keeping is read again by every test run (replay_test.cpp).
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace ptl::testing {

struct FuzzedReader {
  std::string name;                ///< of its folder in the corpus
  std::vector<std::string> files;  ///< what an input becomes: its parts, cut at part_separator, in this order
  std::function<void(const std::filesystem::path& folder)> prepare;  ///< what does not change: photos, say
  std::function<void(const std::filesystem::path& folder)> read;
};

inline constexpr std::string_view part_separator = "\n==== next file ====\n";

const std::vector<FuzzedReader>& fuzzed_readers();

/// Writes the parts of `input` into `folder`, which prepare() has seen, and reads them. InputErrors end here; anything
/// else does not.
void read_fuzzed(const FuzzedReader& reader, const std::filesystem::path& folder, std::string_view input);

}  // namespace ptl::testing
