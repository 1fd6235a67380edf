// Photos and masks as files.
#include <fmt/format.h>

#include "doctor/checks.h"

namespace ptl::doctor {

namespace {

void check_photos(const Evidence& evidence, Diagnosis& diagnosis) {
  Finding missing =
      finding("missing_photo", Severity::severe, "", "a fit is refused",
              "put the photos back, name their folder with --images, or remove these images from the model");
  Finding damaged =
      finding("damaged_photo", Severity::severe, "", "a fit ends with an error when it comes to this photo",
              "copy the photo again from the camera, or remove the image from the model");
  for (size_t i = 0; i < evidence.images(); ++i) {
    const PhotoLook& photo = evidence.photos[i];
    const int image = static_cast<int>(i);
    if (!photo.there)
      missing.images.push_back({image, "no such file", {}});
    else if (!photo.trouble.empty())
      damaged.images.push_back({image, photo.trouble, {}});
  }
  missing.what = photos_are(missing.images.size()) + " not there";
  damaged.what = photos_are(damaged.images.size()) + " damaged";
  report_images(diagnosis, std::move(missing));
  report_images(diagnosis, std::move(damaged));
}

void check_masks(const Evidence& evidence, Diagnosis& diagnosis, const FileLimits& limits) {
  Finding size = finding("mask_size", Severity::severe, "", "a fit is refused",
                         "export the masks at the photos' size, or name another folder with --masks");
  Finding damaged = finding("damaged_mask", Severity::severe, "", "a fit ends with an error when it comes to this mask",
                            "make the mask again, or delete it: then all of the photo's pixels count");
  Finding empty =
      finding("empty_mask", Severity::harmful, "", "the photo counts for nothing; what only it shows stays unfitted",
              "paint white what counts, or delete the mask; are black and white exchanged?");
  Finding without = finding("no_mask", Severity::note, "", "what the other masks hide comes in through these photos",
                            "make the masks that are missing");
  size_t masked = 0, full = 0;
  for (size_t i = 0; i < evidence.images(); ++i) {
    const PhotoLook& photo = evidence.photos[i];
    const int image = static_cast<int>(i);
    if (!photo.has_mask) {
      without.images.push_back({image, "no mask", {}});
      continue;
    }
    ++masked;
    const MaskLook& mask = photo.mask;
    if (!mask.trouble.empty()) {
      damaged.images.push_back({image, mask.trouble, {}});
      continue;
    }
    if (photo.width_px > 0 && (mask.width_px != photo.width_px || mask.height_px != photo.height_px))
      size.images.push_back({image,
                             fmt::format("mask of {} × {}, photo of {} × {} px", mask.width_px, mask.height_px,
                                         photo.width_px, photo.height_px),
                             {}});
    if (!evidence.pixels) continue;
    if (mask.white_share < limits.empty_mask)
      empty.images.push_back({image, fmt::format("{:.2f} % of the mask is white", 100 * mask.white_share), {}});
    full += mask.white_share > limits.full_mask;
  }
  const auto masks = [](size_t count) { return fmt::format("{} mask{}", count, count == 1 ? "" : "s"); };
  size.what = masks(size.images.size()) + " of another size than the photo";
  damaged.what = masks(damaged.images.size()) + " damaged";
  empty.what = masks(empty.images.size()) + " without any white";
  without.what = fmt::format("{} of {} photos have no mask", without.images.size(), evidence.images());
  report_images(diagnosis, std::move(size));
  report_images(diagnosis, std::move(damaged));
  report_images(diagnosis, std::move(empty));
  if (masked > 0) report_images(diagnosis, std::move(without));
  if (masked > 0 && full == masked)
    diagnosis.findings.push_back(finding("full_masks", Severity::note, "all masks are white: they hide nothing",
                                         "as if there were none", "leave the masks away, or make them again"));
}

}  // namespace

void check_files(const Evidence& evidence, Diagnosis& diagnosis, const FileLimits& limits) {
  check_photos(evidence, diagnosis);
  check_masks(evidence, diagnosis, limits);
  if (evidence.refusals.empty()) return;
  Finding refused =
      finding("refused", Severity::severe, "every command that needs the photos refuses this scene",
              "there are none: a fit does not begin", "mend what the messages say; the findings beside have more");
  for (const std::string& refusal : evidence.refusals) refused.where += (refused.where.empty() ? "" : "\n") + refusal;
  diagnosis.findings.push_back(std::move(refused));
}

}  // namespace ptl::doctor
