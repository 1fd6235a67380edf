#include "renderer/network_init.h"

#include <fmt/format.h>

#include "datasets/error.h"
#include "renderer/builtin_networks.h"

namespace ptl {

namespace {

/// Why settings and built-in weights do not go together; empty: they do.
std::string mismatch(const FitConfig& config, const NetworkConfig& builtin) {
  const RasterSettings& raster = config.raster;
  const auto differs = [](const char* key, int found, int expected) {
    return fmt::format("{} is {}, the built-in network has {}", key, found, expected);
  };
  if (raster.channels + 1 != builtin.in_channels) return differs("raster.channels", raster.channels, builtin.in_channels - 1);
  if (raster.layers != 0 && raster.layers != builtin.levels) return differs("raster.layers", raster.layers, builtin.levels);
  if (builtin.kind == NetworkKind::unet && config.network.feature_factor != builtin.feature_factor)
    return differs("network.feature_factor", config.network.feature_factor, builtin.feature_factor);
  if (builtin.kind == NetworkKind::light && config.network.light_channels != builtin.light_channels)
    return differs("network.light_channels", config.network.light_channels, builtin.light_channels);
  if (raster.log_descriptors) return "raster.log_descriptors is true, the built-in network knows linear colours";
  if (raster.descriptor_init == DescriptorInit::uniform)
    return "raster.descriptor_init is uniform, the built-in network knows colours";
  if (raster.holes != HoleFill::coarser) return "raster.holes is not coarser, with which the built-in network was trained";
  return "";
}

/// Of the nearest number of layers whose coarsest one is larger than a pixel in a training crop. The light one gets what the
/// scene asks for beyond what there is.
NetworkWeights builtin_for(const FitConfig& config, int layers) {
  const NetworkKind kind = config.network.kind;
  const int wanted = config.raster.layers ? config.raster.layers : layers;
  const auto fits = [&](int levels) { return (config.crop.size_px >> (levels - 1)) >= 2; };
  int largest = wanted;
  while (largest > 1 && !fits(nearest_builtin_layers(kind, largest))) --largest;
  NetworkWeights weights = builtin_network(kind, nearest_builtin_layers(kind, largest));
  int levels = weights.config.levels;
  while (kind == NetworkKind::light && levels < wanted && fits(levels + 1)) ++levels;
  return kind == NetworkKind::light ? with_more_layers(weights, levels) : weights;
}

}  // namespace

NetworkInit choose_network_init(FitConfig& config, int layers) {
  std::string& init = config.network.init;
  if (init == "random") return {};
  if (init != "auto" && init != "builtin") return {read_network_weights(std::filesystem::path(init)), init, ""};
  NetworkWeights weights = builtin_for(config, layers);
  const std::string reason = mismatch(config, weights.config);
  if (!reason.empty()) {
    if (init == "builtin") throw InputError("--network-init builtin: {}; change that, or use --network-init random", reason);
    init = "random";
    return {std::nullopt, "", fmt::format("the network begins with random weights: {}", reason)};
  }
  init = "builtin";
  configure_for(weights, config);
  const std::string source = "the built-in " + describe_network(weights.config);
  return {std::move(weights), source,
          fmt::format("the network begins as {} (--network-init random: from nothing)", source)};
}

}  // namespace ptl
