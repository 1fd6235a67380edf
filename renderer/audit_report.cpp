// What renderer/audit.h found, for people and programs.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "renderer/audit.h"
#include "renderer/report_html.h"

namespace ptl {

namespace {

constexpr const char* axis_names[6] = {"move x", "move y", "move z", "turn x", "turn y", "turn z"};

std::vector<std::pair<std::string, std::string>> rows_of(const AuditResult& result) {
  std::vector<std::pair<std::string, std::string>> rows;
  for (const AuditCamera& camera : result.cameras)
    rows.emplace_back(
        fmt::format("camera {}: derivatives", camera.id),
        fmt::format("{:.1e} off at most ({}), at {} points", camera.worst, camera.worst_entry, camera.compared));
  rows.emplace_back(
      "structure gradient against its definition",
      fmt::format("{:.1e} of its size off at most, {} points really moved ({} with a gradient; {} left out since they "
                  "would evict others)",
                  result.definition.worst, result.definition.compared, result.definition.not_zero,
                  result.definition.evicting));
  rows.emplace_back("knocked poses",
                    fmt::format("{:.0f} % of {} point back, mean cosine {:.2f}", 100 * result.share_pointing_back(),
                                result.images.size(), result.mean_cosine()));
  std::string axes;
  for (int k = 0; k < 6; ++k)
    axes += fmt::format("{}{} {:.0f} %", k ? ", " : "", axis_names[k], 100 * result.share_of_axis(k));
  rows.emplace_back("... by axis", axes);
  rows.emplace_back("knocked focal lengths", fmt::format("{:.0f} % point back", 100 * result.share_of_focal()));
  rows.emplace_back("knocked points",
                    fmt::format("{:.0f} % of {} point back, median cosine {:.2f}", 100 * result.points.share,
                                result.points.compared, result.points.median_cosine));
  return rows;
}

}  // namespace

std::string audit_text(const AuditResult& result) {
  std::string text;
  for (const auto& [what, found] : rows_of(result)) text += fmt::format("{:<44} {}\n", what, found);
  for (const std::string& problem : result.problems) text += "wrong: " + problem + "\n";
  for (const std::string& doubt : result.doubts) text += "unclear: " + doubt + "\n";
  return text + (result.problems.empty() ? "nothing is wrong\n" : "");
}

std::string audit_json(const AuditResult& result) {
  using nlohmann::ordered_json;
  ordered_json cameras = ordered_json::array(), images = ordered_json::array();
  for (const AuditCamera& camera : result.cameras)
    cameras.push_back(
        {{"id", camera.id}, {"compared", camera.compared}, {"worst", camera.worst}, {"entry", camera.worst_entry}});
  for (const AuditImage& image : result.images)
    images.push_back({{"name", image.name},
                      {"cosine", image.cosine},
                      {"knock_px", std::vector<double>(image.knock, image.knock + 6)},
                      {"gradient", std::vector<double>(image.gradient, image.gradient + 6)},
                      {"focal_points_back", image.focal_knock * image.focal_gradient > 0}});
  const AuditDefinition& d = result.definition;
  const ordered_json document = {
      {"cameras", cameras},
      {"definition",
       {{"compared", d.compared}, {"not_zero", d.not_zero}, {"evicting", d.evicting}, {"worst", d.worst}}},
      {"poses", {{"share", result.share_pointing_back()}, {"mean_cosine", result.mean_cosine()}}},
      {"focal", {{"share", result.share_of_focal()}}},
      {"points",
       {{"compared", result.points.compared},
        {"share", result.points.share},
        {"median_cosine", result.points.median_cosine}}},
      {"images", images},
      {"problems", result.problems},
      {"doubts", result.doubts}};
  return document.dump(2);
}

std::string audit_html(const std::string& title, const AuditResult& result) {
  std::string body = fmt::format(
      "<main><header><h1>Audit of {}</h1><p>{}</p></header>\n{}", html::escape(title),
      result.problems.empty() ? "Nothing is wrong." : "Something is wrong:", html::key_value_table(rows_of(result)));
  for (const std::string& doubt : result.doubts) body += "<p>Unclear: " + html::escape(doubt) + "</p>\n";
  for (const std::string& problem : result.problems) body += "<p><strong>" + html::escape(problem) + "</strong></p>\n";
  ReportChart cosines{
      "Does the gradient of a knocked pose point back?", "image", "cosine", {{"pose", {}, {}}}, false, true, false};
  ReportChart components{
      "Knock and gradient, by component", "knock (px)", "gradient, of the largest", {}, false, true, false};
  double largest = std::numeric_limits<double>::min();
  for (const auto& image : result.images)
    for (const double component : image.gradient) largest = std::max(largest, std::abs(component));
  for (int k = 0; k < 6; ++k) components.series.push_back({axis_names[k], {}, {}});
  for (size_t i = 0; i < result.images.size(); ++i) {
    cosines.series[0].x.push_back(static_cast<double>(i));
    cosines.series[0].y.push_back(result.images[i].cosine);
    for (size_t k = 0; k < 6; ++k) {
      components.series[k].x.push_back(result.images[i].knock[k]);
      components.series[k].y.push_back(result.images[i].gradient[k] / largest);
    }
  }
  body += "<section><h2>Images</h2><div class=\"charts\">" + html::chart(cosines) + html::chart(components) +
          "</div></section></main>";
  return html::page("Audit of " + title, body);
}

}  // namespace ptl
