// The table in the forms that people take it away in.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "research/table.h"

namespace ptl::research {

/// "24.31 ± 0.12" and the like; `digits` behind the point. No ± from one value.
std::string estimate_text(const Estimate& value, int digits);
/// "+0.31 [+0.02, +0.60]": the interval of 95 %; with "n = 1" where there is none.
std::string difference_text(const PairedDifference& difference, int digits);

/// "3.21 (true pictures 2.10)"; "n/a" where it was not measured.
std::string flicker_text(const TableCell& cell);

std::string table_text(const Table& table);   ///< for the terminal
std::string table_csv(const Table& table);    ///< a line a run, protocol and held-out photo, and one for their mean
std::string table_latex(const Table& table);  ///< booktabs; a tabular for each length and protocol
std::string table_json(const Table& table);   ///< everything, each cell with the runs that it came from

/// A held-out photo and what each variant made of it, as the files that `eval --pictures` wrote.
struct TablePicture {
  std::string scene, name;
  std::filesystem::path photo;                                   ///< PNG
  std::vector<std::optional<std::filesystem::path>> renderings;  ///< by variant
};

/// One page that needs nothing else: tables, pictures side by side with a common zoom, and every run's origin.
std::string table_page(const Table& table, const std::vector<TablePicture>& pictures);

}  // namespace ptl::research
