/*
 * Distillation: the loss of a row against its teacher's, and its gradient for the student's logits:
 *
 *     loss            w KL(q || p) times T^2 or 1
 *     gradient of c   w s (p[c] - q[c]) / T times T^2 or 1
 *
 * p = softmax(x / T) is the student's row, and q that of the teacher (divergence.h); w is the row's weight, and s the
 * scale of the gradient. The probabilities are subtracted before they are rounded. T^2 makes up for the 1 / T^2 by
 * which gradients shrink at a high temperature (Hinton et al., 2015).
 *
 * C11 and OpenCL C compile this header. operations.h includes it.
 */
#ifndef CLSOFTMAX_DISTILLATION_H
#define CLSOFTMAX_DISTILLATION_H

#include "core/row_end.h"

/* Returns the loss of a row whose divergence has this total. It is 0 at T = 0 with T^2, and otherwise infinite where
   the divergence is. */
CORE_FUNCTION core_row_float core_distillation_loss(core_total_t total, core_divergence_t divergence,
                                                    core_row_float weight, core_row_float temperature,
                                                    core_row_int is_squared)
{
    const core_row_float zero = CORE_ROW(0.0f), one = CORE_ROW(1.0f);
    core_scaled_t loss = core_scaled_product(core_scaled_of(core_total_value(total)), core_scaled_float(weight));
    core_scaled_t of_temperature = core_scaled_float(is_squared ? temperature : one);
    loss = core_scaled_product(core_scaled_product(loss, of_temperature), of_temperature);
    loss.exponent += divergence.halvings + divergence.halvings;
    core_row_float value = divergence.is_infinite ? CORE_ROW(CORE_INFINITY) : core_scaled_value(loss);
    core_row_int is_nothing = (weight == zero) | (is_squared & (temperature == zero));
    return is_nothing ? zero : value;
}

/* Returns w s / T, or with T^2 w s T. */
CORE_FUNCTION core_scaled_t core_distillation_step(core_row_float weight, float scale, core_row_float temperature,
                                                   core_temperature_t prepared, core_row_int is_squared)
{
    core_scaled_t over = core_gradient_step(scale, prepared);
    core_scaled_t times = core_scaled_product(core_scaled_float(CORE_ROW(scale)), core_scaled_float(temperature));
    core_scaled_t step = {
        {is_squared ? times.mantissa.high : over.mantissa.high, is_squared ? times.mantissa.low : over.mantissa.low},
        is_squared ? times.exponent : over.exponent};
    return core_scaled_product(step, core_scaled_float(weight));
}

/* Returns the end of a row. At T = 0 without T^2, a gradient that is not 0 becomes infinite. */
CORE_FUNCTION core_end_t core_distillation_end(core_divergence_t divergence, core_scaled_t step, core_row_int is_limit,
                                               core_row_float loss)
{
    core_two_float student = core_two_product(divergence.student, step.mantissa);
    core_two_float teacher = core_two_product(divergence.teacher, step.mantissa);
    return core_end_of_difference(student, teacher, step.exponent, is_limit, loss);
}

#endif
