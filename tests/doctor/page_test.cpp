// The page, the table and the JSON of a diagnosis.
#include "doctor/page.h"

#include <nlohmann/json.hpp>

#include "tests/doctor/planted.h"

namespace ptl::testing {

namespace {

using doctor::Severity;

TEST(DoctorPage, HoldsWhatWasFound) {
  Planted scene;
  std::filesystem::rename(scene.photo_path(15), scene.path() / "images" / "a<b>&\"c.jpg");
  scene.change_model([](ColmapModel& model) { image_named(model, 15).name = "a<b>&\"c.jpg"; });
  StoredImage black = read_image(scene.path() / "images" / "a<b>&\"c.jpg");
  std::fill(black.values8.begin(), black.values8.end(), uint8_t(0));
  write_jpeg(scene.path() / "images" / "a<b>&\"c.jpg", black);
  std::filesystem::remove(scene.photo_path(8));
  scene.change_model([](ColmapModel& model) { move_pose(image_named(model, 11), {0, 0, 0}, {0, 1, 0}, 3); });
  doctor::Examination examination = scene.examine();
  examination.diagnosis.needs.push_back({"quick", "3 GiB", "8 min", "fits"});
  const std::string page = page_html(examination);
  for (const char* part :
       {"a&lt;b&gt;&amp;&quot;c.jpg", "photo_0011.jpg", "photo_0008.jpg", "no picture", "class=\"arrow\"",
        "data:image/jpeg;base64,", "data:image/png;base64,", "is not advisable", "8 min", "reprojection error"})
    EXPECT_NE(page.find(part), std::string::npos) << part;
  for (const char* part : {"http:", "https:", "<script", "a<b>"}) EXPECT_EQ(page.find(part), std::string::npos) << part;
  for (const char* element : {"svg", "figure", "article", "section", "div", "ul", "details", "table"}) {
    const auto count = [&](const std::string& text) {
      size_t found = 0;
      for (size_t at = 0; (at = page.find(text, at)) != std::string::npos; ++at) ++found;
      return found;
    };
    const std::string name = element;
    EXPECT_EQ(count("<" + name + " ") + count("<" + name + ">"), count("</" + name + ">")) << element;
  }

  const std::string text = describe_text(examination);
  EXPECT_LT(text.find("severe"), text.find("note"));
  EXPECT_NE(text.find("quick: 3 GiB, 8 min"), std::string::npos) << text;
  const nlohmann::json json = nlohmann::json::parse(describe_json(examination));
  EXPECT_EQ(json["fit_is_advisable"], false);
  EXPECT_EQ(json["findings"][0]["severity"], "severe");
  EXPECT_EQ(json["images"].size(), static_cast<size_t>(sound_photos));
  EXPECT_EQ(json["presets"][0]["preset"], "quick");
  bool named = false;
  for (const auto& finding : json["findings"])
    for (const auto& image : finding["images"])
      named |= finding["check"] == "constant_photo" && image["name"] == "a<b>&\"c.jpg";
  EXPECT_TRUE(named);
}

TEST(DoctorPage, OrderOfFindings) {
  std::vector<doctor::Finding> findings(4);
  findings[0].check = "a", findings[0].severity = Severity::note;
  findings[1].check = "b", findings[1].severity = Severity::severe, findings[1].images.resize(1);
  findings[2].check = "c", findings[2].severity = Severity::harmful;
  findings[3].check = "d", findings[3].severity = Severity::severe, findings[3].images.resize(3);
  sort_findings(findings);
  std::string order;
  for (const doctor::Finding& finding : findings) order += finding.check;
  EXPECT_EQ(order, "dbca");
}

}  // namespace

}  // namespace ptl::testing
