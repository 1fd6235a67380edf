#include "dense/consistency.h"

#include <deque>
#include <numbers>

#include "kernels/device_copy.h"

namespace ptl {
namespace {

struct CheckPixel {
  DepthView map;
  const uint8_t* match;
  const DepthView* others;
  int other_count;
  ConsistencyOptions options;
  double small_square;  ///< of the sine of the small angle
  float* kept_m;        ///< the depths that stay
  uint8_t* agreeing;    ///< photos, of those

  PTL_HD void operator()(int64_t at) const {
    kept_m[at] = 0;
    agreeing[at] = 0;
    const float depth_m = map.depth_m[at];
    if (!(depth_m > 0)) return;
    const int x = static_cast<int>(at % map.camera.width_px), y = static_cast<int>(at / map.camera.width_px);
    const Vec3<double> position = map.camera.position_world(x + 0.5, y + 0.5, static_cast<double>(depth_m));
    int agree = 0;
    double widest_square = 0;
    for (int k = 0; k < other_count; ++k) {
      const DepthView& other = others[k];
      if (opinion_of(other, probe_depth(other, position), map, x, y, options, true) != Opinion::agrees) continue;
      ++agree;
      widest_square = std::max(widest_square, sight_angle_square(map.camera, other.camera, position));
    }
    const bool sure = match[at] >= options.sure_match && widest_square >= small_square;
    const int wanted = match[at] < options.weak_match ? 3 : sure ? 1 : 2;
    const int needed = std::min(wanted, other_count);  // three photos have two others each
    if (match[at] < options.least_match || agree < std::max(1, needed)) return;
    kept_m[at] = depth_m;
    agreeing[at] = static_cast<uint8_t>(std::min(agree, 250));
  }
};

}  // namespace

void check_depths(const Device& device, DepthMap& map, const std::vector<std::shared_ptr<const DepthMap>>& others,
                  const ConsistencyOptions& options) {
  const auto count = static_cast<int64_t>(map.depth_m.size());
  std::deque<DeviceCopy<float>> depths;
  std::vector<DepthView> views;
  for (const auto& other : others) {
    DepthView& view = views.emplace_back(*other);
    view.depth_m = depths.emplace_back(device, other->depth_m).data();
    view.agreeing = nullptr;  // all depths are trusted yet
  }
  const DeviceCopy<DepthView> views_there(device, views);
  const DeviceCopy<uint8_t> match(device, map.match);
  DepthView own(map);
  own.depth_m = depths.emplace_back(device, map.depth_m).data();
  const double small_sine = std::sin(options.small_angle_deg * std::numbers::pi / 180);
  const Scratch<float> kept_m(device, count);
  const Scratch<uint8_t> agreeing(device, count);
  parallel_for(device, "check_depths", count, count,
               CheckPixel{own, match.data(), views_there.data(), static_cast<int>(views.size()), options,
                          small_sine * small_sine, kept_m.data(), agreeing.data()});
  copy_to_host(device, kept_m.data(), count, map.depth_m.data());
  copy_to_host(device, agreeing.data(), count, map.agreeing.data());
}

}  // namespace ptl
