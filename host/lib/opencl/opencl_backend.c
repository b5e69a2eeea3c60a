/* The backend of OpenCL devices: makes and releases contexts and plans. See opencl_backend.h. */
#include "opencl_backend.h"

#include "../float_environment.h"
#include "../process.h"
#include "opencl_tiles.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---------------------------------------------------------------- Plan */

/* Finds the most work-items of a group that all of the kernels allow. */
static clsoftmax_status smallest_limit(const cls_opencl_kernels *kernels, cl_device_id device, uint32_t *limit)
{
    *limit = UINT32_MAX;
    for (unsigned i = 0; i < kernels->count; i++) {
        size_t allowed = 0;
        OPENCL_CHECK(cls_opencl.clGetKernelWorkGroupInfo(kernels->of[i], device, CL_KERNEL_WORK_GROUP_SIZE,
                                                         sizeof allowed, &allowed, NULL),
                     "clGetKernelWorkGroupInfo");
        CLS_FAIL_IF(allowed == 0, CLSOFTMAX_DEVICE_UNUSABLE, "the kernel allows no work-items at all");
        *limit = allowed < *limit ? (uint32_t)allowed : *limit;
    }
    return CLSOFTMAX_OK;
}

/* Builds the kernels. If they allow smaller work-groups than the decision has, decides again under their limit. */
static clsoftmax_status build_kernels(clsoftmax_plan *plan, cls_opencl_context *opencl, cls_opencl_kernels *kernels)
{
    cls_limits limits = plan->context->limits;
    for (;;) {
        CLS_FORWARD(cls_opencl_kernels_create(&opencl->programs, opencl->context, opencl->device,
                                              &plan->decision.variant, kernels));
        CLS_FORWARD(smallest_limit(kernels, opencl->device, &limits.max_work_group_size));
        if (limits.max_work_group_size >= plan->decision.variant.work_group_size)
            return CLSOFTMAX_OK;
        cls_opencl_kernels_release(kernels);
        CLS_FORWARD(cls_decide(&plan->problem, &limits, &plan->decision));
    }
}

/* Builds the kernels, and makes the scratch memory that those of `split` share. */
static clsoftmax_status opencl_plan_prepare(clsoftmax_plan *plan)
{
    CLS_IN_DEFAULT_ENVIRONMENT;
    cls_opencl_context *opencl = plan->context->state;
    cls_opencl_plan *state = calloc(1, sizeof *state);
    CLS_FAIL_IF(!state, CLSOFTMAX_OUT_OF_HOST_MEMORY, "no memory for a plan");
    plan->state = state; /* from here on, opencl_plan_release releases whatever was made */
    CLS_FORWARD(build_kernels(plan, opencl, &state->kernels));
    uint64_t scratch_bytes = cls_scratch_bytes(&plan->problem, &plan->decision);
    if (scratch_bytes == 0)
        return CLSOFTMAX_OK;
    cl_int error;
    state->scratch = cls_opencl.clCreateBuffer(opencl->context, CL_MEM_READ_WRITE, (size_t)scratch_bytes, NULL, &error);
    OPENCL_CHECK(error, "clCreateBuffer for the parts of rows");
    return CLSOFTMAX_OK;
}

/* Returns 1 in a child. After fork() the driver is the parent's, and a child that called it might wait for threads that
   it does not have. What is not released then ends with the child. */
static int is_inherited(const clsoftmax_context *context)
{
    return context->process != cls_process();
}

static void opencl_plan_release(clsoftmax_plan *plan)
{
    CLS_IN_DEFAULT_ENVIRONMENT;
    cls_opencl_plan *state = plan->state;
    if (!state || is_inherited(plan->context))
        return;
    cls_opencl_tiles_release(state->tiles);
    cls_opencl_kernels_release(&state->kernels);
    if (state->scratch)
        cls_opencl.clReleaseMemObject(state->scratch);
    if (state->scratch_is_free)
        cls_opencl.clReleaseEvent(state->scratch_is_free);
    free(state);
}

/* ---------------------------------------------------------------- Context */

static void opencl_context_release(clsoftmax_context *context)
{
    CLS_IN_DEFAULT_ENVIRONMENT;
    cls_opencl_context *opencl = context->state;
    if (!opencl || is_inherited(context))
        return;
    cls_opencl_programs_release(&opencl->programs);
    if (opencl->context)
        cls_opencl.clReleaseContext(opencl->context);
    free(opencl);
    context->state = NULL;
}

/* Makes an OpenCL context, or retains the caller's, and checks that the device compiles. */
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

/* Reads CLSOFTMAX_HOST_MEMORY, with which tests and measurements override whether the device shares the host's
   memory. */
static clsoftmax_status choose_host_memory(cls_limits *limits)
{
    const char *wanted = getenv("CLSOFTMAX_HOST_MEMORY");
    if (!wanted || !*wanted)
        return CLSOFTMAX_OK;
    limits->shares_memory = strcmp(wanted, "share") == 0;
    CLS_FAIL_IF(!limits->shares_memory && strcmp(wanted, "copy") != 0, CLSOFTMAX_INVALID_ARGUMENT,
                "CLSOFTMAX_HOST_MEMORY is \"%s\"; it takes share or copy", wanted);
    return CLSOFTMAX_OK;
}

/* Returns 1 if a program of this name stands in a folder of PATH. */
static int is_in_path(const char *program)
{
    const char *path = getenv("PATH");
    for (size_t length; path && *path; path += length + (path[length] == ':')) {
        char file[PATH_MAX];
        struct stat found;
        length = strcspn(path, ":");
        snprintf(file, sizeof file, "%.*s/%s", (int)length, path, program);
        if (stat(file, &found) == 0 && found.st_mode & S_IXUSR)
            return 1;
    }
    return 0;
}

/* Notes what a user should know before kernels are built. PoCL calls the linker for that, and ends the process where it
   finds none. */
static void note_what_is_missing(clsoftmax_context *context)
{
    const clsoftmax_device *device = &context->device;
    if (!device->exact)
        snprintf(context->notice, sizeof context->notice, "%s: %s", device->name, device->reason);
    else if (strstr(device->platform, "PoCL") && !is_in_path("ld"))
        snprintf(context->notice, sizeof context->notice,
                 "%s: PoCL builds kernels with the linker ld (package binutils), which is not in PATH; where it needs "
                 "it, it ends the process",
                 device->selector);
}

clsoftmax_status cls_opencl_open(clsoftmax_context *context, const cls_opencl_device *device, cl_context shared)
{
    static const cls_backend backend = {opencl_plan_prepare, cls_opencl_run_tiles, opencl_plan_release,
                                        opencl_context_release};
    CLS_IN_DEFAULT_ENVIRONMENT;
    if (!device->device.usable)
        return cls_fail_opencl(CLSOFTMAX_DEVICE_UNUSABLE, device->error, "device %s (%s): %s", device->device.selector,
                               device->device.name, device->device.reason);
    cls_limits limits = device->limits;
    CLS_FORWARD(choose_host_memory(&limits));
    cls_opencl_context *opencl = calloc(1, sizeof *opencl);
    CLS_FAIL_IF(!opencl, CLSOFTMAX_OUT_OF_HOST_MEMORY, "no memory for a context");
    cls_opencl_programs_init(&opencl->programs);
    context->backend = &backend;
    context->state = opencl;
    context->device = device->device;
    context->limits = limits;
    clsoftmax_status status = open_device(opencl, device, shared);
    if (status != CLSOFTMAX_OK) {
        opencl_context_release(context);
        memset(&context->device, 0, sizeof context->device);
        memset(&context->limits, 0, sizeof context->limits);
        return status;
    }
    note_what_is_missing(context);
    return CLSOFTMAX_OK;
}
