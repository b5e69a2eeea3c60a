/* Results side by side, by their bits and by their distance. Used by --verify of run and sweep, and by clsoftmax
   verify. */
#ifndef CLSOFTMAX_COMPARE_H
#define CLSOFTMAX_COMPARE_H

#include "clsoftmax/clsoftmax.h"
#include "results/allowance.h"

#include <stdint.h>

typedef struct comparison {
    uint64_t values;
    uint64_t different; /* in bits */
    uint64_t worst_ulp; /* steps of the dtype between the two; UINT32_MAX where one is NaN and the other is not */
    uint64_t beyond;    /* statistics that differ by more than the bounds in the public header allow */
} comparison;

/* Adds `count` values of a dtype to a comparison that started zeroed. A difference of at most `allowed`, whose
   relative part is one of the value of b, counts as no ULP. */
void compare(comparison *comparison, clsoftmax_dtype dtype, const void *a, const void *b, uint64_t count,
             allowance allowed);

/* Adds `count` records of rows of the problem: by their bits, and by the bounds. */
void compare_statistics(comparison *comparison, const clsoftmax_problem *problem, const clsoftmax_statistics *a,
                        const clsoftmax_statistics *b, uint64_t count);

#endif
