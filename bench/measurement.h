/*
 * The measurement of one workload, and what all workloads are measured on: the devices, and the memory. main.c measures
 * the workloads of the report, break_even.c those that tell from how many rows on a device is faster.
 */
#ifndef CLSOFTMAX_BENCH_MEASUREMENT_H
#define CLSOFTMAX_BENCH_MEASUREMENT_H

#include "contender.h"
#include "rounds.h"
#include "truth.h"

enum { MOST_BENCH_DEVICES = 16 };

typedef struct testbed {
    bench_device devices[MOST_BENCH_DEVICES];
    size_t device_count;
    clsoftmax_context *cpu; /* whose bits are expected of all devices */
    int memory;             /* descriptor of the memory of all workloads */
    int is_warm;            /* calls use the same arrays, which may stay in the caches */
} testbed;

typedef struct measurement {
    /* Set by the caller. */
    contender_list *contenders;
    const round_limits *limits;
    workload workload; /* what workload_prepare takes */

    int is_wrong; /* a result of this library was wrong */
    truth truth;
} measurement;

/* Prepares the workload, verifies the contenders and times them. The times stay with the contenders, which point to the
   workload until measurement_finish. EXIT_DONE, or another status after a complaint; in either case call
   measurement_finish. */
int measurement_run(testbed *testbed, measurement *measurement);
void measurement_finish(testbed *testbed, measurement *measurement);

#endif
