/* Calls on host memory that is copied to the device and back: for opencl_tiles.c. */
#ifndef CLSOFTMAX_OPENCL_COPY_H
#define CLSOFTMAX_OPENCL_COPY_H

#include "opencl_plan.h"

/* Queues and buffers for several tiles at a time. */
typedef struct cls_opencl_copies cls_opencl_copies;

/* Makes the queues and buffers that the plan's copied tiles need. */
clsoftmax_status cls_opencl_copies_create(const clsoftmax_plan *plan, cls_opencl_copies **copies);

/* Computes all tiles of a call. Adds the number of rows with an invalid temperature to *invalid_rows. */
clsoftmax_status cls_opencl_copy_tiles(clsoftmax_plan *plan, cls_opencl_copies *copies, cl_command_queue compute,
                                       const clsoftmax_arguments *arguments, uint64_t *invalid_rows);

/* Releases the queues and buffers. NULL is allowed. */
void cls_opencl_copies_release(cls_opencl_copies *copies);

#endif
