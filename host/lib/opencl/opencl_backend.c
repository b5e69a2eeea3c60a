#include "opencl_backend.h"

#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- Plan */

/* Builds the kernel; where it turns out to allow fewer work-items than the device does, decides again under its limit.
 */
static clsoftmax_status build_kernel(clsoftmax_plan *plan, cls_opencl_context *opencl, cl_kernel *kernel)
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

static clsoftmax_status opencl_plan_prepare(clsoftmax_plan *plan)
{
    cls_opencl_plan *state = calloc(1, sizeof *state);
    CLS_FAIL_IF(!state, CLSOFTMAX_OUT_OF_HOST_MEMORY, "no memory for a plan");
    plan->state = state; /* from here on, opencl_plan_release gives back whatever was made */
    return build_kernel(plan, plan->context->state, &state->kernel);
}

static void opencl_plan_release(clsoftmax_plan *plan)
{
    cls_opencl_plan *state = plan->state;
    if (!state)
        return;
    cls_opencl_tiles_release(state->tiles);
    if (state->kernel)
        cls_opencl.clReleaseKernel(state->kernel);
    free(state);
}

/* ---------------------------------------------------------------- Context */

static void opencl_context_release(clsoftmax_context *context)
{
    cls_opencl_context *opencl = context->state;
    if (!opencl)
        return;
    cls_opencl_programs_release(&opencl->programs);
    if (opencl->context)
        cls_opencl.clReleaseContext(opencl->context);
    free(opencl);
    context->state = NULL;
}

static clsoftmax_status open_device(cls_opencl_context *opencl, const cls_opencl_device *device, cl_context shared)
{
    opencl->device = device->id;
    if (shared) {
        OPENCL_CHECK(cls_opencl.clRetainContext(shared), "clRetainContext");
        opencl->context = shared;
    } else {
        const cl_context_properties properties[] = {CL_CONTEXT_PLATFORM, (cl_context_properties)device->platform, 0};
        cl_int error;
        opencl->context = cls_opencl.clCreateContext(properties, 1, &device->id, NULL, NULL, &error);
        OPENCL_CHECK(error, "clCreateContext");
    }
    return cls_opencl_probe(opencl->context, opencl->device);
}

clsoftmax_status cls_opencl_open(clsoftmax_context *context, const cls_opencl_device *device, cl_context shared)
{
    static const cls_backend backend = {opencl_plan_prepare, cls_opencl_run_tiles, opencl_plan_release,
                                        opencl_context_release};
    CLS_FAIL_IF(!device->device.usable, CLSOFTMAX_DEVICE_UNUSABLE, "device %s (%s): %s", device->device.selector,
                device->device.name, device->device.reason);
    cls_opencl_context *opencl = calloc(1, sizeof *opencl);
    CLS_FAIL_IF(!opencl, CLSOFTMAX_OUT_OF_HOST_MEMORY, "no memory for a context");
    cls_opencl_programs_init(&opencl->programs);
    context->backend = &backend;
    context->state = opencl;
    context->device = device->device;
    context->limits = device->limits;
    clsoftmax_status status = open_device(opencl, device, shared);
    if (status != CLSOFTMAX_OK) {
        opencl_context_release(context);
        memset(&context->device, 0, sizeof context->device);
        memset(&context->limits, 0, sizeof context->limits);
    }
    return status;
}
