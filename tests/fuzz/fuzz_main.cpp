// libFuzzer's entry: PTL_FUZZ_READER names the reader.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "tests/fuzz/fuzzed_readers.h"
#include "tests/support/temporary_folder.h"

namespace {

const ptl::testing::FuzzedReader& chosen_reader() {
  const char* wanted = std::getenv("PTL_FUZZ_READER");
  for (const ptl::testing::FuzzedReader& reader : ptl::testing::fuzzed_readers())
    if (wanted && reader.name == wanted) return reader;
  std::fprintf(stderr, "PTL_FUZZ_READER: expected one of");
  for (const ptl::testing::FuzzedReader& reader : ptl::testing::fuzzed_readers())
    std::fprintf(stderr, " %s", reader.name.c_str());
  std::fprintf(stderr, "\n");
  std::exit(2);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t count) {
  static const ptl::testing::FuzzedReader& reader = chosen_reader();
  static const ptl::testing::TemporaryFolder folder;
  static const bool prepared = (reader.prepare(folder.path()), true);
  (void)prepared;
  ptl::testing::read_fuzzed(reader, folder.path(), {reinterpret_cast<const char*>(bytes), count});
  return 0;
}
