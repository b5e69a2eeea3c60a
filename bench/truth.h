/* Exact probabilities, independent of the library: the formula in long double. */
#ifndef CLSOFTMAX_BENCH_TRUTH_H
#define CLSOFTMAX_BENCH_TRUTH_H

#include "workload.h"

/* Of the first row, the last, and as many between as are soon computed. NULL without memory. */
truth *truth_create(const workload *workload);
void truth_release(truth *truth);

#endif
