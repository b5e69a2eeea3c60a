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
 *     core_total_reciprocal(total)   1/sum as a two-float
 *     core_probability(e, 1/sum)     the one rounding to f32
 *
 * In OpenCL C, core_float and its companions are vectors of CORE_WIDTH lanes, and everything about a row is scalar; in
 * C they are scalars, and the compiler vectorises the loops around them.
 */
#ifndef CLSOFTMAX_NUMERIC_CORE_H
#define CLSOFTMAX_NUMERIC_CORE_H

#ifdef __OPENCL_VERSION__

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
#define core_as_float(bits) CORE_VECTOR(as_float)(bits)
#define core_as_uint(value) CORE_VECTOR(as_uint)(value)
#define core_as_int(value) CORE_VECTOR(as_int)(value)
#define core_bits_of_float(value) as_uint(value)
#define core_float_of_bits(bits) as_float(bits)
#define core_fma(a, b, c) fma(a, b, c)
#define CORE_FUNCTION static

#else /* C11 */

#include <math.h>
#include <stdint.h>
#include <string.h>

#define CORE_FUNCTION static inline __attribute__((always_inline, unused))

typedef float core_float;
typedef uint32_t core_uint;
typedef int32_t core_int;
typedef int64_t core_long;
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
#define core_as_int(value) (int32_t) core_bits_of_float(value)
#define core_fma(a, b, c) fmaf(a, b, c)

#endif

#define CORE_NAN_BITS 0x7FC00000u /* the NaN written for every NaN: hardware NaNs differ between makers */
#define CORE_INFINITY core_float_of_bits(0x7F800000u)

/* ------------------------------------------------------------------ Maximum */

/* A key orders floats as integers, -0 below +0: its maximum is the same in any order, and no NaN can hide in it, since
   NaN is told apart by a flag. Its own inverse on the bits. */
CORE_FUNCTION core_int core_key(core_float x)
{
    core_int bits = core_as_int(x);
    return bits ^ ((bits >> 31) & 0x7FFFFFFF);
}

/* Not 0 where x is NaN. */
CORE_FUNCTION core_int core_is_nan(core_float x)
{
    return (core_as_int(x) & 0x7FFFFFFF) > 0x7F800000;
}

#define CORE_LARGER(a, b) ((a) > (b) ? (a) : (b))

/* The maximum of a row or of any part of it; parts merge in any order. */
typedef struct {
    int key;
    int has_nan;
} core_maximum_t;

CORE_FUNCTION core_maximum_t core_maximum_of_nothing(void)
{
    core_maximum_t nothing = {(int)0x807FFFFF, 0}; /* the key of -inf */
    return nothing;
}

CORE_FUNCTION core_maximum_t core_maximum_merge(core_maximum_t a, core_maximum_t b)
{
    core_maximum_t merged = {CORE_LARGER(a.key, b.key), a.has_nan | b.has_nan};
    return merged;
}

CORE_FUNCTION float core_maximum_value(core_maximum_t maximum)
{
    return core_float_of_bits((uint)(maximum.key ^ ((maximum.key >> 31) & 0x7FFFFFFF)));
}

/* Rows without an ordinary answer are NaN throughout: a NaN, a +inf, or nothing but -inf among the logits. */
CORE_FUNCTION int core_row_is_ordinary(core_maximum_t maximum)
{
    return !maximum.has_nan && maximum.key > (int)0x807FFFFF && maximum.key < 0x7F800000;
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

/* A row as its elements see it. */
typedef struct {
    float scale;
    float maximum; /* already scaled */
    float reciprocal_high;
    float reciprocal_low;
} core_row_t;

/* maximum: the largest logit of the row, finite. Where scaling by 2^64 would overflow it, distinct logits are so far
   apart (2^36 at least, at T < 2^-62) that the limit T -> 0 is the exact answer, and no scaling is needed to reach it.
 */
CORE_FUNCTION core_row_t core_row(core_temperature_t temperature, float maximum)
{
    int far = temperature.scale > 1.0f && (maximum >= 0x1p60f || maximum <= -0x1p60f);
    core_row_t row;
    row.scale = far ? 1.0f : temperature.scale;
    row.maximum = maximum * row.scale;
    row.reciprocal_high = far ? CORE_LIMIT_RECIPROCAL : temperature.reciprocal.high;
    row.reciprocal_low = far ? 0.0f : temperature.reciprocal.low;
    return row;
}

/* ------------------------------------------------------------------ Exponential */

/* exp(z) * 2^96 as high + low. Scaled, neither part is subnormal for any exp(z) >= 2^-151. */
typedef struct {
    core_float high;
    core_float low;
} core_exponential_t;

#define CORE_EXPONENTIAL_BIAS 96
#define CORE_SMALLEST_Z (-104.0f) /* exp(-104) < 2^-150 rounds to 0 in f32 */

/* exp((x - max) / T). -inf and everything below the clamp give 2^-150.04, which adds nothing to a sum and rounds to 0.
 */
CORE_FUNCTION core_exponential_t core_exponential(core_float x, core_row_t row)
{
    /* difference + difference_low = x - max exactly (two-sum, Knuth) */
    core_float scaled = x * row.scale;
    core_float difference = scaled - row.maximum;
    core_float virtual_maximum = scaled - difference;
    core_float virtual_x = difference + virtual_maximum;
    core_float difference_low = (scaled - virtual_x) - (row.maximum - virtual_maximum);

    /* z + z_low = the difference over the temperature */
    core_float high = (core_float)(row.reciprocal_high);
    core_float low = (core_float)(row.reciprocal_low);
    core_float z = difference * high;
    core_float z_low = core_fma(difference, high, -z);
    z_low = core_fma(difference, low, z_low);
    z_low = core_fma(difference_low, high, z_low);
    core_float smallest = (core_float)(CORE_SMALLEST_Z);
    z_low = z > smallest ? z_low : (core_float)(0.0f); /* may be NaN below the clamp */
    z = z > smallest ? z : smallest;                   /* NaN (-inf at T = inf) goes to the clamp */

    /* z + z_low = n ln 2 + r + r_low, |r| <= ln(2)/2; the low bits of `rounded` are n + 127 + 96 */
    const float magic = 12582912.0f + (127 + CORE_EXPONENTIAL_BIAS); /* 1.5 * 2^23: adding it rounds to an integer */
    core_float rounded = core_fma(z, (core_float)(0x1.715476p+0f), (core_float)(magic)); /* log2(e) */
    core_float n = rounded - magic;
    core_float r_high = core_fma(n, (core_float)(-0x1.62e430p-1f), z); /* exact: both are multiples of 2^-25 */
    core_float r_tail = core_fma(n, (core_float)(0x1.05c610p-29f), z_low);
    core_float r = r_high + r_tail;
    core_float r_low = r_tail - (r - r_high);

    /* exp(r + r_low) = one_plus_r + low, where low = what 1 + r lost + r_low exp(r) + r^2 q(r);
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
    core_exponential_t result;
    result.high = sum * power;
    result.low = sum_low * power;
    return result;
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
CORE_FUNCTION core_sum_t core_sum_add(core_sum_t sum, core_exponential_t e, int levels)
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

/* 1 / sum. The total is carried into digits of 22 or 23 bits, which f32 holds exactly, and those into a two-float. */
CORE_FUNCTION core_two_float core_total_reciprocal(core_total_t total)
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
    core_two_float normal = core_fast_two_sum(sum.high, sum.low + top.low + digit_0);
    return core_reciprocal(normal);
}

/* ------------------------------------------------------------------ Probability */

/* e / sum in f32: within 1 ULP of the exact probability. Only the last product may round into the subnormal range. */
CORE_FUNCTION core_float core_probability(core_exponential_t e, core_two_float reciprocal)
{
    core_float high = (core_float)(reciprocal.high);
    core_float small = core_fma(e.low, high, e.high * reciprocal.low);
    return core_fma(e.high, high, small) * 0x1p-96f;
}

#endif
