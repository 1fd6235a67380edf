// Photos with marks, and histograms.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "datasets/html_text.h"
#include "datasets/image_io.h"
#include "datasets/resize.h"
#include "datasets/scene_photos.h"
#include "doctor/page_parts.h"
#include "doctor/statistics.h"

namespace ptl::doctor {

namespace {

constexpr int shot_side_px = 260;

std::string photo_uri(const StoredImage& small) {
  const int longest = std::max(small.width, small.height);
  if (longest <= shot_side_px) return html::data_uri(encode_jpeg(small, 80));
  const auto scaled = [&](int side) { return std::max(1, side * shot_side_px / longest); };
  return html::data_uri(encode_jpeg(reduce_area(small, scaled(small.width), scaled(small.height)), 80));
}

std::string mark_svg(const Mark& mark, double width, double height) {
  const double x = static_cast<double>(mark.x) * width, y = static_cast<double>(mark.y) * height;
  const double to_x = static_cast<double>(mark.to_x) * width, to_y = static_cast<double>(mark.to_y) * height;
  std::string svg;
  if (std::hypot(to_x - x, to_y - y) > 0.5)
    svg = fmt::format("<path class=\"arrow\" d=\"M{:.1f} {:.1f}L{:.1f} {:.1f}\"/>", x, y, to_x, to_y);
  return svg + fmt::format("<circle class=\"mark\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"1.8\"/>", x, y);
}

}  // namespace

std::string shot(const Examination& examination, const Mention& mention) {
  const auto image = static_cast<size_t>(mention.image);
  const PhotoLook& photo = examination.photos[image];
  const CameraParams<double>& camera =
      examination.opened.scene.camera_of(examination.opened.scene.images[image]).params;
  const double aspect = photo.decoded ? static_cast<double>(photo.small.height) / photo.small.width
                                      : static_cast<double>(camera.height_px) / camera.width_px;
  const double width = aspect > 1 ? 260 / aspect : 260, height = width * aspect;
  std::string svg = fmt::format(
      "<figure class=\"shot\"><svg viewBox=\"0 0 {0:.1f} {1:.1f}\" style=\"width:{0:.0f}px\" role=\"img\" "
      "aria-label=\"{2}\"><rect class=\"ground\" width=\"{0:.1f}\" height=\"{1:.1f}\"/>",
      width, height, html::escape(examination.opened.scene.images[image].name));
  if (photo.decoded)
    svg +=
        fmt::format("<image href=\"{}\" width=\"{:.1f}\" height=\"{:.1f}\"/>", photo_uri(photo.small), width, height);
  else
    svg += fmt::format("<text class=\"middle\" x=\"{:.1f}\" y=\"{:.1f}\">no picture</text>", width / 2, height / 2);
  for (const Mark& mark : mention.marks) svg += mark_svg(mark, width, height);
  return svg + fmt::format("</svg><figcaption><b>{}</b> {}</figcaption></figure>",
                           html::escape(examination.opened.scene.images[image].name), html::escape(mention.detail));
}

std::string histogram(const Examination& examination, const ImageFigure& figure) {
  constexpr int bins = 24, width = 340, height = 120, left = 6, bottom = 22, top = 8;
  const double low = known_quantile(figure.value, 0), high = known_quantile(figure.value, 1);
  std::string markup = fmt::format("<figure class=\"chart\"><figcaption>{}{}</figcaption>", html::escape(figure.name),
                                   figure.unit.empty() ? "" : " (" + html::escape(figure.unit) + ")");
  if (!std::isfinite(low)) return markup + "<p>not known</p></figure>";
  std::vector<std::vector<std::string>> names(bins);
  for (size_t i = 0; i < figure.value.size(); ++i)
    if (std::isfinite(figure.value[i])) {
      const double share = high > low ? (figure.value[i] - low) / (high - low) : 0.5;
      names[std::min<size_t>(bins - 1, static_cast<size_t>(share * bins))].push_back(
          examination.opened.scene.images[i].name);
    }
  size_t most = 1;
  for (const auto& bin : names) most = std::max(most, bin.size());
  markup += fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">", width, height,
                        html::escape(figure.name));
  const double step = (width - 2.0 * left) / bins;
  for (int b = 0; b < bins; ++b) {
    const auto& bin = names[static_cast<size_t>(b)];
    if (bin.empty()) continue;
    const double tall =
        std::max(2.0, (height - bottom - top) * static_cast<double>(bin.size()) / static_cast<double>(most));
    markup += fmt::format(
        "<rect class=\"column\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"><title>{}: "
        "{}</title></rect>",
        left + b * step + 0.5, height - bottom - tall, step - 1, tall, bin.size(), html::escape(listed(bin)));
  }
  return markup + fmt::format(
                      "<path class=\"axis\" d=\"M{} {}H{}\"/><text x=\"{}\" y=\"{}\">{:.4g}</text>"
                      "<text class=\"end\" x=\"{}\" y=\"{}\">{:.4g}</text><text class=\"middle\" x=\"{}\" "
                      "y=\"{}\">median {:.4g}</text>"
                      "</svg></figure>",
                      left, height - bottom, width - left, left, height - 6, low, width - left, height - 6, high,
                      width / 2, height - 6, known_median(figure.value));
}

}  // namespace ptl::doctor
