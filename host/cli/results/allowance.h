/* The errors that the contract allows results and losses beside ULPs, by operation. Used where results are compared
   with those of `reference`: by --verify, and by clsoftmax verify. */
#ifndef CLSOFTMAX_ALLOWANCE_H
#define CLSOFTMAX_ALLOWANCE_H

#include "clsoftmax/clsoftmax.h"

/* An error that is allowed: a part of the value, and a number, added. */
typedef struct allowance {
    double relative, absolute;
} allowance;

/* Returns the larger part and the larger number of two allowances. */
allowance allowance_larger(allowance a, allowance b);

/* Returns the error that a problem's results may have at a temperature: nothing for probabilities, classes * 2^-44 of
   the value for what is made of logarithms or of 1 - p. For derivatives it is a number, since they are differences: at
   most what the public header says for a probability of 1. `largest` is the largest size of the operand, or for the
   gradient of a reverse distillation that of the losses. */
allowance allowed_error(const clsoftmax_problem *problem, double temperature, double largest);

/* Returns the same for the losses of a problem, or for the derivatives by T that it has in their place. */
allowance allowed_loss_error(const clsoftmax_problem *problem, double temperature, double largest);

/* Returns how many ULP of their type results and losses may be away from the exact ones, which are rounded: 1, for the
   gradient of cross-entropy 2, for distillation 4, and four times as many where f32 comes from accuracy "fast". */
uint64_t allowed_ulp(const clsoftmax_problem *problem);

/* Returns the largest of the losses that are finite; 0 if there is none, or if `losses` is NULL. */
double largest_loss(const float *losses, uint64_t rows);

#endif
