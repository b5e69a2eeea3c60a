/* The oracle of cross-entropy and its gradient, in MPFR, with the bounds of the public header. It shares nothing with
   the library. That it sees errors is shown by test_losses.c. */
#ifndef CLSOFTMAX_ORACLE_LOSS_H
#define CLSOFTMAX_ORACLE_LOSS_H

#include <stddef.h>
#include <stdint.h>

/* A row with a label, and what its loss takes beside it. The row must be ordinary: with a maximum, without NaN and
   +inf. The temperature is above 0. */
typedef struct loss_case {
    const float *x;
    size_t classes;
    float temperature;
    int64_t label; /* a class */
    float weight, scale, z_loss;
} loss_case;

/* Returns the error of the loss as a multiple of its bound. It is infinite where inf or NaN is not as the contract
   says. */
double oracle_loss_error(const loss_case *c, float loss);

/* Returns the largest error of the gradient's elements as a multiple of their bounds, and the class where it is in
 *worst. */
double oracle_gradient_error(const loss_case *c, const float *gradient, size_t *worst);

#endif
