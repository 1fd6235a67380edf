// The file format. A file of this writer was read once by the Python package safetensors 0.8 and one of that package by
// this reader; the bytes of a small one stand below.
#include "renderer/safetensors.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "datasets/error.h"
#include "kernels/hash.h"

namespace ptl {
namespace {

class Safetensors : public ::testing::Test {
 protected:
  std::filesystem::path path_ = std::filesystem::path(::testing::TempDir()) /
                                (std::string("ptl_") +
                                 ::testing::UnitTest::GetInstance()->current_test_info()->name() + ".safetensors");
  ~Safetensors() override { std::filesystem::remove(path_); }

  void write_bytes(const std::string& bytes) const {
    std::ofstream(path_, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  std::string bytes() const {
    std::ifstream in(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }
  static std::string with_header(const std::string& header, const std::string& data = "") {
    const uint64_t length = header.size();
    std::string out(8, '\0');
    std::memcpy(out.data(), &length, 8);
    return out + header + data;
  }
  /// The message that opening and reading everything gives.
  std::string message(const std::string& contents) const {
    write_bytes(contents);
    try {
      SafetensorsFile(path_).read_all();
    } catch (const InputError& error) {
      EXPECT_NE(std::string(error.what()).find(path_.string()), std::string::npos) << error.what();
      return error.what();
    }
    return "accepted";
  }
  void expect_message(const std::string& contents, const std::string& part) const {
    const std::string text = message(contents);
    EXPECT_NE(text.find(part), std::string::npos) << "expected: " << part << "\nfound: " << text;
  }
};

NamedTensors sample() {
  return {{"bytes", torch::tensor({1, 2, 3}, torch::kUInt8)},
          {"half", torch::tensor({0.5, -2.0}).to(torch::kFloat16)},
          {"float", torch::arange(6, torch::kFloat32).view({2, 3}).t()},  // not contiguous
          {"int", torch::tensor({-7}, torch::kInt32)},
          {"long", torch::tensor({{INT64_MAX}}, torch::kInt64)},
          {"double", torch::scalar_tensor(1.0 / 3, torch::kFloat64)},
          {"empty", torch::empty({0, 4})}};
}

TEST_F(Safetensors, RoundTrip) {
  const NamedTensors tensors = sample();
  write_safetensors(path_, tensors, {{"format", "1"}, {"quote", "\"\\\n\xc3\xa9"}});
  const SafetensorsFile file(path_);
  EXPECT_EQ(file.entries().size(), tensors.size());
  EXPECT_EQ(file.metadata_value("format"), "1");
  EXPECT_EQ(file.metadata_value("quote"), "\"\\\n\xc3\xa9");
  EXPECT_THROW(file.metadata_value("nothing"), InputError);
  EXPECT_THROW(file.read("nothing"), InputError);
  for (const auto& [name, tensor] : tensors) {
    const torch::Tensor read = file.read(name);
    EXPECT_EQ(read.scalar_type(), tensor.scalar_type()) << name;
    EXPECT_TRUE(torch::equal(read, tensor)) << name;
    const SafetensorsFile::Entry& entry = file.entries().at(name);
    EXPECT_EQ(entry.begin_byte % tensor.element_size(), 0u) << name << " is not aligned";
  }
  const std::string first = bytes();
  write_safetensors(path_, tensors, {{"format", "1"}, {"quote", "\"\\\n\xc3\xa9"}});
  EXPECT_EQ(first, bytes());
}

TEST_F(Safetensors, ExactBytes) {
  write_safetensors(path_, {{"b", torch::tensor({7}, torch::kUInt8)}, {"a", torch::tensor({1.0f})}}, {{"k", "v"}});
  const std::string header = R"({"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                             R"("b":{"dtype":"U8","shape":[1],"data_offsets":[4,5]}})";
  std::string padded = header + std::string((8 - header.size() % 8) % 8, ' ');
  EXPECT_EQ(bytes(), with_header(padded, std::string("\0\0\x80\x3f\x07", 5)));
}

TEST_F(Safetensors, ExpectedShape) {
  write_safetensors(path_, {{"a", torch::zeros({2, 3})}});
  const SafetensorsFile file(path_);
  EXPECT_NO_THROW(file.read("a", torch::kFloat32, {-1, 3}));
  try {
    file.read("a", torch::kFloat64, {2, -1, 4});
    FAIL() << "accepted";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("expected F64 [2, any, 4], found F32 [2, 3]"), std::string::npos)
        << error.what();
  }
  EXPECT_THROW(write_safetensors(path_, {{"a", torch::zeros(1)}, {"a", torch::zeros(1)}}), InputError);
}

TEST_F(Safetensors, WildFilesAreRefusedWithReasons) {
  const auto one = [](const std::string& entry, const std::string& data = "") {
    return with_header("{\"a\":" + entry + "}", data);
  };
  expect_message("", "found only 0 bytes");
  expect_message("1234567", "found only 7 bytes");
  expect_message(std::string(8, '\xff'), "gives its header");
  expect_message(with_header("{}").substr(0, 9), "gives its header");
  expect_message(with_header(""), "does not begin with '{'");
  expect_message(with_header("[]"), "does not begin with '{'");
  expect_message(with_header("{\"a\":"), "no JSON");
  expect_message(with_header("{\"a\xff\":1}"), "no JSON");
  expect_message(with_header("{\"a\":" + std::string(100000, '[')), "nested too deeply");
  expect_message(one("3"), "expected an object");
  expect_message(one(R"({"dtype":"F32","shape":[1]})"), "expected an object of dtype");
  expect_message(one(R"({"dtype":"BF16","shape":[1],"data_offsets":[0,2]})", "xx"), "dtype BF16 is not one of");
  expect_message(one(R"({"dtype":3,"shape":[1],"data_offsets":[0,4]})", "xxxx"), "dtype is no text");
  expect_message(one(R"({"dtype":"F32","shape":[-1],"data_offsets":[0,4]})", "xxxx"), "its shape holds -1");
  expect_message(one(R"({"dtype":"F32","shape":[1.0],"data_offsets":[0,4]})", "xxxx"), "its shape holds 1.0");
  expect_message(one(R"({"dtype":"F32","shape":1,"data_offsets":[0,4]})", "xxxx"), "its shape is no list");
  expect_message(one(R"({"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]})"), "than can be counted");
  expect_message(one(R"({"dtype":"F64","shape":[9223372036854775807],"data_offsets":[0,0]})"), "than can be counted");
  expect_message(one(R"({"dtype":"U8","shape":[4294967296,4294967296,0],"data_offsets":[0,0]})"),
                 "than can be counted");
  expect_message(one(R"({"dtype":"F32","shape":[1],"data_offsets":[0]})", "xxxx"), "two whole numbers");
  expect_message(one(R"({"dtype":"F32","shape":[1],"data_offsets":[-4,0]})", "xxxx"), "two whole numbers");
  expect_message(one(R"({"dtype":"F32","shape":[1],"data_offsets":[4,0]})", "xxxx"), "do not lie within");
  expect_message(one(R"({"dtype":"F32","shape":[1000000000000],"data_offsets":[0,4000000000000]})", "xxxx"),
                 "do not lie within the 4 bytes");
  expect_message(one(R"({"dtype":"F32","shape":[2],"data_offsets":[0,4]})", "xxxx"), "needs 8 bytes");
  expect_message(one(R"({"dtype":"F32","shape":[1],"data_offsets":[4,8]})", "xxxxyyyy"), "belong to no tensor");
  expect_message(one(R"({"dtype":"F32","shape":[1],"data_offsets":[0,4]})", "xxxxyy"), "last 2 bytes belong");
  const std::string u8 = R"({"dtype":"U8","shape":[2],"data_offsets":)";
  expect_message(with_header("{\"a\":" + u8 + "[0,2]},\"b\":" + u8 + "[1,3]}}", "xyz"), "overlap");
  expect_message(with_header("{\"a\":" + u8 + "[0,2]},\"a\":" + u8 + "[0,2]}}", "xy"), "\"a\" twice");
  expect_message(with_header("{\"__metadata__\":3}"), "__metadata__ is no JSON object");
  expect_message(with_header("{\"__metadata__\":{\"a\":3}}"), "metadata \"a\" is no text");
  EXPECT_EQ(message(with_header("{}")), "accepted");
  std::filesystem::remove(path_);
  EXPECT_THROW(SafetensorsFile{path_}, InputError);
  EXPECT_THROW(SafetensorsFile{std::filesystem::path(::testing::TempDir())}, InputError);
}

TEST_F(Safetensors, DamagedFilesNeverDoMoreThanThrow) {
  write_safetensors(path_, sample(), {{"format", "1"}});
  const std::string good = bytes();
  for (size_t length = 0; length < good.size(); ++length) EXPECT_NE(message(good.substr(0, length)), "accepted");
  EXPECT_NE(message(good + "x"), "accepted");
  int refused = 0;
  for (uint64_t round = 0; round < 1000; ++round) {
    std::string bad = good;
    const uint64_t changes = 1 + draw_bits(1, DrawPurpose::synthetic, round) % 3;
    for (uint64_t i = 0; i < changes; ++i) {
      const uint64_t bits = draw_bits(2, DrawPurpose::synthetic, round, i);
      bad[bits % bad.size()] ^= static_cast<char>(1u << (bits >> 60 & 7));
    }
    refused += message(bad) != "accepted";
  }
  EXPECT_GT(refused, 500);
}

TEST_F(Safetensors, BytesInMemoryAreReadLikeAFile) {
  write_safetensors(path_, sample(), {{"key", "value"}});
  const std::string whole = bytes();
  const auto in_memory = [&](const std::string& contents) {
    return SafetensorsFile("built-in", std::as_bytes(std::span(contents)));
  };
  const SafetensorsFile file = in_memory(whole);
  EXPECT_EQ(file.metadata_value("key"), "value");
  for (const auto& [name, tensor] : SafetensorsFile(path_).read_all()) EXPECT_TRUE(torch::equal(file.read(name), tensor)) << name;
  for (const size_t length : {size_t{0}, size_t{7}, size_t{20}, whole.size() - 1}) {
    const std::string cut = whole.substr(0, length);
    try {
      in_memory(cut);
      ADD_FAILURE() << "accepted " << length << " bytes";
    } catch (const InputError& error) {
      EXPECT_NE(std::string(error.what()).find("built-in"), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace ptl
