#include "datasets/split.h"

#include <gtest/gtest.h>

#include "tests/support/expect_input_error.h"
#include "tests/support/temporary_folder.h"

namespace ptl {
namespace {

using testing::TemporaryFolder;
using testing::expect_input_error;
using testing::write_contents;

Scene scene_of(int images) {
  Scene scene;
  for (int i = 0; i < images; ++i) scene.images.emplace_back().name = fmt::format("img {:03}.jpg", i);
  return scene;
}

TEST(Split, EveryEighthFromTheFirst) {
  const Split split = make_split(scene_of(18), "every8");
  EXPECT_EQ(split.name, "every8");
  EXPECT_EQ(split.held_out, (std::vector<int>{0, 8, 16}));
  EXPECT_EQ(split.train.size(), 15u);
  EXPECT_EQ(split.train.front(), 1);
  EXPECT_EQ(split.train[7], 9);
  EXPECT_TRUE(make_split(scene_of(3), "none").held_out.empty());
  EXPECT_EQ(make_split(scene_of(3), "none").train, (std::vector<int>{0, 1, 2}));
}

TEST(Split, FileOfNamesAndIndices) {
  TemporaryFolder folder;
  const std::string file = (folder / "test.txt").string();
  write_contents(file, "# held out\n img 004.jpg \r\n\n2\n");
  const Split split = make_split(scene_of(6), file);
  EXPECT_EQ(split.name, "test.txt");
  EXPECT_EQ(split.held_out, (std::vector<int>{2, 4}));
  EXPECT_EQ(split.train, (std::vector<int>{0, 1, 3, 5}));
}

TEST(Split, Errors) {
  TemporaryFolder folder;
  const std::string file = (folder / "test.txt").string();
  expect_input_error([&] { make_split(scene_of(6), file); }, {"--split", "test.txt", "every8, none"});
  expect_input_error([&] { make_split(scene_of(6), folder.path().string()); }, {"--split", "every8, none"});
  write_contents(file, "img 001.jpg\nnobody.jpg\n");
  expect_input_error([&] { make_split(scene_of(6), file); }, {"test.txt, line 2", "0 to 5", "nobody.jpg"});
  write_contents(file, "6\n");
  expect_input_error([&] { make_split(scene_of(6), file); }, {"test.txt, line 1", "0 to 5", "'6'"});
  write_contents(file, "img 001.jpg\n1\n");
  expect_input_error([&] { make_split(scene_of(6), file); }, {"test.txt, line 2", "img 001.jpg", "twice"});
  write_contents(file, "# nothing\n");
  expect_input_error([&] { make_split(scene_of(6), file); }, {"test.txt", "no held-out image"});
  write_contents(file, "0\n1\n");
  expect_input_error([&] { make_split(scene_of(2), file); }, {"all 2 images", "none is left"});
  expect_input_error([&] { make_split(scene_of(1), "every8"); }, {"every8", "all 1 images"});
}

}  // namespace
}  // namespace ptl
