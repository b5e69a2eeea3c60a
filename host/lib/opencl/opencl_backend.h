/* OpenCL devices as a backend: for select.c, which opens them by name, and opencl_interop.c, which opens a caller's. */
#ifndef CLSOFTMAX_OPENCL_BACKEND_H
#define CLSOFTMAX_OPENCL_BACKEND_H

#include "opencl_device.h"
#include "opencl_plan.h"

/* Opens the device into a context that is zeroed but for `process`, and builds a trivial kernel to see that it can.
   `shared` is a caller's OpenCL context to use, or NULL to make one. After a failure nothing is left open. */
clsoftmax_status cls_opencl_open(clsoftmax_context *context, const cls_opencl_device *device, cl_context shared);

#endif
