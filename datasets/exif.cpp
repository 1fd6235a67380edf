#include "datasets/exif.h"

#include <fmt/format.h>
#include <libexif/exif-data.h>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "datasets/image_file.h"

namespace ptl {
namespace fs = std::filesystem;

namespace {

const std::string exif_start("Exif\0\0", 6);

bool read_exactly(std::FILE* file, unsigned char* bytes, size_t count) {
  return std::fread(bytes, 1, count, file) == count;
}

uint32_t big_endian(const unsigned char* bytes, int count) {
  uint32_t value = 0;
  for (int i = 0; i < count; ++i) value = value << 8 | bytes[i];
  return value;
}

/// The APP1 block that begins with "Exif", from the segments before the image data; empty when there is none.
std::string exif_block_of_jpeg(std::FILE* file) {
  unsigned char head[4];
  if (!read_exactly(file, head, 2)) return {};  // start of image
  while (read_exactly(file, head, 2) && head[0] == 0xff) {
    while (head[1] == 0xff)  // fill bytes
      if (!read_exactly(file, head + 1, 1)) return {};
    if (head[1] == 0xda || head[1] == 0xd9) return {};
    if (!read_exactly(file, head + 2, 2)) return {};
    const uint32_t size = big_endian(head + 2, 2);
    if (size < 2) return {};
    if (head[1] != 0xe1) {
      if (std::fseek(file, static_cast<long>(size) - 2, SEEK_CUR) != 0) return {};
      continue;
    }
    std::string block(size - 2, '\0');
    if (!read_exactly(file, reinterpret_cast<unsigned char*>(block.data()), block.size())) return {};
    if (block.starts_with(exif_start)) return block;
  }
  return {};
}

std::string exif_block_of_png(std::FILE* file) {
  if (std::fseek(file, 8, SEEK_SET) != 0) return {};
  unsigned char head[8];
  while (read_exactly(file, head, 8)) {
    const uint32_t size = big_endian(head, 4);
    if (std::memcmp(head + 4, "eXIf", 4) == 0) {
      if (size > 1u << 20) return {};
      std::string block(size, '\0');
      if (!read_exactly(file, reinterpret_cast<unsigned char*>(block.data()), block.size())) return {};
      return block.starts_with(exif_start) ? block : exif_start + block;
    }
    if (std::fseek(file, static_cast<long>(size) + 4, SEEK_CUR) != 0) return {};
  }
  return {};
}

/// A TIFF is what EXIF is written in: its whole file, since directories may stand anywhere in it.
std::string exif_block_of_tiff(std::FILE* file) {
  constexpr long largest_bytes = 1l << 30;
  if (std::fseek(file, 0, SEEK_END) != 0) return {};
  const long bytes = std::ftell(file);
  if (bytes <= 0 || bytes > largest_bytes || std::fseek(file, 0, SEEK_SET) != 0) return {};
  std::string block = exif_start;
  block.resize(exif_start.size() + static_cast<size_t>(bytes));
  return read_exactly(file, reinterpret_cast<unsigned char*>(block.data()) + exif_start.size(), static_cast<size_t>(bytes)) ? block
                                                                                                                     : std::string();
}

using ExifPointer = std::unique_ptr<ExifData, decltype(&exif_data_unref)>;

std::optional<double> number(ExifData* data, ExifIfd directory, ExifTag tag) {
  const ExifEntry* entry = exif_content_get_entry(data->ifd[directory], tag);
  if (!entry || !entry->data || entry->components < 1 || entry->size < exif_format_get_size(entry->format)) return {};
  const ExifByteOrder order = exif_data_get_byte_order(data);
  double value = 0;
  switch (entry->format) {
    case EXIF_FORMAT_SHORT: value = exif_get_short(entry->data, order); break;
    case EXIF_FORMAT_LONG: value = exif_get_long(entry->data, order); break;
    case EXIF_FORMAT_RATIONAL: {
      const ExifRational rational = exif_get_rational(entry->data, order);
      value = static_cast<double>(rational.numerator) / rational.denominator;  // 0 below: not finite
      break;
    }
    case EXIF_FORMAT_SRATIONAL: {
      const ExifSRational rational = exif_get_srational(entry->data, order);
      value = static_cast<double>(rational.numerator) / rational.denominator;
      break;
    }
    default: return {};
  }
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

std::optional<double> positive(std::optional<double> value) {
  return value && *value > 0 && std::isfinite(*value) ? value : std::nullopt;
}

/// The text of an ASCII entry up to its first NUL; empty when there is none.
std::string text(ExifData* data, ExifIfd directory, ExifTag tag) {
  const ExifEntry* entry = exif_content_get_entry(data->ifd[directory], tag);
  if (!entry || !entry->data || entry->format != EXIF_FORMAT_ASCII) return {};
  const auto* characters = reinterpret_cast<const char*>(entry->data);
  return {characters, ::strnlen(characters, entry->size)};
}

/// A number of digits alone; −1 for anything else.
int digits(std::string_view part) {
  int value = part.empty() ? -1 : 0;
  for (const char c : part) value = value < 0 || c < '0' || c > '9' ? -1 : 10 * value + (c - '0');
  return value;
}

/// "YYYY:MM:DD HH:MM:SS" as seconds since 1970, with the digits behind the decimal point in `fraction`. Nothing for
/// blanks, zeros (cameras without a clock) and days that do not exist.
std::optional<double> time_s(const std::string& time, const std::string& fraction) {
  if (time.size() != 19) return std::nullopt;
  for (const size_t colon : {4, 7, 13, 16})
    if (time[colon] != ':') return std::nullopt;
  const std::string_view view = time;
  const int year = digits(view.substr(0, 4)), month = digits(view.substr(5, 2)), day = digits(view.substr(8, 2));
  const int hour = digits(view.substr(11, 2)), minute = digits(view.substr(14, 2)), second = digits(view.substr(17, 2));
  if (time[10] != ' ' || year < 0 || month < 0 || day < 0 || hour < 0 || hour > 23 || minute < 0 || minute > 59 ||
      second < 0 || second > 60)  // 60: a leap second
    return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  double seconds = 86400.0 * static_cast<double>(std::chrono::sys_days(date).time_since_epoch().count()) + 3600 * hour +
                   60 * minute + second;
  double unit = 0.1;
  for (const char c : fraction) {
    if (c < '0' || c > '9') break;  // padded with blanks
    seconds += unit * (c - '0');
    unit /= 10;
  }
  return seconds;
}

std::optional<double> capture_time_s(ExifData* data) {
  struct {
    ExifIfd directory;
    ExifTag time, fraction;
  } const places[] = {{EXIF_IFD_EXIF, EXIF_TAG_DATE_TIME_ORIGINAL, EXIF_TAG_SUB_SEC_TIME_ORIGINAL},
                      {EXIF_IFD_EXIF, EXIF_TAG_DATE_TIME_DIGITIZED, EXIF_TAG_SUB_SEC_TIME_DIGITIZED},
                      {EXIF_IFD_0, EXIF_TAG_DATE_TIME, EXIF_TAG_SUB_SEC_TIME}};
  for (const auto& place : places)
    if (const auto time = time_s(text(data, place.directory, place.time), text(data, EXIF_IFD_EXIF, place.fraction)))
      return time;
  return std::nullopt;
}

// Writing: a little-endian TIFF.

void put16(std::string& bytes, uint32_t value) {
  bytes += static_cast<char>(value & 255);
  bytes += static_cast<char>(value >> 8 & 255);
}

void put32(std::string& bytes, uint32_t value) {
  put16(bytes, value & 65535);
  put16(bytes, value >> 16);
}

/// The fraction closest to a positive value by continued fractions, both parts below 2^31.
std::pair<uint32_t, uint32_t> as_fraction(double value) {
  double before[2] = {0, 1}, now[2] = {1, 0}, rest = value;
  for (int i = 0; i < 40; ++i) {
    const double whole = std::floor(rest);
    const double next[2] = {whole * now[0] + before[0], whole * now[1] + before[1]};
    if (next[0] >= 2147483648.0 || next[1] >= 2147483648.0) break;
    for (int k : {0, 1}) before[k] = now[k], now[k] = next[k];
    if (std::abs(now[0] / now[1] - value) <= 1e-12 * value || rest == whole) break;
    rest = 1 / (rest - whole);
  }
  return {static_cast<uint32_t>(now[0]), static_cast<uint32_t>(now[1])};
}

struct DirectoryEntry {
  uint32_t tag;
  uint32_t type;  // 2 text, 3 short, 4 long, 5 rational, 7 undefined
  uint32_t count;
  std::string bytes;  // of the value
};

DirectoryEntry number_entry(uint32_t tag, uint32_t type, uint32_t value) {
  DirectoryEntry entry{tag, type, 1, {}};
  put32(entry.bytes, value);  // a short's upper half is 0 and not read
  return entry;
}

DirectoryEntry rational_entry(uint32_t tag, double value) {
  DirectoryEntry entry{tag, 5, 1, {}};
  const auto [numerator, denominator] = as_fraction(value);
  put32(entry.bytes, numerator);
  put32(entry.bytes, denominator);
  return entry;
}

DirectoryEntry text_entry(uint32_t tag, const std::string& text) {
  return {tag, 2, static_cast<uint32_t>(text.size()) + 1, text + '\0'};
}

/// A directory at `start` of the TIFF, the values of more than four bytes right behind it.
std::string directory_bytes(const std::vector<DirectoryEntry>& entries, uint32_t start) {
  std::string bytes, behind;
  const uint32_t behind_start = start + 2 + 12 * static_cast<uint32_t>(entries.size()) + 4;
  put16(bytes, static_cast<uint32_t>(entries.size()));
  for (const DirectoryEntry& entry : entries) {
    put16(bytes, entry.tag);
    put16(bytes, entry.type);
    put32(bytes, entry.count);
    if (entry.bytes.size() > 4) {
      put32(bytes, behind_start + static_cast<uint32_t>(behind.size()));
      behind += entry.bytes;
      if (behind.size() % 2) behind += '\0';  // values begin at even places
    } else {
      bytes += entry.bytes + std::string(4 - entry.bytes.size(), '\0');
    }
  }
  put32(bytes, 0);  // no further directory
  return bytes + behind;
}

/// "YYYY:MM:DD HH:MM:SS" and the milliseconds.
std::pair<std::string, std::string> time_texts(double time_s) {
  const std::chrono::milliseconds time(std::llround(1000 * time_s));
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{std::chrono::sys_days(day)};
  const auto milliseconds = (time - day).count();
  const auto seconds = milliseconds / 1000;
  return {fmt::format("{:04}:{:02}:{:02} {:02}:{:02}:{:02}", static_cast<int>(date.year()),
                      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), seconds / 3600,
                      seconds / 60 % 60, seconds % 60),
          fmt::format("{:03}", milliseconds % 1000)};
}

}  // namespace

ExifFields read_exif(const fs::path& path) {
  const auto format = image_format(path);
  const image_file::File file = image_file::open(path);
  std::string block;
  if (format == ImageFormat::jpeg) block = exif_block_of_jpeg(file.get());
  if (format == ImageFormat::png) block = exif_block_of_png(file.get());
  if (format == ImageFormat::tiff) block = exif_block_of_tiff(file.get());
  ExifFields fields;
  if (block.empty()) return fields;
  const ExifPointer data(exif_data_new_from_data(reinterpret_cast<const unsigned char*>(block.data()),
                                                 static_cast<unsigned>(block.size())), &exif_data_unref);
  if (!data) return fields;
  fields.exposure_time_s = positive(number(data.get(), EXIF_IFD_EXIF, EXIF_TAG_EXPOSURE_TIME));
  if (!fields.exposure_time_s)
    if (const auto apex = number(data.get(), EXIF_IFD_EXIF, EXIF_TAG_SHUTTER_SPEED_VALUE))
      fields.exposure_time_s = positive(std::exp2(-*apex));
  fields.f_number = positive(number(data.get(), EXIF_IFD_EXIF, EXIF_TAG_FNUMBER));
  if (!fields.f_number)
    if (const auto apex = number(data.get(), EXIF_IFD_EXIF, EXIF_TAG_APERTURE_VALUE))
      fields.f_number = positive(std::exp2(*apex / 2));
  fields.iso = positive(number(data.get(), EXIF_IFD_EXIF, EXIF_TAG_ISO_SPEED_RATINGS));
  if (const auto orientation = number(data.get(), EXIF_IFD_0, EXIF_TAG_ORIENTATION))
    if (*orientation >= 1 && *orientation <= 8) fields.orientation = static_cast<int>(*orientation);
  fields.focal_length_35mm_mm = positive(number(data.get(), EXIF_IFD_EXIF, EXIF_TAG_FOCAL_LENGTH_IN_35MM_FILM));
  fields.capture_time_s = capture_time_s(data.get());
  return fields;
}

std::optional<double> exposure_ev(const ExifFields& fields) {
  if (!fields.exposure_time_s || !fields.f_number || !fields.iso) return std::nullopt;
  return std::log2(*fields.f_number * *fields.f_number / *fields.exposure_time_s) - std::log2(*fields.iso / 100.0);
}

std::optional<double> read_exposure_ev(const fs::path& path) { return exposure_ev(read_exif(path)); }

std::string make_exif_block(const ExifFields& fields) {
  std::vector<DirectoryEntry> camera;
  if (positive(fields.exposure_time_s)) camera.push_back(rational_entry(0x829a, *fields.exposure_time_s));
  if (positive(fields.f_number)) camera.push_back(rational_entry(0x829d, *fields.f_number));
  if (positive(fields.iso)) {
    const auto iso = static_cast<uint32_t>(std::lround(*fields.iso));
    camera.push_back(number_entry(0x8827, iso < 65536 ? 3 : 4, iso));
  }
  camera.push_back({0x9000, 7, 4, "0230"});  // version
  if (fields.capture_time_s) {
    const auto [time, milliseconds] = time_texts(*fields.capture_time_s);
    camera.push_back(text_entry(0x9003, time));
    camera.push_back(text_entry(0x9291, milliseconds));
  }
  if (positive(fields.focal_length_35mm_mm))
    camera.push_back(number_entry(0xa405, 3, static_cast<uint32_t>(std::lround(*fields.focal_length_35mm_mm))));

  std::vector<DirectoryEntry> main;
  if (fields.orientation) main.push_back(number_entry(0x0112, 3, static_cast<uint32_t>(*fields.orientation)));
  const uint32_t main_start = 8;
  const uint32_t camera_start = main_start + 2 + 12 * static_cast<uint32_t>(main.size() + 1) + 4;
  main.push_back(number_entry(0x8769, 4, camera_start));

  std::string block = exif_start + "II";
  put16(block, 42);
  put32(block, main_start);
  return block + directory_bytes(main, main_start) + directory_bytes(camera, camera_start);
}

}  // namespace ptl
