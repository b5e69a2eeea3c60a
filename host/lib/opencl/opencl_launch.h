/* Launches: for calls on host memory (opencl_share.c, opencl_copy.c) and on device buffers (opencl_interop.c). */
#ifndef CLSOFTMAX_OPENCL_LAUNCH_H
#define CLSOFTMAX_OPENCL_LAUNCH_H

#include "../array.h"
#include "opencl_plan.h"

/* Which piece of its rows a launch of a strategy with parts gets, and which of the kernels runs. Zeros: the launch gets
   whole rows, and all kernels run. */
typedef struct cls_opencl_piece {
    cl_uint pieces, number;
    cl_uint first_class;
    unsigned pass;
} cls_opencl_piece;

/* The numbers of a call that are the same for all rows. */
typedef struct cls_opencl_numbers {
    float temperature, scale, z_loss, share; /* the last as cls_loss_share returns it */
} cls_opencl_numbers;

/* Returns those of a call on host memory. */
static inline cls_opencl_numbers cls_opencl_numbers_of(const clsoftmax_problem *problem,
                                                       const clsoftmax_arguments *arguments)
{
    return (cls_opencl_numbers){arguments->temperature, arguments->scale, arguments->z_loss,
                                cls_loss_share(problem, arguments->label_smoothing, arguments->teacher_share)};
}

/* The arrays of a launch. */
typedef struct cls_opencl_arrays {
    cl_mem of[CLS_ARRAYS];      /* NULL: the problem does not have the array, or the call leaves it out */
    cl_ulong first[CLS_ARRAYS]; /* elements before the first row's; those of a layout are in the problem, too */
    cl_ulong rows_stride;       /* elements from what rows have at one temperature of a sweep to what at the next */
    cls_opencl_piece piece;
} cls_opencl_arrays;

/* The order of a launch among others: its queue, and what it waits for, which is one event of the library or the
   caller's wait list. */
typedef struct cls_opencl_order {
    cl_command_queue queue;
    cl_uint wait_count;
    const cl_event *wait;
    cl_event *event; /* becomes the event of the launch; may be NULL */
} cls_opencl_order;

/* Enqueues one launch over the problem's outer indices and the temperatures of its sweep, which must be at most
   launch_outer and launch_temperatures of the plan's decision. */
clsoftmax_status cls_opencl_launch(const clsoftmax_problem *problem, const cls_decision *decision,
                                   cls_opencl_plan *state, const cls_opencl_arrays *arrays, cls_opencl_numbers numbers,
                                   cls_opencl_order order);

#endif
