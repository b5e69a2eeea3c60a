/* The truth of log-probabilities and statistics, in MPFR. */
#ifndef CLSOFTMAX_ORACLE_STATISTICS_H
#define CLSOFTMAX_ORACLE_STATISTICS_H

#include "clsoftmax/clsoftmax.h"

/* How far the log-probabilities p of the logits x are from the exact ones: the largest error beyond the absolute part,
   classes * 2^-44, in ULP. Infinite where -inf, NaN or a sign is not as the contract says. For an ordinary row. */
double oracle_log_error(const float *x, const float *p, size_t classes, float temperature);

/* By how much the statistics of an ordinary row exceed the bounds in the public header: the largest error as a multiple of its
   bound, with *which naming it. label: a class, or -1. */
double oracle_statistics_error(const float *x, const clsoftmax_statistics *s, size_t classes, float temperature,
                               int64_t label, const char **which);

#endif
