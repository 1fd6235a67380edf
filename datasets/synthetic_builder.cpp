#include "datasets/synthetic_builder.h"

namespace ptl::synthetic {

namespace {
constexpr float pi = 3.14159265f;
}

uint32_t Builder::material(Pattern pattern, Float3 a, Float3 b, Float3 c, float scale_m, float roughness,
                           float specular) {
  Material m;
  m.pattern = pattern;
  m.color_a = a;
  m.color_b = b;
  m.color_c = c;
  m.scale_m = scale_m;
  m.roughness = roughness;
  m.specular = specular;
  m.seed = draw_bits(seed_, DrawPurpose::synthetic, 3, counter_++) >> 8;
  scene_.materials.push_back(m);
  return static_cast<uint32_t>(scene_.materials.size() - 1);
}

void Builder::triangle(const Float3& a, const Float3& b, const Float3& c, uint32_t m) {
  Primitive p;
  p.material = m;
  p.a = a;
  p.b = b;
  p.c = c;
  const Float3 normal = glm::normalize(glm::cross(b - a, c - a));
  for (Float3& n : p.normal) n = normal;
  const float length = glm::length(b - a);
  const Float3 along = (b - a) / length;
  p.uv[1] = {length, 0};
  p.uv[2] = {glm::dot(c - a, along), glm::length(c - a - along * glm::dot(c - a, along))};
  scene_.primitives.push_back(p);
}

void Builder::quad(const Float3& corner, const Float3& u, const Float3& v, uint32_t m) {
  const float lu = glm::length(u), lv = glm::length(v);
  const Float3 normal = glm::normalize(glm::cross(u, v));
  const Float3 p[4] = {corner, corner + u, corner + u + v, corner + v};
  const Float2 uv[4] = {{0, 0}, {lu, 0}, {lu, lv}, {0, lv}};
  for (int half = 0; half < 2; ++half) {
    const int k[3] = {0, half + 1, half + 2};
    Primitive t;
    t.material = m;
    t.a = p[k[0]];
    t.b = p[k[1]];
    t.c = p[k[2]];
    for (int i = 0; i < 3; ++i) t.normal[i] = normal, t.uv[i] = uv[k[i]];
    scene_.primitives.push_back(t);
  }
}

void Builder::box(const Float3& centre, const Float3& half, uint32_t m, float yaw) {
  Primitive p;
  p.shape = Shape::box;
  p.material = m;
  p.a = centre;
  p.b = half;
  p.c = Float3(yaw, 0, 0);
  scene_.primitives.push_back(p);
}

void Builder::sphere(const Float3& centre, float radius, uint32_t m) {
  Primitive p;
  p.shape = Shape::sphere;
  p.material = m;
  p.a = centre;
  p.radius = radius;
  scene_.primitives.push_back(p);
}

void Builder::capsule(const Float3& a, const Float3& b, float radius, uint32_t m) {
  Primitive p;
  p.shape = Shape::capsule;
  p.material = m;
  p.a = a;
  p.b = b;
  p.radius = radius;
  scene_.primitives.push_back(p);
}

namespace {

/// Triangles of a grid of positions with smooth normals; `normals` and `uv` are parallel to `points`.
void add_grid(SyntheticScene& scene, int columns, int rows, const std::vector<Float3>& points,
              const std::vector<Float3>& normals, const std::vector<Float2>& uv, uint32_t m) {
  for (int y = 0; y + 1 < rows; ++y)
    for (int x = 0; x + 1 < columns; ++x) {
      const int corner[4] = {y * columns + x, y * columns + x + 1, (y + 1) * columns + x + 1, (y + 1) * columns + x};
      for (int half = 0; half < 2; ++half) {
        const size_t k[3] = {static_cast<size_t>(corner[0]), static_cast<size_t>(corner[half + 1]),
                             static_cast<size_t>(corner[half + 2])};
        Primitive t;
        t.material = m;
        t.a = points[k[0]];
        t.b = points[k[1]];
        t.c = points[k[2]];
        if (glm::length(glm::cross(t.b - t.a, t.c - t.a)) < 1e-10f) continue;
        for (int i = 0; i < 3; ++i) t.normal[i] = normals[k[i]], t.uv[i] = uv[k[i]];
        scene.primitives.push_back(t);
      }
    }
}

}  // namespace

void Builder::lathe(const Float3& base, const std::vector<std::pair<float, float>>& profile, uint32_t m, int segments) {
  std::vector<Float3> points, normals;
  std::vector<Float2> uv;
  float length = 0;
  const int rows = static_cast<int>(profile.size());
  for (int y = 0; y < rows; ++y) {
    const auto& here = profile[static_cast<size_t>(y)];
    const auto& before = profile[static_cast<size_t>(y > 0 ? y - 1 : 0)];
    const auto& after = profile[static_cast<size_t>(y + 1 < rows ? y + 1 : y)];
    length += std::hypot(here.first - before.first, here.second - before.second);
    const Float2 slope =
        glm::normalize(Float2(after.first - before.first, after.second - before.second) + Float2(0, 1e-9f));
    for (int x = 0; x <= segments; ++x) {
      const float angle = 2 * pi * static_cast<float>(x) / static_cast<float>(segments);
      const float c = std::cos(angle), s = std::sin(angle);
      points.push_back(base + Float3(here.first * c, here.first * s, here.second));
      normals.push_back(glm::normalize(Float3(slope.y * c, slope.y * s, -slope.x)));
      uv.emplace_back(angle * here.first, length);
    }
  }
  add_grid(scene_, segments + 1, rows, points, normals, uv, m);
}

void Builder::cushion(const Float3& centre, const Float3& half, uint32_t m, float yaw, float exponent, int segments) {
  std::vector<Float3> points, normals;
  std::vector<Float2> uv;
  const auto power = [](float x, float e) { return std::copysign(std::pow(std::fabs(x), e), x); };
  const float e = 2 / exponent, c = std::cos(yaw), s = std::sin(yaw);
  const auto turn = [&](const Float3& v) { return Float3(c * v.x - s * v.y, s * v.x + c * v.y, v.z); };
  const int rows = segments / 2 + 1;
  for (int y = 0; y < rows; ++y)
    for (int x = 0; x <= segments; ++x) {
      const float lat = pi * (static_cast<float>(y) / static_cast<float>(rows - 1) - 0.5f);
      const float lon = 2 * pi * static_cast<float>(x) / static_cast<float>(segments);
      const Float3 p(power(std::cos(lat), e) * power(std::cos(lon), e),
                     power(std::cos(lat), e) * power(std::sin(lon), e), power(std::sin(lat), e));
      const Float3 n(power(std::cos(lat), 2 - e) * power(std::cos(lon), 2 - e) / half.x,
                     power(std::cos(lat), 2 - e) * power(std::sin(lon), 2 - e) / half.y,
                     power(std::sin(lat), 2 - e) / half.z);
      points.push_back(centre + turn(p * half));
      normals.push_back(turn(glm::normalize(n + Float3(0, 0, 1e-9f))));
      uv.emplace_back(lon * 0.5f * (half.x + half.y), lat * half.z * 1.5f);
    }
  add_grid(scene_, segments + 1, rows, points, normals, uv, m);
}

void Builder::leaf(const Float3& base, const Float3& direction, float length, float width, float bend, uint32_t m,
                   int segments) {
  const Float3 along = glm::normalize(direction);
  const Float3 side = glm::normalize(glm::cross(along, Float3(0.03f, 0.02f, 1)));
  std::vector<Float3> points, normals;
  std::vector<Float2> uv;
  for (int i = 0; i <= segments; ++i) {
    const float t = static_cast<float>(i) / static_cast<float>(segments);
    const Float3 middle = base + along * (length * t) - Float3(0, 0, bend * length * t * t);
    const Float3 tangent = glm::normalize(along - Float3(0, 0, 2 * bend * t));
    const Float3 up = glm::cross(side, tangent);
    const float half = 0.5f * width * std::pow(std::fmax(0.0f, std::sin(pi * (0.08f + 0.92f * t))), 0.8f) + 1e-4f;
    for (int k = -1; k <= 1; ++k) {
      points.push_back(middle + side * (half * static_cast<float>(k)) + up * (k == 0 ? -0.15f * half : 0.0f));
      normals.push_back(glm::normalize(up + side * (0.25f * static_cast<float>(k))));
      uv.emplace_back(t * length, half * static_cast<float>(k));
    }
  }
  add_grid(scene_, 3, segments + 1, points, normals, uv, m);
}

}  // namespace ptl::synthetic
