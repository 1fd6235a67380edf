// Networks that come with the program, part of its file: made by `pretrain` on synthetic scenes (networks/README.md).
#pragma once

#include <vector>

#include "renderer/network_weights.h"

namespace ptl {

/// The numbers of layers for which there is a built-in network of this kind, fewest first.
std::vector<int> builtin_layers(NetworkKind kind);

/// The fewest of them that are at least `layers`; the most where none are.
int nearest_builtin_layers(NetworkKind kind, int layers);

/// InputError that lists what there is, where there is none of this size.
NetworkWeights builtin_network(NetworkKind kind, int layers);

}  // namespace ptl
