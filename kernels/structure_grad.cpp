#include "kernels/structure_grad.h"

#include <algorithm>
#include <vector>

#include "kernels/blend.h"

namespace ptl {
namespace {

/// Channels as a constant, or 0: then the image says.
template <int Channels>
struct PixelDifferences {
  StructureImage image;
  StructureConfig config;

  PTL_HD int channels() const { return Channels ? Channels : image.channels; }

  /// Σ_c ΔI(q) G(q): what the loss changes by when a point at this depth with descriptor T is drawn at pixel q.
  PTL_HD float change(float depth_m, const float* descriptor, int64_t q) const {
    const float nearest_m = image.min_depth_m[q], factor = 1.0f + image.depth_tolerance;
    const bool tested = config.neighbours == NeighbourRule::tested;
    const int32_t weight = image.weight[q];
    const float* const value = image.displayed + q * image.displayed_stride;
    const float* const grad = image.grad_displayed + q * channels();
    float sum = 0.0f;
    for (int c = 0; c < channels(); ++c) sum += (descriptor[c] - value[c]) * grad[c];
    // Selections rather than branches, which would be guessed wrong. (W I + T) / (W + 1) − I = (T − I) / (W + 1).
    const bool hidden = tested & (depth_m > factor * nearest_m);
    const bool overrides = !tested | (weight == 0) | (factor * depth_m < nearest_m);
    const float share = overrides ? 1.0f : 1.0f / static_cast<float>(weight + 1);
    return hidden ? 0.0f : share * sum;
  }

  PTL_HD bool takes_part(int64_t i) const {
    return (image.projected[i].ghost != 0) == (config.points == StructurePoints::ghosts);
  }

  PTL_HD PixelGradient operator()(int64_t i) const {
    const ProjectedPoint p = image.projected[i];
    PixelGradient result;
    if (!takes_part(i)) return result;
    const float* const descriptor = image.descriptors + static_cast<int64_t>(p.point) * channels();
    int64_t first = 0;
    float scale = 0.5f / static_cast<float>(channels());  // a pixel of layer l is 2^l pixels of layer 0 wide
    for (int l = 0; l < p.layers; ++l, scale *= 0.5f) {
      const int32_t width = image.shape.width(l), height = image.shape.height(l), x = p.x_px >> l, y = p.y_px >> l;
      const int64_t pixel = first + static_cast<int64_t>(y) * width + x;
      first += static_cast<int64_t>(width) * height;
      if (x < 2 || y < 2 || x >= width - 2 || y >= height - 2) continue;
      if (p.depth_m > (1.0f + image.depth_tolerance) * image.min_depth_m[pixel]) continue;
      result.x += scale * (change(p.depth_m, descriptor, pixel + 1) - change(p.depth_m, descriptor, pixel - 1));
      result.y += scale * (change(p.depth_m, descriptor, pixel + width) - change(p.depth_m, descriptor, pixel - width));
      ++result.terms;
    }
    return result;
  }
};

/// The launch over projected points, for a GPU. Entry and flag of each.
template <int Channels>
struct EntrySlot {
  PixelDifferences<Channels> differences;
  StructureEntry* slot;
  uint32_t* flag;

  PTL_HD void operator()(int64_t i) const {
    const PixelGradient gradient = differences(i);
    flag[i] = gradient.terms > 0;
    if (flag[i]) slot[i] = {static_cast<uint32_t>(i), gradient};
  }
};

/// In the order of the projected points: slots, then packed.
int64_t pack_by_slots(const Device& device, const StructureImage& image, const StructureConfig& config,
                      StructureEntry* entries) {
  const int64_t count = image.count;
  const Scratch<StructureEntry> slot_memory(device, count);
  const Scratch<uint32_t> flag_memory(device, count);
  const Scratch<int64_t> place_memory(device, count + 1);
  StructureEntry* const slot = slot_memory.data();
  uint32_t* const flag = flag_memory.data();
  int64_t* const place = place_memory.data();
  with_channels(image.channels, [&](auto constant) {
    parallel_for(device, "structure_entries", count,
                 EntrySlot<constant.value>{PixelDifferences<constant.value>{image, config}, slot, flag});
  });
  const int64_t found = exclusive_scan(device, flag, count, place);
  parallel_for(device, "structure_pack", count, [=] PTL_HD(int64_t i) {
    if (flag[i]) entries[place[i]] = slot[i];
  });
  return found;
}

/// The same for a CPU: chunks pack their own, then move together.
int64_t pack_by_chunks(const Device& device, const StructureImage& image, const StructureConfig& config,
                       StructureEntry* entries) {
  constexpr int64_t chunk_size = 4096;
  const int64_t chunks = (image.count + chunk_size - 1) / chunk_size;
  const Scratch<StructureEntry> slot_memory(device, image.count);
  const Scratch<int64_t> found_memory(device, chunks), place_memory(device, chunks);
  StructureEntry* const slot = slot_memory.data();
  int64_t* const found = found_memory.data();
  int64_t* const place = place_memory.data();
  with_channels(image.channels, [&](auto constant) {
    const PixelDifferences<constant.value> differences{image, config};
#pragma omp parallel for schedule(dynamic, 1)
    for (int64_t chunk = 0; chunk < chunks; ++chunk) {
      const int64_t begin = chunk * chunk_size, end = std::min(image.count, begin + chunk_size);
      // Those that take part first: which ones do is random, and a branch on it would be guessed wrong.
      uint32_t part[chunk_size];
      int32_t taking_part = 0;
      for (int64_t i = begin; i < end; ++i) {
        part[taking_part] = static_cast<uint32_t>(i);
        taking_part += differences.takes_part(i);
      }
      StructureEntry* next = slot + begin;
      for (int32_t k = 0; k < taking_part; ++k) {
        *next = {part[k], differences(part[k])};
        next += next->gradient.terms > 0;
      }
      found[chunk] = next - (slot + begin);
    }
  });
  int64_t total = 0;
  for (int64_t chunk = 0; chunk < chunks; ++chunk) {
    place[chunk] = total;
    total += found[chunk];
  }
#pragma omp parallel for schedule(static)
  for (int64_t chunk = 0; chunk < chunks; ++chunk)
    std::copy_n(slot + chunk * chunk_size, found[chunk], entries + place[chunk]);
  return total;
}

/// The order by tile for entries that stand in the order of the points.
void sort_by_tile(const Device& device, const StructureImage& image, int64_t entry_count, StructureEntry* entries) {
  const TileGrid grid = tile_grid(image.shape);
  const Scratch<uint32_t> tile_memory(device, entry_count), order_memory(device, entry_count);
  const Scratch<StructureEntry> copy_memory(device, entry_count);
  uint32_t* const tile = tile_memory.data();
  uint32_t* const order = order_memory.data();
  StructureEntry* const copy = copy_memory.data();
  const ProjectedPoint* const projected = image.projected;
  const int32_t columns = grid.columns, tile_px = grid.tile_px;
  parallel_for(device, "structure_tiles", entry_count, [=] PTL_HD(int64_t k) {
    copy[k] = entries[k];
    const ProjectedPoint p = projected[entries[k].projected];
    tile[k] = static_cast<uint32_t>(p.y_px / tile_px * columns + p.x_px / tile_px);
    order[k] = static_cast<uint32_t>(k);
  });
  sort_pairs(device, tile, order, entry_count);
  parallel_for(device, "structure_order", entry_count, [=] PTL_HD(int64_t k) { entries[k] = copy[order[k]]; });
}

// The fixed order of the sums: an entry's place in its leaf says which lane it is added to, lanes are added up in their
// order, then leaves. Lanes are the width of a CPU's registers.
constexpr int64_t entries_per_leaf = 64;
constexpr int lanes = 8;

template <class Model, bool Rolling>
struct ChainLeaf {
  const float* position;
  CameraParams<float> camera;
  Pose<float> camera_from_world;
  Tangent<float> readout_motion;
  Crop crop;
  const ProjectedPoint* projected;
  const StructureEntry* entries;
  int64_t entry_count;
  int64_t* rows;
  float* grad_position;
  StructureSums* sums;

  PTL_HD void operator()(int64_t leaf) const {
    double pose[6][lanes] = {}, readout[6][lanes] = {}, params[param_slots<Model>][lanes] = {};
    int64_t terms = 0;
    const int64_t begin = leaf * entries_per_leaf;
    const int64_t end = begin + entries_per_leaf < entry_count ? begin + entries_per_leaf : entry_count;
    for (int64_t k = begin; k < end; k += lanes) {
      const int count = end - k < lanes ? static_cast<int>(end - k) : lanes;
      float x[lanes], y[lanes], share[lanes], px[lanes], py[lanes], pz[lanes], time[lanes];
      for (int lane = 0; lane < lanes; ++lane) {
        const StructureEntry entry = entries[k + (lane < count ? lane : 0)];
        const uint32_t row = projected[entry.projected].point;
        const bool real = lane < count;
        x[lane] = real ? crop.zoom * entry.gradient.x : 0.0f;  // per pixel of the photo
        y[lane] = real ? crop.zoom * entry.gradient.y : 0.0f;
        share[lane] = 1.0f / static_cast<float>(entry.gradient.terms);
        px[lane] = position[3 * static_cast<int64_t>(row)];
        py[lane] = position[3 * static_cast<int64_t>(row) + 1];
        pz[lane] = position[3 * static_cast<int64_t>(row) + 2];
        if constexpr (Rolling) {
          const ProjectedPoint at = projected[entry.projected];
          const Vec2<float> middle_px(static_cast<float>(at.x_px) + 0.5f, static_cast<float>(at.y_px) + 0.5f);
          time[lane] = readout_time(undo_crop(crop, middle_px).y, camera.height_px);
        }
        if (!real) continue;
        rows[k + lane] = row;
        terms += entry.gradient.terms;
      }
      float gx[lanes], gy[lanes], gz[lanes];
#if !defined(__CUDACC__)
#pragma omp simd
#endif
      for (int lane = 0; lane < lanes; ++lane) {
        const Mat3<float>& r = camera_from_world.rotation;
        const Vec3<float>& t = camera_from_world.translation;
        const float cx = r[0].x * px[lane] + r[1].x * py[lane] + r[2].x * pz[lane] + t.x;
        const float cy = r[0].y * px[lane] + r[1].y * py[lane] + r[2].y * pz[lane] + t.y;
        const float cz = r[0].z * px[lane] + r[1].z * py[lane] + r[2].z * pz[lane] + t.z;
        float grad[3], of_params[param_slots<Model>];
        if constexpr (Rolling)
          pull_back_row(Vec3<float>(cx, cy, cz), time[lane], x[lane], y[lane], grad, of_params, lane, readout);
        else
          Model::pull_back(camera, cx, cy, cz, x[lane], y[lane], grad, of_params);
        // tangent_gradient() of kernels/se3.h, in plain numbers.
        pose[0][lane] += static_cast<double>(grad[0]);
        pose[1][lane] += static_cast<double>(grad[1]);
        pose[2][lane] += static_cast<double>(grad[2]);
        pose[3][lane] += static_cast<double>(cy * grad[2] - cz * grad[1]);
        pose[4][lane] += static_cast<double>(cz * grad[0] - cx * grad[2]);
        pose[5][lane] += static_cast<double>(cx * grad[1] - cy * grad[0]);
        for (int p = 0; p < Model::param_count; ++p) params[p][lane] += static_cast<double>(of_params[p]);
        gx[lane] = share[lane] * (r[0].x * grad[0] + r[0].y * grad[1] + r[0].z * grad[2]);
        gy[lane] = share[lane] * (r[1].x * grad[0] + r[1].y * grad[1] + r[1].z * grad[2]);
        gz[lane] = share[lane] * (r[2].x * grad[0] + r[2].y * grad[1] + r[2].z * grad[2]);
      }
      for (int lane = 0; lane < count; ++lane) {
        float* const to = grad_position + 3 * (k + lane);
        to[0] = gx[lane];
        to[1] = gy[lane];
        to[2] = gz[lane];
      }
    }
    StructureSums sum;
    for (int lane = 0; lane < lanes; ++lane) {
      for (int p = 0; p < 6; ++p) sum.pose[p] += pose[p][lane];
      for (int p = 0; p < 6; ++p) sum.readout[p] += readout[p][lane];
      for (int p = 0; p < Model::param_count; ++p) sum.camera[p] += params[p][lane];
    }
    sum.terms = terms;
    sums[leaf] = sum;
  }

  /// What pull_back says, of a point that is seen at time t: the gradient of where it is for the middle row; and what the
  /// readout's motion gets. A shift down is also one in time, at y' = dy/dt/height: with it dL/dy is (dL/dy + x' dL/dx)/(1 − y').
  PTL_HD void pull_back_row(const Vec3<float>& x_middle, float t, float grad_x, float grad_y, float (&grad)[3],
                            float (&of_params)[param_slots<Model>], int lane, double (&readout)[6][lanes]) const {
    const Vec3<float> x = moved_in_readout(readout_motion, t, x_middle);
    const Vec3<float> motion = readout_motion.translation + glm::cross(readout_motion.rotation, x);
    const float per_row = 1.0f / static_cast<float>(camera.height_px);
    float of_x[3], of_y[3];
    Model::pull_back(camera, x.x, x.y, x.z, 1.0f, 0.0f, of_x, of_params);
    Model::pull_back(camera, x.x, x.y, x.z, 0.0f, 1.0f, of_y, of_params);
    const float x_per_y = per_row * (of_x[0] * motion.x + of_x[1] * motion.y + of_x[2] * motion.z);
    const float y_per_y = per_row * (of_y[0] * motion.x + of_y[1] * motion.y + of_y[2] * motion.z);
    const float whole_y = y_per_y < 0.9f ? (grad_y + x_per_y * grad_x) / (1.0f - y_per_y) : grad_y;
    Model::pull_back(camera, x.x, x.y, x.z, grad_x, whole_y, grad, of_params);
    const Vec3<float> here(grad[0], grad[1], grad[2]);
    const Tangent<float> of_motion = tangent_gradient(x, t * here);
    for (int k = 0; k < 3; ++k) {
      readout[k][lane] += static_cast<double>(of_motion.translation[k]);
      readout[3 + k][lane] += static_cast<double>(of_motion.rotation[k]);
    }
    const Vec3<float> back = turned_in_readout(readout_motion.rotation, -t, here);
    for (int k = 0; k < 3; ++k) grad[k] = back[k];
  }
};

}  // namespace

PixelGradient structure_pixel_gradient(const StructureImage& image, const StructureConfig& config, int64_t projected) {
  return PixelDifferences<0>{image, config}(projected);
}

int64_t find_structure_entries(const Device& device, const StructureImage& image, const StructureConfig& config,
                               bool by_tile, StructureEntry* entries) {
  const int64_t found = device.type == DeviceType::cpu ? pack_by_chunks(device, image, config, entries)
                                                       : pack_by_slots(device, image, config, entries);
  if (!by_tile) sort_by_tile(device, image, found, entries);
  return found;
}

StructureSums structure_chain(const Device& device, const PointsView& points, const RasterView& view,
                              const ProjectedPoint* projected, const StructureEntry* entries, int64_t entry_count,
                              int64_t* rows, float* grad_position, bool of_readout) {
  const int64_t leaves = (entry_count + entries_per_leaf - 1) / entries_per_leaf;
  const Scratch<StructureSums> sum_memory(device, leaves);
  visit_camera_rows(view.camera.model, of_readout || moves(view.readout_motion), [&](auto model, auto rolling) {
    parallel_for(device, "structure_chain", leaves, entry_count,
                 ChainLeaf<decltype(model), decltype(rolling)::value>{
                     points.position, view.camera, pose_cast<float>(view.camera_from_world),
                     tangent_cast<float>(view.readout_motion), view.crop, projected, entries, entry_count, rows,
                     grad_position, sum_memory.data()});
  });
  std::vector<StructureSums> sums(static_cast<size_t>(leaves));
  copy_to_host(device, sum_memory.data(), leaves, sums.data());
  StructureSums total;
  for (const StructureSums& sum : sums) {
    for (int k = 0; k < 6; ++k) {
      total.pose[k] += sum.pose[k];
      total.readout[k] += sum.readout[k];
    }
    for (int k = 0; k < camera_param_capacity; ++k) total.camera[k] += sum.camera[k];
    total.terms += sum.terms;
  }
  return total;
}

}  // namespace ptl
