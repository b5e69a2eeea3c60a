/* Calls on host memory, tile by tile: for opencl_backend.c. */
#ifndef CLSOFTMAX_OPENCL_TILES_H
#define CLSOFTMAX_OPENCL_TILES_H

#include "opencl_plan.h"

/* Runs a plan on host memory. Adds the number of rows with an invalid temperature to *invalid_rows. */
clsoftmax_status cls_opencl_run_tiles(clsoftmax_plan *plan, const clsoftmax_arguments *arguments,
                                      uint64_t *invalid_rows);

/* Releases the queues and buffers for such calls. NULL is allowed. */
void cls_opencl_tiles_release(struct cls_opencl_tiles *tiles);

#endif
