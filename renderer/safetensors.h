// Files in the safetensors layout: 8-byte little-endian length of the header, a JSON header, raw little-endian tensors.
// Safe to open from strangers: every length, offset, shape and name is checked before anything is allocated.
#pragma once

#include <torch/torch.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace ptl {

/// Named tensors in the order in which they are to be written, any of float64, float32, float16, int64, int32, uint8.
using NamedTensors = std::vector<std::pair<std::string, torch::Tensor>>;

/// Writes the tensors (copied to the CPU and to planar layout where needed) and the metadata, atomically. Equal input
/// gives equal bytes. The header is padded with spaces to a multiple of 8 bytes, and tensors are laid out with the widest
/// elements first, so that each is aligned to its element. InputError: two tensors of one name, the file system.
void write_safetensors(const std::filesystem::path& path, const NamedTensors& tensors,
                       const std::map<std::string, std::string>& metadata = {});

/// A file whose header has been read and checked. Tensors are read one by one when asked for.
class SafetensorsFile {
 public:
  struct Entry {
    torch::ScalarType dtype;
    std::vector<int64_t> shape;
    uint64_t begin_byte;             ///< in the file
    uint64_t end_byte;
  };

  /// InputError when the file cannot be read, is no safetensors file, is cut off, or its header contradicts itself.
  explicit SafetensorsFile(const std::filesystem::path& path);
  /// A file's bytes that are in memory already, and stay there as long as this; `name` stands in messages.
  SafetensorsFile(std::string name, std::span<const std::byte> bytes);

  const std::filesystem::path& path() const { return path_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  const std::map<std::string, Entry>& entries() const { return entries_; }
  bool contains(const std::string& name) const { return entries_.count(name) != 0; }

  /// A tensor of its own memory on the CPU. InputError when the file has none of this name.
  torch::Tensor read(const std::string& name) const;

  /// The same, and an InputError that names both where dtype or shape are not as expected (−1: any length).
  torch::Tensor read(const std::string& name, torch::ScalarType dtype, const std::vector<int64_t>& shape) const;

  /// All tensors, sorted by name.
  std::map<std::string, torch::Tensor> read_all() const;

  /// A metadata entry. InputError when it is absent.
  const std::string& metadata_value(const std::string& key) const;

 private:
  void read_header(uint64_t file_bytes);
  /// False: there are not as many bytes.
  bool read_bytes(uint64_t at, void* to, uint64_t count) const;

  std::filesystem::path path_;
  std::span<const std::byte> memory_;  ///< empty: a file
  std::map<std::string, std::string> metadata_;
  std::map<std::string, Entry> entries_;
};

}  // namespace ptl
