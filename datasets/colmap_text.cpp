#include <charconv>
#include <functional>
#include <string_view>

#include "datasets/atomic_file.h"
#include "datasets/colmap_cameras.h"
#include "datasets/colmap_files.h"
#include "datasets/error.h"

namespace ptl::colmap_files {
namespace fs = std::filesystem;

namespace {

/// The fields of one line, separated by blanks.
class LineReader {
 public:
  LineReader(const std::string& path, size_t number, std::string_view line)
      : path_(path), number_(number), rest_(line) {
    skip_blanks();
  }

  bool at_end() const { return rest_.empty(); }

  template <class T>
  T get(const char* what) {
    const std::string_view field = word();
    if (field.empty()) throw InputError("{}, line {}: ends before {}; {}", path_, number_, what, advice);
    T value{};
    const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
    if (error != std::errc() || end != field.data() + field.size())
      throw InputError("{}, line {}: expected a number for {}, found '{}'; {}", path_, number_, what,
                       printable(std::string(field)), advice);
    return value;
  }

  std::string get_word(const char* what) {
    const std::string_view field = word();
    if (field.empty()) throw InputError("{}, line {}: ends before {}; {}", path_, number_, what, advice);
    return std::string(field);
  }

  /// The rest of the line: names may contain blanks.
  std::string get_rest() {
    std::string_view rest = rest_;
    while (!rest.empty() && is_blank(rest.back())) rest.remove_suffix(1);
    rest_ = {};
    return std::string(rest);
  }

  void expect_end(const char* what) const {
    if (!at_end())
      throw InputError("{}, line {}: expected the end of the line after {}, found '{}'; {}", path_, number_, what,
                       printable(std::string(rest_)), advice);
  }

 private:
  static constexpr const char* advice = "is this a COLMAP text model? Export it again with `colmap model_converter`";
  static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

  void skip_blanks() {
    while (!rest_.empty() && is_blank(rest_.front())) rest_.remove_prefix(1);
  }

  std::string_view word() {
    size_t length = 0;
    while (length < rest_.size() && !is_blank(rest_[length])) ++length;
    const std::string_view result = rest_.substr(0, length);
    rest_.remove_prefix(length);
    skip_blanks();
    return result;
  }

  const std::string& path_;
  size_t number_;
  std::string_view rest_;
};

/// The lines of a file in memory.
class TextReader {
 public:
  explicit TextReader(const fs::path& path) : path_(path.string()), text_(read_whole_file(path)) {
    if (text_.find('\0') != std::string::npos)
      throw InputError("{}: expected text, found zero bytes; is it a binary file under another name?", path_);
  }

  /// The next line whatever it holds; false at the end of the file.
  bool next_raw(std::string_view& line) {
    if (at_ >= text_.size()) return false;
    const size_t end = std::min(text_.find('\n', at_), text_.size());
    line = std::string_view(text_).substr(at_, end - at_);
    at_ = end + 1;
    ++number_;
    return true;
  }

  /// The next line that is neither empty nor a comment.
  bool next(std::string_view& line) {
    while (next_raw(line)) {
      const size_t first = line.find_first_not_of(" \t\r");
      if (first != std::string_view::npos && line[first] != '#') return true;
    }
    return false;
  }

  LineReader fields(std::string_view line) const { return LineReader(path_, number_, line); }

 private:
  std::string path_;
  std::string text_;
  size_t at_ = 0;
  size_t number_ = 0;
};

}  // namespace

ColmapModel read_text(const fs::path& model_folder) {
  ColmapModel model;
  std::string_view line;
  {
    const fs::path path = model_folder / "cameras.txt";
    TextReader in(path);
    while (in.next(line)) {
      LineReader fields = in.fields(line);
      ColmapCamera& camera = model.cameras.emplace_back();
      camera.id = fields.get<uint32_t>("the camera's id");
      const ColmapCameraModel& known = colmap_camera_model(fields.get_word("the camera model"), path);
      camera.model_id = known.id;
      camera.width_px = fields.get<uint64_t>("the width");
      camera.height_px = fields.get<uint64_t>("the height");
      camera.params.resize(static_cast<size_t>(known.param_count));
      for (double& value : camera.params) value = fields.get<double>("the camera's parameters");
      fields.expect_end("the camera's parameters");
    }
  }
  {
    TextReader in(model_folder / "images.txt");
    while (in.next(line)) {
      LineReader fields = in.fields(line);
      ColmapImage& image = model.images.emplace_back();
      image.id = fields.get<uint32_t>("the image's id");
      for (double& value : image.rotation_wxyz) value = fields.get<double>("the rotation");
      for (double& value : image.translation) value = fields.get<double>("the translation");
      image.camera_id = fields.get<uint32_t>("the camera's id");
      image.name = fields.get_rest();
      // The second line of an image lists its 2D points and is empty when there are none.
      if (!in.next_raw(line)) break;
      LineReader points = in.fields(line);
      while (!points.at_end()) {
        Observation& observation = image.observations.emplace_back();
        observation.x_px = points.get<double>("x of a 2D point");
        observation.y_px = points.get<double>("y of a 2D point");
        const auto id = points.get<int64_t>("the id of a 2D point's 3D point");
        observation.point_id = static_cast<uint64_t>(id);  // −1, not triangulated, is UINT64_MAX
      }
    }
  }
  {
    TextReader in(model_folder / "points3D.txt");
    while (in.next(line)) {
      LineReader fields = in.fields(line);
      SparsePoint& point = model.points.emplace_back();
      point.id = fields.get<uint64_t>("the point's id");
      for (int axis = 0; axis < 3; ++axis) point.position[axis] = fields.get<double>("the position");
      for (uint8_t& value : point.color) value = fields.get<uint8_t>("the colour (0 to 255)");
      point.reprojection_error_px = fields.get<double>("the reprojection error");
      while (!fields.at_end()) {
        const auto image_id = fields.get<uint32_t>("the image of a track element");
        point.track.emplace_back(image_id, fields.get<uint32_t>("the 2D point of a track element"));
      }
    }
  }
  return model;
}

// fmt prints a double with as many digits as it takes to read the same number back.
void write_text(const ColmapModel& model, const fs::path& model_folder) {
  write_file_atomically(model_folder / "cameras.txt", [&](std::ostream& out) {
    out << "# Camera list with one line of data per camera:\n#   CAMERA_ID, MODEL, WIDTH, HEIGHT, PARAMS[]\n"
        << fmt::format("# Number of cameras: {}\n", model.cameras.size());
    for (const ColmapCamera& camera : model.cameras) {
      out << fmt::format("{} {} {} {}", camera.id, colmap_camera_model(camera.model_id, model_folder).name,
                         camera.width_px, camera.height_px);
      for (const double value : camera.params) out << fmt::format(" {}", value);
      out << '\n';
    }
  });
  write_file_atomically(model_folder / "images.txt", [&](std::ostream& out) {
    out << "# Image list with two lines of data per image:\n"
           "#   IMAGE_ID, QW, QX, QY, QZ, TX, TY, TZ, CAMERA_ID, NAME\n#   POINTS2D[] as (X, Y, POINT3D_ID)\n"
        << fmt::format("# Number of images: {}\n", model.images.size());
    for (const ColmapImage& image : model.images) {
      out << image.id;
      for (const double value : image.rotation_wxyz) out << fmt::format(" {}", value);
      for (const double value : image.translation) out << fmt::format(" {}", value);
      out << fmt::format(" {} {}\n", image.camera_id, image.name);
      const char* separator = "";
      for (const Observation& observation : image.observations) {
        out << fmt::format("{}{} {} {}", separator, observation.x_px, observation.y_px,
                           static_cast<int64_t>(observation.point_id));
        separator = " ";
      }
      out << '\n';
    }
  });
  write_file_atomically(model_folder / "points3D.txt", [&](std::ostream& out) {
    out << "# 3D point list with one line of data per point:\n"
           "#   POINT3D_ID, X, Y, Z, R, G, B, ERROR, TRACK[] as (IMAGE_ID, POINT2D_IDX)\n"
        << fmt::format("# Number of points: {}\n", model.points.size());
    for (const SparsePoint& point : model.points) {
      out << fmt::format("{} {} {} {} {} {} {} {}", point.id, point.position.x, point.position.y, point.position.z,
                         point.color[0], point.color[1], point.color[2], point.reprojection_error_px);
      for (const auto& [image_id, index] : point.track) out << fmt::format(" {} {}", image_id, index);
      out << '\n';
    }
  });
}

}  // namespace ptl::colmap_files
