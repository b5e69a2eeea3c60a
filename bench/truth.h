/*
 * Exact probabilities of a workload, and how far results are from them. They share nothing with the library: the
 * formula in long double. rounds.c verifies every contender against them.
 */
#ifndef CLSOFTMAX_BENCH_TRUTH_H
#define CLSOFTMAX_BENCH_TRUTH_H

#include "workload.h"

/* The exact probabilities of some rows: the first, the last, and as many between as are computed quickly. */
typedef struct truth {
    uint64_t rows;
    double *probabilities; /* rows x classes */
} truth;

/* Computes the probabilities. EXIT_DONE, or EXIT_FAILED after a complaint. */
int truth_compute(truth *truth, const workload *workload);
void truth_release(truth *truth);

/* The largest error, in ULP of the results' dtype, and as a difference. NaN if a result is NaN. */
typedef struct distance {
    double ulp, absolute;
} distance;

/* Returns how far the results of a slot are from the exact probabilities, over the rows that truth has. */
distance truth_distance(const truth *truth, const workload *workload, unsigned slot);

#endif
