/*
 * The end of a row, and the numbers with an exponent of their own that those of gradients and derivatives are computed
 * with. C11 and OpenCL C compile this header. backward.h, cross_entropy.h and distillation.h make ends; operations.h
 * says which operation has which.
 */
#ifndef CLSOFTMAX_ROW_END_H
#define CLSOFTMAX_ROW_END_H

#include "core/statistics.h"

/* What the results of a row with a mixture need beside the rest: the teacher's share, the student's sum over the
   teacher's, and (1 - share) KL(p || m). */
typedef struct {
    core_row_float share, ratio, divergence;
} core_mixed_end_t;

#define CORE_NOT_MIXED                                                                                                 \
    {                                                                                                                  \
        CORE_ROW(0.0f), CORE_ROW(0.0f), CORE_ROW(0.0f)                                                                 \
    }

/* The end of a row: what its results need of the sums, and its loss. Most operations have a factor alone. */
typedef struct {
    core_two_float factor;   /* such as 1 / sum; an exponential times factor and after is its gradient */
    core_row_float after;    /* a power of two */
    core_row_float at_label; /* the result of the label's class */
    core_row_float loss;
    core_two_float operand; /* what is subtracted from a class's operand, or multiplies it */
    core_row_float before;  /* a power of two that multiplies results before `after` does */
    core_mixed_end_t mixed; /* with a mixture */
} core_end_t;

#define CORE_NO_LABEL -1.0f

/* What is read of a row for its loss. */
typedef struct {
    core_row_float label_logit;
    core_row_float weight; /* CORE_NO_LABEL: the row has no label */
    float scale;
    float z_loss;
    float is_squared; /* 1: a distillation is multiplied by T^2 */
    float share;      /* of a label, that all classes have together; or that of the teacher in a mixture; in [0, 1] */
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

/* Returns a number as a scaled one. */
CORE_FUNCTION core_scaled_t core_scaled_float(core_row_float x)
{
    const core_two_float both = {x, CORE_ROW(0.0f)};
    return core_scaled_of(both);
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

/* Returns the mantissa that the number has with another exponent, which is as large as its own or larger; 0 where it
   is too small for that. */
CORE_FUNCTION core_two_float core_mantissa_at(core_scaled_t x, core_row_int exponent)
{
    const core_row_int least = (core_row_int)(-126);
    core_row_int shift = x.exponent - exponent;
    shift = CORE_SMALLER(shift, (core_row_int)(0)); /* a number that is 0 may have any exponent */
    core_row_float power = shift < least ? CORE_ROW(0.0f) : core_power_of_two(CORE_LARGER(shift, least));
    core_two_float mantissa = {x.mantissa.high * power, x.mantissa.low * power};
    return mantissa;
}

/* Returns the larger exponent of two numbers that are not 0, or that of the one that is not. */
CORE_FUNCTION core_row_int core_common_exponent(core_scaled_t a, core_scaled_t b)
{
    const core_row_int least = (core_row_int)(-1000);
    core_row_int of_a = a.mantissa.high == CORE_ROW(0.0f) ? least : a.exponent;
    core_row_int of_b = b.mantissa.high == CORE_ROW(0.0f) ? least : b.exponent;
    return CORE_LARGER(of_a, of_b);
}

CORE_FUNCTION core_scaled_t core_scaled_sum(core_scaled_t a, core_scaled_t b)
{
    core_row_int exponent = core_common_exponent(a, b);
    core_scaled_t sum = core_scaled_of(core_two_sum(core_mantissa_at(a, exponent), core_mantissa_at(b, exponent)));
    sum.exponent += exponent;
    return sum;
}

/* Returns the negative of a scaled number. */
CORE_FUNCTION core_scaled_t core_scaled_negative(core_scaled_t x)
{
    core_scaled_t negative = {{-x.mantissa.high, -x.mantissa.low}, x.exponent};
    return negative;
}

/* Returns the number as a two-float; infinite, or with fewer digits, where it is beyond the range of f32. */
CORE_FUNCTION core_two_float core_scaled_two_float(core_scaled_t x)
{
    core_powers_t powers = core_powers_of_two(x.exponent);
    core_two_float value = {x.mantissa.high * powers.left * powers.held, x.mantissa.low * powers.left * powers.held};
    value.low = value.high - value.high == CORE_ROW(0.0f) ? value.low : CORE_ROW(0.0f);
    return value;
}

/* Returns mantissa * 2^exponent, rounded once unless it is subnormal. */
CORE_FUNCTION core_row_float core_scaled_value(core_scaled_t x)
{
    core_powers_t powers = core_powers_of_two(x.exponent);
    return (x.mantissa.high + x.mantissa.low) * powers.left * powers.held;
}

/* ------------------------------------------------------------------ Results that are a difference */

/* Returns the end of a row whose results are an exponential times `student`, less some other number of the class, in
   the same units, times `operand`; that times 2^exponent. is_limit: what is not 0 becomes infinite, as it does at T =
   0. */
CORE_FUNCTION core_end_t core_end_of_difference(core_two_float student, core_two_float operand, core_row_int exponent,
                                                core_row_int is_limit, core_row_float loss)
{
    core_powers_t powers = core_powers_of_two(exponent - CORE_EXPONENTIAL_BIAS);
    core_row_float before = is_limit ? CORE_ROW(0x1p60f) : powers.left;
    core_row_float after = is_limit ? CORE_ROW(0x1p127f) : powers.held;
    core_end_t end = {student, after, CORE_ROW(0.0f), loss, operand, before, CORE_NOT_MIXED};
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

/* Returns the result of a class with exponential e and that other number. They are subtracted before they are
   rounded. */
CORE_FUNCTION core_float core_result_of_difference(core_pair e, core_pair other, core_end_t end)
{
    core_pair student = core_exponential_product(e, end.factor), operand = core_exponential_product(other, end.operand);
    core_pair difference = core_pair_difference(student, operand);
    core_float result = (difference.high + difference.low) * (core_float)(end.before);
    return core_fma(result, (core_float)(end.after), (core_float)(0.0f)); /* -0 becomes +0 */
}

/* ------------------------------------------------------------------ Sums of the operand */

/* What the operand of a row adds up to. */
typedef struct {
    core_two_float shares;    /* the sum of its shares */
    core_scaled_t distances;  /* that of shares times (max - x) / T */
    core_row_int is_infinite; /* the second is, or may be */
} core_operand_sums_t;

/* Returns it from the totals of TERM_OPERAND, TERM_REACH and TERM_OPERAND_WEIGHTED. */
CORE_FUNCTION core_operand_sums_t core_operand_sums(core_total_t operand, core_total_t reach, core_total_t weighted,
                                                    core_distance_t distance)
{
    core_row_int power = core_row_int_of_uint(core_row_bits(core_reach_power(reach)) >> 23) - 127;
    core_operand_sums_t sums;
    sums.shares = core_total_value(operand);
    sums.distances = core_scaled_of(core_two_product(core_total_value(weighted), distance.factor));
    sums.distances.exponent += (core_row_int)(2) - power; /* terms have a quarter of a distance */
    sums.is_infinite = core_row_float_of_bits(core_row_uint_of_long(reach.low)) >= CORE_ROW(CORE_INFINITY);
    return sums;
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
