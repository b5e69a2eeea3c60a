/*
 * The end of a row, and the numbers with an exponent of their own that those of gradients and derivatives are computed
 * with. C11 and OpenCL C compile this header. backward.h, cross_entropy.h and distillation.h make ends; operations.h
 * says which operation has which.
 */
#ifndef CLSOFTMAX_ROW_END_H
#define CLSOFTMAX_ROW_END_H

#include "core/statistics.h"

/* The end of a row: what its results need of the sums, and its loss. Most operations have a factor alone. */
typedef struct {
    core_two_float factor;   /* such as 1 / sum; an exponential times factor and after is its gradient */
    core_row_float after;    /* a power of two */
    core_row_float at_label; /* the result of the label's class */
    core_row_float loss;
    core_two_float operand; /* what is subtracted from a class's operand, or multiplies it */
    core_row_float before;  /* a power of two that multiplies results before `after` does */
} core_end_t;

#define CORE_NO_LABEL -1.0f

/* What is read of a row for its loss. */
typedef struct {
    core_row_float label_logit;
    core_row_float weight; /* CORE_NO_LABEL: the row has no label */
    float scale;
    float z_loss;
    float is_squared; /* 1: a distillation is multiplied by T^2 */
} core_loss_inputs_t;

/* ------------------------------------------------------------------ Numbers with an exponent of their own */

/* mantissa * 2^exponent, for products whose factors may be of any size. The mantissa is 0 or in [1, 2), or what
   products of such numbers are. */
typedef struct {
    core_two_float mantissa;
    core_row_int exponent;
} core_scaled_t;

/* Returns 2^exponent, for an exponent in [-126, 127]. */
CORE_FUNCTION core_row_float core_power_of_two(core_row_int exponent)
{
    return core_row_float_of_bits(core_row_uint_of_int(exponent + 127) << 23);
}

/* Returns the number as a scaled one; the parts of a subnormal number are made normal first. */
CORE_FUNCTION core_scaled_t core_scaled_of(core_two_float x)
{
    core_row_float size = x.high < CORE_ROW(0.0f) ? -x.high : x.high;
    core_row_int is_small = size < CORE_ROW(0x1p-60f);
    core_row_float up = is_small ? CORE_ROW(0x1p90f) : CORE_ROW(1.0f);
    core_row_int field = core_row_int_of_uint(core_row_bits(size * up) >> 23);
    core_row_int exponent = field > 0 ? field - 127 : (core_row_int)(0); /* 0 stays 0 */
    core_row_float down = core_power_of_two(exponent > 126 ? (core_row_int)(-126) : -exponent);
    core_scaled_t result = {{x.high * up * down, x.low * up * down},
                            (exponent > 126 ? (core_row_int)(126) : exponent) -
                                (is_small ? (core_row_int)(90) : (core_row_int)(0))};
    return result;
}

CORE_FUNCTION core_scaled_t core_scaled_product(core_scaled_t a, core_scaled_t b)
{
    core_scaled_t product = {core_two_product(a.mantissa, b.mantissa), a.exponent + b.exponent};
    return product;
}

/* Two powers of two whose product is 2^exponent, or as near to it as f32 can have two. `held` has as much of the
   exponent as it can. */
typedef struct {
    core_row_float held, left;
} core_powers_t;

CORE_FUNCTION core_powers_t core_powers_of_two(core_row_int exponent)
{
    const core_row_int least = (core_row_int)(-126), most = (core_row_int)(127);
    core_row_int held = CORE_SMALLER(CORE_LARGER(exponent, least), most);
    core_row_int left = CORE_SMALLER(CORE_LARGER(exponent - held, least), most);
    core_powers_t powers = {core_power_of_two(held), core_power_of_two(left)};
    return powers;
}

/* Returns mantissa * 2^exponent, rounded once unless it is subnormal. */
CORE_FUNCTION core_row_float core_scaled_value(core_scaled_t x)
{
    core_powers_t powers = core_powers_of_two(x.exponent);
    return (x.mantissa.high + x.mantissa.low) * powers.left * powers.held;
}

/* ------------------------------------------------------------------ The temperature of a gradient */

/* Returns s / T. */
CORE_FUNCTION core_scaled_t core_gradient_step(float scale, core_temperature_t prepared)
{
    const core_two_float s = {CORE_ROW(scale), CORE_ROW(0.0f)};
    core_scaled_t step = core_scaled_product(core_scaled_of(s), core_scaled_of(prepared.reciprocal));
    step.exponent += core_row_int_of_uint(core_row_bits(prepared.scale) >> 23) - 127;
    return step;
}

#endif
