// The page of a bench. Pictures share one zoom: what is compared is the same place.
#include <fmt/format.h>

#include <algorithm>

#include "datasets/image_io.h"
#include "datasets/resize.h"
#include "renderer/report_html.h"
#include "research/table_files.h"

namespace ptl::research {

namespace {

using html::escape;

constexpr int longest_side_px = 960;

constexpr std::string_view page_script = R"js(
(() => {
  const zoom = { scale: 1, x: 0.5, y: 0.5 };
  const stages = [...document.querySelectorAll('.zoomed')];
  const show = () => {
    for (const stage of stages) {
      const image = stage.querySelector('img');
      image.style.transformOrigin = '0 0';
      image.style.transform = `scale(${zoom.scale}) translate(${-(zoom.x - 0.5 / zoom.scale) * 100}%, ${-(zoom.y - 0.5 / zoom.scale) * 100}%)`;
      image.style.imageRendering = zoom.scale > 3 ? 'pixelated' : 'auto';
    }
  };
  const hold = () => {
    const half = 0.5 / zoom.scale;
    zoom.x = Math.min(1 - half, Math.max(half, zoom.x));
    zoom.y = Math.min(1 - half, Math.max(half, zoom.y));
    show();
  };
  for (const stage of stages) {
    stage.addEventListener('wheel', event => {
      event.preventDefault();
      const box = stage.getBoundingClientRect();
      const u = (event.clientX - box.left) / box.width - 0.5, v = (event.clientY - box.top) / box.height - 0.5;
      const before = zoom.scale;
      zoom.scale = Math.min(16, Math.max(1, zoom.scale * Math.exp(-event.deltaY / 400)));
      zoom.x += u / before - u / zoom.scale;
      zoom.y += v / before - v / zoom.scale;
      hold();
    }, { passive: false });
    stage.addEventListener('pointerdown', event => {
      stage.setPointerCapture(event.pointerId);
      let last = event;
      const move = now => {
        const box = stage.getBoundingClientRect();
        zoom.x -= (now.clientX - last.clientX) / box.width / zoom.scale;
        zoom.y -= (now.clientY - last.clientY) / box.height / zoom.scale;
        last = now;
        hold();
      };
      stage.addEventListener('pointermove', move);
      stage.addEventListener('pointerup', () => stage.removeEventListener('pointermove', move), { once: true });
    });
    stage.addEventListener('dblclick', () => { zoom.scale = 1; zoom.x = zoom.y = 0.5; hold(); });
  }
})();
)js";

constexpr std::string_view page_style = R"css(
.beside { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 300px), 1fr)); gap: 12px; margin-bottom: 20px; }
.beside figure { margin: 0; } .beside figcaption { color: var(--soft); font-size: .86rem; padding-top: 4px; overflow-wrap: anywhere; }
.zoomed { overflow: hidden; border-radius: 6px; line-height: 0; touch-action: none; cursor: grab; }
.zoomed img { width: 100%; height: auto; display: block; user-select: none; -webkit-user-drag: none; }
.gain { color: var(--soft); font-size: .86rem; display: block; } .gain.clear { color: var(--ink); font-weight: 600; }
.figures td { white-space: nowrap; } .figures th, .figures td { padding: 7px 10px; } a { color: var(--accent); }
.figures th:first-child { min-width: 8em; overflow-wrap: break-word; position: sticky; left: 0; background: var(--card); }
.published th, .published td { color: var(--soft); }
details { padding: 8px 16px; border-top: 1px solid var(--line); } summary { cursor: pointer; overflow-wrap: anywhere; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font-size: .84rem; }
)css";

std::string anchor(size_t outcome) {
  return fmt::format("run{}", outcome);
}

std::string gain_markup(const std::optional<PairedDifference>& gain, int digits) {
  if (!gain) return {};
  return fmt::format("<span class=\"gain{}\">{}</span>", gain->is_clear() ? " clear" : "",
                     escape(difference_text(*gain, digits)));
}

/// Means over scenes come without a deviation, which would be that of the scenes.
std::string mean_text(const Estimate& value, int digits, bool over_scenes) {
  return estimate_text(over_scenes ? Estimate{value.mean, std::nullopt, value.count} : value, digits);
}

/// Figures that stand in a table only where some run has them.
struct OptionalColumns {
  bool lpips = false, flicker = false;
  int count() const { return 2 + lpips + flicker; }
  std::string heads() const {
    std::string markup = "<th>PSNR (dB)</th><th>SSIM</th>";
    if (lpips) markup += "<th>LPIPS</th>";
    if (flicker)
      markup += "<th title=\"mean change from frame to frame, moved by depth, 0 to 255; a blurred picture flickers less\">flicker</th>";
    return markup;
  }
};

std::string repeated(const char* text, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) all += text;
  return all;
}

/// The figure leads to its first run.
std::string cell_markup(const std::optional<TableCell>& cell, const OptionalColumns& with, bool over_scenes = false) {
  if (!cell) return repeated("<td>–</td>", with.count());
  const std::string link =
      cell->outcomes.empty() ? "" : fmt::format("<a href=\"#{}\">", anchor(cell->outcomes.front()));
  const std::string end = link.empty() ? "" : "</a>";
  std::string markup =
      fmt::format("<td>{}{}{}{}</td><td>{}{}</td>", link, escape(mean_text(cell->psnr_db, 2, over_scenes)), end,
                  gain_markup(cell->psnr_gain_db, 2), escape(mean_text(cell->ssim, 3, over_scenes)),
                  gain_markup(cell->ssim_gain, 3));
  if (with.lpips)
    markup += fmt::format("<td>{}</td>", cell->lpips ? escape(mean_text(*cell->lpips, 3, over_scenes)) : "n/a");
  if (with.flicker) markup += fmt::format("<td>{}</td>", escape(flicker_text(*cell)));
  return markup;
}

/// A column for LPIPS where anything has it.
bool has_lpips(const TablePart& part) {
  for (const TableColumn& column : part.columns) {
    for (const std::optional<TableCell>& cell : column.cells)
      if (cell && cell->lpips) return true;
    for (const PublishedFigure& figure : column.published)
      if (figure.lpips) return true;
  }
  return false;
}

std::string figure_text(const std::optional<double>& value, int digits) {
  return value ? fmt::format("{:.{}f}", *value, digits) : std::string("–");
}

std::string figures_markup(const Table& table, const TablePart& part) {
  const bool with_overall = !part.overall.empty() && std::any_of(part.overall.begin(), part.overall.end(),
                                                                 [](const auto& cell) { return cell.has_value(); });
  const OptionalColumns with{has_lpips(part), has_flicker(part)};
  std::string scenes = "<th></th>", heads = "<th></th>";
  const auto head = [&](const std::string& name) {
    scenes += fmt::format("<th colspan=\"{}\">{}</th>", with.count(), escape(name));
    heads += with.heads();
  };
  for (const TableColumn& column : part.columns) head(column.label);
  if (with_overall) head("all scenes");
  std::string rows;
  for (size_t v = 0; v < table.plan.variants.size(); ++v) {
    rows += fmt::format("<tr><th scope=\"row\">{}</th>", escape(table.plan.variants[v].name));
    for (const TableColumn& column : part.columns) rows += cell_markup(column.cells[v], with);
    if (with_overall) rows += cell_markup(part.overall[v], with, true);
    rows += "</tr>";
  }
  for (const std::string& method : published_methods(part)) {
    rows += fmt::format("<tr class=\"published\"><th scope=\"row\">{} (published)</th>", escape(method));
    for (const TableColumn& column : part.columns) {
      const PublishedFigure* found = published_by(column, method);
      const PublishedFigure figure = found ? *found : PublishedFigure{};
      rows += fmt::format("<td>{}</td><td>{}</td>", figure_text(figure.psnr_db, 2), figure_text(figure.ssim, 3));
      if (with.lpips) rows += fmt::format("<td>{}</td>", figure_text(figure.lpips, 3));
      if (with.flicker) rows += "<td>–</td>";
    }
    if (with_overall) rows += cell_markup(std::nullopt, with);
    rows += "</tr>";
  }
  return fmt::format(
      "<div class=\"card scroll\"><table "
      "class=\"figures\"><thead><tr>{}</tr><tr>{}</tr></thead><tbody>{}</tbody></table></div>",
      scenes, heads, rows);
}

std::string costs_markup(const Table& table, size_t budget) {
  std::string rows;
  for (size_t s = 0; s < table.plan.scenes.size(); ++s)
    for (size_t v = 0; v < table.plan.variants.size(); ++v) {
      const std::optional<TableCost>& cost = table.costs[budget][v][s];
      if (!cost) continue;
      rows +=
          fmt::format("<tr><th scope=\"row\">{} · {}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
                      escape(table.plan.scenes[s].name), escape(table.plan.variants[v].name),
                      cost->machine.empty() ? "different machines" : escape(estimate_text(cost->seconds, 0)) + " s",
                      escape(estimate_text(cost->steps, 0)), escape(estimate_text(cost->memory_gib, 2)),
                      escape(estimate_text(cost->points, 0)), cost->disturbed);
    }
  if (rows.empty()) return {};
  return "<div class=\"card scroll\"><table><thead><tr><th>fits</th><th>time</th><th>steps</th><th>most memory "
         "(GiB)</th><th>points</th>"
         "<th>disturbed</th></tr></thead><tbody>" +
         rows + "</tbody></table></div>";
}

std::string picture_uri(const std::filesystem::path& path) {
  StoredImage image = read_image(path);
  const int longest = std::max(image.width, image.height);
  if (longest > longest_side_px)
    image = reduce_area(image, std::max(1, image.width * longest_side_px / longest),
                        std::max(1, image.height * longest_side_px / longest));
  return html::data_uri(encode_jpeg(to_stored(to_float(image)), 88));
}

std::string pictures_markup(const Table& table, const std::vector<TablePicture>& pictures) {
  std::string markup;
  for (const TablePicture& picture : pictures) {
    const auto figure = [&](const std::filesystem::path& file, const std::string& caption) {
      markup += fmt::format(
          "<figure><div class=\"zoomed\"><img alt=\"{0}\" src=\"{1}\"></div><figcaption>{0}</figcaption></figure>",
          escape(caption), picture_uri(file));
    };
    markup += fmt::format("<h3>{} · {}</h3><div class=\"beside\">", escape(picture.scene), escape(picture.name));
    figure(picture.photo, "photo");
    for (size_t v = 0; v < picture.renderings.size(); ++v)
      if (picture.renderings[v]) figure(*picture.renderings[v], table.plan.variants[v].name);
    markup += "</div>";
  }
  return markup;
}

std::string run_markup(const Table& table, size_t index) {
  const Outcome& outcome = table.outcomes[index];
  ReportTable rows;
  std::string command = "pointillist";
  for (const std::string& word : outcome.fit_command) command += " " + word;
  rows.emplace_back("command", command);
  rows.emplace_back("started, ended", outcome.started + ", " + outcome.ended);
  rows.emplace_back(
      "time", fmt::format("{:.1f} s in {} start{}", outcome.seconds, outcome.starts, outcome.starts == 1 ? "" : "s"));
  rows.emplace_back("most memory", fmt::format("{:.2f} GiB", static_cast<double>(outcome.peak_bytes) / (1ull << 30)));
  rows.emplace_back("machine",
                    outcome.machine.text() + ", " + outcome.machine.system + " (" + outcome.machine.host + ")");
  rows.emplace_back("cores busy before",
                    fmt::format("{:.2f}{}", outcome.busy_cores, outcome.disturbed() ? ": disturbed" : ""));
  for (const auto& [name, value] : outcome.versions) rows.emplace_back(name, value);
  for (const auto& [name, value] : outcome.data) rows.emplace_back("data: " + name, value);
  std::string markup = fmt::format("<details id=\"{}\"><summary>{} · {} · {} · seed {}</summary>{}", anchor(index),
                                   escape(outcome.scene), escape(outcome.variant), escape(outcome.budget), outcome.seed,
                                   html::key_value_table(rows));
  for (const EvalResult& result : outcome.evaluations) {
    markup += fmt::format(
        "<p class=\"protocol\">{} · {}</p><table><thead><tr><th>held-out photo</th><th>PSNR (dB)</th><th>SSIM</th>"
        "<th>LPIPS</th></tr></thead><tbody>",
        escape(html::protocol_text(result.protocol)), escape(html::sizes_text(result.sizes_px)));
    for (const EvalImage& image : result.images)
      markup += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>", escape(image.name),
                            html::psnr_text(image.score.psnr_db), html::ssim_text(image.score.ssim),
                            html::lpips_text(image.score.lpips));
    markup += "</tbody></table>";
  }
  if (!outcome.evaluations.empty()) {
    ReportTable settings;
    for (const auto& [key, value] : outcome.evaluations.front().settings) settings.emplace_back(key, value);
    markup += "<details><summary>configuration</summary>" + html::key_value_table(settings) + "</details>";
  }
  return markup + "</details>";
}

}  // namespace

std::string table_page(const Table& table, const std::vector<TablePicture>& pictures) {
  std::string body = fmt::format("<style>{}</style><main><header><h1>{}</h1><p>{}</p></header>", page_style,
                                 escape(table.plan.title), escape(table.plan.question));
  if (!table.remarks.empty()) {
    body += "<ul class=\"notes\">";
    for (const std::string& remark : table.remarks) body += "<li>" + escape(remark) + "</li>";
    body += "</ul>";
  }
  for (const TablePart& part : table.parts) {
    if (part.columns.empty()) continue;
    body += fmt::format(
        "<section><h2>{}, exposure {}</h2><p>pose {}, border {}. Mean ± deviation over seeds; below it the difference "
        "to "
        "“{}”, seed by seed, with its interval of 95 % (all scenes: scene by scene).</p>",
        escape(part.budget.name()), escape(part.protocol.exposure), escape(part.protocol.pose),
        escape(part.protocol.border), escape(table.plan.variants.front().name));
    body += figures_markup(table, part) + "</section>";
  }
  for (size_t i = 0; i < table.costs.size(); ++i)
    if (const std::string costs = costs_markup(table, i); !costs.empty())
      body += fmt::format("<section><h2>What they needed: {}</h2>{}</section>", escape(table.plan.budgets[i].name()),
                          costs);
  if (!table.not_comparable.empty()) {
    body +=
        "<section><h2>Published, under other conditions</h2><p>These stand in no column above, and why.</p><div "
        "class=\"card scroll\"><table>"
        "<thead><tr><th>method</th><th>scene</th><th>PSNR (dB)</th><th>SSIM</th><th>LPIPS</th><th>not "
        "comparable</th><th>source</th></tr>"
        "</thead><tbody>";
    for (const PublishedCell& cell : table.not_comparable)
      body += fmt::format(
          "<tr class=\"published\"><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
          escape(cell.figure.method), escape(cell.figure.scene), figure_text(cell.figure.psnr_db, 2),
          figure_text(cell.figure.ssim, 3), figure_text(cell.figure.lpips, 3), escape(cell.obstacle),
          escape(cell.figure.source));
    body += "</tbody></table></div></section>";
  }
  if (!pictures.empty())
    body +=
        "<section><h2>Held-out photos</h2><p>The wheel zooms all pictures at once, dragging moves them, a double click "
        "shows them whole."
        "</p>" +
        pictures_markup(table, pictures) + "</section>";
  body += "<section><h2>Runs</h2><p>Where every figure comes from.</p><div class=\"card\">";
  for (size_t i = 0; i < table.outcomes.size(); ++i) body += run_markup(table, i);
  for (const Outcome& outcome : table.failed) {
    std::string lines;
    for (const std::string& line : outcome.failure->last_lines) lines += line + "\n";
    body += fmt::format("<details><summary>failed: {} · {} · {} · seed {} ({}: {})</summary><pre>{}</pre></details>",
                        escape(outcome.scene), escape(outcome.variant), escape(outcome.budget), outcome.seed,
                        escape(outcome.failure->command), escape(outcome.failure->how), escape(lines));
  }
  body += fmt::format("</div></section></main><script>{}</script>", page_script);
  return html::page(table.plan.title, body);
}

}  // namespace ptl::research
