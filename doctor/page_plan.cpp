#include "doctor/page.h"
