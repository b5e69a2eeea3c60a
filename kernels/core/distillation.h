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

/* Returns a number as a scaled one. */
CORE_FUNCTION core_scaled_t core_scaled_float(core_row_float x)
{
    const core_two_float both = {x, CORE_ROW(0.0f)};
    return core_scaled_of(both);
}

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

/* Returns the end of a row: the student's exponentials times `factor`, less the teacher's times `operand`, are the
   gradient but for a power of two, of which `before` and `after` are the factors. At T = 0 without T^2, what is not 0
   becomes infinite. */
CORE_FUNCTION core_end_t core_distillation_end(core_divergence_t divergence, core_scaled_t step, core_row_int is_limit,
                                               core_row_float loss)
{
    const core_row_float zero = CORE_ROW(0.0f);
    core_two_float student = core_two_product(divergence.student, step.mantissa);
    core_two_float teacher = core_two_product(divergence.teacher, step.mantissa);
    core_powers_t powers = core_powers_of_two(step.exponent - CORE_EXPONENTIAL_BIAS);
    core_row_float before = is_limit ? CORE_ROW(0x1p60f) : powers.left;
    core_row_float after = is_limit ? CORE_ROW(0x1p127f) : powers.held;
    core_end_t end = {student, after, zero, loss, teacher, before};
    return end;
}

/* Returns an exponential times a two-float as a pair. In the lean core e.low means nothing. */
CORE_FUNCTION core_pair core_exponential_product(core_pair e, core_two_float factor)
{
    const core_float high = (core_float)(factor.high), low = (core_float)(factor.low);
    core_pair product = {e.high * high, (core_float)(0.0f)};
    core_float lost = core_fma(e.high, high, -product.high);
    product.low = CORE_LEAN ? core_fma(e.high, low, lost) : lost + core_fma(e.low, high, e.high * low);
    return product;
}

/* Returns the gradient of a class with exponentials e of the student and `of_teacher`. */
CORE_FUNCTION core_float core_distillation_gradient(core_pair e, core_pair of_teacher, core_end_t end)
{
    core_pair student = core_exponential_product(e, end.factor);
    core_pair teacher = core_exponential_product(of_teacher, end.operand);
    core_pair difference = core_pair_difference(student, teacher);
    core_float result = (difference.high + difference.low) * (core_float)(end.before);
    return core_fma(result, (core_float)(end.after), (core_float)(0.0f)); /* -0 becomes +0 */
}

#endif
