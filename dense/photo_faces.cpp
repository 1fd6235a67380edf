#include "dense/photo_faces.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numbers>
#include <utility>

#include "datasets/image_io.h"
#include "dense/stereo_view.h"

namespace ptl {
namespace fs = std::filesystem;

namespace {

constexpr int faces_per_photo = 6;
constexpr double least_shown_share = 0.05;
constexpr double degree = std::numbers::pi / 180;
constexpr double half_angle_rad = 50 * degree, widest_pinhole_rad = 65 * degree;

/// Directions of a face → those of the photo's camera: columns are the face's right, down and forward there.
Mat3<double> photo_from_face(int face) {
  const Vec3<double> forward[] = {{0, 0, 1}, {1, 0, 0}, {0, 0, -1}, {-1, 0, 0}, {0, -1, 0}, {0, 1, 0}};
  const Vec3<double> down[] = {{0, 1, 0}, {0, 1, 0}, {0, 1, 0}, {0, 1, 0}, {0, 0, 1}, {0, 0, -1}};
  return Mat3<double>(glm::cross(down[face], forward[face]), down[face], forward[face]);
}

/// Square, at most `most_side_px`; in its middle as many pixels a degree as the photo's middle.
StereoCamera face_camera(const CameraParams<double>& photo, int most_side_px) {
  const double tangent = std::tan(half_angle_rad);
  const double side = std::min<double>(most_side_px, 2 * tangent * focal_length_px(photo));
  StereoCamera camera;
  camera.width_px = camera.height_px = std::max(16, static_cast<int>(std::lround(side)));
  camera.focal_x_px = camera.focal_y_px = 0.5 * camera.width_px / tangent;
  camera.centre_x_px = camera.centre_y_px = 0.5 * camera.width_px;
  return camera;
}

SceneCamera pinhole_of(const StereoCamera& face, uint32_t id) {
  SceneCamera camera;
  camera.id = id;
  camera.params.width_px = camera.stored_width_px = face.width_px;
  camera.params.height_px = camera.stored_height_px = face.height_px;
  camera.params.value[PinholeModel::fx] = face.focal_x_px;
  camera.params.value[PinholeModel::fy] = face.focal_y_px;
  camera.params.value[PinholeModel::cx] = face.centre_x_px;
  camera.params.value[PinholeModel::cy] = face.centre_y_px;
  camera.colmap_params = {face.focal_x_px, face.focal_y_px, face.centre_x_px, face.centre_y_px};
  update_valid_radius(camera.params);
  return camera;
}

/// The photo at the size at which its pixels are as large as a face's.
ImageSource reduced_source(const ImageSource& source, const CameraParams<double>& photo, const StereoCamera& face) {
  ImageSource reduced = source;
  const double ratio = std::min(1.0, face.focal_x_px / focal_length_px(photo));
  reduced.width_px = std::max(1, static_cast<int>(std::lround(ratio * photo.width_px)));
  reduced.height_px = std::max(1, static_cast<int>(std::lround(ratio * photo.height_px)));
  return reduced;
}

void write_face(const Device& device, const CameraParams<double>& reduced, const ImageCache::Decoded& photo,
                const StereoCamera& camera, int face, const fs::path& file) {
  const StereoView view = resampled_view(device, reduced, photo, camera, photo_from_face(face));
  StoredImage image;
  image.width = camera.width_px;
  image.height = camera.height_px;
  image.channels = 4;
  image.values8.reserve(4 * camera.pixel_count());
  for (size_t i = 0; i < camera.pixel_count(); ++i) {
    image.values8.insert(image.values8.end(), view.color[i].begin(), view.color[i].end());
    image.values8.push_back(view.valid[i] != 0 ? 255 : 0);
  }
  write_png(file, image);
}

/// A photo that was changed since makes other faces.
std::string state_of(const fs::path& file) {
  std::error_code error;
  const auto written = fs::last_write_time(file, error);
  return error ? std::string("none")
               : fmt::format("{}_{}", fs::file_size(file, error), written.time_since_epoch().count());
}

/// Share of a face's pixels that the photo shows.
double shown_share(const CameraParams<double>& photo, const StereoCamera& camera, int face) {
  constexpr int steps = 16;
  int shown = 0;
  for (int y = 0; y < steps; ++y)
    for (int x = 0; x < steps; ++x) {
      const Vec3<double> ray = camera.ray((x + 0.5) * camera.width_px / steps, (y + 0.5) * camera.height_px / steps);
      const Projection<double> p = project(photo, photo_from_face(face) * ray);
      shown += p.valid && p.x_px >= 0 && p.y_px >= 0 && p.x_px < photo.width_px && p.y_px < photo.height_px;
    }
  return static_cast<double>(shown) / (steps * steps);
}

void add_observations(const SceneCamera& photo, const SceneImage& image, const StereoCamera& camera, int face,
                      SceneImage& to) {
  const Mat3<double> face_from_photo = glm::transpose(photo_from_face(face));
  const double scale = static_cast<double>(photo.params.width_px) / photo.stored_width_px;
  for (const Observation& observation : image.observations) {
    Vec3<double> ray;
    if (!unproject_ray(photo.params, observation.x_px * scale, observation.y_px * scale, ray)) continue;
    const Vec3<double> seen = face_from_photo * ray;
    if (!(seen.z > 0)) continue;
    const Vec2<double> pixel = camera.pixel(seen);
    if (camera.contains(pixel)) to.observations.push_back({pixel.x, pixel.y, observation.point_id});
  }
}

}  // namespace

bool needs_faces(const CameraParams<double>& camera) {
  if (wraps_x(camera.model)) return true;
  const double w = camera.width_px, h = camera.height_px;
  for (const auto& [x, y] : {std::pair(0.0, h / 2), std::pair(w, h / 2), std::pair(w / 2, 0.0), std::pair(w / 2, h)}) {
    Vec3<double> ray;
    unproject_ray(camera, x, y, ray);  // beyond the rim of a fisheye: the ray nearest to it
    if (std::atan2(std::hypot(ray.x, ray.y), ray.z) > widest_pinhole_rad) return true;
  }
  return false;
}

bool has_wide_photos(const Scene& scene, const std::vector<int>& photos) {
  return std::any_of(photos.begin(), photos.end(), [&](int photo) {
    return needs_faces(scene.camera_of(scene.images[static_cast<size_t>(photo)]).params);
  });
}

PhotoFaces split_wide_photos(const Device& device, const Scene& scene, const std::vector<int>& photos, int most_side_px,
                             const fs::path& folder, const DenseProgress& progress) {
  PhotoFaces faces;
  faces.scene = scene;
  faces.scene.images.clear();
  std::map<uint32_t, uint32_t> face_camera_of;  // camera → that of its faces
  uint32_t next_camera = 0;
  for (const SceneCamera& camera : scene.cameras) next_camera = std::max(next_camera, camera.id + 1);
  std::vector<ImageSource> sources = image_sources(scene);
  for (const int photo : photos) {
    const SceneImage& image = scene.images[static_cast<size_t>(photo)];
    const CameraParams<double>& params = scene.camera_of(image).params;
    if (needs_faces(params))
      sources[static_cast<size_t>(photo)] =
          reduced_source(sources[static_cast<size_t>(photo)], params, face_camera(params, most_side_px));
  }
  ImageCache wide_photos(sources, 1);

  for (size_t i = 0; i < photos.size(); ++i) {
    if (progress) progress("faces of wide photos", static_cast<int>(i), static_cast<int>(photos.size()));
    const SceneImage& image = scene.images[static_cast<size_t>(photos[i])];
    const SceneCamera& camera = scene.camera_of(image);
    const auto add = [&](SceneImage one) {
      one.id = static_cast<uint32_t>(faces.scene.images.size() + 1);
      faces.photos.push_back(static_cast<int>(faces.scene.images.size()));
      faces.image_of.push_back(photos[i]);
      faces.scene.images.push_back(std::move(one));
    };
    if (!needs_faces(camera.params)) {
      add(image);
      continue;
    }
    const StereoCamera face_view = face_camera(camera.params, most_side_px);
    if (face_camera_of.emplace(camera.id, next_camera).second)
      faces.scene.cameras.push_back(pinhole_of(face_view, next_camera++));
    std::string state = fmt::format("{:05d}_{}_{}_{}", photos[i], face_view.width_px, state_of(image.photo_path),
                                    image.mask_path.empty() ? "" : state_of(image.mask_path));
    if (scene.photo_range) state += fmt::format("_{:g}_{:g}", scene.photo_range->low, scene.photo_range->high);
    for (int face = 0; face < faces_per_photo; ++face) {
      if (shown_share(camera.params, face_view, face) < least_shown_share) continue;
      SceneImage one;
      one.camera_id = face_camera_of.at(camera.id);
      one.name = fmt::format("{}, face {}", image.name, face);
      one.photo_path = one.mask_path = folder / "faces" / fmt::format("{}_{}.png", state, face);
      const Mat3<double> turn = glm::transpose(photo_from_face(face));
      one.camera_from_world = {turn * image.camera_from_world.rotation, turn * image.camera_from_world.translation};
      add_observations(camera, image, face_view, face, one);
      std::error_code error;
      if (!fs::exists(one.photo_path, error)) {
        const auto decoded = wide_photos.get(photos[i]);
        write_face(device, scale_camera(camera.params, decoded->photo.width, decoded->photo.height), *decoded,
                   face_view, face, one.photo_path);
      }
      add(std::move(one));
    }
  }

  // Tracks anew: by what the new images observe.
  std::map<uint64_t, std::vector<std::pair<uint32_t, uint32_t>>> tracks;
  for (const SceneImage& image : faces.scene.images)
    for (size_t k = 0; k < image.observations.size(); ++k)
      if (image.observations[k].point_id != UINT64_MAX)
        tracks[image.observations[k].point_id].emplace_back(image.id, static_cast<uint32_t>(k));
  for (SparsePoint& point : faces.scene.sparse_points) {
    const auto found = tracks.find(point.id);
    point.track = found == tracks.end() ? std::vector<std::pair<uint32_t, uint32_t>>{} : found->second;
  }
  return faces;
}

void seen_by_photos(const PhotoFaces& faces, DenseCloud& points) {
  std::vector<uint32_t> seen_by;
  std::vector<uint64_t> first_seen = {0};
  for (size_t i = 0; i + 1 < points.first_seen.size(); ++i) {
    const size_t first = seen_by.size();
    for (uint64_t k = points.first_seen[i]; k < points.first_seen[i + 1]; ++k) {
      const auto image = static_cast<uint32_t>(faces.image_of[points.seen_by[k]]);
      if (std::find(seen_by.begin() + static_cast<std::ptrdiff_t>(first), seen_by.end(), image) == seen_by.end())
        seen_by.push_back(image);
    }
    first_seen.push_back(seen_by.size());
  }
  points.seen_by = std::move(seen_by);
  points.first_seen = std::move(first_seen);
}

std::vector<int> unconnected_photos(const PhotoFaces& faces, const std::vector<int>& unconnected) {
  std::map<int, int> left;  // by image: its faces that are connected
  for (const int image : faces.image_of) ++left[image];
  for (const int face : unconnected) --left[faces.image_of[static_cast<size_t>(face)]];
  std::vector<int> none;
  for (const auto& [image, count] : left)
    if (count == 0) none.push_back(image);
  return none;
}

}  // namespace ptl
