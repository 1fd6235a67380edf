// Agisoft Metashape's cameras as XML (File > Export > Export Cameras), also of its predecessor PhotoScan since 1.3.
//
// A camera's transform is world_from_camera in the chunk's own frame, by rows; axes are ours, x right, y down, z
// forward. The chunk's or component's transform, X = scale · rotation · x + translation, takes it to the world that
// clouds are exported in (local coordinates; with a geographic reference: geocentric ones). Lens (Metashape manual,
// appendix "Camera models"): with x = X/Z, y = Y/Z, r² = x² + y², g = 1 + k1 r² + k2 r⁴ + k3 r⁶
//   x' = x g + p1 (r² + 2x²) + 2 p2 x y,  y' = y g + p2 (r² + 2y²) + 2 p1 x y
//   u = w/2 + cx + f x' + b1 x' + b2 y',  v = h/2 + cy + f y'
// so its p1 and p2 are OpenCV's p2 and p1, and b2 is skew. A fisheye, in newer versions called equidistant, has
// θ · (X, Y)/√(X² + Y²) in the place of (x, y), and k4 r⁸. A spherical camera is a panorama of the whole sphere,
// W = 2 H, straight ahead in its middle, f = W/2π. The centre of the upper-left pixel is (0.5, 0.5) (the same
// appendix): nothing is shifted.
#pragma once

#include <filesystem>
#include <vector>

#include "datasets/scene_draft.h"

namespace ptl {

/// Files *.xml of a folder that begin as Metashape's do, or the path itself. cameras.xml alone where it is there.
std::vector<std::filesystem::path> find_metashape(const std::filesystem::path& folder_or_file);

/// Photos are found by the cameras' labels, with or without their extension. Cameras that are disabled or not aligned
/// are left out. The file has no points. InputError for whatever is wrong with it; for other lenses, by name; for p3, p4,
/// b2 and a frame lens's k4 that are not 0, which are not supported.
SceneDraft read_metashape(const SceneFiles& files);

}  // namespace ptl
