// Editing points in a real window under Xvfb: strokes and boxes by the mouse, undo, the file, and that the program's
// other commands drop the same points.
#include "datasets/ply.h"
#include "datasets/view_camera.h"
#include "tests/viewer/window_fixture.h"

namespace ptl::testing {
namespace {

constexpr size_t wall_points = 60000, stray_points = 500;
const Vec3<double> stray(0.1, 0.05, 2);  // the middle of a small cloud halfway to the wall
constexpr float stray_radius = 0.05f;

/// The scene of the other tests, with stray points before the wall.
class EditWindowTest : public WindowTest {
 protected:
  static void SetUpTestSuite() {
    WindowTest::SetUpTestSuite();
    fs::copy(at("scene"), at("stray"), fs::copy_options::recursive);
    PointCloud cloud;
    for (uint64_t i = 0; i < wall_points + stray_points; ++i) {
      const auto draw = [&](uint64_t n) { return 2 * draw_unit(11, DrawPurpose::synthetic, i, n) - 1; };
      if (i < wall_points) {
        cloud.position.push_back({4 * draw(0), 2 * draw(1), 4});
        cloud.color.push_back({90, 110, 130});
      } else {
        const Vec3<float> around = glm::normalize(Vec3<float>(draw(0), draw(1), draw(2))) * stray_radius;
        cloud.position.push_back(Vec3<float>(stray) + around);
        cloud.color.push_back({250, 240, 30});
      }
    }
    write_ply(at("stray") / "points.ply", cloud);
  }

  static ProgramResult act_on_stray(const std::string& script, std::vector<std::string> more = {}) {
    more.insert(more.end(), {"--view", "photo_004.png", "--mode", "points", "--forget"});
    return act(script, more, "stray");
  }
  /// Where the window shows a place, with photo_004's lens.
  static Vec2<double> pixel_of(const nlohmann::json& s, const Vec3<double>& x) {
    const double width = s["picture"][2], height = s["picture"][3], scale = std::min(width / 192, height / 144);
    const Vec3<double> in_camera = x - Vec3<double>(-0.3, 0.1 * std::sin(4), 0);  // it stands there and looks along z
    return {s["picture"][0].get<double>() + width / 2 + 192 * scale * in_camera.x / in_camera.z,
            s["picture"][1].get<double>() + height / 2 + 192 * scale * in_camera.y / in_camera.z};
  }
  static std::string line(const std::string& command, std::initializer_list<double> numbers) {
    std::string text = "\n";
    text += command;
    for (const double number : numbers) (text += ' ') += std::to_string(number);
    return text;
  }
  static std::string with_control(const std::string& key) {
    return "\nkey control down\nkey " + key + "\nframes 2\nkey control up\nsettle";
  }
  static std::string fill(const std::string& field, const std::string& text) {
    return "\npush " + field + with_control("a") + "\ntext " + text + "\nframes 2\nkey enter\nframes 2";
  }
  static std::string write_state(const std::string& name) {
    return std::string("\nsettle\nstate ") + at(name).string();
  }
  static std::string picture(const std::string& name) {
    return std::string("\nsettle\nscreenshot ") + at(name).string();
  }
  static size_t yellow(const std::string& name) {
    const StoredImage image = read_image(at(name));
    size_t count = 0;
    for (size_t i = 0; i + 2 < image.values8.size(); i += 3)
      count += image.values8[i] > 200 && image.values8[i + 1] > 190 && image.values8[i + 2] < 80;
    return count;
  }
  /// What `info` says of the scene with a list of edits: the number of points that it drops.
  static int64_t dropped_by(const std::string& file) {
    const ProgramResult info = run_program(program, {"info", at("stray").string(), "--edits", at(file).string()});
    EXPECT_EQ(info.exit_code, 0) << info.output;
    const size_t place = info.output.find(" drops ");
    EXPECT_NE(place, std::string::npos) << info.output;
    return place == std::string::npos ? -1 : std::strtoll(info.output.c_str() + place + 7, nullptr, 10);
  }
};

TEST_F(EditWindowTest, AStrokeRemovesWhatIsUnderItAndAFitWouldToo) {
  ASSERT_EQ(act_on_stray(write_state("0.json")).exit_code, 0);
  const Vec2<double> at_px = pixel_of(state("0.json"), stray);
  const ProgramResult result = act_on_stray(
      "key c\nkey b\nsettle\npush edits brush" + picture("before.png") + line("move", {at_px.x, at_px.y}) +
      "\nframes 2\nscroll 6\nframes 2" + write_state("1.json") +
      line("drag", {at_px.x - 8, at_px.y - 4, at_px.x + 60, at_px.y + 6}) + write_state("2.json") +
      picture("after.png") +  // drawn where points went
      "\npush edits show" + picture("tinted.png") + "\npush edits show" + picture("again.png") +  // drawn anew
      with_control("z") + write_state("3.json") + picture("undone.png") + with_control("y") + write_state("4.json") +
      fill("edits file", at("stroke.json").string()) + "\npush edits save\nframes 3" + write_state("5.json") +
      "\nscreenshot " + at("window.png").string() + " panels\nframes 2");
  ASSERT_EQ(result.exit_code, 0) << result.output;
  const nlohmann::json before = state("1.json")["edits"], after = state("2.json")["edits"],
                       undone = state("3.json")["edits"], redone = state("4.json")["edits"],
                       saved = state("5.json")["edits"];
  EXPECT_EQ(before["removed"], 0);
  EXPECT_GT(before["radius_px"].get<double>(), 50);
  EXPECT_EQ(before["unsaved"], false);
  EXPECT_EQ(after["edits"], 1);
  EXPECT_EQ(after["removed"], stray_points) << "all of them, and nothing of the wall behind";
  EXPECT_EQ(after["points"], stray_points + wall_points);
  EXPECT_EQ(after["exact"], true);
  EXPECT_EQ(after["unsaved"], true);
  EXPECT_GT(yellow("before.png"), 1000u);
  EXPECT_EQ(yellow("after.png"), 0u);
  const StoredImage anew = read_image(at("again.png")), tinted = read_image(at("tinted.png"));
  EXPECT_EQ(read_image(at("after.png")).values8, anew.values8);
  EXPECT_NE(tinted.values8, anew.values8);
  size_t red = 0;
  for (size_t i = 0; i + 2 < tinted.values8.size(); i += 3)
    red += tinted.values8[i] > 200 && tinted.values8[i + 1] < 130 && tinted.values8[i + 2] < 90;
  EXPECT_GT(red, 1000u);
  EXPECT_EQ(undone["edits"], 0);
  EXPECT_EQ(undone["removed"], 0);
  EXPECT_EQ(undone["can_redo"], true);
  EXPECT_EQ(read_image(at("undone.png")).values8, read_image(at("before.png")).values8);
  EXPECT_EQ(redone["removed"], stray_points);
  EXPECT_EQ(saved["unsaved"], false) << saved["message"];
  EXPECT_EQ(saved["command"],
            std::string("pointillist fit ") + at("stray").string() + " --edits " + at("stroke.json").string());
  EXPECT_EQ(read_image_size(at("window.png")).width_px, 1280);

  EXPECT_EQ(dropped_by("stroke.json"), static_cast<int64_t>(stray_points));
  // The same list in a window that opens with it, and in a picture without one.
  const ProgramResult opened = act_on_stray(write_state("6.json"), {"--edits", at("stroke.json").string()});
  ASSERT_EQ(opened.exit_code, 0) << opened.output;
  EXPECT_EQ(state("6.json")["edits"]["removed"], stray_points);
  EXPECT_EQ(state("6.json")["edits"]["on"], true);
  EXPECT_EQ(state("6.json")["edits"]["unsaved"], false);
  for (const bool edited : {false, true}) {
    std::vector<std::string> arguments = {
        "view",         at("stray").string(),   "--view", "photo_004.png", "--mode", "points",
        "--screenshot", at("bare.png").string()};
    if (edited) arguments.insert(arguments.end(), {"--edits", at("stroke.json").string()});
    const ProgramResult bare = run_program(program, arguments);
    ASSERT_EQ(bare.exit_code, 0) << bare.output;
    EXPECT_EQ(yellow("bare.png") == 0, edited);
  }
}

TEST_F(EditWindowTest, EditsStayWhenTheWholeCloudIsRendered) {
  // More points than the first model takes: when that of all of them comes, the cloud that is drawn is the same.
  fs::copy(at("stray"), at("large"), fs::copy_options::recursive);
  PointCloud cloud = read_ply(at("large") / "points.ply").cloud;
  const size_t few = cloud.size();
  for (size_t i = 0; i < few; ++i)
    if (i < wall_points) {
      cloud.position.push_back(cloud.position[i] + Vec3<float>(0.001f, 0, 0));
      cloud.color.push_back(cloud.color[i]);
    }
  write_ply(at("large") / "points.ply", cloud);
  PointEdit without_stray;
  without_stray.kind = PointEdit::Kind::remove_box;
  without_stray.box.centre = stray;
  without_stray.box.half_size = Vec3<double>(2 * stray_radius);
  write_point_edits({without_stray}, Vec3<double>(0), at("large.json"));
  const std::vector<std::string> view = {"--view", "photo_004.png", "--mode", "points", "--forget"};
  const std::string script = "generation 2" + picture("large.png") + write_state("large_state.json");
  ASSERT_EQ(act(script, view, "large").exit_code, 0);
  EXPECT_GT(yellow("large.png"), 0u);
  std::vector<std::string> edited = view;
  edited.insert(edited.end(), {"--edits", at("large.json").string()});
  ASSERT_EQ(act(script, edited, "large").exit_code, 0);
  EXPECT_EQ(state("large_state.json")["edits"]["removed"], stray_points);
  EXPECT_EQ(yellow("large.png"), 0u);
}

TEST_F(EditWindowTest, ABrushThroughEverythingTakesTheWallToo) {
  ASSERT_EQ(act_on_stray(write_state("0.json")).exit_code, 0);
  const Vec2<double> at_px = pixel_of(state("0.json"), stray);
  const ProgramResult result =
      act_on_stray("key b\nsettle\npush edits brush\nframes 2\npush edits everything" +
                   line("move", {at_px.x, at_px.y}) + "\nframes 2\nscroll 6\nframes 2\nclick left\nframes 3" +
                   write_state("1.json") + "\npush edits undo" + write_state("2.json"));
  ASSERT_EQ(result.exit_code, 0) << result.output;
  const nlohmann::json after = state("1.json");
  // The circle on the wall: its share of the wall's points, which lie evenly; the cylinders are off it by a tenth.
  const double scale = std::min(after["picture"][2].get<double>() / 192, after["picture"][3].get<double>() / 144);
  const double radius = after["edits"]["radius_px"].get<double>() / (192 * scale) * 4;
  const double on_wall = 3.14159 * radius * radius / 32 * wall_points;
  const auto removed = after["edits"]["removed"].get<double>();
  EXPECT_GT(removed, stray_points + 0.75 * on_wall);
  EXPECT_LT(removed, stray_points + 1.3 * on_wall);
  EXPECT_EQ(state("2.json")["edits"]["removed"], 0);
}

TEST_F(EditWindowTest, ACropBoxIsDraggedByItsFacesAndItsMiddle) {
  const std::string begin = "key c\nkey f\nsettle\nkey b\nsettle\npush edits keep\nsettle";
  ASSERT_EQ(act_on_stray(begin + write_state("0.json")).exit_code, 0);
  const nlohmann::json first = state("0.json")["edits"]["box"];
  int face = -1;
  for (int i = 0; i < 6; ++i)
    if (first["handles"][static_cast<size_t>(i)]["seen"].get<bool>()) face = i;
  ASSERT_GE(face, 0);
  const auto pixel = [](const nlohmann::json& box, int handle) {
    const nlohmann::json& place = box["handles"][static_cast<size_t>(handle)];
    return Vec2<double>(place["x"], place["y"]);
  };
  const Vec2<double> from = pixel(first, face), middle = pixel(first, 6), half = 0.5 * (from + middle);
  const ProgramResult result = act_on_stray(
      begin + picture("before.png") + line("drag", {from.x, from.y, half.x, half.y}) + write_state("1.json") +
      picture("after.png") + with_control("z") + write_state("2.json") + with_control("y") +
      fill("edits file", at("crop.json").string()) + with_control("s") + write_state("3.json") +
      // The middle, back and forth; then the box goes by a key.
      line("drag", {(half.x + pixel(first, face ^ 1).x) / 2, (half.y + pixel(first, face ^ 1).y) / 2, 700, 300}) +
      write_state("4.json") + "\nkey delete" + write_state("5.json"));
  ASSERT_EQ(result.exit_code, 0) << result.output;
  const nlohmann::json dragged = state("1.json")["edits"]["box"], undone = state("2.json")["edits"]["box"];
  const auto axis = static_cast<size_t>(face / 2);
  const auto number = [](const nlohmann::json& box, const char* name, size_t i) { return box[name][i].get<double>(); };
  double moved = 0;
  for (size_t i = 0; i < 3; ++i) {
    if (i == axis)
      EXPECT_LT(number(dragged, "half_size", i), 0.9 * number(first, "half_size", i));
    else
      EXPECT_EQ(number(dragged, "half_size", i), number(first, "half_size", i));
    moved += std::pow(number(dragged, "centre", i) - number(first, "centre", i), 2);
  }
  EXPECT_NEAR(std::sqrt(moved), number(first, "half_size", axis) - number(dragged, "half_size", axis), 1e-6);
  const Vec2<double> opposite = pixel(dragged, face ^ 1), expected = pixel(first, face ^ 1);
  EXPECT_NEAR(opposite.x, expected.x, 0.01);
  EXPECT_NEAR(opposite.y, expected.y, 0.01);
  EXPECT_EQ(undone["half_size"], first["half_size"]);
  EXPECT_EQ(undone["centre"], first["centre"]);
  const auto removed = [](const char* name) { return state(name)["edits"]["removed"].get<int64_t>(); };
  EXPECT_GT(removed("1.json"), removed("0.json") + static_cast<int64_t>(wall_points) / 10);
  EXPECT_EQ(removed("2.json"), removed("0.json"));
  EXPECT_NE(read_image(at("before.png")).values8, read_image(at("after.png")).values8);
  EXPECT_EQ(state("3.json")["edits"]["unsaved"], false);
  EXPECT_EQ(dropped_by("crop.json"), removed("1.json"));
  EXPECT_EQ(state("4.json")["edits"]["box"]["half_size"], dragged["half_size"]);
  EXPECT_NE(state("4.json")["edits"]["box"]["centre"], dragged["centre"]);
  EXPECT_EQ(state("5.json")["edits"]["edits"], 0);
  EXPECT_EQ(removed("5.json"), 0);
}

TEST_F(EditWindowTest, FilesAreNotWrittenOverAndEditsNotDroppedUnasked) {
  write_contents(at("taken.json"), "something else");
  const ProgramResult result = act_on_stray(
      "key b\nsettle\npush edits remove\nframes 3" + fill("edits file", at("taken.json").string()) +
      "\npush edits save\nframes 3" + write_state("1.json") + "\npush edits load\nframes 3" + write_state("2.json") +
      "\npush edits load\nframes 3" + write_state("3.json") + "\nclose\nframes 3" + write_state("4.json") +
      "\npush leave stay\nframes 3" + write_state("5.json") + "\nclose\nframes 3\nscreenshot " +
      at("leave.png").string() + " panels\nframes 2\npush leave without\nframes 5" + write_state("left.json"));
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_EQ(file_contents(at("taken.json")), "something else");
  EXPECT_NE(state("1.json")["edits"]["message"].get<std::string>().find("is there already"), std::string::npos);
  EXPECT_NE(state("2.json")["edits"]["message"].get<std::string>().find("not saved"), std::string::npos);
  EXPECT_NE(state("3.json")["edits"]["message"].get<std::string>().find("taken.json"), std::string::npos);
  EXPECT_EQ(state("3.json")["edits"]["edits"], 1) << "what could not be read takes nothing away";
  EXPECT_EQ(state("4.json")["edits"]["asks_to_leave"], true);
  EXPECT_EQ(state("5.json")["edits"]["asks_to_leave"], false);
  EXPECT_FALSE(fs::exists(at("left.json"))) << "the window was to be closed";
  // Saving twice over it is meant.
  const ProgramResult twice =
      act_on_stray("key b\nsettle\npush edits remove\nframes 3" + fill("edits file", at("taken.json").string()) +
                   "\npush edits save\nframes 3\npush edits save\nframes 3" + write_state("7.json"));
  ASSERT_EQ(twice.exit_code, 0) << twice.output;
  EXPECT_EQ(state("7.json")["edits"]["unsaved"], false);
  EXPECT_NE(file_contents(at("taken.json")).find("remove_box"), std::string::npos);
}

TEST_F(EditWindowTest, ARunShowsItsPointsWhileEditing) {
  const ProgramResult result = act("settle" + write_state("0.json") + "\nkey b\nsettle\npush edits keep" +
                                       write_state("1.json") + "\nkey b" + write_state("2.json"),
                                   {"--view", "photo_004.png", "--forget"});
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_EQ(state("0.json")["mode"], "neural");
  EXPECT_EQ(state("1.json")["mode"], "points");
  EXPECT_EQ(state("1.json")["edits"]["command"],
            std::string("pointillist fit ") + at("scene").string() + " --edits run.edits.json");
  EXPECT_GT(state("1.json")["edits"]["removed"], 0);
  EXPECT_EQ(state("2.json")["mode"], "neural");
  EXPECT_EQ(state("2.json")["edits"]["on"], false);
}

TEST_F(EditWindowTest, AListThatIsNoneIsRefused) {
  write_contents(at("none.json"), "{\"format\": \"something\"}");
  expect_refused(run_program(program, {"view", at("stray").string(), "--edits", at("none.json").string(), "--script",
                                       at("script.txt").string()}),
                 {"none.json"});
}

}  // namespace
}  // namespace ptl::testing
