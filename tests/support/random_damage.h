// A sound file, damaged at random: truncated, or some of its bits turned over.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <string>

#include "datasets/error.h"
#include "kernels/hash.h"
#include "tests/support/temporary_folder.h"

namespace ptl::testing {

/// Reads `trials` damaged versions of the file and puts the sound one back. Anything but an InputError fails the test.
/// Returns how many were refused.
inline int damage_at_random(const std::filesystem::path& file, int trials, const std::function<void()>& read) {
  const std::string sound = file_contents(file);
  int refused = 0;
  for (int trial = 0; trial < trials; ++trial) {
    const auto draw = [&](uint64_t number, uint64_t below) {
      return draw_bits(1, DrawPurpose::synthetic, static_cast<uint64_t>(trial), number) % below;
    };
    std::string bad = sound;
    if (draw(0, 3) == 0) bad.resize(draw(1, bad.size()));
    for (uint64_t flip = 0; flip < 1 + draw(2, 3) && !bad.empty(); ++flip)
      bad[draw(10 + flip, bad.size())] ^= static_cast<char>(1u << draw(20 + flip, 7));
    write_contents(file, bad);
    try {
      read();
    } catch (const InputError&) {
      ++refused;
    } catch (const std::exception& error) {
      ADD_FAILURE() << "trial " << trial << ": " << error.what();
    }
  }
  write_contents(file, sound);
  return refused;
}

}  // namespace ptl::testing
