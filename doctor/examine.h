// The whole examination on one page: a folder to a diagnosis.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "datasets/error.h"
#include "datasets/scene_loader.h"
#include "doctor/evidence.h"

namespace ptl::doctor {

/// There is no diagnosis: the scene or an option cannot be read, or the page not written. The program ends with status
/// 2 (cli/main.cpp), since 1 says that a fit is not advisable.
class CannotExamine : public InputError {
 public:
  using InputError::InputError;
};

/// What `step` returns; its InputErrors become CannotExamine.
template <class Step>
decltype(auto) or_cannot_examine(const Step& step) {
  try {
    return step();
  } catch (const InputError& error) {
    throw CannotExamine(std::string(error.what()));
  }
}

struct OpenedScene {
  Scene scene;
  std::vector<std::string> refusals;  ///< what other commands would refuse, in their words
};

struct ExamineOptions {
  bool quick = false;            ///< no photo is decoded
  std::string split = "every8";  ///< datasets/split.h
};

/// load_scene() with what is wrong with photos and masks collected, and the range of HDR photos chosen unless `quick`.
/// Throws CannotExamine for all else.
OpenedScene open_scene_to_examine(const std::filesystem::path& folder_or_file, LoadOptions options,
                                  const ExamineOptions& examination = {});

/// What it found, and what it saw: the page shows small copies of the photos.
struct Examination {
  OpenedScene opened;
  std::vector<PhotoLook> photos;
  Diagnosis diagnosis;
};

/// Called with what is being done and how far it is.
using ExamineProgress = std::function<void(const char* step, int done, int total)>;

/// All checks. `needs` is passed on to the diagnosis as it is. Throws CannotExamine for a split that cannot be.
Examination examine(OpenedScene opened, const ExamineOptions& options, std::vector<PresetNeed> needs = {},
                    const ExamineProgress& progress = {});

}  // namespace ptl::doctor
