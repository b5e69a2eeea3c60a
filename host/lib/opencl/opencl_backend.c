#include "opencl_backend.h"

#include "../float_environment.h"
#include "numeric_core.h"
#include "opencl_program.h"

#include <stdlib.h>

typedef struct opencl_context {
    cl_device_id device;
    cl_context context;
    cls_opencl_programs programs;
} opencl_context;

/* A plan's own queue, so that plans of one context run side by side. */
typedef struct opencl_plan {
    cl_command_queue queue;
    cl_kernel kernel;
    cl_mem logits; /* tile_rows rows each */
    cl_mem probabilities;
} opencl_plan;

/* ---------------------------------------------------------------- Plan */

/* Builds the kernel; where it turns out to allow fewer work-items than the device does, decides again under its limit.
 */
static clsoftmax_status build_kernel(clsoftmax_plan *plan, opencl_context *opencl, cl_kernel *kernel)
{
    cls_limits limits = plan->context->limits;
    for (;;) {
        CLS_FORWARD(
            cls_opencl_kernel(&opencl->programs, opencl->context, opencl->device, &plan->decision.variant, kernel));
        size_t allowed = 0;
        cl_int error = cls_opencl.clGetKernelWorkGroupInfo(*kernel, opencl->device, CL_KERNEL_WORK_GROUP_SIZE,
                                                           sizeof allowed, &allowed, NULL);
        if (error == CL_SUCCESS && allowed >= plan->decision.variant.work_group_size)
            return CLSOFTMAX_OK;
        cls_opencl.clReleaseKernel(*kernel);
        *kernel = NULL;
        OPENCL_CHECK(error, "clGetKernelWorkGroupInfo");
        CLS_FAIL_IF(allowed == 0, CLSOFTMAX_DEVICE_UNUSABLE, "the kernel allows no work-items at all");
        limits.max_work_group_size = (uint32_t)allowed;
        CLS_FORWARD(cls_decide(&plan->problem, &limits, &plan->decision));
    }
}

static clsoftmax_status create_buffers(clsoftmax_plan *plan, opencl_context *opencl, opencl_plan *state)
{
    size_t bytes = (size_t)(plan->decision.tile_rows * plan->problem.classes) * sizeof(float);
    cl_int error;
    state->logits = cls_opencl.clCreateBuffer(opencl->context, CL_MEM_READ_ONLY, bytes, NULL, &error);
    OPENCL_CHECK(error, "clCreateBuffer for the logits");
    state->probabilities = cls_opencl.clCreateBuffer(opencl->context, CL_MEM_WRITE_ONLY, bytes, NULL, &error);
    OPENCL_CHECK(error, "clCreateBuffer for the probabilities");
    return CLSOFTMAX_OK;
}

static clsoftmax_status opencl_plan_prepare(clsoftmax_plan *plan)
{
    opencl_context *opencl = plan->context->state;
    opencl_plan *state = calloc(1, sizeof *state);
    CLS_FAIL_IF(!state, CLSOFTMAX_OUT_OF_HOST_MEMORY, "no memory for a plan");
    plan->state = state; /* from here on, opencl_plan_release gives back whatever was made */
    cl_int error;
    state->queue = cls_opencl.clCreateCommandQueue(opencl->context, opencl->device, 0, &error);
    OPENCL_CHECK(error, "clCreateCommandQueue");
    CLS_FORWARD(build_kernel(plan, opencl, &state->kernel));
    return create_buffers(plan, opencl, state);
}

static void opencl_plan_release(clsoftmax_plan *plan)
{
    opencl_plan *state = plan->state;
    if (!state)
        return;
    if (state->kernel)
        cls_opencl.clReleaseKernel(state->kernel);
    if (state->logits)
        cls_opencl.clReleaseMemObject(state->logits);
    if (state->probabilities)
        cls_opencl.clReleaseMemObject(state->probabilities);
    if (state->queue)
        cls_opencl.clReleaseCommandQueue(state->queue);
    free(state);
}

/* ---------------------------------------------------------------- Run */

/* The arguments in the order of ROW_ARGUMENTS (kernels/row.h); `rows` is set for each tile. */
static clsoftmax_status set_arguments(const clsoftmax_plan *plan, const opencl_plan *state, float temperature)
{
    fenv_t callers = float_environment_begin();
    core_temperature_t prepared = core_temperature(temperature);
    float_environment_end(callers);
    cl_ulong rows = 0, classes = plan->problem.classes;
    const struct {
        size_t size;
        const void *value;
    } arguments[] = {
        {sizeof(cl_mem), &state->logits},
        {sizeof(cl_mem), &state->probabilities},
        {sizeof rows, &rows},
        {sizeof classes, &classes},
        {sizeof(cl_float), &prepared.scale},
        {sizeof(cl_float), &prepared.reciprocal.high},
        {sizeof(cl_float), &prepared.reciprocal.low},
    };
    for (cl_uint i = 0; i < sizeof arguments / sizeof *arguments; i++)
        OPENCL_CHECK(cls_opencl.clSetKernelArg(state->kernel, i, arguments[i].size, arguments[i].value),
                     "clSetKernelArg");
    return CLSOFTMAX_OK;
}

/* Work-items for a tile: `item` takes a row each, `group` a work-group for each row. */
static size_t global_size(const cls_variant *variant, uint64_t rows)
{
    uint64_t size = variant->work_group_size;
    uint64_t groups = variant->strategy == CLSOFTMAX_STRATEGY_GROUP ? rows : (rows + size - 1) / size;
    return (size_t)(groups * size);
}

/* A finished event's own word: drivers are known whose clFinish succeeds although the command failed. */
static clsoftmax_status check_event(cl_event event, const char *what)
{
    cl_int execution = CL_COMPLETE;
    OPENCL_CHECK(
        cls_opencl.clGetEventInfo(event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof execution, &execution, NULL),
        "clGetEventInfo");
    if (execution < 0)
        return cls_opencl_fail(execution, what);
    CLS_FAIL_IF(execution != CL_COMPLETE, CLSOFTMAX_DEVICE_FAILED, "%s has not finished after clFinish", what);
    return CLSOFTMAX_OK;
}

/* Upload, compute, download, into the queue. The events are the caller's to release, those that were made. */
static clsoftmax_status enqueue_tile(const clsoftmax_plan *plan, const opencl_plan *state, const float *logits,
                                     float *probabilities, cl_ulong rows, cl_event events[3])
{
    size_t bytes = (size_t)(rows * plan->problem.classes) * sizeof(float);
    size_t local = plan->decision.variant.work_group_size, global = global_size(&plan->decision.variant, rows);
    OPENCL_CHECK(cls_opencl.clSetKernelArg(state->kernel, 2, sizeof rows, &rows), "clSetKernelArg for the rows");
    OPENCL_CHECK(
        cls_opencl.clEnqueueWriteBuffer(state->queue, state->logits, CL_FALSE, 0, bytes, logits, 0, NULL, &events[0]),
        "clEnqueueWriteBuffer");
    OPENCL_CHECK(
        cls_opencl.clEnqueueNDRangeKernel(state->queue, state->kernel, 1, NULL, &global, &local, 0, NULL, &events[1]),
        "clEnqueueNDRangeKernel");
    OPENCL_CHECK(cls_opencl.clEnqueueReadBuffer(state->queue, state->probabilities, CL_FALSE, 0, bytes, probabilities,
                                                0, NULL, &events[2]),
                 "clEnqueueReadBuffer");
    return CLSOFTMAX_OK;
}

static clsoftmax_status run_tile(const clsoftmax_plan *plan, const opencl_plan *state, const float *logits,
                                 float *probabilities, uint64_t rows)
{
    static const char *const names[3] = {"the upload", "the kernel", "the download"};
    cl_event events[3] = {NULL, NULL, NULL};
    clsoftmax_status status = enqueue_tile(plan, state, logits, probabilities, rows, events);
    /* Also after a failure: nothing of the caller's may still be read or written once this returns. */
    cl_int finished = cls_opencl.clFinish(state->queue);
    for (int i = 0; i < 3; i++) {
        if (events[i] && status == CLSOFTMAX_OK)
            status = check_event(events[i], names[i]);
        if (events[i])
            cls_opencl.clReleaseEvent(events[i]);
    }
    if (status == CLSOFTMAX_OK && finished != CL_SUCCESS)
        status = cls_opencl_fail(finished, "clFinish");
    return status;
}

static clsoftmax_status opencl_plan_run(clsoftmax_plan *plan, const float *logits, float temperature,
                                        float *probabilities)
{
    const opencl_plan *state = plan->state;
    CLS_FORWARD(set_arguments(plan, state, temperature));
    uint64_t rows = plan->problem.rows, classes = plan->problem.classes, tile_rows = plan->decision.tile_rows;
    for (uint64_t begin = 0; begin < rows; begin += tile_rows) {
        uint64_t count = rows - begin < tile_rows ? rows - begin : tile_rows;
        CLS_FORWARD(run_tile(plan, state, logits + begin * classes, probabilities + begin * classes, count));
    }
    return CLSOFTMAX_OK;
}

/* ---------------------------------------------------------------- Context */

static void opencl_context_release(clsoftmax_context *context)
{
    opencl_context *opencl = context->state;
    if (!opencl)
        return;
    cls_opencl_programs_release(&opencl->programs);
    if (opencl->context)
        cls_opencl.clReleaseContext(opencl->context);
    free(opencl);
    context->state = NULL;
}

static clsoftmax_status open_device(opencl_context *opencl, const cls_opencl_device *device)
{
    opencl->device = device->id;
    const cl_context_properties properties[] = {CL_CONTEXT_PLATFORM, (cl_context_properties)device->platform, 0};
    cl_int error;
    opencl->context = cls_opencl.clCreateContext(properties, 1, &device->id, NULL, NULL, &error);
    OPENCL_CHECK(error, "clCreateContext");
    return cls_opencl_probe(opencl->context, opencl->device);
}

clsoftmax_status cls_opencl_open(clsoftmax_context *context, const cls_opencl_device *device)
{
    static const cls_backend backend = {opencl_plan_prepare, opencl_plan_run, opencl_plan_release,
                                        opencl_context_release};
    CLS_FAIL_IF(!device->device.usable, CLSOFTMAX_DEVICE_UNUSABLE, "device %s (%s): %s", device->device.selector,
                device->device.name, device->device.reason);
    opencl_context *opencl = calloc(1, sizeof *opencl);
    CLS_FAIL_IF(!opencl, CLSOFTMAX_OUT_OF_HOST_MEMORY, "no memory for a context");
    cls_opencl_programs_init(&opencl->programs);
    context->backend = &backend;
    context->state = opencl;
    context->device = device->device;
    context->limits = device->limits;
    clsoftmax_status status = open_device(opencl, device);
    if (status != CLSOFTMAX_OK)
        opencl_context_release(context);
    return status;
}
