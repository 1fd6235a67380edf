// pointillist: photos and points in, a model that shows the place from anywhere out.
#include <fmt/format.h>

#include <cstdio>
#include <exception>

#include "cli/commands.h"
#include "datasets/error.h"
#include "doctor/examine.h"
#include "renderer/device_setup.h"

namespace {

/// The one place where errors end (architecture, rule 6).
template <class Run>
int guarded(Run&& run) {
  try {
    return run();
  } catch (const ptl::doctor::CannotExamine& error) {
    fmt::print(stderr, "pointillist: {}\n", error.what());
    return 2;
  } catch (const ptl::InputError& error) {
    fmt::print(stderr, "pointillist: {}\n", error.what());
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "pointillist: out of memory; use smaller photos (--max-size), fewer points or a smaller image "
                       "cache (--image-cache)\n");
  } catch (const std::exception& error) {
    // The first line: LibTorch's messages carry a stack trace behind it.
    const std::string text = error.what();
    fmt::print(stderr, "pointillist: internal error: {}\n", text.substr(0, text.find('\n')));
  }
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  return guarded([&] {
    CLI::App app("Photos and points of a place in, a model that shows it from anywhere out.", "pointillist");
    app.require_subcommand(0, 1);
    app.fallthrough();
    bool version = false;
    app.add_flag("--version", version, "what this program is made of");
    int threads = 0;
    app.add_option("--threads", threads, "threads (0: one per core); results do not depend on it");
    app.parse_complete_callback([&] { ptl::set_threads(threads); });
    ptl::add_info_command(app);
    ptl::add_doctor_command(app);
    ptl::add_fit_command(app);
    ptl::add_eval_command(app);
    ptl::add_render_command(app);
    ptl::add_export_command(app);
    ptl::add_compare_command(app);
    ptl::add_score_command(app);
    ptl::add_bench_command(app);
    ptl::add_report_command(app);
    ptl::add_densify_command(app);
    ptl::add_synth_command(app);
    ptl::add_audit_command(app);
    ptl::add_pretrain_command(app);
#if defined(PTL_WITH_VIEWER)
    ptl::add_view_command(app);
#endif
    try {
      app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      return app.exit(error);
    }
    if (version) {
      for (const auto& [name, value] : ptl::version_table()) fmt::print("{:<12} {}\n", name, value);
      return 0;
    }
    if (app.get_subcommands().empty()) fmt::print("{}", app.help());
    return 0;
  });
}
