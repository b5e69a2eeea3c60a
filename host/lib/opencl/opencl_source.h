/*
 * The source of a kernel, put together from the files of kernels/: for opencl_program.c, and for tests that compile it
 * without OpenCL.
 */
#ifndef CLSOFTMAX_OPENCL_SOURCE_H
#define CLSOFTMAX_OPENCL_SOURCE_H

#include "../plan/plan.h"

/* Writes the whole source of a variant, as the device's compiler gets it: its defines, then the file of its strategy
   with all that this includes. The caller frees *text, which is NULL after a failure. */
clsoftmax_status cls_opencl_source(const cls_variant *variant, char **text);

#endif
