/* One launch: the arguments of its kernels in the order of ROW_ARGUMENTS (kernels/row.h) and SPLIT_ARGUMENTS (kernels/row_split.cl), its
   size, and the order of kernels that share scratch memory. */
#include "opencl_backend.h"

#include <stdlib.h>
#include <string.h>

static cl_ulong4 layout_argument(const clsoftmax_layout *layout)
{
    cl_ulong4 argument = {{layout->offset, layout->outer_stride, layout->class_stride, layout->inner_stride}};
    return argument;
}

static clsoftmax_status set_arguments(const clsoftmax_problem *problem, const cls_decision *decision,
                                      const cls_opencl_plan *state, cl_kernel kernel, const cls_opencl_arrays *arrays,
                                      float temperature, uint64_t outer)
{
    const cl_ulong4 logits_layout = layout_argument(&problem->logits_layout);
    const cl_ulong4 results_layout = layout_argument(&problem->results_layout);
    const cl_ulong4 first = {
        {arrays->first_temperature, arrays->first_label, arrays->first_statistics, arrays->records_stride}};
    const cl_ulong rows = outer * problem->inner, inner = problem->inner, classes = problem->classes;
    const cl_ulong2 sweep = {{problem->sweep, problem->sweep_stride}};
    const cl_uint policies = cls_problem_policies(problem);
    const cls_opencl_piece *piece = &arrays->piece;
    const cl_uint parts_of_row = decision->parts * (piece->pieces > 0 ? piece->pieces : 1);
    const cl_uint4 split_piece = {{decision->parts, parts_of_row, decision->parts * piece->number, piece->first_class}};
    const struct {
        size_t size;
        const void *value;
    } arguments[] = {
        {sizeof(cl_mem), &arrays->logits},
        {sizeof logits_layout, &logits_layout},
        {sizeof(cl_mem), &arrays->results},
        {sizeof results_layout, &results_layout},
        {sizeof rows, &rows},
        {sizeof inner, &inner},
        {sizeof classes, &classes},
        {sizeof policies, &policies},
        {sizeof temperature, &temperature},
        {sizeof(cl_mem), &arrays->temperatures},
        {sizeof(cl_mem), &arrays->labels},
        {sizeof(cl_mem), &arrays->statistics},
        {sizeof first, &first},
        {sizeof(cl_mem), &arrays->invalid_rows},
        {sizeof sweep, &sweep},
        {sizeof split_piece, &split_piece},
        {sizeof(cl_mem), &state->scratch},
    };
    const cl_uint count = sizeof arguments / sizeof *arguments - (state->scratch ? 0 : 2);
    for (cl_uint i = 0; i < count; i++)
        OPENCL_CHECK(cls_opencl.clSetKernelArg(kernel, i, arguments[i].size, arguments[i].value), "clSetKernelArg");
    return CLSOFTMAX_OK;
}

/* The scratch memory's last user may be done by now; if it failed, nobody uses it either, and it must not fail others. As long as nobody
   knows, it is in use. */
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

/* Each kernel behind the one before; of a piece, the one whose turn it is. scratch_is_free becomes the event of the last that got into
   the queue, also after a failure. */
static clsoftmax_status enqueue_in_order(cls_opencl_plan *state, cl_command_queue queue, const cls_opencl_piece *piece,
                                         size_t global, size_t local, cl_uint wait_count, const cl_event *wait)
{
    const unsigned begin = piece->pieces > 0 ? piece->pass : 0,
                   end = piece->pieces > 0 ? begin + 1 : state->kernels.count;
    for (unsigned i = begin; i < end; i++) {
        cl_event done = NULL;
        OPENCL_CHECK(cls_opencl.clEnqueueNDRangeKernel(queue, state->kernels.of[i], 1, NULL, &global, &local,
                                                       i == begin ? wait_count : 1,
                                                       i == begin ? wait : &state->scratch_is_free, &done),
                     "clEnqueueNDRangeKernel");
        if (state->scratch_is_free)
            cls_opencl.clReleaseEvent(state->scratch_is_free);
        state->scratch_is_free = done;
    }
    /* a later call may wait for this one from another queue */
    OPENCL_CHECK(cls_opencl.clFlush(queue), "clFlush");
    return CLSOFTMAX_OK;
}

/* Kernels that share the scratch memory, behind the wait list and behind the last that used it. */
static clsoftmax_status enqueue_with_scratch(cls_opencl_plan *state, cl_command_queue queue,
                                             const cls_opencl_piece *piece, size_t global, size_t local,
                                             cl_uint wait_count, const cl_event *wait, cl_event *event)
{
    cl_event *all = malloc((wait_count + (size_t)1) * sizeof *all);
    CLS_FAIL_IF(!all, CLSOFTMAX_OUT_OF_HOST_MEMORY, "no memory for a wait list");
    if (wait_count > 0)
        memcpy(all, wait, wait_count * sizeof *all);
    forget_last_user(state);
    if (state->scratch_is_free)
        all[wait_count++] = state->scratch_is_free;
    clsoftmax_status status =
        enqueue_in_order(state, queue, piece, global, local, wait_count, wait_count > 0 ? all : NULL);
    free(all);
    if (status != CLSOFTMAX_OK || !event)
        return status;
    OPENCL_CHECK(cls_opencl.clRetainEvent(state->scratch_is_free), "clRetainEvent");
    *event = state->scratch_is_free;
    return CLSOFTMAX_OK;
}

clsoftmax_status cls_opencl_launch(const clsoftmax_problem *problem, const cls_decision *decision,
                                   cls_opencl_plan *state, cl_command_queue queue, const cls_opencl_arrays *arrays,
                                   float temperature, uint64_t outer, cl_uint wait_count, const cl_event *wait,
                                   cl_event *event)
{
    size_t global = (size_t)cls_global_size(problem, decision, outer), local = decision->variant.work_group_size;
    for (unsigned i = 0; i < state->kernels.count; i++)
        CLS_FORWARD(set_arguments(problem, decision, state, state->kernels.of[i], arrays, temperature, outer));
    if (state->scratch)
        return enqueue_with_scratch(state, queue, &arrays->piece, global, local, wait_count, wait, event);
    OPENCL_CHECK(cls_opencl.clEnqueueNDRangeKernel(queue, state->kernels.of[0], 1, NULL, &global, &local, wait_count,
                                                   wait, event),
                 "clEnqueueNDRangeKernel");
    return CLSOFTMAX_OK;
}
