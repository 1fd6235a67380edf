// The furniture, plants and houses of Builder.
#include <algorithm>

#include "datasets/synthetic_builder.h"

namespace ptl::synthetic {

namespace {

constexpr float pi = 3.14159265f;

struct Turn {
  Float3 base;
  float c, s;
  Turn(const Float3& origin, float yaw) : base(origin), c(std::cos(yaw)), s(std::sin(yaw)) {}
  Float3 operator()(float x, float y, float z) const { return base + Float3(c * x - s * y, s * x + c * y, z); }
};

}  // namespace

void Builder::chair(const Float3& base, float yaw, uint32_t frame, uint32_t seat) {
  const Turn at(base, yaw);
  const float w = 0.21f, h = 0.45f, r = 0.014f;
  for (const float x : {-w, w}) {
    capsule(at(x * 1.1f, 0.24f, 0), at(x, 0.2f, h), r, frame);
    capsule(at(x * 1.1f, -0.26f, 0), at(x, -0.2f, h), r, frame);
    capsule(at(x, -0.2f, h), at(x * 0.95f, -0.3f, 0.9f), r, frame);
    capsule(at(x, 0.22f, 0.2f), at(x, -0.23f, 0.2f), r * 0.7f, frame);
  }
  for (int i = 0; i < 5; ++i) {
    const float x = w * 0.8f * (static_cast<float>(i) - 2) / 2;
    capsule(at(x, -0.2f, h), at(x, -0.29f, 0.88f), r * 0.55f, frame);
  }
  capsule(at(-w * 0.97f, -0.3f, 0.9f), at(w * 0.97f, -0.3f, 0.9f), r * 1.5f, frame);
  cushion(at(0, 0, h + 0.02f), {0.235f, 0.235f, 0.03f}, seat, yaw, 5);
}

void Builder::armchair(const Float3& base, float yaw, uint32_t cloth, uint32_t legs, float half_width) {
  const Turn at(base, yaw);
  const float w = half_width;
  for (const float x : {-w, w})
    for (const float y : {-0.32f, 0.32f}) capsule(at(x * 0.9f, y, 0), at(x * 0.85f, y * 0.9f, 0.17f), 0.018f, legs);
  cushion(at(0, 0, 0.24f), {w, 0.4f, 0.1f}, cloth, yaw, 8, 36);
  const int seats = std::max(1, static_cast<int>(w / 0.33f));
  const float seat = (w - 0.12f) / static_cast<float>(seats);
  for (int i = 0; i < seats; ++i) {
    const float x = (2 * static_cast<float>(i) + 1 - static_cast<float>(seats)) * seat;
    cushion(at(x, 0.06f, 0.4f), {seat * 0.97f, 0.33f, 0.09f}, cloth, yaw, 5, 32);
    cushion(at(x, -0.27f, 0.64f), {seat * 0.95f, 0.12f, 0.24f}, cloth, yaw, 4, 32);
  }
  for (const float x : {-w, w}) cushion(at(x, 0.02f, 0.42f), {0.09f, 0.38f, 0.18f}, cloth, yaw, 6, 32);
  const uint32_t pillow =
      material(draw() > 0.5f ? Pattern::rug : Pattern::fabric, {draw(0.4f, 0.8f), draw(0.1f, 0.6f), draw(0.05f, 0.4f)},
               {draw(0.5f, 0.8f), draw(0.5f, 0.8f), draw(0.4f, 0.7f)},
               {draw(0.0f, 0.3f), draw(0.1f, 0.4f), draw(0.2f, 0.5f)}, 0.07f, 0.9f, 0.02f);
  if (draw() > 0.1f)
    cushion(at(w * draw(-0.5f, 0.5f), -0.08f, 0.66f), {0.19f, 0.09f, 0.17f}, pillow, yaw + draw(-0.4f, 0.4f), 3);
}

void Builder::table(const Float3& base, bool round, float height, float size, uint32_t top, uint32_t legs) {
  if (round) {
    lathe(base,
          {{0.0f, height - 0.035f},
           {size - 0.01f, height - 0.035f},
           {size, height - 0.025f},
           {size, height - 0.008f},
           {size - 0.008f, height},
           {0.0f, height}},
          top, 64);
    for (int i = 0; i < 3; ++i) {
      const float angle = 2 * pi * (static_cast<float>(i) + 0.2f) / 3;
      const Float3 out(std::cos(angle), std::sin(angle), 0);
      capsule(base + out * (size * 0.85f), base + out * (size * 0.3f) + Float3(0, 0, height - 0.04f), 0.016f, legs);
    }
  } else {
    box(base + Float3(0, 0, height - 0.02f), {size * 1.4f, size * 0.75f, 0.02f}, top);
    for (const float x : {-1.3f, 1.3f})
      for (const float y : {-0.65f, 0.65f})
        box(base + Float3(x * size, y * size, 0.5f * height - 0.02f), {0.025f, 0.025f, 0.5f * height - 0.02f}, legs);
    box(base + Float3(0, 0, height * 0.35f), {size * 1.25f, size * 0.6f, 0.012f}, top);
  }
}

void Builder::vase(const Float3& base, float height, uint32_t m) {
  const float belly = draw(0.22f, 0.36f) * height, neck = draw(0.07f, 0.13f) * height, where = draw(0.3f, 0.55f);
  std::vector<std::pair<float, float>> profile;
  for (int i = 0; i <= 20; ++i) {
    const float t = static_cast<float>(i) / 20;
    const float swell = std::exp(-8 * (t - where) * (t - where));
    profile.emplace_back(neck + (belly - neck) * swell + 0.05f * height * smooth_step(0.85f, 1.0f, t), t * height);
  }
  profile.emplace_back(neck * 0.8f, 0.97f * height);
  profile.emplace_back(neck * 0.8f, 0.7f * height);
  lathe(base, profile, m, 36);
}

void Builder::bowl_of_fruit(const Float3& base, uint32_t bowl, uint32_t fruit_a, uint32_t fruit_b) {
  std::vector<std::pair<float, float>> profile;
  for (int i = 0; i <= 10; ++i) {
    const float t = static_cast<float>(i) / 10;
    profile.emplace_back(0.05f + 0.1f * std::sqrt(t), 0.085f * t);
  }
  for (int i = 10; i >= 0; --i) {
    const float t = static_cast<float>(i) / 10;
    profile.emplace_back(std::max(0.0f, 0.04f + 0.1f * std::sqrt(t) - (i == 0 ? 0.04f : 0.0f)), 0.01f + 0.073f * t);
  }
  lathe(base, profile, bowl, 40);
  for (int i = 0; i < 6; ++i) {
    const float angle = 2 * pi * static_cast<float>(i) / 5;
    const float out = i == 5 ? 0.0f : 0.072f;
    sphere(base + Float3(out * std::cos(angle), out * std::sin(angle), i == 5 ? 0.125f : 0.072f), draw(0.034f, 0.042f),
           draw() > 0.5f ? fruit_a : fruit_b);
  }
}

void Builder::plant(const Float3& base, float height, int kind, uint32_t pot, uint32_t leaf_material, uint32_t stem) {
  const float r = 0.10f + 0.09f * height, tall = 0.24f + 0.14f * height;
  const uint32_t soil =
      material(Pattern::bark, {0.05f, 0.035f, 0.025f}, {0.12f, 0.09f, 0.06f}, {0, 0, 0}, 0.03f, 0.9f, 0.02f);
  lathe(base,
        {{r * 0.7f, 0.0f},
         {r * 0.75f, 0.02f},
         {r * 0.97f, tall * 0.8f},
         {r * 1.06f, tall * 0.82f},
         {r * 1.08f, tall},
         {r * 0.96f, tall},
         {r * 0.93f, tall * 0.9f}},
        pot, 40);
  lathe(base, {{r * 0.94f, tall * 0.9f}, {r * 0.5f, tall * 0.93f}, {0.0f, tall * 0.94f}}, soil, 24);
  const Float3 top = base + Float3(0, 0, tall * 0.92f);
  const float grow = height - tall;
  if (kind == 0) {  // broad leaves on stalks
    const int count = 13 + draw_below(6);
    for (int i = 0; i < count; ++i) {
      const float angle = 2.4f * static_cast<float>(i) + draw(-0.3f, 0.3f), lift = draw(0.45f, 1.0f);
      const Float3 out(std::cos(angle), std::sin(angle), 0);
      const Float3 end = top + out * (grow * draw(0.2f, 0.42f)) + Float3(0, 0, grow * lift * 0.85f);
      const Float3 knee = top + out * (grow * 0.1f) + Float3(0, 0, grow * lift * 0.5f);
      capsule(top + out * (0.3f * r), knee, 0.006f, stem);
      capsule(knee, end, 0.005f, stem);
      leaf(end, out + Float3(0, 0, draw(-0.1f, 0.5f)), draw(0.2f, 0.34f), draw(0.11f, 0.18f), draw(0.2f, 0.6f),
           leaf_material, 6);
    }
  } else if (kind == 1) {  // blades
    const int count = 42;
    for (int i = 0; i < count; ++i) {
      const float angle = 2.4f * static_cast<float>(i), lean = 0.12f + 0.85f * draw() * draw();
      const Float3 out(std::cos(angle) * lean, std::sin(angle) * lean, 1);
      leaf(top + Float3(std::cos(angle), std::sin(angle), 0) * (0.5f * r), out, grow * draw(0.6f, 1.05f),
           draw(0.018f, 0.034f), 0.5f * lean, leaf_material, 6);
    }
  } else {  // a small tree: trunk, branches, many small leaves
    const Float3 fork = top + Float3(draw(-0.04f, 0.04f), draw(-0.04f, 0.04f), grow * 0.45f);
    capsule(top, fork, 0.02f, stem);
    for (int i = 0; i < 9; ++i) {
      const float angle = 2.4f * static_cast<float>(i), rise = draw(0.2f, 0.55f);
      const Float3 out(std::cos(angle), std::sin(angle), 0);
      const Float3 end = fork + out * (grow * draw(0.14f, 0.3f)) + Float3(0, 0, grow * rise);
      capsule(fork, end, 0.007f, stem);
      for (int k = 0; k < 20; ++k) {
        const Float3 from = mix_color(fork, end, 0.35f + 0.65f * draw());
        const float turn = draw(0, 2 * pi);
        leaf(from, Float3(std::cos(turn), std::sin(turn), draw(-0.4f, 0.8f)), draw(0.07f, 0.12f), draw(0.03f, 0.045f),
             0.3f, leaf_material, 2);
      }
    }
  }
}

uint32_t Builder::book_material() {
  static const Float3 covers[] = {{0.42f, 0.07f, 0.05f}, {0.06f, 0.14f, 0.30f}, {0.08f, 0.24f, 0.14f},
                                  {0.62f, 0.42f, 0.10f}, {0.60f, 0.55f, 0.45f}, {0.12f, 0.10f, 0.10f},
                                  {0.45f, 0.20f, 0.28f}, {0.15f, 0.38f, 0.42f}};
  return material(Pattern::book, covers[draw_below(8)] * draw(0.8f, 1.3f),
                  draw() > 0.5f ? Float3(0.75f, 0.65f, 0.35f) : Float3(0.8f, 0.78f, 0.72f), Float3(0), 0.1f, 0.5f);
}

void Builder::book_pile(const Float3& base, float yaw, int count) {
  float z = 0;
  for (int i = 0; i < count; ++i) {
    const float half = draw(0.01f, 0.022f);
    box(base + Float3(draw(-0.01f, 0.01f), draw(-0.01f, 0.01f), z + half),
        {draw(0.09f, 0.13f), draw(0.07f, 0.09f), half}, book_material(), yaw + draw(-0.35f, 0.35f));
    z += 2 * half;
  }
}

void Builder::shelf(const Float3& base, float yaw, float width, float height, uint32_t board) {
  const Turn at(base, yaw);
  const float depth = 0.15f;
  const int boards = 5;
  for (const float x : {-width, width}) box(at(x, 0, 0.5f * height), {0.015f, depth, 0.5f * height}, board, yaw);
  for (int level = 0; level < boards; ++level) {
    const float z = 0.08f + (height - 0.1f) * static_cast<float>(level) / (boards - 1);
    box(at(0, 0, z), {width - 0.015f, depth, 0.012f}, board, yaw);
    if (level == boards - 1) break;
    float x = -width + 0.05f;
    while (x < width - 0.08f) {
      if (draw() > 0.3f) {  // a run of books
        const int count = 4 + draw_below(6);
        for (int i = 0; i < count && x < width - 0.06f; ++i) {
          const float half = draw(0.011f, 0.024f), tall = draw(0.09f, 0.135f);
          box(at(x + half, 0.02f, z + 0.012f + tall), {half * 0.94f, draw(0.085f, 0.115f), tall}, book_material(), yaw);
          x += 2 * half;
        }
      } else {
        const uint32_t clay = material(Pattern::glazed, {draw(0.1f, 0.7f), draw(0.15f, 0.5f), draw(0.1f, 0.6f)},
                                       {0.7f, 0.65f, 0.55f}, {draw(0.05f, 0.3f), 0.15f, 0.3f}, 0.05f, 0.22f);
        vase(at(x + 0.09f, 0.02f, z + 0.012f), draw(0.15f, 0.26f), clay);
        x += 0.19f;
      }
      x += draw(0.01f, 0.07f);
    }
  }
}

void Builder::railing(const Float3& from, const Float3& to, float height, uint32_t metal, uint32_t rail) {
  const float length = glm::length(to - from);
  const int bars = static_cast<int>(length / 0.13f);
  const Float3 up(0, 0, height);
  for (int i = 0; i <= bars; ++i) {
    const Float3 foot = mix_color(from, to, static_cast<float>(i) / static_cast<float>(bars));
    capsule(foot, foot + up, i % 8 == 0 ? 0.02f : 0.0085f, metal);
  }
  capsule(from + up, to + up, 0.028f, rail);
  capsule(from + up * 0.12f, to + up * 0.12f, 0.012f, metal);
}

void Builder::lantern_string(const Float3& from, const Float3& to, float sag, int count, uint32_t wire, uint32_t bulb) {
  const auto at = [&](float t) { return mix_color(from, to, t) - Float3(0, 0, 4 * sag * t * (1 - t)); };
  const int steps = 24;
  for (int i = 0; i < steps; ++i)
    capsule(at(static_cast<float>(i) / steps), at(static_cast<float>(i + 1) / steps), 0.006f, wire);
  for (int i = 1; i < count; ++i) {
    const Float3 p = at(static_cast<float>(i) / static_cast<float>(count));
    capsule(p, p - Float3(0, 0, 0.05f), 0.013f, wire);
    sphere(p - Float3(0, 0, 0.1f), 0.042f, bulb);
  }
}

void Builder::floor_lamp(const Float3& base, float height, uint32_t metal, uint32_t shade) {
  lathe(base, {{0.15f, 0.0f}, {0.15f, 0.015f}, {0.02f, 0.03f}}, metal, 32);
  capsule(base + Float3(0, 0, 0.02f), base + Float3(0, 0, height - 0.1f), 0.011f, metal);
  lathe(base + Float3(0, 0, height - 0.3f), {{0.21f, 0.0f}, {0.14f, 0.28f}}, shade, 40);
}

void Builder::house(const Float3& base, const Float3& half, float yaw, float roof_height, uint32_t wall,
                    uint32_t roof) {
  box(base + Float3(0, 0, half.z), half, wall, yaw);
  const Turn at(base, yaw);
  const float x = half.x * 1.06f, y = half.y * 1.12f, z = 2 * half.z;
  for (const float side : {-1.0f, 1.0f}) {
    const Float3 corner = at(-x, side * y, z - 0.1f), ridge = at(-x, 0, z + roof_height);
    quad(corner, at(x, side * y, z - 0.1f) - corner, ridge - corner, roof);
    triangle(at(side * half.x, -half.y, z), at(side * half.x, half.y, z), at(side * half.x, 0, z + roof_height * 0.95f),
             wall);
  }
}

void Builder::tree(const Float3& base, float height, uint32_t crown, uint32_t trunk) {
  capsule(base, base + Float3(0, 0, height * 0.5f), 0.04f * height, trunk);
  const int lumps = 13;
  for (int i = 0; i < lumps; ++i) {
    const float angle = 2.4f * static_cast<float>(i), t = static_cast<float>(i) / (lumps - 1);
    const float out = 0.24f * height * std::sin(pi * (0.25f + 0.7f * t)), size = height * draw(0.10f, 0.17f);
    cushion(base + Float3(out * std::cos(angle), out * std::sin(angle), height * (0.38f + 0.55f * t)),
            Float3(draw(0.9f, 1.2f), draw(0.9f, 1.2f), draw(0.75f, 1.0f)) * size, crown, draw(0.0f, 3.0f), 2, 10);
  }
}

}  // namespace ptl::synthetic
