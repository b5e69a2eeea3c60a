/* From a variant to kernels that can be launched: for opencl_backend.c. */
#ifndef CLSOFTMAX_OPENCL_PROGRAM_H
#define CLSOFTMAX_OPENCL_PROGRAM_H

#include "../plan/strategy.h"
#include "opencl_api.h"

#include <pthread.h>

/* The programs of a context that have been built, found by their defines. They are guarded, because threads may share a
   context. */
typedef struct cls_opencl_programs {
    pthread_mutex_t lock;
    struct cls_opencl_program *first;
} cls_opencl_programs;

/* Makes and releases the list. */
void cls_opencl_programs_init(cls_opencl_programs *programs);
void cls_opencl_programs_release(cls_opencl_programs *programs);

/* The kernels of a strategy, in the order in which they are launched. */
typedef struct cls_opencl_kernels {
    cl_kernel of[CLS_MOST_KERNELS];
    unsigned count;
} cls_opencl_kernels;

/* Makes the kernels of a variant, and builds its program if that does not exist yet. Each plan has kernels of its own,
   since a cl_kernel holds its arguments. They must be released, also after a failure. The log of a build that failed
   goes into the error text. */
clsoftmax_status cls_opencl_kernels_create(cls_opencl_programs *programs, cl_context context, cl_device_id device,
                                           const cls_variant *variant, cls_opencl_kernels *kernels);
void cls_opencl_kernels_release(cls_opencl_kernels *kernels);

/* Checks that a trivial kernel builds: DEVICE_UNUSABLE if not. Some drivers list devices for which they cannot
   compile. */
clsoftmax_status cls_opencl_probe(cl_context context, cl_device_id device);

#endif
