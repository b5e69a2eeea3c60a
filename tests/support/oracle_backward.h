/* The oracle of the derivatives of probabilities, in MPFR, with the bounds of the public header. It shares nothing with
   the library. That it sees errors is shown by test_backward.c. */
#ifndef CLSOFTMAX_ORACLE_BACKWARD_H
#define CLSOFTMAX_ORACLE_BACKWARD_H

#include "clsoftmax/clsoftmax.h"

#include <stddef.h>

/* A row and its operand. The row must be ordinary: with a maximum, without NaN and +inf; the operand finite. The
   temperature is above 0. */
typedef struct backward_case {
    clsoftmax_operation operation; /* SOFTMAX_BACKWARD, LOG_SOFTMAX_BACKWARD or SENSITIVITY */
    const float *x, *g;
    size_t classes;
    float temperature;
} backward_case;

/* Returns the largest error of the results as a multiple of their bounds, and the class where it is in *worst. It is
   infinite where a result is inf or NaN and should not be. */
double oracle_backward_error(const backward_case *c, const float *results, size_t *worst);

/* Returns the error of a row's derivative by T, times its weight, as a multiple of its bound. operation:
   SOFTMAX_TEMPERATURE_GRADIENT or LOG_SOFTMAX_TEMPERATURE_GRADIENT. */
double oracle_temperature_error(const backward_case *c, float weight, float derivative);

#endif
