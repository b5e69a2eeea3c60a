/* The OpenCL driver as the library calls it, for tests of what it is asked for and of what follows when a call fails:
   the functions in the library's table cls_opencl are replaced by ones that count, fail where told, and call the
   driver. The programs that inject faults use layers instead (faults/fault_layer.h), which see every OpenCL call. */
#ifndef CLSOFTMAX_TEST_DRIVER_H
#define CLSOFTMAX_TEST_DRIVER_H

#include "opencl/opencl_api.h"

typedef struct driver_seen {
    unsigned uploads, downloads, kernels, maps, buffers;
    unsigned kernels_before_wait; /* enqueued before anything was waited for */
    unsigned waits;
    int events, objects; /* created and retained, less released; objects are buffers and queues */
} driver_seen;

/* Replaces the functions, for the rest of the process. The library must have loaded OpenCL. */
void driver_observe(void);

/* Returns what was seen since the last question. Events and objects are counted on from then. */
driver_seen driver_since_last(void);

/* Makes the number-th call of the function fail, counted from now on, or none if it is NULL. "status" stands for
   clGetEventInfo telling that a command has failed. */
void driver_fail(const char *function, unsigned number);

/* Returns 1 if that call was made. */
int driver_has_failed(void);

/* Makes the first call of any OpenCL function end this process with the status. */
void driver_forbid(int status);

/* Returns how many of the commands enqueued since the last question are neither done nor failed. */
unsigned driver_running(void);

#endif
