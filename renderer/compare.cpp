#include "renderer/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <set>

#include "datasets/error.h"
#include "renderer/report_html.h"

namespace ptl {

namespace {

/// What must be the same before figures may be ranked, as text.
struct Condition {
  const char* name;
  std::function<std::string(const EvalResult&)> value;
};

const std::vector<Condition>& conditions() {
  static const std::vector<Condition> list = {
      {"scene", [](const EvalResult& run) { return run.scene; }},
      {"split", [](const EvalResult& run) { return run.protocol.split; }},
      {"border", [](const EvalResult& run) { return run.protocol.border; }},
      {"exposure", [](const EvalResult& run) { return run.protocol.exposure; }},
      {"pose", [](const EvalResult& run) { return run.protocol.pose; }},
      {"values", [](const EvalResult& run) { return run.protocol.values; }},
      {"size", [](const EvalResult& run) { return html::sizes_text(run.sizes_px); }},
  };
  return list;
}

std::set<std::array<int, 2>> size_set(const EvalResult& run) { return {run.sizes_px.begin(), run.sizes_px.end()}; }

std::set<std::string> image_names(const EvalResult& run) {
  std::set<std::string> names;
  for (const EvalImage& image : run.images) names.insert(image.name);
  return names;
}

std::vector<std::string> find_obstacles(const std::vector<EvalResult>& runs) {
  std::vector<std::string> obstacles;
  for (const Condition& condition : conditions()) {
    const bool is_size = std::string_view(condition.name) == "size";
    const bool same = std::all_of(runs.begin(), runs.end(), [&](const EvalResult& run) {
      return is_size ? size_set(run) == size_set(runs[0]) : condition.value(run) == condition.value(runs[0]);
    });
    if (same) continue;
    std::string text = fmt::format("different {}:", condition.name);
    for (size_t i = 0; i < runs.size(); ++i)
      text += fmt::format("{} {} ({})", i ? "," : "", condition.value(runs[i]), runs[i].run);
    obstacles.push_back(text);
  }
  for (const EvalResult& run : runs)
    if (run.images.empty()) obstacles.push_back(fmt::format("no held-out images in {}", run.run));
  for (const EvalResult& run : runs)
    if (obstacles.empty() && image_names(run) != image_names(runs[0]))
      obstacles.push_back(fmt::format("different images: {} in {}, {} in {}, not the same names", runs[0].images.size(),
                                      runs[0].run, run.images.size(), run.run));
  return obstacles;
}

std::vector<Comparison::SettingRow> find_differing_settings(const std::vector<EvalResult>& runs) {
  std::set<std::string> keys;
  for (const EvalResult& run : runs)
    for (const auto& [key, value] : run.settings) keys.insert(key);
  std::vector<Comparison::SettingRow> rows;
  for (const std::string& key : keys) {
    Comparison::SettingRow row{key, {}};
    for (const EvalResult& run : runs) {
      const auto found = run.settings.find(key);
      row.values.push_back(found == run.settings.end() ? "–" : found->second);
    }
    if (std::any_of(row.values.begin(), row.values.end(), [&](const std::string& value) { return value != row.values[0]; }))
      rows.push_back(std::move(row));
  }
  return rows;
}

using Table = std::vector<std::vector<std::string>>;  // rows of cells, the first one is the head

Table figures_table(const Comparison& comparison) {
  Table table;
  table.push_back({"run", "PSNR (dB)", "SSIM", "LPIPS", "images", "steps", "time"});
  if (comparison.can_rank()) table[0].insert(table[0].begin(), "rank");
  for (size_t place = 0; place < comparison.order.size(); ++place) {
    const EvalResult& run = comparison.runs[static_cast<size_t>(comparison.order[place])];
    const bool scored = !run.images.empty();
    std::vector<std::string> row = {run.run,
                                    scored ? html::psnr_text(run.mean.psnr_db) : "–",
                                    scored ? html::ssim_text(run.mean.ssim) : "–",
                                    html::lpips_text(run.mean.lpips),
                                    std::to_string(run.images.size()),
                                    std::to_string(run.steps),
                                    html::duration_text(run.seconds)};
    if (comparison.can_rank()) row.insert(row.begin(), std::to_string(place + 1));
    table.push_back(std::move(row));
  }
  return table;
}

/// A column per run, in the order of the figures.
Table by_run(const Comparison& comparison, const std::string& first,
             const std::vector<std::pair<std::string, std::function<std::string(size_t)>>>& rows) {
  Table table = {{first}};
  for (const int run : comparison.order) table[0].push_back(comparison.runs[static_cast<size_t>(run)].run);
  for (const auto& [name, value] : rows) {
    table.push_back({name});
    for (const int run : comparison.order) table.back().push_back(value(static_cast<size_t>(run)));
  }
  return table;
}

Table protocol_table(const Comparison& comparison) {
  std::vector<std::pair<std::string, std::function<std::string(size_t)>>> rows;
  for (const Condition& condition : conditions())
    rows.emplace_back(condition.name, [&](size_t run) { return condition.value(comparison.runs[run]); });
  return by_run(comparison, "protocol", rows);
}

Table settings_table(const Comparison& comparison) {
  std::vector<std::pair<std::string, std::function<std::string(size_t)>>> rows;
  for (const Comparison::SettingRow& setting : comparison.differing_settings)
    rows.emplace_back(setting.key, [&](size_t run) { return setting.values[run]; });
  return by_run(comparison, "setting", rows);
}

Table image_table(const Comparison& comparison) {
  std::vector<std::map<std::string, std::string>> psnr(comparison.runs.size());
  std::set<std::string> names;
  for (size_t run = 0; run < comparison.runs.size(); ++run)
    for (const EvalImage& image : comparison.runs[run].images) {
      names.insert(image.name);
      psnr[run][image.name] = html::psnr_text(image.score.psnr_db);
    }
  std::vector<std::pair<std::string, std::function<std::string(size_t)>>> rows;
  for (const std::string& name : names)
    rows.emplace_back(name, [&psnr, name](size_t run) { return psnr[run].count(name) ? psnr[run][name] : "–"; });
  return by_run(comparison, "photo", rows);
}

size_t displayed_width(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

std::string as_text(const Table& table) {
  std::vector<size_t> widths(table[0].size());
  for (const auto& row : table)
    for (size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], displayed_width(row[c]));
  std::string text;
  for (size_t r = 0; r < table.size(); ++r) {
    std::string line;
    for (size_t c = 0; c < table[r].size(); ++c) {
      const std::string gap(widths[c] - displayed_width(table[r][c]), ' ');
      const bool is_first = c == 0 || (c == 1 && table[0][0] == "rank");
      line += (c ? "  " : "") + (is_first ? table[r][c] + gap : gap + table[r][c]);
    }
    while (line.ends_with(' ')) line.pop_back();
    text += line + "\n";
    if (r == 0) text += std::string(std::accumulate(widths.begin(), widths.end(), size_t{0}) + 2 * (widths.size() - 1), '-') + "\n";
  }
  return text;
}

std::string as_html(const Table& table, bool ranked = false) {
  std::string markup = fmt::format("<div class=\"card scroll\"><table{}><thead><tr>", ranked ? " class=\"ranked\"" : "");
  for (const std::string& cell : table[0]) markup += "<th scope=\"col\">" + html::escape(cell) + "</th>";
  markup += "</tr></thead><tbody>";
  for (size_t r = 1; r < table.size(); ++r) {
    markup += ranked && r == 1 ? "<tr class=\"best\">" : "<tr>";
    for (const std::string& cell : table[r]) markup += "<td>" + html::escape(cell) + "</td>";
    markup += "</tr>";
  }
  return markup + "</tbody></table></div>";
}

}  // namespace

Comparison compare_runs(const std::vector<EvalResult>& runs) {
  if (runs.size() < 2) throw InputError("{} run to compare, expected at least two", runs.size());
  Comparison comparison;
  comparison.runs = runs;
  comparison.obstacles = find_obstacles(runs);
  comparison.differing_settings = find_differing_settings(runs);
  comparison.order.resize(runs.size());
  std::iota(comparison.order.begin(), comparison.order.end(), 0);
  if (comparison.can_rank())
    std::stable_sort(comparison.order.begin(), comparison.order.end(), [&](int a, int b) {
      const EvalScore& left = runs[static_cast<size_t>(a)].mean;
      const EvalScore& right = runs[static_cast<size_t>(b)].mean;
      return left.psnr_db != right.psnr_db ? left.psnr_db > right.psnr_db : left.ssim > right.ssim;
    });
  return comparison;
}

std::string comparison_text(const Comparison& comparison) {
  std::string text = as_text(figures_table(comparison)) + "\n" + as_text(protocol_table(comparison)) + "\n";
  text += comparison.differing_settings.empty() ? "all settings are the same\n" : as_text(settings_table(comparison));
  if (!comparison.can_rank()) {
    text += "\nnot ranked, since these figures do not mean the same:\n";
    for (const std::string& obstacle : comparison.obstacles) text += "  " + obstacle + "\n";
  }
  return text;
}

std::string comparison_html(const Comparison& comparison) {
  std::string body = fmt::format("<main><header><h1>{} runs compared</h1><p>{}</p></header>", comparison.runs.size(),
                                 comparison.can_rank() ? html::escape(comparison.runs[0].scene)
                                                       : "These runs are not ranked.");
  if (!comparison.can_rank()) {
    body += "<ul class=\"notes\">";
    for (const std::string& obstacle : comparison.obstacles) body += "<li>" + html::escape(obstacle) + "</li>";
    body += "</ul>";
  }
  body += "<section><h2>Figures</h2>" + as_html(figures_table(comparison), comparison.can_rank()) + "</section>";
  body += "<section><h2>Protocol</h2>" + as_html(protocol_table(comparison)) + "</section>";
  body += "<section><h2>Settings that differ</h2>" +
          (comparison.differing_settings.empty() ? std::string("<p>None.</p>") : as_html(settings_table(comparison))) +
          "</section>";
  body += "<section><h2>PSNR (dB) per photo</h2>" + as_html(image_table(comparison)) + "</section>";
  body += "<footer>Written by pointillist. This page needs no network.</footer></main>";
  return html::page("Runs compared", body);
}

}  // namespace ptl
