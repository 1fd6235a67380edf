#include "renderer/checkpoint.h"

#include <nlohmann/json.hpp>

#include "datasets/error.h"
#include "renderer/fingerprint.h"
#include "renderer/model_file.h"

namespace ptl {

using nlohmann::json;

void write_checkpoint(const std::filesystem::path& path, const SceneModel& model, const Optimizer& optimizer,
                      const Schedule& schedule, const FitState& state) {
  NamedTensors tensors = model_tensors(model);
  optimizer.save(tensors);
  std::map<std::string, std::string> metadata = model_metadata(model);
  metadata["fit"] = json{
      {"step", state.step},
      {"step_budget", state.step_budget},
      {"check_every", state.check_every},
      {"epoch_loss_sum", state.epoch_loss_sum},
      {"epoch_samples", state.epoch_samples},
      {"skipped_steps", state.skipped_steps},
      {"seconds", state.seconds},
      {"scene_fingerprint", state.scene_fingerprint},
      {"schedule",
       schedule.save()}}.dump();
  write_safetensors(path, tensors, metadata);
}

Checkpoint::Checkpoint(const std::filesystem::path& path) : file(path) {
  try {
    const json fit = json::parse(file.metadata_value("fit"));
    state.step = fit.at("step").get<int64_t>();
    state.step_budget = fit.at("step_budget").get<int64_t>();
    state.check_every = fit.at("check_every").get<int64_t>();
    state.epoch_loss_sum = fit.at("epoch_loss_sum").get<double>();
    state.epoch_samples = fit.at("epoch_samples").get<int64_t>();
    state.skipped_steps = fit.value("skipped_steps", int64_t{0});
    state.seconds = fit.at("seconds").get<double>();
    state.scene_fingerprint = fit.at("scene_fingerprint").get<std::string>();
    schedule = fit.at("schedule");
  } catch (const json::exception& error) {
    throw InputError("{}: this checkpoint is damaged: {}", path.string(), error.what());
  }
  if (state.step < 0 || state.step_budget < state.step || state.check_every < 1)
    throw InputError("{}: this checkpoint is damaged: its steps are out of range", path.string());
}

std::string scene_fingerprint(const SceneModel& model) {
  Fingerprint fingerprint;
  const std::map<std::string, std::string> metadata = model_metadata(model);
  for (const char* key : {"cameras", "images"}) {
    const std::string& text = metadata.at(key);
    fingerprint.add(text.data(), text.size());
  }
  for (const torch::Tensor& tensor : {model.points.position, model.points.id, model.point_color}) {
    const torch::Tensor on_cpu = tensor.to(torch::kCPU).contiguous();
    fingerprint.add(on_cpu.const_data_ptr(), on_cpu.nbytes());
  }
  if (model.photo_range) {
    const double range[] = {model.photo_range->low, model.photo_range->high};
    fingerprint.add(range, sizeof range);
  }
  return fingerprint.text();
}

}  // namespace ptl
