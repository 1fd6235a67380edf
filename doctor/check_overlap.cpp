// Which photos see the same points, from how different directions; and what a split leaves unseen.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_map>

#include "doctor/checks.h"
#include "doctor/statistics.h"

namespace ptl::doctor {

namespace {

/// Points that two images share, for every pair that shares any: shared[a] for a < b. Of a sample of the points,
/// multiplied, where that would be too many pairs.
std::vector<std::unordered_map<int, int>> shared_points(const Evidence& evidence, double most_pairs) {
  double pairs = 0;
  for (const auto& seers : evidence.sightings.by_point) pairs += 0.5 * std::pow(static_cast<double>(seers.size()), 2);
  const auto step = static_cast<size_t>(std::max(1.0, std::ceil(pairs / most_pairs)));
  std::vector<std::unordered_map<int, int>> shared(evidence.images());
  for (size_t p = 0; p < evidence.sightings.by_point.size(); p += step) {
    const auto& seers = evidence.sightings.by_point[p];
    for (size_t a = 0; a < seers.size(); ++a)
      for (size_t b = a + 1; b < seers.size(); ++b)
        shared[static_cast<size_t>(seers[a].image)][seers[b].image] += static_cast<int>(step);
  }
  return shared;
}

class Groups {
 public:
  explicit Groups(size_t count) : parent_(count) { std::iota(parent_.begin(), parent_.end(), size_t{0}); }
  size_t of(size_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  void join(size_t a, size_t b) { parent_[std::max(of(a), of(b))] = std::min(of(a), of(b)); }

 private:
  std::vector<size_t> parent_;
};

void check_components(const Evidence& evidence, Diagnosis& diagnosis, const OverlapLimits& limits) {
  const auto shared = shared_points(evidence, limits.pairs);
  Groups groups(evidence.images());
  ImageFigure neighbours{"photos that share points", "", std::vector<double>(evidence.images(), 0)};
  for (size_t a = 0; a < shared.size(); ++a)
    for (const auto& [other, count] : shared[a]) {
      const auto b = static_cast<size_t>(other);
      const size_t fewer = std::min(evidence.sightings.by_image[a].size(), evidence.sightings.by_image[b].size());
      if (count < std::min(limits.shared_points,
                           std::max(3, static_cast<int>(limits.shared_share * static_cast<double>(fewer)))))
        continue;
      groups.join(a, b);
      ++neighbours.value[a], ++neighbours.value[b];
    }
  std::vector<size_t> size(evidence.images(), 0);
  for (size_t i = 0; i < size.size(); ++i) ++size[groups.of(i)];
  const auto largest = static_cast<size_t>(std::max_element(size.begin(), size.end()) - size.begin());
  Finding apart =
      finding("disconnected", Severity::harmful, "",
              "the parts fit as strangers: doubled surfaces where they meet, and exposures that do not agree",
              "add photos that lead from one part to the other and align all together");
  size_t parts = 0;
  for (size_t i = 0; i < size.size(); ++i) {
    if (size[i] > 0) ++parts;
    if (groups.of(i) != largest)
      apart.images.push_back(
          {static_cast<int>(i),
           fmt::format("in a group of {} photo{}", size[groups.of(i)], size[groups.of(i)] == 1 ? "" : "s"),
           {}});
  }
  constexpr size_t severe_part = 5;  // one photo in this many
  if (severe_part * apart.images.size() >= evidence.images()) apart.severity = Severity::severe;
  apart.what = fmt::format("the photos fall into {} groups that share no points; {} {} outside of the largest", parts,
                           apart.images.size(), apart.images.size() == 1 ? "is" : "are");
  report_images(diagnosis, std::move(apart));
  diagnosis.figures.push_back(std::move(neighbours));
}

void check_angles(const Evidence& evidence, Diagnosis& diagnosis, const OverlapLimits& limits) {
  constexpr size_t most_rays = 16;
  std::vector<double> widest(evidence.sightings.position.size(), unknown);
  for (size_t p = 0; p < widest.size(); ++p) {
    const auto seers = spread_evenly(evidence.sightings.by_point[p], most_rays);
    double least_cosine = 1;
    for (size_t a = 0; a < seers.size(); ++a)
      for (size_t b = a + 1; b < seers.size(); ++b) {
        const Vec3<double> u = evidence.centres[static_cast<size_t>(seers[a].image)] - evidence.sightings.position[p];
        const Vec3<double> v = evidence.centres[static_cast<size_t>(seers[b].image)] - evidence.sightings.position[p];
        const double lengths = glm::length(u) * glm::length(v);
        if (lengths > 0) least_cosine = std::min(least_cosine, glm::dot(u, v) / lengths);
      }
    if (seers.size() >= 2) widest[p] = std::acos(std::clamp(least_cosine, -1.0, 1.0)) * 180 / 3.14159265358979323846;
  }
  ImageFigure angle{"widest angle between lines of sight", "°", {}};
  Finding flat = finding("small_angles", Severity::harmful, "",
                         "depth is a guess there: things wobble and smear as soon as the view moves",
                         "add photos from farther aside");
  for (size_t i = 0; i < evidence.images(); ++i) {
    std::vector<double> of_image;
    for (const Sighting& s : evidence.sightings.by_image[i]) of_image.push_back(widest[s.point]);
    angle.value.push_back(known_median(of_image));
    if (angle.value.back() < limits.small_angle_deg)
      flat.images.push_back(
          {static_cast<int>(i),
           fmt::format("its points are seen under {:.2f}° at most, in the median", angle.value.back()),
           {}});
  }
  if (flat.images.size() * 2 > evidence.images()) flat.severity = Severity::severe;
  flat.what = photos_have(flat.images.size()) + " points that are all seen from nearly one direction";
  report_images(diagnosis, std::move(flat));
  diagnosis.figures.push_back(std::move(angle));
}

/// Photos whose points hardly any other photo shows.
void check_lonely(const Evidence& evidence, Diagnosis& diagnosis, const OverlapLimits& limits) {
  if (evidence.sightings.tracked) return;  // every tracked point has two photos
  Finding lonely =
      finding("little_overlap", Severity::harmful, "",
              "what only one photo shows has no depth: it smears from elsewhere", "add photos beside this one");
  for (size_t i = 0; i < evidence.images(); ++i) {
    const auto& list = evidence.sightings.by_image[i];
    const auto also = std::count_if(list.begin(), list.end(),
                                    [&](const Sighting& s) { return evidence.sightings.by_point[s.point].size() > 1; });
    if (!list.empty() && static_cast<double>(also) < limits.lonely_share * static_cast<double>(list.size()))
      lonely.images.push_back(
          {static_cast<int>(i), fmt::format("{} of its {} points are in other photos' view", also, list.size()), {}});
  }
  lonely.what = photos_have(lonely.images.size()) + " too little overlap with others";
  report_images(diagnosis, std::move(lonely));
}

void check_split(const Evidence& evidence, Diagnosis& diagnosis, const OverlapLimits& limits) {
  if (evidence.split.held_out.empty()) return;
  std::vector<bool> training(evidence.images());
  for (const int i : evidence.split.train) training[static_cast<size_t>(i)] = true;
  std::vector<bool> seen(evidence.sightings.position.size());
  size_t sighted = 0, lost = 0;
  for (size_t p = 0; p < seen.size(); ++p) {
    const auto& seers = evidence.sightings.by_point[p];
    seen[p] =
        std::any_of(seers.begin(), seers.end(), [&](const auto& s) { return training[static_cast<size_t>(s.image)]; });
    sighted += !seers.empty();
    lost += !seers.empty() && !seen[p];
  }
  Finding unseen = finding("unseen_when_held_out", Severity::note, "",
                           "these photos' scores are of what was never seen: low, and no measure",
                           "hold out other photos with --split FILE, or none with --split none");
  for (const int i : evidence.split.held_out) {
    const auto& list = evidence.sightings.by_image[static_cast<size_t>(i)];
    const auto missing = std::count_if(list.begin(), list.end(), [&](const Sighting& s) { return !seen[s.point]; });
    if (list.empty() || static_cast<double>(missing) > limits.unseen_photo * static_cast<double>(list.size()))
      unseen.images.push_back(
          {i, fmt::format("{} of its {} points are in no training photo", missing, list.size()), {}});
  }
  const bool much = static_cast<double>(lost) > limits.unseen_points * static_cast<double>(sighted);
  if (much) unseen.severity = Severity::harmful;
  unseen.what = fmt::format("the split {} leaves {:.1f} % of the points unseen by training photos", evidence.split.name,
                            100.0 * static_cast<double>(lost) / static_cast<double>(std::max<size_t>(1, sighted)));
  if (much && unseen.images.empty())
    diagnosis.findings.push_back(std::move(unseen));
  else
    report_images(diagnosis, std::move(unseen));
}

}  // namespace

void check_overlap(const Evidence& evidence, Diagnosis& diagnosis, const OverlapLimits& limits) {
  check_components(evidence, diagnosis, limits);
  check_angles(evidence, diagnosis, limits);
  check_lonely(evidence, diagnosis, limits);
  check_split(evidence, diagnosis, limits);
}

}  // namespace ptl::doctor
