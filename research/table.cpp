#include "research/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>

#include "renderer/report_html.h"
#include "research/planned_run.h"

namespace ptl::research {

namespace {

/// What must be the same in a column.
struct ColumnKey {
  std::string data;
  EvalProtocol protocol;
  std::set<std::array<int, 2>> sizes;
  std::set<std::string> images;
  bool operator==(const ColumnKey&) const = default;
};

ColumnKey key_of(const Outcome& outcome, const EvalResult& result) {
  ColumnKey key;
  const auto data = outcome.data.find("scene");
  if (data != outcome.data.end()) key.data = data->second;
  key.protocol = result.protocol;
  key.sizes = {result.sizes_px.begin(), result.sizes_px.end()};
  for (const EvalImage& image : result.images) key.images.insert(image.name);
  return key;
}

/// A run's figures in a column.
struct Entry {
  size_t outcome = 0, variant = 0;
  uint64_t seed = 0;
  const EvalResult* result = nullptr;
};

using Figure = std::function<double(const EvalResult&)>;
using OptionalFigure = std::function<std::optional<double>(const EvalResult&)>;

std::vector<double> values_of(const std::vector<Entry>& entries, size_t variant, const Figure& figure) {
  std::vector<double> values;
  for (const Entry& entry : entries)
    if (entry.variant == variant) values.push_back(figure(*entry.result));
  return values;
}

/// Nothing where a run of the variant does not have it.
std::optional<Estimate> estimate_where_all(const std::vector<Entry>& entries, size_t variant, const OptionalFigure& figure) {
  std::vector<double> values;
  for (const Entry& entry : entries) {
    if (entry.variant != variant) continue;
    const std::optional<double> value = figure(*entry.result);
    if (!value) return std::nullopt;
    values.push_back(*value);
  }
  return values.empty() ? std::nullopt : std::optional(estimate(values));
}

/// Seed by seed against the first variant.
std::optional<PairedDifference> gain_of(const std::vector<Entry>& entries, size_t variant, const Figure& figure) {
  std::vector<double> differences;
  for (const Entry& entry : entries)
    for (const Entry& base : entries)
      if (entry.variant == variant && base.variant == 0 && entry.seed == base.seed)
        differences.push_back(figure(*entry.result) - figure(*base.result));
  if (variant == 0 || differences.empty()) return std::nullopt;
  return paired_difference(differences);
}

double psnr_of(const EvalResult& result) {
  return result.mean.psnr_db;
}
double ssim_of(const EvalResult& result) {
  return result.mean.ssim;
}

std::optional<TableCell> cell_of(const std::vector<Entry>& entries, size_t variant) {
  TableCell cell;
  for (const Entry& entry : entries)
    if (entry.variant == variant) cell.outcomes.push_back(entry.outcome);
  if (cell.outcomes.empty()) return std::nullopt;
  cell.psnr_db = estimate(values_of(entries, variant, psnr_of));
  cell.ssim = estimate(values_of(entries, variant, ssim_of));
  cell.lpips = estimate_where_all(entries, variant, [](const EvalResult& result) { return result.mean.lpips; });
  cell.flicker = estimate_where_all(entries, variant, [](const EvalResult& result) {
    return result.flicker ? std::optional(result.flicker->levels) : std::nullopt;
  });
  cell.true_flicker = estimate_where_all(entries, variant, [](const EvalResult& result) {
    return result.flicker ? result.flicker->truth_levels : std::nullopt;
  });
  cell.psnr_gain_db = gain_of(entries, variant, psnr_of);
  cell.ssim_gain = gain_of(entries, variant, ssim_of);
  return cell;
}

/// Columns of a scene whose keys differ are told apart by what differs.
void label_columns(std::vector<TableColumn>& columns) {
  for (TableColumn& column : columns) {
    column.label = column.scene;
    const auto same_scene = [&](const TableColumn& other) { return other.scene == column.scene; };
    if (std::count_if(columns.begin(), columns.end(), same_scene) < 2) continue;
    column.label += fmt::format(" ({}; split {}; data {})", html::sizes_text(column.sizes_px), column.protocol.split,
                                column.data.substr(0, 6));
  }
}

std::string obstacle_to(const PublishedFigure& figure, const TableColumn& column) {
  const auto differs = [](const char* what, const std::string& theirs, const std::string& ours) {
    return theirs == ours ? std::string() : fmt::format("{} {}, here {}", what, theirs, ours);
  };
  for (const std::string& reason : {differs("border", figure.protocol.border, column.protocol.border),
                                    differs("exposure", figure.protocol.exposure, column.protocol.exposure),
                                    differs("pose", figure.protocol.pose, column.protocol.pose),
                                    differs("split", figure.protocol.split, column.protocol.split),
                                    differs("values", figure.protocol.values, column.protocol.values)})
    if (!reason.empty()) return reason;
  if (!figure.size_px) return "the size of its pictures is not given";
  if (column.sizes_px != std::vector<std::array<int, 2>>{*figure.size_px})
    return fmt::format("size {}, here {}", html::sizes_text({*figure.size_px}), html::sizes_text(column.sizes_px));
  return {};
}

std::vector<std::optional<TableCell>> overall_of(const Plan& plan, const std::vector<TableColumn>& columns) {
  std::vector<std::optional<TableCell>> overall(plan.variants.size());
  if (plan.scenes.size() < 2 || columns.size() != plan.scenes.size()) return overall;
  const auto complete = [&](size_t variant) {
    return std::all_of(columns.begin(), columns.end(),
                       [&](const TableColumn& column) { return column.cells[variant].has_value(); });
  };
  for (size_t variant = 0; variant < plan.variants.size(); ++variant) {
    if (!complete(variant)) continue;
    TableCell cell;
    // The columns' means; nothing where a column does not have the figure.
    const auto means = [&](auto figure) {
      std::vector<double> values;
      for (const TableColumn& column : columns)
        if (const std::optional value((*column.cells[variant]).*figure); value) values.push_back(value->mean);
      return values.size() == columns.size() ? std::optional(values) : std::nullopt;
    };
    cell.psnr_db = estimate(*means(&TableCell::psnr_db));
    cell.ssim = estimate(*means(&TableCell::ssim));
    for (const auto figure : {&TableCell::lpips, &TableCell::flicker, &TableCell::true_flicker})
      if (const auto values = means(figure)) cell.*figure = estimate(*values);
    for (const auto gain : {&TableCell::psnr_gain_db, &TableCell::ssim_gain})
      if (const auto values = means(gain)) cell.*gain = paired_difference(*values);
    for (const TableColumn& column : columns) {
      const std::vector<size_t>& outcomes = column.cells[variant]->outcomes;
      cell.outcomes.insert(cell.outcomes.end(), outcomes.begin(), outcomes.end());
    }
    overall[variant] = std::move(cell);
  }
  return overall;
}

std::optional<TableCost> cost_of(const std::vector<Outcome>& outcomes, const std::string& scene,
                                 const std::string& variant, const std::string& budget) {
  std::vector<double> seconds, steps, memory_gib, points;
  TableCost cost;
  std::set<std::string> machines;
  for (const Outcome& outcome : outcomes) {
    if (outcome.scene != scene || outcome.variant != variant || outcome.budget != budget || outcome.evaluations.empty())
      continue;
    seconds.push_back(outcome.seconds);
    steps.push_back(static_cast<double>(outcome.evaluations[0].steps));
    memory_gib.push_back(static_cast<double>(outcome.peak_bytes) / (1ull << 30));
    points.push_back(static_cast<double>(outcome.evaluations[0].points));
    machines.insert(outcome.machine.text());
    cost.disturbed += outcome.disturbed();
  }
  if (seconds.empty()) return std::nullopt;
  cost.seconds = estimate(seconds);
  cost.steps = estimate(steps);
  cost.memory_gib = estimate(memory_gib);
  cost.points = estimate(points);
  if (machines.size() == 1) cost.machine = *machines.begin();
  return cost;
}

template <class Value>
std::set<std::string> distinct(const std::vector<Outcome>& outcomes, Value&& value) {
  std::set<std::string> all;
  for (const Outcome& outcome : outcomes) all.insert(value(outcome));
  return all;
}

std::string joined(const std::set<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : "; ") + text;
  return all;
}

void add_remarks(Table& table) {
  const size_t ended = table.outcomes.size() + table.failed.size();
  if (ended < static_cast<size_t>(table.planned))
    table.remarks.push_back(
        fmt::format("{} of {} runs have not been made yet", static_cast<size_t>(table.planned) - ended, table.planned));
  std::map<std::string, int> failed;  // runs that failed alike
  for (const Outcome& outcome : table.failed)
    ++failed[fmt::format("{} ({}: {})", outcome.variant, outcome.failure->command, outcome.failure->how)];
  for (const auto& [what, count] : failed)
    table.remarks.push_back(
        fmt::format("failed: {}, {} run{}; their last lines stand below", what, count, count == 1 ? "" : "s"));
  const auto versions = distinct(table.outcomes, [](const Outcome& outcome) {
    std::string text;
    for (const auto& [name, value] : outcome.versions)
      if (name != "CPU") text += (text.empty() ? "" : ", ") + name + " " + value;
    return text;
  });
  if (versions.size() > 1) table.remarks.push_back("made by different versions of the program: " + joined(versions));
  const auto machines = distinct(table.outcomes, [](const Outcome& outcome) { return outcome.machine.text(); });
  if (machines.size() > 1)
    table.remarks.push_back("made on different machines: fits by the clock had different numbers of steps (" +
                            joined(machines) + ")");
  const auto disturbed =
      std::count_if(table.outcomes.begin(), table.outcomes.end(), [](const Outcome& o) { return o.disturbed(); });
  if (disturbed > 0)
    table.remarks.push_back(
        fmt::format("{} of the runs began while other programs used the machine: by the clock they made fewer steps, "
                    "in steps they took longer",
                    disturbed));
  std::set<std::string> flattering;
  for (const Outcome& outcome : table.outcomes)
    for (const EvalResult& result : outcome.evaluations)
      if (result.cloud_held_out > 0) flattering.insert(outcome.scene);
  if (!flattering.empty())
    table.remarks.push_back(
        "the clouds of these scenes were made from held-out photos as well, so that figures flatter: " +
        joined(flattering));
}

/// A scene's columns: the runs of that length, grouped by what their figures mean.
std::vector<TableColumn> columns_of(const Table& table, const PlanScene& scene, const PlanBudget& budget,
                                    size_t protocol) {
  const std::vector<PlanVariant>& variants = table.plan.variants;
  std::vector<std::pair<ColumnKey, std::vector<Entry>>> groups;
  for (size_t i = 0; i < table.outcomes.size(); ++i) {
    const Outcome& outcome = table.outcomes[i];
    if (outcome.scene != scene.name || outcome.budget != budget.name() || protocol >= outcome.evaluations.size())
      continue;
    const EvalResult& result = outcome.evaluations[protocol];
    const ColumnKey key = key_of(outcome, result);
    auto group = std::find_if(groups.begin(), groups.end(), [&](const auto& g) { return g.first == key; });
    if (group == groups.end()) group = groups.insert(groups.end(), {key, {}});
    for (size_t v = 0; v < variants.size(); ++v)
      if (variants[v].name == outcome.variant) group->second.push_back({i, v, outcome.seed, &result});
  }
  std::vector<TableColumn> columns;
  for (const auto& [key, entries] : groups) {
    TableColumn column;
    column.scene = scene.name;
    column.protocol = key.protocol;
    column.sizes_px = {key.sizes.begin(), key.sizes.end()};
    column.data = key.data;
    for (size_t v = 0; v < variants.size(); ++v) column.cells.push_back(cell_of(entries, v));
    columns.push_back(std::move(column));
  }
  return columns;
}

TablePart part_of(const Table& table, const PlanBudget& budget, size_t protocol) {
  TablePart part{budget, table.plan.protocols[protocol], {}, {}};
  for (const PlanScene& scene : table.plan.scenes)
    for (TableColumn& column : columns_of(table, scene, budget, protocol)) part.columns.push_back(std::move(column));
  label_columns(part.columns);
  part.overall = overall_of(table.plan, part.columns);
  return part;
}

std::vector<std::vector<std::optional<TableCost>>> costs_of(const Table& table, const PlanBudget& budget) {
  std::vector<std::vector<std::optional<TableCost>>> costs;
  for (const PlanVariant& variant : table.plan.variants) {
    std::vector<std::optional<TableCost>> row;
    for (const PlanScene& scene : table.plan.scenes)
      row.push_back(cost_of(table.outcomes, scene.name, variant.name, budget.name()));
    costs.push_back(std::move(row));
  }
  return costs;
}

/// Into every column that they may stand in; the others are listed with the reason.
void place_published(Table& table, const std::vector<PublishedFigure>& published) {
  for (const PublishedFigure& figure : published) {
    std::string obstacle = "no run of that scene";
    bool placed = false;
    for (TablePart& part : table.parts)
      for (TableColumn& column : part.columns) {
        if (figure.scene != column.scene) continue;
        obstacle = obstacle_to(figure, column);
        if (!obstacle.empty()) continue;
        column.published.push_back(figure);
        placed = true;
      }
    if (!placed) table.not_comparable.push_back({figure, obstacle});
  }
}

}  // namespace

std::vector<std::string> published_methods(const TablePart& part) {
  std::vector<std::string> methods;
  for (const TableColumn& column : part.columns)
    for (const PublishedFigure& figure : column.published)
      if (std::find(methods.begin(), methods.end(), figure.method) == methods.end()) methods.push_back(figure.method);
  return methods;
}

const PublishedFigure* published_by(const TableColumn& column, const std::string& method) {
  for (const PublishedFigure& figure : column.published)
    if (figure.method == method) return &figure;
  return nullptr;
}

bool has_flicker(const TablePart& part) {
  for (const TableColumn& column : part.columns)
    for (const std::optional<TableCell>& cell : column.cells)
      if (cell && cell->flicker) return true;
  return false;
}

Table make_table(const Plan& plan, const std::vector<Outcome>& outcomes,
                 const std::vector<PublishedFigure>& published) {
  Table table;
  table.plan = plan;
  table.planned = static_cast<int>(planned_runs(plan).size());
  for (const Outcome& outcome : outcomes) (outcome.failure ? table.failed : table.outcomes).push_back(outcome);
  for (const PlanBudget& budget : plan.budgets) {
    for (size_t protocol = 0; protocol < plan.protocols.size(); ++protocol)
      table.parts.push_back(part_of(table, budget, protocol));
    table.costs.push_back(costs_of(table, budget));
  }
  place_published(table, published);
  add_remarks(table);
  return table;
}

}  // namespace ptl::research
