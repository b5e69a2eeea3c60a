/* OpenCL devices as a backend. */
#ifndef CLSOFTMAX_OPENCL_BACKEND_H
#define CLSOFTMAX_OPENCL_BACKEND_H

#include "../context.h"
#include "opencl_device.h"
#include "opencl_program.h"

typedef struct cls_opencl_context {
    cl_device_id device;
    cl_context context;
    cls_opencl_programs programs;
} cls_opencl_context;

/* A plan's own queues and buffers serve calls on host memory; they are made by the first such call, so that a plan for
   device buffers has none. */
typedef struct cls_opencl_plan {
    cls_opencl_kernels kernels;
    cl_mem scratch;           /* what the kernels of a launch tell each other; NULL for a strategy of one kernel */
    cl_event scratch_is_free; /* once this event is complete, or if it is NULL */
    struct cls_opencl_tiles *tiles;
} cls_opencl_plan;

/* Opens the device into a context that is zeroed but for `process`, and builds a trivial kernel to see that it can.
   `shared` is a caller's OpenCL context to use, or NULL to make one. On failure nothing is left open. */
clsoftmax_status cls_opencl_open(clsoftmax_context *context, const cls_opencl_device *device, cl_context shared);

/* ---- The parts of a plan, in opencl_tiles.c and opencl_launch.c */

/* Which part of its rows a launch of `split` is given, and which of its kernels runs; zeros: all. */
typedef struct cls_opencl_piece {
    cl_uint pieces, number;
    cl_uint first_class;
    unsigned pass;
} cls_opencl_piece;

/* The arrays of a launch; NULL for what the problem does not ask for. `first` counts elements before the first row. */
typedef struct cls_opencl_arrays {
    cl_mem logits, results, temperatures, labels, statistics, invalid_rows;
    cl_ulong first_temperature, first_label, first_statistics;
    cl_ulong records_stride; /* of a sweep: records of one temperature */
    cls_opencl_piece piece;
} cls_opencl_arrays;

/* Puts one launch over `outer` outer indices of the problem and the temperatures of its sweep, launch_outer and launch_temperatures of
   the plan's decision at most, into the queue. event may be NULL. */
clsoftmax_status cls_opencl_launch(const clsoftmax_problem *problem, const cls_decision *decision,
                                   cls_opencl_plan *state, cl_command_queue queue, const cls_opencl_arrays *arrays,
                                   float temperature, uint64_t outer, cl_uint wait_count, const cl_event *wait,
                                   cl_event *event);

/* A call on host memory, tile by tile. */
clsoftmax_status cls_opencl_run_tiles(clsoftmax_plan *plan, const clsoftmax_arguments *arguments,
                                      uint64_t *invalid_rows);

/* NULL is allowed. */
void cls_opencl_tiles_release(struct cls_opencl_tiles *tiles);

#endif
