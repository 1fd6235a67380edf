#include "datasets/synthetic_trace.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace ptl::synthetic {

namespace {

constexpr float nearest_m = 1e-4f;

void bounds_of(const Primitive& primitive, Float3& low, Float3& high) {
  const Primitive& p = primitive;
  switch (p.shape) {
    case Shape::triangle:
      low = glm::min(p.a, glm::min(p.b, p.c));
      high = glm::max(p.a, glm::max(p.b, p.c));
      break;
    case Shape::sphere:
      low = p.a - p.radius;
      high = p.a + p.radius;
      break;
    case Shape::capsule:
      low = glm::min(p.a, p.b) - p.radius;
      high = glm::max(p.a, p.b) + p.radius;
      break;
    case Shape::box: {
      const float c = std::fabs(std::cos(p.c.x)), s = std::fabs(std::sin(p.c.x));
      const Float3 half(c * p.b.x + s * p.b.y, s * p.b.x + c * p.b.y, p.b.z);
      low = p.a - half;
      high = p.a + half;
      break;
    }
  }
  low -= 1e-5f;
  high += 1e-5f;
}

Float3 into_box(const Float3& v, float yaw) {
  const float c = std::cos(yaw), s = std::sin(yaw);
  return {c * v.x + s * v.y, -s * v.x + c * v.y, v.z};
}

Float3 out_of_box(const Float3& v, float yaw) {
  return into_box(v, -yaw);
}

bool hit_sphere(const Float3& centre, float radius, const Ray& ray, float& distance) {
  const Float3 offset = ray.origin - centre;
  const float b = glm::dot(offset, ray.direction);
  const Float3 perpendicular = offset - b * ray.direction;  // stable far away from the sphere
  const float rest = radius * radius - glm::dot(perpendicular, perpendicular);
  if (rest < 0) return false;
  const float root = std::sqrt(rest);
  const float t = -b - root > nearest_m ? -b - root : -b + root;
  if (t <= nearest_m || t >= distance) return false;
  distance = t;
  return true;
}

bool hit_capsule(const Primitive& p, const Ray& ray, float& distance) {
  const Float3 axis = p.b - p.a, offset = ray.origin - p.a;
  const float length2 = glm::dot(axis, axis), along = glm::dot(axis, ray.direction), start = glm::dot(axis, offset);
  const Float3 d = ray.direction - axis * (along / length2), o = offset - axis * (start / length2);
  const float a = glm::dot(d, d);
  if (a > 1e-12f) {
    const float b = glm::dot(d, o) / a;
    const Float3 closest = o - b * d;
    const float rest = p.radius * p.radius - glm::dot(closest, closest);
    if (rest < 0) return false;
    const float t = -b - std::sqrt(rest / a);
    const float height = start + t * along;
    if (height > 0 && height < length2) {
      if (t <= nearest_m || t >= distance) return false;
      distance = t;
      return true;
    }
    return hit_sphere(height <= 0 ? p.a : p.b, p.radius, ray, distance);
  }
  return hit_sphere(along > 0 ? p.a : p.b, p.radius, ray, distance);
}

bool hit_box(const Primitive& p, const Ray& ray, float& distance) {
  const Float3 o = into_box(ray.origin - p.a, p.c.x), d = into_box(ray.direction, p.c.x);
  float enter = -1e30f, leave = 1e30f;
  for (int axis = 0; axis < 3; ++axis) {
    if (std::fabs(d[axis]) < 1e-12f) {
      if (std::fabs(o[axis]) > p.b[axis]) return false;
      continue;
    }
    const float inverse = 1 / d[axis];
    float t0 = (-p.b[axis] - o[axis]) * inverse, t1 = (p.b[axis] - o[axis]) * inverse;
    if (t0 > t1) std::swap(t0, t1);
    enter = std::max(enter, t0);
    leave = std::min(leave, t1);
  }
  if (enter > leave) return false;
  const float t = enter > nearest_m ? enter : leave;
  if (t <= nearest_m || t >= distance) return false;
  distance = t;
  return true;
}

bool hit_triangle(const Primitive& p, const Ray& ray, float& distance, float& u, float& v) {
  const Float3 e1 = p.b - p.a, e2 = p.c - p.a, h = glm::cross(ray.direction, e2);
  const float det = glm::dot(e1, h);
  if (std::fabs(det) < 1e-14f) return false;
  const float inverse = 1 / det;
  const Float3 s = ray.origin - p.a;
  const float bu = glm::dot(s, h) * inverse;
  if (bu < 0 || bu > 1) return false;
  const Float3 q = glm::cross(s, e1);
  const float bv = glm::dot(ray.direction, q) * inverse;
  if (bv < 0 || bu + bv > 1) return false;
  const float t = glm::dot(e2, q) * inverse;
  if (t <= nearest_m || t >= distance) return false;
  distance = t;
  u = bu;
  v = bv;
  return true;
}

bool hit_primitive(const Primitive& p, const Ray& ray, float& distance, float& u, float& v) {
  switch (p.shape) {
    case Shape::triangle:
      return hit_triangle(p, ray, distance, u, v);
    case Shape::sphere:
      return hit_sphere(p.a, p.radius, ray, distance);
    case Shape::capsule:
      return hit_capsule(p, ray, distance);
    case Shape::box:
      return hit_box(p, ray, distance);
  }
  return false;
}

float half_area(const Float3& low, const Float3& high) {
  const Float3 size = high - low;
  return size.x * size.y + size.y * size.z + size.z * size.x;
}

/// Entry distance of the ray into the box, or infinity.
inline float enter_bounds(const Float3& low, const Float3& high, const Float3& origin, const Float3& inverse,
                          float limit) {
  const float x0 = (low.x - origin.x) * inverse.x, x1 = (high.x - origin.x) * inverse.x;
  const float y0 = (low.y - origin.y) * inverse.y, y1 = (high.y - origin.y) * inverse.y;
  const float z0 = (low.z - origin.z) * inverse.z, z1 = (high.z - origin.z) * inverse.z;
  const float enter = std::max(std::max(std::min(x0, x1), std::min(y0, y1)), std::max(std::min(z0, z1), 0.0f));
  const float leave = std::min(std::min(std::max(x0, x1), std::max(y0, y1)), std::min(std::max(z0, z1), limit));
  return enter <= leave ? enter : std::numeric_limits<float>::infinity();
}

Float3 inverse_direction(const Float3& d) {
  Float3 result;
  for (int i = 0; i < 3; ++i) result[i] = 1 / (std::fabs(d[i]) < 1e-20f ? std::copysign(1e-20f, d[i]) : d[i]);
  return result;
}

}  // namespace

Tracer::Tracer(const SyntheticScene& scene) : scene_(scene) {
  const int count = static_cast<int>(scene.primitives.size());
  std::vector<Float3> lows(scene.primitives.size()), highs(scene.primitives.size());
  for (size_t i = 0; i < scene.primitives.size(); ++i) bounds_of(scene.primitives[i], lows[i], highs[i]);
  order_.resize(scene.primitives.size());
  std::iota(order_.begin(), order_.end(), 0);
  nodes_.reserve(scene.primitives.size() * 2 + 1);
  if (count > 0) build(0, count, order_, lows, highs);
}

int Tracer::build(int first, int count, std::vector<int>& order, const std::vector<Float3>& lows,
                  const std::vector<Float3>& highs) {
  const int index = static_cast<int>(nodes_.size());
  nodes_.emplace_back();
  Node node;
  node.low = Float3(1e30f);
  node.high = Float3(-1e30f);
  Float3 centre_low(1e30f), centre_high(-1e30f);
  for (int i = first; i < first + count; ++i) {
    const size_t k = static_cast<size_t>(order[static_cast<size_t>(i)]);
    node.low = glm::min(node.low, lows[k]);
    node.high = glm::max(node.high, highs[k]);
    const Float3 centre = 0.5f * (lows[k] + highs[k]);
    centre_low = glm::min(centre_low, centre);
    centre_high = glm::max(centre_high, centre);
  }
  // Surface area heuristic over 16 bins on each axis.
  constexpr int bins = 16;
  float best_cost = static_cast<float>(count) * half_area(node.low, node.high);
  int best_axis = -1, best_bin = 0;
  for (int axis = 0; axis < 3 && count > 2; ++axis) {
    const float size = centre_high[axis] - centre_low[axis];
    if (size < 1e-6f) continue;
    Float3 low[bins], high[bins];
    int counts[bins] = {};
    for (int b = 0; b < bins; ++b) low[b] = Float3(1e30f), high[b] = Float3(-1e30f);
    for (int i = first; i < first + count; ++i) {
      const size_t k = static_cast<size_t>(order[static_cast<size_t>(i)]);
      const float centre = 0.5f * (lows[k][axis] + highs[k][axis]);
      const int b = std::min(bins - 1, static_cast<int>((centre - centre_low[axis]) / size * bins));
      ++counts[b];
      low[b] = glm::min(low[b], lows[k]);
      high[b] = glm::max(high[b], highs[k]);
    }
    float right_cost[bins] = {};
    Float3 l(1e30f), h(-1e30f);
    int n = 0;
    for (int b = bins - 1; b > 0; --b) {
      l = glm::min(l, low[b]);
      h = glm::max(h, high[b]);
      n += counts[b];
      right_cost[b] = n > 0 ? static_cast<float>(n) * half_area(l, h) : 0;
    }
    l = Float3(1e30f), h = Float3(-1e30f), n = 0;
    for (int b = 0; b < bins - 1; ++b) {
      l = glm::min(l, low[b]);
      h = glm::max(h, high[b]);
      n += counts[b];
      if (n == 0 || n == count) continue;
      const float cost =
          static_cast<float>(n) * half_area(l, h) + right_cost[b + 1] + 0.5f * half_area(node.low, node.high);
      if (cost < best_cost) best_cost = cost, best_axis = axis, best_bin = b;
    }
  }
  if (best_axis < 0 && count <= 8) {
    node.first = first;
    node.count = count;
    nodes_[static_cast<size_t>(index)] = node;
    return index;
  }
  int middle = first + count / 2;
  if (best_axis >= 0) {
    node.axis = best_axis;
    const float size = centre_high[best_axis] - centre_low[best_axis], start = centre_low[best_axis];
    const auto is_left = [&](int item) {
      const size_t k = static_cast<size_t>(item);
      const float centre = 0.5f * (lows[k][best_axis] + highs[k][best_axis]);
      return std::min(bins - 1, static_cast<int>((centre - start) / size * bins)) <= best_bin;
    };
    middle = static_cast<int>(std::stable_partition(order.begin() + first, order.begin() + first + count, is_left) -
                              order.begin());
  }
  build(first, middle - first, order, lows, highs);
  node.first = build(middle, first + count - middle, order, lows, highs);
  nodes_[static_cast<size_t>(index)] = node;
  return index;
}

Hit Tracer::closest(const Ray& ray, float limit_m) const {
  Hit hit;
  hit.distance = limit_m;
  if (nodes_.empty()) return hit;
  const Float3 inverse = inverse_direction(ray.direction);
  int stack[128], size = 0;
  stack[size++] = 0;
  while (size > 0) {
    const int index = stack[--size];
    const Node& node = nodes_[static_cast<size_t>(index)];
    if (enter_bounds(node.low, node.high, ray.origin, inverse, hit.distance) > hit.distance) continue;
    if (node.count > 0) {
      for (int i = node.first; i < node.first + node.count; ++i) {
        const int k = order_[static_cast<size_t>(i)];
        if (hit_primitive(scene_.primitives[static_cast<size_t>(k)], ray, hit.distance, hit.u, hit.v))
          hit.primitive = k;
      }
    } else if (ray.direction[node.axis] > 0) {
      stack[size++] = node.first;
      stack[size++] = index + 1;
    } else {
      stack[size++] = index + 1;
      stack[size++] = node.first;
    }
  }
  return hit;
}

bool Tracer::blocked(const Ray& ray, float limit_m) const {
  if (nodes_.empty()) return false;
  const Float3 inverse = inverse_direction(ray.direction);
  int stack[128], size = 0;
  stack[size++] = 0;
  while (size > 0) {
    const int index = stack[--size];
    const Node& node = nodes_[static_cast<size_t>(index)];
    if (enter_bounds(node.low, node.high, ray.origin, inverse, limit_m) > limit_m) continue;
    if (node.count > 0) {
      for (int i = node.first; i < node.first + node.count; ++i) {
        float distance = limit_m, u, v;
        if (hit_primitive(scene_.primitives[static_cast<size_t>(order_[static_cast<size_t>(i)])], ray, distance, u, v))
          return true;
      }
    } else {
      stack[size++] = node.first;
      stack[size++] = index + 1;
    }
  }
  return false;
}

Hit Tracer::closest_brute_force(const Ray& ray, float limit_m) const {
  Hit hit;
  hit.distance = limit_m;
  for (size_t i = 0; i < scene_.primitives.size(); ++i)
    if (hit_primitive(scene_.primitives[i], ray, hit.distance, hit.u, hit.v)) hit.primitive = static_cast<int>(i);
  return hit;
}

SurfacePoint Tracer::surface(const Ray& ray, const Hit& hit) const {
  const Primitive& p = scene_.primitives[static_cast<size_t>(hit.primitive)];
  SurfacePoint point;
  point.material = p.material;
  point.position = ray.origin + hit.distance * ray.direction;
  const auto frame_from_normal = [&](const Float3& along) {
    point.tangent_u = glm::normalize(along - point.normal * glm::dot(along, point.normal) + Float3(1e-9f));
    point.tangent_v = glm::cross(point.normal, point.tangent_u);
  };
  switch (p.shape) {
    case Shape::triangle: {
      const float w = 1 - hit.u - hit.v;
      const Float3 flat = glm::cross(p.b - p.a, p.c - p.a);
      point.normal = glm::normalize(w * p.normal[0] + hit.u * p.normal[1] + hit.v * p.normal[2]);
      if (glm::dot(flat, ray.direction) * glm::dot(flat, point.normal) > 0) point.normal = -point.normal;
      point.uv = w * p.uv[0] + hit.u * p.uv[1] + hit.v * p.uv[2];
      const Float2 d1 = p.uv[1] - p.uv[0], d2 = p.uv[2] - p.uv[0];
      const float det = d1.x * d2.y - d2.x * d1.y;
      frame_from_normal(std::fabs(det) > 1e-12f ? ((p.b - p.a) * d2.y - (p.c - p.a) * d1.y) / det : p.b - p.a);
      break;
    }
    case Shape::sphere: {
      point.normal = (point.position - p.a) / p.radius;
      const Float3 n = point.normal;
      point.uv = p.radius * Float2(std::atan2(n.y, n.x), std::asin(std::clamp(n.z, -1.0f, 1.0f)));
      frame_from_normal({-n.y, n.x, 1e-4f});
      break;
    }
    case Shape::capsule: {
      const Float3 axis = glm::normalize(p.b - p.a);
      const float along = glm::dot(point.position - p.a, axis);
      const float inside = std::clamp(along, 0.0f, glm::length(p.b - p.a));
      point.normal = glm::normalize(point.position - p.a - inside * axis);
      const Float3 side =
          glm::normalize(glm::cross(axis, std::fabs(axis.z) < 0.9f ? Float3(0, 0, 1) : Float3(1, 0, 0)));
      const float angle = std::atan2(glm::dot(point.normal, glm::cross(axis, side)), glm::dot(point.normal, side));
      point.uv = {along, angle * p.radius};
      frame_from_normal(axis);
      break;
    }
    case Shape::box: {
      const Float3 local = into_box(point.position - p.a, p.c.x);
      int axis = 0;
      for (int i = 1; i < 3; ++i)
        if (std::fabs(local[i]) - p.b[i] > std::fabs(local[axis]) - p.b[axis]) axis = i;
      Float3 normal(0), u(0);
      normal[axis] = local[axis] > 0 ? 1.0f : -1.0f;
      // u runs along the longer side, so that wood grain and planks follow it.
      int first = (axis + 1) % 3, second = (axis + 2) % 3;
      if (p.b[second] > p.b[first]) std::swap(first, second);
      u[first] = 1;
      point.uv = Float2(local[first] + p.b[first], local[second] + p.b[second]);
      point.normal = out_of_box(normal, p.c.x);
      frame_from_normal(out_of_box(u, p.c.x));
      break;
    }
  }
  if (p.shape != Shape::triangle && glm::dot(point.normal, ray.direction) > 0) point.normal = -point.normal;
  return point;
}

}  // namespace ptl::synthetic
