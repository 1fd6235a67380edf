#include "viewer/cloud_pages.h"

namespace ptl {

std::vector<CloudPage> cloud_pages(std::span<const CloudBlock> blocks, uint32_t most_vertices) {
  std::vector<CloudPage> pages;
  for (size_t b = 0; b < blocks.size(); ++b) {
    if (pages.empty() || pages.back().vertices + blocks[b].count > most_vertices)
      pages.push_back({b, b, blocks[b].first, 0});
    pages.back().last_block = b + 1;
    pages.back().vertices += blocks[b].count;
  }
  return pages;
}

}  // namespace ptl
