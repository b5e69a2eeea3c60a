/*
 * clsoftmax for programs that already use OpenCL: the caller owns context, queue and buffers, and a call only enqueues.
 * It never blocks and never copies. Errors in the arguments are found before anything is enqueued, with one exception:
 * overlaps are not seen between sub-buffers, or with the arrays of temperatures, labels or statistics.
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
 * Offsets and strides are in elements: see clsoftmax_layout. The same plan may be used with device buffers and with
 * host memory.
 *
 * If all rows of logits and results begin at multiples of 16 bytes, counted from the beginning of their buffers, a
 * kernel may read and write 16 bytes at a time. Then the host memory of a buffer made with CL_MEM_USE_HOST_PTR must
 * begin at a multiple of 16 bytes, too; otherwise the call returns INVALID_ARGUMENT.
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

/* Makes a context of this library on a device of the caller's OpenCL context, which is retained until the release.
   DEVICE_NOT_FOUND if the device does not belong to that context, DEVICE_UNUSABLE if it cannot compile. A device
   outside the numeric promise is accepted, with a notice. */
CLSOFTMAX_API clsoftmax_status clsoftmax_cl_context_create(cl_context cl, cl_device_id device,
                                                           clsoftmax_context **context);

/* The arrays of one call, in buffers of the plan's OpenCL context. An array that the plan's problem does not ask for
   stays NULL. The fields that end in _first are the number of the first element in the buffer, counted in elements of
   the array; logits, results and operand have theirs in the problem's layouts. Start from CLSOFTMAX_CL_ARGUMENTS_INIT,
   or from clsoftmax_cl_arguments_init where macros are out of reach. */
typedef struct clsoftmax_cl_arguments {
    size_t size; /* of this struct in the program: sizeof(clsoftmax_cl_arguments) */
    cl_mem logits;
    cl_mem results; /* may be logits if dtypes and layouts are equal, or if the arrays do not overlap in it */
    cl_float temperature;
    cl_mem temperatures; /* with temperature_per_row, a cl_float for each row; in a sweep, its temperatures */
    size_t temperatures_first;
    cl_mem labels; /* with statistics, a cl_long for each row; may be NULL */
    size_t labels_first;
    cl_mem statistics; /* with statistics, a clsoftmax_statistics for each row */
    size_t statistics_first;
    cl_mem invalid_rows; /* one cl_uint, to which the rows with an invalid temperature are added; may be NULL */
    cl_mem weights;      /* for a loss, a cl_float for each row; may be NULL */
    size_t weights_first;
    cl_mem losses; /* for a loss, a cl_float for each row; with a gradient it may be NULL */
    size_t losses_first;
    cl_float scale;           /* as in clsoftmax_arguments */
    cl_float z_loss;          /* as well */
    cl_mem operand;           /* for an operation that takes one */
    cl_float label_smoothing; /* as in clsoftmax_arguments, and so is the next */
    cl_float teacher_share;
} clsoftmax_cl_arguments;

/* clang-format off */
#define CLSOFTMAX_CL_ARGUMENTS_INIT                                                                                    \
    { sizeof(clsoftmax_cl_arguments), NULL, NULL, 1.0f, NULL, 0, NULL, 0, NULL, 0, NULL, NULL, 0, NULL, 0, 1.0f, 0.0f, \
      NULL, 0.0f, 0.5f }
/* clang-format on */

/* Sets arguments to CLSOFTMAX_CL_ARGUMENTS_INIT. `size` is that of the struct in the program:
   sizeof(clsoftmax_cl_arguments). */
CLSOFTMAX_API void clsoftmax_cl_arguments_init(clsoftmax_cl_arguments *arguments, size_t size);

/* Puts the plan into a queue, in order or out of order, behind the events of the wait list. *event, if event is not
   NULL, becomes the event of the call, which the caller releases. The buffers must live until it is complete.

   One thread at a time may use a plan, but it may be enqueued again before an earlier call is complete, on any queue.
   (Calls of a plan with strategy `split` share its scratch memory: each waits for the one before, and fails if that
   fails while it waits.)
     WRONG_DEVICE       the plan's device is not an OpenCL device, or not the queue's
     WRONG_CONTEXT      the queue, or a buffer, belongs to another OpenCL context
     BUFFER_TOO_SMALL   a buffer ends before the array that it must hold */
CLSOFTMAX_API clsoftmax_status clsoftmax_cl_enqueue(clsoftmax_plan *plan, cl_command_queue queue,
                                                    const clsoftmax_cl_arguments *arguments, cl_uint wait_count,
                                                    const cl_event *wait, cl_event *event);

#ifdef __cplusplus
}
#endif

#endif
