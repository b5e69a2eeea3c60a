/* The device-buffer API: everything is checked, then enqueued. */
#include "clsoftmax/clsoftmax_cl.h"

#include "../api.h"
#include "opencl_backend.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---------------------------------------------------------------- Context */

static clsoftmax_status find_device(cl_context cl, cl_device_id wanted, cls_opencl_device *found)
{
    cl_device_id ids[64];
    size_t bytes = 0;
    OPENCL_CHECK(cls_opencl.clGetContextInfo(cl, CL_CONTEXT_DEVICES, sizeof ids, ids, &bytes), "clGetContextInfo");
    size_t i = 0;
    while (i < bytes / sizeof *ids && ids[i] != wanted)
        i++;
    CLS_FAIL_IF(i == bytes / sizeof *ids, CLSOFTMAX_DEVICE_NOT_FOUND, "the device is not of this OpenCL context");
    cl_platform_id platform = NULL;
    OPENCL_CHECK(cls_opencl.clGetDeviceInfo(wanted, CL_DEVICE_PLATFORM, sizeof platform, &platform, NULL),
                 "clGetDeviceInfo");
    cls_opencl_device_describe(platform, wanted, found);
    return CLSOFTMAX_OK;
}

clsoftmax_status clsoftmax_cl_context_create(cl_context cl, cl_device_id device, clsoftmax_context **context)
{
    CLS_FAIL_IF(!cl || !device || !context, CLSOFTMAX_INVALID_ARGUMENT, "cl, device or context is NULL");
    *context = NULL;
    CLS_FORWARD(cls_opencl_load());
    cls_opencl_device found;
    CLS_FORWARD(find_device(cl, device, &found));
    clsoftmax_context *opened = calloc(1, sizeof *opened);
    CLS_FAIL_IF(!opened, CLSOFTMAX_OUT_OF_HOST_MEMORY, "no memory for a context");
    opened->process = getpid();
    clsoftmax_status status = cls_opencl_open(opened, &found, cl);
    if (status != CLSOFTMAX_OK) {
        free(opened);
        return status;
    }
    if (!opened->device.exact)
        snprintf(opened->notice, sizeof opened->notice, "%s: %s", opened->device.name, opened->device.reason);
    *context = opened;
    return CLSOFTMAX_OK;
}

/* ---------------------------------------------------------------- Checks */

static clsoftmax_status check_queue(const cls_opencl_context *opencl, cl_command_queue queue)
{
    cl_context context = NULL;
    cl_device_id device = NULL;
    OPENCL_CHECK(cls_opencl.clGetCommandQueueInfo(queue, CL_QUEUE_CONTEXT, sizeof context, &context, NULL),
                 "clGetCommandQueueInfo");
    OPENCL_CHECK(cls_opencl.clGetCommandQueueInfo(queue, CL_QUEUE_DEVICE, sizeof device, &device, NULL),
                 "clGetCommandQueueInfo");
    CLS_FAIL_IF(context != opencl->context, CLSOFTMAX_WRONG_CONTEXT,
                "the queue is of another OpenCL context than the plan");
    CLS_FAIL_IF(device != opencl->device, CLSOFTMAX_WRONG_DEVICE, "the queue is of another device than the plan");
    return CLSOFTMAX_OK;
}

/* A buffer that is to hold `elements` elements of `size` bytes. */
static clsoftmax_status check_buffer(const cls_opencl_context *opencl, cl_mem buffer, uint64_t elements, size_t size,
                                     const char *name)
{
    CLS_FAIL_IF(!buffer, CLSOFTMAX_INVALID_ARGUMENT, "%s is NULL, and the problem wants it", name);
    cl_context context = NULL;
    size_t bytes = 0;
    OPENCL_CHECK(cls_opencl.clGetMemObjectInfo(buffer, CL_MEM_CONTEXT, sizeof context, &context, NULL),
                 "clGetMemObjectInfo");
    OPENCL_CHECK(cls_opencl.clGetMemObjectInfo(buffer, CL_MEM_SIZE, sizeof bytes, &bytes, NULL), "clGetMemObjectInfo");
    CLS_FAIL_IF(context != opencl->context, CLSOFTMAX_WRONG_CONTEXT, "%s is of another OpenCL context than the plan",
                name);
    CLS_FAIL_IF(elements > bytes / size, CLSOFTMAX_BUFFER_TOO_SMALL,
                "%s has %zu bytes, %llu elements of %zu are wanted", name, bytes, (unsigned long long)elements, size);
    return CLSOFTMAX_OK;
}

/* Memory of the caller's own is where the caller put it; OpenCL wants it aligned to what kernels access it by. Other buffers, and
   sub-buffers, begin where the device wants them. */
static clsoftmax_status check_alignment(cl_mem buffer, size_t access_bytes, const char *name)
{
    void *host = NULL;
    OPENCL_CHECK(cls_opencl.clGetMemObjectInfo(buffer, CL_MEM_HOST_PTR, sizeof host, &host, NULL),
                 "clGetMemObjectInfo");
    CLS_FAIL_IF((uintptr_t)host % access_bytes != 0, CLSOFTMAX_INVALID_ARGUMENT,
                "%s is host memory at %p, no multiple of the %zu bytes that this plan accesses", name, host,
                access_bytes);
    return CLSOFTMAX_OK;
}

/* An array of one element a row, from `first` on. */
static clsoftmax_status check_rows(const cls_opencl_context *opencl, cl_mem buffer, size_t first, uint64_t rows,
                                   size_t size, const char *name)
{
    return check_buffer(opencl, buffer, first > UINT64_MAX - rows ? UINT64_MAX : first + rows, size, name);
}

/* In one buffer, arrays are the same or apart. */
static clsoftmax_status check_overlap(const clsoftmax_problem *p, const clsoftmax_cl_arguments *a)
{
    clsoftmax_arguments as_pointers = CLSOFTMAX_ARGUMENTS_INIT;
    as_pointers.logits = as_pointers.results = (void *)(uintptr_t)4096; /* any place that is equal for both */
    CLS_FAIL_IF(a->logits == a->results && cls_arguments_overlap(p, &as_pointers), CLSOFTMAX_INVALID_ARGUMENT,
                "logits and results overlap in their buffer without being the same array");
    return CLSOFTMAX_OK;
}

static clsoftmax_status check_arguments(const clsoftmax_plan *plan, const cls_opencl_context *opencl,
                                        const clsoftmax_cl_arguments *a)
{
    const clsoftmax_problem *p = &plan->problem;
    size_t width = plan->decision.variant.access_width > 0 ? plan->decision.variant.access_width : 1;
    size_t x_size = clsoftmax_dtype_size(p->logits_dtype), p_size = clsoftmax_dtype_size(p->results_dtype);
    uint64_t rows = cls_problem_rows(p);
    CLS_FAIL_IF(p->sweep == 0 && !p->temperature_per_row && !cls_is_temperature(a->temperature),
                CLSOFTMAX_INVALID_TEMPERATURE, "temperature %g; it takes a number from 0 to inf",
                (double)a->temperature);
    if (rows == 0)
        return CLSOFTMAX_OK;
    CLS_FORWARD(check_buffer(opencl, a->logits, cls_layout_span(p, &p->logits_layout), x_size, "logits"));
    CLS_FORWARD(check_alignment(a->logits, width * x_size, "logits"));
    if (p->temperature_per_row || p->sweep > 0)
        CLS_FORWARD(check_rows(opencl, a->temperatures, a->temperatures_first, p->sweep > 0 ? p->sweep : rows,
                               sizeof(cl_float), "temperatures"));
    if (p->statistics)
        CLS_FORWARD(check_rows(opencl, a->statistics, a->statistics_first, rows * cls_problem_temperatures(p),
                               sizeof(clsoftmax_statistics), "statistics"));
    if (p->statistics && a->labels)
        CLS_FORWARD(check_rows(opencl, a->labels, a->labels_first, rows, sizeof(cl_long), "labels"));
    if (a->invalid_rows)
        CLS_FORWARD(check_buffer(opencl, a->invalid_rows, 1, sizeof(cl_uint), "invalid_rows"));
    if (p->operation == CLSOFTMAX_OPERATION_NONE)
        return CLSOFTMAX_OK;
    CLS_FORWARD(check_buffer(opencl, a->results, cls_results_span(p), p_size, "results"));
    CLS_FORWARD(check_alignment(a->results, width * p_size, "results"));
    return check_overlap(p, a);
}

/* ---------------------------------------------------------------- Enqueue */

/* One launch: its problem, which has the layouts from its first outer index and temperature on, and its arrays likewise. */
typedef struct part_of_call {
    clsoftmax_problem problem;
    cls_opencl_arrays arrays;
} part_of_call;

static part_of_call part_of(const clsoftmax_problem *problem, const cls_decision *decision,
                            const clsoftmax_cl_arguments *a, uint64_t first_outer, uint64_t first_temperature)
{
    uint64_t left = problem->sweep - first_temperature; /* 0 if this is no sweep */
    uint64_t first_row = first_outer * problem->inner;
    part_of_call part = {
        .problem = *problem,
        .arrays = {.logits = a->logits,
                   .results = problem->operation == CLSOFTMAX_OPERATION_NONE ? NULL : a->results,
                   .temperatures = problem->temperature_per_row || problem->sweep > 0 ? a->temperatures : NULL,
                   .labels = problem->statistics ? a->labels : NULL,
                   .statistics = problem->statistics ? a->statistics : NULL,
                   .invalid_rows = a->invalid_rows,
                   .first_label = a->labels_first + first_row,
                   .records_stride = cls_problem_rows(problem)}};
    part.problem.sweep = left < decision->launch_temperatures ? left : decision->launch_temperatures;
    part.problem.logits_layout.offset += first_outer * problem->logits_layout.outer_stride;
    part.problem.results_layout.offset +=
        first_outer * problem->results_layout.outer_stride + first_temperature * problem->sweep_stride;
    part.arrays.first_temperature = a->temperatures_first + (problem->sweep > 0 ? first_temperature : first_row);
    part.arrays.first_statistics = a->statistics_first + first_temperature * part.arrays.records_stride + first_row;
    return part;
}

/* Launches of at most launch_outer outer indices and launch_temperatures temperatures, each behind the one before, so that the last event
   stands for all. */
static clsoftmax_status enqueue_launches(clsoftmax_plan *plan, cl_command_queue queue, const clsoftmax_cl_arguments *a,
                                         cl_uint wait_count, const cl_event *wait, cl_event *event)
{
    const clsoftmax_problem *problem = &plan->problem;
    const cls_decision *decision = &plan->decision;
    uint64_t parts = (problem->outer - 1) / decision->launch_outer + 1;
    uint64_t turns = (cls_problem_temperatures(problem) - 1) / decision->launch_temperatures + 1;
    cl_event before = NULL;
    clsoftmax_status status = CLSOFTMAX_OK;
    for (uint64_t number = 0; number < parts * turns && status == CLSOFTMAX_OK; number++) {
        uint64_t first_outer = number / turns * decision->launch_outer, left = problem->outer - first_outer;
        part_of_call part = part_of(problem, decision, a, first_outer, number % turns * decision->launch_temperatures);
        cl_event after = NULL;
        status =
            cls_opencl_launch(&part.problem, decision, plan->state, queue, &part.arrays, a->temperature,
                              left < decision->launch_outer ? left : decision->launch_outer, before ? 1 : wait_count,
                              before ? &before : wait, number + 1 == parts * turns ? event : &after);
        if (before)
            cls_opencl.clReleaseEvent(before);
        before = after; /* NULL of the last, and of one that failed */
    }
    return status;
}

clsoftmax_status clsoftmax_cl_enqueue(clsoftmax_plan *plan, cl_command_queue queue,
                                      const clsoftmax_cl_arguments *arguments, cl_uint wait_count, const cl_event *wait,
                                      cl_event *event)
{
    CLS_FAIL_IF(!plan || !queue || !arguments, CLSOFTMAX_INVALID_ARGUMENT, "plan, queue or arguments is NULL");
    CLS_FAIL_IF((wait_count == 0) != (wait == NULL), CLSOFTMAX_INVALID_ARGUMENT, "a wait list of %u events at %s",
                wait_count, wait ? "an address" : "NULL");
    CLS_FORWARD(cls_check_process(plan->context));
    clsoftmax_device_type type = plan->context->device.type;
    CLS_FAIL_IF(cls_is_native(type), CLSOFTMAX_WRONG_DEVICE,
                "the plan is for device \"%s\", which has no OpenCL buffers", plan->context->device.selector);
    const cls_opencl_context *opencl = plan->context->state;
    CLS_FORWARD(check_queue(opencl, queue));
    CLS_FORWARD(check_arguments(plan, opencl, arguments));
    if (cls_problem_rows(&plan->problem) > 0)
        return enqueue_launches(plan, queue, arguments, wait_count, wait, event);
    OPENCL_CHECK(cls_opencl.clEnqueueMarkerWithWaitList(queue, wait_count, wait, event), "clEnqueueMarkerWithWaitList");
    return CLSOFTMAX_OK;
}
