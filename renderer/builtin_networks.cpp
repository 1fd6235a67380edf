#include "renderer/builtin_networks.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstddef>
#include <span>

#include "datasets/error.h"

// The assembler puts the files of networks/ into the program as they are.
#define PTL_EMBED(name)                                                                              \
  asm(".section .rodata\n.balign 8\n.globl ptl_network_" #name "_begin\n.globl ptl_network_" #name   \
      "_end\nptl_network_" #name "_begin:\n.incbin \"" PTL_NETWORKS_DIR "/" #name                    \
      ".safetensors\"\nptl_network_" #name "_end:\n.byte 0\n.previous\n");                           \
  extern "C" const std::byte ptl_network_##name##_begin[], ptl_network_##name##_end[]
PTL_EMBED(light_4);
PTL_EMBED(light_6);
PTL_EMBED(unet_4);
#undef PTL_EMBED

namespace ptl {

namespace {

struct Builtin {
  NetworkKind kind;
  int layers;
  const std::byte *begin, *end;
};
const Builtin builtins[] = {
    {NetworkKind::light, 4, ptl_network_light_4_begin, ptl_network_light_4_end},
    {NetworkKind::light, 6, ptl_network_light_6_begin, ptl_network_light_6_end},
    {NetworkKind::unet, 4, ptl_network_unet_4_begin, ptl_network_unet_4_end},
};

}  // namespace

std::vector<int> builtin_layers(NetworkKind kind) {
  std::vector<int> layers;
  for (const Builtin& builtin : builtins)
    if (builtin.kind == kind) layers.push_back(builtin.layers);
  return layers;
}

int nearest_builtin_layers(NetworkKind kind, int layers) {
  int nearest = 0;
  for (const int there : builtin_layers(kind))
    if (nearest < layers) nearest = there;
  return nearest;
}

NetworkWeights builtin_network(NetworkKind kind, int layers) {
  const std::string name = fmt::format("built-in {} network of {} layers", network_kind_name(kind), layers);
  for (const Builtin& builtin : builtins)
    if (builtin.kind == kind && builtin.layers == layers)
      return read_network_weights(SafetensorsFile(name, {builtin.begin, builtin.end}));
  throw InputError("there is no {}: expected {} layers (or --network-init random)", name,
                   fmt::join(builtin_layers(kind), " or "));
}

}  // namespace ptl
