/* What a context and a plan have on an OpenCL device: for the files of this folder. */
#ifndef CLSOFTMAX_OPENCL_PLAN_H
#define CLSOFTMAX_OPENCL_PLAN_H

#include "../context.h"
#include "opencl_program.h"

/* The state of a context. */
typedef struct cls_opencl_context {
    cl_device_id device;
    cl_context context;
    cls_opencl_programs programs;
} cls_opencl_context;

/* The state of a plan. Its own queues and buffers (tiles) serve calls on host memory; the first such call makes them,
   so that a plan for device buffers has none. */
typedef struct cls_opencl_plan {
    cls_opencl_kernels kernels;
    cl_mem scratch;           /* which the kernels of a launch share; NULL for a strategy of one kernel */
    cl_event scratch_is_free; /* the scratch memory is free once this event has completed, or if it is NULL */
    struct cls_opencl_tiles *tiles;
} cls_opencl_plan;

#endif
