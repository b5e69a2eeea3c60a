/* Kernels: from a variant to something that can be launched. */
#ifndef CLSOFTMAX_OPENCL_PROGRAM_H
#define CLSOFTMAX_OPENCL_PROGRAM_H

#include "../plan/strategy.h"
#include "opencl_api.h"

#include <pthread.h>

/* Programs built so far in a context, by their defines; guarded, because contexts are shared between threads. */
typedef struct cls_opencl_programs {
    pthread_mutex_t lock;
    struct cls_opencl_program *first;
} cls_opencl_programs;

void cls_opencl_programs_init(cls_opencl_programs *programs);
void cls_opencl_programs_release(cls_opencl_programs *programs);

/* The kernels of a strategy, in the order in which they are launched. */
typedef struct cls_opencl_kernels {
    cl_kernel of[CLS_MOST_KERNELS];
    unsigned count;
} cls_opencl_kernels;

/* Kernels of their own for the caller (arguments are state of a cl_kernel), to be released, also after a failure; builds the program
   if it is not there yet. A failed build's log goes into the error text. */
clsoftmax_status cls_opencl_kernels_create(cls_opencl_programs *programs, cl_context context, cl_device_id device,
                                           const cls_variant *variant, cls_opencl_kernels *kernels);
void cls_opencl_kernels_release(cls_opencl_kernels *kernels);

/* DEVICE_UNUSABLE unless a trivial kernel builds: some drivers list devices that they cannot compile for. */
clsoftmax_status cls_opencl_probe(cl_context context, cl_device_id device);

#endif
