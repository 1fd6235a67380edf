// Photos without a picture in them, and with much that is clipped.
#include <fmt/format.h>

#include "doctor/checks.h"
#include "doctor/statistics.h"

namespace ptl::doctor {

void check_tones(const Evidence& evidence, Diagnosis& diagnosis, const TonalLimits& limits) {
  if (!evidence.pixels) return;
  std::vector<double> black(evidence.images(), unknown), white(evidence.images(), unknown);
  for (size_t i = 0; i < evidence.images(); ++i)
    if (evidence.photos[i].decoded)
      black[i] = evidence.photos[i].black_share, white[i] = evidence.photos[i].white_share;
  const double usual_black = known_median(black), usual_white = known_median(white);
  Finding constant =
      finding("constant_photo", Severity::severe, "", "the model learns a wall of one colour in front of this camera",
              "remove the image from the model, or put the right photo there");
  Finding over = finding("overexposed", Severity::harmful, "", "burnt areas without texture; fog before them",
                         "use photos with less exposure, mask the burnt areas, or hold the photo out");
  Finding under = finding("underexposed", Severity::harmful, "", "black areas without texture, noise instead of detail",
                          "use photos with more exposure, mask the black areas, or hold the photo out");
  for (size_t i = 0; i < evidence.images(); ++i) {
    const PhotoLook& photo = evidence.photos[i];
    if (!photo.decoded) continue;
    const int image = static_cast<int>(i);
    if (photo.deviation < limits.constant_deviation) {
      constant.images.push_back({image, fmt::format("all grey values near {:.0f} of 255", photo.mean), {}});
      continue;
    }
    const auto clipped = [&](double share, double usual) {
      return share > limits.clipped && share > usual + limits.clipped_more;
    };
    if (clipped(white[i], usual_white))
      over.images.push_back({image, fmt::format("{:.0f} % of the pixels are white", 100 * white[i]), {}});
    if (clipped(black[i], usual_black))
      under.images.push_back({image, fmt::format("{:.0f} % of the pixels are black", 100 * black[i]), {}});
  }
  constant.what = photos_are(constant.images.size()) + " of one colour";
  over.what = photos_are(over.images.size()) + " overexposed";
  under.what = photos_are(under.images.size()) + " underexposed";
  report_images(diagnosis, std::move(constant));
  report_images(diagnosis, std::move(over));
  report_images(diagnosis, std::move(under));
  diagnosis.figures.push_back({"white pixels", "share", std::move(white)});
  diagnosis.figures.push_back({"black pixels", "share", std::move(black)});
}

}  // namespace ptl::doctor
