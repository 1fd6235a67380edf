#include "renderer/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "datasets/atomic_file.h"
#include "renderer/report_html.h"

namespace ptl {

namespace {

using html::escape;

std::string tile(std::string_view name, std::string_view value, bool is_main = false) {
  return fmt::format("<div{}><dt>{}</dt><dd>{}</dd></div>", is_main ? " class=\"main\"" : "", escape(name),
                     escape(value));
}

std::string note_list(const ReportData& data) {
  if (data.notes.empty()) return {};
  std::string markup = "<ul class=\"notes\">";
  for (const std::string& note : data.notes) markup += "<li>" + escape(note) + "</li>";
  return markup + "</ul>";
}

std::string header(const ReportData& data) {
  const EvalResult& result = data.result;
  const bool scored = !result.images.empty();
  std::string markup = fmt::format("<header><h1>{}</h1><p>{}</p></header><dl class=\"tiles\">", escape(data.title),
                                   escape(data.subtitle));
  markup += tile("PSNR (dB)", scored ? html::psnr_text(result.mean.psnr_db) : "–", true);
  markup += tile("SSIM", scored ? html::ssim_text(result.mean.ssim) : "–", true);
  markup += tile("LPIPS", html::lpips_text(result.mean.lpips));
  markup += tile("held-out photos", html::count_text(static_cast<long long>(result.images.size())));
  markup += tile("steps", html::count_text(result.steps));
  markup += tile("time of the fit", html::duration_text(result.seconds));
  for (const auto& [name, value] : data.highlights) markup += tile(name, value);
  markup += fmt::format("</dl><p class=\"protocol\">Protocol: {} · size {} px. Figures are means over images.</p>",
                        escape(html::protocol_text(result.protocol)), escape(html::sizes_text(result.sizes_px)));
  return markup + note_list(data);
}

std::string error_ramp() {
  std::string stops;
  for (int i = 0; i <= 12; ++i) {
    const auto color = inferno_color(static_cast<float>(i) / 12.0f);
    stops += fmt::format("{}rgb({:.0f} {:.0f} {:.0f})", i ? "," : "", color[0] * 255, color[1] * 255, color[2] * 255);
  }
  return fmt::format("<div class=\"ramp\"><span>error map</span><span>0</span><i style=\"background:linear-gradient(90deg,"
                     "{})\"></i><span>{} and more: mean of |difference| over the channels, values 0 to 1</span></div>",
                     stops, error_map_range);
}

std::string scores(const EvalScore& score) {
  std::string markup = fmt::format("<span>PSNR {} dB</span><span>SSIM {}</span>", html::psnr_text(score.psnr_db),
                                   html::ssim_text(score.ssim));
  if (score.lpips) markup += "<span>LPIPS " + html::lpips_text(score.lpips) + "</span>";
  return markup;
}

std::string picture(const ReportImage& image) {
  std::string style;
  if (image.width_px > 0 && image.height_px > 0)
    style = fmt::format(" style=\"aspect-ratio:{0}/{1};max-width:calc(min(84vh,820px)*{0}/{1})\"", image.width_px, image.height_px);
  std::string markup = fmt::format("<figure class=\"shot\"><div class=\"stage\"{}>", style);
  const std::pair<const char*, const std::string*> kinds[] = {
      {"photo", &image.photo}, {"rendering", &image.rendering}, {"error", &image.error_map}};
  for (const auto& [kind, bytes] : kinds)
    markup += fmt::format("<img data-kind=\"{0}\" alt=\"{0} of {1}\" draggable=\"false\" src=\"{2}\">", kind,
                          escape(image.name), html::data_uri(*bytes));
  markup += "<span class=\"tag left\"></span><span class=\"tag right\"></span>"
            "<input type=\"range\" min=\"0\" max=\"100\" step=\"0.5\" value=\"50\"></div>";
  return markup + fmt::format("<figcaption><b>{}</b>{}</figcaption></figure>", escape(image.name), scores(image.score));
}

std::string pictures(const ReportData& data) {
  if (data.images.empty()) return {};
  std::string markup = R"(<section id="pictures"><h2>Held-out photos and renderings</h2>
<p>The fit has never seen these photos. Drag the divider, or focus it and use the arrow keys.</p>
<div class="card viewer"><div class="controls"><div class="names">
<button class="step" data-by="-1" aria-label="previous photo">‹</button>
<select id="shot-choice" aria-label="photo">)";
  for (const ReportImage& image : data.images)
    markup += fmt::format("<option>{} ({} dB)</option>", escape(image.name), html::psnr_text(image.score.psnr_db));
  markup += R"(</select><button class="step" data-by="1" aria-label="next photo">›</button></div>
<div class="modes" role="group" aria-label="what is compared">
<button data-pair="photo rendering" aria-pressed="true">photo | rendering</button>
<button data-pair="photo error" aria-pressed="false">photo | error</button>
<button data-pair="rendering error" aria-pressed="false">rendering | error</button></div></div>)";
  for (const ReportImage& image : data.images) markup += picture(image);
  return markup + error_ramp() + "</div></section>";
}

std::string clouds(const ReportData& data) {
  if (data.clouds.empty()) return {};
  std::string markup = "<section><h2>Points</h2><p>From three sides: along the x, y and z axis of the scene, the middle "
                       "of its extent.</p><div class=\"clouds\">";
  for (const ReportCloud& cloud : data.clouds)
    markup += fmt::format("<figure class=\"chart\"><figcaption>{}</figcaption><img alt=\"{}\" src=\"{}\"></figure>",
                          escape(cloud.title), escape(cloud.title), html::data_uri(cloud.picture));
  return markup + "</div></section>";
}

std::string curves(const ReportData& data) {
  if (data.curves.empty()) return {};
  std::string markup = "<section><h2>Course of the fit</h2><div class=\"charts\">";
  for (const ReportChart& chart : data.curves) markup += html::chart(chart);
  return markup + "</div></section>";
}

ReportChart exposure_chart(const std::vector<ReportExposure>& exposures) {
  ReportChart chart{"Exposure: fitted and from EXIF", "EXIF exposure (EV)", "fitted exposure (EV)", {}, false, true, true};
  chart.series = {{"training", {}, {}}, {"held out", {}, {}}};
  for (const ReportExposure& exposure : exposures)
    if (exposure.exif_ev) {
      ReportSeries& series = chart.series[exposure.held_out ? 1 : 0];
      series.x.push_back(*exposure.exif_ev);
      series.y.push_back(exposure.fitted_ev);
    }
  return chart;
}

ReportChart exposure_order_chart(const std::vector<ReportExposure>& exposures) {
  ReportChart chart{"Fitted exposure in capture order", "photo", "fitted exposure (EV)", {}, false, true, false};
  chart.series = {{"training", {}, {}}, {"held out", {}, {}}};
  for (size_t i = 0; i < exposures.size(); ++i) {
    ReportSeries& series = chart.series[exposures[i].held_out ? 1 : 0];
    series.x.push_back(static_cast<double>(i));
    series.y.push_back(exposures[i].fitted_ev);
  }
  return chart;
}

ReportChart response_chart(const ReportResponse& response) {
  ReportChart chart{"Response of " + response.camera, "radiance after exposure", "display value", {}};
  const char* names[] = {"red", "green", "blue"};
  for (size_t c = 0; c < 3; ++c) {
    ReportSeries series{names[c], {}, response.samples[c]};
    for (size_t i = 0; i < series.y.size(); ++i)
      series.x.push_back(static_cast<double>(i) / static_cast<double>(std::max<size_t>(1, series.y.size() - 1)));
    chart.series.push_back(std::move(series));
  }
  return chart;
}

std::string tone(const ReportData& data) {
  if (data.exposures.empty() && data.responses.empty() && data.vignettes.empty()) return {};
  std::string markup = "<section><h2>Light and camera</h2><div class=\"charts\">";
  if (!data.exposures.empty()) {
    const bool from_exif = std::any_of(data.exposures.begin(), data.exposures.end(),
                                       [](const ReportExposure& exposure) { return exposure.exif_ev.has_value(); });
    markup += html::chart(from_exif ? exposure_chart(data.exposures) : exposure_order_chart(data.exposures));
  }
  for (const ReportResponse& response : data.responses)
    markup += "<div class=\"rgb\">" + html::chart(response_chart(response)) + "</div>";
  if (!data.vignettes.empty()) {
    ReportChart chart{"Vignette", "distance from its centre (half image heights)", "factor", {}};
    for (const ReportVignette& vignette : data.vignettes)
      chart.series.push_back({vignette.camera, vignette.radius, vignette.factor});
    markup += html::chart(chart);
  }
  return markup + "</div></section>";
}

std::string number_cell(double value, const std::string& text, const std::string& behind = "") {
  return fmt::format("<td data-value=\"{}\">{}{}</td>",
                     std::isinf(value) ? "Infinity" : std::isnan(value) ? "NaN" : fmt::format("{:.9g}", value), text, behind);
}

std::string image_table(const ReportData& data) {
  const EvalResult& result = data.result;
  if (result.images.empty()) return {};
  std::map<std::string_view, size_t> picture_of;
  for (size_t i = 0; i < data.images.size(); ++i) picture_of.emplace(data.images[i].name, i);
  double low = INFINITY, high = -INFINITY;
  for (const EvalImage& image : result.images)
    if (std::isfinite(image.score.psnr_db))
      low = std::min(low, image.score.psnr_db), high = std::max(high, image.score.psnr_db);

  std::string markup = R"(<section><h2>Figures per photo</h2><div class="card scroll"><table class="sortable"><thead><tr>
<th scope="col"><button>photo</button></th><th scope="col" data-numbers="yes"><button>PSNR (dB)</button></th>
<th scope="col" data-numbers="yes"><button>SSIM</button></th><th scope="col" data-numbers="yes"><button>LPIPS</button></th>
</tr></thead><tbody>)";
  for (const EvalImage& image : result.images) {
    const std::string name = escape(image.name);
    const auto found = picture_of.find(image.name);
    const std::string cell = found == picture_of.end()
                                 ? name
                                 : fmt::format("<button data-shot=\"{}\" title=\"show\">{}</button>", found->second, name);
    // The bar goes from nothing at 3 dB below the worst photo to full at the best.
    const double share = std::isfinite(image.score.psnr_db) ? (image.score.psnr_db - low + 3) / (high - low + 3) : 1;
    const std::string bar = fmt::format("<span class=\"bar\"><i style=\"width:{:.0f}%\"></i></span>", 100 * share);
    markup += fmt::format("<tr><td data-value=\"{}\">{}</td>{}{}{}</tr>", name, cell,
                          number_cell(image.score.psnr_db, html::psnr_text(image.score.psnr_db), bar),
                          number_cell(image.score.ssim, html::ssim_text(image.score.ssim)),
                          number_cell(image.score.lpips.value_or(NAN), html::lpips_text(image.score.lpips)));
  }
  return markup + fmt::format("</tbody><tfoot><tr><th scope=\"row\">mean</th><td>{}<span class=\"bar\" style=\"visibility:"
                              "hidden\"></span></td><td>{}</td><td>{}</td></tr></tfoot></table></div></section>",
                              html::psnr_text(result.mean.psnr_db), html::ssim_text(result.mean.ssim),
                              html::lpips_text(result.mean.lpips));
}

/// "group.key" under a heading per group.
std::string configuration(const ReportData& data) {
  std::map<std::string, ReportTable> groups;
  for (const auto& [key, value] : data.result.settings) {
    const size_t dot = key.find('.');
    const bool grouped = dot != std::string::npos;
    groups[grouped ? key.substr(0, dot) : "general"].emplace_back(grouped ? key.substr(dot + 1) : key, value);
  }
  std::string markup = "<section><h2>Configuration and versions</h2>";
  if (!groups.empty()) {
    markup += "<details class=\"card\"><summary>All settings</summary><div class=\"columns\">";
    for (const auto& [group, rows] : groups)
      markup += "<div><h3>" + escape(group) + "</h3>" + html::key_value_table(rows) + "</div>";
    markup += "</div></details>";
  }
  if (!data.versions.empty())
    markup += "<details class=\"card\" open><summary>Versions and machine</summary>" +
              html::key_value_table(data.versions) + "</details>";
  return groups.empty() && data.versions.empty() ? std::string() : markup + "</section>";
}

}  // namespace

std::string report_html(const ReportData& data) {
  const std::string body = "<main>" + header(data) + pictures(data) + clouds(data) + curves(data) + tone(data) + image_table(data) +
                           configuration(data) + "<footer>Written by pointillist. This page needs no network.</footer></main>";
  return html::page(data.title, body);
}

std::string photometry_page(const ReportData& data) {
  return html::page(data.title, fmt::format("<main><header><h1>{}</h1></header>{}{}<footer>Written by pointillist. This page needs no "
                                            "network.</footer></main>", escape(data.title), note_list(data), tone(data)));
}

void write_report(const std::filesystem::path& path, const ReportData& data) {
  write_file_atomically(path, report_html(data));
}

}  // namespace ptl
