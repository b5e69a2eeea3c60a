/* The caller's side of the device-buffer API, for the tests of it: a context and a queue of its own on the first OpenCL
   device, a matrix with an offset and gaps between its rows, and what cpu makes of it. */
#ifndef CLSOFTMAX_TEST_BUFFERS_H
#define CLSOFTMAX_TEST_BUFFERS_H

#include "clsoftmax/clsoftmax_cl.h"

enum { ROWS = 5, CLASSES = 130, LEADING = 140, OFFSET = 7, SPAN = OFFSET + (ROWS - 1) * LEADING + CLASSES };

extern struct caller {
    cl_device_id device;
    cl_context context;
    cl_command_queue queue;
    float logits[SPAN];
    float expected[SPAN]; /* cpu's results at T = 0.7, in place */
} caller;

/* Makes a buffer that holds a copy of the data. */
cl_mem buffer_of(const void *data, size_t bytes);

/* Reads the beginning of a buffer, once the queue is through. */
void read_back(cl_mem buffer, void *data, size_t bytes);

/* Returns the problem of the matrix. */
clsoftmax_problem strided_problem(void);

/* Opens a context of the library on the caller's. */
clsoftmax_context *open_context(void);

#endif
