/* A device under test: what the library knows of it, and for OpenCL the benchmark's own queue and buffers. */
#ifndef CLSOFTMAX_BENCH_DEVICE_H
#define CLSOFTMAX_BENCH_DEVICE_H

#include "opencl.h"
#include "workload.h"

typedef struct bench_device {
    clsoftmax_device info;
    clsoftmax_context *context; /* for calls from host memory */

    /* For OpenCL devices; NULL for native ones. */
    cl_device_id id;
    cl_context cl;
    cl_command_queue queue;
    cl_program copy_program;
    size_t cache; /* the device's own, in bytes */

    /* A pair for each of the workload's: the workload's own memory where the device shares the host's, else the device's. */
    cl_mem *logits, *results;
    unsigned pairs;
} bench_device;

/* Opens a device by its selector. EXIT_DONE, or another status after a complaint. */
int bench_device_open(bench_device *device, const char *selector);
void bench_device_close(bench_device *device);

/* Makes the buffers for a workload, with its logits. NULL, or what failed. */
const char *bench_device_prepare(bench_device *device, const workload *workload);

/* Overwrites a pair's results on the device with what the workload's memory holds. 1, or 0. */
int bench_device_write_results(bench_device *device, const workload *workload, unsigned pair);
void bench_device_finish(bench_device *device);

#endif
