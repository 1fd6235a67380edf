// Figures of held-out photos as `eval` and `score` print them.
#pragma once

#include <string>

#include "renderer/eval_result.h"

namespace ptl {

/// To standard output. `lpips_name`: the head of that column.
void print_eval_table(const EvalResult& result, const std::string& lpips_name);

}  // namespace ptl
