/*
 * Exact results of a workload, and how far results are from them. They share nothing with the library: the formulas in
 * long double. rounds.c verifies every contender against them, and options.c refuses operations that have none.
 */
#ifndef CLSOFTMAX_BENCH_TRUTH_H
#define CLSOFTMAX_BENCH_TRUTH_H

#include "workload.h"

/* The exact results of some rows: the first, the last, and as many between as are computed quickly. */
typedef struct truth {
    uint64_t rows;
    double *results;    /* rows x classes */
    double *magnitudes; /* rows x classes: in ULP of these errors are counted */
    double scale;       /* 1 for probabilities; for other results the largest magnitude */
} truth;

/* Return 1 if there are exact results of an operation; and at this temperature, which only softmax has at 0 and inf. */
int truth_has(clsoftmax_operation operation);
int truth_has_at(clsoftmax_operation operation, float temperature);

/* Returns what the results of a workload are, in the plural. */
const char *truth_name(const workload *workload);

/* Returns the largest error that the library promises, in ULP of the magnitudes. */
double truth_promised(const workload *workload, clsoftmax_accuracy accuracy);

/* Computes the results. EXIT_DONE, or EXIT_FAILED after a complaint; in either case call truth_release. */
int truth_compute(truth *truth, const workload *workload);
void truth_release(truth *truth);

/* The largest error, in ULP of the magnitudes as numbers of the results' dtype, and as a difference. NaN if a result is
   NaN. */
typedef struct distance {
    double ulp, absolute;
} distance;

/* Returns how far the results of a slot are from the exact ones, over the rows that truth has. */
distance truth_distance(const truth *truth, const workload *workload, unsigned slot);

#endif
