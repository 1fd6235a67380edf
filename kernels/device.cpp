#include "kernels/hd.h"
