// The pass over a photo, and the CPU's driver: a row's pixels of one colour in groups.
#include "dense/patch_match.h"

#include <algorithm>
#include <deque>

#include "datasets/error.h"
#include "dense/patch_candidates.h"
#include "dense/patch_match_pixels.h"
#include "kernels/device_copy.h"

namespace ptl {
namespace {

#if defined(PTL_EIGHT_PIXELS)
using GroupLanes = EightLanes;
#else
using GroupLanes = OneLane;
#endif
static_assert(GroupLanes::count <= PatchBoard::most_lanes);

/// body(x, y): x is the first pixel of a group.
template <class Body>
void for_each_group(const PatchBoard& board, int color, const Body& body) {
#pragma omp parallel for schedule(dynamic, 4)
  for (int y = 0; y < board.height_px; ++y)
    for (int x = PatchBoard::first_x(color, y); x < board.width_px; x += 2 * GroupLanes::count) body(x, y);
}

class Driver {
 public:
  Driver(const Device& device, bool by_rows) : device_(device), by_rows_(by_rows) {}
  void start(const PatchMatcher& m) const {
    if (!by_rows_) return start_by_pixels(device_, m);
    for (int color = 0; color < 2; ++color)
      for_each_group(m.board, color, [&](int x, int y) { start_pixel<GroupLanes>(m, x, y); });
  }
  void improve(const PatchMatcher& m, int color, int round) const {
    if (!by_rows_) return improve_by_pixels(device_, m, color, round);
    for_each_group(m.board, color, [&](int x, int y) { improve_pixel<GroupLanes>(m, round, x, y); });
  }
  void judge(const PatchMatcher& m) const {
    if (!by_rows_) return judge_by_pixels(device_, m);
    for (int color = 0; color < 2; ++color)
      for_each_group(m.board, color, [&](int x, int y) { judge_pixel<GroupLanes>(m, x, y); });
  }

 private:
  Device device_;
  bool by_rows_;
};

PatchPass pass_of(const StereoCamera& camera, const SearchRange& range, uint64_t draws,
                  const PatchPassOptions& options) {
  // Planes may leave the range a little: slanted windows and changes start within it.
  constexpr double nearer = 1.05, farther = 0.5;
  PatchPass pass;
  pass.draws = draws;
  pass.least_w = static_cast<float>(range.least_w * farther);
  pass.most_w = static_cast<float>(range.most_w * nearer);
  pass.range_middle_w = static_cast<float>(0.5 * (range.least_w + range.most_w));
  pass.range_half_w = static_cast<float>(0.5 * (range.most_w - range.least_w));
  pass.focal_px = static_cast<float>(camera.focal_x_px);
  pass.centre_x_px = static_cast<float>(camera.centre_x_px);
  pass.centre_y_px = static_cast<float>(camera.centre_y_px);
  pass.random_starts = options.random_starts;
  pass.random_planes = options.random_planes;
  pass.changes = options.changes;
  pass.depth_change_w = options.depth_change_px * static_cast<float>(range.step_w);
  pass.slant_change = options.slant_change / pass.focal_px;
  pass.disagreement_cost = options.disagreement_cost;
  pass.most_disagreement_px = options.most_disagreement_px;
  return pass;
}

/// A source's arrays stay in the device's memory as long as this.
class SourcesThere {
 public:
  SourcesThere(const Device& device, const StereoCamera& reference, const std::vector<PatchSourceView>& sources,
               PatchMatcher& matcher) {
    matcher.source_count = static_cast<int>(std::min<size_t>(sources.size(), most_patch_sources));
    for (int s = 0; s < matcher.source_count; ++s) {
      const PatchSourceView& from = sources[static_cast<size_t>(s)];
      const StereoCamera& camera = from.photo->view.camera;
      const SourceMap map = source_map(reference, camera);
      PatchSource& source = matcher.source[s];
      for (int row = 0; row < 3; ++row) {
        for (int column = 0; column < 3; ++column) source.base[row][column] = static_cast<float>(map.base[column][row]);
        source.shift[row] = static_cast<float>(map.shift[row]);
      }
      source.width_px = camera.width_px, source.height_px = camera.height_px;
      source.quads = quads_.emplace_back(device, from.photo->quads).data();
      source.inverse_depth = from.inverse_depth ? depths_.emplace_back(device, *from.inverse_depth).data() : nullptr;
      source.px_per_w = static_cast<float>(1 / from.step_w);
    }
  }

 private:
  std::deque<DeviceCopy<uint32_t>> quads_;
  std::deque<DeviceCopy<float>> depths_;
};

}  // namespace

PatchView::PatchView(StereoView stereo_view) : view(std::move(stereo_view)) {
  const int width = view.camera.width_px, height = view.camera.height_px;
  quads.assign(view.camera.pixel_count(), 0);
  const auto byte = [&](size_t at) {
    return static_cast<uint32_t>(std::clamp(view.luminance[at] + 0.5f, 1.0f, 255.0f));
  };
  for (int y = 0; y + 1 < height; ++y)
    for (int x = 0; x + 1 < width; ++x) {
      const size_t at = view.camera.index(x, y), under = at + static_cast<size_t>(width);
      if (view.valid[at] && view.valid[at + 1] && view.valid[under] && view.valid[under + 1])
        quads[at] = byte(at) | byte(at + 1) << 8 | byte(under) << 16 | byte(under + 1) << 24;
    }
}

MatchedPhoto match_patches(const Device& device, const PatchView& reference,
                           const std::vector<PatchSourceView>& sources, const SearchRange& range,
                           const std::vector<PlaneField>& starts, uint64_t draws, const PatchPassOptions& options,
                           ImageDriver driver) {
  const StereoCamera& camera = reference.view.camera;
  const Driver run(device, goes_by_rows("match_patches", device, driver));
  PatchMatcher matcher{};
  matcher.board = {camera.width_px, camera.height_px};
  matcher.pass = pass_of(camera, range, draws, options);
  const Scratch<float> w(device, matcher.board.count()), slant_x(device, matcher.board.count()),
      slant_y(device, matcher.board.count()), cost(device, matcher.board.count()),
      luminance(device, matcher.board.count());
  matcher.w = w.data(), matcher.slant_x = slant_x.data(), matcher.slant_y = slant_y.data();
  matcher.cost = cost.data(), matcher.luminance = luminance.data();
  const SourcesThere sources_there(device, camera, sources, matcher);
  {
    const DeviceCopy<float> values(device, reference.view.luminance);
    const DeviceCopy<uint8_t> valid(device, reference.view.valid);
    fill_boards(device, matcher, {camera.width_px, camera.height_px, values.data(), valid.data()}, luminance.data());
  }
  {
    std::deque<DeviceCopy<float>> planes;
    for (const PlaneField& field : starts) {
      if (matcher.start_count == most_patch_starts) break;
      matcher.start[matcher.start_count++] = {planes.emplace_back(device, field.inverse_depth).data(),
                                              planes.emplace_back(device, field.slant_x).data(),
                                              planes.emplace_back(device, field.slant_y).data()};
    }
    run.start(matcher);
  }
  for (int round = 0; round < options.rounds; ++round)
    for (int color = 0; color < 2; ++color) run.improve(matcher, color, round);
  if (matcher.source_count > 0 && matcher.source[0].inverse_depth) {  // what is handed on is the photos' cost alone
    PatchMatcher photos_alone = matcher;
    for (PatchSource& source : photos_alone.source) source.inverse_depth = nullptr;
    run.judge(photos_alone);
  }
  const auto count = static_cast<int64_t>(camera.pixel_count());
  const Scratch<float> out_w(device, count), out_x(device, count), out_y(device, count);
  const Scratch<uint8_t> match(device, count);
  read_boards(device, matcher, {out_w.data(), out_x.data(), out_y.data(), match.data()});
  MatchedPhoto matched;
  const auto take = [&](const float* from, std::vector<float>& to) {
    to.resize(camera.pixel_count());
    copy_to_host(device, from, count, to.data());
  };
  take(out_w.data(), matched.planes.inverse_depth);
  take(out_x.data(), matched.planes.slant_x);
  take(out_y.data(), matched.planes.slant_y);
  matched.match.resize(camera.pixel_count());
  copy_to_host(device, match.data(), count, matched.match.data());
  return matched;
}

}  // namespace ptl
