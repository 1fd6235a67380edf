// The layout of the terrace: a floor between two walls, a parapet with railing at the far side, pergola above, a town
// and hills beyond. x to the right, y away from the cameras, z up; the floor is z = 0.
#include "datasets/synthetic_scene.h"

#include <algorithm>

#include "datasets/synthetic_builder.h"

namespace ptl::synthetic {

namespace {

constexpr float pi = 3.14159265f;
constexpr float half_width_m = 3.3f;  ///< of the terrace
constexpr float near_m = -3.6f, far_m = 3.0f;

struct Palette {
  Float3 wall, wall_stain, accent, cloth, wood_light, wood_dark;
};

Palette choose_palette(int which) {
  switch (which) {
    case 0:
      return {{0.72f, 0.58f, 0.42f}, {0.60f, 0.44f, 0.30f}, {0.05f, 0.20f, 0.34f},
              {0.34f, 0.36f, 0.33f}, {0.46f, 0.29f, 0.16f}, {0.26f, 0.14f, 0.07f}};
    case 1:
      return {{0.70f, 0.66f, 0.60f}, {0.52f, 0.47f, 0.41f}, {0.48f, 0.13f, 0.07f},
              {0.10f, 0.19f, 0.26f}, {0.52f, 0.38f, 0.24f}, {0.30f, 0.19f, 0.11f}};
    case 2:
      return {{0.62f, 0.36f, 0.27f}, {0.50f, 0.25f, 0.18f}, {0.10f, 0.30f, 0.26f},
              {0.55f, 0.47f, 0.36f}, {0.38f, 0.22f, 0.12f}, {0.18f, 0.09f, 0.05f}};
    default:
      return {{0.50f, 0.58f, 0.60f}, {0.38f, 0.45f, 0.47f}, {0.58f, 0.36f, 0.08f},
              {0.42f, 0.16f, 0.12f}, {0.50f, 0.36f, 0.22f}, {0.30f, 0.20f, 0.12f}};
  }
}

Sky make_sky(Builder& b, uint64_t seed) {
  Sky sky;
  sky.seed = seed * 7 + 3;
  // The sun stands behind the cameras or beside them, never in a photo.
  const float azimuth = (b.draw() > 0.5f ? 1.0f : -1.0f) * b.draw(0.35f, 1.0f) - 0.5f * pi;
  const float elevation = b.draw(0.62f, 0.92f);
  sky.sun_direction =
      Float3(std::cos(azimuth) * std::cos(elevation), std::sin(azimuth) * std::cos(elevation), std::sin(elevation));
  const float warmth = b.draw();
  sky.sun_irradiance = mix_color({2.7f, 2.5f, 2.2f}, {2.9f, 2.25f, 1.6f}, warmth);
  sky.zenith = mix_color({0.14f, 0.27f, 0.58f}, {0.20f, 0.30f, 0.50f}, warmth);
  sky.horizon = mix_color({0.52f, 0.64f, 0.78f}, {0.80f, 0.68f, 0.56f}, warmth);
  sky.cloud = mix_color({0.92f, 0.93f, 0.95f}, {0.98f, 0.88f, 0.78f}, warmth);
  sky.cloudiness = b.draw(0.3f, 0.8f);
  sky.sun_radius_rad = 0.012f;
  return sky;
}

void build_shell(Builder& b, const Palette& p) {
  const float w = half_width_m;
  const uint32_t brick = b.material(Pattern::bricks, Float3(0.45f, 0.19f, 0.12f) * b.draw(0.8f, 1.2f),
                                    {0.55f, 0.30f, 0.20f}, {0.56f, 0.52f, 0.46f}, 0.085f, 0.8f, 0.02f);
  const uint32_t stone = b.material(Pattern::stones, {0.46f, 0.42f, 0.36f}, {0.62f, 0.56f, 0.46f},
                                    {0.55f, 0.51f, 0.45f}, 0.19f, 0.8f, 0.02f);
  const uint32_t plaster = b.material(Pattern::plaster, p.wall, p.wall_stain, {0.42f, 0.27f, 0.2f}, 0.1f, 0.85f, 0.02f);
  const int floor_kind = b.draw_below(3);
  const uint32_t floor =
      floor_kind == 0 ? b.material(Pattern::planks, p.wood_light, p.wood_dark, {0.03f, 0.02f, 0.015f}, 0.115f, 0.45f)
      : floor_kind == 1
          ? b.material(Pattern::tiles, {0.62f, 0.56f, 0.47f}, p.accent * 1.3f, {0.30f, 0.28f, 0.25f}, 0.22f, 0.4f)
          : b.material(Pattern::stones, {0.50f, 0.44f, 0.36f}, {0.63f, 0.54f, 0.43f}, {0.33f, 0.30f, 0.26f}, 0.3f,
                       0.6f);
  const bool brick_left = b.draw() > 0.5f;
  const uint32_t left = brick_left ? brick : plaster, right = brick_left ? (b.draw() > 0.5f ? stone : plaster) : brick;
  b.quad({-w, near_m, 0}, {2 * w, 0, 0}, {0, far_m - near_m, 0}, floor);
  b.box({-w - 0.12f, 0.5f * (near_m + far_m), 1.5f}, {0.12f, 0.5f * (far_m - near_m), 1.5f}, left);
  b.box({w + 0.12f, 0.5f * (near_m + far_m), 1.5f}, {0.12f, 0.5f * (far_m - near_m), 1.5f}, right);
  b.box({0, near_m - 0.1f, 1.5f}, {w, 0.1f, 1.5f}, plaster);
  // Low parapet with a stone cap, the railing on it.
  const uint32_t cap =
      b.material(Pattern::concrete, {0.55f, 0.52f, 0.47f}, {0.42f, 0.39f, 0.35f}, {0, 0, 0}, 0.1f, 0.7f, 0.03f);
  b.box({0, far_m + 0.1f, 0.15f}, {w, 0.1f, 0.15f}, b.draw() > 0.5f ? stone : brick);
  b.box({0, far_m + 0.1f, 0.32f}, {w, 0.13f, 0.025f}, cap);
  const uint32_t metal = b.plain({0.07f, 0.075f, 0.08f}, 0.35f, 0.06f);
  const uint32_t rail = b.material(Pattern::wood, p.wood_light, p.wood_dark, {0, 0, 0}, 0.03f, 0.4f);
  b.railing({-w, far_m + 0.1f, 0.34f}, {w, far_m + 0.1f, 0.34f}, 0.66f, metal, rail);
  // Pergola: posts, two main beams, slats; it stripes the floor with shadow.
  const uint32_t beam = b.material(Pattern::wood, p.wood_light * 0.9f, p.wood_dark, {0, 0, 0}, 0.06f, 0.6f, 0.03f);
  for (const float y : {-0.2f, far_m - 0.35f}) b.box({0, y, 2.62f}, {w, 0.05f, 0.08f}, beam);
  for (const float x : {-w + 0.25f, w - 0.25f}) b.box({x, far_m - 0.35f, 1.27f}, {0.055f, 0.055f, 1.27f}, beam);
  const int slats = 12;
  for (int i = 0; i <= slats; ++i)
    b.box({-w + 0.2f + (2 * w - 0.4f) * static_cast<float>(i) / slats, 1.2f, 2.75f}, {0.03f, 1.75f, 0.05f}, beam);
  const uint32_t bulb = b.plain({0.85f, 0.75f, 0.55f}, 0.2f);
  b.material_at(bulb).emission = {1.1f, 0.8f, 0.42f};
  b.lantern_string({-w, far_m - 0.35f, 2.5f}, {w, far_m - 0.35f, 2.5f}, 0.32f, 11, metal, bulb);
  b.lantern_string({-w, 0.1f, 2.55f}, {w, far_m - 0.6f, 2.5f}, 0.3f, 12, metal, bulb);
}

void build_furniture(Builder& b, const Palette& p, const Float3& focus) {
  const float w = half_width_m;
  const uint32_t dark = b.plain({0.05f, 0.05f, 0.055f}, 0.35f, 0.06f);
  const uint32_t wood = b.material(Pattern::wood, p.wood_light * 1.15f, p.wood_dark, {0, 0, 0}, 0.07f, 0.32f);
  const uint32_t cloth = b.material(Pattern::fabric, p.cloth, p.cloth * 0.55f, {0, 0, 0}, 0.02f, 0.95f, 0.015f);
  const uint32_t seat =
      b.material(Pattern::woven, {0.62f, 0.48f, 0.30f}, {0.36f, 0.25f, 0.13f}, {0, 0, 0}, 0.026f, 0.7f, 0.02f);
  const uint32_t clay =
      b.material(Pattern::concrete, {0.55f, 0.25f, 0.14f}, {0.44f, 0.19f, 0.10f}, {0, 0, 0}, 0.1f, 0.8f, 0.02f);
  const uint32_t stem =
      b.material(Pattern::bark, {0.16f, 0.12f, 0.07f}, {0.30f, 0.22f, 0.13f}, {0, 0, 0}, 0.02f, 0.8f, 0.02f);
  const auto glaze = [&] {
    return b.material(Pattern::glazed, Float3(b.draw(0.05f, 0.6f), b.draw(0.1f, 0.45f), b.draw(0.1f, 0.6f)),
                      {0.72f, 0.68f, 0.58f}, p.accent, b.draw(0.03f, 0.06f), 0.2f);
  };
  const auto green = [&] {
    const float yellow = b.draw();
    return b.material(Pattern::leaf, mix_color({0.05f, 0.14f, 0.04f}, {0.13f, 0.2f, 0.03f}, yellow),
                      mix_color({0.11f, 0.26f, 0.07f}, {0.28f, 0.36f, 0.08f}, yellow), {0.34f, 0.42f, 0.2f}, 0.05f,
                      0.45f, 0.03f);
  };

  // Rug, table in the middle, and what stands on it.
  const uint32_t rug = b.material(Pattern::rug, p.accent, {0.66f, 0.55f, 0.40f}, {0.50f, 0.14f, 0.08f},
                                  b.draw(0.2f, 0.34f), 0.95f, 0.01f);
  b.box({focus.x, focus.y, 0.006f}, {1.45f, 1.0f, 0.006f}, rug);
  const bool round = b.draw() > 0.5f;
  const float height = b.draw(0.44f, 0.6f);
  const bool marble = round && b.draw() > 0.5f;
  const uint32_t top =
      marble ? b.material(Pattern::marble, {0.74f, 0.72f, 0.69f}, {0.32f, 0.31f, 0.32f}, {0, 0, 0}, 0.1f, 0.2f) : wood;
  const Float3 table(focus.x, focus.y, 0.012f);
  b.table(table, round, height, round ? 0.58f : 0.46f, top, dark);
  const Float3 on(table.x, table.y, table.z + height);
  const float turn = b.draw(0, 2 * pi);
  const auto around = [&](float angle, float radius) {
    return on + Float3(radius * std::cos(turn + angle), radius * 0.8f * std::sin(turn + angle), 0);
  };
  b.vase(around(0, 0.05f), b.draw(0.26f, 0.34f), glaze());
  const uint32_t flower_leaf = green();
  const uint32_t petal = b.material(Pattern::leaf, {b.draw(0.6f, 0.85f), b.draw(0.1f, 0.6f), b.draw(0.05f, 0.3f)},
                                    {0.85f, 0.6f, 0.3f}, {0.8f, 0.7f, 0.3f}, 0.05f, 0.7f, 0.02f);
  for (int i = 0; i < 9; ++i) {  // stems with blossoms in the vase
    const float angle = 2.4f * static_cast<float>(i);
    const Float3 foot = around(0, 0.05f) + Float3(0, 0, 0.22f);
    const Float3 tip = foot + Float3(0.17f * std::cos(angle), 0.17f * std::sin(angle), b.draw(0.2f, 0.34f));
    b.capsule(foot, tip, 0.0035f, stem);
    for (int k = 0; k < 6; ++k) {
      const float a = pi * static_cast<float>(k) / 3;
      b.leaf(tip, {std::cos(a), std::sin(a), 0.7f}, 0.05f, 0.032f, 0.5f, petal, 3);
    }
    b.leaf(mix_color(foot, tip, 0.6f), {std::cos(angle + 1), std::sin(angle + 1), 0.5f}, 0.11f, 0.035f, 0.4f,
           flower_leaf, 4);
  }
  b.bowl_of_fruit(around(2.0f, 0.3f), glaze(), b.plain({0.68f, 0.33f, 0.04f}, 0.35f),
                  b.plain({0.55f, 0.08f, 0.04f}, 0.25f));
  b.book_pile(around(4.1f, 0.32f), b.draw(0, 3), 3);
  const uint32_t cup = glaze();
  b.lathe(around(5.2f, 0.36f),
          {{0.03f, 0.0f}, {0.04f, 0.01f}, {0.042f, 0.085f}, {0.037f, 0.085f}, {0.035f, 0.012f}, {0.0f, 0.012f}}, cup,
          24);
  b.lathe(around(3.1f, 0.4f), {{0.024f, 0.0f}, {0.024f, 0.11f}, {0.0f, 0.115f}}, b.plain({0.78f, 0.72f, 0.6f}, 0.5f),
          20);

  // Seats around it: a sofa on one side, an armchair on the other, two chairs.
  const float side = b.draw() > 0.5f ? 1.0f : -1.0f;
  b.armchair({focus.x + side * 1.62f, focus.y + 0.25f, 0}, side * (0.5f * pi - 0.1f), cloth, dark, 0.82f);
  const uint32_t cloth2 =
      b.material(Pattern::fabric, p.accent * 1.2f + 0.05f, p.accent * 0.7f + 0.03f, {0, 0, 0}, 0.018f, 0.95f, 0.015f);
  b.armchair({focus.x - side * 1.5f, focus.y + 0.85f, 0}, -side * (0.5f * pi + 0.45f), cloth2, dark, 0.42f);
  b.chair({focus.x + 0.35f, focus.y + 1.25f, 0}, pi + b.draw(-0.3f, 0.3f), wood, seat);
  b.chair({focus.x - side * 1.25f, focus.y - 0.55f, 0}, -side * b.draw(0.9f, 1.3f), wood, seat);

  // Along the walls: shelf, posters, a bench with pots, a lamp; plants where there is room.
  b.shelf({side * (w - 0.16f), 1.15f, 0}, side * 0.5f * pi, 0.75f, 1.95f, wood);
  for (int i = 0; i < 2; ++i) {
    const uint32_t print =
        b.material(Pattern::poster, {0.8f, 0.74f, 0.62f}, p.accent * 1.5f + 0.2f, p.cloth, 0.1f, 0.5f, 0.03f);
    const float y = -0.6f + 1.25f * static_cast<float>(i), half = b.draw(0.34f, 0.42f), z = 1.35f + b.draw(0.0f, 0.25f);
    const float x = -side * (w - 0.012f);
    b.box({x, y, z}, {0.012f, half + 0.03f, half * 1.25f + 0.03f}, dark);
    b.quad({x + side * 0.014f, y - side * half, z - half * 1.25f}, {0, side * 2 * half, 0}, {0, 0, 2.5f * half}, print);
  }
  b.box({-side * (w - 0.25f), 0.05f, 0.42f}, {0.2f, 0.85f, 0.02f}, wood);
  for (const float y : {-0.7f, 0.8f}) b.box({-side * (w - 0.25f), y, 0.2f}, {0.18f, 0.02f, 0.2f}, wood);
  for (int i = 0; i < 3; ++i)
    b.vase({-side * (w - 0.25f), -0.55f + 0.42f * static_cast<float>(i), 0.44f}, b.draw(0.18f, 0.36f), glaze());
  b.book_pile({-side * (w - 0.25f), 0.7f, 0.44f}, 0.3f, 4);
  const uint32_t shade =
      b.material(Pattern::fabric, {0.75f, 0.68f, 0.55f}, {0.66f, 0.57f, 0.43f}, {0, 0, 0}, 0.02f, 0.9f, 0.02f);
  b.floor_lamp({side * (w - 0.55f), far_m - 0.75f, 0}, 1.65f, dark, shade);
  const auto pot = [&] { return b.draw() > 0.4f ? clay : glaze(); };
  b.plant({-side * (w - 0.5f), far_m - 0.6f, 0}, b.draw(1.5f, 1.9f), 2, pot(), green(), stem);
  b.plant({-side * (w - 1.25f), far_m - 0.45f, 0}, b.draw(0.9f, 1.15f), 1, pot(), green(), stem);
  b.plant({side * (w - 1.35f), far_m - 0.5f, 0}, b.draw(1.0f, 1.3f), 0, pot(), green(), stem);
  b.plant({focus.x - 0.5f, far_m - 0.4f, 0}, b.draw(0.7f, 0.9f), b.draw_below(2), pot(), green(), stem);
  b.plant({side * (w - 0.45f), -0.15f, 0}, b.draw(0.9f, 1.2f), 0, pot(), green(), stem);
}

void build_surroundings(Builder& b) {
  const float ground = -7.0f;
  const uint32_t meadow = b.material(Pattern::meadow, {0.12f, 0.17f, 0.06f}, {0.24f, 0.25f, 0.10f},
                                     {0.06f, 0.10f, 0.04f}, 1.0f, 1.0f, 0.0f);
  const uint32_t bark = b.plain({0.12f, 0.09f, 0.06f}, 0.9f, 0.0f);
  uint32_t walls[4], roofs[3];
  for (uint32_t& wall : walls) {
    const Float3 c = mix_color({0.70f, 0.62f, 0.48f}, {0.66f, 0.48f, 0.36f}, b.draw()) * b.draw(0.7f, 1.1f);
    wall = b.material(Pattern::facade, c, c * 0.8f, {0.6f, 0.58f, 0.54f}, 3.0f, 0.9f, 0.0f);
  }
  for (uint32_t& roof : roofs)
    roof = b.material(Pattern::roof, Float3(0.46f, 0.19f, 0.11f) * b.draw(0.8f, 1.2f), {0.36f, 0.17f, 0.11f}, {0, 0, 0},
                      0.4f, 0.9f, 0.0f);
  // Hills: a height field that starts under the town. Rows lie closer where it is nearer.
  const uint64_t seed = static_cast<uint64_t>(b.draw_below(1 << 20));
  const auto height_at = [&](float x, float y) {
    const float away = smooth_step(50.0f, 190.0f, y);
    return ground + away * 44.0f * fractal_noise({x, y, 0}, 110.0f, 4, 1.0f, seed) +
           1.5f * fractal_noise({x, y, 5}, 30.0f, 2, 1.0f, seed);
  };
  const int columns = 40, rows = 28;
  for (int r = 0; r < rows; ++r)
    for (int c = 0; c < columns; ++c) {
      const auto at = [&](int i, int j) {
        const float t = static_cast<float>(j) / rows, y = 4.0f + 246.0f * t * t;
        const float x = (static_cast<float>(i) / columns - 0.5f) * (60.0f + 2.6f * y);
        return Float3(x, y, height_at(x, y));
      };
      b.triangle(at(c, r), at(c + 1, r), at(c + 1, r + 1), meadow);
      b.triangle(at(c, r), at(c + 1, r + 1), at(c, r + 1), meadow);
    }
  for (int i = 0; i < 46; ++i) {
    const float y = 14.0f + 75.0f * b.draw() * b.draw() + 0.4f * static_cast<float>(i),
                x = b.draw(-0.5f, 0.5f) * (18.0f + 1.9f * y);
    const Float3 half(b.draw(3.0f, 5.5f), b.draw(2.6f, 4.0f), b.draw(1.8f, 3.4f) + 0.6f);
    b.house({x, y, height_at(x, y) - 1.0f}, half, b.draw(-0.7f, 0.7f), b.draw(1.4f, 2.6f), walls[b.draw_below(4)],
            roofs[b.draw_below(3)]);
  }
  for (int i = 0; i < 55; ++i) {
    const Float3 tone(b.draw(0.06f, 0.13f), b.draw(0.12f, 0.2f), b.draw(0.03f, 0.07f));
    const uint32_t crown = b.material(Pattern::meadow, tone * 0.7f, tone * 2.0f, tone * 1.2f, 0.05f, 1.0f, 0.0f);
    const float y = 12.0f + 110.0f * b.draw() * b.draw(), x = b.draw(-0.5f, 0.5f) * (18.0f + 2.0f * y);
    b.tree({x, y, height_at(x, y) - 0.3f}, b.draw(4.0f, 7.5f), crown, bark);
  }
  // The outer side of the house that carries the terrace, so that nothing hangs in the air.
  b.box({0, 0.5f * (near_m + far_m), 0.5f * ground - 0.06f},
        {half_width_m + 0.24f, 0.5f * (far_m - near_m) + 0.2f, -0.5f * ground - 0.06f}, walls[0]);
}

}  // namespace

SyntheticScene make_terrace(uint64_t seed) {
  SyntheticScene scene;
  Builder b(scene, seed);
  const Palette palette = choose_palette(b.draw_below(4));
  scene.sky = make_sky(b, seed);
  scene.focus_m = Float3(b.draw(-0.15f, 0.15f), b.draw(0.45f, 0.65f), 0.7f);
  build_shell(b, palette);
  build_furniture(b, palette, scene.focus_m);
  build_surroundings(b);
  return scene;
}

}  // namespace ptl::synthetic
