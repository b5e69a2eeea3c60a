/* Calls on host memory that the device shares: for opencl_tiles.c. */
#ifndef CLSOFTMAX_OPENCL_SHARE_H
#define CLSOFTMAX_OPENCL_SHARE_H

#include "opencl_plan.h"

/* Computes a tile where the caller's arrays stand. Adds the rows with an invalid temperature to *invalid_rows. */
clsoftmax_status cls_opencl_share_tile(clsoftmax_plan *plan, cl_command_queue queue,
                                       const clsoftmax_arguments *arguments, const cls_tile *tile,
                                       uint64_t *invalid_rows);

#endif
