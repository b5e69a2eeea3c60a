/* Calls on host memory, tile by tile: for the backend. */
#ifndef CLSOFTMAX_OPENCL_TILES_H
#define CLSOFTMAX_OPENCL_TILES_H

#include "opencl_plan.h"

/* Runs a plan on host memory; adds to the number of rows with an invalid temperature. */
clsoftmax_status cls_opencl_run_tiles(clsoftmax_plan *plan, const clsoftmax_arguments *arguments,
                                      uint64_t *invalid_rows);

/* NULL is allowed. */
void cls_opencl_tiles_release(struct cls_opencl_tiles *tiles);

#endif
