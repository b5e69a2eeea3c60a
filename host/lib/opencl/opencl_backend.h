/* OpenCL devices as a backend. */
#ifndef CLSOFTMAX_OPENCL_BACKEND_H
#define CLSOFTMAX_OPENCL_BACKEND_H

#include "../context.h"
#include "opencl_device.h"

/* Opens the device into a context that is zeroed but for `process`, and builds a trivial kernel to see that it can. On
   failure nothing is left open. */
clsoftmax_status cls_opencl_open(clsoftmax_context *context, const cls_opencl_device *device);

#endif
