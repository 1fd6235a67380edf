// A network apart from any scene: what `pretrain` makes and a fit starts from.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "renderer/config.h"
#include "renderer/network.h"
#include "renderer/safetensors.h"

namespace ptl {

struct NetworkWeights {
  NetworkConfig config;
  NamedTensors tensors;  ///< float32 on the CPU, in the network's order
  std::map<std::string, std::string> origin;  ///< how they were made, for people: "command", "seeds", "steps", …
};

/// The weights of a network, copied.
NetworkWeights network_weights(const NeuralRenderer& network, std::map<std::string, std::string> origin);

/// A safetensors file, values in half precision: "start.weight", …; metadata "format": "pointillist network",
/// "format_version": "1", "network": {"kind", "levels", "in_channels", "feature_factor", "light_channels"}, and the
/// origin. Equal weights give equal bytes. Atomic.
void write_network_weights(const std::filesystem::path& path, const NetworkWeights& weights);

/// InputError for whatever a damaged or hostile file can contain, and for a weight that is not finite.
NetworkWeights read_network_weights(const SafetensorsFile& file);
inline NetworkWeights read_network_weights(const std::filesystem::path& path) {
  return read_network_weights(SafetensorsFile(path));
}

/// "light, 4 layers of 9 channels": what has to agree.
std::string describe_network(const NetworkConfig& config);

/// Puts them into a network. InputError that says what differs where it is of another shape; `source`: for people.
void set_network_weights(NeuralRenderer& network, const NetworkWeights& weights, const std::string& source);

/// The weights of a light network with more layers below its coarsest: at first the same picture, since the blocks of the former
/// coarsest layer and below pass on what their own layer shows and give the coarser ones no weight, which a fit then finds.
/// std::invalid_argument: of a U-Net, or for fewer layers.
NetworkWeights with_more_layers(const NetworkWeights& weights, int levels);

/// The settings of a fit that begins with them: kind and size of the network, layers, channels, and input as `pretrain`
/// gives it (descriptors of colours and zeros, coverage as a channel).
void configure_for(const NetworkWeights& weights, FitConfig& config);

}  // namespace ptl
