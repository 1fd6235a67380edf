// COLMAP's models beyond the pinhole: the pixels that it gives, and every model there and back.
#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>

#include "datasets/colmap_cameras.h"
#include "tests/support/expect_input_error.h"

namespace ptl {
namespace {

using testing::expect_input_error;

struct Seen {
  double x, y, z, x_px, y_px;
};
struct Case {
  const char* name;
  std::vector<double> params;
  std::vector<Seen> seen;
};

// Recorded: pycolmap 4.2.1, Camera(model, 640, 480 or, for EQUIRECTANGULAR, 320, params).img_from_cam(point), with
// check_cheirality off behind the camera. There it divides the fisheyes' coordinates by a negative z; those pixels are
// the formulas of kernels/camera_fisheye.h and camera_rad_tan_fisheye.h in numpy, which agree with it in front to 3e-13
// px.
const std::vector<Case>& cases() {
  static const std::vector<Case> recorded = {
      {"OPENCV_FISHEYE",
       {300, 310, 320, 240, -0.02, 0.01, 0.003, -0.001},
       {{0.3, -0.2, 1.0, 406.184474883130, 180.628472858288},
        {-1.1, 0.7, 0.9, 77.370811450194, 399.547072470630},
        {0.05, 2.2, 0.4, 329.542763138914, 673.877630715946},
        {2.0, -1.5, 0.02, 702.170360039755, -56.182029030810},
        {1.0, 0.6, -0.3, 803.912122769336, 540.025516116988},
        {-0.9, 1.2, -0.8, -50.909402738448, 751.030732661862}}},
      {"SIMPLE_RADIAL_FISHEYE",
       {200, 320, 240, -0.03},
       {{0.3, -0.2, 1.0, 377.378816177099, 201.747455881934},
        {-1.1, 0.7, 0.9, 161.470007999627, 340.882722182056},
        {0.05, 2.2, 0.4, 325.954133929217, 501.981892885531},
        {2.0, -1.5, 0.02, 551.726467001032, 66.205149749226},
        {1.0, 0.6, -0.3, 601.421648923386, 408.852989354031},
        {-0.9, 1.2, -0.8, 104.214652454846, 527.713796726872}}},
      {"RADIAL_FISHEYE",
       {200, 320, 240, 0.05, -0.01},
       {{0.3, -0.2, 1.0, 377.922222464650, 201.385185023567},
        {-1.1, 0.7, 0.9, 150.702095430294, 347.735030180722},
        {0.05, 2.2, 0.4, 326.695917562966, 534.620372770522},
        {2.0, -1.5, 0.02, 585.667089251520, 40.749683061360},
        {1.0, 0.6, -0.3, 649.995343086604, 437.997205851963},
        {-0.9, 1.2, -0.8, 64.798692333436, 580.268410222086}}},
      {"THIN_PRISM_FISHEYE",
       {300, 310, 320, 240, -0.02, 0.01, 0.001, -0.002, 0.003, -0.001, 0.0015, -0.0005},
       {{0.3, -0.2, 1.0, 406.033868143016, 180.738411172861},
        {-1.1, 0.7, 0.9, 76.178657067489, 400.383669144634},
        {0.05, 2.2, 0.4, 329.277707893655, 675.322019483112},
        {2.0, -1.5, 0.02, 699.224906571451, -53.804662193292},
        {1.0, 0.6, -0.3, 801.362140974825, 539.268337614787},
        {-0.9, 1.2, -0.8, -54.604036626589, 755.901704006342}}},
      {"THIN_PRISM_FISHEYE",
       {180, 185, 330, 235, 0.03, -0.008, -0.0005, 0.0007, 0.001, -0.0001, -0.002, 0.001},
       {{0.3, -0.2, 1.0, 382.010268835404, 199.355211378032},
        {-1.1, 0.7, 0.9, 180.035315617632, 333.026390520293},
        {0.05, 2.2, 0.4, 335.421595974629, 500.830156691660},
        {2.0, -1.5, 0.02, 563.303768467278, 54.947058470215},
        {1.0, 0.6, -0.3, 620.975210163604, 415.221318812535},
        {-0.9, 1.2, -0.8, 101.146053964875, 547.645710123576}}},
      {"SIMPLE_FISHEYE",
       {150, 320, 240},
       {{0.3, -0.2, 1.0, 363.189267605164, 211.207154929891},
        {-1.1, 0.7, 0.9, 197.673537133808, 317.844112733031},
        {0.05, 2.2, 0.4, 324.740781229300, 448.594374089190},
        {2.0, -1.5, 0.02, 507.535579694601, 99.348315229049},
        {1.0, 0.6, -0.3, 554.428036275612, 380.656821765368},
        {-0.9, 1.2, -0.8, 134.532171225624, 487.290438365835}}},
      {"FISHEYE",
       {150, 160, 321, 239},
       {{0.3, -0.2, 1.0, 364.189267605164, 208.287631925217},
        {-1.1, 0.7, 0.9, 198.673537133808, 322.033720248566},
        {0.05, 2.2, 0.4, 325.740781229300, 461.500665695136},
        {2.0, -1.5, 0.02, 508.535579694601, 88.971536244319},
        {1.0, 0.6, -0.3, 555.428036275612, 389.033943216392},
        {-0.9, 1.2, -0.8, 135.532171225624, 502.776467590224}}},
      {"RAD_TAN_THIN_PRISM_FISHEYE",
       {240, 240, 320, 240, 0.02, -0.03, 0.01, 0.002, -0.001, 0.0001, 0.0006, -0.0004, 0.001, -0.0001, -0.0008, 0.0002},
       {{0.3, -0.2, 1.0, 389.320256714813, 193.783110884368},
        {-1.1, 0.7, 0.9, 124.590220961756, 364.339528110794},
        {0.05, 2.2, 0.4, 328.273553097449, 574.671781789851},
        {2.0, -1.5, 0.02, 627.904493585145, 9.266142704778},
        {1.0, 0.6, -0.3, 724.959646182121, 481.905205060597},
        {-0.9, 1.2, -0.8, -23.345183184555, 699.618633259041}}},
      {"RAD_TAN_THIN_PRISM_FISHEYE",
       {300, 310, 320, 240, -0.02, 0.01, 0.003, -0.001, 0.0002, -3e-05, 0.001, -0.002, 0.0015, -0.0003, -0.0005,
        0.0002},
       {{0.3, -0.2, 1.0, 406.388147546678, 180.457368842283},
        {-1.1, 0.7, 0.9, 78.846382351418, 398.320104141839},
        {0.05, 2.2, 0.4, 330.656203647220, 671.828474314766},
        {2.0, -1.5, 0.02, 710.127132038274, -62.902508160562},
        {1.0, 0.6, -0.3, 824.155647137013, 549.557887059499},
        {-0.9, 1.2, -0.8, -82.556409294400, 794.322935064342}}},
      {"FOV",
       {300, 310, 320, 240, 0.9},
       {{0.3, -0.2, 1.0, 412.965426292423, 175.957150776331},
        {-1.1, 0.7, 0.9, 52.723330553245, 415.754658393775},
        {0.05, 2.2, 0.4, 330.488374180688, 716.871412748595},
        {2.0, -1.5, 0.02, 736.670903094999, -82.919949898624}}},
      {"FOV",
       {200, 210, 320, 240, 0.01},
       {{0.3, -0.2, 1.0, 380.000240000528, 197.999831999630},
        {-1.1, 0.7, 0.9, 75.570617824118, 403.323268999339},
        {0.05, 2.2, 0.4, 344.975032054230, 1393.846480905420},
        {2.0, -1.5, 0.02, 14656.951194111827, -11050.349065363063}}},
      {"SIMPLE_DIVISION",
       {300, 320, 240, -0.4},
       {{0.3, -0.2, 1.0, 405.751422894667, 182.832384736888},
        {-1.1, 0.7, 0.9, 82.489919466290, 391.142778521452},
        {0.05, 2.2, 0.4, 329.339635933943, 650.943981093487},
        {2.0, -1.5, 0.02, 697.080908610697, -42.810681458023},
        {1.0, 0.6, -0.3, 817.791512522435, 538.674907513461},
        {-0.9, 1.2, -0.8, -108.868904229610, 811.825205639480}}},
      {"DIVISION",
       {300, 310, 320, 240, -0.2},
       {{0.3, -0.2, 1.0, 407.774305062666, 179.533256512386},
        {-1.1, 0.7, 0.9, 41.881830194624, 422.883766205353},
        {0.05, 2.2, 0.4, 332.455978424318, 806.331819025642},
        {2.0, -1.5, 0.02, 851.877780423226, -172.205279828000},
        {1.0, 0.6, -0.3, 1083.983686083021, 713.669885371473},
        {-0.9, 1.2, -0.8, -388.614980554399, 1216.313973208283}}},
      {"DIVISION",
       {300, 310, 320, 240, 0.05},
       {{0.3, -0.2, 1.0, 410.592730875203, 177.591674285971},
        {-1.1, 0.7, 0.9, -96.255283451562, 513.719383360572},
        {-0.9, 1.2, -0.8, 1803.067873224881, -1803.337958665392}}},
      {"EUCM",
       {300, 310, 320, 240, 0.6, 1.1},
       {{0.3, -0.2, 1.0, 406.416558641266, 180.468592936016},
        {-1.1, 0.7, 0.9, 74.142756506048, 401.669763146023},
        {0.05, 2.2, 0.4, 329.582039362861, 675.663389698072},
        {2.0, -1.5, 0.02, 699.444471563062, -54.069465461373},
        {1.0, 0.6, -0.3, 791.980892404428, 532.628153290746},
        {-0.9, 1.2, -0.8, -45.377501505897, 743.409002074792}}},
      {"EUCM",
       {250, 240, 310, 230, 0.4, 0.8},
       {{0.3, -0.2, 1.0, 383.508828055449, 182.954350044513},
        {-1.1, 0.7, 0.9, 66.472689042831, 378.773048148380},
        {0.05, 2.2, 0.4, 321.980147777118, 736.041442105468},
        {2.0, -1.5, 0.02, 861.594514058933, -167.148050122431},
        {1.0, 0.6, -0.3, 1293.698798114563, 796.610507713988},
        {-0.9, 1.2, -0.8, -1243.653088539498, 2218.675953330557}}},
      {"EQUIRECTANGULAR",
       {640, 320},
       {{0.3, -0.2, 1.0, 349.687545304878, 140.720888769169},
        {-1.1, 0.7, 0.9, 229.847834422223, 206.615269693552},
        {0.05, 2.2, 0.4, 332.666695731381, 301.540794278430},
        {2.0, -1.5, 0.02, 478.981442315229, 94.455959776869},
        {1.0, 0.6, -0.3, 509.687545304878, 213.130311528389},
        {-0.9, 1.2, -0.8, 85.984818957209, 239.823772721729}}}};
  return recorded;
}

CameraParams<double> camera_of(const Case& c) {
  const ColmapCameraModel& model = colmap_camera_model(c.name, "f");
  return camera_from_colmap(model.id, c.params, 640, model.id == 17 ? 320 : 480, "f");
}

TEST(ColmapWideCameras, ProjectAsColmapDoes) {
  int behind = 0;
  for (const Case& c : cases()) {
    const CameraParams<double> camera = camera_of(c);
    for (const Seen& s : c.seen) {
      const Vec3<double> x(s.x, s.y, s.z);
      const Projection<double> p = project(camera, x);
      EXPECT_NEAR(p.x_px, s.x_px, 1e-9) << c.name;
      EXPECT_NEAR(p.y_px, s.y_px, 1e-9) << c.name;
      EXPECT_NEAR(p.depth_m, glm::length(x), 1e-12) << c.name;
      const bool inside = s.x_px >= 0 && s.y_px >= 0 && s.x_px < camera.width_px && s.y_px < camera.height_px;
      EXPECT_TRUE(p.valid || !inside) << c.name << " " << s.x << " " << s.y << " " << s.z;
      behind += s.z < 0 && p.valid;
    }
  }
  EXPECT_GE(behind, 10);
}

TEST(ColmapWideCameras, GoBackAsTheyCame) {
  for (const Case& c : cases()) {
    const CameraParams<double> camera = camera_of(c);
    const int id = colmap_camera_model(c.name, "f").id;
    const ColmapParams back = camera_to_colmap(camera, id);
    EXPECT_EQ(back.id, id) << c.name;
    EXPECT_EQ(back.params, c.params) << c.name;
    // What a fit may move, it moves: the camera is still the model's.
    CameraParams<double> moved = camera;
    const CameraFreedom freedom = camera_freedom(id);
    for (int k = 0; k < camera_param_capacity; ++k)
      if (freedom.moves[k]) moved.value[k] *= 1 + 1e-3 * (freedom.one_focal_length && k == 1 ? 1 : k);
    if (freedom.one_focal_length) moved.value[1] = moved.value[0];
    const ColmapParams fitted = camera_to_colmap(moved, id);
    EXPECT_EQ(fitted.id, id) << c.name;
    const CameraParams<double> again = camera_from_colmap(id, fitted.params, camera.width_px, camera.height_px, "f");
    for (int k = 0; k < camera_param_capacity; ++k) EXPECT_EQ(again.value[k], moved.value[k]) << c.name << " " << k;
  }
}

TEST(ColmapWideCameras, EveryNumberIsReadAndGoesBack) {
  for (int id = 0; id <= 17; ++id) {
    const ColmapCameraModel& model = colmap_camera_model(id, "f");
    EXPECT_EQ(find_colmap_camera_model(model.name), &model);
    std::vector<double> params = {640, 480};
    if (id != 17) {
      params.assign(static_cast<size_t>(model.param_count), 0);
      for (size_t i = 0; i < params.size(); ++i) params[i] = i < 4 ? 300 + 10.0 * static_cast<double>(i) : 0.01;
      // With one focal length the fourth number is a distortion, not the principal point's y.
      const bool one_focal_length = id == 0 || id == 2 || id == 3 || id == 8 || id == 9 || id == 12 || id == 14;
      if (one_focal_length && params.size() > 3) params[3] = 0.02;
    }
    const CameraParams<double> camera = camera_from_colmap(id, params, 640, 480, "f");
    const ColmapParams back = camera_to_colmap(camera, id);
    EXPECT_EQ(back.id, id) << model.name;
    EXPECT_EQ(back.params, params) << model.name;
  }
}

TEST(ColmapWideCameras, WhereItsOwnModelCannotSayItALargerOneDoes) {
  using F = FisheyeModel;
  CameraParams<double> camera = camera_from_colmap(14, {150, 320, 240}, 640, 480, "f");
  EXPECT_EQ(camera_to_colmap(camera, 14).id, 14);
  camera.value[F::fy] = 160;
  EXPECT_EQ(camera_to_colmap(camera, 14).id, 15);
  camera.value[F::k2] = 0.01;
  EXPECT_EQ(camera_to_colmap(camera, 14).id, 5);
  EXPECT_EQ(camera_to_colmap(camera, 14).params, (std::vector<double>{150, 160, 320, 240, 0, 0.01, 0, 0}));
  camera.value[F::sx1] = 0.01;
  EXPECT_EQ(camera_to_colmap(camera, 14).id, 10);
  // A pinhole's number for a fisheye: never.
  EXPECT_EQ(camera_to_colmap(camera, 1).id, 10);
  camera.value[F::skew] = 1;
  EXPECT_THROW(camera_to_colmap(camera, 10), std::invalid_argument);
  CameraParams<double> division = camera_from_colmap(12, {300, 320, 240, -0.1}, 640, 480, "f");
  division.value[DivisionModel::fy] = 310;
  EXPECT_EQ(camera_to_colmap(division, 12).id, 13);
  EXPECT_THROW(camera_freedom(99), std::invalid_argument);
}

TEST(ColmapWideCameras, AFitMovesWhatTheModelHas) {
  using F = FisheyeModel;
  const auto moves = [](int id) {
    std::vector<int> list;
    for (int k = 0; k < camera_param_capacity; ++k)
      if (camera_freedom(id).moves[k]) list.push_back(k);
    return list;
  };
  EXPECT_EQ(moves(5), (std::vector<int>{F::fx, F::fy, F::cx, F::cy, F::k1, F::k2, F::k3, F::k4}));
  EXPECT_EQ(moves(8), (std::vector<int>{F::fx, F::cx, F::cy, F::k1}));
  EXPECT_EQ(moves(9), (std::vector<int>{F::fx, F::cx, F::cy, F::k1, F::k2}));
  EXPECT_EQ(moves(14), (std::vector<int>{F::fx, F::cx, F::cy, F::k1, F::k2, F::k3, F::k4}));  // as OPENCV_FISHEYE
  EXPECT_TRUE(camera_freedom(14).one_focal_length && camera_freedom(12).one_focal_length);
  EXPECT_FALSE(camera_freedom(15).one_focal_length || camera_freedom(16).one_focal_length);
  EXPECT_EQ(moves(7), (std::vector<int>{0, 1, 2, 3, FovModel::omega}));
  EXPECT_EQ(moves(12), (std::vector<int>{0, 2, 3, DivisionModel::k}));
  EXPECT_EQ(moves(16), (std::vector<int>{0, 1, 2, 3, EucmModel::alpha, EucmModel::beta}));
  EXPECT_TRUE(moves(17).empty());
  EXPECT_FALSE(camera_freedom(17).one_focal_length);
}

TEST(ColmapWideCameras, NumbersThatCannotBeRight) {
  expect_input_error(
      [] {
        camera_from_colmap(5, {1, 2, 3}, 64, 48, "f");
      },
      {"8 parameters", "OPENCV_FISHEYE", "found 3"});
  expect_input_error([] { camera_from_colmap(14, {-5, 2, 3}, 64, 48, "f"); }, {"focal length", "-5"});
  expect_input_error([] { camera_from_colmap(16, {50, 50, 32, 24, 0.5, NAN}, 64, 48, "f"); }, {"finite", "nan"});
  expect_input_error([] { camera_from_colmap(16, {50, 50, 32, 24, 1.5, 1}, 64, 48, "f"); }, {"EUCM", "alpha", "1.5"});
  expect_input_error([] { camera_from_colmap(16, {50, 50, 32, 24, 0.5, -1}, 64, 48, "f"); }, {"EUCM", "beta", "-1"});
  expect_input_error([] { camera_from_colmap(7, {50, 50, 32, 24, 4}, 64, 48, "f"); }, {"FOV", "omega", "4"});
  expect_input_error([] { camera_from_colmap(17, {64, 32}, 64, 48, "f"); }, {"EQUIRECTANGULAR", "64 x 48", "64 x 32"});
}

}  // namespace
}  // namespace ptl
