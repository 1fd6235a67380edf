#include "research/table_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "renderer/report_html.h"

namespace ptl::research {

namespace {

using Json = nlohmann::ordered_json;

std::string fixed(double value, int digits) {
  return std::isinf(value) ? std::string("inf") : fmt::format("{:.{}f}", value, digits);
}

/// Nothing where there is no value.
std::string fixed_or_empty(const std::optional<double>& value, int digits) {
  return value ? fixed(*value, digits) : std::string();
}

std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

std::string csv_line(const std::vector<std::string>& cells) {
  std::string line;
  for (size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) line += ',';
    line += csv_cell(cells[i]);
  }
  return line += '\n';
}

std::string latex_text(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '\\':
        safe += "\\textbackslash{}";
        break;
      case '~':
        safe += "\\textasciitilde{}";
        break;
      case '^':
        safe += "\\textasciicircum{}";
        break;
      case '&':
      case '%':
      case '$':
      case '#':
      case '_':
      case '{':
      case '}':
        safe += std::string("\\") + c;
        break;
      default:
        safe += c;
    }
  }
  return safe;
}

std::string latex_estimate(const Estimate& value, int digits) {
  const std::string mean = std::isinf(value.mean) ? "\\infty" : fixed(value.mean, digits);
  return value.deviation ? fmt::format("${} \\pm {}$", mean, fixed(*value.deviation, digits))
                         : fmt::format("${}$", mean);
}

Json number(double value) {
  return std::isfinite(value) ? Json(value) : Json(std::isnan(value) ? "nan" : "inf");
}

Json to_json(const Estimate& value) {
  return {{"mean", number(value.mean)},
          {"deviation", value.deviation ? number(*value.deviation) : Json()},
          {"count", value.count}};
}

Json to_json(const std::optional<PairedDifference>& difference) {
  if (!difference) return nullptr;
  return {{"mean", number(difference->mean)},
          {"half_width_95", difference->half_width ? number(*difference->half_width) : Json()},
          {"pairs", difference->pairs}};
}

Json run_of(const Outcome& outcome) {
  return {{"scene", outcome.scene}, {"variant", outcome.variant}, {"budget", outcome.budget}, {"seed", outcome.seed}};
}

Json to_json(const Table& table, const TableCell& cell) {
  Json json = {{"psnr_db", to_json(cell.psnr_db)},
               {"ssim", to_json(cell.ssim)},
               {"lpips", cell.lpips ? to_json(*cell.lpips) : Json()},
               {"flicker_levels", cell.flicker ? to_json(*cell.flicker) : Json()},
               {"true_flicker_levels", cell.true_flicker ? to_json(*cell.true_flicker) : Json()},
               {"psnr_gain_db", to_json(cell.psnr_gain_db)},
               {"ssim_gain", to_json(cell.ssim_gain)},
               {"runs", Json::array()}};
  for (const size_t outcome : cell.outcomes) json["runs"].push_back(run_of(table.outcomes[outcome]));
  return json;
}

Json to_json(const EvalProtocol& protocol) {
  Json json = {
      {"border", protocol.border}, {"exposure", protocol.exposure}, {"pose", protocol.pose}, {"split", protocol.split}};
  if (protocol.values != EvalProtocol().values) json["values"] = protocol.values;
  return json;
}

std::string heading(const TablePart& part) {
  return fmt::format("{}; exposure {}, pose {}, border {}", part.budget.name(), part.protocol.exposure,
                     part.protocol.pose, part.protocol.border);
}

}  // namespace

std::string estimate_text(const Estimate& value, int digits) {
  std::string text = fixed(value.mean, digits);
  if (value.deviation) text += " ± " + fixed(*value.deviation, digits);
  return text;
}

std::string difference_text(const PairedDifference& difference, int digits) {
  if (!difference.half_width) return fmt::format("{:+.{}f} (n = {})", difference.mean, digits, difference.pairs);
  return fmt::format("{:+.{}f} [{:+.{}f}, {:+.{}f}]", difference.mean, digits, difference.mean - *difference.half_width,
                     digits, difference.mean + *difference.half_width, digits);
}

std::string flicker_text(const TableCell& cell) {
  if (!cell.flicker) return "n/a";
  std::string text = fixed(cell.flicker->mean, 2);
  if (cell.true_flicker) text += fmt::format(" (true pictures {})", fixed(cell.true_flicker->mean, 2));
  return text;
}

std::string table_text(const Table& table) {
  std::string text = fmt::format("{}\n", table.plan.title);
  for (const TablePart& part : table.parts) {
    text += fmt::format("\n{}\n", heading(part));
    for (const TableColumn& column : part.columns) {
      text += fmt::format("  {}\n", column.label);
      for (size_t v = 0; v < column.cells.size(); ++v) {
        if (!column.cells[v]) continue;
        const TableCell& cell = *column.cells[v];
        text += fmt::format("    {:<28} {:>15} dB  SSIM {:>15}{}{}\n", table.plan.variants[v].name,
                            estimate_text(cell.psnr_db, 2), estimate_text(cell.ssim, 3),
                            cell.flicker ? "  flicker " + flicker_text(cell) : std::string(),
                            cell.psnr_gain_db ? "  " + difference_text(*cell.psnr_gain_db, 2) + " dB" : "");
      }
      for (const PublishedFigure& figure : column.published)
        text += fmt::format("    {:<28} {:>15} dB  SSIM {:>15}  published\n", figure.method,
                            figure.psnr_db ? fixed(*figure.psnr_db, 2) : "n/a",
                            figure.ssim ? fixed(*figure.ssim, 3) : "n/a");
    }
    for (size_t v = 0; v < part.overall.size(); ++v)
      if (part.overall[v])
        text += fmt::format(
            "{}    {:<28} {:>15} dB  SSIM {:>15}{}\n", v == 0 ? "  all scenes\n" : "", table.plan.variants[v].name,
            fixed(part.overall[v]->psnr_db.mean, 2), fixed(part.overall[v]->ssim.mean, 3),
            part.overall[v]->psnr_gain_db ? "  " + difference_text(*part.overall[v]->psnr_gain_db, 2) + " dB" : "");
  }
  for (const std::string& remark : table.remarks) text += fmt::format("note: {}\n", remark);
  return text;
}

std::string table_csv(const Table& table) {
  std::string csv =
      csv_line({"scene", "variant", "budget", "seed", "border", "exposure", "pose", "split", "image", "psnr_db", "ssim",
                "lpips", "flicker_levels", "true_flicker_levels", "steps", "seconds", "peak_gib", "points", "data", "machine", "disturbed"});
  for (const Outcome& outcome : table.outcomes)
    for (const EvalResult& result : outcome.evaluations) {
      std::optional<double> flicker, true_flicker;  // of the run, the same on each line
      if (result.flicker) flicker = result.flicker->levels, true_flicker = result.flicker->truth_levels;
      const auto add = [&](const std::string& image, const EvalScore& score) {
        const auto data = outcome.data.find("scene");
        csv += csv_line({outcome.scene, outcome.variant, outcome.budget, std::to_string(outcome.seed),
                         result.protocol.border, result.protocol.exposure, result.protocol.pose, result.protocol.split,
                         image, fixed(score.psnr_db, 4), fixed(score.ssim, 5),
                         fixed_or_empty(score.lpips, 5), fixed_or_empty(flicker, 4), fixed_or_empty(true_flicker, 4),
                         std::to_string(result.steps),
                         fixed(outcome.seconds, 1), fixed(static_cast<double>(outcome.peak_bytes) / (1ull << 30), 3),
                         std::to_string(result.points), data == outcome.data.end() ? "" : data->second,
                         outcome.machine.text(), outcome.disturbed() ? "yes" : "no"});
      };
      for (const EvalImage& image : result.images) add(image.name, image.score);
      add("mean", result.mean);
    }
  return csv;
}

std::string table_latex(const Table& table) {
  std::string latex = "% " + latex_text(table.plan.title) + "\n% needs \\usepackage{booktabs}\n";
  for (const TablePart& part : table.parts) {
    if (part.columns.empty()) continue;
    const bool with_flicker = has_flicker(part);
    std::string columns = "l", scenes, heads;
    for (const TableColumn& column : part.columns) {
      columns += with_flicker ? "rrr" : "rr";
      scenes += fmt::format(" & \\multicolumn{{{}}}{{c}}{{{}}}", with_flicker ? 3 : 2, latex_text(column.label));
      heads += with_flicker ? " & PSNR & SSIM & flicker" : " & PSNR & SSIM";
    }
    latex += fmt::format("% {}\n\\begin{{tabular}}{{{}}}\n\\toprule\n{} \\\\\n{} \\\\\n\\midrule\n",
                         latex_text(heading(part)), columns, scenes, heads);
    for (size_t v = 0; v < table.plan.variants.size(); ++v) {
      latex += latex_text(table.plan.variants[v].name);
      for (const TableColumn& column : part.columns) {
        const std::optional<TableCell>& cell = column.cells[v];
        latex += cell ? " & " + latex_estimate(cell->psnr_db, 2) + " & " + latex_estimate(cell->ssim, 3)
                      : std::string(" & -- & --");
        if (with_flicker) latex += cell && cell->flicker ? " & " + latex_estimate(*cell->flicker, 2) : std::string(" & --");
      }
      latex += " \\\\\n";
    }
    const std::vector<std::string> methods = published_methods(part);
    if (!methods.empty()) latex += "\\midrule\n";
    for (const std::string& method : methods) {
      latex += latex_text(method) + " (published)";
      for (const TableColumn& column : part.columns) {
        const PublishedFigure* figure = published_by(column, method);
        latex += fmt::format(" & {} & {}{}", figure && figure->psnr_db ? fixed(*figure->psnr_db, 2) : "--",
                             figure && figure->ssim ? fixed(*figure->ssim, 3) : "--", with_flicker ? " & --" : "");
      }
      latex += " \\\\\n";
    }
    latex += "\\bottomrule\n\\end{tabular}\n\n";
  }
  return latex;
}

std::string table_json(const Table& table) {
  Json json = {{"title", table.plan.title},     {"question", table.plan.question}, {"planned", table.planned},
               {"done", table.outcomes.size()}, {"failed", table.failed.size()},   {"remarks", table.remarks},
               {"parts", Json::array()}};
  for (const TablePart& part : table.parts) {
    Json entry = {{"budget", part.budget.name()}, {"columns", Json::array()}, {"overall", Json::object()}};
    for (const TableColumn& column : part.columns) {
      Json of = {{"scene", column.scene}, {"protocol", to_json(column.protocol)}, {"size", column.sizes_px},
                 {"data", column.data},   {"variants", Json::object()},           {"published", Json::array()}};
      for (size_t v = 0; v < column.cells.size(); ++v)
        of["variants"][table.plan.variants[v].name] = column.cells[v] ? to_json(table, *column.cells[v]) : Json();
      for (const PublishedFigure& figure : column.published)
        of["published"].push_back({{"method", figure.method},
                                   {"source", figure.source},
                                   {"psnr_db", figure.psnr_db ? Json(*figure.psnr_db) : Json()},
                                   {"ssim", figure.ssim ? Json(*figure.ssim) : Json()},
                                   {"lpips", figure.lpips ? Json(*figure.lpips) : Json()}});
      entry["columns"].push_back(std::move(of));
    }
    for (size_t v = 0; v < part.overall.size(); ++v)
      entry["overall"][table.plan.variants[v].name] = part.overall[v] ? to_json(table, *part.overall[v]) : Json();
    json["parts"].push_back(std::move(entry));
  }
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace ptl::research
