// From outcomes to a table that a reader can trust: means and spreads over seeds, paired differences, and no two
// figures in one column that do not mean the same.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "research/outcome.h"
#include "research/plan.h"
#include "research/published.h"
#include "research/statistics.h"

namespace ptl::research {

/// Figures of one variant on one scene.
struct TableCell {
  Estimate psnr_db, ssim;
  std::optional<Estimate> lpips;                            ///< where every run has it
  std::optional<Estimate> flicker, true_flicker;            ///< 0 to 255 (renderer/flicker.h), where every run has it
  std::optional<PairedDifference> psnr_gain_db, ssim_gain;  ///< against the first variant, over the seeds of both
  std::vector<size_t> outcomes;                             ///< indices into Table::outcomes
};

struct PublishedCell {
  PublishedFigure figure;
  std::string obstacle;  ///< why it may not stand in the column; empty: it may
};

/// All figures in a column have the same scene, data, protocol, sizes and held-out photos.
struct TableColumn {
  std::string scene;
  std::string label;  ///< the scene; with what tells it from other columns of the scene, where there are any
  EvalProtocol protocol;
  std::vector<std::array<int, 2>> sizes_px;
  std::string data;                             ///< fingerprint
  std::vector<std::optional<TableCell>> cells;  ///< by variant
  std::vector<PublishedFigure> published;       ///< that may stand in it
};

/// What a variant's fits of a scene needed.
struct TableCost {
  Estimate seconds, steps, memory_gib, points;
  std::string machine;  ///< empty: made on different ones, so that times mean nothing together
  int disturbed = 0;    ///< runs that others disturbed
};

/// One length of fits, one protocol.
struct TablePart {
  PlanBudget budget;
  PlanProtocol protocol;
  std::vector<TableColumn> columns;
  /// Over scenes, by variant: means of the scenes' means, and differences paired over scenes. Nothing where a scene is
  /// missing or has several columns.
  std::vector<std::optional<TableCell>> overall;
};

struct Table {
  Plan plan;
  std::vector<Outcome> outcomes;  ///< done ones, in the plan's order
  std::vector<Outcome> failed;
  int planned = 0;
  std::vector<TablePart> parts;
  std::vector<std::vector<std::vector<std::optional<TableCost>>>> costs;  ///< [length of fits][variant][scene]
  std::vector<PublishedCell> not_comparable;                              ///< published figures that stand in no column
  std::vector<std::string> remarks;  ///< what a reader must know: runs missing, machines, versions, disturbed runs
};

/// Methods with published figures in the part, each once, and a method's figure in a column; null: none.
std::vector<std::string> published_methods(const TablePart& part);
const PublishedFigure* published_by(const TableColumn& column, const std::string& method);

/// Whether any run of the part has it.
bool has_flicker(const TablePart& part);

Table make_table(const Plan& plan, const std::vector<Outcome>& outcomes, const std::vector<PublishedFigure>& published);

}  // namespace ptl::research
