/*
 * The numeric core: the temperature softmax of one row, with the same bits on every device.
 *
 * It is one source, which is compiled as C11 for the CPU path (host/lib/cpu/) and as OpenCL C 1.2 for every strategy.
 * It uses only operations that IEEE 754 and OpenCL's full profile define to the last bit: + - *, fma, comparisons,
 * selects, integer arithmetic, bit casts, ceil, and conversions of integers that the type holds. No product feeds an
 * addition or a subtraction other than through fma. So a compiler that contracts, although it was told not to, cannot
 * change a bit. docs/numerics.md derives the error bound.
 *
 * A row passes the functions in this order:
 *
 *     core_key(x)                    turns each logit into an integer; the largest one gives the row's maximum
 *     core_temperature(T)            computes 1/T as a two-float, and the power of two that scales the logits
 *     core_row(temperature, max)     computes what an element needs to know about its row
 *     core_exponential(x, row)       computes exp(x / T) * 2^(B - N) as a pair, or a float; N puts the largest one of
 *                                    the row into about [1/2, 1] * 2^B
 *     core_sum_add, core_sum_flush   add exponentials as integers, so that their order cannot matter
 *     core_total_value(total)        makes the sum a two-float (core_short_total_value does it for few classes)
 *     core_sum_reciprocal(sum)       computes 1 / sum as a two-float
 *     core_probability(e, 1 / sum)   multiplies an exponential by it, and rounds once, to f32
 *
 * Logarithms are in logarithm.h.
 */
#ifndef CLSOFTMAX_NUMERIC_CORE_H
#define CLSOFTMAX_NUMERIC_CORE_H

#include "core/language.h"

/* Which exponentials the core is compiled with: 0 faithful.h, pairs of floats; 1 lean.h, single ones. Bits differ
   between the two, and are the same everywhere in each. */
#ifndef CORE_LEAN
#define CORE_LEAN 0
#endif

/* Floats that an exponential takes where it is kept. */
#define CORE_EXPONENTIAL_FLOATS (CORE_LEAN ? 1 : 2)

#define CORE_NAN_BITS 0x7FC00000u /* the NaN written for every NaN: hardware NaNs differ between makers */
#define CORE_INFINITY core_float_of_bits(0x7F800000u)

/* ------------------------------------------------------------------ Maximum */

/* A key is an unsigned integer that orders floats: -inf has the key 0, -0 is below +0, and +inf is below every NaN of
   either sign. So the maximum of keys is the same in any order, and a NaN cannot get lost in it as it does in fmax. */
#define CORE_KEY_NEGATIVE_INFINITY 0u
#define CORE_KEY_POSITIVE_INFINITY 0xFF000001u

/* Returns the key of a logit. Bits of negative floats are inverted, since they order the other way; the sum moves -inf
   to 0. */
CORE_FUNCTION core_uint core_key(core_float x)
{
    core_int bits = core_as_int(x);
    return core_uint_of_int(bits ^ ((bits >> 31) & 0x7FFFFFFF)) + 0x7F800001u;
}

#define CORE_LARGER(a, b) ((a) > (b) ? (a) : (b))
#define CORE_SMALLER(a, b) ((a) < (b) ? (a) : (b))

/* Returns the float that has a key; the canonical NaN for the key of any NaN. */
CORE_FUNCTION core_row_float core_value_of_key(core_row_uint key)
{
    core_row_uint ordered = key - 0x7F800001u;
    core_row_uint negative = core_row_uint_of_int(core_row_int_of_uint(ordered) >> 31);
    core_row_uint bits = ordered ^ (negative & 0x7FFFFFFFu);
    bits = key > (core_row_uint)(CORE_KEY_POSITIVE_INFINITY) ? (core_row_uint)(CORE_NAN_BITS) : bits;
    return core_row_float_of_bits(bits);
}

/* ------------------------------------------------------------------ Two-float reciprocal */

/* A two-float: the value high + low with |low| <= ulp(high) / 2, for a number that belongs to a row. */
typedef struct {
    core_row_float high;
    core_row_float low;
} core_two_float;

/* Returns a guess at 1 / divisor with twice as many correct bits. */
CORE_FUNCTION core_row_float core_newton_step(core_row_float divisor, core_row_float guess)
{
    return core_fma(guess, core_fma(-divisor, guess, CORE_ROW(1.0f)), guess);
}

/* Returns 1 / (high + low) for high in [2^-100, 2^100], to 2^-45 relative. An integer subtraction from the bits of
   `high` gives a first guess, within 13 percent; four Newton steps follow; what the last one leaves becomes the low
   part. */
CORE_FUNCTION core_two_float core_reciprocal(core_two_float divisor)
{
    core_row_float guess = core_row_float_of_bits((core_row_uint)(0x7EF311C7u) - core_row_bits(divisor.high));
    guess = core_newton_step(divisor.high, guess); /* not a loop, so that compilers vectorise the loops around it */
    guess = core_newton_step(divisor.high, guess);
    guess = core_newton_step(divisor.high, guess);
    guess = core_newton_step(divisor.high, guess);
    core_row_float remainder = core_fma(-divisor.low, guess, core_fma(-divisor.high, guess, CORE_ROW(1.0f)));
    core_two_float result = {guess, guess * remainder};
    return result;
}

/* ------------------------------------------------------------------ Temperature and row */

/* A temperature made ready for its rows. Logits are multiplied by `scale`, which is 2^64 for T < 2^-62, 2^-64 for
   T >= 2^62, and 1 between. So neither the difference of two logits nor the reciprocal leaves the normal range where it
   matters (docs/numerics.md, "Range"). */
typedef struct {
    core_row_float scale;
    core_two_float reciprocal; /* 1 / (T * scale); 0 for T = inf */
    core_row_float halving;    /* T * scale * ln 2, the distance of scaled logits that halves an exponential */
} core_temperature_t;

/* A reciprocal for the limit T -> 0: it carries even the smallest non-zero difference, 2^-149, beyond the clamp. */
#define CORE_LIMIT_RECIPROCAL 0x1p100f
#define CORE_LIMIT_HALVING 0x1.62e430p-101f /* ln 2 / CORE_LIMIT_RECIPROCAL */

/* A reciprocal for T = inf: it turns every finite scaled logit, at most 2^64 in size, into a zero. */
#define CORE_UNIFORM_RECIPROCAL 0x1p-120f
#define CORE_UNIFORM_HALVING 0x1.62e430p+119f

/* Makes a temperature ready, which is in [0, inf]. For any other the result means nothing: core_row_kind makes its rows
   NaN. */
CORE_FUNCTION core_temperature_t core_temperature(core_row_float temperature)
{
    const core_row_float zero = CORE_ROW(0.0f), infinity = CORE_ROW(CORE_INFINITY);
    core_temperature_t result;
    result.scale = temperature < CORE_ROW(0x1p-62f) ? CORE_ROW(0x1p64f) : CORE_ROW(1.0f);
    result.scale = temperature >= CORE_ROW(0x1p62f) ? CORE_ROW(0x1p-64f) : result.scale;
    core_two_float scaled = {temperature * result.scale, zero};
    core_two_float reciprocal = core_reciprocal(scaled);
    result.reciprocal.high = temperature == zero ? CORE_ROW(CORE_LIMIT_RECIPROCAL) : reciprocal.high;
    result.reciprocal.high = temperature == infinity ? zero : result.reciprocal.high;
    result.reciprocal.low = ((temperature == zero) | (temperature == infinity)) ? zero : reciprocal.low;
    result.halving = temperature == zero ? CORE_ROW(CORE_LIMIT_HALVING) : scaled.high * 0x1.62e430p-1f;
    result.halving = temperature == infinity ? CORE_ROW(CORE_UNIFORM_HALVING) : result.halving;
    return result;
}

/* Tells whether the temperature is 0, or as good as that. */
CORE_FUNCTION core_row_int core_is_limit(core_temperature_t prepared)
{
    return prepared.reciprocal.high == CORE_ROW(CORE_LIMIT_RECIPROCAL);
}

/* Returns whether the maximum times a scale of 2^64 would overflow. Distinct logits are then so far apart, at least
   2^36 at T < 2^-62, that the limit T -> 0 is the answer to all digits of f32, and it needs no scale. */
CORE_FUNCTION core_row_int core_overflows(core_temperature_t temperature, core_row_float maximum)
{
    return (temperature.scale > CORE_ROW(1.0f)) & ((maximum >= CORE_ROW(0x1p60f)) | (maximum <= CORE_ROW(-0x1p60f)));
}

/* Exponentials are scaled by 2^B, so that all parts of every exponential that counts are normal numbers: those of
   probabilities from 2^-150 on, and with a B of 64 also what reciprocals of sums become (core_sum_reciprocal). An
   exponential whose power of two is CORE_ZERO_EXPONENT below N has an exponent field of 0, and is exactly 0. */
#define CORE_EXPONENTIAL_BIAS (CORE_LEAN ? 64 : 96)
#define CORE_EXPONENTIAL_UNIT (CORE_LEAN ? 0x1p-64f : 0x1p-96f) /* takes the scale off */
#define CORE_ZERO_EXPONENT (127 + CORE_EXPONENTIAL_BIAS)

#define CORE_LOG2_E 0x1.715476p+0f
#define CORE_LOG2_E_LOW 0x1.4ae0c0p-26f

/* A row as its elements see it: z = max(x * scale - base, lowest) * (reciprocal_high + reciprocal_low), and the
   exponential is that of z; in the lean core it is 2^z. The difference is exact for every logit that matters. While
   |max| / T <= 256, base is 0, since z is then small enough for a pair. Beyond that, base is the maximum. Probabilities
   are 0 from 104.5 T below it on, and all logits above are within a factor of two of it, so that the difference is
   exact (Sterbenz). */
typedef struct {
    core_row_float scale;
    core_row_float base;
    core_row_float reciprocal_high;
    core_row_float reciprocal_low;
    core_row_float lowest; /* the clamp: what is there or below has the exponential 0 */
    core_row_float magic;  /* 1.5 * 2^23 + CORE_ZERO_EXPONENT - N: adding it rounds to an integer */
} core_row_t;

/* Returns the smallest integer that is not below x, for |x| < 2^22. On vectors PoCL's ceil() takes a dozen operations;
   on GPUs it is one. */
CORE_FUNCTION core_row_float core_ceiling(core_row_float x)
{
#if defined(CORE_OPENCL) && CORE_WIDTH == 1
    return ceil(x);
#else
    const core_row_float rounded = (x + CORE_ROW(12582912.0f)) - CORE_ROW(12582912.0f);
    return rounded < x ? rounded + CORE_ROW(1.0f) : rounded;
#endif
}

/* Returns whether the quotient max / T is so near 0 that the row needs no base. NaN and infinities are not. */
CORE_FUNCTION core_row_int core_is_near(core_row_float quotient)
{
    return (quotient <= CORE_ROW(256.0f)) & (quotient >= CORE_ROW(-256.0f));
}

/* Returns the row with its magic number and its clamp, which depend on N: `quotient` is (max - base) / T. In the lean
   core its reciprocal becomes that of powers of two. */
CORE_FUNCTION core_row_t core_shifted_row(core_row_t row, core_row_float quotient, core_row_float halving)
{
    /* `shift` is N. It makes the largest exponential at most 1, since 2^-13 is more than the rounding of the quotient,
       and at least 2^-1.0002. */
    core_row_float shift = core_ceiling(core_fma(quotient, CORE_ROW(CORE_LOG2_E), CORE_ROW(0x1p-13f)));
    row.magic = CORE_ROW(12582912.0f + CORE_ZERO_EXPONENT) - shift;
    row.lowest = (shift - CORE_ROW(CORE_ZERO_EXPONENT)) * halving;
    if (CORE_LEAN) {
        const core_row_float log2_e = CORE_ROW(CORE_LOG2_E), high = row.reciprocal_high * log2_e;
        core_row_float low = core_fma(row.reciprocal_high, log2_e, -high);
        low = core_fma(row.reciprocal_high, CORE_ROW(CORE_LOG2_E_LOW), low);
        row.reciprocal_low = core_fma(row.reciprocal_low, log2_e, low);
        row.reciprocal_high = high;
    }
    return row;
}

/* Returns what the elements need to know about a row, from its temperature and its largest logit, which is finite. */
CORE_FUNCTION core_row_t core_row(core_temperature_t temperature, core_row_float maximum)
{
    const core_row_float zero = CORE_ROW(0.0f);
    core_row_int overflows = core_overflows(temperature, maximum);
    core_row_t row;
    row.scale = overflows ? CORE_ROW(1.0f) : temperature.scale;
    row.reciprocal_high = overflows ? CORE_ROW(CORE_LIMIT_RECIPROCAL) : temperature.reciprocal.high;
    row.reciprocal_high = row.reciprocal_high == zero ? CORE_ROW(CORE_UNIFORM_RECIPROCAL) : row.reciprocal_high;
    row.reciprocal_low = overflows ? zero : temperature.reciprocal.low;
    core_row_float halving = overflows ? CORE_ROW(CORE_LIMIT_HALVING) : temperature.halving;

    core_row_float scaled = maximum * row.scale, quotient = scaled * row.reciprocal_high;
    core_row_int near = core_is_near(quotient);
    row.base = near ? zero : scaled;
    return core_shifted_row(row, near ? quotient : zero, halving);
}

/* Returns what core_row does, for a temperature that scales no logits and a maximum near 0: `quotient`, which is
   max * reciprocal.high, must be one for which core_is_near holds. */
CORE_FUNCTION core_row_t core_near_row(core_temperature_t temperature, core_row_float quotient)
{
    core_row_t row;
    row.scale = CORE_ROW(1.0f);
    row.base = CORE_ROW(0.0f);
    row.reciprocal_high = temperature.reciprocal.high;
    row.reciprocal_low = temperature.reciprocal.low;
    return core_shifted_row(row, quotient, temperature.halving);
}

/* ------------------------------------------------------------------ Exponential */

/* A pair: the value high + low of an element. Unlike that of a two-float, low may be large, up to 0.09 high. */
typedef struct {
    core_float high;
    core_float low;
} core_pair;

/* An element reduced: z = n ln 2 + r + r_low with |r| <= ln(2) / 2 and |r_low| < 2^-15; in the lean core z = n + r with
   |r| <= 1/2 + 2^-14. The low bits of `rounded` are n - N + CORE_ZERO_EXPONENT, the exponent field of the scaled
   exponential. */
typedef struct {
    core_float r;
    core_float r_low;
    core_float rounded;
} core_reduced;

/* ------------------------------------------------------------------ Sum */

/* An exponential, at most 1, is cut into integers, the levels of the sum: one in units of 2^-23, one in units of 2^-45,
   and for rows of more than CORE_TWO_LEVEL_CLASSES a third in units of 2^-67. Adding a constant whose last place is the
   unit rounds to a multiple of the unit and leaves the integer in the low bits; core_sum_flush takes the constants off.
   The first constant is 1: bit patterns of floats are consecutive from 1 to 2, so the integers 0 to 2^23 fit. The
   others are 1.5 * 2^23 units, so that integers of up to 2^22 in size fit; the level above leaves at most 1.5 * 2^21
   units for the second level, and 2^21 for the third. All of this is scaled by 2^B. */
#define CORE_UNIT_HIGH (CORE_LEAN ? 0x1p+64f : 0x1p+96f)
#define CORE_UNIT_SIGNED (CORE_LEAN ? 0x1.8p+64f : 0x1.8p+96f) /* in place of the first, for numbers with a sign */
#define CORE_UNIT_LOW (CORE_LEAN ? 0x1.8p+42f : 0x1.8p+74f)
#define CORE_UNIT_LOWEST (CORE_LEAN ? 0x1.8p+20f : 0x1.8p+52f)
#ifndef CORE_TWO_LEVEL_CLASSES /* tests reach the third level with shorter rows */
#define CORE_TWO_LEVEL_CLASSES (1 << 18)
#endif
#define CORE_SUM_LEVELS(classes) ((classes) > CORE_TWO_LEVEL_CLASSES ? 3 : 2) /* levels of the sums of a row */
#define CORE_FLUSH_AFTER 256 /* additions that an integer of 32 bits takes: 256 * 2^23 < 2^32 */

/* The sum while it grows, in integers of 32 bits: the bit patterns of all rounded values added up, their constants
   included. */
typedef struct {
    core_uint high;
    core_uint low;
    core_uint lowest;
} core_sum_t;

/* What a core_sum_t has added up, in integers of 64 bits; in OpenCL C each lane has its own. */
typedef struct {
    core_lanes_long high;
    core_lanes_long low;
    core_lanes_long lowest;
} core_lanes_total;

/* Returns what was added up by `added` calls of core_sum_add, at most CORE_FLUSH_AFTER, without the constants. */
CORE_FUNCTION core_lanes_total core_sum_flush(core_sum_t sum, uint added, int levels)
{
    core_lanes_total total;
    total.high = core_long_of_uint(sum.high - added * core_bits_of_float(CORE_UNIT_HIGH));
    total.low = core_long_of_int(core_int_of_uint(sum.low - added * core_bits_of_float(CORE_UNIT_LOW)));
    total.lowest = (core_lanes_long)(0);
    if (levels == 3)
        total.lowest = core_long_of_int(core_int_of_uint(sum.lowest - added * core_bits_of_float(CORE_UNIT_LOWEST)));
    return total;
}

/* The sum of a row: high * 2^-23 + low * 2^-45 + lowest * 2^-67. The integers are exact, so the totals of any parts of
   a row merge by +, in any order. They are kept apart because one integer of 64 bits would overflow at 2^18 equal
   logits. */
typedef struct {
    core_row_long high;
    core_row_long low;
    core_row_long lowest;
} core_total_t;

/* Returns the total of two parts of a row together. */
CORE_FUNCTION core_total_t core_total_merge(core_total_t a, core_total_t b)
{
    core_total_t merged = {a.high + b.high, a.low + b.low, a.lowest + b.lowest};
    return merged;
}

/* Returns a + b exactly, as high + low, for |a| >= |b| or a = 0 (Dekker). */
CORE_FUNCTION core_two_float core_fast_two_sum(core_row_float a, core_row_float b)
{
    core_row_float high = a + b;
    core_two_float sum = {high, b - (high - a)};
    return sum;
}

/* Returns the total as a two-float: it carries into digits of 22 or 23 bits, which f32 holds exactly, and
   adds them up. */
CORE_FUNCTION core_two_float core_total_value(core_total_t total)
{
    const core_long digit_22 = ((core_long)1 << 22) - 1, digit_23 = ((core_long)1 << 23) - 1;
    core_row_long low = total.low + ((total.lowest + ((core_long)1 << 21)) >> 22);
    core_row_long high = total.high + (low >> 22);
    core_row_float digit_3 = core_row_float_of_long(high >> 46) * 0x1p23f;
    core_row_float digit_2 = core_row_float_of_long((high >> 23) & digit_23);
    core_row_float digit_1 = core_row_float_of_long(high & digit_23) * 0x1p-23f;
    core_row_float digit_0 = core_row_float_of_long(low & digit_22) * 0x1p-45f;
    core_two_float top = core_fast_two_sum(digit_3, digit_2);
    core_two_float sum = core_fast_two_sum(top.high, digit_1);
    return core_fast_two_sum(sum.high, sum.low + top.low + digit_0);
}

/* Returns the value of a core_sum_t of two levels after `added` additions, at most CORE_FLUSH_AFTER: the same bits as
   core_total_value, without integers of 64 bits. The first level is at most 2^31 units, the second 256 * 1.5 * 2^21
   units in size, which is below 2^30; so both fit 32 bits. So does the first level with the carry, which is at most 2^8
   in size and cannot make a sum of positive numbers negative. digit_3 and what core_fast_two_sum(digit_3, digit_2)
   loses are 0 here, and leaving them out changes nothing. */
CORE_FUNCTION core_two_float core_short_total_value(core_row_uint high, core_row_uint low, uint added)
{
    const core_row_int signed_low = core_row_int_of_uint(low - added * core_bits_of_float(CORE_UNIT_LOW));
    const core_row_uint carried =
        high - added * core_bits_of_float(CORE_UNIT_HIGH) + core_row_uint_of_int(signed_low >> 22);
    core_row_float digit_2 = core_row_float_of_int(core_row_int_of_uint(carried >> 23));
    core_row_float digit_1 = core_row_float_of_int(core_row_int_of_uint(carried & 0x7FFFFFu)) * 0x1p-23f;
    core_row_float digit_0 = core_row_float_of_int(signed_low & 0x3FFFFF) * 0x1p-45f;
    core_two_float sum = core_fast_two_sum(digit_2, digit_1);
    return core_fast_two_sum(sum.high, sum.low + digit_0);
}

/* ------------------------------------------------------------------ Accuracies */

#if CORE_LEAN
#include "core/lean.h"
#else
#include "core/faithful.h"
#endif

/* Returns exp(z) * 2^(B - N). It is exactly 0 for -inf and for everything below the clamp, which is 154 T or more (in
   the lean core 132 T) under the maximum. At a nearer clamp the exponential would not be 0 but a small number, whose
   probability underflows; processors compute that slowly (docs/numerics.md, "The clamp"). */
CORE_FUNCTION core_pair core_exponential(core_float x, core_row_t row)
{
    core_reduced reduced = core_reduce(x, row);
    return core_reconstruct(reduced, core_polynomial(reduced.r));
}

#endif
