// Puts shapes and furniture into a synthetic scene. All draws come from the scene's seed and a running number.
#pragma once

#include <utility>
#include <vector>

#include "datasets/synthetic_scene.h"

namespace ptl::synthetic {

class Builder {
 public:
  Builder(SyntheticScene& scene, uint64_t seed) : scene_(scene), seed_(seed) {}

  float draw() { return draw_unit(seed_, DrawPurpose::synthetic, 1, counter_++); }
  float draw(float low, float high) { return low + (high - low) * draw(); }
  int draw_below(int n) {
    return static_cast<int>(draw_bits(seed_, DrawPurpose::synthetic, 2, counter_++) % static_cast<uint64_t>(n));
  }

  uint32_t material(Pattern pattern, Float3 a, Float3 b, Float3 c, float scale_m, float roughness = 0.6f,
                    float specular = 0.04f);
  uint32_t plain(Float3 color, float roughness = 0.5f, float specular = 0.04f) {
    return material(Pattern::plain, color, color, color, 0.1f, roughness, specular);
  }
  Material& material_at(uint32_t index) { return scene_.materials[index]; }

  // Shapes. Lengths in metres; `yaw` about z in radians.
  void triangle(const Float3& a, const Float3& b, const Float3& c, uint32_t m);
  /// Corner, two edges; texture coordinates run along the edges in metres, or 0..1 when `unit_uv`.
  void quad(const Float3& corner, const Float3& u, const Float3& v, uint32_t m);
  void box(const Float3& centre, const Float3& half, uint32_t m, float yaw = 0);
  void sphere(const Float3& centre, float radius, uint32_t m);
  void capsule(const Float3& a, const Float3& b, float radius, uint32_t m);
  /// Surface of revolution about z: (radius, height) pairs from the bottom.
  void lathe(const Float3& base, const std::vector<std::pair<float, float>>& profile, uint32_t m, int segments = 28);
  /// Rounded box: superellipsoid with half sizes; exponent 2 is an ellipsoid, 6 nearly a box.
  void cushion(const Float3& centre, const Float3& half, uint32_t m, float yaw = 0, float exponent = 4,
               int segments = 28);
  /// A leaf that starts at `base`, grows along `direction` and hangs down by `bend`.
  void leaf(const Float3& base, const Float3& direction, float length, float width, float bend, uint32_t m,
            int segments = 4);

  // Things (synthetic_objects.cpp).
  void chair(const Float3& base, float yaw, uint32_t frame, uint32_t seat);
  void armchair(const Float3& base, float yaw, uint32_t cloth, uint32_t legs, float half_width);
  void table(const Float3& base, bool round, float height, float size, uint32_t top, uint32_t legs);
  void vase(const Float3& base, float height, uint32_t m);
  void bowl_of_fruit(const Float3& base, uint32_t bowl, uint32_t fruit_a, uint32_t fruit_b);
  void plant(const Float3& base, float height, int kind, uint32_t pot, uint32_t leaf_material, uint32_t stem);
  void shelf(const Float3& base, float yaw, float width, float height, uint32_t board);
  void book_pile(const Float3& base, float yaw, int count);
  void railing(const Float3& from, const Float3& to, float height, uint32_t metal, uint32_t rail);
  void lantern_string(const Float3& from, const Float3& to, float sag, int count, uint32_t wire, uint32_t bulb);
  void floor_lamp(const Float3& base, float height, uint32_t metal, uint32_t shade);
  void house(const Float3& base, const Float3& half, float yaw, float roof_height, uint32_t wall, uint32_t roof);
  void tree(const Float3& base, float height, uint32_t crown, uint32_t trunk);
  uint32_t book_material();

 private:
  SyntheticScene& scene_;
  uint64_t seed_;
  uint64_t counter_ = 0;
};

}  // namespace ptl::synthetic
