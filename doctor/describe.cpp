#include "doctor/describe.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace ptl::doctor {

namespace {

constexpr size_t shown_images = 6;
constexpr size_t text_columns = 118;

/// A label of 10 columns, and the text behind it in lines of at most text_columns.
std::string labelled(const std::string& label, const std::string& text) {
  constexpr size_t indent = 10;
  std::string result, line = fmt::format("{:<{}}", label, indent);
  size_t start = 0;
  while (start <= text.size()) {
    const size_t end = std::min(text.find_first_of(" \n", start), text.size());
    const std::string word = text.substr(start, end - start);
    if (line.size() > indent && line.size() + 1 + word.size() > text_columns) {
      result += line + "\n";
      line = std::string(indent, ' ');
    }
    line += (line.size() > indent ? " " : "") + word;
    if (end < text.size() && text[end] == '\n') {
      result += line + "\n";
      line = std::string(indent, ' ');
    }
    start = end + 1;
  }
  return result + line + "\n";
}

std::string finding_text(const Scene& scene, const Finding& finding) {
  std::string text = labelled(severity_name(finding.severity), finding.what);
  if (!finding.where.empty()) text += labelled("", finding.where);
  for (size_t k = 0; k < std::min(shown_images, finding.images.size()); ++k) {
    const Mention& mention = finding.images[k];
    text += labelled(k == 0 ? "  where" : "", scene.images[static_cast<size_t>(mention.image)].name +
                                                  (mention.detail.empty() ? "" : ": " + mention.detail));
  }
  if (finding.images.size() > shown_images)
    text += labelled("", fmt::format("and {} more", finding.images.size() - shown_images));
  return text + labelled("  shows", finding.shows) + labelled("  do", finding.remedy);
}

}  // namespace

std::string verdict(const Diagnosis& diagnosis) {
  const auto count = [&](Severity severity) {
    return std::count_if(diagnosis.findings.begin(), diagnosis.findings.end(),
                         [&](const Finding& f) { return f.severity == severity; });
  };
  const std::string counts = fmt::format("{} severe, {} harmful, {} to note", count(Severity::severe),
                                         count(Severity::harmful), count(Severity::note));
  return (diagnosis.fit_is_advisable() ? "a fit is advisable: "
                                       : "a fit is not advisable before what is severe is mended: ") +
         counts;
}

std::string describe_text(const Examination& examination) {
  const Diagnosis& diagnosis = examination.diagnosis;
  const Scene& scene = examination.opened.scene;
  std::string text;
  for (const Finding& finding : diagnosis.findings) text += finding_text(scene, finding) + "\n";
  for (const std::string& skipped : diagnosis.skipped) text += labelled("skipped", skipped);
  for (const std::string& oddity : scene.oddities) text += labelled("read", oddity);
  for (const PresetNeed& need : diagnosis.needs)
    text += labelled("preset", fmt::format("{}: {}, {}{}", need.preset, need.memory, need.time,
                                           need.remark.empty() ? "" : "; " + need.remark));
  return text + labelled("verdict", verdict(diagnosis));
}

std::string describe_json(const Examination& examination) {
  using nlohmann::json;
  const Diagnosis& diagnosis = examination.diagnosis;
  const Scene& scene = examination.opened.scene;
  json root;
  root["scene"] = scene.folder.string();
  root["fit_is_advisable"] = diagnosis.fit_is_advisable();
  root["findings"] = json::array();
  for (const Finding& finding : diagnosis.findings) {
    json one = {{"check", finding.check}, {"severity", severity_name(finding.severity)},
                {"what", finding.what},   {"where", finding.where},
                {"shows", finding.shows}, {"remedy", finding.remedy}};
    one["images"] = json::array();
    for (const Mention& mention : finding.images)
      one["images"].push_back(
          {{"name", scene.images[static_cast<size_t>(mention.image)].name}, {"detail", mention.detail}});
    one["points"] = finding.points;
    root["findings"].push_back(std::move(one));
  }
  root["images"] = json::array();
  for (size_t i = 0; i < scene.images.size(); ++i) {
    json one = {{"name", scene.images[i].name}};
    for (const ImageFigure& figure : diagnosis.figures)
      one["figures"][figure.name] = std::isfinite(figure.value[i]) ? json(figure.value[i]) : json();
    root["images"].push_back(std::move(one));
  }
  root["skipped"] = diagnosis.skipped;
  root["read"] = scene.oddities;
  root["presets"] = json::array();
  for (const PresetNeed& need : diagnosis.needs)
    root["presets"].push_back(
        {{"preset", need.preset}, {"memory", need.memory}, {"time", need.time}, {"remark", need.remark}});
  // Names are bytes; those that are no UTF-8 become U+FFFD.
  return root.dump(2, ' ', false, json::error_handler_t::replace);
}

}  // namespace ptl::doctor
