#include "viewer/fit_curves.h"

#include <fstream>
#include <nlohmann/json.hpp>

namespace ptl {

namespace {
constexpr uint64_t most_bytes_at_once = 128 << 10;
constexpr size_t most_bins = 512;
}  // namespace

bool FitCurves::poll() {
  std::error_code error;
  const uint64_t size = std::filesystem::file_size(file_, error);
  if (error) return false;
  if (size < read_bytes_) *this = FitCurves(file_);
  if (size == read_bytes_) return false;
  std::ifstream stream(file_, std::ios::binary);
  stream.seekg(static_cast<std::streamoff>(read_bytes_));
  std::string text(std::min(size - read_bytes_, most_bytes_at_once), '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(std::max<std::streamsize>(0, stream.gcount())));
  const size_t end = text.rfind('\n');
  if (end == std::string::npos) return false;  // half a line: its rest comes later
  size_t begin = 0;
  while (begin <= end) {
    const size_t stop = text.find('\n', begin);
    const nlohmann::json line =
        nlohmann::json::parse(text.substr(begin, stop - begin), nullptr, /*allow_exceptions=*/false);
    begin = stop + 1;
    if (!line.is_object()) continue;
    const auto number = [&](const char* key) {
      const auto found = line.find(key);
      return found != line.end() && found->is_number() ? found->get<double>() : std::nan("");
    };
    if (line.contains("check")) {
      if (const double psnr = number("psnr"); std::isfinite(psnr)) psnr_db_.push_back(static_cast<float>(psnr));
      continue;
    }
    if (const double points = number("points"); std::isfinite(points)) points_ = static_cast<int64_t>(points);
    if (const double step = number("step"); std::isfinite(step)) step_ = static_cast<int64_t>(step);
    const double loss = number("loss");
    if (!std::isfinite(loss)) continue;
    bin_sum_ += loss;
    if (++in_bin_ < bin_steps_) continue;
    loss_.push_back(static_cast<float>(bin_sum_ / static_cast<double>(bin_steps_)));
    bin_sum_ = 0;
    in_bin_ = 0;
    if (loss_.size() < most_bins) continue;
    for (size_t i = 0; i < most_bins / 2; ++i) loss_[i] = 0.5f * (loss_[2 * i] + loss_[2 * i + 1]);
    loss_.resize(most_bins / 2);
    bin_steps_ *= 2;
  }
  read_bytes_ += end + 1;
  return true;
}

}  // namespace ptl
