// The program's commands. Each file adds one subcommand: its options, and a callback that does the work. A callback throws
// InputError for what the user can mend; main prints it and returns 1 (of doctor: 2, where there is no diagnosis).
#pragma once

#include <CLI/CLI.hpp>

namespace ptl {

void add_info_command(CLI::App& app);
void add_doctor_command(CLI::App& app);
void add_fit_command(CLI::App& app);
void add_eval_command(CLI::App& app);
void add_render_command(CLI::App& app);
void add_export_command(CLI::App& app);
void add_compare_command(CLI::App& app);
void add_score_command(CLI::App& app);
void add_bench_command(CLI::App& app);
void add_report_command(CLI::App& app);
void add_densify_command(CLI::App& app);
void add_synth_command(CLI::App& app);
void add_audit_command(CLI::App& app);
void add_pretrain_command(CLI::App& app);
void add_view_command(CLI::App& app);  ///< where the viewer is built (PTL_WITH_VIEWER)

}  // namespace ptl
