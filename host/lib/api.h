/* A check that each public function makes before it plans or runs: for api.c and opencl/opencl_interop.c. */
#ifndef CLSOFTMAX_API_H
#define CLSOFTMAX_API_H

#include "context.h"

/* Checks that this process made the context; FORKED in a child, whose threads and device would be the parent's. */
clsoftmax_status cls_check_process(const clsoftmax_context *context);

#endif
