// A sound JSON file, harmed in one place at a time: what its reader says.
#pragma once

#include <filesystem>
#include <functional>
#include <initializer_list>
#include <nlohmann/json.hpp>

#include "tests/support/expect_input_error.h"
#include "tests/support/temporary_folder.h"

namespace ptl::testing {

/// What is in `file` now is sound; `read` reads the file again.
class BrokenJson {
 public:
  BrokenJson(std::filesystem::path file, std::function<void()> read)
      : file_(std::move(file)), read_(std::move(read)), sound_(nlohmann::json::parse(file_contents(file_))) {}

  /// The message holds all of the parts when the file is harmed like this.
  void operator()(const std::function<void(nlohmann::json&)>& harm, std::initializer_list<const char*> parts) const {
    nlohmann::json document = sound_;
    harm(document);
    write_contents(file_, document.dump());
    expect_input_error(read_, parts);
  }

 private:
  std::filesystem::path file_;
  std::function<void()> read_;
  nlohmann::json sound_;
};

}  // namespace ptl::testing
