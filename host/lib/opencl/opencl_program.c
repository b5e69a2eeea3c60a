/* Builds programs, keeps them for each context, and makes kernels of them: see opencl_program.h. */
#include "opencl_program.h"

#include "opencl_source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Kernels are OpenCL C 1.2. No option may relax the arithmetic, because the numeric promise depends on it. */
#define BUILD_OPTIONS "-cl-std=CL1.2"

/* A program that was built, in the list of its context. Its defines are its key. */
struct cls_opencl_program {
    struct cls_opencl_program *next;
    cl_program program;
    char defines[CLS_MOST_DEFINES];
};

/* ---------------------------------------------------------------- Building */

/* Builds a program. If the compiler refuses it, the beginning of its log goes into the error. */
static clsoftmax_status build(cl_program program, cl_device_id device, const char *label)
{
    cl_int error = cls_opencl.clBuildProgram(program, 1, &device, BUILD_OPTIONS, NULL, NULL);
    if (error == CL_SUCCESS)
        return CLSOFTMAX_OK;
    char log[3000] = "";
    size_t length = 0;
    cls_opencl.clGetProgramBuildInfo(program, device, CL_PROGRAM_BUILD_LOG, 0, NULL, &length);
    char *whole = length > 0 ? calloc(1, length + 1) : NULL; /* a log need not be terminated */
    if (whole &&
        cls_opencl.clGetProgramBuildInfo(program, device, CL_PROGRAM_BUILD_LOG, length, whole, NULL) == CL_SUCCESS)
        snprintf(log, sizeof log, "%s", whole);
    free(whole);
    return cls_fail_opencl(CLSOFTMAX_DEVICE_UNUSABLE, error, "the device's compiler refused %s: %s (%d)\n%s", label,
                           cls_opencl_error_name(error), error, log);
}

/* Makes and builds the program of a variant. */
static clsoftmax_status build_program(cl_context context, cl_device_id device, const cls_variant *variant,
                                      cl_program *program)
{
    char label[256], *text;
    cls_variant_label(variant, label, sizeof label);
    CLS_FORWARD(cls_opencl_source(variant, &text));
    cl_int error;
    *program = cls_opencl.clCreateProgramWithSource(context, 1, (const char **)&text, NULL, &error);
    free(text);
    OPENCL_CHECK(error, "clCreateProgramWithSource");
    clsoftmax_status status = build(*program, device, label);
    if (status != CLSOFTMAX_OK)
        cls_opencl.clReleaseProgram(*program);
    return status;
}

/* Finds the program of a variant, or builds it. The caller holds the lock. */
static clsoftmax_status find_or_build(cls_opencl_programs *programs, cl_context context, cl_device_id device,
                                      const cls_variant *variant, cl_program *program)
{
    char defines[CLS_MOST_DEFINES];
    cls_variant_defines(variant, defines, sizeof defines);
    for (struct cls_opencl_program *known = programs->first; known; known = known->next) {
        if (strcmp(known->defines, defines) == 0) {
            *program = known->program;
            return CLSOFTMAX_OK;
        }
    }
    struct cls_opencl_program *added = calloc(1, sizeof *added);
    CLS_FAIL_IF(!added, CLSOFTMAX_OUT_OF_HOST_MEMORY, "no memory for a program");
    clsoftmax_status status = build_program(context, device, variant, &added->program);
    if (status != CLSOFTMAX_OK) {
        free(added);
        return status;
    }
    memcpy(added->defines, defines, sizeof defines);
    added->next = programs->first;
    programs->first = added;
    *program = added->program;
    return CLSOFTMAX_OK;
}

clsoftmax_status cls_opencl_kernels_create(cls_opencl_programs *programs, cl_context context, cl_device_id device,
                                           const cls_variant *variant, cls_opencl_kernels *kernels)
{
    const cls_kernels *wanted = cls_strategy_of(variant->strategy)->kernels(variant);
    cl_program program = NULL;
    kernels->count = 0;
    pthread_mutex_lock(&programs->lock);
    clsoftmax_status status = find_or_build(programs, context, device, variant, &program);
    pthread_mutex_unlock(&programs->lock);
    if (status != CLSOFTMAX_OK)
        return status;
    for (unsigned i = 0; i < wanted->count; i++) {
        cl_int error;
        cl_kernel kernel = cls_opencl.clCreateKernel(program, wanted->names[i], &error);
        OPENCL_CHECK(error, "clCreateKernel");
        kernels->of[kernels->count++] = kernel;
    }
    return CLSOFTMAX_OK;
}

void cls_opencl_kernels_release(cls_opencl_kernels *kernels)
{
    while (kernels->count > 0)
        cls_opencl.clReleaseKernel(kernels->of[--kernels->count]);
}

clsoftmax_status cls_opencl_probe(cl_context context, cl_device_id device)
{
    const char *text = "__kernel void probe(__global float *x) { x[get_global_id(0)] = fma(x[0], 2.0f, 1.0f); }\n";
    cl_int error;
    cl_program program = cls_opencl.clCreateProgramWithSource(context, 1, &text, NULL, &error);
    OPENCL_CHECK(error, "clCreateProgramWithSource");
    clsoftmax_status status = build(program, device, "a trivial kernel");
    cls_opencl.clReleaseProgram(program);
    return status;
}

void cls_opencl_programs_init(cls_opencl_programs *programs)
{
    pthread_mutex_init(&programs->lock, NULL);
    programs->first = NULL;
}

void cls_opencl_programs_release(cls_opencl_programs *programs)
{
    while (programs->first) {
        struct cls_opencl_program *next = programs->first->next;
        cls_opencl.clReleaseProgram(programs->first->program);
        free(programs->first);
        programs->first = next;
    }
    pthread_mutex_destroy(&programs->lock);
}
