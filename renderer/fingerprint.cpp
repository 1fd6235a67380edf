#include "renderer/fingerprint.h"

#include <fmt/format.h>
#define XXH_STATIC_LINKING_ONLY  // for a state that is a plain member
#include <xxhash.h>

namespace ptl {

struct Fingerprint::State {
  XXH3_state_t hash;
};

Fingerprint::Fingerprint() : state_(std::make_unique<State>()) {
  XXH3_128bits_reset(&state_->hash);
}
Fingerprint::~Fingerprint() = default;

void Fingerprint::add(const void* bytes, size_t count) {
  XXH3_128bits_update(&state_->hash, bytes, count);
}

std::string Fingerprint::text() const {
  const XXH128_hash_t digest = XXH3_128bits_digest(&state_->hash);
  return fmt::format("{:016x}{:016x}", digest.high64, digest.low64);
}

}  // namespace ptl
