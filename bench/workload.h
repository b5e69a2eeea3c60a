/* What is timed: one shape, pair of dtypes and temperature, and the memory that every contender works on. */
#ifndef CLSOFTMAX_BENCH_WORKLOAD_H
#define CLSOFTMAX_BENCH_WORKLOAD_H

#include "clsoftmax/clsoftmax.h"

#include <stdint.h>

/* The exact probabilities of some rows. */
typedef struct truth truth;

/* The memory is a file without a name (memfd), so that peers in other processes map the same pages. It holds `pairs` pairs of
   arrays, logits and results, `pair_bytes` apart; all logits are equal. A pass goes to the next pair, so that none finds its
   arrays in the last cache. */
typedef struct workload {
    clsoftmax_problem problem; /* strategy AUTO */
    uint64_t rows;
    int axis; /* of a matrix: 0 or -1 */
    float temperature;
    size_t logits_bytes, results_bytes;
    int descriptor;
    unsigned char *memory;
    size_t results_offset, pair_bytes;
    unsigned pairs;
    unsigned passes; /* that a round makes: one, or more where one is too short to be timed */
    void *expected;  /* the results of device cpu */
    truth *truth;
} workload;

/* Makes the memory that all workloads use in turn. EXIT_DONE, or EXIT_FAILED after a complaint. */
int workload_memory_open(int *descriptor);

/* Fills in memory, expected results and truth for what problem, rows, axis, temperature and descriptor say. `cache` is the
   largest last cache in bytes, 0 to stay with one pair. EXIT_DONE, or another status after a complaint. */
int workload_prepare(workload *workload, clsoftmax_context *cpu, size_t cache);
void workload_finish(workload *workload);

void *workload_logits(const workload *workload, unsigned pair);
void *workload_results(const workload *workload, unsigned pair);

/* 1 if a pair's results have the bits of device cpu. */
int workload_is_expected(const workload *workload, unsigned pair);

/* How far a pair's results are from the exact probabilities, over the rows of the truth: in ULP of their dtype, and absolute. NaN
   where a result is one and should not be. */
typedef struct distance {
    double ulp, absolute;
} distance;
distance workload_distance(const workload *workload, unsigned pair);

/* "1024x32768 f32 T=1"; valid until the next call. */
const char *workload_label(const workload *workload);

/* "f32", or "f16:f32" where logits and results differ; valid until the next call. */
const char *workload_dtypes(const workload *workload);

#endif
