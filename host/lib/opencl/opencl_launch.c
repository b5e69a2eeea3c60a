/*
 * One launch: the arguments of its kernels, which come from the list by which the kernels declare them
 * (kernels/core/interface.h), its size, and the order of kernels that share scratch memory. See opencl_launch.h.
 */
#include "opencl_launch.h"

#include "core/interface.h"

#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- Arguments */

/* The arguments that are values, under their names in the list. */
#define NO_BUFFER(array, type, name)
#define LAUNCH_VALUE(type, name) cl_##type name;
typedef struct launch_values {
    ROW_ARGUMENT_LIST(NO_BUFFER, LAUNCH_VALUE)
    SPLIT_ARGUMENT_LIST(NO_BUFFER, LAUNCH_VALUE)
} launch_values;
#undef LAUNCH_VALUE

static cl_ulong4 layout_argument(const clsoftmax_layout *layout)
{
    return (cl_ulong4){.LAYOUT_OFFSET = layout->offset,
                       .LAYOUT_OUTER_STRIDE = layout->outer_stride,
                       .LAYOUT_CLASS_STRIDE = layout->class_stride,
                       .LAYOUT_INNER_STRIDE = layout->inner_stride};
}

/* Returns the values of a launch. */
static launch_values values_of(const clsoftmax_problem *problem, const cls_decision *decision,
                               const cls_opencl_arrays *arrays, cls_opencl_numbers numbers)
{
    const cls_opencl_piece *piece = &arrays->piece;
    return (launch_values){.logits_layout = layout_argument(&problem->logits_layout),
                           .operand_layout = layout_argument(cls_operand_is_logits(problem) ? &problem->logits_layout
                                                                                            : &problem->operand_layout),
                           .results_layout = layout_argument(&problem->results_layout),
                           .rows = cls_problem_rows(problem),
                           .inner = problem->inner,
                           .classes = problem->classes,
                           .policies = cls_problem_policies(problem),
                           .first = {.FIRST_TEMPERATURE = arrays->first[CLS_TEMPERATURES],
                                     .FIRST_LABEL = arrays->first[CLS_LABELS],
                                     .FIRST_STATISTICS = arrays->first[CLS_STATISTICS],
                                     .FIRST_WEIGHT = arrays->first[CLS_WEIGHTS],
                                     .FIRST_LOSS = arrays->first[CLS_LOSSES],
                                     .FIRST_ROWS_STRIDE = arrays->rows_stride},
                           .loss = {.LOSS_SCALE = numbers.scale, .LOSS_Z = numbers.z_loss, .LOSS_SHARE = numbers.share},
                           .sweep = {.SWEEP_COUNT = problem->sweep, .SWEEP_STRIDE = problem->sweep_stride},
                           .piece = {.PIECE_PARTS = decision->parts,
                                     .PIECE_PARTS_OF_ROW = decision->parts * (piece->pieces > 0 ? piece->pieces : 1),
                                     .PIECE_FIRST_PART = decision->parts * piece->number,
                                     .PIECE_FIRST_CLASS = piece->first_class}};
}

/* An argument as clSetKernelArg takes it. */
typedef struct launch_argument {
    size_t size;
    const void *value;
} launch_argument;

static clsoftmax_status set_arguments(cl_kernel kernel, const launch_argument *arguments, cl_uint count)
{
    for (cl_uint i = 0; i < count; i++)
        OPENCL_CHECK(cls_opencl.clSetKernelArg(kernel, i, arguments[i].size, arguments[i].value), "clSetKernelArg");
    return CLSOFTMAX_OK;
}

/* Sets the arguments of all kernels of the plan; the further ones of `split` only if the plan has scratch memory. */
static clsoftmax_status set_all_arguments(const launch_values *values, const cls_opencl_plan *state,
                                          const cls_opencl_arrays *arrays, int operand_is_logits, float temperature)
{
    const cl_mem scratch = state->scratch;
    cl_mem of[CLS_ARRAYS];
    memcpy(of, arrays->of, sizeof of);
    if (operand_is_logits)
        of[CLS_OPERAND] = of[CLS_LOGITS];
#define LAUNCH_BUFFER(array, type, name) {sizeof(cl_mem), &of[CLS_##array]},
#define LAUNCH_SCRATCH(array, type, name) {sizeof(cl_mem), &scratch},
#define LAUNCH_VALUE(type, name) {sizeof values->name, &values->name},
#define LAUNCH_ONE(...) +1
    const launch_argument arguments[] = {{sizeof temperature, &temperature},
                                         ROW_ARGUMENT_LIST(LAUNCH_BUFFER, LAUNCH_VALUE)
                                             SPLIT_ARGUMENT_LIST(LAUNCH_SCRATCH, LAUNCH_VALUE)};
    const cl_uint of_rows = 1 ROW_ARGUMENT_LIST(LAUNCH_ONE, LAUNCH_ONE);
#undef LAUNCH_BUFFER
#undef LAUNCH_SCRATCH
#undef LAUNCH_VALUE
#undef LAUNCH_ONE
    const cl_uint count = scratch ? sizeof arguments / sizeof *arguments : of_rows;
    for (unsigned i = 0; i < state->kernels.count; i++)
        CLS_FORWARD(set_arguments(state->kernels.of[i], arguments, count));
    return CLSOFTMAX_OK;
}

/* ---------------------------------------------------------------- Kernels that share scratch memory */

/* The work-items of a launch, in all and of a group. */
typedef struct launch_size {
    size_t global, local;
} launch_size;

static clsoftmax_status enqueue_kernel(cl_kernel kernel, launch_size size, cls_opencl_order order)
{
    OPENCL_CHECK(cls_opencl.clEnqueueNDRangeKernel(order.queue, kernel, 1, NULL, &size.global, &size.local,
                                                   order.wait_count, order.wait, order.event),
                 "clEnqueueNDRangeKernel");
    return CLSOFTMAX_OK;
}

/* Forgets the last user of the scratch memory if it has ended. If it failed, it uses the memory no more either, and
   must not fail later calls. As long as its end is not known, the memory is in use. */
static void forget_last_user(cls_opencl_plan *state)
{
    cl_int execution = CL_COMPLETE;
    if (!state->scratch_is_free)
        return;
    cl_int error = cls_opencl.clGetEventInfo(state->scratch_is_free, CL_EVENT_COMMAND_EXECUTION_STATUS,
                                             sizeof execution, &execution, NULL);
    if (error != CL_SUCCESS || execution > CL_COMPLETE)
        return;
    cls_opencl.clReleaseEvent(state->scratch_is_free);
    state->scratch_is_free = NULL;
}

/* Enqueues each kernel behind the one before, or for a piece only the kernel of its pass. scratch_is_free becomes the
   event of the last kernel that got into the queue, also after a failure. */
static clsoftmax_status enqueue_in_order(cls_opencl_plan *state, const cls_opencl_piece *piece, launch_size size,
                                         cls_opencl_order order)
{
    const unsigned begin = piece->pieces > 0 ? piece->pass : 0,
                   end = piece->pieces > 0 ? begin + 1 : state->kernels.count;
    for (unsigned i = begin; i < end; i++) {
        cl_event done = NULL;
        order.event = &done;
        CLS_FORWARD(enqueue_kernel(state->kernels.of[i], size, order));
        if (state->scratch_is_free)
            cls_opencl.clReleaseEvent(state->scratch_is_free);
        state->scratch_is_free = done;
        order.wait_count = 1;
        order.wait = &state->scratch_is_free;
    }
    /* A later call may wait for this one from another queue. */
    OPENCL_CHECK(cls_opencl.clFlush(order.queue), "clFlush");
    return CLSOFTMAX_OK;
}

/* Enqueues kernels that share the scratch memory, behind the wait list and behind the last user of the memory. */
static clsoftmax_status enqueue_with_scratch(cls_opencl_plan *state, const cls_opencl_piece *piece, launch_size size,
                                             cls_opencl_order order)
{
    cl_event *all = malloc((order.wait_count + (size_t)1) * sizeof *all), *event = order.event;
    CLS_FAIL_IF(!all, CLSOFTMAX_OUT_OF_HOST_MEMORY, "no memory for a wait list");
    if (order.wait_count > 0)
        memcpy(all, order.wait, order.wait_count * sizeof *all);
    forget_last_user(state);
    if (state->scratch_is_free)
        all[order.wait_count++] = state->scratch_is_free;
    order.wait = order.wait_count > 0 ? all : NULL;
    clsoftmax_status status = enqueue_in_order(state, piece, size, order);
    free(all);
    if (status != CLSOFTMAX_OK || !event)
        return status;
    OPENCL_CHECK(cls_opencl.clRetainEvent(state->scratch_is_free), "clRetainEvent");
    *event = state->scratch_is_free;
    return CLSOFTMAX_OK;
}

/* ---------------------------------------------------------------- Launch */

clsoftmax_status cls_opencl_launch(const clsoftmax_problem *problem, const cls_decision *decision,
                                   cls_opencl_plan *state, const cls_opencl_arrays *arrays, cls_opencl_numbers numbers,
                                   cls_opencl_order order)
{
    const launch_values values = values_of(problem, decision, arrays, numbers);
    const launch_size size = {(size_t)cls_global_size(problem, decision, problem->outer),
                              decision->variant.work_group_size};
    CLS_FORWARD(set_all_arguments(&values, state, arrays, cls_operand_is_logits(problem), numbers.temperature));
    if (state->scratch)
        return enqueue_with_scratch(state, &arrays->piece, size, order);
    return enqueue_kernel(state->kernels.of[0], size, order);
}
