// A cloud in OpenGL's memory: pages that are made one after the other, so small that making one is never felt.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "viewer/drawn_cloud.h"

namespace ptl {

/// Blocks that lie beside each other in DrawnCloud::vertices and share a buffer.
struct CloudPage {
  size_t first_block = 0, last_block = 0;  ///< [first, last)
  uint32_t first_vertex = 0, vertices = 0;
};

/// A page, 1 MB, is what a frame hands to OpenGL. Drivers touch all memory of a buffer when it is made, and memory that
/// was never touched has to come from the system first, 4 KB at a time: with pages of 16 MB a frame took up to 150 ms.
inline constexpr uint32_t page_vertices = 4 * cloud_block_points;

/// All blocks in their order, as many to a page as have `most_vertices` together; a larger one has a page of its own.
std::vector<CloudPage> cloud_pages(std::span<const CloudBlock> blocks, uint32_t most_vertices = page_vertices);

}  // namespace ptl
