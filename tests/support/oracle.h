/* The oracle of probabilities: the softmax of a row in MPFR, and how far a result is from it. It shares nothing with
   the library. That it sees errors of 1 ULP is shown by test_bits.c, and by the faults of cli/faults.bats in the
   numeric core. */
#ifndef CLSOFTMAX_ORACLE_H
#define CLSOFTMAX_ORACLE_H

#include <stddef.h>
#include <stdint.h>

typedef struct row_error {
    double ulp;   /* the largest error, in units of the f32 spacing at the exact value (2^-149 below 2^-126) */
    size_t class; /* where */
    double exact; /* the exact value there */
} row_error;

/* Compares the probabilities p of the logits x at `temperature` with the exact ones. For NaN rows and masks (-inf),
   where the contract prescribes the bits, a p with other bits counts as infinitely wrong. */
row_error oracle_row_error(const float *x, const float *p, size_t classes, float temperature);

#endif
