#include "datasets/video.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "datasets/error.h"

namespace ptl {
namespace fs = std::filesystem;

namespace {

/// The last lines of what the program said.
std::string last_words(const fs::path& log) {
  std::ifstream stream(log);
  std::ostringstream all;
  all << stream.rdbuf();
  std::string text = all.str();
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  if (text.size() > 500) text = "..." + text.substr(text.size() - 500);
  return text.empty() ? "it said nothing" : text;
}

/// Runs the program with its words in `log`. Its exit status; −1 where it was stopped.
int run_logged(const std::vector<std::string>& arguments, const fs::path& log,
               const std::function<bool()>& keep_going) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const int words = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (words < 0) throw InputError("{}: could not be opened for writing: {}", log.string(), std::strerror(errno));
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(nothing, 0);
    ::dup2(words, 1);
    ::dup2(words, 2);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  ::close(words);
  if (nothing >= 0) ::close(nothing);
  if (child < 0) throw InputError("{}: could not be started: {}", arguments[0], std::strerror(errno));
  bool stopped = false;
  for (int status = 0;;) {
    const pid_t ended = ::waitpid(child, &status, WNOHANG);
    if (ended == child) return stopped ? -1 : WIFEXITED(status) ? WEXITSTATUS(status) : 128;
    if (ended < 0 && errno != EINTR) return 128;
    if (!stopped && !keep_going()) {
      ::kill(child, SIGKILL);
      stopped = true;
    }
    ::usleep(20000);
  }
}

}  // namespace

fs::path find_ffmpeg() {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');) {
    const fs::path candidate = fs::path(folder.empty() ? "." : folder) / "ffmpeg";
    if (::access(candidate.c_str(), X_OK) == 0 && fs::is_regular_file(candidate)) return fs::absolute(candidate);
  }
  throw InputError(
      "video: ffmpeg is not on the PATH, and it makes the videos; install it (apt-get install ffmpeg), or "
      "leave the video away and take the PNG frames");
}

void check_video_name(const fs::path& video) {
  const std::string extension = video.extension().string();
  for (const char* known : {".mp4", ".mkv", ".mov", ".webm"})
    if (extension == known) return;
  throw InputError("video: expected a file that ends in .mp4, .mkv, .mov or .webm, found '{}'", video.string());
}

bool write_video(const FrameFolder& frames, const fs::path& video, const std::function<bool()>& keep_going) {
  check_video_name(video);
  const fs::path program = find_ffmpeg();
  std::error_code error;
  if (video.has_parent_path()) fs::create_directories(video.parent_path(), error);
  // ffmpeg reads % in the folder's name as part of the pattern.
  std::string folder;
  for (const char c : frames.folder().string()) folder += c == '%' ? "%%" : std::string(1, c);
  // "./": a name that begins with a dash, or holds a colon, is a file too.
  const auto file_name = [](const fs::path& path) { return path.is_absolute() ? path : fs::path(".") / path; };
  fs::path unfinished = video;
  unfinished.replace_filename(
      fmt::format("{}.part{}{}", video.stem().string(), ::getpid(), video.extension().string()));
  fs::path log = unfinished;
  log += ".log";
  std::vector<std::string> arguments = {
      program.string(), "-nostdin", "-y", "-loglevel", "error", "-framerate",
      fmt::format("{}", frames.set().frames_per_s), "-start_number", "0", "-i",
      file_name(fs::path(folder) / frame_pattern).string(), "-frames:v", fmt::format("{}", frames.set().count), "-vf",
      // Colours by the standard that players assume, said in the file.
      "crop=trunc(iw/2)*2:trunc(ih/2)*2,scale=out_color_matrix=bt709:out_range=tv", "-pix_fmt", "yuv420p",
      "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "iec61966-2-1"};
  if (video.extension() == ".webm")
    arguments.insert(arguments.end(), {"-c:v", "libvpx-vp9", "-crf", "24", "-b:v", "0"});
  else
    arguments.insert(arguments.end(), {"-c:v", "libx264", "-crf", "16", "-preset", "medium"});
  if (video.extension() == ".mp4" || video.extension() == ".mov")
    arguments.insert(arguments.end(), {"-movflags", "+faststart"});
  arguments.push_back(file_name(unfinished).string());
  int status = 0;
  std::string words;
  try {
    status = run_logged(arguments, log, keep_going);
    if (status != 0) words = last_words(log);
  } catch (...) {
    fs::remove(log, error);
    throw;
  }
  fs::remove(log, error);
  if (status != 0) fs::remove(unfinished, error);
  if (status == -1) return false;
  if (status != 0)
    throw InputError("{}: ffmpeg could not make the video (the frames are in {}): {}", video.string(),
                     frames.folder().string(), words);
  fs::rename(unfinished, video, error);
  if (error) throw InputError("{}: the finished video could not be put in place: {}", video.string(), error.message());
  return true;
}

}  // namespace ptl
