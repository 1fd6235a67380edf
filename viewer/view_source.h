// Where a viewer's scene comes from: a scene's folder, a cloud's file, a run, a model file; and whether there is something newer.
#pragma once

#include <memory>
#include <optional>

#include "renderer/scene_model.h"
#include "viewer/view_scene.h"

namespace ptl {

/// A scene as the interface sees it, and the model that only the render thread touches.
struct LoadedView {
  std::shared_ptr<ViewScene> scene;
  std::optional<SceneModel> model;
};

class ViewSource {
 public:
  /// `path`: as RenderThreadOptions::path. `unfitted`: of a scene. `follow`: prefer whichever of a run's files is newer.
  ViewSource(std::string path, SceneConfig unfitted, std::string scene_folder, torch::Device device, bool follow);

  /// Reads it all. InputError with what the user can mend.
  LoadedView load();
  /// Whether the file that load() would read is another one than it has read. Cheap: looks at names and times only.
  /// False for one that load() has refused already.
  bool has_newer() const;
  /// Whether load() would give the same with more points: a scene without a fit is shown with few of them first.
  bool has_finer() const { return coarse_; }
  /// Whether what was loaded is still where it was.
  bool is_there() const;

 private:
  struct Stamp {
    std::string file;
    uint64_t inode = 0;
    int64_t changed_ns = 0;
    bool operator==(const Stamp&) const = default;
  };
  /// The file that a run's model is in now; nothing when there is none yet.
  std::optional<Stamp> newest() const;
  LoadedView load_unfitted();
  LoadedView load_run(const Stamp& stamp);
  LoadedView load_steady(Stamp stamp);

  std::string path_, scene_folder_;
  SceneConfig unfitted_config_;
  torch::Device device_;
  bool follow_;
  bool coarse_ = false;
  std::optional<Scene> unfitted_;       ///< whose model has fewer points than it
  std::shared_ptr<const DrawnCloud> unfitted_cloud_;
  std::optional<Stamp> loaded_, refused_;
  std::shared_ptr<ImageCache> photos_;  ///< of the run that was loaded last
  std::string photos_missing_;          ///< of what is not fitted
  std::string photos_key_;              ///< which photos these are
};

}  // namespace ptl
