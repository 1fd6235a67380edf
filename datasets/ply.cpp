#include "datasets/ply.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>

#include "datasets/atomic_file.h"
#include "datasets/error.h"

namespace ptl {
namespace fs = std::filesystem;

namespace {

static_assert(std::endian::native == std::endian::little);

enum class Format { ascii, little_endian, big_endian };
enum class Number { int8, uint8, int16, uint16, int32, uint32, float32, float64 };

size_t size_of(Number type) {
  constexpr size_t sizes[] = {1, 1, 2, 2, 4, 4, 4, 8};
  return sizes[static_cast<int>(type)];
}

bool is_float(Number type) { return type == Number::float32 || type == Number::float64; }

std::optional<Number> number_from_name(const std::string& name) {
  constexpr std::array<std::array<const char*, 2>, 8> names = {{{"char", "int8"},
                                                                {"uchar", "uint8"},
                                                                {"short", "int16"},
                                                                {"ushort", "uint16"},
                                                                {"int", "int32"},
                                                                {"uint", "uint32"},
                                                                {"float", "float32"},
                                                                {"double", "float64"}}};
  for (size_t i = 0; i < names.size(); ++i)
    if (name == names[i][0] || name == names[i][1]) return static_cast<Number>(i);
  return std::nullopt;
}

struct Property {
  std::string name;
  Number type = Number::float32;
  std::optional<Number> count_type;  ///< set: a list
};

struct Element {
  std::string name;
  uint64_t count = 0;
  std::vector<Property> properties;
};

struct Header {
  Format format = Format::ascii;
  std::vector<Element> elements;
  std::vector<std::string> comments;
};

constexpr const char* advice = "is the file complete, and really a PLY file?";

/// The file through a fixed buffer: clouds may be larger than what should be in memory twice.
class Source {
 public:
  explicit Source(const fs::path& path) : path_(path.string()), buffer_(size_t(1) << 20) {
    std::error_code error;
    if (!fs::exists(path, error)) throw InputError("{}: no such file", path_);
    if (!fs::is_regular_file(path, error)) throw InputError("{}: expected a PLY file, found a folder or a device", path_);
    left_in_file_ = fs::file_size(path);
    stream_.open(path, std::ios::binary);
    if (!stream_) throw InputError("{}: could not be opened for reading", path_);
  }

  uint64_t remaining() const { return left_in_file_ + (end_ - at_); }

  /// `size` bytes (at most the buffer's size), valid until the next call.
  const char* take(size_t size) {
    if (end_ - at_ < size) fill();
    if (end_ - at_ < size) fail();
    at_ += size;
    return buffer_.data() + (at_ - size);
  }

  std::string line() {
    std::string result;
    for (;;) {
      if (at_ == end_) fill();
      if (at_ == end_) throw InputError("{}: the header has no end_header; {}", path_, advice);
      const char c = buffer_[at_++];
      if (c == '\n') break;
      if (result.size() > 4096) throw InputError("{}: a header line is longer than 4096 bytes; {}", path_, advice);
      result += c;
    }
    while (!result.empty() && (result.back() == '\r' || result.back() == ' ')) result.pop_back();
    return result;
  }

  /// The next blank-separated word of an ascii body.
  std::string_view word() {
    const auto blank = [](char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; };
    for (;;) {
      if (at_ == end_) fill();
      if (at_ == end_) fail();
      if (!blank(buffer_[at_])) break;
      ++at_;
    }
    if (end_ - at_ < 512) fill();
    const size_t start = at_;
    while (at_ < end_ && !blank(buffer_[at_])) ++at_;
    return {buffer_.data() + start, at_ - start};
  }

  /// Where the reader stands, for messages about an early end.
  void enter(const std::string& element, uint64_t index) {
    element_ = &element;
    index_ = index;
  }

  [[noreturn]] void fail() const {
    throw InputError("{}: ends in the middle of {} {}; {}", path_, element_ ? *element_ : "the header", index_, advice);
  }

  const std::string& path() const { return path_; }

 private:
  void fill() {
    std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(at_), buffer_.begin() + static_cast<std::ptrdiff_t>(end_),
              buffer_.begin());
    end_ -= at_;
    at_ = 0;
    const size_t wanted = static_cast<size_t>(std::min<uint64_t>(buffer_.size() - end_, left_in_file_));
    stream_.read(buffer_.data() + end_, static_cast<std::streamsize>(wanted));
    const auto got = static_cast<size_t>(stream_.gcount());
    end_ += got;
    left_in_file_ = got == wanted ? left_in_file_ - got : 0;
  }

  std::string path_;
  std::ifstream stream_;
  std::vector<char> buffer_;
  size_t at_ = 0, end_ = 0;
  uint64_t left_in_file_ = 0;
  const std::string* element_ = nullptr;
  uint64_t index_ = 0;
};

Number parse_number_type(const std::string& name, const std::string& path) {
  if (const auto type = number_from_name(name)) return *type;
  throw InputError("{}: header: unknown number type '{}'; expected char, uchar, short, ushort, int, uint, float or double",
                   path, name);
}

Header read_header(Source& in) {
  const std::string& path = in.path();
  const char* magic = in.remaining() >= 4 ? in.take(3) : "";
  if (std::strncmp(magic, "ply", 3) != 0 || !in.line().empty())
    throw InputError("{}: expected a PLY file, whose first line is 'ply'; found something else", path);
  Header header;
  bool has_format = false;
  for (std::string line = in.line(); line != "end_header"; line = in.line()) {
    std::istringstream words(line);
    std::string keyword;
    words >> keyword;
    if (keyword == "comment" || keyword == "obj_info") {
      if (keyword == "comment") header.comments.push_back(line.size() > 8 ? line.substr(8) : "");
    } else if (keyword == "format") {
      std::string name, version;
      words >> name >> version;
      if (name == "ascii") header.format = Format::ascii;
      else if (name == "binary_little_endian") header.format = Format::little_endian;
      else if (name == "binary_big_endian") header.format = Format::big_endian;
      else
        throw InputError("{}: header: expected format ascii, binary_little_endian or binary_big_endian, found '{}'", path,
                         line);
      has_format = true;
    } else if (keyword == "element") {
      Element& element = header.elements.emplace_back();
      long long count = -1;
      words >> element.name >> count;
      if (words.fail() || count < 0)
        throw InputError("{}: header: expected 'element NAME COUNT', found '{}'", path, line);
      element.count = static_cast<uint64_t>(count);
    } else if (keyword == "property" && !header.elements.empty()) {
      Property property;
      std::string type;
      words >> type;
      if (type == "list") {
        std::string count_type;
        words >> count_type >> type;
        property.count_type = parse_number_type(count_type, path);
        if (is_float(*property.count_type))
          throw InputError("{}: header: the length of a list must be an integer, found '{}'", path, line);
      }
      property.type = parse_number_type(type, path);
      words >> property.name;
      if (words.fail()) throw InputError("{}: header: expected 'property TYPE NAME', found '{}'", path, line);
      header.elements.back().properties.push_back(property);
    } else {
      throw InputError("{}: header: expected format, comment, element, property or end_header, found '{}'; {}", path,
                       line.substr(0, 80), advice);
    }
  }
  if (!has_format) throw InputError("{}: header: has no format line; {}", path, advice);
  return header;
}

double read_ascii(Source& in) {
  std::string_view word = in.word();
  if (!word.empty() && word.front() == '+') word.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (end != word.data() + word.size() || (error != std::errc() && error != std::errc::result_out_of_range))
    throw InputError("{}: expected a number, found '{}'; {}", in.path(), std::string(word.substr(0, 40)), advice);
  return value;
}

template <class T>
double decode(const char* bytes, bool swap) {
  char ordered[sizeof(T)];
  std::memcpy(ordered, bytes, sizeof(T));
  if (swap) std::reverse(ordered, ordered + sizeof(T));
  T value;
  std::memcpy(&value, ordered, sizeof(T));
  return static_cast<double>(value);
}

double read_number(Source& in, Format format, Number type) {
  if (format == Format::ascii) return read_ascii(in);
  const char* bytes = in.take(size_of(type));
  const bool swap = format == Format::big_endian;
  switch (type) {
    case Number::int8: return decode<int8_t>(bytes, swap);
    case Number::uint8: return decode<uint8_t>(bytes, swap);
    case Number::int16: return decode<int16_t>(bytes, swap);
    case Number::uint16: return decode<uint16_t>(bytes, swap);
    case Number::int32: return decode<int32_t>(bytes, swap);
    case Number::uint32: return decode<uint32_t>(bytes, swap);
    case Number::float32: return decode<float>(bytes, swap);
    case Number::float64: return decode<double>(bytes, swap);
  }
  return 0;
}

/// How many entries of a list follow.
uint64_t read_length(Source& in, Format format, const Property& property) {
  const double length = read_number(in, format, *property.count_type);
  const size_t least = format == Format::ascii ? 1 : size_of(property.type);
  if (!(length >= 0) || length != std::floor(length) || length > static_cast<double>(in.remaining() / least))
    throw InputError("{}: a list of '{}' says {} entries, more than the rest of the file holds; {}", in.path(),
                     property.name, length, advice);
  return static_cast<uint64_t>(length);
}

/// Reads a property that nobody wants.
void skip_property(Source& in, Format format, const Property& property) {
  const uint64_t numbers = property.count_type ? read_length(in, format, property) : 1;
  for (uint64_t i = 0; i < numbers; ++i) read_number(in, format, property.type);
}

void read_seen_by(Source& in, Format format, const Property& property, SeenBy& seen_by) {
  for (uint64_t i = read_length(in, format, property); i > 0; --i)
    seen_by.image_id.push_back(static_cast<uint32_t>(read_number(in, format, property.type)));
  seen_by.first.push_back(seen_by.image_id.size());
}

/// The fewest bytes that one item of the element takes.
uint64_t least_bytes(const Element& element, Format format) {
  uint64_t sum = 0;
  for (const Property& property : element.properties)
    sum += format == Format::ascii ? 2 : size_of(property.count_type.value_or(property.type));
  return sum;
}

void check_count(const Source& in, const Element& element, Format format) {
  const uint64_t item = least_bytes(element, format);
  if (item == 0) return;
  const uint64_t room = (in.remaining() + (format == Format::ascii ? 1 : 0)) / item;  // the last newline may be missing
  if (element.count > room)
    throw InputError("{}: header says {} items of '{}', but the {} bytes that follow can hold at most {}; {}", in.path(),
                     element.count, element.name, in.remaining(), room, advice);
}

int index_of(const Element& element, std::initializer_list<const char*> names) {
  for (const char* name : names)
    for (size_t i = 0; i < element.properties.size(); ++i)
      if (element.properties[i].name == name && !element.properties[i].count_type) return static_cast<int>(i);
  return -1;
}

/// The property "list … uint seen_by"; -1 where there is none, or more than one.
int index_of_seen_by(const Element& element) {
  int found = -1;
  for (size_t i = 0; i < element.properties.size(); ++i) {
    const Property& property = element.properties[i];
    if (property.name != "seen_by" || !property.count_type || property.type != Number::uint32) continue;
    if (found >= 0) return -1;
    found = static_cast<int>(i);
  }
  return found;
}

uint8_t to_byte(double value) { return static_cast<uint8_t>(std::lround(std::clamp(value, 0.0, 255.0))); }

void read_vertices(Source& in, Format format, const Element& vertex, const Vec3<double>& origin_world,
                   PlyContents& contents) {
  const int position[3] = {index_of(vertex, {"x"}), index_of(vertex, {"y"}), index_of(vertex, {"z"})};
  const int color[3] = {index_of(vertex, {"red", "diffuse_red", "r"}), index_of(vertex, {"green", "diffuse_green", "g"}),
                        index_of(vertex, {"blue", "diffuse_blue", "b"})};
  const int normal[3] = {index_of(vertex, {"nx", "normal_x"}), index_of(vertex, {"ny", "normal_y"}),
                         index_of(vertex, {"nz", "normal_z"})};
  for (int axis = 0; axis < 3; ++axis)
    if (position[axis] < 0)
      throw InputError("{}: the vertices have no property '{}'; expected x, y and z", in.path(), "xyz"[axis]);
  const auto all = [](const int (&index)[3]) { return index[0] >= 0 && index[1] >= 0 && index[2] >= 0; };
  contents.has_color = all(color);
  bool has_normal = all(normal);
  const int confidence = index_of(vertex, {"confidence"}), seen_by = index_of_seen_by(vertex);
  if (seen_by >= 0) contents.seen_by.first.push_back(0);
  if (confidence >= 0 && !vertex.properties[static_cast<size_t>(confidence)].count_type)
    contents.confidence.resize(vertex.count);

  PointCloud& cloud = contents.cloud;
  cloud.position.resize(vertex.count);
  cloud.color.assign(vertex.count, {128, 128, 128});
  if (has_normal) cloud.normal.resize(vertex.count);
  const Number color_type = contents.has_color ? vertex.properties[static_cast<size_t>(color[0])].type : Number::uint8;
  std::vector<std::array<float, 3>> float_color;  // its range is known only at the end
  if (contents.has_color && is_float(color_type)) float_color.resize(vertex.count);
  float largest_color = 0;

  std::vector<double> value(vertex.properties.size());
  for (uint64_t i = 0; i < vertex.count; ++i) {
    in.enter(vertex.name, i);
    for (size_t p = 0; p < vertex.properties.size(); ++p)
      if (static_cast<int>(p) == seen_by) read_seen_by(in, format, vertex.properties[p], contents.seen_by);
      else if (vertex.properties[p].count_type) skip_property(in, format, vertex.properties[p]);
      else value[p] = read_number(in, format, vertex.properties[p].type);
    for (int axis = 0; axis < 3; ++axis) {
      const double world = value[static_cast<size_t>(position[axis])];
      const auto relative = static_cast<float>(world - origin_world[axis]);
      if (!std::isfinite(world) || !std::isfinite(relative))
        throw InputError("{}: vertex {} has the position ({}, {}, {}); positions must be finite; remove such points from "
                         "the cloud", in.path(), i, value[static_cast<size_t>(position[0])],
                         value[static_cast<size_t>(position[1])], value[static_cast<size_t>(position[2])]);
      cloud.position[i][axis] = relative;
    }
    for (int c = 0; contents.has_color && c < 3; ++c) {
      const double channel = value[static_cast<size_t>(color[c])];
      if (!float_color.empty()) {
        float_color[i][static_cast<size_t>(c)] = std::isfinite(channel) ? static_cast<float>(channel) : 0.0f;
        largest_color = std::max(largest_color, float_color[i][static_cast<size_t>(c)]);
      } else {
        cloud.color[i][static_cast<size_t>(c)] = to_byte(color_type == Number::uint16 ? channel / 257 : channel);
      }
    }
    if (!contents.confidence.empty()) {
      const double found = value[static_cast<size_t>(confidence)];
      contents.confidence[i] = std::isfinite(found) ? static_cast<float>(std::clamp(found, 0.0, 1.0)) : 0.0f;
    }
    if (has_normal) {
      const Vec3<double> n(value[static_cast<size_t>(normal[0])], value[static_cast<size_t>(normal[1])],
                           value[static_cast<size_t>(normal[2])]);
      const double length = std::sqrt(glm::dot(n, n));
      has_normal = length > 1e-12 && std::isfinite(length);
      if (has_normal) cloud.normal[i] = Vec3<float>(n / length);
    }
  }
  if (!has_normal) cloud.normal.clear();
  const double scale = largest_color > 1 ? 1 : 255;
  for (size_t i = 0; i < float_color.size(); ++i)
    for (size_t c = 0; c < 3; ++c) cloud.color[i][c] = to_byte(float_color[i][c] * scale);
}

}  // namespace

PlyContents read_ply(const fs::path& path, const Vec3<double>& origin_world) {
  Source in(path);
  Header header = read_header(in);
  PlyContents contents;
  contents.comments = std::move(header.comments);
  for (const Element& element : header.elements) {
    check_count(in, element, header.format);
    if (element.name == "vertex") {
      if (element.count == 0) break;
      read_vertices(in, header.format, element, origin_world, contents);
      return contents;  // what follows (faces) is of no interest
    }
    for (uint64_t i = 0; i < element.count && !element.properties.empty(); ++i) {
      in.enter(element.name, i);
      for (const Property& property : element.properties) skip_property(in, header.format, property);
    }
  }
  throw InputError("{}: expected points (element 'vertex'), found none; choose another cloud with --points", path.string());
}

}  // namespace ptl
