#include "research/machine.h"

#include <fmt/format.h>
#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <ctime>
#include <fstream>
#include <thread>

namespace ptl::research {

std::string Machine::text() const {
  return fmt::format("{}, {} cores, {:.0f} GiB", processor, cores, memory_gib);
}

std::string host_name() {
  std::array<char, 256> host{};
  return ::gethostname(host.data(), host.size() - 1) == 0 ? host.data() : std::string();
}

Machine this_machine() {
  Machine machine;
  machine.host = host_name();
  std::ifstream processors("/proc/cpuinfo");
  for (std::string line; std::getline(processors, line);)
    if (line.rfind("model name", 0) == 0 && line.find(':') != std::string::npos) {
      machine.processor = line.substr(line.find(':') + 1);
      machine.processor.erase(0, machine.processor.find_first_not_of(' '));
      break;
    }
  if (machine.processor.empty()) machine.processor = "unknown processor";
  cpu_set_t usable;
  if (::sched_getaffinity(0, sizeof usable, &usable) == 0) machine.cores = CPU_COUNT(&usable);
  const long pages = ::sysconf(_SC_PHYS_PAGES), page = ::sysconf(_SC_PAGESIZE);
  if (pages > 0 && page > 0) machine.memory_gib = static_cast<double>(pages) * static_cast<double>(page) / (1ull << 30);
  struct utsname name = {};
  if (::uname(&name) == 0) machine.system = fmt::format("{} {}", name.sysname, name.release);
  return machine;
}

double busy_cores(double seconds) {
  // The first line of /proc/stat: ticks of all cores together, by what they did; the fourth and fifth are idle ones.
  struct Ticks {
    double idle = 0, all = 0;
  };
  const auto count = [] {
    std::ifstream stream("/proc/stat");
    std::string name;
    stream >> name;
    Ticks ticks;
    double value = 0;
    for (int i = 0; i < 8 && stream >> value; ++i) {
      ticks.all += value;
      if (i == 3 || i == 4) ticks.idle += value;
    }
    return ticks;
  };
  const Ticks before = count();
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  const Ticks after = count();
  const double all = after.all - before.all;
  return all > 0 ? (1 - (after.idle - before.idle) / all) * static_cast<double>(::sysconf(_SC_NPROCESSORS_ONLN)) : 0;
}

std::string timestamp() {
  const std::time_t now = std::time(nullptr);
  struct tm utc = {};
  ::gmtime_r(&now, &utc);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text.data();
}

}  // namespace ptl::research
