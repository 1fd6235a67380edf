#include "doctor/page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "datasets/html_text.h"
#include "doctor/describe.h"
#include "doctor/page_parts.h"
#include "doctor/page_style.h"

namespace ptl::doctor {

namespace {

using html::escape;

constexpr size_t shown_shots = 8;  // of one finding

std::string lines(const std::string& text) {
  std::string markup = escape(text);
  for (size_t at = 0; (at = markup.find('\n', at)) != std::string::npos;) markup.replace(at, 1, "<br>");
  return markup;
}

std::string finding_card(const Examination& examination, const Finding& finding) {
  const Scene& scene = examination.opened.scene;
  std::string card = fmt::format("<article class=\"finding {0}\"><h3><span class=\"badge {0}\">{0}</span> {1}</h3>",
                                 severity_name(finding.severity), escape(finding.what));
  if (!finding.where.empty()) card += fmt::format("<p class=\"where\">{}</p>", lines(finding.where));
  card += fmt::format("<dl><dt>in pictures</dt><dd>{}</dd><dt>what to do</dt><dd>{}</dd></dl>", escape(finding.shows),
                      escape(finding.remedy));
  if (!finding.images.empty()) {
    card += "<div class=\"shots\">";
    for (size_t k = 0; k < std::min(shown_shots, finding.images.size()); ++k)
      card += shot(examination, finding.images[k]);
    card += "</div>";
  }
  if (finding.images.size() > shown_shots) {
    card += fmt::format("<details><summary>{} more</summary><ul>", finding.images.size() - shown_shots);
    for (size_t k = shown_shots; k < finding.images.size(); ++k)
      card += fmt::format("<li>{}: {}</li>", escape(scene.images[static_cast<size_t>(finding.images[k].image)].name),
                          escape(finding.images[k].detail));
    card += "</ul></details>";
  }
  return card + "</article>";
}

std::string figure_text(double value) {
  return std::isfinite(value) ? fmt::format("{:.4g}", value) : "–";
}

std::string image_table(const Examination& examination) {
  const Diagnosis& diagnosis = examination.diagnosis;
  const std::vector<int> worst = worst_by_image(examination);
  std::string table = "<div class=\"scroll\"><table><thead><tr><th>image</th>";
  for (const ImageFigure& figure : diagnosis.figures)
    table += fmt::format("<th>{}{}</th>", escape(figure.name), figure.unit.empty() ? "" : "<br>" + escape(figure.unit));
  table += "</tr></thead><tbody>";
  for (size_t i = 0; i < worst.size(); ++i) {
    table +=
        fmt::format("<tr><th scope=\"row\" class=\"{}\">{}</th>", worst[i] < 0 ? "sound" : severity_class[worst[i]],
                    escape(examination.opened.scene.images[i].name));
    for (const ImageFigure& figure : diagnosis.figures) table += "<td>" + figure_text(figure.value[i]) + "</td>";
    table += "</tr>";
  }
  return table + "</tbody></table></div>";
}

std::string needs_table(const Diagnosis& diagnosis) {
  if (diagnosis.needs.empty()) return "";
  std::string table =
      "<section><h2>What the presets need on this machine</h2><table><thead><tr><th>preset</th><th>memory</th>"
      "<th>time</th><th></th></tr></thead><tbody>";
  for (const PresetNeed& need : diagnosis.needs)
    table += fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td></tr>", escape(need.preset),
                         escape(need.memory), escape(need.time), escape(need.remark));
  return table + "</tbody></table></section>";
}

std::string list_section(const char* title, const std::vector<std::string>& items) {
  if (items.empty()) return "";
  std::string section = fmt::format("<section><h2>{}</h2><ul>", title);
  for (const std::string& item : items) section += "<li>" + escape(item) + "</li>";
  return section + "</ul></section>";
}

}  // namespace

std::vector<int> worst_by_image(const Examination& examination) {
  std::vector<int> worst(examination.opened.scene.images.size(), -1);
  for (const Finding& finding : examination.diagnosis.findings)
    for (const Mention& mention : finding.images) {
      int& one = worst[static_cast<size_t>(mention.image)];
      one = std::max(one, static_cast<int>(finding.severity));
    }
  return worst;
}

std::string page_html(const Examination& examination) {
  const Scene& scene = examination.opened.scene;
  const Diagnosis& diagnosis = examination.diagnosis;
  std::string body = fmt::format(
      "<main><header><h1>{}</h1><p>{} images, {} points from {}; looked at in {:.1f} s</p></header>"
      "<p class=\"verdict {}\">{}</p>",
      escape(scene.folder.string()), scene.images.size(), scene.cloud.size(), escape(scene.cloud_source),
      diagnosis.seconds, diagnosis.fit_is_advisable() ? "good" : "bad", escape(verdict(diagnosis)));
  body +=
      "<section><h2>Cameras and points from above</h2><p>A triangle opens where its camera looks. Red: severe, orange: "
      "harmful, blue: to note. What lies beyond the plan stands at its border.</p>" +
      plan_svg(examination) + "</section>";
  body += "<section><h2>Findings</h2>";
  if (diagnosis.findings.empty()) body += "<p>None.</p>";
  for (const Finding& finding : diagnosis.findings) body += finding_card(examination, finding);
  body += "</section>" + list_section("Not checked", diagnosis.skipped) +
          list_section("Said by the reader", scene.oddities) + needs_table(diagnosis);
  body +=
      "<section><h2>Images</h2><p>How often the figures have which values; a bar names its images.</p><div "
      "class=\"charts\">";
  for (const ImageFigure& figure : diagnosis.figures) body += histogram(examination, figure);
  body += "</div><details><summary>all images</summary>" + image_table(examination) + "</details></section></main>";
  // The policy forbids the page to load anything or to run anything.
  return fmt::format(R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Examination of {}</title>
<style>
{}</style>
</head>
<body>
{}
</body>
</html>
)",
                     escape(scene.folder.string()), page_style, body);
}

}  // namespace ptl::doctor
