/* Results side by side, by their bits and by their distance. Used by --verify of run and sweep, and by clsoftmax
   verify. */
#ifndef CLSOFTMAX_COMPARE_H
#define CLSOFTMAX_COMPARE_H

#include "clsoftmax/clsoftmax.h"

#include <stdint.h>

typedef struct comparison {
    uint64_t values;
    uint64_t different; /* in bits */
    uint64_t worst_ulp; /* steps of the dtype between the two; UINT32_MAX where one is NaN and the other is not */
    uint64_t beyond;    /* statistics that differ by more than the bounds in the public header allow */
} comparison;

/* Adds `count` values of a dtype to a comparison that started zeroed. A difference of at most `allowed` times the value
   of b counts as no ULP, since log-probabilities have an error that grows with the number of classes. */
void compare(comparison *comparison, clsoftmax_dtype dtype, const void *a, const void *b, uint64_t count,
             double allowed);

/* Returns the relative error that the contract allows beside ULPs: 0 for probabilities, classes * 2^-44 for what
   is made of logarithms or of 1 - p. */
double allowed_error(clsoftmax_operation operation, uint64_t classes);

/* Returns how many ULP of their type results may be away from the exact ones, which are rounded: 1, for gradients 2,
   and four times as many where f32 comes from accuracy "fast". */
uint64_t allowed_ulp(const clsoftmax_problem *problem);

/* Adds `count` records of rows of the problem: by their bits, and by the bounds. */
void compare_statistics(comparison *comparison, const clsoftmax_problem *problem, const clsoftmax_statistics *a,
                        const clsoftmax_statistics *b, uint64_t count);

#endif
