#include "datasets/metashape.h"

#include <gtest/gtest.h>

#include <cmath>

#include "datasets/ply.h"
#include "datasets/scene_formats.h"
#include "datasets/scene_loader.h"
#include "tests/support/expect_input_error.h"
#include "tests/support/projected.h"
#include "tests/support/random_damage.h"
#include "tests/support/tiny_scene.h"

namespace ptl {
namespace {

namespace fs = std::filesystem;
using testing::expect_input_error;
using testing::grey_photo;
using testing::projected;
using testing::says;
using testing::TemporaryFolder;
using testing::write_contents;

/// Rz(0.7) Ry(0.2), geocentric coordinates and a scale.
constexpr const char* placed = R"(<transform>
      <rotation locked="true">0.749596265080519 -0.644217687237691 0.15195068551164 0.631376224115843 0.764842187284488
        0.127986296809854 -0.198669330795061 0 0.980066577841242</rotation>
      <translation locked="true">4027893.756 306998 4919498.5</translation>
      <scale locked="true">2.5</scale>
    </transform>)";

/// Ry(0.3) Rx(−0.2) Rz(0.1).
std::string camera(int id, const std::string& label, const std::string& attributes = "component_id=\"0\"") {
  return "<camera id=\"" + std::to_string(id) + "\" sensor_id=\"0\" " + attributes + " label=\"" + label + "\">\n" +
         "<transform>0.94470248599489 -0.15379199798896 0.28962947762552 0.2 0.09784339500726 0.97517032720182 " +
         "0.19866933079506 -0.1 -0.31299182578547 -0.15934507930798 0.9362933635842 -3 0 0 0 "
         "1</transform>\n</camera>\n";
}

std::string document() {
  return std::string(R"(<?xml version="1.0" encoding="UTF-8"?>
<document version="2.0.0">
  <chunk label="Chunk 1" enabled="true">
    <sensors next_id="1">
      <sensor id="0" label="unknown" type="frame">
        <resolution width="80" height="60"/>
        <calibration type="frame" class="initial"><resolution width="80" height="60"/><f>1</f></calibration>
        <calibration type="frame" class="adjusted">
          <resolution width="80" height="60"/>
          <f>120</f><cx>1.5</cx><cy>-2.25</cy><b1>0.75</b1>
          <k1>-0.15</k1><k2>0.04</k2><k3>-0.01</k3><p1>0.003</p1><p2>-0.002</p2>
        </calibration>
      </sensor>
    </sensors>
    <components next_id="1"><component id="0" label="Component 1">)") +
         placed + "</component></components>\n    <cameras next_id=\"5\">\n" + camera(0, "a.jpg") +
         "<group id=\"0\" label=\"g\">" + camera(1, "b") + "</group>" +
         camera(2, "c.jpg", "component_id=\"0\" enabled=\"false\"") +
         "<camera id=\"3\" sensor_id=\"0\" label=\"d.jpg\"/>\n    </cameras>\n  </chunk>\n</document>\n";
}

const Vec3<double> x_world(4027894.06751183, 306999.07954483194, 4919499.33106458);

struct Folder : TemporaryFolder {
  Folder() {
    write(document());
    for (const char* name : {"a.jpg", "b.JPG", "c.jpg"}) write_jpeg(*this / "images" / name, grey_photo(80, 60));
    PointCloud cloud;
    cloud.position = {{0, 0, 0}, {0.1f, 0, 0}};
    cloud.color = {{1, 2, 3}, {4, 5, 6}};
    write_ply(*this / "points.ply", cloud, x_world);
  }
  void write(const std::string& contents) const { write_contents(*this / "cameras.xml", contents); }
};

// Recorded: numpy, from the formulas in Metashape's manual.
TEST(Metashape, FrameLensAndWorld) {
  const Folder folder;
  const Scene scene = load_scene(folder.path());
  ASSERT_EQ(scene.images.size(), 2u);
  EXPECT_EQ(scene.images[1].name, "b.JPG");  // by its label, which has no extension, and from within a group
  EXPECT_TRUE(says(scene, "2 cameras are disabled or not aligned and are left out: c.jpg, d.jpg"));
  EXPECT_GT(std::abs(scene.origin_world.x), 4e6);
  const auto pixel = projected(scene, "a.jpg", x_world);
  EXPECT_NEAR(pixel.x_px, 7.594669769619505, 1e-6);
  EXPECT_NEAR(pixel.y_px, 19.94779120039112, 1e-6);
  EXPECT_NEAR(pixel.depth_m, 8.204736624317752, 1e-6);
}

// Recorded: numpy, from the same manual's formulas for fisheye and spherical cameras.
TEST(Metashape, FisheyesAndPanoramas) {
  const Folder folder;
  const auto lens = [&](const std::string& type, const std::string& size, const std::string& more) {
    std::string text = document();
    for (const auto& [from, to] : {std::pair<std::string, std::string>{"type=\"frame\" class=\"adjusted\"", "type=\"" + type + "\" class=\"adjusted\""},
                                   {"<resolution width=\"80\" height=\"60\"/>\n          <f>", size + "\n          <f>"},
                                   {"<k3>", more + "<k3>"}})
      text.replace(text.find(from), from.size(), to);
    folder.write(text);
  };
  const std::string usual = "<resolution width=\"80\" height=\"60\"/>";
  for (const char* type : {"fisheye", "equidistant_fisheye"}) {
    lens(type, usual, "<k4>0.002</k4>");
    const Scene scene = load_scene(folder.path());
    EXPECT_EQ(scene.cameras[0].params.model, CameraModel::fisheye);
    EXPECT_EQ(scene.cameras[0].colmap_model_id, 10);  // with p1 and p2
    const auto pixel = projected(scene, "a.jpg", x_world);
    EXPECT_NEAR(pixel.x_px, 8.490802272592, 1e-6);
    EXPECT_NEAR(pixel.y_px, 20.154756640516, 1e-6);
    EXPECT_NEAR(pixel.depth_m, 8.548574442831, 1e-6);
  }
  lens("fisheye", usual, "<b2>0.5</b2>");
  expect_input_error([&] { load_scene(folder.path()); }, {"without b2"});
  lens("spherical", usual, "");
  expect_input_error([&] { load_scene(folder.path()); }, {"line 8", "twice as wide as high", "80 x 60"});
  for (const char* name : {"a.jpg", "b.JPG", "c.jpg"}) write_jpeg(folder / "images" / name, grey_photo(80, 40));
  lens("spherical", "<resolution width=\"80\" height=\"40\"/>", "");
  const Scene scene = load_scene(folder.path());
  EXPECT_EQ(scene.cameras[0].params.model, CameraModel::equirectangular);
  const auto pixel = projected(scene, "a.jpg", x_world);
  EXPECT_NEAR(pixel.x_px, 36.464569384711, 1e-6);
  EXPECT_NEAR(pixel.y_px, 19.195765068907, 1e-6);
  // A sensor that has nothing to calibrate.
  std::string text = document();
  const size_t from = text.find("type=\"frame\">"), to = text.find("</sensor>");
  text.replace(from, to - from, "type=\"spherical\"><resolution width=\"80\" height=\"40\"/>");
  folder.write(text);
  EXPECT_NEAR(projected(load_scene(folder.path()), "a.jpg", x_world).x_px, 36.464569384711, 1e-6);
}

TEST(Metashape, TheChunkIsPlacedToo) {
  const Folder folder;
  std::string text = document();
  const std::string component = "<component id=\"0\" label=\"Component 1\">";
  const size_t from = text.find("<components"), to = text.find("<cameras");
  text.replace(from, to - from, placed);  // as older versions write it
  folder.write(text);
  EXPECT_NEAR(projected(load_scene(folder.path()), "a.jpg", x_world).x_px, 7.594669769619505, 1e-6);
  // Without any reference the chunk's own frame is the world.
  text.erase(text.find("<transform>"), text.find("<cameras") - text.find("<transform>"));
  folder.write(text);
  PointCloud cloud;
  cloud.position = {{0.3f, 0.25f, 0.4f}};
  cloud.color = {{1, 2, 3}};
  write_ply(folder / "points.ply", cloud);
  const auto pixel = projected(load_scene(folder.path()), "a.jpg", {0.3, 0.25, 0.4});
  EXPECT_NEAR(pixel.x_px, 7.594669769619505, 1e-9);
  EXPECT_NEAR(pixel.depth_m, 8.204736624317752 / 2.5, 1e-9);
}

TEST(Metashape, IsRecognisedByItsContents) {
  const Folder folder;
  EXPECT_STREQ(choose_scene(folder.path()).format->name, "metashape");
  fs::rename(folder / "cameras.xml", folder / "export.xml");
  EXPECT_EQ(load_scene(folder.path()).images.size(), 2u);
  write_contents(folder / "other.xml", "<doc/>");
  EXPECT_EQ(load_scene(folder / "export.xml").images.size(), 2u);
  expect_input_error([&] { load_scene(folder / "other.xml"); }, {"no scene found", "metashape: cameras.xml"});
}

TEST(MetashapeErrors, Messages) {
  const Folder folder;
  const auto broken = [&](const std::string& from, const std::string& to, std::initializer_list<const char*> parts) {
    std::string text = document();
    ASSERT_NE(text.find(from), std::string::npos) << from;
    text.replace(text.find(from), from.size(), to);
    folder.write(text);
    expect_input_error([&] { load_scene(folder.path()); }, parts);
  };
  broken("</sensors>", "", {"cameras.xml, line", "not an XML file"});
  broken("width=\"80\" height=\"60\"/>\n          <f>120", "width=\"x\" height=\"60\"/>\n          <f>120",
         {"line 9", "a number for width", "'x'"});
  broken("width=\"80\" height=\"60\"/>\n          <f>120", "width=\"-80\" height=\"60\"/>\n          <f>120",
         {"sensor 0", "1048576", "-80 x 60"});
  broken("<f>120</f>", "", {"expected <f>", "none"});
  broken("<f>120</f>", "<f>nan</f>", {"line 10", "a finite number for f", "nan"});
  broken("<f>120</f>", "<f>-120</f>", {"sensor 0", "focal length above 0"});
  broken("<k3>", "<k4>0.5</k4><k3>", {"without k4", "0.5", "optimise"});
  broken("<k3>", "<p3>0.5</p3><k3>", {"without p3"});
  broken("<k3>", "<b2>0.5</b2><k3>", {"without b2"});
  broken("type=\"frame\" class=\"adjusted\"", "type=\"equisolid_fisheye\" class=\"adjusted\"",
         {"line 5", "'equisolid_fisheye' of sensor 0 is not supported", "frame, fisheye"});
  broken("type=\"frame\" class=\"adjusted\"", "type=\"box\" class=\"adjusted\"", {"'box'", "not known"});
  broken("sensor_id=\"0\" component", "sensor_id=\"7\" component", {"a sensor", "'7'"});
  broken("label=\"a.jpg\"", "", {"label", "<camera>"});
  broken("label=\"a.jpg\"", "label=\"../a.jpg\"", {"'../a.jpg'", "leads out"});
  broken("label=\"a.jpg\"", "label=\"b\"", {"b.JPG", "stands twice"});
  broken("label=\"a.jpg\"", "label=\"e.jpg\"", {"missing: e.jpg", "--images"});
  broken("<transform>0.94470248599489", "<transform>2", {"a rotation in <transform>"});
  broken("<transform>0.94470248599489", "<transform>", {"ends before a camera's transform"});
  broken("0 0 0 1</transform>", "0 0 0 1 5</transform>", {"the end after a camera's transform", "'5'"});
  broken("0 0 0 1</transform>", "0 0 1 1</transform>", {"0 0 0 1 as the last row"});
  broken("-3 0 0 0 1<", "-1e13 0 0 0 1<", {"a.jpg", "1e12"});
  broken("2.5</scale>", "0</scale>", {"a scale above 0"});
  broken(">0.749596265080519 ", ">1.9 ", {"a rotation in <rotation>"});
  broken("</chunk>", "</chunk><chunk></chunk>", {"one chunk", "several"});
  folder.write("<document><chunk></chunk></document>");
  expect_input_error([&] { load_scene(folder.path()); }, {"line 1", "expected <sensors> in <chunk>"});
  folder.write("<document><chunk><sensors/></chunk></document>");
  expect_input_error([&] { load_scene(folder.path()); }, {"expected <cameras> in <chunk>"});
  folder.write("<document><chunk><sensors/><cameras/></chunk></document>");
  expect_input_error([&] { load_scene(folder.path()); }, {"no image with a pose"});
  folder.write(document());
  fs::remove(folder / "points.ply");
  expect_input_error([&] { load_scene(folder.path()); }, {"cameras.xml", "no points", "--points"});
}

TEST(MetashapeErrors, RandomDamage) {
  const Folder folder;
  EXPECT_GT(testing::damage_at_random(folder / "cameras.xml", 400, [&] { load_scene(folder.path()); }), 100);
}

}  // namespace
}  // namespace ptl
