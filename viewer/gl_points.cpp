#include "viewer/gl_points.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <numbers>

#include "kernels/camera.h"
#include "viewer/lens_table.h"

namespace ptl {

namespace {

// The models of kernels/camera.h in OpenGL's own language: the pinhole with its distortion, panoramas, and all others by a
// table over the angle from the axis. Tests hold its pixels against project().
const char* const vertex_source = R"(#version 330 core
layout(location = 0) in vec3 position;
layout(location = 1) in vec4 color_spacing;
layout(location = 2) in float removed;
uniform mat3 rotation;
uniform vec3 translation;
uniform vec2 focal, centre, picture;
uniform float skew, valid_radius;
uniform float radial[6];      // k1 k2 k3, k4 k5 k6
uniform vec2 tangential;      // p1 p2
uniform float least_spacing, spacing_step, size_factor, largest;
uniform vec2 range;           // nearest and farthest depth
uniform float show_removed;   // 0 or 1
uniform int lens;             // 0 pinhole, 1 by the table, 2 equirectangular
uniform float table[65];      // radius at equal steps of the angle up to valid_radius
uniform mat2 plane;           // pixels of the table's radius
out vec3 color;
const float pi = 3.14159265;
vec2 pinhole_pixel(vec2 u) {
  float s = dot(u, u);
  float g = (1.0 + s * (radial[0] + s * (radial[1] + s * radial[2]))) / (1.0 + s * (radial[3] + s * (radial[4] + s * radial[5])));
  vec2 d = u * g + vec2(2.0 * tangential.x * u.x * u.y + tangential.y * (s + 2.0 * u.x * u.x),
                        tangential.x * (s + 2.0 * u.y * u.y) + 2.0 * tangential.y * u.x * u.y);
  return vec2(focal.x * d.x + skew * d.y + centre.x, focal.y * d.y + centre.y);
}
vec2 table_pixel(vec3 x, float angle) {
  float place = 64.0 * angle / valid_radius;
  int k = int(min(place, 63.0));
  float radius = mix(table[k], table[k + 1], place - float(k)), level = length(x.xy);
  return centre + plane * (level > 0.0 ? x.xy * (radius / level) : vec2(0.0));
}
void main() {
  vec3 x = rotation * position + translation;
  float away = lens == 0 ? x.z : length(x);
  float off = lens == 0 ? length(x.xy / x.z) : lens == 1 ? atan(length(x.xy), x.z) : 0.0;
  if (away <= range.x || off > valid_radius || removed > show_removed) {
    gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
    gl_PointSize = 1.0;
    return;
  }
  vec2 pixel = lens == 0 ? pinhole_pixel(x.xy / x.z)
             : lens == 1 ? table_pixel(x, off)
                         : picture * vec2(atan(x.x, x.z) / (2.0 * pi) + 0.5, atan(x.y, length(x.xz)) / pi + 0.5);
  // Equal steps of 1/z, as the depth buffer likes it.
  float depth = (1.0 / range.x - 1.0 / away) / (1.0 / range.x - 1.0 / range.y);
  gl_Position = vec4(2.0 * pixel.x / picture.x - 1.0, 1.0 - 2.0 * pixel.y / picture.y, 2.0 * depth - 1.0, 1.0);
  float spacing = least_spacing * exp(spacing_step * 255.0 * color_spacing.a);
  gl_PointSize = clamp(size_factor * spacing * focal.y / away, 1.0, largest);
  color = mix(color_spacing.rgb, vec3(1.0, 0.16, 0.22), removed > 0.0 ? 0.7 : 0.0);
}
)";
const char* const fragment_source = R"(#version 330 core
in vec3 color;
out vec4 result;
void main() { result = vec4(color, 1.0); }
)";

using Clock = std::chrono::steady_clock;

/// The block may be in the picture: a sphere around it against the camera's cone.
bool may_be_seen(const CloudBlock& block, const CameraParams<double>& camera, const Pose<double>& pose) {
  const Vec3<double> middle = 0.5 * (Vec3<double>(block.low) + Vec3<double>(block.high));
  const double radius = 0.5 * glm::length(Vec3<double>(block.high) - Vec3<double>(block.low));
  const Vec3<double> x = pose * middle;
  if (camera.model != CameraModel::pinhole) return true;  // such lenses see nearly all around
  if (x.z < -radius) return false;
  if (glm::length(x) <= radius) return true;
  if (camera.valid_radius < 1e20) return true;  // distortion: no bound is worth the trouble here
  using P = PinholeModel;
  const double* a = camera.value;
  const double left = a[P::cx] / a[P::fx], right = (camera.width_px - a[P::cx]) / a[P::fx];
  const double top = a[P::cy] / a[P::fy], bottom = (camera.height_px - a[P::cy]) / a[P::fy];
  const auto outside = [&](double across, double slope) {  // beyond the plane across = slope · z
    return (across - slope * x.z) / std::sqrt(1 + slope * slope) > radius;
  };
  return !outside(x.x, right) && !outside(-x.x, left) && !outside(x.y, bottom) && !outside(-x.y, top);
}

}  // namespace

GlPoints::GlPoints() : program_(vertex_source, fragment_source) {
  // Drivers compile a program for good when it is first used, which takes as long as half a frame: not within one.
  const std::vector<Vec3<float>> point(1, Vec3<float>(0));
  set_cloud(std::make_shared<DrawnCloud>(arrange_cloud(point, std::vector<std::array<uint8_t, 3>>(1), false)));
  CameraParams<double> camera;
  camera.width_px = camera.height_px = 16;
  Pose<double> pose;
  pose.translation.z = 1;
  draw(camera, pose, 1);
  set_cloud(nullptr);
}

void GlPoints::set_cloud(std::shared_ptr<const DrawnCloud> cloud) {
  if (cloud == cloud_) return;
  cloud_ = std::move(cloud);
  cost_ = PointCost(cloud_);
  pages_.clear();
  if (cloud_)
    for (const CloudPage& page : cloud_pages(cloud_->blocks)) pages_.emplace_back().of = page;
  uploaded_ = 0;
  drawn_ = 0;
  restart_ = true;
}

void GlPoints::set_removed(size_t block, std::span<const uint8_t> removed, const Vec3<float>& low,
                           const Vec3<float>& high) {
  const CloudBlock& place = cloud_->blocks.at(block);
  const auto after = std::upper_bound(pages_.begin(), pages_.end(), block,
                                      [](size_t wanted, const Page& page) { return wanted < page.of.first_block; });
  Page& page = *(after - 1);
  bind_removed(page);
  glBufferSubData(GL_ARRAY_BUFFER, static_cast<GLintptr>(place.first - page.of.first_vertex),
                  static_cast<GLsizeiptr>(std::min<size_t>(place.count, removed.size())), removed.data());
  changed_.emplace_back(low, high);
}

void GlPoints::show_removed(bool show) {
  restart_ |= show != show_removed_;
  show_removed_ = show;
}

void GlPoints::bind_removed(Page& page) {
  const bool made = page.removed.made();
  glBindBuffer(GL_ARRAY_BUFFER, page.removed.name());
  if (made) return;
  const std::vector<uint8_t> none(page.of.vertices, 0);
  glBufferData(GL_ARRAY_BUFFER, static_cast<GLsizeiptr>(none.size()), none.data(), GL_DYNAMIC_DRAW);
}

void GlPoints::upload() {
  if (uploaded()) return;
  Page& page = pages_[uploaded_++];
  glBindVertexArray(page.array.name());
  glBindBuffer(GL_ARRAY_BUFFER, page.vertices.name());
  glBufferData(GL_ARRAY_BUFFER, static_cast<GLsizeiptr>(page.of.vertices * sizeof(CloudVertex)),
               &cloud_->vertices[page.of.first_vertex], GL_STATIC_DRAW);
  glEnableVertexAttribArray(0);
  glVertexAttribPointer(0, 3, GL_FLOAT, GL_FALSE, sizeof(CloudVertex), nullptr);
  glEnableVertexAttribArray(1);
  glVertexAttribPointer(1, 4, GL_UNSIGNED_BYTE, GL_TRUE, sizeof(CloudVertex),
                        reinterpret_cast<const void*>(offsetof(CloudVertex, red)));
  bind_removed(page);
  glEnableVertexAttribArray(2);
  glVertexAttribPointer(2, 1, GL_UNSIGNED_BYTE, GL_FALSE, 1, nullptr);
  restart_ = true;
}

void GlPoints::set_uniforms(const CameraParams<double>& camera, const Pose<double>& pose, float size_factor) {
  using P = PinholeModel;
  const double* a = camera.value;
  const auto f = [](double value) { return static_cast<float>(value); };
  float rotation[9];
  for (int column = 0; column < 3; ++column)
    for (int row = 0; row < 3; ++row) rotation[3 * column + row] = f(pose.rotation[column][row]);
  glUniformMatrix3fv(program_.uniform("rotation"), 1, GL_FALSE, rotation);
  glUniform3f(program_.uniform("translation"), f(pose.translation.x), f(pose.translation.y), f(pose.translation.z));
  glUniform2f(program_.uniform("picture"), static_cast<float>(camera.width_px), static_cast<float>(camera.height_px));
  if (camera.model == CameraModel::pinhole) {
    glUniform1i(program_.uniform("lens"), 0);
    glUniform2f(program_.uniform("focal"), f(a[P::fx]), f(a[P::fy]));
    glUniform2f(program_.uniform("centre"), f(a[P::cx]), f(a[P::cy]));
    glUniform1f(program_.uniform("skew"), f(a[P::skew]));
    glUniform1f(program_.uniform("valid_radius"), f(std::min(camera.valid_radius, 1e18)));
    const float radial[6] = {f(a[P::k1]), f(a[P::k2]), f(a[P::k3]), f(a[P::k4]), f(a[P::k5]), f(a[P::k6])};
    glUniform1fv(program_.uniform("radial"), 6, radial);
    glUniform2f(program_.uniform("tangential"), f(a[P::p1]), f(a[P::p2]));
  } else {
    const bool panorama = camera.model == CameraModel::equirectangular;
    const float focal = f(focal_length_px(camera));
    glUniform1i(program_.uniform("lens"), panorama ? 2 : 1);
    glUniform2f(program_.uniform("focal"), focal, focal);
    glUniform1f(program_.uniform("valid_radius"), f(std::numbers::pi));
    if (!panorama) {
      const LensTable table = lens_table(camera);
      const Vec2<double>* const plane = table.columns_px;
      const float columns[4] = {f(plane[0].x), f(plane[0].y), f(plane[1].x), f(plane[1].y)};
      glUniform1f(program_.uniform("valid_radius"), f(table.largest_angle_rad));
      glUniform2f(program_.uniform("centre"), f(table.centre_px.x), f(table.centre_px.y));
      glUniformMatrix2fv(program_.uniform("plane"), 1, GL_FALSE, columns);
      static_assert(LensTable::steps == 64);
      glUniform1fv(program_.uniform("table"), LensTable::steps + 1, table.radius.data());
    }
  }
  glUniform1f(program_.uniform("least_spacing"), cloud_->least_spacing);
  glUniform1f(program_.uniform("spacing_step"), std::log(cloud_->spacing_of(1) / cloud_->spacing_of(0)));
  glUniform1f(program_.uniform("size_factor"), size_factor);
  glUniform1f(program_.uniform("largest"), f(largest_point_px));
  glUniform2f(program_.uniform("range"), f(near_), f(far_));
  glUniform1f(program_.uniform("show_removed"), show_removed_ ? 1 : 0);
}

void GlPoints::clear(GlCanvas& canvas) {
  canvas.bind();
  glClearColor(0.09f, 0.09f, 0.10f, 1);
  glClear(GL_COLOR_BUFFER_BIT | GL_DEPTH_BUFFER_BIT);
}

bool GlPoints::draw(const CameraParams<double>& camera, const Pose<double>& pose, double milliseconds) {
  if (front_.resize(camera.width_px, camera.height_px)) restart_ = true;
  if (!cloud_ || cloud_->vertices.empty()) {
    clear(front_);
    return true;
  }
  upload();
  const bool same = pose == pose_ && camera == camera_;
  if (!changed_.empty() && same && !restart_) {
    restart_ = !draw_changes(milliseconds);
    changed_.clear();
    if (!restart_) return front_share_ >= 1 && uploaded();  // the frame's time is used up
  }
  changed_.clear();
  if (!same || restart_) {
    restart_ = false;
    camera_ = camera;
    pose_ = pose;
    // Around the cloud as it stands before the camera.
    const double extent = glm::length(Vec3<double>(cloud_->high - cloud_->low));
    const double distance = glm::length(pose * (0.5 * Vec3<double>(cloud_->low + cloud_->high)));
    far_ = 20 * (distance + extent);
    near_ = std::max(1e-4 * extent, 1e-5 * far_);
    seen_.assign(cloud_->blocks.size(), 0);
    const size_t there = pages_[uploaded_ - 1].of.last_block;
    for (size_t b = 0; b < there; ++b) seen_[b] = may_be_seen(cloud_->blocks[b], camera, pose);
    clear(front_);
    seen_cost_ = cost_.seen_by(camera, pose, seen_);
    const double share = seen_cost_.share_within(static_cast<double>(budget_.points_in(milliseconds)));
    drawn_ = 0;
    front_share_ = draw_within(0, share, share, seen_, seen_cost_, milliseconds, budget_, drawn_);
    back_share_ = 0;
  } else if (front_share_ < 1) {
    // Into a picture of its own, with points of their final size, which is shown when it is whole.
    if (back_share_ == 0) {
      back_.resize(camera.width_px, camera.height_px);
      clear(back_);
      back_drawn_ = 0;
    }
    back_.bind();
    const double more = static_cast<double>(refining_budget_.points_in(milliseconds)) / std::max(1.0, seen_cost_.of(0, 1, 1));
    back_share_ = draw_within(back_share_, std::min(1.0, back_share_ + more), 1, seen_, seen_cost_, milliseconds,
                              refining_budget_, back_drawn_);
    if (back_share_ >= 1) {
      std::swap(front_, back_);
      front_share_ = 1;
      drawn_ = back_drawn_;
    }
  }
  return front_share_ >= 1 && uploaded();
}

bool GlPoints::draw_changes(double milliseconds) {
  if (camera_.model != CameraModel::pinhole) return false;
  Vec2<double> low(INFINITY), high(-INFINITY);
  for (const auto& [box_low, box_high] : changed_)
    for (int corner = 0; corner < 8; ++corner) {
      const Vec3<double> x((corner & 1) ? box_high.x : box_low.x, (corner & 2) ? box_high.y : box_low.y,
                           (corner & 4) ? box_high.z : box_low.z);
      const Projection<double> at = project(camera_, pose_ * x);
      if (!at.valid) return false;  // it reaches behind the camera
      low = glm::min(low, Vec2<double>(at.x_px, at.y_px));
      high = glm::max(high, Vec2<double>(at.x_px, at.y_px));
    }
  const auto whole = [](double value, double limit) { return static_cast<int>(std::clamp(value, 0.0, limit)); };
  const double width = camera_.width_px, height = camera_.height_px;
  const int x0 = whole(std::floor(low.x - largest_point_px), width),
            y0 = whole(std::floor(low.y - largest_point_px), height),
            x1 = whole(std::ceil(high.x + largest_point_px), width),
            y1 = whole(std::ceil(high.y + largest_point_px), height);
  if (x1 <= x0 || y1 <= y0) return true;  // beside the picture
  // What may reach into that part of the picture: seen by a camera of this part and a point's size around it.
  CameraParams<double> part = camera_;
  using P = PinholeModel;
  part.value[P::cx] -= x0 - largest_point_px;
  part.value[P::cy] -= y0 - largest_point_px;
  part.width_px = x1 - x0 + static_cast<int>(2 * largest_point_px);
  part.height_px = y1 - y0 + static_cast<int>(2 * largest_point_px);
  std::vector<uint8_t> blocks(seen_.size(), 0);
  for (size_t b = 0; b < blocks.size(); ++b) blocks[b] = seen_[b] && may_be_seen(cloud_->blocks[b], part, pose_);
  const ViewCost cost = cost_.seen_by(camera_, pose_, blocks);
  const double share = cost.share_within(static_cast<double>(budget_.points_in(milliseconds)));
  front_.bind();
  glEnable(GL_SCISSOR_TEST);
  glScissor(x0, front_.height() - y1, x1 - x0, y1 - y0);
  clear(front_);
  uint64_t again = 0;
  const double reached = draw_within(0, share, share, blocks, cost, milliseconds, budget_, again);
  glDisable(GL_SCISSOR_TEST);
  // Where all of them take too long the rest of the picture stays as it is, until a refined one is whole.
  front_share_ = std::min(front_share_, reached);
  back_share_ = 0;
  return true;
}

double GlPoints::draw_within(double from, double to, double sized_for, const std::vector<uint8_t>& blocks,
                             const ViewCost& cost, double milliseconds, PointBudget& budget, uint64_t& points) {
  // What points cost is an estimate: the clock has the last word.
  // Each part costs some milliseconds of its own, so there are few.
  constexpr int parts = 2;
  constexpr double tolerance = 1.15;
  const auto begin = Clock::now();
  double at = from;
  uint64_t drawn = 0;
  for (int part = 1; part <= parts; ++part) {
    const double next = part == parts ? to : from + (to - from) * part / parts;
    drawn += draw_share(at, next, sized_for, blocks);
    at = next;
    const double so_far = std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
    if (so_far * (part + 1) / part > tolerance * milliseconds) break;
  }
  budget.measured(static_cast<uint64_t>(cost.of(from, at, sized_for)),
                  std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
  points += drawn;
  return at;
}

uint64_t GlPoints::draw_share(double from, double to, double sized_for, const std::vector<uint8_t>& blocks) {
  glEnable(GL_DEPTH_TEST);
  glDepthFunc(GL_LESS);
  glDisable(GL_BLEND);
  glEnable(GL_PROGRAM_POINT_SIZE);
  program_.use();
  set_uniforms(camera_, pose_, point_size_factor(sized_for, cost_.held()));
  uint64_t points = 0;
  std::vector<GLint> firsts;
  std::vector<GLsizei> counts;
  for (Page& page : pages_) {
    firsts.clear();
    counts.clear();
    for (size_t b = page.of.first_block; b < page.of.last_block; ++b) {
      if (!blocks[b]) continue;
      const CloudBlock& block = cloud_->blocks[b];
      const auto first = static_cast<uint32_t>(std::ceil(from * block.count));
      const auto last = static_cast<uint32_t>(std::ceil(to * block.count));
      if (last <= first) continue;
      firsts.push_back(static_cast<GLint>(block.first - page.of.first_vertex + first));
      counts.push_back(static_cast<GLsizei>(last - first));
      points += last - first;
    }
    if (firsts.empty()) continue;
    glBindVertexArray(page.array.name());
    glMultiDrawArrays(GL_POINTS, firsts.data(), counts.data(), static_cast<GLsizei>(firsts.size()));
  }
  glFinish();  // so that the time is that of the points
  glDisable(GL_DEPTH_TEST);
  return points;
}

float GlPoints::depth_m(int x_px, int y_px) {
  if (x_px < 0 || y_px < 0 || x_px >= front_.width() || y_px >= front_.height())
    return std::numeric_limits<float>::infinity();
  return depth_m_of(front_.read_depth(x_px, y_px));
}

Image GlPoints::depths_m() {
  Image depths = front_.read_depths();
  for (float& value : depths.pixels) value = depth_m_of(value);
  return depths;
}

float GlPoints::depth_m_of(float depth) const {
  if (depth >= 1) return std::numeric_limits<float>::infinity();
  return static_cast<float>(1 / (1 / near_ - static_cast<double>(depth) * (1 / near_ - 1 / far_)));
}

}  // namespace ptl
