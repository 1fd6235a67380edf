#include "datasets/colmap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <iostream>

#include "kernels/hash.h"
#include "tests/support/expect_input_error.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tiny_model.h"

namespace ptl {
namespace {

using testing::TemporaryFolder;
using testing::expect_input_error;
using testing::file_contents;
using testing::tiny_model;
using testing::write_contents;

void expect_same(const ColmapModel& a, const ColmapModel& b) {
  ASSERT_EQ(a.cameras.size(), b.cameras.size());
  for (size_t i = 0; i < a.cameras.size(); ++i) {
    EXPECT_EQ(a.cameras[i].id, b.cameras[i].id);
    EXPECT_EQ(a.cameras[i].model_id, b.cameras[i].model_id);
    EXPECT_EQ(a.cameras[i].width_px, b.cameras[i].width_px);
    EXPECT_EQ(a.cameras[i].height_px, b.cameras[i].height_px);
    EXPECT_EQ(a.cameras[i].params, b.cameras[i].params);
  }
  ASSERT_EQ(a.images.size(), b.images.size());
  for (size_t i = 0; i < a.images.size(); ++i) {
    EXPECT_EQ(a.images[i].id, b.images[i].id);
    EXPECT_EQ(a.images[i].rotation_wxyz, b.images[i].rotation_wxyz);
    EXPECT_EQ(a.images[i].translation, b.images[i].translation);
    EXPECT_EQ(a.images[i].camera_id, b.images[i].camera_id);
    EXPECT_EQ(a.images[i].name, b.images[i].name);
    ASSERT_EQ(a.images[i].observations.size(), b.images[i].observations.size());
    for (size_t j = 0; j < a.images[i].observations.size(); ++j) {
      EXPECT_EQ(a.images[i].observations[j].x_px, b.images[i].observations[j].x_px);
      EXPECT_EQ(a.images[i].observations[j].y_px, b.images[i].observations[j].y_px);
      EXPECT_EQ(a.images[i].observations[j].point_id, b.images[i].observations[j].point_id);
    }
  }
  ASSERT_EQ(a.points.size(), b.points.size());
  for (size_t i = 0; i < a.points.size(); ++i) {
    EXPECT_EQ(a.points[i].id, b.points[i].id);
    EXPECT_EQ(a.points[i].position, b.points[i].position);
    EXPECT_EQ(a.points[i].color, b.points[i].color);
    EXPECT_EQ(a.points[i].reprojection_error_px, b.points[i].reprojection_error_px);
    EXPECT_EQ(a.points[i].track, b.points[i].track);
  }
}

TEST(Colmap, BinaryAndTextRoundTripExactly) {
  for (const ColmapFormat format : {ColmapFormat::binary, ColmapFormat::text}) {
    TemporaryFolder folder;
    ColmapModel model = tiny_model();
    model.images[0].observations.clear();  // an empty second line in text
    model.points[0].track.erase(model.points[0].track.begin());
    write_colmap_model(model, folder.path(), format);
    expect_same(read_colmap_model(folder.path()), model);
  }
}

TEST(Colmap, TextWithCommentsWindowsLineEndsAndNoLastLineIsRead) {
  TemporaryFolder folder;
  write_contents(folder / "cameras.txt", "# x\r\n1 SIMPLE_PINHOLE 64 48 50 32 24\r\n");
  write_contents(folder / "images.txt", "#\n5 1 0 0 0 0 0 2 1 a b.jpg \r\n10 20 -1 1.5 2.5 9\r\n6 1 0 0 0 1 0 2 1 c.jpg");
  write_contents(folder / "points3D.txt", "\n9 1 2 3 255 0 7 0.5 5 1");
  const ColmapModel model = read_colmap_model(folder.path());
  ASSERT_EQ(model.images.size(), 2u);
  EXPECT_EQ(model.images[0].name, "a b.jpg");
  ASSERT_EQ(model.images[0].observations.size(), 2u);
  EXPECT_EQ(model.images[0].observations[0].point_id, UINT64_MAX);
  EXPECT_EQ(model.images[0].observations[1].y_px, 2.5);
  EXPECT_TRUE(model.images[1].observations.empty());
  EXPECT_EQ(model.points[0].color, (std::array<uint8_t, 3>{255, 0, 7}));
  EXPECT_EQ(model.points[0].track, (std::vector<std::pair<uint32_t, uint32_t>>{{5, 1}}));
}

TEST(Colmap, FindsTheModelInTheThreePlaces) {
  for (const char* place : {"sparse/0", "sparse", "."}) {
    TemporaryFolder folder;
    write_colmap_model(tiny_model(), folder.path() / place, ColmapFormat::binary);
    EXPECT_TRUE(std::filesystem::equivalent(find_colmap_model(folder.path()), folder.path() / place));
  }
  TemporaryFolder folder;
  expect_input_error([&] { find_colmap_model(folder.path()); }, {folder.path().c_str(), "sparse/0", "run COLMAP"});
  expect_input_error([&] { find_colmap_model(folder / "none"); }, {"none", "no such folder"});
}

TEST(Colmap, SceneIsSortedAndRelativeToTheMedianCamera) {
  ColmapModel model = tiny_model();
  model.images[0].name = "b.jpg";
  model.images[1].name = "\xc3\xa4.jpg";  // bytes count, not the alphabet
  model.images[2].name = "Z.jpg";
  std::swap(model.cameras[0], model.cameras[1]);
  const Scene scene = scene_from_colmap(model, "m");
  ASSERT_EQ(scene.images.size(), 3u);
  EXPECT_EQ(scene.images[0].name, "Z.jpg");
  EXPECT_EQ(scene.images[1].name, "b.jpg");
  EXPECT_EQ(scene.images[2].name, "\xc3\xa4.jpg");
  EXPECT_EQ(scene.cameras[0].id, 1u);
  EXPECT_EQ(scene.cameras[1].id, 7u);
  // A point in camera coordinates is the same in both frames.
  for (const SceneImage& image : scene.images) {
    const Vec3<double> centre = -(glm::transpose(image.camera_from_world.rotation) * image.camera_from_world.translation);
    EXPECT_LT(glm::length(centre), 2.0);
  }
  const Vec3<double> world = scene.sparse_points[2].position + scene.origin_world;
  EXPECT_LT(glm::length(world - model.points[2].position), 1e-15);
  EXPECT_EQ(scene.cameras[0].params.value[0], 50);
  EXPECT_EQ(scene.cameras[0].params.width_px, 64);
}

TEST(Colmap, SceneGoesBackToTheSameModel) {
  const ColmapModel model = tiny_model();
  const ColmapModel back = colmap_from_scene(scene_from_colmap(model, "m"));
  for (size_t i = 0; i < 3; ++i)
    for (size_t j = 0; j < 4; ++j) {
      EXPECT_NEAR(back.images[i].rotation_wxyz[j], model.images[i].rotation_wxyz[j], 1e-15);
      if (j < 3) {
        EXPECT_NEAR(back.images[i].translation[j], model.images[i].translation[j], 4e-15);
      }
    }
  ColmapModel discrete = back;
  for (size_t i = 0; i < 3; ++i) {
    discrete.images[i].rotation_wxyz = model.images[i].rotation_wxyz;
    discrete.images[i].translation = model.images[i].translation;
  }
  for (size_t i = 0; i < 5; ++i) {
    for (int axis = 0; axis < 3; ++axis)
      EXPECT_NEAR(back.points[i].position[axis], model.points[i].position[axis], 1e-15);
    discrete.points[i].position = model.points[i].position;
  }
  expect_same(discrete, model);
}

TEST(Colmap, GeoreferencedSceneHasTheSameRelativeCoordinates) {
  const Vec3<double> shift(4.5e5, 5.4e6, 300);
  const Scene scene = scene_from_colmap(tiny_model(), "m");
  const Scene moved = scene_from_colmap(testing::shifted(tiny_model(), shift), "m");
  EXPECT_EQ(moved.origin_world, scene.origin_world + shift);  // exactly
  for (size_t i = 0; i < scene.sparse_points.size(); ++i)
    for (int axis = 0; axis < 3; ++axis)
      EXPECT_NEAR(moved.sparse_points[i].position[axis], scene.sparse_points[i].position[axis], 1e-9);
  for (size_t i = 0; i < scene.images.size(); ++i)
    for (int axis = 0; axis < 3; ++axis)
      EXPECT_NEAR(moved.images[i].camera_from_world.translation[axis],
                  scene.images[i].camera_from_world.translation[axis], 4e-9);
  const ColmapModel back = colmap_from_scene(moved);
  EXPECT_NEAR(back.points[3].position.y, tiny_model().points[3].position.y + shift.y, 1e-9);
}

TEST(Colmap, TracksOfRemovedImagesAreLeftOutAndSaid) {
  ColmapModel model = tiny_model();
  model.points[0].track.emplace_back(99, 0);           // no such image
  model.points[0].track.emplace_back(10, 2);           // no such 2D point
  model.images[1].observations[1].point_id = 4242;     // no such point
  const Scene scene = scene_from_colmap(model, "m");
  EXPECT_EQ(scene.sparse_points[0].track.size(), 3u);
  EXPECT_EQ(scene.images[1].observations[1].point_id, UINT64_MAX);
  ASSERT_EQ(scene.oddities.size(), 2u);
  EXPECT_NE(scene.oddities[0].find("1 2D points"), std::string::npos);
  EXPECT_NE(scene.oddities[1].find("2 track elements"), std::string::npos);
}

// ---- wrong input ----

void expect_refused(const std::function<void(ColmapModel&)>& spoil, std::initializer_list<const char*> parts) {
  for (const ColmapFormat format : {ColmapFormat::binary, ColmapFormat::text}) {
    TemporaryFolder folder;
    ColmapModel model = tiny_model();
    spoil(model);
    write_colmap_model(model, folder.path(), format);
    expect_input_error([&] { read_colmap_model(folder.path()); }, parts);
  }
}

TEST(ColmapErrors, Contents) {
  const double nan = std::nan(""), infinity = INFINITY;
  expect_refused([&](auto& m) { m.points[2].position.y = nan; }, {"points3D", "point 104", "finite", "nan"});
  expect_refused([&](auto& m) { m.points[2].position.z = -infinity; }, {"points3D", "point 104", "finite", "inf"});
  expect_refused([&](auto& m) { m.points[1].position.x = 1e300; }, {"points3D", "point 101", "1e12", "1e+300"});
  expect_refused([&](auto& m) { m.images[1].translation[0] = nan; }, {"images", "image 11 'photo 1.jpg'", "translation"});
  expect_refused([&](auto& m) { m.images[1].rotation_wxyz = {0, 0, 0, 0}; }, {"images", "length 1", "found 0"});
  expect_refused([&](auto& m) { m.cameras[1].params[2] = infinity; }, {"cameras", "camera 7", "finite"});
  expect_refused([&](auto& m) { m.cameras[1].params[0] = -5; }, {"cameras", "camera 7", "focal length", "-5"});
  expect_refused([&](auto& m) { m.cameras[0].width_px = 0; }, {"cameras", "camera 1", "size", "0 x 48"});
  expect_refused([&](auto& m) { m.cameras[0].height_px = 1ull << 40; }, {"cameras", "camera 1", "64 x 1099511627776"});
  expect_refused([&](auto& m) { m.images[2].name = m.images[0].name; }, {"images", "'photo 0.jpg' stands twice"});
  expect_refused([&](auto& m) { m.images[2].id = 10; }, {"images", "id 10 stands twice"});
  expect_refused([&](auto& m) { m.cameras[1].id = 1; }, {"cameras", "id 1 stands twice"});
  expect_refused([&](auto& m) { m.points[4].id = 100; }, {"points3D", "id 100 stands twice"});
  expect_refused([&](auto& m) { m.images[0].camera_id = 3; }, {"images", "camera 3", "does not have"});
  expect_refused([&](auto& m) { m.images[0].name = "a/../../b.jpg"; }, {"images", "a/../../b.jpg", "'..'"});
  expect_refused([&](auto& m) { m.images[0].name = "/etc/passwd"; }, {"images", "/etc/passwd", "absolute"});
  expect_refused([&](auto& m) { m.images[0].name = "C:\\a.jpg"; }, {"images", "absolute"});
  expect_refused([&](auto& m) { m.images[0].name = "a\\b.jpg"; }, {"images", "backslash"});
  expect_refused([&](auto& m) { m.images[0].name = "a\x01.jpg"; }, {"images", "control character"});
  expect_refused([&](auto& m) { m.images[0].name = ""; }, {"images", "empty"});
}

TEST(ColmapErrors, UnsupportedCameraModelIsNamed) {
  TemporaryFolder folder;
  write_contents(folder / "images.txt", "5 1 0 0 0 0 0 2 1 a.jpg\n\n");
  write_contents(folder / "points3D.txt", "");
  write_contents(folder / "cameras.txt", "1 BOX_BROWNIE 64 48 50 50 32 24 0.5\n");
  expect_input_error([&] { read_colmap_model(folder.path()); }, {"cameras.txt", "BOX_BROWNIE"});
}

TEST(ColmapErrors, BrokenBinaryFiles) {
  TemporaryFolder folder;
  write_colmap_model(tiny_model(), folder.path(), ColmapFormat::binary);
  for (const char* name : {"cameras.bin", "images.bin", "points3D.bin"}) {
    const std::filesystem::path path = folder / name;
    const std::string good = file_contents(path);
    write_contents(path, good.substr(0, good.size() - 3));
    expect_input_error([&] { read_colmap_model(folder.path()); }, {name, "copy or export"});
    write_contents(path, good + "tail");
    expect_input_error([&] { read_colmap_model(folder.path()); }, {name, "expected the end", "found 4 more bytes"});
    write_contents(path, good.substr(0, 5));
    expect_input_error([&] { read_colmap_model(folder.path()); }, {name, "ends in the middle"});
    std::string wild = good;
    wild[6] = 0x7f;  // the count becomes 3.6e16
    write_contents(path, wild);
    expect_input_error([&] { read_colmap_model(folder.path()); }, {name, "says 3574", "can hold at most"});
    write_contents(path, std::string(1000, '\xa5'));
    expect_input_error([&] { read_colmap_model(folder.path()); }, {name, "can hold at most"});
    write_contents(path, good);
  }
  std::filesystem::remove(folder / "images.bin");
  expect_input_error([&] { read_colmap_model(folder.path()); }, {"incomplete", "images.bin missing"});
  std::filesystem::create_directory(folder / "images.bin");
  expect_input_error([&] { read_colmap_model(folder.path()); }, {"images.bin", "expected a file"});
}

TEST(ColmapErrors, BrokenTextFiles) {
  TemporaryFolder folder;
  write_colmap_model(tiny_model(), folder.path(), ColmapFormat::text);
  const auto spoil = [&](const char* name, const char* contents, std::initializer_list<const char*> parts) {
    const std::string good = file_contents(folder / name);
    write_contents(folder / name, contents);
    expect_input_error([&] { read_colmap_model(folder.path()); }, parts);
    write_contents(folder / name, good);
  };
  spoil("cameras.txt", "1 PINHOLE 64 48 50 51 32\n", {"cameras.txt, line 1", "ends before the camera's parameters"});
  spoil("cameras.txt", "1 PINHOLE 64 48 50 51 32 24 7\n", {"cameras.txt, line 1", "expected the end of the line", "'7'"});
  spoil("cameras.txt", "# c\n\n1 PINHOLE 64 4x8 50 51 32 24\n", {"cameras.txt, line 3", "the height", "'4x8'"});
  spoil("images.txt", "1 1 0 0 0 0 0 2 1 a.jpg\n10 20\n", {"images.txt, line 2", "ends before the id"});
  spoil("points3D.txt", "1 0 0 0 256 0 0 1\n", {"points3D.txt, line 1", "0 to 255", "'256'"});
  spoil("points3D.txt", "1 0 0 0 25 0 0 1 3\n", {"points3D.txt, line 1", "ends before the 2D point"});
}

// Whatever is done to the files, reading gives an InputError or a model that can be used; run under sanitizers too.
void damage_and_read(ColmapFormat format) {
  TemporaryFolder folder;
  write_colmap_model(tiny_model(), folder.path(), format);
  const char* extension = format == ColmapFormat::binary ? ".bin" : ".txt";
  const char* stems[] = {"cameras", "images", "points3D"};
  int refused = 0, accepted = 0;
  for (uint64_t trial = 0; trial < 1500; ++trial) {
    const auto draw = [&](uint64_t number, uint64_t below) {
      return draw_bits(1, DrawPurpose::synthetic, trial, number) % below;
    };
    const std::filesystem::path path = folder / (std::string(stems[trial % 3]) + extension);
    const std::string good = file_contents(path);
    std::string bad = good;
    if (draw(0, 3) == 0) bad.resize(draw(1, bad.size()));
    for (uint64_t flip = 0; flip < draw(2, 4) && !bad.empty(); ++flip)
      bad[draw(10 + flip, bad.size())] ^= static_cast<char>(1u << draw(20 + flip, 8));
    std::ofstream(path, std::ios::binary) << bad;
    try {
      const Scene scene = scene_from_colmap(read_colmap_model(folder.path()), folder.path());
      for (const SparsePoint& point : scene.sparse_points)
        for (const auto& [image_id, index] : point.track) {
          const auto image = std::find_if(scene.images.begin(), scene.images.end(),
                                          [&, id = image_id](const SceneImage& candidate) { return candidate.id == id; });
          ASSERT_NE(image, scene.images.end());
          ASSERT_LT(index, image->observations.size());
        }
      ++accepted;
    } catch (const InputError& error) {
      ASSERT_GT(std::strlen(error.what()), 20u);
      ++refused;
    }
    std::ofstream(path, std::ios::binary) << good;
  }
  EXPECT_GT(refused, 300);
  EXPECT_GT(accepted, 100);
}

TEST(ColmapErrors, RandomDamageNeverCrashes) {
  damage_and_read(ColmapFormat::binary);
  damage_and_read(ColmapFormat::text);
}

// ---- real scenes ----

/// What pycolmap 4.2.1 reads.
struct Recorded {
  const char* scene;
  size_t images, points, observations;
  const char* middle_name;  ///< of the image in the middle of the names sorted by bytes
  uint32_t middle_id;
  Vec3<double> middle_center;
  Vec3<double> first_point;  ///< the point with the smallest id
  double first_point_error_px;
};

const Recorded recorded[] = {
    {"fox", 50, 11726, 74623, "0044.jpg", 26, {3.7121556221098118, -1.1155759094268318, -2.6628716076778582},
     {1.1623715490710846, 0.7224941557669283, 3.9058653485865}, 0.3193411030852416},
    {"plush", 97, 18267, 103136, "20240212_004014.jpg", 49, {-3.4445386128941164, 1.527230102389571, 1.2650214292221493},
     {4.443625892382895, -3.7408276067364676, 5.68317718214578}, 3.7538359850614005},
    {"fountain", 11, 7269, 33505, "0005.jpg", 6, {-14.160398000778448, -3.320842214154861, 0.08620343906775485},
     {-12.699970868640959, -12.70369528491125, -3.1515865222435084}, 0.09241661095443787}};

TEST(ColmapRealScenes, GiveWhatPycolmapReads) {
  const char* data = std::getenv("PTL_TEST_DATA");
  if (!data) GTEST_SKIP() << "PTL_TEST_DATA names no folder with fox, plush and fountain";
  for (const Recorded& expected : recorded) {
    const auto folder = find_colmap_model(std::filesystem::path(data) / expected.scene);
    const Scene scene = scene_from_colmap(read_colmap_model(folder), folder);
    ASSERT_EQ(scene.images.size(), expected.images);
    ASSERT_EQ(scene.sparse_points.size(), expected.points);
    EXPECT_TRUE(scene.oddities.empty());
    size_t observations = 0, track_elements = 0;
    for (const SceneImage& image : scene.images) observations += image.observations.size();
    for (const SparsePoint& point : scene.sparse_points) track_elements += point.track.size();
    EXPECT_EQ(observations, expected.observations);
    EXPECT_EQ(track_elements, expected.observations);
    const SceneImage& middle = scene.images[scene.images.size() / 2];
    EXPECT_EQ(middle.name, expected.middle_name);
    EXPECT_EQ(middle.id, expected.middle_id);
    const Pose<double>& pose = middle.camera_from_world;
    const Vec3<double> center = scene.origin_world - glm::transpose(pose.rotation) * pose.translation;
    EXPECT_LT(glm::length(center - expected.middle_center), 1e-13);
    const auto first = std::min_element(scene.sparse_points.begin(), scene.sparse_points.end(),
                                        [](const auto& a, const auto& b) { return a.id < b.id; });
    EXPECT_LT(glm::length(first->position + scene.origin_world - expected.first_point), 1e-14);
    EXPECT_EQ(first->reprojection_error_px, expected.first_point_error_px);
  }
}

TEST(ColmapRealScenes, RoundTripAndMove) {
  const char* data = std::getenv("PTL_TEST_DATA");
  if (!data) GTEST_SKIP() << "PTL_TEST_DATA names no folder with fox, plush and fountain";
  for (const auto& [name, images, points] :
       {std::tuple{"fox", 50, 11726}, std::tuple{"plush", 97, 18267}, std::tuple{"fountain", 11, 7269}}) {
    const auto folder = find_colmap_model(std::filesystem::path(data) / name);
    const ColmapModel model = read_colmap_model(folder);
    EXPECT_EQ(model.images.size(), static_cast<size_t>(images)) << name;
    EXPECT_EQ(model.points.size(), static_cast<size_t>(points)) << name;
    TemporaryFolder copy;
    write_colmap_model(model, copy.path(), ColmapFormat::binary);
    for (const char* file : {"cameras.bin", "images.bin", "points3D.bin"})
      EXPECT_TRUE(file_contents(copy / file) == file_contents(folder / file)) << name << "/" << file;
    TemporaryFolder text;
    write_colmap_model(model, text.path(), ColmapFormat::text);
    expect_same(read_colmap_model(text.path()), model);

    const Vec3<double> shift(4.5e5, 5.4e6, 300);
    const Scene scene = scene_from_colmap(model, folder), moved = scene_from_colmap(testing::shifted(model, shift), folder);
    EXPECT_EQ(moved.origin_world, scene.origin_world + shift) << name;
    size_t same = 0;
    for (size_t i = 0; i < scene.sparse_points.size(); ++i) {
      const Vec3<double> a = scene.sparse_points[i].position, b = moved.sparse_points[i].position;
      EXPECT_LT(glm::length(a - b), 2e-9);
      same += Vec3<float>(a) == Vec3<float>(b);
    }
    EXPECT_GT(static_cast<double>(same), 0.9 * points) << name;
    std::cout << name << ": " << same << " of " << points << " points have the same float coordinates when moved\n";
  }
}

}  // namespace
}  // namespace ptl
