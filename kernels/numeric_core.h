/*
 * The numeric core: temperature softmax of one row, to the last bit.
 *
 * One source, compiled as C11 (host/lib/cpu/) and as OpenCL C 1.2 (behind every row strategy). It uses only operations
 * that IEEE 754 and OpenCL's full profile define exactly: + - *, fma, comparisons, selects, integer arithmetic, bit
 * casts, and conversions of integers that the type holds. No product feeds a + or - except through fma, so that a
 * compiler which contracts although it was told not to cannot change a bit. docs/numerics.md derives the error bound.
 *
 * A row goes through it in this order:
 *
 *     core_key(x)                    its maximum, through integers
 *     core_temperature(T)            1/T as a two-float, and the power of two by which the logits are scaled
 *     core_row(temperature, max)     what an element needs to know about its row
 *     core_exponential(x, row)       exp((x - max) / T) as a two-float times 2^96
 *     core_sum_add, core_sum_lane    the sum as integers, whose order cannot matter
 *     core_total_value(total)        the sum as a two-float; its core_reciprocal or core_logarithm
 *     core_probability, core_log_probability   the one rounding to f32
 *
 * In OpenCL C, core_float and its companions are vectors of CORE_WIDTH lanes, and everything about a row is scalar, or a
 * vector too where each lane is a row of its own (CORE_ROW_PER_LANE); in C they are scalars, and the compiler
 * vectorises the loops around them.
 */
#ifndef CLSOFTMAX_NUMERIC_CORE_H
#define CLSOFTMAX_NUMERIC_CORE_H

#if defined(__OPENCL_VERSION__) || defined(__OPENCL_C_VERSION__) /* drivers define both, plain clang the second */
#define CORE_OPENCL 1
#endif

#ifdef CORE_OPENCL

#pragma OPENCL FP_CONTRACT OFF

#ifndef CORE_WIDTH
#define CORE_WIDTH 1 /* lanes of core_float: 1, 2, 4, 8 or 16 */
#endif

#if CORE_WIDTH == 1
#define CORE_VECTOR(type) type
#else
#define CORE_JOIN_(a, b) a##b
#define CORE_JOIN(a, b) CORE_JOIN_(a, b)
#define CORE_VECTOR(type) CORE_JOIN(type, CORE_WIDTH)
#endif

typedef CORE_VECTOR(float) core_float;
typedef CORE_VECTOR(int) core_int;
typedef CORE_VECTOR(uint) core_uint;
typedef long core_long;
#ifdef CORE_ROW_PER_LANE /* lanes are rows of their own; else they are classes of one row */
typedef core_float core_row_float;
#else
typedef float core_row_float;
#endif
#define core_as_float(bits) CORE_VECTOR(as_float)(bits)
#define core_as_uint(value) CORE_VECTOR(as_uint)(value)
#define core_as_int(value) CORE_VECTOR(as_int)(value)
#define core_uint_of_int(value) CORE_VECTOR(as_uint)(value)
#define core_bits_of_float(value) as_uint(value)
#define core_float_of_bits(bits) as_float(bits)
#define core_fma(a, b, c) fma(a, b, c)
#define CORE_FUNCTION static

#else /* C11 */

#if defined(__FAST_MATH__) || (defined(__FLT_EVAL_METHOD__) && __FLT_EVAL_METHOD__ != 0)
#error "the numeric core needs f32 arithmetic as written: no -ffast-math, no x87"
#endif

#include <math.h>
#include <stdint.h>
#include <string.h>

#define CORE_FUNCTION static inline __attribute__((always_inline, unused))

typedef float core_float;
typedef uint32_t core_uint;
typedef int32_t core_int;
typedef int64_t core_long;
typedef float core_row_float;
typedef uint32_t uint;

CORE_FUNCTION uint core_bits_of_float(float value)
{
    uint bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

CORE_FUNCTION float core_float_of_bits(uint bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

#define core_as_float(bits) core_float_of_bits(bits)
#define core_as_uint(value) core_bits_of_float(value)
#define core_as_int(value) ((int32_t)core_bits_of_float(value))
#define core_uint_of_int(value) ((uint32_t)(value))
#define core_fma(a, b, c) fmaf(a, b, c)

#endif

#define CORE_NAN_BITS 0x7FC00000u /* the NaN written for every NaN: hardware NaNs differ between makers */
#define CORE_INFINITY core_float_of_bits(0x7F800000u)

/* ------------------------------------------------------------------ Maximum */

/* Keys order floats as unsigned integers: -inf is 0, -0 stands below +0, +inf below every NaN of either sign. So the
   maximum of keys is the same in any order, and a NaN cannot hide in it as it does in fmax. */
#define CORE_KEY_NEGATIVE_INFINITY 0u
#define CORE_KEY_POSITIVE_INFINITY 0xFF000001u

CORE_FUNCTION core_uint core_key(core_float x)
{
    core_int bits = core_as_int(x);
    return core_uint_of_int(bits ^ ((bits >> 31) & 0x7FFFFFFF)) + 0x7F800001u;
}

#define CORE_LARGER(a, b) ((a) > (b) ? (a) : (b))
#define CORE_SMALLER(a, b) ((a) < (b) ? (a) : (b))

/* The float behind a key; NaN for the key of any NaN. */
CORE_FUNCTION float core_value_of_key(uint key)
{
    uint ordered = key - 0x7F800001u;
    uint bits = ordered >> 31 ? ordered ^ 0x7FFFFFFFu : ordered;
    return core_float_of_bits(key > CORE_KEY_POSITIVE_INFINITY ? CORE_NAN_BITS : bits);
}

/* ------------------------------------------------------------------ Two-float reciprocal */

/* The value high + low, |low| <= ulp(high) / 2. */
typedef struct {
    float high;
    float low;
} core_two_float;

/* 1 / (high + low) for high in [2^-100, 2^100], to 2^-45 relative: a first guess within 13 percent from the bits of the
   exponent, four Newton steps, then the remainder of the last as the low part. */
CORE_FUNCTION core_two_float core_reciprocal(core_two_float divisor)
{
    float guess = core_float_of_bits(0x7EF311C7u - core_bits_of_float(divisor.high));
    for (int step = 0; step < 4; step++)
        guess = core_fma(guess, core_fma(-divisor.high, guess, 1.0f), guess);
    float remainder = core_fma(-divisor.low, guess, core_fma(-divisor.high, guess, 1.0f));
    core_two_float result = {guess, guess * remainder};
    return result;
}

/* ------------------------------------------------------------------ Temperature and row */

/* What a temperature costs at run time: z = (x - max) / T is computed as (x * scale - max * scale) * (high + low).
   scale is 2^64 for T < 2^-62, 2^-64 for T >= 2^62, and 1 between, so that neither the difference of two logits nor the
   reciprocal leaves the normal range while it matters. */
typedef struct {
    float scale;
    core_two_float reciprocal;
} core_temperature_t;

/* A reciprocal that carries the smallest non-zero difference beyond the clamp: the limit T -> 0. */
#define CORE_LIMIT_RECIPROCAL 0x1p100f

/* temperature in [0, inf]; anything else is the caller's error. T = inf has the reciprocal 0. */
CORE_FUNCTION core_temperature_t core_temperature(float temperature)
{
    core_temperature_t result;
    result.scale = temperature < 0x1p-62f ? 0x1p64f : temperature >= 0x1p62f ? 0x1p-64f : 1.0f;
    core_two_float scaled = {temperature * result.scale, 0.0f};
    core_two_float limit_zero = {CORE_LIMIT_RECIPROCAL, 0.0f};
    core_two_float limit_infinity = {0.0f, 0.0f};
    result.reciprocal = core_reciprocal(scaled);
    if (temperature == 0.0f)
        result.reciprocal = limit_zero;
    if (temperature == CORE_INFINITY)
        result.reciprocal = limit_infinity;
    return result;
}

/* A row as its elements see it: z = (x * scale - maximum) * (reciprocal_high + reciprocal_low) * after. Where lanes are
   rows of their own (CORE_ROW_PER_LANE), a vector of rows. */
typedef struct {
    core_row_float scale;
    core_row_float maximum; /* already scaled */
    core_row_float reciprocal_high;
    core_row_float reciprocal_low;
} core_row_t;

/* The same for one row, with what only logarithms need. */
typedef struct {
    float scale;
    float maximum;
    float reciprocal_high;
    float reciprocal_low;
    float after; /* a power of two, or inf for the limit T -> 0; 1 for exponentials */
} core_one_row_t;

/* For exponentials; maximum: the largest logit of the row, finite. Where scaling by 2^64 would overflow it, distinct
   logits are so far apart (2^36 at least, at T < 2^-62) that the limit T -> 0 is the exact answer, and no scaling is
   needed for it. */
CORE_FUNCTION core_one_row_t core_row(core_temperature_t temperature, float maximum)
{
    int far = temperature.scale > 1.0f && (maximum >= 0x1p60f || maximum <= -0x1p60f);
    core_one_row_t row;
    row.scale = far ? 1.0f : temperature.scale;
    row.maximum = maximum * row.scale;
    row.reciprocal_high = far ? CORE_LIMIT_RECIPROCAL : temperature.reciprocal.high;
    row.reciprocal_low = far ? 0.0f : temperature.reciprocal.low;
    row.after = 1.0f;
    return row;
}

/* For logarithms, whose z has a value far below the clamp of the exponential: up to -FLT_MAX, beyond it -inf. So a difference
   that overflows must not end there: from 2^102 on, where it can, the logits are scaled down and z back up. */
CORE_FUNCTION core_one_row_t core_log_row(core_temperature_t temperature, float maximum)
{
    core_one_row_t row = core_row(temperature, maximum);
    int limit = temperature.reciprocal.high == CORE_LIMIT_RECIPROCAL;
    int far = row.scale != temperature.scale;
    int huge = temperature.scale == 1.0f && (maximum >= 0x1p102f || maximum <= -0x1p102f);
    row.scale = huge ? 0x1p-64f : row.scale;
    row.maximum = maximum * row.scale;
    row.reciprocal_high = temperature.reciprocal.high;
    row.reciprocal_low = temperature.reciprocal.low;
    row.after = limit ? CORE_INFINITY : far || huge ? 0x1p64f : 1.0f;
    return row;
}

/* One row for all lanes. */
CORE_FUNCTION core_row_t core_row_of_lanes(core_one_row_t one)
{
    core_row_t row = {(core_row_float)(one.scale), (core_row_float)(one.maximum), (core_row_float)(one.reciprocal_high),
                      (core_row_float)(one.reciprocal_low)};
    return row;
}

/* ------------------------------------------------------------------ Exponential */

/* high + low, |low| <= ulp(high) / 2, for each lane. */
typedef struct {
    core_float high;
    core_float low;
} core_pair;

/* z = (x - max) / T, before `after`. low may be NaN where high is infinite. */
CORE_FUNCTION core_pair core_quotient(core_float x, core_row_t row)
{
    /* difference + difference_low = x - max exactly (two-sum, Knuth) */
    core_float scaled = x * row.scale;
    core_float difference = scaled - row.maximum;
    core_float virtual_maximum = scaled - difference;
    core_float virtual_x = difference + virtual_maximum;
    core_float difference_low = (scaled - virtual_x) - (row.maximum - virtual_maximum);

    core_float high = (core_float)(row.reciprocal_high);
    core_float low = (core_float)(row.reciprocal_low);
    core_pair z;
    z.high = difference * high;
    z.low = core_fma(difference, high, -z.high);
    z.low = core_fma(difference, low, z.low);
    z.low = core_fma(difference_low, high, z.low);
    return z;
}

#define CORE_EXPONENTIAL_BIAS 96
#define CORE_SMALLEST_Z (-104.0f) /* exp(-104) < 2^-150 rounds to 0 in f32 */

/* z at or above the clamp. NaN (-inf at T = inf) goes to the clamp. */
CORE_FUNCTION core_pair core_clamp(core_pair z)
{
    core_float smallest = (core_float)(CORE_SMALLEST_Z);
    core_pair clamped;
    clamped.low = z.high > smallest ? z.low : (core_float)(0.0f);
    clamped.high = z.high > smallest ? z.high : smallest;
    return clamped;
}

/* exp(z) * 2^96 for a clamped z: scaled so that neither part is subnormal. */
CORE_FUNCTION core_pair core_exponential_of(core_pair z)
{
    /* z = n ln 2 + r + r_low, |r| <= ln(2)/2; the low bits of `rounded` are n + 127 + 96 */
    const float magic = 12582912.0f + (127 + CORE_EXPONENTIAL_BIAS); /* 1.5 * 2^23: adding it rounds to an integer */
    core_float rounded = core_fma(z.high, (core_float)(0x1.715476p+0f), (core_float)(magic)); /* log2(e) */
    core_float n = rounded - magic;
    core_float r_high = core_fma(n, (core_float)(-0x1.62e430p-1f), z.high); /* exact: both are multiples of 2^-25 */
    core_float r_tail = core_fma(n, (core_float)(0x1.05c610p-29f), z.low);
    core_float r = r_high + r_tail;
    core_float r_low = r_tail - (r - r_high);

    /* exp(r + r_low) = one_plus_r + tail, where tail = what 1 + r lost + r_low exp(r) + r^2 q(r);
       q: minimax for (exp(r) - 1 - r) / r^2 with 1/2 kept, 2^-32.6 relative to exp(r) */
    core_float square = r * r;
    core_float q = core_fma(r, (core_float)(0x1.9dd3e6p-13f), (core_float)(0x1.6d4f94p-10f));
    q = core_fma(r, q, (core_float)(0x1.111336p-7f));
    q = core_fma(r, q, (core_float)(0x1.5554e6p-5f));
    q = core_fma(r, q, (core_float)(0x1.555554p-3f));
    q = core_fma(r, q, (core_float)(0.5f));
    core_float one_plus_r = r + 1.0f;
    core_float lost = r - (one_plus_r - 1.0f);
    core_float tail = core_fma(r_low, one_plus_r, lost);
    tail = core_fma(square, q, tail);
    core_float sum = one_plus_r + tail;
    core_float sum_low = tail - (sum - one_plus_r);

    core_float power = core_as_float(core_as_uint(rounded) << 23);
    core_pair result;
    result.high = sum * power;
    result.low = sum_low * power;
    return result;
}

/* exp((x - max) / T) * 2^96. -inf and everything below the clamp give 2^-150.04, which adds nothing to a sum and rounds
   to 0. */
CORE_FUNCTION core_pair core_exponential(core_float x, core_row_t row)
{
    return core_exponential_of(core_clamp(core_quotient(x, row)));
}

/* e * |z| for e = exp(z) * 2^96, z clamped: what an entropy sums. At most 0.37 * 2^96, as e is at most 2^96. */
CORE_FUNCTION core_pair core_weighted(core_pair e, core_pair z)
{
    core_float high = e.high * -z.high;
    core_float low = core_fma(e.high, -z.high, -high);
    low = core_fma(e.high, -z.low, low);
    low = core_fma(e.low, -z.high, low);
    core_pair weighted;
    weighted.high = high + low;
    weighted.low = low - (weighted.high - high);
    return weighted;
}

/* ------------------------------------------------------------------ Sum */

/* An exponential, at most 1, is cut into an integer of units 2^-23, one of 2^-45, and for rows of more than
   CORE_TWO_LEVEL_CLASSES a third of 2^-67. Adding a constant whose last place is the unit rounds to a multiple of it
   and leaves the integer in the low bits; the constant itself is taken off at the flush. The first is 1 (bit patterns
   stay consecutive up to 2, so 0 to 2^23 fit); the others are 1.5 * 2^23 units: what the level above left, at most 1.5
   * 2^21 and 2^21 units in size, fits their 2^22. */
#define CORE_UNIT_HIGH 0x1p+96f
#define CORE_UNIT_LOW 0x1.8p+74f
#define CORE_UNIT_LOWEST 0x1.8p+52f
#define CORE_TWO_LEVEL_CLASSES (1 << 20)
#define CORE_FLUSH_AFTER 256 /* additions that a lane of 32 bits takes: 256 * 2^23 < 2^32 */

typedef struct {
    core_uint high;
    core_uint low;
    core_uint lowest;
} core_sum_t;

/* levels, 2 or 3, is a constant where it matters, so that the third level costs nothing when it is not there. */
CORE_FUNCTION core_sum_t core_sum_add(core_sum_t sum, core_pair e, int levels)
{
    core_float high = e.high + CORE_UNIT_HIGH;
    core_float rest = (e.high - (high - CORE_UNIT_HIGH)) + e.low;
    core_float low = rest + CORE_UNIT_LOW;
    sum.high += core_as_uint(high);
    sum.low += core_as_uint(low);
    if (levels == 3)
        sum.lowest += core_as_uint((rest - (low - CORE_UNIT_LOW)) + CORE_UNIT_LOWEST);
    return sum;
}

/* The sum of a row: high * 2^-23 + low * 2^-45 + lowest * 2^-67. Exact integers: totals of any parts of a row merge by
   +, in any order. They are kept apart because one number of 64 bits would overflow at 2^18 equal logits. */
typedef struct {
    core_long high;
    core_long low;
    core_long lowest;
} core_total_t;

/* What one lane holds after `added` <= CORE_FLUSH_AFTER additions. */
CORE_FUNCTION core_total_t core_sum_lane(uint high, uint low, uint lowest, uint added, int levels)
{
    core_total_t total = {
        (core_long)(high - added * core_bits_of_float(CORE_UNIT_HIGH)),
        (core_long)(int)(low - added * core_bits_of_float(CORE_UNIT_LOW)),
        levels == 3 ? (core_long)(int)(lowest - added * core_bits_of_float(CORE_UNIT_LOWEST)) : 0,
    };
    return total;
}

CORE_FUNCTION core_total_t core_total_merge(core_total_t a, core_total_t b)
{
    core_total_t merged = {a.high + b.high, a.low + b.low, a.lowest + b.lowest};
    return merged;
}

/* a + b for |a| >= |b| or a = 0, as high + low exactly (Dekker). */
CORE_FUNCTION core_two_float core_fast_two_sum(float a, float b)
{
    float high = a + b;
    core_two_float sum = {high, b - (high - a)};
    return sum;
}

/* The total as a two-float: carried into digits of 22 or 23 bits, which f32 holds exactly, and those added up. */
CORE_FUNCTION core_two_float core_total_value(core_total_t total)
{
    const core_long digit_22 = ((core_long)1 << 22) - 1, digit_23 = ((core_long)1 << 23) - 1;
    core_long low = total.low + ((total.lowest + ((core_long)1 << 21)) >> 22);
    core_long high = total.high + (low >> 22);
    float digit_3 = (float)(int)(high >> 46) * 0x1p23f;
    float digit_2 = (float)(int)((high >> 23) & digit_23);
    float digit_1 = (float)(int)(high & digit_23) * 0x1p-23f;
    float digit_0 = (float)(int)(low & digit_22) * 0x1p-45f;
    core_two_float top = core_fast_two_sum(digit_3, digit_2);
    core_two_float sum = core_fast_two_sum(top.high, digit_1);
    return core_fast_two_sum(sum.high, sum.low + top.low + digit_0);
}

/* ------------------------------------------------------------------ Probability */

/* e / sum in f32: within 1 ULP of the exact probability. Only the last product may round into the subnormal range. */
CORE_FUNCTION core_float core_probability(core_pair e, core_row_float reciprocal_high, core_row_float reciprocal_low)
{
    core_float high = (core_float)(reciprocal_high);
    core_float small = core_fma(e.low, high, e.high * reciprocal_low);
    return core_fma(e.high, high, small) * 0x1p-96f;
}

/* ------------------------------------------------------------------ Logarithm */

/* ln of a two-float in [1, 2^41], to 2^-29 relative and 2^-45 absolute: s = 2^n m, m in [0.7, 1.42), ln m = 2 atanh(q)
   with q = (m - 1) / (m + 1) as a two-float, |q| <= 0.18. */
CORE_FUNCTION core_two_float core_logarithm(core_two_float s)
{
    int n = (int)(core_bits_of_float(s.high) >> 23) - 127;
    n += core_bits_of_float(s.high) << 9 >= 0x6A09E667u; /* mantissa above sqrt(2) */
    float power = core_float_of_bits((uint)(127 - n) << 23);
    core_two_float less_one = core_fast_two_sum(core_fma(s.high, power, -1.0f), s.low * power);
    core_two_float more_one = core_fast_two_sum(2.0f, less_one.high);
    more_one.low = more_one.low + less_one.low;
    core_two_float inverse = core_reciprocal(more_one);
    float q = less_one.high * inverse.high;
    float q_low = core_fma(less_one.high, inverse.high, -q);
    q_low = core_fma(less_one.high, inverse.low, q_low);
    q_low = core_fma(less_one.low, inverse.high, q_low);

    /* 2 atanh(q) = 2 q + q^3 (2/3 + 2/5 q^2 + ...), truncated at 2^-33 relative */
    float square = q * q;
    float series = core_fma(square, 2.0f / 13, 2.0f / 11);
    series = core_fma(square, series, 2.0f / 9);
    series = core_fma(square, series, 2.0f / 7);
    series = core_fma(square, series, 2.0f / 5);
    series = core_fma(square, series, 2.0f / 3);
    float cube = square * q;
    float tail = core_fma(cube, series, 2.0f * q_low);
    core_two_float mantissa = core_fast_two_sum(2.0f * q, tail);

    /* + n ln 2; ln 2 cut so that n times its first part is exact */
    float exponent = (float)n;
    float exponent_high = exponent * 0x1.62e400p-1f;
    core_two_float sum = n ? core_fast_two_sum(exponent_high, mantissa.high) : mantissa;
    float low = n ? sum.low + core_fma(exponent, 0x1.7f7d1cp-20f, mantissa.low) : mantissa.low;
    return core_fast_two_sum(sum.high, low);
}

/* ln(exp(z) / sum) = z * after - ln(sum) in f32. Both terms are negative or zero, so nothing cancels. x: the logit. */
CORE_FUNCTION core_float core_log_probability(core_float x, core_row_t row, core_row_float after,
                                              core_row_float log_high, core_row_float log_low)
{
    core_pair z = core_quotient(x, row);
    core_float zero = (core_float)(0.0f), infinity = (core_float)(CORE_INFINITY);
    /* no difference: 0, whatever is behind it (T = 0 has after = inf); a mask: -inf, also at T = inf */
    core_float high = x * row.scale == row.maximum ? zero : z.high * after;
    high = x == -infinity ? -infinity : high;
    core_float low = x * row.scale == row.maximum ? zero : z.low * after; /* NaN where high is infinite */

    core_float sum = high - log_high; /* two-sum */
    core_float virtual_log = high - sum;
    core_float virtual_high = sum + virtual_log;
    core_float lost = (high - virtual_high) - (log_high - virtual_log);
    core_float result = sum + (lost + (low - log_low));
    result = high == -infinity ? -infinity : high == infinity ? infinity : result;
    return result + 0.0f; /* -0 becomes +0 */
}

#endif
