// Faults of photos and masks, planted one at a time: each found, and named.
#include <omp.h>

#include "tests/doctor/planted.h"

namespace ptl::testing {

namespace {

using doctor::Severity;

/// The mean over a window of pixels beside and above each other.
void box_blur(StoredImage& photo, int reach_x, int reach_y) {
  const StoredImage sharp = photo;
  for (int y = 0; y < photo.height; ++y)
    for (int x = 0; x < photo.width; ++x)
      for (int c = 0; c < 3; ++c) {
        int sum = 0, count = 0;
        for (int dy = -reach_y; dy <= reach_y; ++dy)
          for (int dx = -reach_x; dx <= reach_x; ++dx) {
            const int px = std::clamp(x + dx, 0, photo.width - 1), py = std::clamp(y + dy, 0, photo.height - 1);
            sum += sharp.values8[static_cast<size_t>((py * photo.width + px) * 3 + c)];
            ++count;
          }
        photo.values8[static_cast<size_t>((y * photo.width + x) * 3 + c)] = static_cast<uint8_t>(sum / count);
      }
}

void scale_values(StoredImage& photo, double factor) {
  for (uint8_t& value : photo.values8) value = static_cast<uint8_t>(std::min(255.0, value * factor));
}

TEST(DoctorPhotos, SoundScene) {
  const Planted scene;
  const doctor::Examination examination = scene.examine();
  expect_nothing_else(examination, {});
  EXPECT_TRUE(examination.diagnosis.fit_is_advisable());
  EXPECT_TRUE(examination.opened.refusals.empty());
}

TEST(DoctorPhotos, SwappedPhotos) {
  Planted scene;
  std::filesystem::rename(scene.photo_path(3), scene.path() / "other.jpg");
  std::filesystem::rename(scene.photo_path(17), scene.photo_path(3));
  std::filesystem::rename(scene.path() / "other.jpg", scene.photo_path(17));
  const doctor::Examination examination = scene.examine();
  expect_found(examination, "swapped_photo", Severity::severe, {3, 17});
  const doctor::Finding& finding = *find_check(examination, "swapped_photo");
  EXPECT_NE(finding.images[0].detail.find("photo_0017.jpg fits"), std::string::npos) << finding.images[0].detail;
  EXPECT_FALSE(finding.images[0].marks.empty());
}

TEST(DoctorPhotos, SwappedNeighbours) {
  Planted scene;
  std::filesystem::rename(scene.photo_path(20), scene.path() / "other.jpg");
  std::filesystem::rename(scene.photo_path(21), scene.photo_path(20));
  std::filesystem::rename(scene.path() / "other.jpg", scene.photo_path(21));
  expect_found(scene.examine(), "swapped_photo", Severity::severe, {20, 21});
}

TEST(DoctorPhotos, DuplicatedPhoto) {
  Planted scene;
  std::filesystem::copy_file(scene.photo_path(5), scene.photo_path(20),
                             std::filesystem::copy_options::overwrite_existing);
  expect_found(scene.examine(), "duplicate_photo", Severity::severe, {5, 20});
}

TEST(DoctorPhotos, DuplicatedWithItsPose) {
  Planted scene;
  std::filesystem::copy_file(scene.photo_path(5), scene.path() / "images" / "photo_0099.jpg");
  scene.change_photo(5, [](StoredImage&) {});  // encoded once more: not the same bytes
  scene.change_model([](ColmapModel& model) {
    ColmapImage copy = image_named(model, 5);
    copy.id = 1000;
    copy.name = "photo_0099.jpg";
    for (uint32_t k = 0; k < copy.observations.size(); ++k)
      for (SparsePoint& point : model.points)
        if (point.id == copy.observations[k].point_id) point.track.push_back({copy.id, k});
    model.images.push_back(copy);
  });
  expect_found(scene.examine(), "duplicate_photo", Severity::harmful, {5, 99});
}

TEST(DoctorPhotos, TurnedByHalf) {
  Planted scene;
  scene.change_photo(9, [](StoredImage& photo) {
    std::reverse(photo.values8.begin(), photo.values8.end());
    for (size_t i = 0; i < photo.values8.size(); i += 3) std::swap(photo.values8[i], photo.values8[i + 2]);
  });
  scene.change_exif(9, [](ExifFields& fields) { fields.orientation = 3; });
  const doctor::Examination examination = scene.examine();
  expect_found(examination, "turned_photo", Severity::severe, {9});
  const std::string& detail = check_found(examination, "turned_photo").images[0].detail;
  EXPECT_NE(detail.find("turned by 180"), std::string::npos) << detail;
  EXPECT_NE(detail.find("EXIF orientation 3"), std::string::npos) << detail;
}

TEST(DoctorPhotos, TurnedByAQuarter) {
  Planted scene;
  scene.change_photo(9, [](StoredImage& photo) { photo = doctor::quarter_turned(photo, 1); });
  const doctor::Examination examination = scene.examine();
  expect_found(examination, "photo_aspect", Severity::severe, {9});
  expect_found(examination, "turned_photo", Severity::severe, {9});
  EXPECT_NE(check_found(examination, "turned_photo").images[0].detail.find("turned by 270"), std::string::npos);
  EXPECT_NE(find_check(examination, "refused"), nullptr);
}

TEST(DoctorPhotos, Blurred) {
  Planted scene;
  scene.change_photo(13, [](StoredImage& photo) { box_blur(photo, 2, 2); });
  const doctor::Examination examination = scene.examine();
  expect_found(examination, "blurred_photo", Severity::harmful, {13});
  EXPECT_EQ(find_check(examination, "motion_blur"), nullptr);
  EXPECT_TRUE(examination.diagnosis.fit_is_advisable());
}

TEST(DoctorPhotos, BlurredByMotion) {
  Planted scene;
  scene.change_photo(14, [](StoredImage& photo) { box_blur(photo, 4, 0); });
  const doctor::Examination examination = scene.examine();
  expect_found(examination, "motion_blur", Severity::harmful, {14});
  EXPECT_NE(check_found(examination, "motion_blur").images[0].detail.find("along 0°"), std::string::npos);
  EXPECT_NE(check_found(examination, "motion_blur").remedy.find("--fit motion_blur"), std::string::npos);
}

TEST(DoctorPhotos, Black) {
  Planted scene;
  scene.change_photo(15, [](StoredImage& photo) { scale_values(photo, 0); });
  expect_found(scene.examine(), "constant_photo", Severity::severe, {15});
}

TEST(DoctorPhotos, Overexposed) {
  Planted scene;
  scene.change_photo(16, [](StoredImage& photo) { scale_values(photo, 5); });
  const doctor::Examination examination = scene.examine();
  expect_found(examination, "overexposed", Severity::harmful, {16});
}

TEST(DoctorPhotos, Underexposed) {
  Planted scene;
  scene.change_photo(16, [](StoredImage& photo) {
    for (uint8_t& value : photo.values8) value = static_cast<uint8_t>(value < 170 ? 0 : value - 170);
  });
  expect_found(scene.examine(), "underexposed", Severity::harmful, {16});
}

TEST(DoctorPhotos, SomeWithoutExif) {
  Planted scene;
  for (const int i : {2, 6}) scene.strip_exif(i);
  const doctor::Examination examination = scene.examine();
  expect_found(examination, "exif_missing", Severity::note, {2, 6});
  expect_nothing_else(examination, {});
}

TEST(DoctorPhotos, ExifContradicts) {
  Planted scene;
  scene.change_exif(10, [](ExifFields& fields) { fields.exposure_time_s = *fields.exposure_time_s * 4; });
  const doctor::Examination examination = scene.examine();
  expect_found(examination, "exif_contradiction", Severity::harmful, {10});
  expect_nothing_else(examination, {"exif_contradiction"});
}

TEST(DoctorPhotos, ExposureJumpsWithoutExif) {
  Planted scene;
  for (int i = 0; i < sound_photos; ++i) scene.strip_exif(i);
  scene.change_photo(12, [](StoredImage& photo) { scale_values(photo, 0.45); });
  const doctor::Examination examination = scene.examine();
  expect_found(examination, "exposure_jump", Severity::harmful, {12});
  EXPECT_NE(find_check(examination, "no_exif"), nullptr);
}

TEST(DoctorPhotos, DamagedFile) {
  Planted scene;
  const std::string bytes = file_contents(scene.photo_path(4));
  write_contents(scene.photo_path(4), bytes.substr(0, bytes.size() / 3));
  expect_found(scene.examine(), "damaged_photo", Severity::severe, {4});
  write_contents(scene.photo_path(0), "no picture");  // the first one is what readers look at first
  expect_found(scene.examine(), "damaged_photo", Severity::severe, {0, 4});
}

TEST(DoctorPhotos, DeletedFile) {
  Planted scene;
  std::filesystem::remove(scene.photo_path(8));
  const doctor::Examination examination = scene.examine();
  expect_found(examination, "missing_photo", Severity::severe, {8});
  ASSERT_NE(find_check(examination, "refused"), nullptr);
  EXPECT_NE(check_found(examination, "refused").where.find("photo_0008.jpg"), std::string::npos);
  expect_nothing_else(examination, {"missing_photo", "refused"});
}

TEST(DoctorPhotos, Masks) {
  Planted scene;
  scene.mask(1, plain_mask(144, 96, 255));
  scene.mask(2, plain_mask(288, 192, 0));
  scene.mask(3, plain_mask(288, 192, 255));
  write_contents(scene.path() / "masks" / (synthetic_photo_name(4) + ".png"), "no mask");
  const doctor::Examination examination = scene.examine();
  expect_found(examination, "mask_size", Severity::severe, {1});
  expect_found(examination, "empty_mask", Severity::harmful, {2});
  expect_found(examination, "damaged_mask", Severity::severe, {4});
  EXPECT_NE(find_check(examination, "no_mask"), nullptr);
  EXPECT_EQ(find_check(examination, "full_masks"), nullptr);
}

TEST(DoctorPhotos, MasksWithoutEffect) {
  Planted scene;
  for (int i = 0; i < sound_photos; ++i) scene.mask(i, plain_mask(288, 192, 255));
  const doctor::Examination examination = scene.examine();
  EXPECT_NE(find_check(examination, "full_masks"), nullptr);
  expect_nothing_else(examination, {});
}

TEST(DoctorPhotos, ResizedAfterCalibration) {
  Planted scene;
  for (const int i : {7, 8})
    scene.change_photo(
        i, [](StoredImage& photo) { photo = to_stored(Image(photo.width / 2, photo.height / 2, 3, 0.5f)); });
  expect_found(scene.examine(), "photo_size", Severity::severe, {7, 8});
}

TEST(DoctorPhotos, FocalLengthOfExif) {
  Planted scene;
  scene.change_exif(6, [](ExifFields& fields) { fields.focal_length_35mm_mm = 26; });  // the truth is 26.0
  scene.change_exif(7, [](ExifFields& fields) { fields.focal_length_35mm_mm = 52; });
  expect_found(scene.examine(), "focal_length", Severity::harmful, {7});
}

TEST(DoctorPhotos, QuickLeavesPixelsAlone) {
  Planted scene;
  scene.change_photo(15, [](StoredImage& photo) { scale_values(photo, 0); });
  std::filesystem::remove(scene.photo_path(8));
  doctor::ExamineOptions options;
  options.quick = true;
  const doctor::Examination examination = scene.examine(options);
  expect_found(examination, "missing_photo", Severity::severe, {8});
  EXPECT_EQ(find_check(examination, "constant_photo"), nullptr);
  EXPECT_TRUE(examination.photos[15].small.empty());
}

TEST(DoctorPhotos, SeveralFaults) {
  Planted scene;
  scene.change_photo(13, [](StoredImage& photo) { box_blur(photo, 3, 3); });
  scene.change_exif(13, [](ExifFields& fields) { fields.exposure_time_s = *fields.exposure_time_s * 6; });
  expect_found(scene.examine(), "several_faults", Severity::note, {13});
}

TEST(DoctorPhotos, ThreadsChangeNothing) {
  Planted scene;
  scene.change_photo(13, [](StoredImage& photo) { box_blur(photo, 2, 2); });
  const int threads = omp_get_max_threads();
  omp_set_num_threads(1);
  const std::string alone = describe_json(scene.examine());
  omp_set_num_threads(3);
  EXPECT_EQ(describe_json(scene.examine()), alone);
  omp_set_num_threads(threads);
}

}  // namespace

}  // namespace ptl::testing
