/* The oracle of distillation and its gradient, in MPFR, with the bounds of the public header. It shares nothing with
   the library. That it sees errors is shown by test_distillation.c. */
#ifndef CLSOFTMAX_ORACLE_DISTILLATION_H
#define CLSOFTMAX_ORACLE_DISTILLATION_H

#include <stddef.h>

/* A row, its teacher's, and what its loss takes beside them. Both rows must be ordinary: with a maximum, without NaN
   and +inf. The temperature is above 0. is_reversed: the divergence is KL(p || q), of the student from its teacher.
   teacher_share: above 0, it is the Jensen-Shannon divergence, of both from their mixture. */
typedef struct distillation_case {
    const float *x, *y;
    size_t classes;
    float temperature;
    float weight, scale;
    int is_squared, is_reversed;
    float teacher_share;
} distillation_case;

/* Returns the error of the loss as a multiple of its bound. It is infinite where inf or NaN is not as the contract
   says, and where the loss is negative. */
double oracle_distillation_error(const distillation_case *c, float loss);

/* Returns the largest error of the gradient's elements as a multiple of their bounds, and the class where it is in
 *worst. */
double oracle_distillation_gradient_error(const distillation_case *c, const float *gradient, size_t *worst);

#endif
