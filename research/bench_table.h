// The table of a bench's folder, written in all its forms: table.html, .csv, .tex, .json.
#pragma once

#include "research/planned_run.h"
#include "research/table_files.h"

namespace ptl::research {

/// From the outcomes that are there. Several processes may do it at the same time: each file is one process's whole.
/// Throws InputError for outcomes that are not those of the plan, and when a file cannot be written.
Table write_bench_table(const Plan& plan, const BenchFolder& bench);

}  // namespace ptl::research
