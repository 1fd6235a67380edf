#include "renderer/safetensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "datasets/atomic_file.h"
#include "datasets/error.h"

namespace ptl {
namespace {

static_assert(std::endian::native == std::endian::little, "tensors are written as they lie in memory");

constexpr uint64_t longest_header_bytes = 100'000'000;  // the limit of the format's own reader
constexpr int deepest_header = 3;  // the object, a tensor's object, its list: more only wastes the stack

struct DtypeRow {
  const char* name;
  torch::ScalarType dtype;
  uint64_t bytes;
};
constexpr std::array<DtypeRow, 6> dtype_table = {{{"F64", torch::kFloat64, 8},
                                                  {"I64", torch::kInt64, 8},
                                                  {"F32", torch::kFloat32, 4},
                                                  {"I32", torch::kInt32, 4},
                                                  {"F16", torch::kFloat16, 2},
                                                  {"U8", torch::kUInt8, 1}}};

const DtypeRow* find_dtype(torch::ScalarType dtype) {
  for (const DtypeRow& row : dtype_table)
    if (row.dtype == dtype) return &row;
  return nullptr;
}

const DtypeRow* find_dtype(const std::string& name) {
  for (const DtypeRow& row : dtype_table)
    if (name == row.name) return &row;
  return nullptr;
}

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i)
    text += (i ? ", " : "") + (shape[i] < 0 ? std::string("any") : std::to_string(shape[i]));
  return text + "]";
}

/// JSON with two equal keys in one object, or nested deeper than a header is, is refused: nlohmann-json would take the
/// last of the equal keys.
nlohmann::json parse_header(const std::string& text, const std::string& file) {
  std::vector<std::set<std::string>> keys;
  const auto watch = [&](int depth, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
    using Event = nlohmann::json::parse_event_t;
    if (event == Event::object_start || event == Event::array_start) {
      if (depth >= deepest_header) throw InputError("{}: its header is nested too deeply for a safetensors file", file);
      if (event == Event::object_start) keys.emplace_back();
    } else if (event == Event::object_end) {
      keys.pop_back();
    } else if (event == Event::key && !keys.back().insert(parsed.get<std::string>()).second) {
      throw InputError("{}: its header has \"{}\" twice", file, parsed.get<std::string>());
    }
    return true;
  };
  nlohmann::json header;
  try {
    header = nlohmann::json::parse(text, watch);
  } catch (const nlohmann::json::exception& error) {
    throw InputError("{}: expected a safetensors file; its header is no JSON ({})", file, error.what());
  }
  if (!header.is_object()) throw InputError("{}: expected a JSON object as header of a safetensors file", file);
  return header;
}

/// One entry, with offsets still relative to the data.
SafetensorsFile::Entry parse_entry(const std::string& name, const nlohmann::json& json, uint64_t data_bytes,
                                   const std::string& file) {
  const auto refuse = [&](const std::string& why) { throw InputError("{}: tensor \"{}\": {}", file, name, why); };
  if (!json.is_object() || json.size() != 3 || !json.contains("dtype") || !json.contains("shape") ||
      !json.contains("data_offsets"))
    refuse("expected an object of dtype, shape and data_offsets");
  if (!json["dtype"].is_string()) refuse("its dtype is no text");
  const DtypeRow* dtype = find_dtype(json["dtype"].get<std::string>());
  if (!dtype) refuse("dtype " + json["dtype"].get<std::string>() + " is not one of F64, F32, F16, I64, I32, U8");
  if (!json["shape"].is_array() || json["shape"].size() > 16) refuse("its shape is no list of at most 16 lengths");

  SafetensorsFile::Entry entry{};
  entry.dtype = dtype->dtype;
  uint64_t bytes = dtype->bytes;
  bool empty = false;
  for (const nlohmann::json& length : json["shape"]) {
    if (!length.is_number_unsigned() || length.get<uint64_t>() > static_cast<uint64_t>(INT64_MAX))
      refuse("its shape holds " + length.dump() + ", expected a whole number of at least 0");
    const uint64_t n = length.get<uint64_t>();
    empty = empty || n == 0;
    // A zero among wild lengths makes 0 bytes, yet the product of the others must not overflow in later code either.
    if (n > 0 && __builtin_mul_overflow(bytes, n, &bytes)) refuse("its shape needs more bytes than can be counted");
    entry.shape.push_back(static_cast<int64_t>(n));
  }
  if (bytes > static_cast<uint64_t>(INT64_MAX)) refuse("its shape needs more bytes than can be counted");
  if (empty) bytes = 0;
  const nlohmann::json& offsets = json["data_offsets"];
  if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
      !offsets[1].is_number_unsigned())
    refuse("expected two whole numbers as data_offsets, found " + offsets.dump());
  entry.begin_byte = offsets[0].get<uint64_t>();
  entry.end_byte = offsets[1].get<uint64_t>();
  if (entry.begin_byte > entry.end_byte || entry.end_byte > data_bytes)
    refuse(fmt::format("its bytes {} to {} do not lie within the {} bytes of data (is the file cut off?)",
                       entry.begin_byte, entry.end_byte, data_bytes));
  if (entry.end_byte - entry.begin_byte != bytes)
    refuse(fmt::format("{} {} needs {} bytes, its data_offsets give {}", dtype->name, shape_text(entry.shape), bytes,
                       entry.end_byte - entry.begin_byte));
  return entry;
}

/// Tensors must cover the data exactly: no overlap, no gap, nothing behind the last.
void check_cover(const std::map<std::string, SafetensorsFile::Entry>& entries, uint64_t data_bytes,
                 const std::string& file) {
  std::vector<std::pair<std::pair<uint64_t, uint64_t>, const std::string*>> ranges;
  for (const auto& [name, entry] : entries) ranges.push_back({{entry.begin_byte, entry.end_byte}, &name});
  std::sort(ranges.begin(), ranges.end());
  uint64_t at = 0;
  for (const auto& [range, name] : ranges) {
    if (range.first < at)
      throw InputError("{}: the bytes of tensor \"{}\" overlap those of the tensor before it", file, *name);
    if (range.first > at)
      throw InputError("{}: {} bytes before tensor \"{}\" belong to no tensor", file, range.first - at, *name);
    at = range.second;
  }
  if (at != data_bytes) throw InputError("{}: the last {} bytes belong to no tensor", file, data_bytes - at);
}

}  // namespace

void write_safetensors(const std::filesystem::path& path, const NamedTensors& tensors,
                       const std::map<std::string, std::string>& metadata) {
  struct Item {
    const std::string* name;
    torch::Tensor tensor;
    const DtypeRow* dtype;
  };
  std::vector<Item> items;
  std::set<std::string> names;
  for (const auto& [name, tensor] : tensors) {
    if (name == "__metadata__" || !names.insert(name).second)
      throw InputError("{}: cannot write two tensors named \"{}\"", path.string(), name);
    TORCH_CHECK(tensor.defined(), "write_safetensors: \"", name, "\" is undefined");
    const DtypeRow* dtype = find_dtype(tensor.scalar_type());
    TORCH_CHECK(dtype, "write_safetensors: \"", name, "\" has dtype ", tensor.scalar_type(),
                ", expected float64, float32, float16, int64, int32 or uint8");
    items.push_back({&name, tensor.detach().to(torch::kCPU).contiguous(), dtype});
  }
  // Widest elements first: with a header padded to 8 bytes, each tensor is aligned to its element.
  std::stable_sort(items.begin(), items.end(),
                   [](const Item& a, const Item& b) { return a.dtype->bytes > b.dtype->bytes; });
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  uint64_t at = 0;
  for (const Item& item : items) {
    const uint64_t end = at + item.tensor.nbytes();
    header[*item.name] = {
        {"dtype", item.dtype->name}, {"shape", item.tensor.sizes().vec()}, {"data_offsets", {at, end}}};
    at = end;
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  const uint64_t header_bytes = text.size();
  TORCH_CHECK(header_bytes <= longest_header_bytes, "write_safetensors: the header is longer than the format allows");
  write_file_atomically(path, [&](std::ostream& out) {
    out.write(reinterpret_cast<const char*>(&header_bytes), sizeof header_bytes);
    out.write(text.data(), static_cast<std::streamsize>(text.size()));
    for (const Item& item : items)
      if (item.tensor.nbytes() > 0)
        out.write(static_cast<const char*>(item.tensor.const_data_ptr()),
                  static_cast<std::streamsize>(item.tensor.nbytes()));
  });
}

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path) : path_(path) {
  const std::string file = path.string();
  std::error_code error;
  if (!std::filesystem::exists(path, error)) throw InputError("{}: no such file", file);
  if (!std::filesystem::is_regular_file(path, error)) throw InputError("{}: expected a file", file);
  const uint64_t file_bytes = std::filesystem::file_size(path, error);
  if (error || !std::ifstream(path, std::ios::binary)) throw InputError("{}: cannot be opened for reading", file);
  read_header(file_bytes);
}

SafetensorsFile::SafetensorsFile(std::string name, std::span<const std::byte> bytes) : path_(std::move(name)), memory_(bytes) {
  read_header(bytes.size());
}

bool SafetensorsFile::read_bytes(uint64_t at, void* to, uint64_t count) const {
  if (!memory_.empty()) {
    if (at > memory_.size() || count > memory_.size() - at) return false;
    std::memcpy(to, memory_.data() + at, count);
    return true;
  }
  std::ifstream in(path_, std::ios::binary);
  in.seekg(static_cast<std::streamoff>(at));
  return static_cast<bool>(in.read(static_cast<char*>(to), static_cast<std::streamsize>(count)));
}

void SafetensorsFile::read_header(uint64_t file_bytes) {
  const std::string file = path_.string();
  uint64_t header_bytes = 0;
  if (file_bytes < 8 || !read_bytes(0, &header_bytes, 8))
    throw InputError("{}: expected a safetensors file, found only {} bytes", file, file_bytes);
  if (header_bytes > file_bytes - 8)
    throw InputError("{}: expected a safetensors file; it gives its header {} bytes, but only {} follow", file,
                     header_bytes, file_bytes - 8);
  if (header_bytes > longest_header_bytes)
    throw InputError("{}: its header has {} bytes; a safetensors file has at most {}", file, header_bytes,
                     longest_header_bytes);
  std::string text(header_bytes, '\0');
  if (!read_bytes(8, text.data(), header_bytes))
    throw InputError("{}: its header cannot be read", file);
  if (text.empty() || text.front() != '{')
    throw InputError("{}: expected a safetensors file; its header does not begin with '{{'", file);
  const nlohmann::json header = parse_header(text, file);
  const uint64_t data_begin = 8 + header_bytes, data_bytes = file_bytes - data_begin;
  for (const auto& [name, value] : header.items()) {
    if (name == "__metadata__") {
      if (!value.is_object()) throw InputError("{}: its __metadata__ is no JSON object", file);
      for (const auto& [key, entry] : value.items()) {
        if (!entry.is_string()) throw InputError("{}: metadata \"{}\" is no text", file, key);
        metadata_[key] = entry.get<std::string>();
      }
      continue;
    }
    entries_.emplace(name, parse_entry(name, value, data_bytes, file));
  }
  check_cover(entries_, data_bytes, file);
  for (auto& [name, entry] : entries_) {
    entry.begin_byte += data_begin;
    entry.end_byte += data_begin;
  }
}

torch::Tensor SafetensorsFile::read(const std::string& name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) throw InputError("{}: there is no tensor \"{}\" in it", path_.string(), name);
  const Entry& entry = found->second;
  // The bytes are there for sure: the constructor held them against the size of the file.
  torch::Tensor out = torch::empty(entry.shape, torch::TensorOptions().dtype(entry.dtype));
  const uint64_t bytes = entry.end_byte - entry.begin_byte;
  if (bytes == 0) return out;
  if (!read_bytes(entry.begin_byte, out.mutable_data_ptr(), bytes))
    throw InputError("{}: tensor \"{}\" cannot be read: the file has become shorter", path_.string(), name);
  return out;
}

torch::Tensor SafetensorsFile::read(const std::string& name, torch::ScalarType dtype,
                                    const std::vector<int64_t>& shape) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) throw InputError("{}: there is no tensor \"{}\" in it", path_.string(), name);
  const Entry& entry = found->second;
  bool good = entry.dtype == dtype && entry.shape.size() == shape.size();
  for (size_t i = 0; good && i < shape.size(); ++i) good = shape[i] < 0 || shape[i] == entry.shape[i];
  const DtypeRow* expected = find_dtype(dtype);
  TORCH_CHECK(expected, "SafetensorsFile: unsupported dtype ", dtype);
  if (!good)
    throw InputError("{}: tensor \"{}\": expected {} {}, found {} {}", path_.string(), name, expected->name,
                     shape_text(shape), find_dtype(entry.dtype)->name, shape_text(entry.shape));
  return read(name);
}

std::map<std::string, torch::Tensor> SafetensorsFile::read_all() const {
  std::map<std::string, torch::Tensor> out;
  for (const auto& [name, entry] : entries_) out.emplace(name, read(name));
  return out;
}

const std::string& SafetensorsFile::metadata_value(const std::string& key) const {
  const auto found = metadata_.find(key);
  if (found == metadata_.end()) throw InputError("{}: its metadata has no \"{}\"", path_.string(), key);
  return found->second;
}

}  // namespace ptl
