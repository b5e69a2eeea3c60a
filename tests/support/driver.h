/* The OpenCL driver as the library calls it: every call seen, and any made to fail. */
#ifndef CLSOFTMAX_TEST_DRIVER_H
#define CLSOFTMAX_TEST_DRIVER_H

#include "opencl/opencl_api.h"

typedef struct driver_seen {
    unsigned uploads, downloads, kernels, maps, buffers;
    unsigned kernels_before_wait; /* enqueued before anything was waited for */
    unsigned waits;
    int events, objects; /* created and retained, less those released; of objects: buffers and queues */
} driver_seen;

/* From here on, in the process. The library has loaded OpenCL. */
void driver_observe(void);

/* What was seen since; events and objects count on. */
driver_seen driver_since_last(void);

/* The number-th call of the function from now on fails; "status" is not a function, but what clGetEventInfo says of a command. 0 or NULL: none. */
void driver_fail(const char *function, unsigned number);

/* 1 if that call has come. */
int driver_has_failed(void);

/* From here on, in this process, the first call of OpenCL ends it with this status. */
void driver_forbid(int status);

/* Commands enqueued since the last question that are neither done nor failed. */
unsigned driver_running(void);

#endif
