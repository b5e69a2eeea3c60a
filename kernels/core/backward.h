/*
 * The derivatives of a row of probabilities p = softmax(x / T), for a gradient from above g:
 *
 *     softmax backward        p[c] (g[c] - sum of p g) / T
 *     log-softmax backward    (g[c] - p[c] sum of g) / T
 *     sensitivity             dp[c] / dT = p[c] (d[c] - sum of p d) / T,   d[c] = (max - x[c]) / T
 *
 * and the derivative by T of the loss that g comes from, a number for the row:
 *
 *     softmax                 (sum of p g d - (sum of p g) (sum of p d)) / T
 *     log-softmax             (sum of g d - (sum of g) (sum of p d)) / T
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
    core_end_t end = {factor, powers.held, CORE_ROW(0.0f), CORE_ROW(0.0f), operand, powers.left, CORE_NOT_MIXED};
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

/* Returns the end of a row that has a derivative by T instead of results. It is 0 at both ends of T. */
CORE_FUNCTION core_end_t core_temperature_end(core_scaled_t derivative, core_row_int is_infinite, core_row_float weight,
                                              core_scaled_t step, core_row_int is_limit)
{
    const core_row_float zero = CORE_ROW(0.0f), one = CORE_ROW(1.0f);
    const core_two_float nothing = {zero, zero};
    core_scaled_t product = core_scaled_product(core_scaled_product(derivative, step), core_scaled_float(weight));
    core_row_float value = core_scaled_value(product) + 0.0f; /* -0 becomes +0 */
    core_row_float beyond = derivative.mantissa.high > zero   ? CORE_ROW(CORE_INFINITY)
                            : derivative.mantissa.high < zero ? CORE_ROW(-CORE_INFINITY)
                                                              : core_row_float_of_bits((core_row_uint)(CORE_NAN_BITS));
    const core_row_int is_beyond = is_infinite & (step.mantissa.high > zero), is_nothing = is_limit | (weight == zero);
    value = is_beyond ? beyond : value;
    core_end_t end = {nothing, one, zero, is_nothing ? zero : value, nothing, one, CORE_NOT_MIXED};
    return end;
}

/* Returns the derivative of a softmax by T. The totals are those of the terms of their names. */
CORE_FUNCTION core_end_t core_softmax_temperature_end(core_total_t exponentials, core_total_t weighted,
                                                      core_total_t products, core_total_t weighted_products,
                                                      core_term_row_t row, core_temperature_t prepared,
                                                      core_row_float weight)
{
    core_two_float reciprocal = core_reciprocal(core_total_value(exponentials));
    core_two_float both = core_two_product(core_total_value(weighted_products), reciprocal);
    core_two_float mean = core_two_product(core_total_value(products), reciprocal);
    core_two_float distance = core_two_product(core_total_value(weighted), reciprocal);
    core_two_float apart = core_two_product(mean, distance), negative = {-apart.high, -apart.low};
    core_two_float derivative = core_two_product(core_two_sum(both, negative), row.distance.factor);
    return core_temperature_end(core_scaled_of(derivative), (core_row_int)(0), weight,
                                core_backward_step(prepared, core_operand_exponent(row.operand)),
                                core_is_limit(prepared));
}

/* Returns the derivative of a log-softmax by T. It is infinite if a class with an operand is masked. */
CORE_FUNCTION core_end_t core_log_softmax_temperature_end(core_total_t exponentials, core_total_t weighted,
                                                          core_operand_sums_t sums, core_term_row_t row,
                                                          core_temperature_t prepared, core_row_float weight)
{
    core_two_float reciprocal = core_reciprocal(core_total_value(exponentials));
    core_two_float distance =
        core_two_product(core_two_product(core_total_value(weighted), reciprocal), row.distance.factor);
    core_scaled_t apart = core_scaled_of(core_two_product(sums.shares, distance));
    return core_temperature_end(core_scaled_sum(sums.distances, core_scaled_negative(apart)), sums.is_infinite, weight,
                                core_backward_step(prepared, core_operand_exponent(row.operand)),
                                core_is_limit(prepared));
}

#endif
