// The audit finds nothing where nothing is wrong, and each of three planted faults.
#include "renderer/audit.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "datasets/prepare.h"
#include "datasets/scene_loader.h"
#include "datasets/split.h"
#include "tests/support/fit_scene.h"
#include "tests/support/temporary_folder.h"

namespace ptl::testing {
namespace {

class AuditTest : public ::testing::Test {
 protected:
  void SetUp() override {
    write_fit_scene(folder_ / "scene", {.images = 10, .width_px = 128, .height_px = 96, .points = 20000});
    scene_ = load_scene(folder_ / "scene");
    FitConfig config = preset_config("quick");
    config.environment.enabled = false;
    model_ = make_scene_model(scene_, make_split(scene_, "every8"), prepare_points(scene_, {}), config, 3);
    model_.cameras[0].params.value[PinholeModel::k1] = 0.02;  // so that all derivatives are there
    update_valid_radius(model_.cameras[0].params);
    options_.images = 8;
    options_.crops = 3;
    options_.crop_px = 96;
    options_.fitted = false;
  }
  AuditResult run(const AuditSubject& subject = {}) {
    ImageCache photos(image_sources(scene_), 1 << 24);
    return audit(model_, photos, options_, subject);
  }
  TemporaryFolder folder_;
  Scene scene_;
  SceneModel model_;
  AuditOptions options_;
};

TEST_F(AuditTest, NothingIsWrongWhereNothingIs) {
  model_.cameras[0].params = model_.cameras[0].given;  // the photos' own camera
  const AuditResult result = run();
  EXPECT_TRUE(result.problems.empty()) << audit_text(result);
  EXPECT_LT(result.cameras.at(0).worst, 1e-6);
  EXPECT_GT(result.cameras.at(0).compared, 200);
  EXPECT_GE(result.definition.compared, 20);
  EXPECT_GT(result.definition.not_zero, result.definition.compared / 2);
  EXPECT_LT(result.definition.worst, 1e-4);
  EXPECT_EQ(result.images.size(), 8u);
  EXPECT_GT(result.mean_cosine(), 0.4) << audit_text(result);
  EXPECT_GT(result.share_of_focal(), 0.8) << audit_text(result);
  EXPECT_GT(result.points.compared, 200);
  EXPECT_GT(result.points.median_cosine, 0) << audit_text(result);
  const nlohmann::json json = nlohmann::json::parse(audit_json(result));
  EXPECT_EQ(json.at("images").size(), 8u);
  EXPECT_TRUE(json.at("problems").empty());
  EXPECT_NE(audit_html("a scene", result).find("<svg"), std::string::npos);
}

TEST_F(AuditTest, ASignThatIsTurnedIsFound) {
  AuditSubject faulty;
  faulty.pixel_gradient = [](const StructureImage& image, const StructureConfig& config, int64_t i) {
    PixelGradient gradient = structure_pixel_gradient(image, config, i);
    gradient.y = -gradient.y;
    return gradient;
  };
  faulty.pose_gradient = [](torch::Tensor gradient) { return -gradient; };
  const AuditResult result = run(faulty);
  const std::string text = audit_text(result);
  EXPECT_NE(text.find("wrong: the structure gradient differs from its definition"), std::string::npos) << text;
  EXPECT_NE(text.find("have a gradient that points back"), std::string::npos) << text;
}

TEST_F(AuditTest, ASceneThatCannotTellIsNoFault) {
  int call = 0;
  AuditSubject unsure;  // three of eight poses' gradients point away
  unsure.pose_gradient = [&](torch::Tensor gradient) { return call++ % 8 < 3 ? -gradient : gradient; };
  const AuditResult result = run(unsure);
  EXPECT_LT(result.share_pointing_back(), 0.75);
  EXPECT_GT(result.mean_cosine(), 0);
  EXPECT_TRUE(result.problems.empty()) << audit_text(result);
  EXPECT_NE(audit_text(result).find("unclear: only"), std::string::npos);
  EXPECT_NE(audit_text(result).find("audit the run"), std::string::npos);
}

TEST_F(AuditTest, ALayerThatIsDroppedIsFound) {
  AuditSubject faulty;
  faulty.pixel_gradient = [](const StructureImage& image, const StructureConfig& config, int64_t i) {
    StructureImage fewer = image;
    ProjectedPoint point = image.projected[i];
    point.layers = static_cast<uint16_t>(std::min<int>(point.layers, 1));
    fewer.projected = &point;
    return structure_pixel_gradient(fewer, config, 0);
  };
  const AuditResult result = run(faulty);
  EXPECT_GT(result.definition.worst, 1e-2);
  EXPECT_FALSE(result.problems.empty());
}

TEST_F(AuditTest, AJacobianThatIsTransposedIsFound) {
  AuditSubject faulty;
  faulty.jacobian = [](const CameraParams<double>& camera, const Vec3<double>& x) {
    ProjectionJacobian<double> jacobian = project_jacobian(camera, x);
    std::swap(jacobian.point[0].y, jacobian.point[1].x);
    std::swap(jacobian.point[0].x, jacobian.point[1].y);
    return jacobian;
  };
  const AuditCamera found = audit_camera(model_.cameras[0], faulty);
  EXPECT_GT(found.worst, 1e-3);
  EXPECT_NE(found.worst_entry.find("by the point's"), std::string::npos) << found.worst_entry;
  EXPECT_LT(audit_camera(model_.cameras[0]).worst, 1e-6);
  EXPECT_FALSE(run(faulty).problems.empty());
}

}  // namespace
}  // namespace ptl::testing
