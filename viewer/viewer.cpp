#include "viewer/viewer.h"

#include <epoxy/gl.h>
// After the loader's header.
#include <GLFW/glfw3.h>
#include <backends/imgui_impl_glfw.h>
#include <backends/imgui_impl_opengl3.h>
#include <fmt/format.h>
#include <imgui.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <filesystem>

#include "datasets/error.h"
#include "datasets/image_io.h"
#include "viewer/viewer_loop.h"

namespace ptl {
namespace fs = std::filesystem;

namespace {

constexpr double points_ms_moving = 18, points_ms_resting = 22;  // of a frame, at most
constexpr double idle_wait_s = 0.1;

RenderThreadOptions with_wake(RenderThreadOptions options) {
  options.wake = [] { Window::wake(); };
  return options;
}

ViewMode mode_named(const std::string& name) {
  if (const std::optional<ViewMode> mode = view_mode_of(name)) return *mode;
  std::string known;
  for (const ViewModeInfo& info : view_modes()) known += (known.empty() ? "" : ", ") + std::string(info.name);
  throw InputError("--mode: expected one of {}, found '{}'", known, name);
}

}  // namespace

void run_viewer(const ViewerOptions& options) {
  if (!options.mode.empty()) mode_named(options.mode);
  if (!options.second_mode.empty()) mode_named(options.second_mode);
  ViewerLoop(options).run();
}

ViewerLoop::ViewerLoop(const ViewerOptions& options)
    : options_(options),
      bare_(!options.screenshot.empty() && !options.screenshot_panels),
      window_("pointillist - " + fs::path(options.render.path).filename().string(), window_side(options.width, 1280),
              window_side(options.height, 800), options.screenshot.empty(), options.scale),
      render_(with_wake(options.render)) {
  IMGUI_CHECKVERSION();
  ImGui::CreateContext();
  ImGui_ImplGlfw_InitForOpenGL(window_.handle(), /*install_callbacks=*/false);
  ImGui_ImplOpenGL3_Init("#version 330 core");
  set_panel_style(static_cast<float>(window_.scale()));
  points_ = std::make_unique<GlPoints>();
  quad_ = std::make_unique<GlQuad>();
  if (!options_.script.empty()) script_ = read_script(options_.script);
  if (bare_) state_.panels = false;
}

ViewerLoop::~ViewerLoop() {
  if (scene_ && options_.remember && options_.screenshot.empty()) save_state(state_, saved_state_file(scene_->path));
  ImGui_ImplOpenGL3_Shutdown();
  ImGui_ImplGlfw_Shutdown();
  ImGui::DestroyContext();
}

void ViewerLoop::run() {
  while (frame()) {
  }
  for (std::future<void>& file : writing_) file.get();  // what could not be written is told
}

bool ViewerLoop::settled() const {
  const auto needs = [&](auto&& test) { return test(state_.mode) || (state_.split && test(state_.second_mode)); };
  const bool photo = needs([](ViewMode mode) { return mode == ViewMode::photo || mode == ViewMode::blend; });
  const bool points = needs([](ViewMode mode) { return mode == ViewMode::points; });
  return scene_ && !scene_->coarse && pacer_.complete() && edits_settled() && !state_.flight && !state_.playing &&
         (!points || points_done_) && (!photo || photo_image_ == photo_wanted_ || !shelf_);
}

bool ViewerLoop::frame() {
  const bool wait = !busy_ && script_.empty() && script_frames_left_ == 0 && options_.screenshot.empty();
  window_.wait_events(wait ? idle_wait_s : options_.screenshot.empty() ? 0 : 0.002);
  ++turns_;
  if (state_.quit || (window_.closing() && may_close())) return false;
  if (window_.minimised() && !bare_) {
    // Nothing to draw; a picture that was asked for may still come.
    window_.wait_events(idle_wait_s);
    last_frame_s_ = now_s();
    act_script();
    take_what_is_ready();
    return true;
  }
  const double begin_s = now_s();
  act_script();
  take_what_is_ready();
  begin_interface_frame();
  const double dt_s = std::clamp(begin_s - last_frame_s_, 0.0, 1.0);
  last_frame_s_ = begin_s;
  handle_events();
  const bool moved = scene_ && control_.advance(state_, dt_s);
  if (scene_) {
    follow_images();
    update_edits();
    ask_for_pictures();
  }
  draw_panels(state_, info(), layout_);
  draw(/*whole_window=*/true);
  after_drawing();
  busy_ = moved || !settled() || control_.dragging() || ImGui::IsAnyMouseDown() || ImGui::GetIO().WantTextInput;
  frame_ms_ = 1000 * (now_s() - begin_s);
  frame_budget_.measured(frame_ms_ - points_ms_);
  ++frames_;
  if (generations_ > 0 && !options_.screenshot.empty()) {
    // A picture for a script: nothing more to do than to wait for it.
    settled_frames_ = settled() && status_.error.empty() &&
                              small_photos_.size() >= (options_.screenshot_panels && shelf_ ? scene_->images.size() : 0)
                          ? settled_frames_ + 1
                          : 0;
    if (settled_frames_ == 2)
      (options_.screenshot_panels ? pending_window_screenshot_ : pending_screenshot_) = options_.screenshot;
    if (settled_frames_ > 2) return false;
  } else if (frames_ > 5 && generations_ > 0) {
    longest_frame_ms_ = std::max(longest_frame_ms_, frame_ms_);
    longest_recent_ms_ = std::max(longest_recent_ms_, frame_ms_);
  }
  return true;
}

void ViewerLoop::take_what_is_ready() {
  status_ = render_.status();
  if (std::shared_ptr<const ViewScene> scene = render_.take_scene()) new_scene(std::move(scene));
  if (!status_.error.empty() && !options_.render.follow) throw InputError("{}", status_.error);
  for (Picture& picture : render_.take_pictures()) {
    if (!pacer_.arrived(picture)) continue;
    Shown& shown = shown_[std::min<size_t>(picture.slot, 1)];
    if (picture.message.empty()) {
      const bool exact = picture.scale == 1 || picture.wanted.mode == ViewMode::layer;
      put(picture, !exact, shown.texture);
      picture.pixels = {};
      picture.on_gpu.reset();
      if (first_picture_s_ == 0) first_picture_s_ = now_s();
      state_.shown_exposure_ev = picture.exposure_ev;
    }
    shown.picture = std::move(picture);
    shown.any = true;
  }
  for (HeldOutPicture& picture : render_.take_held_out()) {
    HeldOut& held = held_out_[picture.image];
    held.photo.set(picture.photo, true);
    held.rendering.set(picture.rendering, true);
    held.shown = {picture.image,     picture.step,          picture.generation,      picture.psnr_db,
                  held.photo.name(), held.rendering.name(), picture.rendering.width, picture.rendering.height};
  }
  if (shelf_)
    for (PhotoShelf::Item& item : shelf_->take()) {
      if (item.small) {
        if (item.problem.empty())
          small_photos_[item.image].set(item.pixels, true);
        else
          small_photos_[item.image];  // counted; nothing to see
        if (item.problem.empty()) small_photo_names_[item.image] = small_photos_[item.image].name();
      } else {
        photo_image_ = item.image;
        photo_note_ = item.problem.empty() ? scene_->images[static_cast<size_t>(item.image)].name : item.problem;
        if (item.problem.empty()) photo_.set(item.pixels, true);
      }
    }
  if (curves_ && now_s() - curves_s_ > 0.2) {
    if (curves_->poll())
      Window::wake();
    else
      curves_s_ = now_s();
  }
}

void ViewerLoop::put(const Picture& picture, bool smooth, GlTexture& texture) {
  if (picture.on_gpu && no_interop_.empty()) {
    no_interop_ = texture.set(*picture.on_gpu, smooth);
    transfer_ = "CUDA interop";
    if (no_interop_.empty()) return;
  }
  texture.set(picture.pixels, smooth);
  if (scene_ && scene_->device == "cuda") transfer_ = "plain copy" + (no_interop_.empty() ? "" : " (" + no_interop_ + ")");
}

void ViewerLoop::new_scene(std::shared_ptr<const ViewScene> scene) {
  const bool first = !scene_;
  const bool other_photos = first || scene->photos == nullptr || scene_->images.size() != scene->images.size();
  scene_ = std::move(scene);
  ++generations_;
  points_->set_cloud(scene_->cloud);
  if (scene_->photos && (other_photos || !shelf_)) {
    shelf_.reset();
    small_photos_.clear();
    small_photo_names_.clear();
    shelf_ = std::make_unique<PhotoShelf>(scene_->photos, [] { Window::wake(); });
  }
  if (first) begin_view(state_, *scene_);
  make_frusta(state_, *scene_);
  if (!first) return;
  const fs::path metrics =
      fs::path(fs::is_directory(scene_->path) ? fs::path(scene_->path) : fs::path(scene_->path).parent_path()) /
      "metrics.jsonl";
  if (scene_->has_model && scene_->fitted) curves_ = std::make_unique<FitCurves>(metrics);
  first_view();
}

void ViewerLoop::first_view() {
  if (options_.remember && options_.screenshot.empty()) load_state(state_, *scene_, saved_state_file(scene_->path));
  if (!options_.view.empty()) {
    const auto& images = scene_->images;
    const auto found =
        std::find_if(images.begin(), images.end(), [&](const ViewImage& i) { return i.name == options_.view; });
    if (found == images.end())
      throw InputError("--view: image '{}' is not one of the {} images of {}; the first is {}", options_.view,
                       images.size(), scene_->path, images.empty() ? "missing" : images.front().name);
    fly_to_image(state_, *scene_, static_cast<int>(found - images.begin()));
    state_.camera = state_.flight->to;
    state_.flight.reset();
    state_.jumps.clear();
  }
  state_.layer = std::clamp(options_.layer, 0, std::max(0, scene_->layers - 1));
  const auto choose = [&](const std::string& name, ViewMode& mode) {
    if (name.empty()) return;
    mode = mode_named(name);
    if (view_mode_info(mode).needs_model && !scene_->has_model)
      throw InputError(
          "--mode {}: {} can show points and photo only: {}", name, scene_->path,
                       scene_->remarks.empty() ? "it has no model" : scene_->remarks.back());
  };
  choose(options_.mode, state_.mode);
  choose(options_.second_mode, state_.second_mode);
  if (!options_.second_mode.empty()) state_.split = true;
  open_edits();
}

void ViewerLoop::follow_images() {
  state_.standing_in = image_stood_in(*scene_, state_.camera);
  state_.nearest = state_.standing_in >= 0 ? state_.standing_in
                                           : nearest_image(*scene_, state_.camera.camera_from_world, state_.extent);
  // While a flight or a drag is on, lights of one photo after the other would flicker.
  if (state_.light_of_nearest && state_.nearest >= 0 && !state_.flight && !state_.light.automatic)
    state_.light.image = state_.nearest;
  const auto shows_photo = [](ViewMode mode) { return mode == ViewMode::photo || mode == ViewMode::blend; };
  const bool wanted = shows_photo(state_.mode) || (state_.split && shows_photo(state_.second_mode));
  if (!shelf_) photo_note_ = scene_->photos_missing.empty() ? "no photos" : scene_->photos_missing;
  if (wanted && shelf_ && state_.nearest >= 0 && photo_wanted_ != state_.nearest) {
    photo_wanted_ = state_.nearest;
    shelf_->want(photo_wanted_);
  }
}

void ViewerLoop::ask_for_pictures() {
  pacer_.set_frames_per_s(state_.frames_per_s);
  WantedView view;
  view.camera = state_.camera;
  view.width_px = layout_.picture.width;
  view.height_px = layout_.picture.height;
  view.light = light_of_view(state_, *scene_);
  view.generation = scene_->generation;
  const auto add = [&](ViewMode mode) {
    WantedPicture wanted;
    wanted.mode = mode;
    if (mode == ViewMode::layer) {
      wanted.layer = std::clamp(state_.layer, 0, std::max(0, scene_->layers - 1));
      wanted.channels = state_.channels;
    }
    if (mode == ViewMode::error) wanted.photo = state_.standing_in;
    view.wanted.push_back(wanted);
  };
  const bool first = view_mode_info(state_.mode).rendered && scene_->has_model;
  const bool second = state_.split && view_mode_info(state_.second_mode).rendered && scene_->has_model;
  if (first) add(state_.mode);
  if (second) {
    // Slot 1 is the right half: a left half of another kind leaves slot 0 to a copy that costs nothing more.
    if (!first) add(state_.second_mode);
    add(state_.second_mode);
  }
  if (const std::optional<ViewRequest> request = pacer_.next(view, now_s())) render_.request(*request);
}

PixelRect ViewerLoop::photo_rect(int image) const {
  const PixelRect& area = layout_.picture;
  const CameraParams<double>& camera = scene_->images[static_cast<size_t>(image)].camera;
  const double scale =
      std::min(static_cast<double>(area.width) / camera.width_px, static_cast<double>(area.height) / camera.height_px);
  const int width = static_cast<int>(std::lround(camera.width_px * scale)),
            height = static_cast<int>(std::lround(camera.height_px * scale));
  return {area.x + (area.width - width) / 2, area.y + (area.height - height) / 2, width, height};
}

void ViewerLoop::draw_half(size_t half, ViewMode mode, const PixelRect& clip) {
  const auto quad = [&](GLuint texture, const PixelRect& rect, float u, float v, float alpha, bool from_top) {
    quad_->draw(texture, rect, clip, canvas_.width(), canvas_.height(), u, v, alpha, from_top);
  };
  if (mode == ViewMode::points) {
    quad(points_->canvas().color(), layout_.picture, 1, 1, 1, false);
    return;
  }
  Shown& shown = shown_[half];
  if (view_mode_info(mode).rendered && shown.any && !shown.texture.empty())
    quad(shown.texture.name(), layout_.picture, static_cast<float>(shown.picture.shown_width),
         static_cast<float>(shown.picture.shown_height), 1, true);
  const bool photo_there = photo_image_ >= 0 && !photo_.empty();
  if (mode == ViewMode::photo && photo_there) quad(photo_.name(), photo_rect(photo_image_), 1, 1, 1, true);
  if (mode == ViewMode::blend && photo_there)
    quad(photo_.name(), photo_rect(photo_image_), 1, 1, static_cast<float>(std::min(0.999, state_.photo_opacity)),
         true);
}

void ViewerLoop::draw(bool whole_window) {
  const PixelRect& area = layout_.picture;
  const auto shows_points = state_.mode == ViewMode::points || (state_.split && state_.second_mode == ViewMode::points);
  points_ms_ = 0;
  if (scene_ && shows_points) {
    const double begin_s = now_s();
    const double most_ms = pacer_.moving() || state_.flight ? points_ms_moving : points_ms_resting;
    points_done_ = points_->draw(view_params(state_.camera, area.width, area.height), state_.camera.camera_from_world,
                                 frame_budget_.points_ms(most_ms));
    points_ms_ = 1000 * (now_s() - begin_s);
  }
  canvas_.bind();
  glClearColor(0.09f, 0.09f, 0.10f, 1);
  glClear(GL_COLOR_BUFFER_BIT);
  if (scene_) {
    PixelRect left = area, right = area;
    if (state_.split) {
      left.width = static_cast<int>(std::lround(state_.split_at * area.width));
      right.x += left.width;
      right.width -= left.width;
      draw_half(1, state_.second_mode, right);
    }
    draw_half(0, state_.mode, left);
  }
  if (!pending_screenshot_.empty()) save_screenshot(std::exchange(pending_screenshot_, {}), area);
  ImGui::Render();
  if (whole_window && !bare_) {
    canvas_.bind();
    ImGui_ImplOpenGL3_RenderDrawData(ImGui::GetDrawData());
  }
  if (!pending_window_screenshot_.empty())
    save_screenshot(std::exchange(pending_window_screenshot_, {}), {0, 0, canvas_.width(), canvas_.height()});
  if (options_.screenshot.empty()) {
    glBindFramebuffer(GL_READ_FRAMEBUFFER, canvas_.framebuffer());
    glBindFramebuffer(GL_DRAW_FRAMEBUFFER, 0);
    glBlitFramebuffer(0, 0, canvas_.width(), canvas_.height(), 0, 0, canvas_.width(), canvas_.height(),
                      GL_COLOR_BUFFER_BIT, GL_NEAREST);
    window_.swap();
  }
}

void ViewerLoop::save_screenshot(const std::string& file, const PixelRect& rect) {
  const fs::path path = file;
  const bool jpeg = path.extension() == ".jpg" || path.extension() == ".jpeg";
  if (!jpeg && path.extension() != ".png") throw InputError("{}: expected a name that ends in .png or .jpg", file);
  // Encoding takes longer than a frame may.
  writing_.push_back(
      std::async(std::launch::async, [path, jpeg, image = canvas_.read(rect.x, rect.y, rect.width, rect.height)] {
        if (jpeg)
          write_jpeg(path, image);
        else
          write_png(path, image);
      }));
}

void ViewerLoop::after_drawing() {
  if (std::exchange(state_.export_start, false))
    render_.export_path({state_.path, state_.export_folder, state_.export_video ? state_.export_video_file : ""});
  if (std::exchange(state_.export_cancel, false)) render_.cancel_export();
  if (!std::exchange(state_.screenshot, false)) return;
  char stamp[64];
  const std::time_t now = std::time(nullptr);
  std::strftime(stamp, sizeof stamp, "%Y%m%d-%H%M%S", std::localtime(&now));
  pending_screenshot_ = fmt::format("pointillist-{}-{}.png", view_mode_info(state_.mode).name, stamp);
  fmt::print("{}\n", fs::absolute(pending_screenshot_).string());
}

ViewerInfo ViewerLoop::info() {
  ViewerInfo info;
  info.scene = scene_.get();
  info.loading = status_.loading;
  info.rendering = status_.rendering;
  info.moving = pacer_.moving();
  info.complete = pacer_.complete();
  info.follow = options_.render.follow;
  info.transfer = transfer_;
  info.error = status_.error;
  info.notice = status_.notice;
  info.edits = {edits_decided_.removed, scene_ && scene_->cloud ? scene_->cloud->total : 0, edits_decided_.exact,
                !edits_settled()};
  info.focus = [this] { return edit_focus(); };
  info.path_export = render_.export_status();
  for (const auto& [image, held] : held_out_)
    if (scene_ && static_cast<size_t>(image) < scene_->images.size()) info.held_out.push_back(held.shown);
  const ViewMode modes[2] = {state_.mode, state_.second_mode};
  for (size_t half = 0; half < 2; ++half)
    if (shown_[half].any && view_mode_info(modes[half]).rendered) info.pictures[half] = &shown_[half].picture;
  info.full_width_px = layout_.picture.width;
  info.full_height_px = layout_.picture.height;
  info.points_drawn = points_->points_drawn();
  info.frame_ms = frame_ms_;
  info.longest_frame_ms = longest_frame_ms_;
  info.curves = curves_.get();
  info.small_photos = &small_photo_names_;
  info.photo_note = photo_note_;
  info.scale = static_cast<float>(window_.scale());
  return info;
}

}  // namespace ptl
