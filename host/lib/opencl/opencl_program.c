#include "opencl_program.h"

#include "kernel_sources.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Kernels are OpenCL C 1.2. No option that relaxes the arithmetic: the numeric promise stands on its absence. */
#define BUILD_OPTIONS "-cl-std=CL1.2"

#define MOST_DEFINES 1024

struct cls_opencl_program {
    struct cls_opencl_program *next;
    cl_program program;
    char defines[MOST_DEFINES];
};

/* ---------------------------------------------------------------- Sources */

/* A source file: embedded, or read from the folder that CLSOFTMAX_KERNEL_DIR names (for work on kernels). */
typedef struct source {
    const char *text;
    size_t length;
    char *read; /* to be freed; NULL where it is embedded */
} source;

static clsoftmax_status read_file(const char *folder, const char *name, source *out)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    CLS_FAIL_IF(!file, CLSOFTMAX_DEVICE_UNUSABLE, "CLSOFTMAX_KERNEL_DIR: cannot read %s", path);
    enum { MOST_BYTES = 1 << 20 };
    out->read = malloc(MOST_BYTES);
    out->length = out->read ? fread(out->read, 1, MOST_BYTES, file) : 0;
    out->text = out->read;
    fclose(file);
    CLS_FAIL_IF(!out->read, CLSOFTMAX_OUT_OF_HOST_MEMORY, "no memory for %s", path);
    return CLSOFTMAX_OK;
}

static clsoftmax_status find_source(const char *name, source *out)
{
    const char *folder = getenv("CLSOFTMAX_KERNEL_DIR");
    if (folder && *folder)
        return read_file(folder, name, out);
    for (const cls_kernel_source *embedded = cls_kernel_sources; embedded->name; embedded++) {
        if (strcmp(embedded->name, name) != 0)
            continue;
        out->text = (const char *)embedded->data;
        out->length = embedded->length;
        return CLSOFTMAX_OK;
    }
    return cls_fail(CLSOFTMAX_UNSUPPORTED, "there is no kernel source %s", name);
}

/* ---------------------------------------------------------------- Building */

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
    return cls_fail_(__func__, CLSOFTMAX_DEVICE_UNUSABLE, error, "the device's compiler refused %s: %s (%d)\n%s", label,
                     cls_opencl_error_name(error), error, log);
}

/* Builds from pieces, each behind a #line of its own so that a build log names real files. */
static clsoftmax_status build_program(cl_context context, cl_device_id device, const cls_variant *variant,
                                      const char *defines, cl_program *program)
{
    enum { PIECES = 6 };
    char label[256], strategy_file[64], lines[PIECES][80];
    cls_variant_label(variant, label, sizeof label);
    snprintf(strategy_file, sizeof strategy_file, "row_%s.cl", clsoftmax_strategy_name(variant->strategy));
    const char *names[PIECES] = {"numeric_core.h", "logarithm.h", "row_statistics.h", "row.h", "row_classes.h", strategy_file};
    if (variant->strategy == CLSOFTMAX_STRATEGY_COLUMN)
        names[4] = NULL; /* its lanes are rows, not classes */
    source sources[PIECES] = {{0}};
    const char *texts[1 + 2 * PIECES] = {defines};
    size_t lengths[1 + 2 * PIECES] = {strlen(defines)};
    clsoftmax_status status = CLSOFTMAX_OK;
    for (int i = 0; i < PIECES && status == CLSOFTMAX_OK; i++) {
        sources[i].text = "";
        if (names[i])
            status = find_source(names[i], &sources[i]);
        snprintf(lines[i], sizeof lines[i], "\n#line 1 \"%s\"\n", names[i] ? names[i] : "");
        texts[1 + 2 * i] = lines[i];
        lengths[1 + 2 * i] = strlen(lines[i]);
        texts[2 + 2 * i] = sources[i].text;
        lengths[2 + 2 * i] = sources[i].length;
    }
    if (status == CLSOFTMAX_OK) {
        cl_int error;
        *program = cls_opencl.clCreateProgramWithSource(context, 1 + 2 * PIECES, texts, lengths, &error);
        status =
            error == CL_SUCCESS ? build(*program, device, label) : cls_opencl_fail(error, "clCreateProgramWithSource");
        if (status != CLSOFTMAX_OK && error == CL_SUCCESS)
            cls_opencl.clReleaseProgram(*program);
    }
    for (int i = 0; i < PIECES; i++)
        free(sources[i].read);
    return status;
}

/* The program for these defines, with the lock held. */
static clsoftmax_status find_or_build(cls_opencl_programs *programs, cl_context context, cl_device_id device,
                                      const cls_variant *variant, cl_program *program)
{
    char defines[MOST_DEFINES];
    cls_variant_defines(variant, defines, sizeof defines);
    for (struct cls_opencl_program *known = programs->first; known; known = known->next) {
        if (strcmp(known->defines, defines) == 0) {
            *program = known->program;
            return CLSOFTMAX_OK;
        }
    }
    struct cls_opencl_program *added = calloc(1, sizeof *added);
    CLS_FAIL_IF(!added, CLSOFTMAX_OUT_OF_HOST_MEMORY, "no memory for a program");
    clsoftmax_status status = build_program(context, device, variant, defines, &added->program);
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

clsoftmax_status cls_opencl_kernel(cls_opencl_programs *programs, cl_context context, cl_device_id device,
                                   const cls_variant *variant, cl_kernel *kernel)
{
    cl_program program = NULL;
    pthread_mutex_lock(&programs->lock);
    clsoftmax_status status = find_or_build(programs, context, device, variant, &program);
    pthread_mutex_unlock(&programs->lock);
    if (status != CLSOFTMAX_OK)
        return status;
    char name[64];
    snprintf(name, sizeof name, "row_%s", clsoftmax_strategy_name(variant->strategy));
    cl_int error;
    *kernel = cls_opencl.clCreateKernel(program, name, &error);
    OPENCL_CHECK(error, "clCreateKernel");
    return CLSOFTMAX_OK;
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
