#include "renderer/device_setup.h"
