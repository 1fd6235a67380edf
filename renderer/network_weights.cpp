#include "renderer/network_weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "datasets/error.h"

namespace ptl {

using nlohmann::json;

namespace {

constexpr const char* weights_format = "pointillist network";

json json_of(const NetworkConfig& config) {
  return {{"kind", network_kind_name(config.kind)},
          {"levels", config.levels},
          {"in_channels", config.in_channels},
          {"feature_factor", config.feature_factor},
          {"light_channels", config.light_channels}};
}

NetworkConfig config_from(const json& document) {
  NetworkConfig config;
  config.kind = parse_network_kind(document.at("kind").get<std::string>());
  config.levels = document.at("levels").get<int>();
  config.in_channels = document.at("in_channels").get<int>();
  config.feature_factor = document.at("feature_factor").get<int>();
  config.light_channels = document.at("light_channels").get<int>();
  config.check();
  return config;
}

}  // namespace

NetworkWeights network_weights(const NeuralRenderer& network, std::map<std::string, std::string> origin) {
  NetworkWeights weights{network.config(), {}, std::move(origin)};
  for (const auto& [name, tensor] : network.named_parameters())
    weights.tensors.emplace_back(name, tensor.detach().to(torch::kCPU, torch::kFloat, /*non_blocking=*/false, /*copy=*/true));
  return weights;
}

void write_network_weights(const std::filesystem::path& path, const NetworkWeights& weights) {
  NamedTensors half;
  for (const auto& [name, tensor] : weights.tensors) half.emplace_back(name, tensor.to(torch::kHalf));
  std::map<std::string, std::string> metadata = weights.origin;
  metadata["format"] = weights_format;
  metadata["format_version"] = "1";
  metadata["network"] = json_of(weights.config).dump();
  write_safetensors(path, half, metadata);
}

NetworkWeights read_network_weights(const SafetensorsFile& file) {
  const std::filesystem::path& path = file.path();
  NetworkWeights weights;
  weights.origin = file.metadata();
  const auto format = weights.origin.find("format");
  if (format == weights.origin.end() || format->second != weights_format)
    throw InputError("{}: not the weights of a network (its metadata has no format '{}'); `pretrain` makes them",
                     path.string(), weights_format);
  if (file.metadata_value("format_version") != "1")
    throw InputError("{}: format_version is '{}', expected 1; update pointillist", path.string(),
                     file.metadata_value("format_version"));
  try {
    weights.config = config_from(json::parse(file.metadata_value("network")));
  } catch (const json::exception& error) {
    throw InputError("{}: metadata 'network' is damaged: {}", path.string(), error.what());
  }
  // The shapes are those of such a network.
  for (const auto& [name, parameter] : NeuralRenderer(weights.config).named_parameters()) {
    const torch::Tensor tensor = file.read(name, torch::kHalf, parameter.sizes().vec()).to(torch::kFloat);
    if (!torch::isfinite(tensor).all().item<bool>())
      throw InputError("{}: {} holds a value that is not finite", path.string(), name);
    weights.tensors.emplace_back(name, tensor);
  }
  for (const char* own : {"format", "format_version", "network"}) weights.origin.erase(own);
  return weights;
}

std::string describe_network(const NetworkConfig& config) {
  return fmt::format("{}, {} layers of {} channels, {}", network_kind_name(config.kind), config.levels, config.in_channels,
                     config.kind == NetworkKind::light ? fmt::format("light_channels {}", config.light_channels)
                                                       : fmt::format("feature_factor {}", config.feature_factor));
}

void set_network_weights(NeuralRenderer& network, const NetworkWeights& weights, const std::string& source) {
  const std::string wanted = describe_network(network.config()), found = describe_network(weights.config);
  if (wanted != found)
    throw InputError("{}: these weights are for another network: expected {}, found {}", source, wanted, found);
  const torch::NoGradGuard no_gradient;
  const auto parameters = network.named_parameters();
  for (size_t i = 0; i < parameters.size(); ++i) parameters[i].second.detach().copy_(weights.tensors[i].second);
}

NetworkWeights with_more_layers(const NetworkWeights& weights, int levels) {
  if (weights.config.kind != NetworkKind::light || levels < weights.config.levels)
    throw std::invalid_argument(fmt::format("with_more_layers: {} to {} layers", describe_network(weights.config), levels));
  if (levels == weights.config.levels) return weights;
  const std::string coarsest = "block" + std::to_string(weights.config.levels - 1);
  const auto find = [&](const std::string& name) {
    for (const auto& [key, tensor] : weights.tensors)
      if (key == name) return tensor;
    throw std::invalid_argument("with_more_layers: no " + name);
  };
  const torch::Tensor own = find(coarsest + ".weight"), bias = find(coarsest + ".bias");
  NetworkWeights more{weights.config, {}, weights.origin};
  more.config.levels = levels;
  const NeuralRenderer shapes(more.config, 0);
  for (const auto& [name, shape] : shapes.named_parameters()) {
    const bool kept = std::any_of(weights.tensors.begin(), weights.tensors.end(),
                                  [&](const auto& entry) { return entry.first == name; }) && !name.starts_with(coarsest + ".");
    torch::Tensor tensor = kept ? find(name) : name.ends_with(".bias") ? bias : torch::zeros_like(shape.detach());
    if (!kept && !name.ends_with(".bias"))  // its own layer comes last among the inputs
      tensor.narrow(1, tensor.size(1) - own.size(1), own.size(1)).copy_(own);
    more.tensors.emplace_back(name, tensor.clone());
  }
  return more;
}

void configure_for(const NetworkWeights& weights, FitConfig& config) {
  config.network.kind = weights.config.kind;
  config.network.feature_factor = weights.config.feature_factor;
  config.network.light_channels = weights.config.light_channels;
  config.raster.layers = weights.config.levels;
  config.raster.channels = weights.config.in_channels - 1;
  config.raster.coverage_channel = true;
  config.raster.descriptor_init = DescriptorInit::color_only;
}

}  // namespace ptl
