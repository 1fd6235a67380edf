#include "datasets/synthetic_light.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace ptl::synthetic {

namespace {

constexpr float pi = 3.14159265f;
constexpr float wide_cells = 6;  ///< times the entries' spacing

void basis(const Float3& n, Float3& u, Float3& v) {
  u = glm::normalize(std::fabs(n.z) < 0.9f ? glm::cross(n, Float3(0, 0, 1)) : glm::cross(n, Float3(1, 0, 0)));
  v = glm::cross(n, u);
}

/// One of six facings, so that the two sides of a thin wall have entries of their own.
int facing(const Float3& n) {
  const Float3 a = glm::abs(n);
  const int axis = a.x > a.y ? (a.x > a.z ? 0 : 2) : (a.y > a.z ? 1 : 2);
  return 2 * axis + (n[axis] < 0 ? 1 : 0);
}

}  // namespace

float Lighting::cell_size(const Float3& position) const {
  // Powers of two times the base, by the distance from the focus.
  const float distance = glm::length(position - tracer_.scene().focus_m);
  const float level = std::floor(std::log2(std::max(1.0f, distance / 4.0f)));
  return options_.cell_m * std::exp2(level);
}

uint64_t Lighting::cell_key(const Float3& position, float cell_m, int dx, int dy, int dz) const {
  const auto index = [&](float x, int step) {
    return static_cast<uint64_t>(static_cast<int64_t>(std::floor(x / cell_m)) + step) & 0xfffff;
  };
  return index(position.x, dx) | index(position.y, dy) << 20 | index(position.z, dz) << 40;
}

Lighting::Lighting(const Tracer& tracer, const std::vector<SurfacePoint>& seeds, const LightOptions& options,
                   uint64_t seed)
    : tracer_(tracer), options_(options), seed_(seed) {
  for (const SurfacePoint& point : seeds) {
    const float cell = cell_size(point.position);
    std::vector<uint32_t>& list = cells_[cell_key(point.position, cell, 0, 0, 0)];
    const int face = facing(point.normal);
    const bool known =
        std::any_of(list.begin(), list.end(), [&](uint32_t i) { return facing(entries_[i].normal) == face; });
    if (known) continue;
    list.push_back(static_cast<uint32_t>(entries_.size()));
    entries_.push_back({point.position, point.normal, Float3(0), cell});
  }
  // Two rounds: the second one sees the light that the first one left on the surfaces.
  for (int round = 0; round < 2; ++round) {
    std::vector<Float3> results(entries_.size());
    const int64_t count = static_cast<int64_t>(entries_.size());
#pragma omp parallel for schedule(dynamic, 64)
    for (int64_t i = 0; i < count; ++i) {
      const Entry& entry = entries_[static_cast<size_t>(i)];
      const uint64_t draw =
          draw_bits(seed_, DrawPurpose::synthetic, 20, static_cast<uint64_t>(round), static_cast<uint64_t>(i));
      results[static_cast<size_t>(i)] = gather(
          entry.position, entry.normal, round == 0 ? options_.irradiance_rays / 3 : options_.irradiance_rays, draw);
    }
    for (size_t i = 0; i < entries_.size(); ++i) entries_[i].irradiance = results[i];
    average_coarsely();
  }
}

Float3 Lighting::gather(const Float3& position, const Float3& normal, int rays, uint64_t draw) const {
  Float3 u, v, sum(0);
  basis(normal, u, v);
  const Float3 origin = position + 1e-3f * normal;
  const float shift = static_cast<float>(mix64(draw) >> 40) / 16777216.0f;
  for (int i = 0; i < rays; ++i) {
    // Cosine-weighted directions on a Fibonacci lattice with a random turn.
    const float radius2 = (static_cast<float>(i) + 0.5f) / static_cast<float>(rays), radius = std::sqrt(radius2);
    const float angle = 2 * pi * (static_cast<float>(i) * 0.61803399f + shift);
    Ray ray;
    ray.origin = origin;
    ray.direction = glm::normalize(u * (radius * std::cos(angle)) + v * (radius * std::sin(angle)) +
                                   normal * std::sqrt(1 - radius2));
    const Hit hit = tracer_.closest(ray);
    sum += hit.primitive < 0 ? sky_radiance(tracer_.scene().sky, ray.direction)
                             : shade_diffuse(ray, hit, draw + static_cast<uint64_t>(i), 0.05f + 0.05f * hit.distance);
  }
  return sum * (pi / static_cast<float>(rays));
}

Float3 Lighting::direct_sun(const Float3& position, const Float3& normal, uint64_t draw, Float3* towards) const {
  const Sky& sky = tracer_.scene().sky;
  Float3 u, v;
  basis(sky.sun_direction, u, v);
  const uint64_t bits = mix64(draw ^ 0x5eed);
  const float radius = sky.sun_radius_rad * std::sqrt(static_cast<float>(bits >> 40) / 16777216.0f);
  const float angle = 2 * pi * static_cast<float>((bits >> 16) & 0xffffff) / 16777216.0f;
  Ray ray;
  ray.direction = glm::normalize(sky.sun_direction + radius * (std::cos(angle) * u + std::sin(angle) * v));
  if (towards) *towards = ray.direction;
  const float cosine = glm::dot(normal, ray.direction);
  if (cosine <= 0) return Float3(0);
  ray.origin = position + 2e-3f * normal;
  if (tracer_.blocked(ray, 1e4f)) return Float3(0);
  return sky.sun_irradiance;
}

void Lighting::average_coarsely() {
  wide_cells_.clear();
  for (const Entry& entry : entries_) {
    const uint64_t key =
        cell_key(entry.position, wide_cells * entry.cell_m, 0, 0, 0) * 8 + static_cast<uint64_t>(facing(entry.normal));
    auto& cell = wide_cells_[key];
    cell.first += entry.irradiance;
    ++cell.second;
  }
}

Float3 Lighting::coarse_irradiance(const SurfacePoint& point) const {
  const uint64_t key = cell_key(point.position, wide_cells * cell_size(point.position), 0, 0, 0) * 8 +
                       static_cast<uint64_t>(facing(point.normal));
  const auto found = wide_cells_.find(key);
  if (found != wide_cells_.end()) return found->second.first / static_cast<float>(found->second.second);
  const Sky& sky = tracer_.scene().sky;  // out of every photo: half of an open sky
  return (0.25f * pi) * (sky.zenith + sky.horizon);
}

Float3 Lighting::irradiance(const SurfacePoint& point, uint64_t draw) const {
  const float cell = cell_size(point.position), reach = 1.6f * cell;
  Float3 sum(0);
  float weights = 0;
  const auto add_cells = [&](float size) {
    for (int dz = -1; dz <= 1; ++dz)
      for (int dy = -1; dy <= 1; ++dy)
        for (int dx = -1; dx <= 1; ++dx) {
          const auto found = cells_.find(cell_key(point.position, size, dx, dy, dz));
          if (found == cells_.end()) continue;
          for (const uint32_t index : found->second) {
            const Entry& entry = entries_[index];
            if (entry.cell_m != size) continue;
            const Float3 offset = entry.position - point.position;
            const float distance = glm::length(offset), agree = glm::dot(entry.normal, point.normal);
            if (distance > reach || agree < 0.3f) continue;
            // Entries off the tangent plane belong to something else.
            const float plane = std::fabs(glm::dot(offset, point.normal)) / cell;
            const float near = 1 - distance / reach;
            const float weight = near * near * agree * agree / (1 + 25 * plane * plane);
            sum += weight * entry.irradiance;
            weights += weight;
          }
        }
  };
  add_cells(cell);
  if (weights > 1e-3f) return sum / weights;
  return gather(point.position, point.normal, 12, draw ^ 0x77);
}

Float3 Lighting::shade_diffuse(const Ray& ray, const Hit& hit, uint64_t draw, float footprint_m) const {
  const SurfacePoint point = tracer_.surface(ray, hit);
  const Material& material = tracer_.scene().materials[point.material];
  const SurfaceColor color = evaluate_material(material, point, std::max(footprint_m, 0.031f));
  Float3 towards;
  const Float3 sun = direct_sun(point.position, point.normal, draw, &towards);
  const Float3 light = sun * std::max(0.0f, glm::dot(point.normal, towards)) + coarse_irradiance(point);
  return material.emission + color.albedo * light / pi;
}

Float3 Lighting::radiance(const Ray& ray, uint64_t draw, float pixel_rad, float* distance_m) const {
  const Hit hit = tracer_.closest(ray);
  const Sky& sky = tracer_.scene().sky;
  if (distance_m) *distance_m = hit.primitive < 0 ? std::numeric_limits<float>::infinity() : hit.distance;
  if (hit.primitive < 0) return sky_radiance(sky, ray.direction);
  const SurfacePoint point = tracer_.surface(ray, hit);
  const Material& material = tracer_.scene().materials[point.material];
  const SurfaceColor color = evaluate_material(material, point, hit.distance * pixel_rad);
  Float3 towards;
  const Float3 sun = direct_sun(point.position, point.normal, draw, &towards);
  const float cosine = std::max(0.0f, glm::dot(color.normal, towards));
  // Relief also tilts what arrives from the sky: a little darker where it leans down.
  const float lean = 1 + 0.5f * (glm::dot(color.normal, Float3(0, 0, 1)) - glm::dot(point.normal, Float3(0, 0, 1)));
  Float3 result = material.emission + color.albedo / pi * (sun * cosine + lean * irradiance(point, draw));
  if (material.pattern == Pattern::leaf) {  // light that shines through
    const float behind = std::max(0.0f, -glm::dot(point.normal, towards));
    if (behind > 0) {
      SurfacePoint other = point;
      other.normal = -point.normal;
      result += color.albedo * Float3(0.5f, 0.6f, 0.25f) / pi * behind * direct_sun(point.position, other.normal, draw);
    }
  }
  if (color.specular > 0) {
    // Microfacet highlight of the sun (GGX distribution, Schlick's Fresnel), widened so that it never sparkles.
    const Float3 half = glm::normalize(towards - ray.direction);
    const float alpha = std::max(0.05f, color.roughness * color.roughness),
                nh = std::max(0.0f, glm::dot(color.normal, half));
    const float d = nh * nh * (alpha * alpha - 1) + 1, distribution = alpha * alpha / (pi * d * d);
    const float fresnel =
        color.specular + (1 - color.specular) * std::pow(1 - std::max(0.0f, -glm::dot(ray.direction, half)), 5.0f);
    const float visibility = 0.25f / std::max(0.1f, mix_value(1, -glm::dot(color.normal, ray.direction), 1 - alpha));
    result += sun * cosine * std::min(3.0f, distribution * fresnel * visibility);
    if (color.roughness < 0.5f) {  // a blurred reflection of the surroundings
      Float3 u, v;
      // Relief turns reflections less than highlights: full strength would sparkle where the view grazes.
      const Float3 normal = glm::normalize(mix_color(point.normal, color.normal, 0.25f));
      const float view = std::max(0.0f, -glm::dot(ray.direction, normal));
      Ray mirror;
      mirror.direction = ray.direction + 2 * view * normal;
      basis(mirror.direction, u, v);
      const uint64_t bits = mix64(draw ^ 0x6c055);
      const float radius = 0.7f * alpha * std::sqrt(static_cast<float>(bits >> 40) / 16777216.0f);
      const float angle = 2 * pi * static_cast<float>((bits >> 16) & 0xffffff) / 16777216.0f;
      mirror.direction = glm::normalize(mirror.direction + radius * (std::cos(angle) * u + std::sin(angle) * v));
      if (glm::dot(mirror.direction, point.normal) > 0.01f) {
        mirror.origin = point.position + 2e-3f * point.normal;
        const float rim = color.specular + (1 - color.specular) * std::pow(1 - view, 5.0f);
        const float strength = rim * (1 - color.roughness);
        const Hit other = tracer_.closest(mirror);
        result += strength * (other.primitive < 0 ? sky_radiance(sky, mirror.direction)
                                                  : shade_diffuse(mirror, other, draw + 1, 0.05f));
      }
    }
  }
  return result;
}

}  // namespace ptl::synthetic
