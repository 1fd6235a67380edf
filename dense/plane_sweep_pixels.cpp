#include "dense/plane_sweep_pixels.h"

#include <deque>

namespace ptl {
namespace {

constexpr int planes_at_once = 4;  ///< their memory is scratch

struct PlatePixel {
  MatchPixels photo;
  int width;  ///< of the plate
  float* value;

  PTL_HD void operator()(int64_t i) const {
    value[i] = plate_value(photo, static_cast<int>(i % width) - 1, static_cast<int>(i / width) - 1);
  }
};

/// Mean and inverse deviation of the reference's windows; NaN where they leave the photo.
struct ReferencePixel {
  Plate reference;
  int width, height;
  float *mean, *inverse;

  PTL_HD void operator()(int64_t i) const {
    const int x = static_cast<int>(i % width), y = static_cast<int>(i / width);
    mean[i] = inverse[i] = not_known;
    if (x < match_radius_px || y < match_radius_px || x >= width - match_radius_px || y >= height - match_radius_px)
      return;
    float value[match_side_px], square[match_side_px];
    for (int column = 0; column < match_side_px; ++column) {
      float v[match_side_px];
      for (int k = 0; k < match_side_px; ++k)
        v[k] = reference.row(y - match_radius_px + k)[x - match_radius_px + column];
      value[column] = sum_of_five(v[0], v[1], v[2], v[3], v[4]);
      square[column] = sum_of_five(v[0] * v[0], v[1] * v[1], v[2] * v[2], v[3] * v[3], v[4] * v[4]);
    }
    mean[i] = mean_of_columns(value[0], value[1], value[2], value[3], value[4]);
    inverse[i] = inverse_deviation(mean_of_columns(square[0], square[1], square[2], square[3], square[4]), mean[i]);
  }
};

/// Row y of plane k, i = k · height + y.
struct PlaceRow {
  SourceMap map;
  InversePlanes planes;
  int height;
  RowInSource* rows;

  PTL_HD void operator()(int64_t i) const {
    rows[i] = RowInSource(map, static_cast<int>(i % height), planes.at(static_cast<double>(i / height)));
  }
};

/// Arrays over a few planes' pixels, [plane, height, width]; i counts through them. 32 bits reach, and a GPU divides
/// them faster.
struct PlanesAtOnce {
  int width, height, first_plane;

  PTL_HD int x(int64_t i) const { return static_cast<int>(i) % width; }
  PTL_HD int row(int64_t i) const { return static_cast<int>(i) / width; }  ///< plane · height + y
  PTL_HD int y(int64_t i) const { return row(i) % height; }
  PTL_HD int pixel(int64_t i) const { return static_cast<int>(i) % (width * height); }
  PTL_HD bool windows_fit(int y) const { return y >= match_radius_px && y < height - match_radius_px; }
};

struct WarpPixel {
  PlanesAtOnce planes;
  Plate source;
  const RowInSource* rows;  ///< of all planes
  float* warped;

  PTL_HD void operator()(int64_t i) const {
    warped[i] = warped_value(source, rows[planes.first_plane * planes.height + planes.row(i)], planes.x(i));
  }
};

/// Sums over five rows of s, s² and r · s.
struct ColumnSums {
  PlanesAtOnce planes;
  Plate reference;
  const float* warped;
  float *value, *square, *product;

  PTL_HD void operator()(int64_t i) const {
    const int x = planes.x(i), y = planes.y(i);
    if (!planes.windows_fit(y)) return;
    float s[match_side_px], r[match_side_px];
    for (int k = 0; k < match_side_px; ++k) {
      s[k] = warped[i + static_cast<int64_t>(k - match_radius_px) * planes.width];
      r[k] = reference.row(y - match_radius_px + k)[x];
    }
    value[i] = sum_of_five(s[0], s[1], s[2], s[3], s[4]);
    square[i] = sum_of_five(s[0] * s[0], s[1] * s[1], s[2] * s[2], s[3] * s[3], s[4] * s[4]);
    product[i] = sum_of_five(s[0] * r[0], s[1] * r[1], s[2] * r[2], s[3] * r[3], s[4] * r[4]);
  }
};

struct CorrelatePixel {
  PlanesAtOnce planes;
  const float *value, *square, *product, *mean_r, *inverse_r;
  BestCosts* best;

  PTL_HD static float mean(const float* s) { return mean_of_columns(s[-2], s[-1], s[0], s[1], s[2]); }
  PTL_HD void operator()(int64_t i) const {
    const int x = planes.x(i);
    if (x < match_radius_px || x >= planes.width - match_radius_px || !planes.windows_fit(planes.y(i))) return;
    const int pixel = planes.pixel(i);
    best[i].insert(
        matching_cost(mean(value + i), mean(square + i), mean(product + i), mean_r[pixel], inverse_r[pixel]));
  }
};

struct ForgetCosts {
  BestCosts* best;

  PTL_HD void operator()(int64_t i) const { best[i] = BestCosts(); }
};

struct CombinePixel {
  PlanesAtOnce planes;
  const BestCosts* best;
  int number;  ///< of planes at once
  CostVolume volume;

  PTL_HD void operator()(int64_t pixel) const {
    for (int k = 0; k < number; ++k)
      volume.at(pixel)[planes.first_plane + k] = best[k * volume.pixels() + pixel].combined();
  }
};

}  // namespace

void fill_plate(const Device& device, const MatchPixels& photo, const Plate& plate, float* memory) {
  parallel_for(device, "plate", plate.count(), plate.count(), PlatePixel{photo, plate.width, memory});
}

void sweep_planes_by_pixels(const Device& device, const MatchPixels& reference, std::span<const MatchSource> sources,
                            const InversePlanes& planes, const CostVolume& volume) {
  const int width = reference.width_px, height = reference.height_px;
  const int64_t pixels = reference.count(), row_count = static_cast<int64_t>(height) * planes.count;
  std::deque<Scratch<float>> plate_memory;
  std::deque<Scratch<RowInSource>> row_memory;
  std::vector<Plate> plates;
  std::vector<const RowInSource*> rows;
  const auto make_plate = [&](const MatchPixels& photo) {
    float* const memory = plate_memory.emplace_back(device, Plate(photo).count()).data();
    fill_plate(device, photo, plates.emplace_back(photo, memory), memory);
  };
  for (const MatchSource& source : sources) {
    make_plate(source.pixels);
    RowInSource* const memory = row_memory.emplace_back(device, row_count).data();
    parallel_for(device, "place_rows", row_count, PlaceRow{source.map, planes, height, memory});
    rows.push_back(memory);
  }
  make_plate(reference);
  const Plate own = plates.back();

  const Scratch<float> mean(device, pixels), inverse(device, pixels);
  parallel_for(device, "reference_windows", pixels, pixels,
               ReferencePixel{own, width, height, mean.data(), inverse.data()});
  const int64_t at_once = pixels * std::min(planes_at_once, planes.count);
  const Scratch<float> warped(device, at_once), value(device, at_once), square(device, at_once),
      product(device, at_once);
  const Scratch<BestCosts> best(device, at_once);
  for (int first = 0; first < planes.count; first += planes_at_once) {
    const int number = std::min(planes_at_once, planes.count - first);
    const int64_t n = pixels * number;
    const PlanesAtOnce shape{width, height, first};
    parallel_for(device, "forget_costs", n, n, ForgetCosts{best.data()});
    for (size_t s = 0; s < sources.size(); ++s) {
      parallel_for(device, "warp", n, n, WarpPixel{shape, plates[s], rows[s], warped.data()});
      parallel_for(device, "column_sums", n, n,
                   ColumnSums{shape, own, warped.data(), value.data(), square.data(), product.data()});
      parallel_for(
          device, "correlate", n, n,
          CorrelatePixel{shape, value.data(), square.data(), product.data(), mean.data(), inverse.data(), best.data()});
    }
    parallel_for(device, "combine", pixels, pixels, CombinePixel{shape, best.data(), number, volume});
  }
}

}  // namespace ptl
