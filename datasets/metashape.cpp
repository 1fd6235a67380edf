#include "datasets/metashape.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <pugixml.hpp>
#include <set>

#include "datasets/colmap_files.h"
#include "datasets/error.h"
#include "datasets/json_place.h"
#include "datasets/scene_photos.h"
#include "datasets/words.h"

namespace ptl {
namespace fs = std::filesystem;

namespace {

using P = PinholeModel;

constexpr const char* advice = "is it an export of Metashape's cameras? Export them again as Agisoft XML";

/// The document with what messages need to say where something stands.
class Xml {
 public:
  explicit Xml(const fs::path& file) : file_(file.string()), text_(colmap_files::read_whole_file(file)) {
    const pugi::xml_parse_result result = document_.load_buffer(text_.data(), text_.size());
    if (!result)
      throw InputError("{}, line {}: not an XML file: {}; {}", file_, line_at(result.offset), result.description(),
                       advice);
  }

  pugi::xml_node root() const { return document_.document_element(); }

  [[noreturn]] void refuse(const pugi::xml_node& at, const std::string& message) const {
    throw InputError("{}, line {}: {}", file_, line_at(at.offset_debug()), message);
  }

  pugi::xml_node child(const pugi::xml_node& of, const char* name) const {
    const pugi::xml_node found = of.child(name);
    if (!found) refuse(of, fmt::format("expected <{}> in <{}>, found none; {}", name, of.name(), advice));
    return found;
  }

  Words words(const pugi::xml_node& of) const {
    return Words(of.text().get(), file_, line_at(of.offset_debug()), advice);
  }
  /// A node's only number; `otherwise` where there is no such child.
  double number(const pugi::xml_node& of, const char* name, double otherwise) const {
    const pugi::xml_node found = of.child(name);
    if (!found) return otherwise;
    Words text = words(found);
    const double value = text.finite(name);
    text.expect_end(name);
    return value;
  }
  std::string attribute(const pugi::xml_node& of, const char* name) const {
    const pugi::xml_attribute found = of.attribute(name);
    if (!found) refuse(of, fmt::format("expected {}=\"…\" in <{}>, found none; {}", name, of.name(), advice));
    return found.value();
  }
  int size_px(const pugi::xml_node& of, const char* name) const {
    Words text(attribute(of, name), file_, line_at(of.offset_debug()), advice);
    const int value = text.number<int>(name);
    text.expect_end(name);
    return value;
  }
  Mat3<double> rotation(const pugi::xml_node& of, const Mat3<double>& found) const {
    const std::optional<Mat3<double>> nearest = as_rotation(found);
    if (!nearest) refuse(of, fmt::format("expected a rotation in <{}>, found none; {}", of.name(), advice));
    return *nearest;
  }

 private:
  size_t line_at(std::ptrdiff_t offset) const {
    const auto end = text_.begin() + std::clamp<std::ptrdiff_t>(offset, 0, static_cast<std::ptrdiff_t>(text_.size()));
    return 1 + static_cast<size_t>(std::count(text_.begin(), end, '\n'));
  }

  std::string file_, text_;
  pugi::xml_document document_;
};

/// X_world = scale · rotation · x + translation.
struct Similarity {
  Mat3<double> rotation{1};
  Vec3<double> translation{0};
  double scale = 1;
};

Similarity read_similarity(const Xml& xml, const pugi::xml_node& transform) {
  Similarity read;
  if (const pugi::xml_node node = transform.child("rotation"); node && *node.text().get()) {
    Words words = xml.words(node);
    Mat3<double> rotation;
    for (int row = 0; row < 3; ++row)
      for (int column = 0; column < 3; ++column) rotation[column][row] = words.finite("a rotation");
    words.expect_end("a rotation");
    read.rotation = xml.rotation(node, rotation);
  }
  if (const pugi::xml_node node = transform.child("translation"); node && *node.text().get()) {
    Words words = xml.words(node);
    for (int axis = 0; axis < 3; ++axis) read.translation[axis] = words.finite("a translation");
    words.expect_end("a translation");
  }
  read.scale = xml.number(transform, "scale", 1);
  if (!(read.scale > 0))
    xml.refuse(transform, fmt::format("expected a scale above 0, found {}; {}", read.scale, advice));
  return read;
}

Pose<double> read_pose(const Xml& xml, const pugi::xml_node& transform, const Similarity& world_from_chunk) {
  Words words = xml.words(transform);
  double m[4][4];
  for (auto& row : m)
    for (double& value : row) value = words.finite("a camera's transform");
  words.expect_end("a camera's transform");
  if (m[3][0] != 0 || m[3][1] != 0 || m[3][2] != 0 || m[3][3] != 1)
    words.refuse("0 0 0 1 as the last row of a camera's transform",
                 fmt::format("{} {} {} {}", m[3][0], m[3][1], m[3][2], m[3][3]));
  Mat3<double> rotation;
  for (int row = 0; row < 3; ++row)
    for (int column = 0; column < 3; ++column) rotation[column][row] = m[row][column];
  const Vec3<double> centre(m[0][3], m[1][3], m[2][3]);
  return pose_from_centre(world_from_chunk.rotation * xml.rotation(transform, rotation),
                          world_from_chunk.scale * (world_from_chunk.rotation * centre) + world_from_chunk.translation);
}

void refuse_terms(const Xml& xml, const pugi::xml_node& calibration, std::initializer_list<const char*> names) {
  for (const char* name : names)
    if (const double value = xml.number(calibration, name, 0); value != 0)
      xml.refuse(calibration.child(name), fmt::format("expected a lens without {}, found {}, which is not supported; "
                                                      "optimise the cameras without it and export them again",
                                                      name, value));
}

void fill_frame(const Xml& xml, const pugi::xml_node& calibration, CameraParams<double>& camera) {
  xml.child(calibration, "f");
  const double f = xml.number(calibration, "f", 0);
  camera.value[P::fx] = f + xml.number(calibration, "b1", 0);
  camera.value[P::fy] = f;
  camera.value[P::skew] = xml.number(calibration, "b2", 0);
  camera.value[P::cx] = 0.5 * camera.width_px + xml.number(calibration, "cx", 0);
  camera.value[P::cy] = 0.5 * camera.height_px + xml.number(calibration, "cy", 0);
  camera.value[P::k1] = xml.number(calibration, "k1", 0);
  camera.value[P::k2] = xml.number(calibration, "k2", 0);
  camera.value[P::k3] = xml.number(calibration, "k3", 0);
  camera.value[P::p1] = xml.number(calibration, "p2", 0);
  camera.value[P::p2] = xml.number(calibration, "p1", 0);
  refuse_terms(xml, calibration, {"k4", "p3", "p4", "b2"});
}

void fill_fisheye(const Xml& xml, const pugi::xml_node& calibration, CameraParams<double>& camera) {
  using F = FisheyeModel;
  camera.model = CameraModel::fisheye;
  xml.child(calibration, "f");
  const double f = xml.number(calibration, "f", 0);
  camera.value[F::fx] = f + xml.number(calibration, "b1", 0);
  camera.value[F::fy] = f;
  camera.value[F::cx] = 0.5 * camera.width_px + xml.number(calibration, "cx", 0);
  camera.value[F::cy] = 0.5 * camera.height_px + xml.number(calibration, "cy", 0);
  constexpr std::pair<const char*, int> distortion[] = {{"k1", F::k1}, {"k2", F::k2}, {"k3", F::k3},
                                                        {"k4", F::k4}, {"p1", F::p2}, {"p2", F::p1}};
  for (const auto& [name, parameter] : distortion) camera.value[parameter] = xml.number(calibration, name, 0);
  refuse_terms(xml, calibration, {"p3", "p4", "b2"});
}

void fill_panorama(const Xml& xml, const pugi::xml_node& calibration, CameraParams<double>& camera) {
  camera.model = CameraModel::equirectangular;
  if (camera.width_px != 2 * camera.height_px)
    xml.refuse(calibration, fmt::format("expected a panorama of the whole sphere, twice as wide as high, found {} x {}",
                                        camera.width_px, camera.height_px));
}

/// What a sensor's type may be; without a function: known, but not supported yet.
struct Lens {
  const char* type;
  void (*fill)(const Xml&, const pugi::xml_node&, CameraParams<double>&);
};
constexpr Lens lenses[] = {{"frame", fill_frame},
                           {"fisheye", fill_fisheye},
                           {"equidistant_fisheye", fill_fisheye},
                           {"equisolid_fisheye", nullptr},
                           {"spherical", fill_panorama},
                           {"cylindrical", nullptr},
                           {"rpc", nullptr}};

CameraParams<double> read_sensor(const Xml& xml, const pugi::xml_node& sensor) {
  pugi::xml_node calibration = sensor.find_child_by_attribute("calibration", "class", "adjusted");
  if (!calibration) calibration = sensor.child("calibration");
  const pugi::xml_attribute calibration_type = calibration.attribute("type");
  const std::string type = calibration_type ? calibration_type.value() : sensor.attribute("type").as_string("frame");
  const auto lens =
      std::find_if(std::begin(lenses), std::end(lenses), [&](const Lens& one) { return type == one.type; });
  if (lens == std::end(lenses) || !lens->fill)
    xml.refuse(sensor,
               fmt::format("the lens '{}' of sensor {} is {}; expected frame, fisheye, equidistant_fisheye or spherical; "
                           "export undistorted photos with their cameras",
                           colmap_files::printable(type), sensor.attribute("id").value(),
                           lens == std::end(lenses) ? "not known" : "not supported"));
  if (!calibration && type == "spherical") calibration = sensor;  // there is nothing to calibrate
  if (!calibration)
    xml.refuse(sensor, fmt::format("sensor {} has no calibration; align the photos, then export the cameras again",
                                   sensor.attribute("id").value()));
  const pugi::xml_node own = calibration.child("resolution");
  const pugi::xml_node resolution = own ? own : xml.child(sensor, "resolution");
  CameraParams<double> camera;
  camera.width_px = xml.size_px(resolution, "width");
  camera.height_px = xml.size_px(resolution, "height");
  lens->fill(xml, calibration, camera);
  return camera;
}

uint32_t camera_for(SceneDraft& draft, const CameraParams<double>& camera, const std::string& whose) {
  return camera_id_for(draft, camera, whose,
                       camera.model == CameraModel::fisheye ? colmap_opencv_fisheye : colmap_opencv);
}

/// Cameras also stand in groups, which Metashape does not nest.
std::vector<pugi::xml_node> collect_cameras(const pugi::xml_node& in) {
  std::vector<pugi::xml_node> cameras;
  for (const pugi::xml_node& node : in.children()) {
    if (std::string_view(node.name()) == "camera") cameras.push_back(node);
    if (std::string_view(node.name()) == "group")
      for (const pugi::xml_node& grouped : node.children("camera")) cameras.push_back(grouped);
  }
  return cameras;
}

bool is_metashape(const fs::path& file) {
  if (!is_file(file)) return false;
  std::ifstream stream(file, std::ios::binary);
  std::string start(4096, '\0');
  stream.read(start.data(), static_cast<std::streamsize>(start.size()));
  start.resize(static_cast<size_t>(stream.gcount()));
  const size_t document = start.find("<document");
  return document != std::string::npos && start.find("<chunk", document) != std::string::npos;
}

}  // namespace

std::vector<fs::path> find_metashape(const fs::path& path) {
  if (!fs::is_directory(path)) return is_metashape(path) ? std::vector{path} : std::vector<fs::path>{};
  if (is_metashape(path / "cameras.xml")) return {path / "cameras.xml"};
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(path))
    if (entry.path().extension() == ".xml" && is_metashape(entry.path())) found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

SceneDraft read_metashape(const SceneFiles& files) {
  SceneDraft draft;
  draft.file = files.file;
  const Xml xml(files.file);
  const pugi::xml_node chunk = xml.child(xml.root(), "chunk");
  if (const pugi::xml_node second = chunk.next_sibling("chunk"))
    xml.refuse(second, "expected one chunk, found several; export the cameras of one chunk");

  const Similarity of_chunk = read_similarity(xml, chunk.child("transform"));
  std::map<std::string, Similarity> of_component;
  for (const pugi::xml_node& component : chunk.child("components").children("component"))
    if (const pugi::xml_node transform = component.child("transform"))
      of_component[xml.attribute(component, "id")] = read_similarity(xml, transform);
  std::map<std::string, pugi::xml_node> sensors;
  for (const pugi::xml_node& sensor : xml.child(chunk, "sensors").children("sensor"))
    sensors[xml.attribute(sensor, "id")] = sensor;

  const std::vector<pugi::xml_node> cameras = collect_cameras(xml.child(chunk, "cameras"));
  std::vector<std::string> labels, left_out;
  for (const pugi::xml_node& camera : cameras) labels.push_back(xml.attribute(camera, "label"));
  draft.image_folder = choose_image_folder(files, {files.scene_folder / "images", files.scene_folder}, labels);
  std::map<std::string, uint32_t> camera_ids;
  std::set<std::string> components;
  for (size_t i = 0; i < cameras.size(); ++i) {
    const pugi::xml_node& camera = cameras[i];
    const pugi::xml_node transform = camera.child("transform");
    if (!transform || !camera.attribute("enabled").as_bool(true)) {
      left_out.push_back(labels[i]);
      continue;
    }
    const std::string sensor_id = xml.attribute(camera, "sensor_id");
    const auto sensor = sensors.find(sensor_id);
    if (sensor == sensors.end())
      xml.refuse(camera, fmt::format("expected the id of a sensor in sensor_id, found '{}'; {}",
                                     colmap_files::printable(sensor_id), advice));
    if (!camera_ids.count(sensor_id))
      camera_ids[sensor_id] =
          camera_for(draft, read_sensor(xml, sensor->second), "sensor " + sensor_id);
    const std::string component = camera.attribute("component_id").value();
    components.insert(component);
    const auto placed = of_component.find(component);
    add_image(draft, with_extension(draft.image_folder, labels[i]),
              read_pose(xml, transform, placed == of_component.end() ? of_chunk : placed->second),
              camera_ids[sensor_id]);
  }
  if (!left_out.empty())
    draft.oddities.push_back(
        fmt::format("{} cameras are disabled or not aligned and are left out: {}", left_out.size(), listed(left_out)));
  if (components.size() > 1)
    draft.oddities.push_back(
        fmt::format("the cameras come in {} components, which fit together only where each has a "
                    "reference",
                    components.size()));
  return draft;
}

}  // namespace ptl
