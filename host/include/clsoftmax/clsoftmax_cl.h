/*
 * clsoftmax for programs that already use OpenCL: the caller owns context, queue and buffers; a call only enqueues. It never
 * blocks and never copies, and errors of the arguments are found before anything is enqueued. (Not seen are arrays that overlap
 * through sub-buffers, or with those of temperatures, labels or statistics.)
 *
 *     clsoftmax_context *context = NULL;
 *     clsoftmax_plan *plan = NULL;
 *     clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
 *     problem.outer = rows, problem.classes = classes;
 *     clsoftmax_cl_context_create(cl_context_of_yours, device, &context);
 *     clsoftmax_plan_create(context, &problem, &plan);
 *     clsoftmax_cl_arguments arguments = CLSOFTMAX_CL_ARGUMENTS_INIT;
 *     arguments.logits = logits_buffer, arguments.results = results_buffer, arguments.temperature = 0.7f;
 *     clsoftmax_cl_enqueue(plan, queue, &arguments, 0, NULL, &done);
 *
 * Offsets and strides are in elements: see clsoftmax_layout. Buffers made with CL_MEM_USE_HOST_PTR must begin at a multiple of 16
 * bytes if rows do, counted from there (INVALID_ARGUMENT where it matters). Device buffers and host memory may be used with the same plan.
 */
#ifndef CLSOFTMAX_CLSOFTMAX_CL_H
#define CLSOFTMAX_CLSOFTMAX_CL_H

#include "clsoftmax.h"

#ifndef CL_TARGET_OPENCL_VERSION
#define CL_TARGET_OPENCL_VERSION 120
#endif
#ifdef __APPLE__
#include <OpenCL/opencl.h>
#else
#include <CL/cl.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* A context of this library on a device of the caller's OpenCL context, which is retained until the release. DEVICE_NOT_FOUND if
   the device is not of that context, DEVICE_UNUSABLE if it cannot compile. A device outside the numeric promise is taken, with a
   notice. */
CLSOFTMAX_API clsoftmax_status clsoftmax_cl_context_create(cl_context cl, cl_device_id device,
                                                           clsoftmax_context **context);

/* The arrays of one call, in buffers of the plan's OpenCL context. What the plan's problem does not ask for stays NULL. First
   elements are counted in elements of the array; those of logits and results are in the problem's layouts. Start from
   CLSOFTMAX_CL_ARGUMENTS_INIT, or from clsoftmax_cl_arguments_init where macros are out of reach. */
typedef struct clsoftmax_cl_arguments {
    size_t size; /* of this struct in the program: sizeof(clsoftmax_cl_arguments) */
    cl_mem logits;
    cl_mem results; /* may be logits where dtypes and layouts are equal, or where the spans of the arrays do not meet */
    cl_float temperature;
    cl_mem temperatures; /* cl_float for each row, if temperature_per_row */
    size_t temperatures_first;
    cl_mem labels; /* cl_long for each row, if statistics; may be NULL */
    size_t labels_first;
    cl_mem statistics; /* clsoftmax_statistics for each row, if statistics */
    size_t statistics_first;
    cl_mem invalid_rows; /* one cl_uint, or NULL: grows by the number of rows whose temperature is negative or NaN */
} clsoftmax_cl_arguments;

/* clang-format off */
#define CLSOFTMAX_CL_ARGUMENTS_INIT { sizeof(clsoftmax_cl_arguments), NULL, NULL, 1.0f, NULL, 0, NULL, 0, NULL, 0, NULL }
/* clang-format on */

/* Sets arguments of `size` bytes, sizeof(clsoftmax_cl_arguments) of the program, to CLSOFTMAX_CL_ARGUMENTS_INIT. */
CLSOFTMAX_API void clsoftmax_cl_arguments_init(clsoftmax_cl_arguments *arguments, size_t size);

/* Puts the plan into a queue, in order or out of order, behind the events of the wait list; *event, if event is not NULL, is
   the caller's to release. The buffers must live until it is complete. A plan is used by one thread at a time, but may be
   enqueued again before an earlier call is complete, on any queue. (Calls of a plan of strategy `split` share its scratch memory: each
   waits for the one before, and fails if that fails while it waits.)
     WRONG_DEVICE       the plan's device is none of OpenCL, or not the queue's
     WRONG_CONTEXT      the queue, or a buffer, is of another OpenCL context
     BUFFER_TOO_SMALL   a buffer ends before the array that it is to hold */
CLSOFTMAX_API clsoftmax_status clsoftmax_cl_enqueue(clsoftmax_plan *plan, cl_command_queue queue,
                                                    const clsoftmax_cl_arguments *arguments, cl_uint wait_count,
                                                    const cl_event *wait, cl_event *event);

#ifdef __cplusplus
}
#endif

#endif
