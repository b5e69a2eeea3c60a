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

/* An error that the contract allows beside ULPs: a part of the value, and a number. */
typedef struct allowance {
    double relative, absolute;
} allowance;

/* Adds `count` values of a dtype to a comparison that started zeroed. A difference of at most `allowed`, whose
   relative part is one of the value of b, counts as no ULP. */
void compare(comparison *comparison, clsoftmax_dtype dtype, const void *a, const void *b, uint64_t count,
             allowance allowed);

/* Returns the error that the contract allows a problem at a temperature beside ULPs: nothing for probabilities, classes
   * 2^-44 of the value for what is made of logarithms or of 1 - p. For derivatives it is an absolute number, since they
   are differences: at most what the public header says for a probability of 1. `largest` is the largest size of the
   operand, or for the gradient of a reverse distillation that of the losses. */
allowance allowed_error(const clsoftmax_problem *problem, double temperature, double largest);

/* Returns the same for the losses of a problem, or for the derivatives by T that it has in their place. */
allowance allowed_loss_error(const clsoftmax_problem *problem, double temperature, double largest);

/* Returns how many ULP of their type results and losses may be away from the exact ones, which are rounded: 1, for the
   gradient of cross-entropy 2, for distillation 4, and four times as many where f32 comes from accuracy "fast". */
uint64_t allowed_ulp(const clsoftmax_problem *problem);

/* Adds `count` records of rows of the problem: by their bits, and by the bounds. */
void compare_statistics(comparison *comparison, const clsoftmax_problem *problem, const clsoftmax_statistics *a,
                        const clsoftmax_statistics *b, uint64_t count);

#endif
