// The window: GLFW, an OpenGL 3.3 context, and input as events. What cannot be opened is an InputError that says why.
#pragma once

#include <string>
#include <vector>

struct GLFWwindow;

namespace ptl {

struct InputEvent {
  enum class Kind { key, text, button, move, scroll } kind = Kind::key;
  int code = 0;       ///< key or button as GLFW numbers them; text: the character
  bool down = false;  ///< pressed (also repeated), released
  bool repeated = false;
  double x = 0, y = 0;  ///< move: pixels of the framebuffer; scroll: clicks
};

class Window {
 public:
  /// `visible`: false for pictures without interaction. `scale`: of text and panels; 0: the display's.
  Window(const std::string& title, int width, int height, bool visible, double scale = 0);
  Window(const Window&) = delete;
  Window& operator=(const Window&) = delete;
  ~Window();

  /// Waits up to this long for events (0: takes what is there).
  void wait_events(double seconds);
  /// From any thread: ends a wait.
  static void wake();
  /// An event as if the user had made it: the path of the script.
  void inject(const InputEvent& event);
  /// Events since the last call, in order.
  std::vector<InputEvent> take_events();

  void swap();
  bool closing() const;
  void close();
  /// After closing() was true: the window is not to close yet.
  void stay_open();
  void set_size(int width, int height);
  void set_title(const std::string& title);
  bool minimised() const;
  int framebuffer_width() const;
  int framebuffer_height() const;
  double scale() const;        ///< asked for, or the display's: 2 where everything is twice as large
  std::string driver() const;  ///< OpenGL's name of it
  GLFWwindow* handle() const { return window_; }

 private:
  GLFWwindow* window_ = nullptr;
  double scale_ = 0;  ///< asked for
  std::vector<InputEvent> events_;
};

}  // namespace ptl
