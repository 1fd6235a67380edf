#include "renderer/cloud_sides.h"
#include "renderer/report.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "datasets/image_io.h"
#include "renderer/report_html.h"
#include "tests/support/expect_input_error.h"
#include "tests/support/temporary_folder.h"

namespace ptl {
namespace {

using testing::expect_input_error;

size_t count_of(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

const std::string hostile = "<script>alert('x')</script>\"&.jpg";

ReportData full_report() {
  ReportData data;
  data.title = hostile;
  data.subtitle = hostile;
  data.result.run = data.result.scene = hostile;
  data.result.protocol = {hostile, hostile, hostile, hostile};
  data.result.sizes_px = {{96, 64}};
  data.result.mean = {24.5, 0.8123, {}};
  data.result.steps = 1234567;
  data.result.seconds = 298.4;
  data.result.settings = {{hostile, hostile}, {"fit.seed", "7"}};
  data.result.images = {{hostile, {24.5, 0.8123, {}}}, {"equal.jpg", {std::numeric_limits<double>::infinity(), 1, {}}}};
  data.images.push_back(make_report_image(hostile, data.result.images[0].score, Image(96, 64, 3, 0.5f),
                                          Image(96, 64, 3, 0.4f)));
  data.highlights = {{hostile, hostile}};
  data.versions = {{hostile, hostile}};
  data.notes = {hostile};
  data.curves = {{hostile, hostile, hostile, {{hostile, {0, 1}, {2, 3}}, {hostile, {0, 1}, {2, 3}}}}};
  data.exposures = {{hostile, 8.0, 8.1, false}, {hostile, 9.0, 9.2, true}};
  data.responses = {{hostile, {std::vector<double>{0, 1}, std::vector<double>{0, 1}, std::vector<double>{0, 1}}}};
  data.vignettes = {{hostile, {0, 1}, {1, 0.8}}};
  return data;
}

TEST(Html, EscapesWhatHasAMeaning) {
  EXPECT_EQ(html::escape("a<b>&\"'"), "a&lt;b&gt;&amp;&quot;&#39;");
  EXPECT_EQ(html::escape("größe 写真"), "größe 写真");
  EXPECT_EQ(html::escape(std::string("a\0b\x1b", 4)), "a\xEF\xBF\xBD" "b\xEF\xBF\xBD");
  EXPECT_EQ(html::escape("\xff\xc0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");  // not UTF-8; overlong
  EXPECT_EQ(html::escape("\xe2\x82"), "\xEF\xBF\xBD\xEF\xBF\xBD");                  // cut off
}

TEST(Html, Base64) {  // RFC 4648, section 10
  const auto encoded = [](std::string_view text) { return html::data_uri(text).substr(23); };
  EXPECT_EQ(encoded(""), "");
  EXPECT_EQ(encoded("f"), "Zg==");
  EXPECT_EQ(encoded("fo"), "Zm8=");
  EXPECT_EQ(encoded("foo"), "Zm9v");
  EXPECT_EQ(encoded("foobar"), "Zm9vYmFy");
  EXPECT_TRUE(html::data_uri("\x89PNG").starts_with("data:image/png;base64,"));
}

TEST(Html, Numbers) {
  EXPECT_EQ(html::psnr_text(24.305), fmt::format("{:.2f}", 24.305));
  EXPECT_EQ(html::psnr_text(std::numeric_limits<double>::infinity()), "∞");
  EXPECT_EQ(html::lpips_text({}), "n/a");
  EXPECT_EQ(html::duration_text(298.4), "4 min 58 s");
  EXPECT_EQ(html::duration_text(7260), "2 h 1 min");
  EXPECT_EQ(html::count_text(999), "999");
  EXPECT_EQ(html::count_text(-1234567), "-1\u202f234\u202f567");
}

TEST(Report, NothingFromNamesBecomesMarkup) {
  const std::string page = report_html(full_report());
  EXPECT_EQ(count_of(page, "<script"), 1u);  // our own
  EXPECT_EQ(page.find("alert('x')"), std::string::npos);
  EXPECT_GT(count_of(page, "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;&amp;.jpg"), 15u);
}

TEST(Report, NeedsNothingElse) {
  const std::string page = report_html(full_report());
  for (const char* loader : {"http:", "https:", "src=\"/", "href=", "@import", "url(", "<link", "<iframe"})
    EXPECT_EQ(page.find(loader), std::string::npos) << loader;
  EXPECT_EQ(count_of(page, "src=\""), 3u);
  EXPECT_EQ(count_of(page, "src=\"data:image/jpeg;base64,"), 3u);
  EXPECT_NE(page.find("default-src 'none'"), std::string::npos);
}

TEST(Report, SaysFiguresAndProtocol) {
  ReportData data = full_report();
  data.result.protocol = {};
  const std::string page = report_html(data);
  EXPECT_NE(page.find("border full · exposure exif · pose given · split every8"), std::string::npos);
  EXPECT_NE(page.find("96 × 64 px"), std::string::npos);
  EXPECT_NE(page.find(">24.50<"), std::string::npos);
  EXPECT_NE(page.find("0.8123"), std::string::npos);
  EXPECT_NE(page.find("n/a"), std::string::npos);
  EXPECT_NE(page.find("∞"), std::string::npos);
}

TEST(Report, AnEmptyOneIsStillAPage) {
  ReportData data;
  data.curves = {{"loss", "step", "loss", {{"a", {1, 2}, {NAN, INFINITY}}}, true}, {"none", "x", "y", {}}};
  const std::string page = report_html(data);
  EXPECT_NE(page.find("</html>"), std::string::npos);
  EXPECT_EQ(page.find("nan"), std::string::npos);
  EXPECT_EQ(count_of(page, "no values"), 2u);
}

TEST(Report, IsWrittenWhole) {
  testing::TemporaryFolder folder;
  write_report(folder / "report.html", full_report());
  EXPECT_EQ(testing::file_contents(folder / "report.html"), report_html(full_report()));
}

TEST(Chart, TicksAreRoundAndCoverTheRange) {
  EXPECT_EQ(html::ticks(0, 10, 5), (std::vector<double>{0, 2, 4, 6, 8, 10}));
  EXPECT_EQ(html::ticks(11.3, 28.9, 4), (std::vector<double>{10, 15, 20, 25, 30}));
  EXPECT_EQ(html::ticks(-3, 4, 4), (std::vector<double>{-4, -2, 0, 2, 4}));
}

TEST(Chart, OneValueAndConstantsHaveAnAxis) {
  for (const bool log_y : {false, true}) {
    const std::string markup = html::chart({"t", "x", "y", {{"a", {5}, {3}}}, log_y});
    EXPECT_NE(markup.find("<circle"), std::string::npos);
    EXPECT_EQ(markup.find("nan"), std::string::npos);
    EXPECT_EQ(markup.find("inf"), std::string::npos);
  }
}

TEST(Chart, LongCurvesAreThinned) {
  ReportSeries series{"a", {}, {}};
  for (int i = 0; i < 100000; ++i) series.x.push_back(i), series.y.push_back(1 + i % 2);
  EXPECT_LT(html::chart({"t", "x", "y", {series}}).size(), 8000u);
}

TEST(ErrorMap, ColoursFollowTheScale) {
  // Ends and middle of the published table.
  const double expected[3][4] = {{0, 0.0015, 0.0005, 0.0139}, {128.0 / 255, 0.7357, 0.2159, 0.3302},
                                 {1, 0.9884, 0.9984, 0.6449}};
  for (const auto& row : expected)
    for (size_t c = 0; c < 3; ++c) EXPECT_NEAR(inferno_color(static_cast<float>(row[0]))[c], row[c + 1], 0.043);
  float before = -1;
  for (int i = 0; i <= 20; ++i) {  // brighter with every step
    const auto color = inferno_color(static_cast<float>(i) / 20);
    const float luma = 0.2126f * color[0] + 0.7152f * color[1] + 0.0722f * color[2];
    EXPECT_GT(luma, before);
    before = luma;
  }
}

TEST(ErrorMap, IsTheMeanAbsoluteDifference) {
  Image photo(3, 1, 3, 0.5f), rendering = photo;
  rendering.pixels = {0.5f, 0.5f, 0.5f, 0.8f, 0.2f, 0.5f, 9.0f, -9.0f, 0.5f};  // 0, 0.2, and (0.5 + 0.5)/3 clamped
  const Image map = error_map(photo, rendering);
  const float differences[] = {0, 0.2f, 1.0f / 3};
  for (int x = 0; x < 3; ++x)
    for (int c = 0; c < 3; ++c)
      EXPECT_NEAR(map.at(x, 0, c), inferno_color(differences[x] / error_map_range)[static_cast<size_t>(c)], 1e-5);
  Image mask(3, 1, 1, 0.0f);
  const Image masked = error_map(photo, rendering, &mask);
  for (int c = 0; c < 3; ++c) EXPECT_EQ(masked.at(1, 0, c), inferno_color(0)[static_cast<size_t>(c)]);
  expect_input_error([&] { error_map(photo, Image(2, 1, 3)); }, {"3 × 1", "2 × 1"});
}

/// Three squares of 12 px for a box of 1 × 1 × 1 with a quarter around it: 8 px a unit, the middle at (6, 6).
TEST(CloudSides, ShowTheNearestPointOfEachSide) {
  const ExtentBox box{{0, 0, 0}, {1, 1, 1}};
  const std::vector<Vec3<float>> position = {{0.5f, 0.5f, 0.5f}, {0.5f, 0.5f, 0.9f}, {0.1f, 0.5f, 0.5f}, {9, 9, 9}};
  const std::vector<std::array<uint8_t, 3>> color = {{255, 0, 0}, {0, 255, 0}, {0, 0, 255}, {255, 255, 255}};
  const Image picture = cloud_sides(position, color, box, 12);
  ASSERT_EQ(picture.width, 36);
  ASSERT_EQ(picture.height, 12);
  const auto color_at = [&](int x, int y) { return std::array<float, 3>{picture.at(x, y, 0), picture.at(x, y, 1), picture.at(x, y, 2)}; };
  const std::array<float, 3> red{1, 0, 0}, green{0, 1, 0}, blue{0, 0, 1};
  EXPECT_EQ(color_at(6, 6), blue);        // along x: y to the right, z down; blue is nearer than red
  EXPECT_EQ(color_at(6, 9), green);
  EXPECT_EQ(color_at(12 + 6, 6), red);    // along y: z to the right, x down
  EXPECT_EQ(color_at(12 + 9, 6), green);
  EXPECT_EQ(color_at(12 + 6, 3), blue);
  EXPECT_EQ(color_at(24 + 6, 6), red);    // along z: x to the right, y down; red is nearer than green
  EXPECT_EQ(color_at(24 + 3, 6), blue);
  int drawn = 0;
  for (int i = 0; i < 36 * 12; ++i) drawn += picture.pixels[static_cast<size_t>(3 * i)] != 0.12f;
  EXPECT_EQ(drawn, 7);
}

TEST(ReportImages, AreBounded) {
  testing::TemporaryFolder folder;
  const ReportImage image = make_report_image("a", {}, Image(400, 200, 3, 0.5f), Image(400, 200, 3, 0.5f), nullptr, 100);
  EXPECT_EQ(image.width_px, 100);
  EXPECT_EQ(image.height_px, 50);
  for (const std::string* bytes : {&image.photo, &image.rendering, &image.error_map}) {
    testing::write_contents(folder / "a.jpg", *bytes);
    EXPECT_EQ(read_image_size(folder / "a.jpg").width_px, 100);
    EXPECT_EQ(read_image_size(folder / "a.jpg").height_px, 50);
  }
}

}  // namespace
}  // namespace ptl
