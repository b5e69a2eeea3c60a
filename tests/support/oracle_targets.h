/* The oracle of cross-entropy with target probabilities or label smoothing, and of its gradient, in MPFR, with the
   bounds of the public header. It shares nothing with the library. That it sees errors is shown by test_targets.c. */
#ifndef CLSOFTMAX_ORACLE_TARGETS_H
#define CLSOFTMAX_ORACLE_TARGETS_H

#include <stddef.h>
#include <stdint.h>

/* A row with targets, and what its loss takes beside it. The row must be ordinary: with a maximum, without NaN and
   +inf; targets are finite and not negative. The temperature is above 0. */
typedef struct targets_case {
    const float *x;
    const float *targets; /* NULL: those of a smoothed label */
    size_t classes;
    float temperature;
    int64_t label; /* of label smoothing: a class */
    float weight, scale, z_loss, smoothing;
} targets_case;

/* Returns the error of the loss as a multiple of its bound. It is infinite where inf or NaN is not as the contract
   says. */
double oracle_targets_error(const targets_case *c, float loss);

/* Returns the largest error of the gradient's elements as a multiple of their bounds, and the class where it is in
 *worst. */
double oracle_targets_gradient_error(const targets_case *c, const float *gradient, size_t *worst);

#endif
