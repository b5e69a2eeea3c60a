/* Devices for tests of planning, as their drivers would describe them. */
#ifndef CLSOFTMAX_TEST_LIMITS_H
#define CLSOFTMAX_TEST_LIMITS_H

#include "plan.h"

static const cls_limits gpu = {CLSOFTMAX_DEVICE_GPU, 80,  1,        1024, 49152, (uint64_t)1 << 30,
                               (uint64_t)4 << 30,    128, 32 << 20, 0};
static const cls_limits opencl_cpu = {CLSOFTMAX_DEVICE_OPENCL_CPU, 2,   16,       4096, 2 << 20, (uint64_t)1 << 30,
                                      (uint64_t)4 << 30,           128, 32 << 20, 1};
static const cls_limits native = {CLSOFTMAX_DEVICE_CPU, 2, 1, 1, 0, 0, 0, 0, 0, 0};

#endif
