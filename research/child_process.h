// A command as a process of its own: what it says goes to a file, what it needed is counted, and it does not outlive
// us.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace ptl::research {

struct ChildResult {
  int exit_status = -1;     ///< of a process that ended by itself
  int signal = 0;           ///< that ended it; 0: none
  double seconds = 0;       ///< wall clock
  uint64_t peak_bytes = 0;  ///< most resident memory
  bool sound() const { return signal == 0 && exit_status == 0; }
  std::string text() const;  ///< "exit status 1", "signal 9"
};

/// Runs `command` (a program's path and its arguments). Standard output and errors are appended to `log`, or standard
/// output replaces `output` where that is given. `each_moment` is called about five times a second; when it returns a
/// signal's number, the process gets that signal, once. When this process dies, the system ends the child. Throws
/// InputError when the files cannot be written or no process can be made; a program that is not there gives exit status
/// 127.
ChildResult run_child(const std::vector<std::string>& command, const std::filesystem::path& log,
                      const std::filesystem::path& output, const std::function<int()>& each_moment);

}  // namespace ptl::research
