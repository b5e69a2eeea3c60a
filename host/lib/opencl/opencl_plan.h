/* What a context and a plan are on an OpenCL device: for everything in this folder that works on one. */
#ifndef CLSOFTMAX_OPENCL_PLAN_H
#define CLSOFTMAX_OPENCL_PLAN_H

#include "../context.h"
#include "opencl_program.h"

typedef struct cls_opencl_context {
    cl_device_id device;
    cl_context context;
    cls_opencl_programs programs;
} cls_opencl_context;

/* A plan's own queues and buffers serve calls on host memory. The first such call makes them, so that a plan for device
   buffers has none. */
typedef struct cls_opencl_plan {
    cls_opencl_kernels kernels;
    cl_mem scratch;           /* what the kernels of a launch tell each other; NULL for a strategy of one kernel */
    cl_event scratch_is_free; /* once this event is complete, or if it is NULL */
    struct cls_opencl_tiles *tiles;
} cls_opencl_plan;

#endif
