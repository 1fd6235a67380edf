// A fitted model in one file (safetensors layout): points, cameras, poses, photometric parameters, network, scene origin.
// Photos are not needed to render it.
#pragma once

#include <filesystem>

#include "renderer/safetensors.h"
#include "renderer/scene_model.h"

namespace ptl {

/// Of the metadata; a reader accepts this one and older ones. Since 2 the configuration has raster.holes (before: background),
/// since 3 grow (before: off), since 4 structure and its groups
/// (before: frozen), since 5 grow.dense (before: true) and structure.even_pose_steps (before: false).
inline constexpr int model_format_version = 6;

/// The trainable tensors by their names in the file: "descriptors", "background/texels", "tone/…", "network/…". Handles,
/// not copies.
NamedTensors model_parameters(const SceneModel& model);

/// Tensors and metadata that make up the file.
NamedTensors model_tensors(const SceneModel& model);
std::map<std::string, std::string> model_metadata(const SceneModel& model);

/// Equal models give equal bytes. Atomic.
void write_model(const std::filesystem::path& path, const SceneModel& model);

/// InputError for whatever a damaged or hostile file can contain: not this kind of file, a newer format version, wrong
/// shapes, indices out of range, values that are not finite.
SceneModel read_model(const std::filesystem::path& path, torch::Device device = torch::kCPU);
SceneModel read_model(const SafetensorsFile& file, torch::Device device = torch::kCPU);

/// The configuration of a model or checkpoint; settings that older versions lack are as they were then.
FitConfig read_model_config(const SafetensorsFile& file);

}  // namespace ptl
