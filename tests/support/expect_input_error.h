// Expects an InputError whose message holds all of the given parts.
#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

#include "datasets/error.h"

namespace ptl::testing {

template <class Function>
void expect_input_error(const Function& function, std::initializer_list<const char*> parts) {
  try {
    function();
  } catch (const InputError& error) {
    for (const char* part : parts)
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos)
          << "the message\n  " << error.what() << "\nlacks '" << part << "'";
    return;
  } catch (const std::exception& error) {
    FAIL() << "expected an InputError, got another exception: " << error.what();
  }
  FAIL() << "expected an InputError, got none";
}

}  // namespace ptl::testing
