#include "viewer/window.h"

#include <epoxy/gl.h>
// After the loader's header.
#include <GLFW/glfw3.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "datasets/error.h"

namespace ptl {

namespace {

std::string last_error;

void on_error(int, const char* text) {
  last_error = text;
}

[[noreturn]] void refuse(const char* what) {
  const char* display = std::getenv("DISPLAY");
  const char* wayland = std::getenv("WAYLAND_DISPLAY");
  const bool no_display = (!display || !*display) && (!wayland || !*wayland);
  throw InputError(
      "view: {}{}{}{}", what, last_error.empty() ? "" : " (" + last_error + ")",
      no_display ? "; there is no display: DISPLAY is not set. On a machine without one, run it under xvfb-run, or "
                   "use 'pointillist render', which needs no window"
                 : "",
      no_display ? "" : "; 'pointillist render' makes the same pictures without a window");
}

Window& window_of(GLFWwindow* handle) {
  return *static_cast<Window*>(glfwGetWindowUserPointer(handle));
}

}  // namespace

Window::Window(const std::string& title, int width, int height, bool visible, double scale) : scale_(scale) {
  glfwSetErrorCallback(on_error);
  if (!glfwInit()) refuse("no window can be opened");
  glfwWindowHint(GLFW_CONTEXT_VERSION_MAJOR, 3);
  glfwWindowHint(GLFW_CONTEXT_VERSION_MINOR, 3);
  glfwWindowHint(GLFW_OPENGL_PROFILE, GLFW_OPENGL_CORE_PROFILE);
  glfwWindowHint(GLFW_OPENGL_FORWARD_COMPAT, GLFW_TRUE);
  glfwWindowHint(GLFW_VISIBLE, visible ? GLFW_TRUE : GLFW_FALSE);
  glfwWindowHint(GLFW_SCALE_TO_MONITOR, GLFW_TRUE);
  window_ = glfwCreateWindow(width, height, title.c_str(), nullptr, nullptr);
  if (!window_) {
    glfwTerminate();
    refuse("the viewer needs OpenGL 3.3, which this display does not give");
  }
  glfwMakeContextCurrent(window_);
  if (epoxy_gl_version() < 33) {
    glfwDestroyWindow(window_);
    glfwTerminate();
    last_error =
        "it has OpenGL " + std::to_string(epoxy_gl_version() / 10) + "." + std::to_string(epoxy_gl_version() % 10);
    refuse("the viewer needs OpenGL 3.3, which this display does not give");
  }
  glfwSwapInterval(1);
  glfwSetWindowSizeLimits(window_, 320, 240, GLFW_DONT_CARE, GLFW_DONT_CARE);
  glfwSetWindowUserPointer(window_, this);
  using Kind = InputEvent::Kind;
  glfwSetKeyCallback(window_, [](GLFWwindow* w, int key, int, int action, int) {
    window_of(w).inject({Kind::key, key, action != GLFW_RELEASE, action == GLFW_REPEAT, 0, 0});
  });
  glfwSetCharCallback(window_, [](GLFWwindow* w, unsigned character) {
    window_of(w).inject({Kind::text, static_cast<int>(character), true, false, 0, 0});
  });
  glfwSetMouseButtonCallback(window_, [](GLFWwindow* w, int button, int action, int) {
    window_of(w).inject({Kind::button, button, action == GLFW_PRESS, false, 0, 0});
  });
  glfwSetCursorPosCallback(window_, [](GLFWwindow* w, double x, double y) {
    int window_width = 1, window_height = 1, pixel_width = 1, pixel_height = 1;
    glfwGetWindowSize(w, &window_width, &window_height);
    glfwGetFramebufferSize(w, &pixel_width, &pixel_height);
    window_of(w).inject({Kind::move, 0, false, false, x * pixel_width / std::max(1, window_width),
                         y * pixel_height / std::max(1, window_height)});
  });
  glfwSetScrollCallback(window_, [](GLFWwindow* w, double x, double y) {
    window_of(w).inject({Kind::scroll, 0, false, false, x, y});
  });
}

Window::~Window() {
  glfwDestroyWindow(window_);
  glfwTerminate();
}

void Window::inject(const InputEvent& event) {
  events_.push_back(event);
}

std::vector<InputEvent> Window::take_events() {
  return std::exchange(events_, {});
}

void Window::wait_events(double seconds) {
  if (seconds > 0)
    glfwWaitEventsTimeout(seconds);
  else
    glfwPollEvents();
}

void Window::wake() {
  glfwPostEmptyEvent();
}
void Window::swap() {
  glfwSwapBuffers(window_);
}
bool Window::closing() const {
  return glfwWindowShouldClose(window_) != 0;
}
void Window::close() {
  glfwSetWindowShouldClose(window_, GLFW_TRUE);
}
void Window::stay_open() {
  glfwSetWindowShouldClose(window_, GLFW_FALSE);
}
void Window::set_size(int width, int height) {
  glfwSetWindowSize(window_, width, height);
}
void Window::set_title(const std::string& title) {
  glfwSetWindowTitle(window_, title.c_str());
}

bool Window::minimised() const {
  return glfwGetWindowAttrib(window_, GLFW_ICONIFIED) != 0 || framebuffer_width() < 1 || framebuffer_height() < 1;
}

int Window::framebuffer_width() const {
  int width = 0, height = 0;
  glfwGetFramebufferSize(window_, &width, &height);
  return width;
}

int Window::framebuffer_height() const {
  int width = 0, height = 0;
  glfwGetFramebufferSize(window_, &width, &height);
  return height;
}

double Window::scale() const {
  if (scale_ > 0) return scale_;
  float x = 1, y = 1;
  glfwGetWindowContentScale(window_, &x, &y);
  return std::max(1.0, static_cast<double>(std::max(x, y)));
}

std::string Window::driver() const {
  return reinterpret_cast<const char*>(glGetString(GL_RENDERER));
}

}  // namespace ptl
