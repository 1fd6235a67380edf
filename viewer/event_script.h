// A file of events that act as a user would, for tests and for pictures of the window. A line each:
//   key NAME             pressed and released; key NAME down, key NAME up. a-z 0-9 [ ] tab escape space left right f1
//   f12 shift
//                        control alt backspace delete enter
//   move X Y             the mouse, pixels of the window
//   press BUTTON, release BUTTON, click BUTTON          left, right, middle
//   drag X0 Y0 X1 Y1 [BUTTON]                           in ten steps, a frame each
//   scroll CLICKS        text WORDS
//   resize W H           frames N            wait SECONDS
//   settle               until all that is wanted is shown at its full size
//   push NAME            a click on a button or a field: save, load, export, cancel, folder, video, "video file" ...
//   exported             until no export of frames is running
//   frames-done N        until an export has written N frames
//   held-out N           until N held-out pictures of the newest checkpoint are shown (--follow)
//   source NAME          until the model that is shown was read from a file of this name
//   notice               until the window says that something is wrong with the run
//   file NAME            until that file is there
//   generation N         until the scene was loaded N times (--follow)
//   screenshot FILE [panels]                            the picture alone, or the whole window
//   state FILE           camera, mode, times and where cameras stand in the window, as JSON
//   close                as the window's own button does: asks first where there is something to save
//   quit
// Empty lines and lines that begin with # are passed over.
#pragma once

#include <deque>
#include <filesystem>
#include <string>
#include <vector>

namespace ptl {

struct ScriptCommand {
  std::string name;
  std::vector<std::string> words;
  int line = 0;

  double number(size_t index) const;  ///< InputError where it is none
  int key() const;                    ///< GLFW's number of words[0]
  int button(size_t index) const;     ///< GLFW's number; left where the word is missing
};

/// InputError that names the line for a command that does not exist or lacks words.
std::deque<ScriptCommand> read_script(const std::filesystem::path& file);

}  // namespace ptl
