#include "doctor/examine.h"

#include <chrono>
#include <cmath>

#include "datasets/hdr_photo.h"
#include "datasets/scene_photos.h"
#include "doctor/checks.h"
#include "doctor/statistics.h"

namespace ptl::doctor {

namespace {

std::vector<PhotoLook> look_at_photos(const Scene& scene, bool pixels, const ExamineProgress& progress) {
  std::vector<PhotoLook> photos(scene.images.size());
  const int side = small_side_px(photos.size());
  const auto count = static_cast<int64_t>(photos.size());
  int done = 0;
#pragma omp parallel for schedule(dynamic, 1)
  for (int64_t i = 0; i < count; ++i) {
    photos[static_cast<size_t>(i)] = look_at_photo(scene.images[static_cast<size_t>(i)], scene.photo_range, side, pixels);
#pragma omp critical(ptl_doctor_progress)
    if (progress) progress("photos", ++done, static_cast<int>(count));
  }
  return photos;
}

bool finite_cloud(const Scene& scene) {
  for (const Vec3<float>& p : scene.cloud.position)
    if (!std::isfinite(p.x) || !std::isfinite(p.y) || !std::isfinite(p.z)) return false;
  return true;
}

}  // namespace

OpenedScene open_scene_to_examine(const std::filesystem::path& folder_or_file, LoadOptions options,
                                  const ExamineOptions& examination) {
  OpenedScene opened;
  options.photo_faults = &opened.refusals;
  or_cannot_examine([&] { opened.scene = load_scene(folder_or_file, options); });
  Scene& scene = opened.scene;
  if (!examination.quick && is_file(scene.images.front().photo_path) && is_hdr(scene)) {
    const Split split = or_cannot_examine([&] { return make_split(scene, examination.split); });
    refuse_or_collect(&opened.refusals, [&] { choose_photo_range(scene, split.train); });
  }
  return opened;
}

Examination examine(OpenedScene opened, const ExamineOptions& options, std::vector<PresetNeed> needs,
                    const ExamineProgress& progress) {
  const auto start = std::chrono::steady_clock::now();
  Examination result;
  result.opened = std::move(opened);
  const Scene& scene = result.opened.scene;
  Split split = or_cannot_examine([&] { return make_split(scene, options.split); });
  Evidence evidence{scene, result.opened.refusals, std::move(split), {}, !options.quick, {}, {}};
  for (const SceneImage& image : scene.images) evidence.centres.push_back(camera_centre(image.camera_from_world));
  evidence.photos = look_at_photos(scene, evidence.pixels, progress);
  if (progress) progress("points", 0, 1);
  evidence.sightings = find_sightings(scene);

  Diagnosis& diagnosis = result.diagnosis;
  check_files(evidence, diagnosis);
  check_cameras(evidence, diagnosis);
  check_arrangement(evidence, diagnosis);
  check_observations(evidence, diagnosis);
  check_shutter(evidence, diagnosis);
  check_content(evidence, diagnosis);
  check_duplicates(evidence, diagnosis);
  check_exposure(evidence, diagnosis);
  check_tones(evidence, diagnosis);
  check_sharpness(evidence, diagnosis);
  check_overlap(evidence, diagnosis);
  check_cloud(evidence, diagnosis);
  if (finite_cloud(scene)) check_coverage(evidence, diagnosis);
  check_together(evidence, diagnosis);
  if (options.quick) diagnosis.skipped.push_back("everything that needs the photos' pixels: --quick");
  sort_findings(diagnosis.findings);
  diagnosis.needs = std::move(needs);
  diagnosis.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  result.photos = std::move(evidence.photos);
  if (progress) progress("points", 1, 1);
  return result;
}

}  // namespace ptl::doctor
