#include "doctor/photo_look.h"

#include <algorithm>
#include <cmath>

#include "datasets/error.h"
#include "datasets/hdr_photo.h"
#include "datasets/resize.h"
#include "datasets/scene_draft.h"

namespace ptl::doctor {

namespace {

struct Grey {
  int width = 0, height = 0;
  std::vector<float> value;  ///< 0..255
  float at(int x, int y) const {
    return value[static_cast<size_t>(y) * static_cast<size_t>(width) + static_cast<size_t>(x)];
  }
};

Grey grey_of(const StoredImage& photo) {
  Grey grey{photo.width, photo.height, std::vector<float>(photo.value_count() / 3)};
  for (size_t i = 0; i < grey.value.size(); ++i)
    grey.value[i] =
        0.299f * photo.values8[3 * i] + 0.587f * photo.values8[3 * i + 1] + 0.114f * photo.values8[3 * i + 2];
  return grey;
}

Grey halved(const Grey& grey) {
  Grey half{grey.width / 2, grey.height / 2, {}};
  half.value.resize(static_cast<size_t>(half.width) * static_cast<size_t>(half.height));
  for (int y = 0; y < half.height; ++y)
    for (int x = 0; x < half.width; ++x)
      half.value[static_cast<size_t>(y) * static_cast<size_t>(half.width) + static_cast<size_t>(x)] =
          0.25f * (grey.at(2 * x, 2 * y) + grey.at(2 * x + 1, 2 * y) + grey.at(2 * x, 2 * y + 1) +
                   grey.at(2 * x + 1, 2 * y + 1));
  return half;
}

StoredImage in_8_bits(StoredImage image) {
  return image.bits == 8 ? std::move(image) : to_stored(to_float(image), 8);
}

StoredImage at_most(const StoredImage& image, int side) {
  const int longest = std::max(image.width, image.height);
  if (longest <= side) return image;
  const auto scaled = [&](int length) {
    return std::max(1, static_cast<int>(std::lround(1.0 * length * side / longest)));
  };
  return reduce_area(image, scaled(image.width), scaled(image.height));
}

/// Means over cells of the squares of `filter(grey, x, y)`.
template <class Filter>
std::vector<float> energy_cells(const Grey& grey, int columns, int rows, const Filter& filter) {
  std::vector<double> sum(static_cast<size_t>(columns * rows)), count(sum.size());
  for (int y = 1; y + 1 < grey.height; ++y)
    for (int x = 1; x + 1 < grey.width; ++x) {
      const auto value = static_cast<double>(filter(grey, x, y));
      const auto cell = static_cast<size_t>(y * rows / grey.height * columns + x * columns / grey.width);
      sum[cell] += value * value;
      count[cell] += 1;
    }
  std::vector<float> mean(sum.size());
  for (size_t i = 0; i < sum.size(); ++i) mean[i] = count[i] > 0 ? static_cast<float>(sum[i] / count[i]) : 0;
  return mean;
}

float laplacian(const Grey& grey, int x, int y) {
  return 4 * grey.at(x, y) - grey.at(x - 1, y) - grey.at(x + 1, y) - grey.at(x, y - 1) - grey.at(x, y + 1);
}

/// The second difference along a direction.
struct SecondDifference {
  int dx, dy;
  float operator()(const Grey& grey, int x, int y) const {
    return 2 * grey.at(x, y) - grey.at(x - dx, y - dy) - grey.at(x + dx, y + dy);
  }
};
constexpr SecondDifference along[directions] = {{1, 0}, {1, 1}, {0, 1}, {-1, 1}};

void measure_brightness(const StoredImage& photo, PhotoLook& look) {
  double sum = 0, squares = 0, black = 0, white = 0;
  const size_t pixels = photo.value_count() / 3;
  for (size_t i = 0; i < pixels; ++i) {
    const uint8_t* c = &photo.values8[3 * i];
    const double grey = 0.299 * c[0] + 0.587 * c[1] + 0.114 * c[2];
    sum += grey;
    squares += grey * grey;
    black += std::max({c[0], c[1], c[2]}) <= 3;
    white += std::min({c[0], c[1], c[2]}) >= 252;
  }
  const auto count = static_cast<double>(pixels);
  look.mean = sum / count;
  look.deviation = std::sqrt(std::max(0.0, squares / count - look.mean * look.mean));
  look.black_share = black / count;
  look.white_share = white / count;
}

void measure_detail(const Grey& grey, PhotoLook& look) {
  constexpr int most_cells = 64;  // on the longer side
  const int longest = std::max(grey.width, grey.height);
  const int side = std::max(12, (longest + most_cells - 1) / most_cells);
  look.detail.columns = std::max(1, grey.width / side);
  look.detail.rows = std::max(1, grey.height / side);
  const Grey half = halved(grey);
  if (half.width < 8 || half.height < 8) return;
  const Grey quarter = halved(half);
  DetailCells& cells = look.detail;
  cells.fine = energy_cells(grey, cells.columns, cells.rows, laplacian);
  cells.middle = energy_cells(half, cells.columns, cells.rows, laplacian);
  cells.coarse = energy_cells(quarter, cells.columns, cells.rows, laplacian);
  for (size_t d = 0; d < directions; ++d) {
    cells.fine_along[d] = energy_cells(grey, cells.columns, cells.rows, along[d]);
    cells.coarse_along[d] = energy_cells(quarter, cells.columns, cells.rows, along[d]);
  }
}

MaskLook look_at_mask(const std::filesystem::path& path, bool pixels) {
  MaskLook look;
  try {
    const ImageSize size = read_image_size(path);
    look.width_px = size.width_px;
    look.height_px = size.height_px;
    if (!pixels) return look;
    const StoredImage mask = in_8_bits(read_image(path, 1));
    double sum = 0;
    for (const uint8_t value : mask.values8) sum += value / 255.0;
    look.white_share = sum / static_cast<double>(mask.values8.size());
  } catch (const InputError& error) {
    look.trouble = error.what();
  }
  return look;
}

}  // namespace

size_t DetailCells::at(float x, float y) const {
  const auto place = [](float share, int count) {
    return std::clamp(static_cast<int>(share * static_cast<float>(count)), 0, count - 1);
  };
  return static_cast<size_t>(place(y, rows) * columns + place(x, columns));
}

bool sample_color(const StoredImage& image, float x, float y, std::array<float, 3>& color) {
  if (!(x >= 0 && x < 1 && y >= 0 && y < 1) || image.empty()) return false;
  const float px = std::clamp(x * static_cast<float>(image.width) - 0.5f, 0.0f, static_cast<float>(image.width - 1));
  const float py = std::clamp(y * static_cast<float>(image.height) - 0.5f, 0.0f, static_cast<float>(image.height - 1));
  const int x0 = static_cast<int>(px), y0 = static_cast<int>(py);
  const int x1 = std::min(x0 + 1, image.width - 1), y1 = std::min(y0 + 1, image.height - 1);
  const float wx = px - static_cast<float>(x0), wy = py - static_cast<float>(y0);
  for (size_t c = 0; c < 3; ++c) {
    const auto at = [&](int column, int row) {
      return static_cast<float>(
          image
              .values8[(static_cast<size_t>(row) * static_cast<size_t>(image.width) + static_cast<size_t>(column)) * 3 +
                       c]);
    };
    color[c] = (1 - wy) * ((1 - wx) * at(x0, y0) + wx * at(x1, y0)) + wy * ((1 - wx) * at(x0, y1) + wx * at(x1, y1));
  }
  return true;
}

bool PhotoLook::color_at(float x, float y, std::array<float, 3>& color) const {
  return sample_color(small, x, y, color);
}

int small_side_px(size_t photos) {
  const double bytes = 512.0 * 1024 * 1024 / static_cast<double>(std::max<size_t>(1, photos));
  return std::clamp(static_cast<int>(std::sqrt(bytes / (3 * 0.75))), 64, 480);
}

PhotoLook look_at_photo(const SceneImage& image, const std::optional<LogRange>& range, int small_side, bool pixels) {
  PhotoLook look;
  look.has_mask = !image.mask_path.empty();
  if (look.has_mask) look.mask = look_at_mask(image.mask_path, pixels);
  look.there = is_file(image.photo_path);
  if (!look.there) {
    look.trouble = image.photo_path.string() + ": no such file";
    return look;
  }
  try {
    look.exif = read_exif(image.photo_path);
    const ImageSize size = read_image_size(image.photo_path);
    look.width_px = size.width_px;
    look.height_px = size.height_px;
    if (!pixels) return look;
    const StoredImage photo = in_8_bits(read_photo(image.photo_path, range));
    measure_brightness(photo, look);
    measure_detail(grey_of(at_most(photo, detail_side_px)), look);
    look.small = at_most(photo, small_side);
    look.decoded = true;
  } catch (const InputError& error) {
    look.trouble = error.what();
  }
  return look;
}

StoredImage quarter_turned(const StoredImage& image, int turns) {
  if (turns % 4 == 0) return image;
  StoredImage turned = image;
  turned.width = image.height;
  turned.height = image.width;
  for (int y = 0; y < image.height; ++y)
    for (int x = 0; x < image.width; ++x)
      for (int c = 0; c < image.channels; ++c)
        turned.values8[static_cast<size_t>((x * turned.width + image.height - 1 - y) * image.channels + c)] =
            image.values8[static_cast<size_t>((y * image.width + x) * image.channels + c)];
  return quarter_turned(turned, turns - 1);
}

}  // namespace ptl::doctor
