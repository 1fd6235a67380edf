// A synthetic scene: primitives and materials made from a seed. World frame: metres, z up.
#pragma once

#include <cstdint>
#include <vector>

#include "datasets/synthetic_noise.h"

namespace ptl::synthetic {

enum class Pattern : uint8_t {
  plain,
  planks,
  wood,
  bricks,
  stones,
  tiles,
  rug,
  fabric,
  plaster,
  leaf,
  bark,
  glazed,
  poster,
  book,
  concrete,
  facade,
  roof,
  meadow,
  woven,
  marble
};

struct Material {
  Pattern pattern = Pattern::plain;
  Float3 color_a{0.5f}, color_b{0.4f}, color_c{0.3f};  ///< linear reflectances
  float scale_m = 0.1f;                                ///< size of the pattern's unit
  float roughness = 0.6f;                              ///< of the highlight, 0..1
  float specular = 0.04f;                              ///< reflectance at normal incidence
  Float3 emission{0};                                  ///< linear radiance
  uint64_t seed = 0;
};

enum class Shape : uint8_t { triangle, sphere, capsule, box };

/// Triangle: a, b, c are corners. Sphere: a is the centre. Capsule: a and b are the ends of its axis. Box: a is the
/// centre, b the half sizes, `c` holds the yaw angle (x component) about z.
struct Primitive {
  Shape shape = Shape::triangle;
  uint32_t material = 0;
  Float3 a{0}, b{0}, c{0};
  float radius = 0;
  Float3 normal[3] = {};  ///< triangles: at the corners
  Float2 uv[3] = {};      ///< triangles: texture coordinates in metres
};

struct Sky {
  Float3 sun_direction{0, 0, 1};  ///< towards the sun
  Float3 sun_irradiance{3};       ///< on a surface that faces it
  float sun_radius_rad = 0.01f;
  Float3 zenith{0.3f}, horizon{0.8f}, cloud{1};
  float cloudiness = 0.5f;
  uint64_t seed = 0;
};

struct SyntheticScene {
  std::vector<Material> materials;
  std::vector<Primitive> primitives;
  Sky sky;
  Float3 focus_m{0};  ///< what the cameras look at
};

/// Radiance of the sky (without the sun's disc) in a unit direction.
Float3 sky_radiance(const Sky& sky, const Float3& direction);

/// A roof terrace with furniture, plants, walls, a pergola, railing, town and hills; another one for each seed.
SyntheticScene make_terrace(uint64_t seed);

/// Reflectance and shading normal of a surface point.
struct SurfacePoint {
  Float3 position{0}, normal{0};  ///< the geometric side that was hit
  Float3 tangent_u{0}, tangent_v{0};
  Float2 uv{0};  ///< metres
  uint32_t material = 0;
};
struct SurfaceColor {
  Float3 albedo{0.5f};
  Float3 normal{0, 0, 1};
  float roughness = 0.6f;
  float specular = 0.04f;
};

/// Evaluates the material's procedural texture; details below `footprint_m` (the size of a pixel there) are averaged.
SurfaceColor evaluate_material(const Material& material, const SurfacePoint& point, float footprint_m);

}  // namespace ptl::synthetic
