/*
 * A device under test: what the library knows of it and, for an OpenCL device, the benchmark's own queue and buffers.
 * main.c opens the devices; contenders run on them.
 */
#ifndef CLSOFTMAX_BENCH_DEVICE_H
#define CLSOFTMAX_BENCH_DEVICE_H

#include "clsoftmax/clsoftmax_cl.h"
#include "workload.h"

typedef struct bench_device {
    clsoftmax_device info;
    clsoftmax_context *context; /* for calls from host memory */

    /* Of an OpenCL device; NULL for a native one. */
    cl_device_id id;
    cl_context cl;
    cl_command_queue queue;
    cl_program copy_program;
    size_t cache; /* of the device, in bytes */

    /* The arrays of each slot of the workload: its own memory if the device shares the host's, else copies. */
    cl_mem *buffers[CALL_ARRAYS]; /* NULL for an array that the operation does not have */
    unsigned slots;
} bench_device;

/* Opens a device by its selector. EXIT_DONE, or another status after a complaint. */
int bench_device_open(bench_device *device, const char *selector);
void bench_device_close(bench_device *device);

/* Makes the buffers for a workload, with what calls read. Returns NULL, or what failed; in either case call
   bench_device_finish. */
const char *bench_device_prepare(bench_device *device, const workload *workload);
void bench_device_finish(bench_device *device);

/* Returns the buffer of an array of a slot; NULL if the operation does not have it. */
cl_mem bench_device_buffer(const bench_device *device, call_array array, unsigned slot);

/* Copy what calls write into a slot from the workload's memory to the device, and back. Each returns CL_SUCCESS, or
   OpenCL's error. On a native device there is nothing to copy. */
cl_int bench_device_write(const bench_device *device, const workload *workload, unsigned slot);
cl_int bench_device_read(const bench_device *device, const workload *workload, unsigned slot);

#endif
