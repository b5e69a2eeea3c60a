/*
 * The derivatives of a row of probabilities p = softmax(x / T), for a gradient from above g:
 *
 *     softmax backward        p[c] (g[c] - sum of p g) / T
 *     log-softmax backward    (g[c] - p[c] sum of g) / T
 *     sensitivity             dp[c] / dT = p[c] (d[c] - sum of p d) / T,   d[c] = (max - x[c]) / T
 *
 * At T = 0 a softmax is a step, and its derivatives are 0. C11 and OpenCL C compile this header. operations.h includes
 * it.
 */
#ifndef CLSOFTMAX_BACKWARD_H
#define CLSOFTMAX_BACKWARD_H

#include "core/row_end.h"

/* Returns 1 / T times 2^-exponent, or 0 at T = 0. */
CORE_FUNCTION core_scaled_t core_backward_step(core_temperature_t prepared, core_row_int exponent)
{
    core_scaled_t step = core_gradient_step(1.0f, prepared);
    core_row_int is_limit = core_is_limit(prepared);
    step.mantissa.high = is_limit ? CORE_ROW(0.0f) : step.mantissa.high;
    step.mantissa.low = is_limit ? CORE_ROW(0.0f) : step.mantissa.low;
    step.exponent -= exponent;
    return step;
}

/* Returns the end of a row with a factor, what the operand needs, and 2^exponent as two powers. */
CORE_FUNCTION core_end_t core_backward_end(core_two_float factor, core_two_float operand, core_row_int exponent)
{
    core_powers_t powers = core_powers_of_two(exponent);
    core_end_t end = {factor, powers.held, CORE_ROW(0.0f), CORE_ROW(0.0f), operand, powers.left};
    return end;
}

/* Returns the end of a row whose results are p (y - mean) * step, where y is some number of a class, and `sum` that of
   the exponentials. */
CORE_FUNCTION core_end_t core_end_of_mean(core_two_float sum, core_two_float mean, core_scaled_t step)
{
    core_two_float factor = core_two_product(core_reciprocal(sum), step.mantissa);
    return core_backward_end(factor, mean, step.exponent - CORE_EXPONENTIAL_BIAS);
}

/* Returns p (y - mean) * step. */
CORE_FUNCTION core_float core_result_of_mean(core_pair e, core_float y, core_end_t end)
{
    core_float p = core_exponential_times(e, end.factor.high, end.factor.low);
    core_float above = y - (core_float)(end.operand.high);
    core_float result = core_fma(p, above, -(p * (core_float)(end.operand.low)));
    return core_fma(result * (core_float)(end.before), (core_float)(end.after), (core_float)(0.0f)); /* -0 becomes +0 */
}

/* Returns the end of a softmax backward. */
CORE_FUNCTION core_end_t core_softmax_backward_end(core_total_t exponentials, core_total_t products,
                                                   core_operand_t powers, core_temperature_t prepared)
{
    core_two_float sum = core_total_value(exponentials);
    core_two_float mean = core_two_product(core_total_value(products), core_reciprocal(sum));
    return core_end_of_mean(sum, mean, core_backward_step(prepared, core_operand_exponent(powers)));
}

/* Returns the end of a log-softmax backward. */
CORE_FUNCTION core_end_t core_log_softmax_backward_end(core_total_t exponentials, core_total_t shares,
                                                       core_operand_t powers, core_temperature_t prepared)
{
    core_scaled_t step = core_backward_step(prepared, core_operand_exponent(powers));
    core_two_float factor = core_two_product(core_two_product(core_total_value(shares), step.mantissa),
                                             core_reciprocal(core_total_value(exponentials)));
    return core_backward_end(factor, step.mantissa, step.exponent - CORE_EXPONENTIAL_BIAS);
}

/* Returns (share - p * sum of shares) * step. */
CORE_FUNCTION core_float core_log_softmax_backward(core_pair e, core_float share, core_end_t end)
{
    core_float high = (core_float)(end.operand.high), low = (core_float)(end.operand.low);
    core_float scaled =
        share * (1.0f / CORE_EXPONENTIAL_UNIT); /* as e is, so that nothing is subnormal before the end */
    core_float taken = core_exponential_times(e, end.factor.high, end.factor.low);
    core_float result = core_fma(scaled, high, core_fma(scaled, low, -taken));
    return core_fma(result * (core_float)(end.before), (core_float)(end.after), (core_float)(0.0f)); /* -0 becomes +0 */
}

/* Returns the end of a sensitivity, from the total of weights, which have no factor yet (core_distance_t). */
CORE_FUNCTION core_end_t core_sensitivity_end(core_total_t exponentials, core_total_t weights, core_distance_t distance,
                                              core_temperature_t prepared)
{
    core_two_float sum = core_total_value(exponentials);
    core_two_float mean = core_two_product(core_total_value(weights), core_reciprocal(sum));
    core_scaled_t step = core_backward_step(prepared, (core_row_int)(0));
    step.mantissa = core_two_product(step.mantissa, distance.factor);
    return core_end_of_mean(sum, mean, step);
}

#endif
