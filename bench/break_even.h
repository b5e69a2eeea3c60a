/*
 * --break-even: from how many rows on a device is faster than cpu. main.c measures it after the workloads, and the
 * reports end with it.
 */
#ifndef CLSOFTMAX_BENCH_BREAK_EVEN_H
#define CLSOFTMAX_BENCH_BREAK_EVEN_H

#include "measurement.h"
#include "verdict.h"

#include <stdio.h>

struct bench_options;

enum { MOST_BREAK_EVEN_SIZES = 16, BREAK_EVEN_SENTENCE = 1024 /* bytes */ };

/* The duels of a device with cpu: from host memory to host memory, and on the device's own buffers. cpu is on host
   memory in both. A size at which something failed is left out. */
typedef struct contest {
    clsoftmax_device info;
    duel with_transfers[MOST_BREAK_EVEN_SIZES], without_transfers[MOST_BREAK_EVEN_SIZES];
    size_t with_count, without_count;
    char reason[512]; /* why a size is left out; "" if none is */
} contest;

typedef struct break_even {
    contest contests[MOST_BENCH_DEVICES];
    size_t count; /* 0: it was not measured */
    uint64_t classes, row_bytes;
    clsoftmax_operation operation;
    dtype_choice dtypes;
    float temperature;
    int axis;
    int is_wrong; /* a result of this library was wrong */
} break_even;

/* Measures the OpenCL devices of the testbed beside its cpu, with strategy auto, if both are there and the options ask
   for it. EXIT_DONE, or another status after a complaint. */
int break_even_measure(break_even *result, testbed *testbed, const struct bench_options *options);

/* Writes the sentence of a contest. */
void break_even_sentence(char text[BREAK_EVEN_SENTENCE], const break_even *result, const contest *contest);

/* Writes all sentences below a heading, in lines of 100 columns; nothing if nothing was measured. */
void break_even_write(FILE *file, const break_even *result);

#endif
