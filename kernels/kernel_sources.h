/* The kernels as they were when the library was built. embed.cmake writes the table, and
   host/lib/opencl/opencl_source.c reads it. */
#ifndef CLSOFTMAX_KERNEL_SOURCES_H
#define CLSOFTMAX_KERNEL_SOURCES_H

#include <stddef.h>

typedef struct cls_kernel_source {
    const char *name; /* its path in this folder; NULL ends the table */
    const unsigned char *data;
    size_t length;
} cls_kernel_source;

extern const cls_kernel_source cls_kernel_sources[];

#endif
