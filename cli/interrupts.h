// Ctrl-C and SIGTERM: commands that save are asked to stop; a second one ends the program at once.
#pragma once

namespace ptl {

/// From now on the first interrupt is remembered.
void catch_interrupts();
bool interrupted();

}  // namespace ptl
