// What the network of a fit begins with: the built-in weights, a file's, or random ones.
#pragma once

#include <optional>
#include <string>

#include "renderer/config.h"
#include "renderer/network_weights.h"

namespace ptl {

struct NetworkInit {
  std::optional<NetworkWeights> weights;  ///< none: random
  std::string source;                     ///< for messages
  std::string remark;                     ///< for people, one line; empty where nothing was decided for them
};

/// Reads what config.network.init names. "auto" becomes "builtin" where the settings allow it and "random" elsewhere;
/// "builtin" sets the network's layers and input (configure_for). `layers`: what the scene asks for where the
/// configuration leaves it open. InputError: "builtin" where no built-in network fits, a file that is none.
NetworkInit choose_network_init(FitConfig& config, int layers);

}  // namespace ptl
