/*
 * The logarithms of the numeric core: ln p = z - ln(sum) with z = (x - max) / T as a two-float, and the weighted
 * exponentials that an entropy adds up. Like numeric_core.h, which it builds on, it is one source for C11 and OpenCL
 * C 1.2. The operations, the terms and the statistics use it.
 */
#ifndef CLSOFTMAX_LOGARITHM_H
#define CLSOFTMAX_LOGARITHM_H

#include "core/numeric_core.h"

/* ------------------------------------------------------------------ Distance from the maximum */

/* A row as its log-probabilities see it: z = (x * scale - maximum) * (reciprocal_high + reciprocal_low) * after. */
typedef struct {
    core_row_float scale;
    core_row_float maximum; /* already scaled */
    core_row_float reciprocal_high;
    core_row_float reciprocal_low;
    core_row_float after; /* a power of two, or inf for the limit T -> 0 */
} core_log_row_t;

/* Returns what log-probabilities need to know about a row, from its temperature and its largest logit, which is finite.

   Unlike an exponential, a z far below the clamp still has a value, down to -FLT_MAX; only beyond that it is -inf. So
   nothing on the way may overflow unless z itself does. From |max| = 2^102 on, where a difference may overflow, the
   logits are scaled by 2^-64 and z by 2^64. Below T = 2^-62 a logit times 2^64 may overflow although its z does not, so
   the logits are scaled by 2^60 and z by 2^4. */
CORE_FUNCTION core_log_row_t core_log_row(core_temperature_t temperature, core_row_float maximum)
{
    core_row_int overflows = core_overflows(temperature, maximum);
    core_row_int huge =
        (temperature.scale == CORE_ROW(1.0f)) & ((maximum >= CORE_ROW(0x1p102f)) | (maximum <= CORE_ROW(-0x1p102f)));
    core_row_int small = temperature.scale > CORE_ROW(1.0f);
    core_log_row_t row;
    row.scale = small ? CORE_ROW(0x1p60f) : huge ? CORE_ROW(0x1p-64f) : temperature.scale;
    row.scale = overflows ? CORE_ROW(1.0f) : row.scale;
    row.maximum = maximum * row.scale;
    row.reciprocal_high = temperature.reciprocal.high;
    row.reciprocal_low = temperature.reciprocal.low;
    row.after = small ? CORE_ROW(0x1p4f) : CORE_ROW(1.0f);
    row.after = (overflows | huge) ? CORE_ROW(0x1p64f) : row.after;
    row.after = row.reciprocal_high == CORE_ROW(CORE_LIMIT_RECIPROCAL) ? CORE_ROW(CORE_INFINITY) : row.after;
    return row;
}

/* Returns z = (x - max) / T before it is multiplied by `after`, with |low| <= ulp(high). low may be NaN where high is
   infinite. */
CORE_FUNCTION core_pair core_quotient(core_float x, core_log_row_t row)
{
    /* difference + difference_low is x - max exactly (Knuth's two-sum). */
    core_float maximum = (core_float)(row.maximum);
    core_float scaled = x * (core_float)(row.scale);
    core_float difference = scaled - maximum;
    core_float virtual_maximum = scaled - difference;
    core_float virtual_x = difference + virtual_maximum;
    core_float difference_low = (scaled - virtual_x) - (maximum - virtual_maximum);

    core_float high = (core_float)(row.reciprocal_high);
    core_float low = (core_float)(row.reciprocal_low);
    core_pair z;
    z.high = difference * high;
    z.low = core_fma(difference, high, -z.high);
    z.low = core_fma(difference, low, z.low);
    z.low = core_fma(difference_low, high, z.low);
    return z;
}

/* ------------------------------------------------------------------ Weighted exponentials */

/* A row as its weights see it: |z| = (maximum - x * scale) * power * factor. `power` is the power of two below
   1 / T, and multiplies each element, which is exact; `factor`, what is left of 1 / T, is in [1, 2) and
   multiplies their sum. */
typedef struct {
    core_row_float scale;
    core_row_float maximum; /* already scaled */
    core_row_float power;
    core_two_float factor; /* 0 for T = inf, as power is */
} core_distance_t;

/* Returns what weights need to know about a row, from its temperature and its largest logit, which is finite. */
CORE_FUNCTION core_distance_t core_distance(core_temperature_t temperature, core_row_float maximum)
{
    const core_row_float zero = CORE_ROW(0.0f);
    core_row_int overflows = core_overflows(temperature, maximum);
    core_row_float high = overflows ? CORE_ROW(CORE_LIMIT_RECIPROCAL) : temperature.reciprocal.high;
    core_row_uint exponent = core_row_bits(high) & (core_row_uint)(0x7F800000u);
    core_row_float inverse = core_row_float_of_bits((core_row_uint)(254u << 23) - exponent);
    core_distance_t row;
    row.scale = overflows ? CORE_ROW(1.0f) : temperature.scale;
    row.maximum = maximum * row.scale;
    row.power = core_row_float_of_bits(exponent);
    row.factor.high = high * inverse;
    row.factor.low = (overflows ? zero : temperature.reciprocal.low) * inverse;
    return row;
}

/* The largest weight. A larger |z| has an exponential below exp(-256), which times any weight is far below the last
   unit of the sum. */
#define CORE_LARGEST_WEIGHT 256.0f

/* Returns |z| / factor, at most the largest weight, with a relative error of 2^-24. A logit of -inf gets the largest
   weight, also at T = inf, where the product is NaN. */
CORE_FUNCTION core_float core_weight(core_float x, core_distance_t row)
{
    const core_float largest = (core_float)(CORE_LARGEST_WEIGHT);
    core_float distance = core_fma(x, -(core_float)(row.scale), (core_float)(row.maximum));
    core_float weight = distance * (core_float)(row.power);
    return weight < largest ? weight : largest;
}

/* Returns e * |z| / factor, which is at most 0.37 of the row's largest exponential. Its relative error is 2^-23, which
   is enough for a sum in which nothing cancels. */
CORE_FUNCTION core_pair core_weighted(core_pair e, core_float x, core_distance_t row)
{
    core_float weight = core_weight(x, row);
    core_pair weighted = {e.high * weight, CORE_LEAN ? (core_float)(0.0f) : e.low * weight};
    return weighted;
}

/* ------------------------------------------------------------------ Rest relative to the largest exponential */

/* Returns the product of two two-floats, to 2^-46 relative. */
CORE_FUNCTION core_two_float core_two_product(core_two_float a, core_two_float b)
{
    core_row_float high = a.high * b.high;
    core_row_float low = core_fma(a.high, b.high, -high);
    low = core_fma(a.high, b.low, low);
    low = core_fma(a.low, b.high, low);
    return core_fast_two_sum(high, low);
}

/* Returns a + b as a two-float, for two-floats in any order (Knuth). */
CORE_FUNCTION core_two_float core_two_sum(core_two_float a, core_two_float b)
{
    core_row_float sum = a.high + b.high;
    core_row_float virtual_b = sum - a.high;
    core_row_float lost = (a.high - (sum - virtual_b)) + (b.high - virtual_b);
    return core_fast_two_sum(sum, lost + (a.low + b.low));
}

/* Returns sum / largest; `largest` is the row's largest exponential times 2^B. */
CORE_FUNCTION core_two_float core_relative_sum(core_total_t sum, core_two_float largest)
{
    core_two_float unit = {largest.high * CORE_EXPONENTIAL_UNIT, largest.low * CORE_EXPONENTIAL_UNIT};
    core_two_float normal = core_fast_two_sum(unit.high, unit.low);
    return core_two_product(core_total_value(sum), core_reciprocal(normal));
}

/* Returns 1 + rest. */
CORE_FUNCTION core_two_float core_one_plus(core_two_float rest)
{
    core_row_float one = CORE_ROW(1.0f);
    core_row_float sum = one + rest.high; /* Knuth's two-sum, since either may be the larger */
    core_row_float virtual_rest = sum - one;
    core_row_float lost = (one - (sum - virtual_rest)) + (rest.high - virtual_rest);
    return core_fast_two_sum(sum, lost + rest.low);
}

/* ------------------------------------------------------------------ Logarithm */

/* Returns ln(1 + rest) of a two-float in [0, 2^41], to 2^-29 relative, however small the rest is. With 1 + rest = 2^n m
   and m in [0.7, 1.42), ln m is 2 atanh(q), where q = (m - 1) / (m + 1) is a two-float with |q| <= 0.18. Where n is 0,
   m - 1 is the rest itself. */
CORE_FUNCTION core_two_float core_logarithm_of_one_plus(core_two_float rest)
{
    core_two_float s = core_one_plus(rest);
    core_row_uint bits = core_row_bits(s.high);
    core_row_int n = core_row_int_of_uint(bits >> 23) - 127;
    n = bits << 9 >= (core_row_uint)(0x6A09E667u) ? n + 1 : n; /* the mantissa is above sqrt(2) */
    core_row_float power = core_row_float_of_bits(core_row_uint_of_int(127 - n) << 23);
    core_two_float less_one = core_fast_two_sum(core_fma(s.high, power, CORE_ROW(-1.0f)), s.low * power);
    less_one.high = n == 0 ? rest.high : less_one.high;
    less_one.low = n == 0 ? rest.low : less_one.low;
    core_two_float more_one = core_fast_two_sum(CORE_ROW(2.0f), less_one.high);
    more_one.low = more_one.low + less_one.low;
    core_two_float inverse = core_reciprocal(more_one);
    core_row_float q = less_one.high * inverse.high;
    core_row_float q_low = core_fma(less_one.high, inverse.high, -q);
    q_low = core_fma(less_one.high, inverse.low, q_low);
    q_low = core_fma(less_one.low, inverse.high, q_low);

    /* 2 atanh(q) = 2 q + q^3 (2/3 + 2/5 q^2 + ...); the terms left out are 2^-33 relative. */
    core_row_float square = q * q;
    core_row_float series = core_fma(square, CORE_ROW(2.0f / 13), CORE_ROW(2.0f / 11));
    series = core_fma(square, series, CORE_ROW(2.0f / 9));
    series = core_fma(square, series, CORE_ROW(2.0f / 7));
    series = core_fma(square, series, CORE_ROW(2.0f / 5));
    series = core_fma(square, series, CORE_ROW(2.0f / 3));
    core_row_float cube = square * q;
    core_row_float tail = core_fma(cube, series, 2.0f * q_low);
    core_two_float mantissa = core_fast_two_sum(2.0f * q, tail);

    /* Add n ln 2. ln 2 is cut in two so that n times its first part is exact. */
    core_row_float exponent = core_row_float_of_int(n);
    core_two_float sum = core_fast_two_sum(exponent * 0x1.62e400p-1f, mantissa.high);
    core_row_float low = sum.low + core_fma(exponent, CORE_ROW(0x1.7f7d1cp-20f), mantissa.low);
    sum.high = n == 0 ? mantissa.high : sum.high;
    core_two_float result = core_fast_two_sum(sum.high, n == 0 ? mantissa.low : low);

    /* A tiny rest is its own logarithm. Subnormal numbers would be rounded several times on the way. */
    core_row_int is_tiny = rest.high < CORE_ROW(0x1p-30f);
    result.high = is_tiny ? rest.high : result.high;
    result.low = is_tiny ? rest.low : result.low;
    return result;
}

/* ------------------------------------------------------------------ Log-probability */

/* Returns z * after = (x - max) / T as a pair, for the logit x. A logit that equals the maximum has 0, also at T = 0,
   where `after` is inf. A logit of -inf has -inf, also at T = inf, where the reciprocal is 0. low may be NaN where high
   is infinite. */
CORE_FUNCTION core_pair core_log_exponential(core_float x, core_log_row_t row)
{
    core_pair z = core_quotient(x, row);
    core_float zero = (core_float)(0.0f), infinity = (core_float)(CORE_INFINITY);
    core_float scaled = x * (core_float)(row.scale), maximum = (core_float)(row.maximum);
    core_float after = (core_float)(row.after);
    core_float high = scaled == maximum ? zero : z.high * after;
    high = x == -infinity ? -infinity : high;
    core_pair result = {high, scaled == maximum ? zero : z.low * after};
    return result;
}

/* Returns ln(exp(z) / sum) = z * after - ln(sum) as a pair, for the logit x. `logarithm` is that of the sum relative to
   the largest exponential. Neither term is positive, so nothing cancels. Where high is infinite, low is 0. */
CORE_FUNCTION core_pair core_log_probability_pair(core_float x, core_log_row_t row, core_two_float logarithm)
{
    core_pair z = core_log_exponential(x, row);
    core_float zero = (core_float)(0.0f), high = z.high, low = z.low;

    core_float log_high = (core_float)(logarithm.high), log_low = (core_float)(logarithm.low);
    core_float sum = high - log_high; /* Knuth's two-sum */
    core_float virtual_log = high - sum;
    core_float virtual_high = sum + virtual_log;
    core_float lost = (high - virtual_high) - (log_high - virtual_log);
    /* bits, since gcc would not vectorise two comparisons with infinities here */
    core_int is_infinite = (core_as_uint(high) & (core_uint)(0x7FFFFFFFu)) == (core_uint)(0x7F800000u);
    core_pair result = {is_infinite ? high : sum, is_infinite ? zero : lost + (low - log_low)};
    return result;
}

/* Returns it in f32. */
CORE_FUNCTION core_float core_log_probability(core_float x, core_log_row_t row, core_two_float logarithm)
{
    core_pair result = core_log_probability_pair(x, row, logarithm);
    return (result.high + result.low) + 0.0f; /* -0 becomes +0 */
}

/* Returns ln(exp(z) / sum) as core_log_probability does, within 4 ULP: neither term is positive, and each is rounded a
   few times. The lean core writes it for each class. */
CORE_FUNCTION core_float core_lean_log_probability(core_float x, core_log_row_t row, core_two_float logarithm)
{
    const core_float zero = (core_float)(0.0f), infinity = (core_float)(CORE_INFINITY);
    core_float difference = core_fma(x, (core_float)(row.scale), -(core_float)(row.maximum));
    core_float z = (difference * (core_float)(row.reciprocal_high)) * (core_float)(row.after);
    z = difference == zero ? zero : z;
    z = x == -infinity ? -infinity : z;
    return (z - (core_float)(logarithm.high)) + 0.0f; /* -0 becomes +0 */
}

#endif
