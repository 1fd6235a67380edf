// The same picture under two names.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "datasets/resize.h"
#include "doctor/checks.h"

namespace ptl::doctor {

namespace {

constexpr int grid = 48;

struct Signature {
  size_t image = 0;
  double mean = 0, deviation = 0;
  std::vector<float> grey;  ///< [grid, grid]
};

Signature signature_of(const PhotoLook& photo, size_t image) {
  const StoredImage reduced =
      reduce_area(photo.small, std::min(grid, photo.small.width), std::min(grid, photo.small.height));
  Signature signature;
  signature.image = image;
  for (size_t i = 0; i < reduced.value_count() / 3; ++i)
    signature.grey.push_back(0.299f * reduced.values8[3 * i] + 0.587f * reduced.values8[3 * i + 1] +
                             0.114f * reduced.values8[3 * i + 2]);
  const auto count = static_cast<double>(signature.grey.size());
  for (const float value : signature.grey) signature.mean += static_cast<double>(value) / count;
  for (const float value : signature.grey)
    signature.deviation += std::pow(static_cast<double>(value) - signature.mean, 2) / count;
  signature.deviation = std::sqrt(signature.deviation);
  return signature;
}

double difference(const Signature& a, const Signature& b) {
  double sum = 0;
  for (size_t i = 0; i < a.grey.size(); ++i) sum += std::pow(static_cast<double>(a.grey[i] - b.grey[i]), 2);
  return std::sqrt(sum / static_cast<double>(a.grey.size()));
}

double degrees_between(const Pose<double>& a, const Pose<double>& b) {
  const Mat3<double> turn = a.rotation * glm::transpose(b.rotation);
  return std::acos(std::clamp((turn[0][0] + turn[1][1] + turn[2][2] - 1) / 2, -1.0, 1.0)) * 180 /
         3.14159265358979323846;
}

}  // namespace

void check_duplicates(const Evidence& evidence, Diagnosis& diagnosis, const DuplicateLimits& limits) {
  if (!evidence.pixels) return;
  std::vector<Signature> signatures;
  for (size_t i = 0; i < evidence.images(); ++i)
    if (evidence.photos[i].decoded && evidence.photos[i].deviation > TonalLimits().constant_deviation)
      signatures.push_back(signature_of(evidence.photos[i], i));
  std::vector<size_t> order(signatures.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return signatures[a].mean < signatures[b].mean; });
  Finding same = finding("duplicate_photo", Severity::harmful, "",
                         "what it shows counts twice; a held-out photo whose twin is trained on scores too well",
                         "remove one image of each pair from the model");
  double widest_deg = 0;
  for (size_t a = 0; a < order.size(); ++a)
    for (size_t b = a + 1; b < order.size(); ++b) {
      const Signature &first = signatures[order[a]], &second = signatures[order[b]];
      if (second.mean - first.mean > limits.same) break;
      if (first.grey.size() != second.grey.size()) continue;
      const double apart = difference(first, second);
      if (apart > limits.same || apart > limits.contrast * first.deviation) continue;
      const auto [low, high] = std::minmax(first.image, second.image);
      const double turn =
          degrees_between(evidence.scene.images[low].camera_from_world, evidence.scene.images[high].camera_from_world);
      const double moved = glm::length(evidence.centres[low] - evidence.centres[high]);
      widest_deg = std::max(widest_deg, turn);
      same.images.push_back({static_cast<int>(high),
                             fmt::format("shows the same as {}; the poses differ by {:.2f}° and {:.3g} units",
                                         evidence.name(low), turn, moved),
                             {}});
      same.images.push_back({static_cast<int>(low), fmt::format("shows the same as {}", evidence.name(high)), {}});
    }
  constexpr double one_pose_deg = 0.5;
  if (widest_deg > one_pose_deg) {
    same.severity = Severity::severe;
    same.shows = "one picture is fitted to two poses, one of which is false: ghosts and blur";
    same.remedy = "put the right photo in place of the copy, or remove that image from the model";
  }
  const size_t pairs = same.images.size() / 2;
  same.what = fmt::format("{} photo{} the same picture as another", pairs, pairs == 1 ? " is" : "s are");
  report_images(diagnosis, std::move(same));
}

}  // namespace ptl::doctor
