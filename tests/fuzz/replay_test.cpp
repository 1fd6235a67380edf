// Every input of the corpus again, in the ordinary tests: sound files, and those that once made a reader do something
// else than refuse.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/fuzz/fuzzed_readers.h"
#include "tests/support/temporary_folder.h"

namespace ptl::testing {
namespace {

namespace fs = std::filesystem;

class Corpus : public ::testing::TestWithParam<size_t> {};

TEST_P(Corpus, IsReadOrRefused) {
  const FuzzedReader& reader = fuzzed_readers()[GetParam()];
  const TemporaryFolder folder;
  reader.prepare(folder.path());
  std::vector<fs::path> inputs;
  for (const auto& entry : fs::directory_iterator(fs::path(PTL_FUZZ_CORPUS) / reader.name))
    inputs.push_back(entry.path());
  std::sort(inputs.begin(), inputs.end());
  ASSERT_FALSE(inputs.empty());
  for (const fs::path& input : inputs) {
    SCOPED_TRACE(input.string());
    EXPECT_NO_THROW(read_fuzzed(reader, folder.path(), file_contents(input)));
  }
}

INSTANTIATE_TEST_SUITE_P(Readers, Corpus, ::testing::Range<size_t>(0, fuzzed_readers().size()),
                         [](const auto& of) { return fuzzed_readers()[of.param].name; });

// The seeds are sound: a corpus of nothing but refusals would show nothing.
TEST(Seeds, AreRead) {
  for (const FuzzedReader& reader : fuzzed_readers()) {
    SCOPED_TRACE(reader.name);
    const TemporaryFolder folder;
    reader.prepare(folder.path());
    read_fuzzed(reader, folder.path(), file_contents(fs::path(PTL_FUZZ_CORPUS) / reader.name / "seed_0"));
    EXPECT_NO_THROW(reader.read(folder.path()));
  }
}

}  // namespace
}  // namespace ptl::testing
