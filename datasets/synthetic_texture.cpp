#include <algorithm>
#include <cmath>

#include "datasets/synthetic_scene.h"

namespace ptl::synthetic {

namespace {

/// What a pattern says at one place; `height_m` gives relief by its slope.
struct Texel {
  Float3 color{0};
  float height_m = 0;
  float gloss = 0;  ///< taken off the roughness
};

/// 1 inside a joint of `width` around whole numbers, softened by the pixel.
float joint(float x, float width, float blur) {
  const float distance = std::fabs(x - std::round(x));
  return 1 - smooth_step(width - blur, width + blur, distance);
}

Texel planks(const Material& m, const Float2& uv, float footprint) {
  const float width = m.scale_m, row = std::floor(uv.y / width);
  const int r = static_cast<int>(row);
  const float length = width * 11, shift = cell_value(r, 1, 0, m.seed) * length;
  const int board = static_cast<int>(std::floor((uv.x + shift) / length));
  const float tone = cell_value(r, board, 2, m.seed);
  const Float3 grain_place(uv.x * 0.12f + 7 * tone, uv.y, tone * 40);
  const float grain = fractal_noise(grain_place, width * 0.35f, 4, footprint, m.seed + 11);
  const float streak = fractal_noise(Float3(uv.x * 0.04f, uv.y, tone * 31), 0.016f, 2, footprint, m.seed + 12);
  Texel t;
  t.color = mix_color(m.color_a, m.color_b, clamp_unit(1.5f * (grain - 0.5f) + 0.9f * (tone - 0.5f) + 0.5f));
  t.color *= 0.75f + 0.5f * streak;
  const float blur = footprint / width;
  const float gap =
      std::max(joint(uv.y / width, 0.025f, blur), joint((uv.x + shift) / length, 0.0025f, footprint / length));
  t.color = mix_color(t.color, m.color_c, 0.8f * gap);
  t.height_m = -0.004f * gap + 0.001f * grain;
  return t;
}

Texel wood(const Material& m, const Float2& uv, const Float3& p, float footprint) {
  const Float3 place(uv.x * 0.1f, uv.y, static_cast<float>(m.seed % 97) + 0.1f * p.z);
  const float rings = fractal_noise(place, m.scale_m, 5, footprint, m.seed);
  const float visible = smooth_step(0.7f, 2.0f, m.scale_m / 8 / footprint);  // the narrowest bands
  const float bands = 0.5f + 0.5f * visible * std::sin(rings * 38.0f);
  Texel t;
  t.color = mix_color(m.color_a, m.color_b, 0.6f * bands + 0.8f * (rings - 0.3f));
  t.height_m = 0.0002f * bands;
  return t;
}

Texel bricks(const Material& m, const Float2& uv, const Float3& p, float footprint) {
  const float height = m.scale_m, width = height * 3.1f;
  const float wobble = 0.03f * (fractal_noise(p, 0.09f, 2, footprint, m.seed + 5) - 0.5f);
  const float y = uv.y / height + wobble, row = std::floor(y);
  const float x = uv.x / width + 0.5f * (row - 2 * std::floor(row / 2)) + wobble * 0.4f;
  const int r = static_cast<int>(row), c = static_cast<int>(std::floor(x));
  const float tone = cell_value(r, c, 1, m.seed), hue = cell_value(r, c, 2, m.seed);
  const float grain = fractal_noise(p, 0.05f, 4, footprint, m.seed + 7);
  const float stain = fractal_noise(p, 0.9f, 3, footprint, m.seed + 8);
  const float mortar = std::max(joint(y, 0.075f, footprint / height), joint(x, 0.025f, footprint / width));
  Texel t;
  t.color = mix_color(m.color_a, m.color_b, clamp_unit(tone * 1.1f)) * (0.55f + 0.9f * grain);
  if (hue > 0.88f) t.color *= 0.55f;
  t.color = mix_color(t.color, m.color_c * (0.7f + 0.6f * grain), mortar);
  t.color *= 0.7f + 0.6f * stain;
  t.height_m = -0.010f * mortar + 0.006f * (grain - 0.5f) * (1 - mortar);
  return t;
}

Texel stones(const Material& m, const Float2& uv, const Float3& p, float footprint) {
  const Float2 bend(fractal_noise(p, 0.2f, 2, footprint, m.seed + 1), fractal_noise(p, 0.2f, 2, footprint, m.seed + 2));
  const CellularNoise cell = cellular_noise(uv / Float2(m.scale_m * 1.5f, m.scale_m) + bend * 0.35f, m.seed);
  const float edge = cell.second - cell.nearest;
  const float mortar = 1 - smooth_step(0.04f, 0.11f + footprint / m.scale_m, edge);
  const float grain = fractal_noise(p, 0.07f, 4, footprint, m.seed + 3);
  Texel t;
  t.color = mix_color(m.color_a, m.color_b, cell.id) * (0.5f + grain);
  t.color = mix_color(t.color, m.color_c * (0.75f + 0.5f * grain), mortar);
  t.height_m = -0.012f * mortar + 0.008f * (grain - 0.5f) - 0.01f * cell.nearest * m.scale_m;
  return t;
}

Texel tiles(const Material& m, const Float2& uv, const Float3& p, float footprint) {
  const Float2 q = uv / m.scale_m;
  const int x = static_cast<int>(std::floor(q.x)), y = static_cast<int>(std::floor(q.y));
  const Float2 local = q - Float2(static_cast<float>(x) + 0.5f, static_cast<float>(y) + 0.5f);
  const float blur = footprint / m.scale_m;
  const float gap = std::max(joint(q.x, 0.018f, blur), joint(q.y, 0.018f, blur));
  const float grain = fractal_noise(p, 0.06f, 4, footprint, m.seed + 4);
  const int variant = static_cast<int>(m.seed % 3);
  // A painted figure in each tile, like cement tiles: a star, rings, or a plain one with a border.
  const float radius = glm::length(local), angle = std::atan2(local.y, local.x);
  float figure = 0;
  if (variant == 0) figure = smooth_step(0.03f + blur, -0.03f - blur, radius - 0.28f - 0.11f * std::cos(4 * angle));
  if (variant == 1) figure = smooth_step(0.02f + blur, -0.02f - blur, std::fabs(radius - 0.5f) - 0.09f);
  Texel t;
  t.color = mix_color(m.color_a, m.color_b, figure) * (0.72f + 0.35f * cell_value(x, y, 0, m.seed));
  t.color *= 0.7f + 0.6f * grain;
  t.color = mix_color(t.color, m.color_c, gap);
  t.height_m = -0.003f * gap + 0.001f * grain;
  t.gloss = 0.15f * (1 - gap) * grain;
  return t;
}

Texel rug(const Material& m, const Float2& uv, float footprint) {
  const Float2 q = uv / m.scale_m;
  const Float2 cell = glm::fract(q) - 0.5f;
  const float diamond = std::fabs(cell.x) + std::fabs(cell.y);
  const int x = static_cast<int>(std::floor(q.x)), y = static_cast<int>(std::floor(q.y));
  const float blur = 0.02f + footprint / m.scale_m;
  const float lozenge = smooth_step(0.36f + blur, 0.36f - blur, diamond),
              inner = smooth_step(0.2f + blur, 0.2f - blur, diamond);
  const float thread = fractal_noise(Float3(uv.x * 1.0f, uv.y * 2.5f, 0), 0.02f, 2, footprint, m.seed + 9);
  const float wear = fractal_noise(Float3(uv, 3.0f), 0.3f, 3, footprint, m.seed + 10);
  Texel t;
  t.color = mix_color(m.color_a, (x + y) % 2 == 0 ? m.color_b : m.color_c, lozenge);
  t.color = mix_color(t.color, (x + y) % 2 == 0 ? m.color_c : m.color_a * 1.2f, inner);
  t.color *= (0.55f + 0.9f * thread) * (0.8f + 0.4f * wear);
  t.height_m = 0.004f * thread;
  return t;
}

Texel fabric(const Material& m, const Float2& uv, const Float3& p, float footprint) {
  const float visible = smooth_step(1.0f, 2.5f, m.scale_m / footprint);
  const float weave = visible * std::sin(uv.x / m.scale_m * 6.2832f) * std::sin(uv.y / m.scale_m * 6.2832f);
  const float fleck = fractal_noise(p, 0.035f, 3, footprint, m.seed + 1),
              soft = fractal_noise(p, 0.3f, 2, footprint, m.seed + 2);
  Texel t;
  t.color = mix_color(m.color_a, m.color_b, clamp_unit(fleck + 0.25f * weave)) * (0.8f + 0.4f * soft);
  t.height_m = 0.0012f * weave + 0.002f * fleck;
  return t;
}

Texel plaster(const Material& m, const Float3& p, float footprint) {
  const float grain = fractal_noise(p, 0.045f, 4, footprint, m.seed),
              stain = fractal_noise(p, 0.8f, 4, footprint, m.seed + 5);
  const float patch =
      smooth_step(0.60f, 0.64f + footprint, fractal_noise(p * Float3(1, 1, 1.4f), 0.7f, 5, footprint, m.seed + 9));
  Texel t;
  t.color = mix_color(m.color_a, m.color_b, clamp_unit(2.2f * (stain - 0.35f))) * (0.75f + 0.5f * grain);
  t.color = mix_color(t.color, m.color_c * (0.6f + 0.8f * grain), patch);
  t.height_m = 0.006f * grain - 0.012f * patch;
  return t;
}

Texel poster(const Material& m, const Float2& uv, float footprint) {
  Texel t;
  const float blur = footprint;
  t.color = mix_color(m.color_a, m.color_b, clamp_unit(uv.y));
  for (int i = 0; i < 9; ++i) {
    const Float2 centre(0.9f * cell_value(i, 1, 0, m.seed), 0.9f * cell_value(i, 2, 0, m.seed));
    const float size = 0.05f + 0.2f * cell_value(i, 3, 0, m.seed), kind = cell_value(i, 4, 0, m.seed);
    const Float2 d = uv - centre;
    float distance = glm::length(d) - size;
    if (kind > 0.45f) distance = std::max(std::fabs(d.x + 0.4f * d.y), std::fabs(d.y)) - size;
    if (kind > 0.75f) distance = std::fabs(glm::length(d) - size) - 0.02f;
    const Float3 ink(0.05f + 0.8f * cell_value(i, 5, 0, m.seed), 0.05f + 0.6f * cell_value(i, 6, 0, m.seed),
                     0.05f + 0.7f * cell_value(i, 7, 0, m.seed));
    t.color = mix_color(t.color, i % 3 == 0 ? m.color_c : ink, smooth_step(blur, -blur, distance));
  }
  const int line = static_cast<int>(std::floor(uv.y / 0.022f));
  if (uv.y < 0.13f && uv.y > 0.03f && cell_value(static_cast<int>(uv.x / 0.014f), line, 5, m.seed) > 0.35f &&
      line % 2 == 0)
    t.color *= 0.35f;
  t.color *= 0.85f + 0.3f * fractal_noise(Float3(uv, 0), 0.05f, 3, footprint, m.seed + 3);
  return t;
}

Texel book(const Material& m, const Float2& uv, const Float3& p, float footprint) {
  Texel t;
  const float wear = fractal_noise(p, 0.05f, 3, footprint, m.seed);
  t.color = m.color_a * (0.65f + 0.7f * wear);
  const float start = 0.03f + 0.04f * cell_value(1, 0, 0, m.seed), blur = footprint;
  for (int i = 0; i < 3; ++i) {
    const float place = start + static_cast<float>(i) * (0.03f + 0.05f * cell_value(2, i, 0, m.seed));
    const float half = 0.003f + 0.012f * cell_value(3, i, 0, m.seed);
    t.color = mix_color(t.color, m.color_b, 0.9f * smooth_step(half + blur, half - blur, std::fabs(uv.x - place)));
  }
  return t;
}

Texel glazed(const Material& m, const Float2& uv, const Float3& p, float footprint) {
  Texel t;
  const float run = fractal_noise(p, 0.12f, 4, footprint, m.seed), band = uv.y / m.scale_m + 0.25f * run;
  const int stripe = static_cast<int>(std::floor(band));
  t.color = cell_value(stripe, 0, 0, m.seed) > 0.55f ? m.color_b : m.color_a;
  if (cell_value(stripe, 1, 0, m.seed) > 0.75f) t.color = m.color_c;
  t.color *= 0.65f + 0.7f * run;
  return t;
}

Texel facade(const Material& m, const Float2& uv, const Float3& p, float footprint) {
  Texel t;
  const float grain = fractal_noise(p, 1.5f, 4, footprint, m.seed);
  const Float2 q = uv / Float2(m.scale_m * 0.8f, m.scale_m), local = glm::fract(q) - 0.5f;
  const float blur = footprint / m.scale_m;
  const float pane = std::max(std::fabs(local.x) - 0.22f, std::fabs(local.y) - 0.3f);
  const float frame = smooth_step(0.07f + blur, 0.05f - blur, pane), glass = smooth_step(blur, -blur, pane);
  const float lit = cell_value(static_cast<int>(std::floor(q.x)), static_cast<int>(std::floor(q.y)), 3, m.seed);
  t.color = mix_color(m.color_a, m.color_b, grain);
  t.color = mix_color(t.color, m.color_c, frame);
  t.color = mix_color(t.color, Float3(0.06f, 0.08f, 0.11f) * (0.6f + 2.0f * lit), glass);
  return t;
}

Texel evaluate(const Material& m, const Float2& uv, const Float3& p, float footprint) {
  Texel t;
  t.color = m.color_a;
  switch (m.pattern) {
    case Pattern::plain:
      t.color *= 0.8f + 0.4f * fractal_noise(p, 0.04f, 3, footprint, m.seed);
      break;
    case Pattern::planks:
      return planks(m, uv, footprint);
    case Pattern::wood:
      return wood(m, uv, p, footprint);
    case Pattern::bricks:
      return bricks(m, uv, p, footprint);
    case Pattern::stones:
      return stones(m, uv, p, footprint);
    case Pattern::tiles:
      return tiles(m, uv, p, footprint);
    case Pattern::rug:
      return rug(m, uv, footprint);
    case Pattern::fabric:
      return fabric(m, uv, p, footprint);
    case Pattern::plaster:
      return plaster(m, p, footprint);
    case Pattern::poster:
      return poster(m, uv, footprint);
    case Pattern::book:
      return book(m, uv, p, footprint);
    case Pattern::glazed:
      return glazed(m, uv, p, footprint);
    case Pattern::facade:
      return facade(m, uv, p, footprint);
    case Pattern::leaf: {
      // uv.x runs along the leaf, uv.y across; the vein lies at 0.
      const float vein = smooth_step(0.004f + footprint * 0.5f, 0.001f, std::fabs(uv.y));
      const float spots = fractal_noise(p, 0.06f, 3, footprint, m.seed);
      t.color = mix_color(mix_color(m.color_a, m.color_b, clamp_unit(1.6f * (spots - 0.3f))), m.color_c, 0.7f * vein);
      break;
    }
    case Pattern::bark: {
      const float ridges = fractal_noise(p * Float3(1, 1, 0.25f), 0.03f, 4, footprint, m.seed);
      t.color = mix_color(m.color_a, m.color_b, clamp_unit(2 * ridges - 0.5f));
      t.height_m = 0.006f * ridges;
      break;
    }
    case Pattern::concrete: {
      const float grain = fractal_noise(p, 0.05f, 5, footprint, m.seed),
                  stain = fractal_noise(p, 0.5f, 4, footprint, m.seed + 3);
      t.color = mix_color(m.color_a, m.color_b, clamp_unit(0.5f + 1.5f * (stain - 0.5f))) * (0.6f + 0.8f * grain);
      t.height_m = 0.003f * grain;
      break;
    }
    case Pattern::roof: {
      const Float2 q = uv / m.scale_m;
      const int row = static_cast<int>(std::floor(q.y)),
                column = static_cast<int>(std::floor(q.x + 0.5f * static_cast<float>(row & 1)));
      t.color = mix_color(m.color_a, m.color_b, cell_value(row, column, 0, m.seed));
      const float visible = smooth_step(1.0f, 2.5f, m.scale_m / footprint);
      t.color *= 1 - visible * 0.6f * smooth_step(0.75f, 0.95f, q.y - std::floor(q.y));
      break;
    }
    case Pattern::meadow: {
      const float wide = fractal_noise(p, 25 * m.scale_m, 5, footprint, m.seed),
                  fine = fractal_noise(p, 2 * m.scale_m, 4, footprint, m.seed + 8);
      t.color = mix_color(m.color_a, m.color_b, smooth_step(0.4f, 0.6f, wide)) * (0.5f + fine);
      if (wide > 0.62f) t.color = mix_color(t.color, m.color_c, 0.7f);
      break;
    }
    case Pattern::woven: {
      const Float2 q = uv / m.scale_m;
      const float visible = smooth_step(1.0f, 2.5f, m.scale_m / footprint);
      const float over = std::sin(q.x * 3.1416f) * std::sin(q.y * 3.1416f) > 0 ? 1.0f : 0.0f;
      const float round = std::fabs(std::sin((over > 0.5f ? q.x : q.y) * 3.1416f));
      t.color = mix_color(m.color_a, m.color_b, over * visible + 0.5f * (1 - visible)) *
                mix_value(0.75f, 0.45f + 0.6f * round, visible);
      t.height_m = 0.003f * round * visible;
      break;
    }
    case Pattern::marble: {
      const float swirl = fractal_noise(p, 0.35f, 5, footprint, m.seed);
      const float vein = smooth_step(0.09f, 0.0f, std::fabs(std::sin(swirl * 14.0f)));
      t.color = mix_color(m.color_a, m.color_b, 0.6f * vein + 0.3f * swirl);
      break;
    }
  }
  return t;
}

}  // namespace

SurfaceColor evaluate_material(const Material& material, const SurfacePoint& point, float footprint_m) {
  const Texel here = evaluate(material, point.uv, point.position, footprint_m);
  SurfaceColor result;
  result.albedo = glm::clamp(here.color, Float3(0.01f), Float3(0.9f));
  result.normal = point.normal;
  result.roughness = std::clamp(material.roughness - here.gloss, 0.08f, 1.0f);
  result.specular = material.specular;
  if (here.height_m == 0 || footprint_m > 0.03f) return result;
  // Relief: the slope over about a pixel.
  const float step = std::max(0.002f, footprint_m);
  const Float3 u = point.tangent_u, v = point.tangent_v;
  const float along_u = evaluate(material, point.uv + Float2(step, 0), point.position + step * u, footprint_m).height_m;
  const float along_v = evaluate(material, point.uv + Float2(0, step), point.position + step * v, footprint_m).height_m;
  const Float3 slope = ((along_u - here.height_m) * u + (along_v - here.height_m) * v) / step;
  result.normal = glm::normalize(point.normal - slope);
  return result;
}

Float3 sky_radiance(const Sky& sky, const Float3& d) {
  const float up = std::max(d.z, 0.0f);
  Float3 color = mix_color(sky.horizon, sky.zenith, std::pow(up, 0.5f));
  const float towards_sun = std::max(0.0f, glm::dot(d, sky.sun_direction));
  color += sky.sun_irradiance * 0.05f * std::pow(towards_sun, 8.0f);
  if (d.z > 0.0f) {
    // A layer of cloud seen in perspective.
    const Float3 place(d.x / (d.z + 0.22f), d.y / (d.z + 0.22f), 0);
    const float shape = fractal_noise(place, 0.9f, 5, 0.004f, sky.seed);
    const float cover = smooth_step(0.68f - 0.3f * sky.cloudiness, 0.86f - 0.25f * sky.cloudiness, shape);
    const float body = fractal_noise(place + Float3(0.1f, 0.05f, 0.3f), 0.5f, 3, 0.01f, sky.seed + 77);
    color = mix_color(color, sky.cloud * (0.7f + 0.5f * body), cover * smooth_step(0.0f, 0.12f, d.z));
  } else {
    color = mix_color(color, sky.horizon * 0.5f, clamp_unit(-8 * d.z));
  }
  return color;
}

}  // namespace ptl::synthetic
