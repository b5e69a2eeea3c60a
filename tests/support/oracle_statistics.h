/* The oracle of log-probabilities and statistics, in MPFR, with the bounds of the public header. It shares nothing with
   the library. That it sees errors is shown by test_logarithms.c. */
#ifndef CLSOFTMAX_ORACLE_STATISTICS_H
#define CLSOFTMAX_ORACLE_STATISTICS_H

#include "clsoftmax/clsoftmax.h"

/* Returns how far the log-probabilities p of the logits x are from the exact ones: the largest error in ULP,
   without the part of the bound that is relative, classes * 2^-44. It is infinite where -inf, NaN or a sign is not as
   the contract says. The row must be ordinary: with a maximum, without NaN and +inf. */
double oracle_log_error(const float *x, const float *p, size_t classes, float temperature);

/* Returns the largest error of the statistics of an ordinary row as a multiple of its bound in the public header, and
   names it in *which. `label` is a class, or -1. */
double oracle_statistics_error(const float *x, const clsoftmax_statistics *s, size_t classes, float temperature,
                               int64_t label, const char **which);

#endif
