// Charts as SVG. Sizes are in the units of the view box; the page scales it to its column.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "renderer/report_html.h"

namespace ptl::html {

namespace {

constexpr double width = 460, height = 290;
constexpr double left = 58, right = 14, top = 16, bottom = 46;
constexpr size_t most_samples = 240;
constexpr size_t colour_count = 6;

using Samples = std::vector<std::pair<double, double>>;

Samples finite_samples(const ReportSeries& series, bool log_y) {
  Samples samples;
  for (size_t i = 0; i < std::min(series.x.size(), series.y.size()); ++i)
    if (std::isfinite(series.x[i]) && std::isfinite(series.y[i]) && (!log_y || series.y[i] > 0))
      samples.emplace_back(series.x[i], series.y[i]);
  return samples;
}

/// Means over equal ranges of x.
Samples thinned(const Samples& samples) {
  if (samples.size() <= most_samples) return samples;
  const auto [first, last] = std::minmax_element(samples.begin(), samples.end());
  const double low = first->first, range = last->first - low;
  if (!(range > 0)) return samples;
  struct Sum {
    double x = 0, y = 0, count = 0;
  };
  std::vector<Sum> sums(most_samples);
  for (const auto& [x, y] : samples) {
    const auto place = std::min(most_samples - 1, static_cast<size_t>((x - low) / range * most_samples));
    sums[place].x += x, sums[place].y += y, ++sums[place].count;
  }
  Samples result;
  for (const Sum& sum : sums)
    if (sum.count > 0) result.emplace_back(sum.x / sum.count, sum.y / sum.count);
  return result;
}

std::string tick_text(double value, double step) {
  const double size = std::abs(value);
  if (size < 1e-12) return "0";
  if (size >= 1e6) return fmt::format("{:g}M", value / 1e6);
  if (size >= 1e4) return fmt::format("{:g}k", value / 1e3);
  if (size < 1e-3) return fmt::format("{:.0e}", value);
  const int decimals = std::clamp(static_cast<int>(std::ceil(-std::log10(step) - 1e-9)), 0, 6);
  return fmt::format("{}{:.{}f}", value < 0 ? "−" : "", size, decimals);
}

/// One axis: the range that is shown and how values become 0..1.
struct Axis {
  double low = 0, high = 1;
  bool logarithmic = false;
  std::vector<double> marks;

  double place(double value) const {
    return logarithmic ? std::log10(value / low) / std::log10(high / low) : (value - low) / (high - low);
  }
  std::string mark_text(size_t i) const {
    const double step = logarithmic || marks.size() < 2 ? std::abs(marks[i]) : marks[1] - marks[0];
    return tick_text(marks[i], step);
  }
};

Axis linear_axis(double low, double high, int count, bool to_marks) {
  if (!(high > low)) low -= 0.5 * std::max(1e-3, std::abs(low)), high += 0.5 * std::max(1e-3, std::abs(high));
  Axis axis;
  axis.marks = ticks(low, high, count);
  const double step = axis.marks[1] - axis.marks[0];
  if (to_marks) {  // whole steps around the values
    axis.low = axis.marks.front();
    axis.high = axis.marks.back();
    return axis;
  }
  axis.low = low, axis.high = high;
  std::erase_if(axis.marks, [&](double mark) { return mark < low - 1e-9 * step || mark > high + 1e-9 * step; });
  return axis;
}

Axis log_axis(double low, double high) {
  Axis axis;
  axis.logarithmic = true;
  const double margin = std::pow(high / low, 0.05) * 1.02;
  axis.low = low / margin, axis.high = high * margin;
  for (int decade = static_cast<int>(std::floor(std::log10(axis.low))); std::pow(10, decade) <= axis.high; ++decade)
    for (const double digit : {1.0, 2.0, 5.0}) {
      const double mark = digit * std::pow(10, decade);
      const bool room = axis.high / axis.low < 200 || digit == 1.0;
      if (room && mark >= axis.low && mark <= axis.high) axis.marks.push_back(mark);
    }
  return axis;
}

}  // namespace

std::vector<double> ticks(double low, double high, int count) {
  const double rough = (high - low) / std::max(1, count);
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double digit : {5.0, 2.0, 1.0})
    if (digit * power >= rough * (1 - 1e-9)) step = digit * power;
  std::vector<double> marks;
  const double first = std::floor(low / step + 1e-9), last = std::ceil(high / step - 1e-9);
  for (double k = first; k <= last; ++k) marks.push_back(k * step);
  return marks;
}

std::string chart(const ReportChart& chart) {
  std::vector<Samples> all;
  double x_low = INFINITY, x_high = -INFINITY, y_low = INFINITY, y_high = -INFINITY;
  for (const ReportSeries& series : chart.series) {
    all.push_back(finite_samples(series, chart.log_y));
    if (!chart.points_only) all.back() = thinned(all.back());
    for (const auto& [x, y] : all.back()) {
      x_low = std::min(x_low, x), x_high = std::max(x_high, x);
      y_low = std::min(y_low, y), y_high = std::max(y_high, y);
    }
  }
  std::string markup = fmt::format("<figure class=\"chart\"><figcaption>{}</figcaption>", escape(chart.title));
  if (!(x_low <= x_high)) return markup + "<p class=\"empty\">no values</p></figure>";
  if (chart.equal_axes_line) {
    x_low = y_low = std::min(x_low, y_low);
    x_high = y_high = std::max(x_high, y_high);
  }
  const Axis x_axis = linear_axis(x_low, x_high, 5, chart.points_only);
  const Axis y_axis = chart.log_y ? log_axis(y_low, y_high) : linear_axis(y_low, y_high, 4, true);
  const auto x_of = [&](double x) { return left + (width - left - right) * x_axis.place(x); };
  const auto y_of = [&](double y) { return height - bottom - (height - top - bottom) * y_axis.place(y); };

  markup += fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}: {} over {}\">", width, height,
                        escape(chart.title), escape(chart.y_label), escape(chart.x_label));
  for (size_t i = 0; i < y_axis.marks.size(); ++i) {
    const double y = y_of(y_axis.marks[i]);
    markup += fmt::format("<line class=\"grid\" x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>"
                          "<text x=\"{}\" y=\"{:.1f}\" class=\"end\">{}</text>",
                          left, width - right, y, y, left - 7, y + 4, y_axis.mark_text(i));
  }
  for (size_t i = 0; i < x_axis.marks.size(); ++i) {
    const double x = x_of(x_axis.marks[i]);
    markup += fmt::format("<line class=\"axis\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1}\" y2=\"{2}\"/>"
                          "<text x=\"{0:.1f}\" y=\"{3}\" class=\"middle\">{4}</text>",
                          x, height - bottom, height - bottom + 4, height - bottom + 17, x_axis.mark_text(i));
  }
  markup += fmt::format("<line class=\"axis\" x1=\"{}\" x2=\"{}\" y1=\"{}\" y2=\"{}\"/>", left, width - right,
                        height - bottom, height - bottom);
  markup += fmt::format("<text class=\"label middle\" x=\"{}\" y=\"{}\">{}</text>", (left + width - right) / 2,
                        height - 8, escape(chart.x_label));
  const double middle = (top + height - bottom) / 2;
  markup += fmt::format("<text class=\"label middle\" x=\"14\" y=\"{0}\" transform=\"rotate(-90 14 {0})\">{1}</text>",
                        middle, escape(chart.y_label));
  if (chart.equal_axes_line) {
    const double low = std::max(x_axis.low, y_axis.low), high = std::min(x_axis.high, y_axis.high);
    markup += fmt::format("<line class=\"equal\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>", x_of(low),
                          y_of(low), x_of(high), y_of(high));
  }
  for (size_t s = 0; s < all.size(); ++s) {
    const size_t colour = s % colour_count;
    if (!chart.points_only && all[s].size() > 1) {
      markup += fmt::format("<polyline class=\"line c{}\" points=\"", colour);
      for (const auto& [x, y] : all[s]) markup += fmt::format("{:.1f},{:.1f} ", x_of(x), y_of(y));
      markup += "\"/>";
    }
    if (chart.points_only || all[s].size() <= 40)
      for (const auto& [x, y] : all[s])
        markup += fmt::format("<circle class=\"dot c{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\"><title>{}: {:.5g}, {:.5g}"
                              "</title></circle>",
                              colour, x_of(x), y_of(y), chart.points_only ? 3.5 : 2.2, escape(chart.series[s].name), x, y);
  }
  markup += "</svg>";
  if (chart.series.size() > 1) {
    markup += "<ul class=\"legend\">";
    for (size_t s = 0; s < chart.series.size(); ++s)
      markup += fmt::format("<li><i class=\"c{}\"></i>{}</li>", s % colour_count, escape(chart.series[s].name));
    markup += "</ul>";
  }
  return markup + "</figure>";
}

}  // namespace ptl::html
