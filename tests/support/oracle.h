/* The truth: softmax of a row in MPFR, and how far a result is from it. Shares nothing with the library. */
#ifndef CLSOFTMAX_ORACLE_H
#define CLSOFTMAX_ORACLE_H

#include <stddef.h>
#include <stdint.h>

typedef struct row_error {
    double ulp;   /* the largest error, in units of the f32 spacing at the exact value (2^-149 below 2^-126) */
    size_t class; /* where */
    double exact; /* the exact value there */
} row_error;

/* Compares the probabilities p of the logits x at `temperature` with the exact ones. Where the contract leaves no
   number (NaN rows, masks), a p that is not bit for bit what it says counts as infinitely wrong. */
row_error oracle_row_error(const float *x, const float *p, size_t classes, float temperature);

#endif
