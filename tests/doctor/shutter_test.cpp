// Rolling shutter: the fit on numbers that are known, the finding on scenes with and without it.
#include "datasets/shutter.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "doctor/shutter_fit.h"
#include "tests/doctor/planted.h"

namespace ptl::testing {

namespace {

using doctor::MovingObservation;
using doctor::ReadoutFit;
using doctor::Severity;

double normal(uint64_t a, uint64_t b) {
  return normal_of(draw_unit(17, DrawPurpose::synthetic, a, 2 * b),
                   draw_unit(17, DrawPurpose::synthetic, a, 2 * b + 1));
}

/// Observations whose residuals are those of a pose and a motion, and noise.
std::vector<MovingObservation> made_up(size_t count, double motion_px, double noise_px) {
  std::vector<MovingObservation> observations(count);
  for (size_t i = 0; i < count; ++i) {
    MovingObservation& o = observations[i];
    o.row_time = draw_unit(18, DrawPurpose::synthetic, i, 0) - 0.5;
    o.column_time = draw_unit(18, DrawPurpose::synthetic, i, 1) - 0.5;
    for (size_t axis = 0; axis < 2; ++axis) {
      for (size_t k = 0; k < 6; ++k) o.gradient[axis][k] = normal(i, 6 * axis + k);
      // The pose is 1 px along the first component, the motion along the third.
      o.residual_px[static_cast<int>(axis)] =
          o.gradient[axis][0] + o.row_time * motion_px * o.gradient[axis][2] + noise_px * normal(i, 20 + axis);
    }
  }
  return observations;
}

double mean_length_along(const std::vector<MovingObservation>& observations, size_t k) {
  double sum = 0;
  for (const MovingObservation& o : observations) sum += std::hypot(o.gradient[0][k], o.gradient[1][k]);
  return sum / static_cast<double>(observations.size());
}

TEST(DoctorShutterFit, FindsTheMotionThatIsThere) {
  std::vector<MovingObservation> observations = made_up(300, 4, 0);
  const ReadoutFit exact = doctor::fit_readout(observations, 10);
  EXPECT_NEAR(doctor::motion_length_px(observations, exact.motion), 4 * mean_length_along(observations, 2), 1e-4);
  EXPECT_GT(exact.gain, 0.9999);
  EXPECT_LT(exact.column_gain, 0.05);
  // A tenth of the observations is of other points.
  for (size_t i = 0; i < observations.size(); i += 10) observations[i].residual_px = {50, -30 + static_cast<double>(i)};
  const ReadoutFit robust = doctor::fit_readout(observations, 10);
  EXPECT_NEAR(doctor::motion_length_px(observations, robust.motion), 4 * mean_length_along(observations, 2), 0.1);
}

TEST(DoctorShutterFit, NoiseAndPosesAreNoMotion) {
  const std::vector<MovingObservation> observations = made_up(300, 0, 1);
  const ReadoutFit noise = doctor::fit_readout(observations, 10);
  EXPECT_LT(noise.gain, 0.02);
  EXPECT_LT(doctor::motion_length_px(observations, noise.motion), 1.5);
  EXPECT_LT(doctor::fit_readout(made_up(60, 0, 1), 10).gain, 0.05);
  // Half of the squares: noise of deviation 1 against 4 px · a uniform time of variance 1/12 · a gradient of
  // variance 1.
  const ReadoutFit both = doctor::fit_readout(made_up(2000, std::sqrt(12.0), 1), 10);
  EXPECT_NEAR(both.gain, 0.5, 0.06);
}

const std::filesystem::path& rolling_scene() {
  static const TemporaryFolder folder;
  static const std::filesystem::path scene = [] {
    SyntheticOptions options = sound_options();
    options.samples = 1;
    options.rolling_shutter_px = 4;
    write_synthetic_scene(options, folder / "scene");
    return folder / "scene";
  }();
  return scene;
}

/// Every pose turned a little, another way each, about as far as an alignment with a still camera takes them.
void turn_poses(ColmapModel& model) {
  for (ColmapImage& image : model.images) {
    const double angle = 2.4 * image.id;
    move_pose(image, {0.003, 0, 0}, {std::cos(angle), std::sin(angle), 0}, 0.2);
  }
}

doctor::ExamineOptions quick() {
  doctor::ExamineOptions options;
  options.quick = true;
  return options;
}

TEST(DoctorShutter, RollingShutter) {
  const doctor::Examination examination = Planted(rolling_scene()).examine(quick());
  const doctor::Finding& finding = check_found(examination, "rolling_shutter");
  EXPECT_EQ(finding.severity, Severity::harmful);
  EXPECT_GE(finding.images.size(), static_cast<size_t>(sound_photos * 3 / 4));
  EXPECT_NE(finding.remedy.find("--fit rolling_shutter"), std::string::npos);
  EXPECT_NE(finding.images[0].detail.find(" px from the first row to the last, which explains"), std::string::npos);
  expect_nothing_else(examination, {"rolling_shutter"});
  // Each photo's motion is that of truth.json, at the points that it observed; the worst photo is named first.
  std::ifstream stream(rolling_scene() / "truth.json");
  const nlohmann::json truth = nlohmann::json::parse(stream);
  const Scene& scene = examination.opened.scene;
  const doctor::ImageFigure* figure = nullptr;
  for (const doctor::ImageFigure& one : examination.diagnosis.figures)
    if (one.name == "motion during the readout") figure = &one;
  ASSERT_NE(figure, nullptr);
  std::map<uint64_t, Vec3<double>> positions;
  for (const SparsePoint& point : scene.sparse_points) positions[point.id] = point.position;
  for (size_t i = 0; i < scene.images.size(); ++i) {
    const auto xi = truth["images"][i]["readout_motion"].get<std::array<double, 6>>();
    double sum_px = 0;
    for (const Observation& o : scene.images[i].observations) {
      const auto gradients =
          pixel_gradients(scene.cameras[0].params, scene.images[i].camera_from_world * positions.at(o.point_id));
      Vec2<double> moved(0);
      for (int axis = 0; axis < 2; ++axis)
        moved[axis] = glm::dot(gradients[static_cast<size_t>(axis)].translation, Vec3<double>(xi[0], xi[1], xi[2])) +
                      glm::dot(gradients[static_cast<size_t>(axis)].rotation, Vec3<double>(xi[3], xi[4], xi[5]));
      sum_px += glm::length(moved);
    }
    const double true_px = sum_px / static_cast<double>(scene.images[i].observations.size());
    EXPECT_NEAR(figure->value[i], true_px, 0.15 + 0.06 * true_px) << i;
    EXPECT_LE(figure->value[i], figure->value[static_cast<size_t>(finding.images[0].image)]);
  }
}

TEST(DoctorShutter, PosesThatTookAPartOfIt) {
  Planted rolling(rolling_scene()), sound;
  rolling.change_model(turn_poses);
  sound.change_model(turn_poses);
  EXPECT_EQ(check_found(rolling.examine(quick()), "rolling_shutter").severity, Severity::harmful);
  const doctor::Examination examination = sound.examine(quick());
  EXPECT_EQ(find_check(examination, "rolling_shutter"), nullptr) << describe_text(examination);
}

TEST(DoctorShutter, OtherFaultsAreNone) {
  const std::pair<const char*, std::function<void(ColmapModel&)>> faults[] = {
      {"nothing", [](ColmapModel&) {}},
      {"focal length",
       [](ColmapModel& model) {
         for (int k : {0, 1}) model.cameras[0].params[static_cast<size_t>(k)] *= 1.03;
       }},
      {"focal length of rows", [](ColmapModel& model) { model.cameras[0].params[1] *= 1.03; }},
      {"centre", [](ColmapModel& model) { model.cameras[0].params[3] += 6; }},
      {"distortion", [](ColmapModel& model) { model.cameras[0].params[4] += 0.05; }},
      {"noise", [](ColmapModel& model) {
         for (ColmapImage& image : model.images)
           for (size_t k = 0; k < image.observations.size(); ++k) {
             image.observations[k].x_px += normal(1000 + image.id, 2 * k);
             image.observations[k].y_px += normal(1000 + image.id, 2 * k + 1);
           }
       }}};
  for (const auto& [name, fault] : faults) {
    Planted scene;
    scene.change_model(fault);
    const doctor::Examination examination = scene.examine(quick());
    EXPECT_EQ(find_check(examination, "rolling_shutter"), nullptr) << name << "\n" << describe_text(examination);
  }
}

}  // namespace

}  // namespace ptl::testing
