/*
 * Opens OpenCL devices: for select.c, which finds them by name, and for opencl_interop.c, which gets them from the
 * caller.
 */
#ifndef CLSOFTMAX_OPENCL_BACKEND_H
#define CLSOFTMAX_OPENCL_BACKEND_H

#include "opencl_device.h"
#include "opencl_plan.h"

/* Opens the device into a context in which everything is zero but `process`, and builds a trivial kernel to see whether
   it compiles. `shared` is a caller's OpenCL context to use, or NULL to make one. After a failure nothing is left
   open. */
clsoftmax_status cls_opencl_open(clsoftmax_context *context, const cls_opencl_device *device, cl_context shared);

#endif
