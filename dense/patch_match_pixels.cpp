#include "dense/patch_match_pixels.h"

#include "dense/patch_candidates.h"

namespace ptl {
namespace {

struct ClearCell {
  PatchMatcher matcher;
  float* luminance;

  PTL_HD void operator()(int64_t at) const {
    matcher.w[at] = matcher.slant_x[at] = matcher.slant_y[at] = 0;
    matcher.cost[at] = no_patch_cost;
    luminance[at] = -1;
  }
};

struct LuminancePixel {
  PatchBoard board;
  MatchPixels photo;
  float* luminance;

  PTL_HD void operator()(int64_t at) const {
    const int x = static_cast<int>(at % photo.width_px), y = static_cast<int>(at / photo.width_px);
    if (photo.valid[at]) luminance[board.at(x, y)] = photo.luminance[at];
  }
};

/// Item i of one colour: cell i % cells of row i / cells.
struct ColorPixels {
  PatchBoard board;
  int color;

  PTL_HD int64_t count() const { return static_cast<int64_t>(board.cells()) * board.height_px; }
  PTL_HD int y(int64_t i) const { return static_cast<int>(i / board.cells()); }
  PTL_HD int x(int64_t i) const { return 2 * static_cast<int>(i % board.cells()) + PatchBoard::first_x(color, y(i)); }
  PTL_HD bool inside(int64_t i) const { return x(i) < board.width_px; }
};

struct StartPixel {
  PatchMatcher matcher;

  PTL_HD void operator()(int64_t at) const {
    const int width = matcher.board.width_px;
    start_pixel<OneLane>(matcher, static_cast<int>(at % width), static_cast<int>(at / width));
  }
};

struct ImprovePixel {
  PatchMatcher matcher;
  ColorPixels pixels;
  int round;

  PTL_HD void operator()(int64_t i) const {
    if (pixels.inside(i)) improve_pixel<OneLane>(matcher, round, pixels.x(i), pixels.y(i));
  }
};

struct JudgePixel {
  PatchMatcher matcher;

  PTL_HD void operator()(int64_t at) const {
    const int width = matcher.board.width_px;
    judge_pixel<OneLane>(matcher, static_cast<int>(at % width), static_cast<int>(at / width));
  }
};

struct ReadPixel {
  PatchMatcher matcher;
  PatchImages images;

  PTL_HD void operator()(int64_t at) const {
    const int width = matcher.board.width_px;
    const int64_t from = matcher.board.at(static_cast<int>(at % width), static_cast<int>(at / width));
    const float cost = matcher.cost[from];
    const bool known = cost < no_patch_cost;
    images.inverse_depth[at] = known ? matcher.w[from] : 0.0f;
    images.slant_x[at] = known ? matcher.slant_x[from] : 0.0f;
    images.slant_y[at] = known ? matcher.slant_y[from] : 0.0f;
    const float match = (1.0f - cost) * 255.0f;
    images.match[at] = static_cast<uint8_t>(match < 0.0f ? 0.0f : match > 255.0f ? 255.0f : match);
  }
};

int64_t pixel_count(const PatchMatcher& matcher) {
  return static_cast<int64_t>(matcher.board.width_px) * matcher.board.height_px;
}

}  // namespace

void fill_boards(const Device& device, const PatchMatcher& matcher, const MatchPixels& photo, float* luminance) {
  parallel_for(device, "clear_boards", matcher.board.count(), matcher.board.count(), ClearCell{matcher, luminance});
  parallel_for(device, "luminance_board", photo.count(), photo.count(),
               LuminancePixel{matcher.board, photo, luminance});
}

void start_by_pixels(const Device& device, const PatchMatcher& matcher) {
  parallel_for(device, "start_planes", pixel_count(matcher), StartPixel{matcher});
}

void improve_by_pixels(const Device& device, const PatchMatcher& matcher, int color, int round) {
  const ColorPixels pixels{matcher.board, color};
  parallel_for(device, "improve_planes", pixels.count(), ImprovePixel{matcher, pixels, round});
}

void judge_by_pixels(const Device& device, const PatchMatcher& matcher) {
  parallel_for(device, "judge_planes", pixel_count(matcher), JudgePixel{matcher});
}

void read_boards(const Device& device, const PatchMatcher& matcher, const PatchImages& images) {
  parallel_for(device, "read_planes", pixel_count(matcher), pixel_count(matcher), ReadPixel{matcher, images});
}

}  // namespace ptl
