/*
 * The setting of a row: everything that follows from its maximum, its temperature and the policies. That is its kind,
 * and what turns its logits into exponentials. The statistics, the operations, the CPU path and every strategy use it.
 */
#ifndef CLSOFTMAX_ROW_SETTING_H
#define CLSOFTMAX_ROW_SETTING_H

#include "core/logarithm.h"

/* Takes a row's number out of what a function for elements returned: where the lanes are classes of one row, all of
   them have it, and the first one is taken. */
#if defined(CORE_OPENCL) && CORE_WIDTH > 1 && !defined(CORE_ROW_PER_LANE)
#define core_row_of(lanes) (lanes).s0
#else
#define core_row_of(lanes) (lanes)
#endif

/* Returns whether x is NaN. Comparing bits is safe from compilers that assume that there is no NaN. */
CORE_FUNCTION core_row_int core_is_nan(core_row_float x)
{
    return (core_row_bits(x) & 0x7FFFFFFFu) > (core_row_uint)(0x7F800000u);
}

/* ------------------------------------------------------------------ Kinds of rows */

/* The policies: what becomes of a row without a finite maximum. The first three are values of clsoftmax_neg_inf_rows in
   the public header, then there is a bit for CLSOFTMAX_POS_INF_LIMIT, and one for temperature_squared, by which a
   distillation is multiplied by T^2; `policies` is their sum. */
#define CORE_NEGATIVE_INFINITY_NAN 0u
#define CORE_NEGATIVE_INFINITY_ZERO 1u
#define CORE_NEGATIVE_INFINITY_UNIFORM 2u
#define CORE_POSITIVE_INFINITY_LIMIT 4u
#define CORE_TEMPERATURE_SQUARED 8u

/* The kinds of rows. The first two are computed. A row of ties shares its mass evenly among the logits that equal its
   infinite maximum (see core_tie). The last two get one value throughout, their fill. */
#define CORE_ROW_ORDINARY 0
#define CORE_ROW_TIES 1
#define CORE_ROW_NAN 2
#define CORE_ROW_ZERO 3

/* Returns the kind of a row with this largest key. A temperature that is negative or NaN is invalid and makes the row
   NaN. */
CORE_FUNCTION core_row_int core_row_kind(core_row_uint maximum_key, core_row_float temperature, uint policies)
{
    const core_row_int nan = (core_row_int)(CORE_ROW_NAN);
    const int positive = policies & CORE_POSITIVE_INFINITY_LIMIT ? CORE_ROW_TIES : CORE_ROW_NAN;
    const int zero_or_nan = policies & CORE_NEGATIVE_INFINITY_ZERO ? CORE_ROW_ZERO : CORE_ROW_NAN;
    const int negative = policies & CORE_NEGATIVE_INFINITY_UNIFORM ? CORE_ROW_TIES : zero_or_nan;
    core_row_int kind = (core_row_int)(CORE_ROW_ORDINARY);
    kind = maximum_key == (core_row_uint)(CORE_KEY_NEGATIVE_INFINITY) ? (core_row_int)(negative) : kind;
    kind = maximum_key == (core_row_uint)(CORE_KEY_POSITIVE_INFINITY) ? (core_row_int)(positive) : kind;
    kind = maximum_key > (core_row_uint)(CORE_KEY_POSITIVE_INFINITY) ? nan : kind;
    return temperature >= CORE_ROW(0.0f) ? kind : nan;
}

/* Tells whether the results of a row of this kind are computed. */
#define core_row_is_computed(kind) ((kind) <= CORE_ROW_TIES)

/* Returns the logit that an ordinary row has in the place of x, a logit of a row of ties: 0 for the maximum, -inf for
   all others. So a row of ties is computed as an ordinary row whose maximum is 0. */
CORE_FUNCTION core_float core_tie(core_float x, core_row_float maximum)
{
    return x == (core_float)(maximum) ? (core_float)(0.0f) : (core_float)(-CORE_INFINITY);
}

/* The setting of a row. */
typedef struct {
    core_row_float temperature;
    core_temperature_t prepared; /* what core_temperature made of it */
    core_row_int kind;
    core_row_float maximum; /* as an ordinary row has it: 0 unless the row is ordinary */
    core_row_float ties_at; /* the maximum as it was read, which ties in a row of ties */
    core_row_t row;
} core_setting_t;

/* Returns the setting of a row with this largest key. `prepared` is what core_temperature made of the temperature. */
CORE_FUNCTION core_setting_t core_setting(core_row_uint maximum_key, core_row_float temperature,
                                          core_temperature_t prepared, uint policies)
{
    core_setting_t set;
    set.temperature = temperature;
    set.prepared = prepared;
    set.kind = core_row_kind(maximum_key, temperature, policies);
    set.ties_at = core_value_of_key(maximum_key);
    set.maximum = set.kind == (core_row_int)(CORE_ROW_ORDINARY) ? set.ties_at : CORE_ROW(0.0f);
    set.row = core_row(prepared, set.maximum);
    return set;
}

/* The largest exponential of a row. */
typedef struct {
    core_two_float value; /* times 2^B */
    core_total_t own;     /* its own share of the row's total */
} core_largest_t;

/* Returns the largest exponential of a row. It is computed again from the maximum, at the levels of the row's sum, so
   it has the bits that the sum has. */
CORE_FUNCTION core_largest_t core_largest(core_setting_t set, int levels)
{
    core_pair e = core_exponential((core_float)(set.maximum), set.row);
    core_sum_t nothing = {(core_uint)(0), (core_uint)(0), (core_uint)(0)};
    core_lanes_total own = core_sum_flush(core_sum_add(nothing, e, levels), 1, levels);
    core_largest_t largest = {{core_row_of(e.high), core_row_of(e.low)},
                              {core_row_of(own.high), core_row_of(own.low), core_row_of(own.lowest)}};
    return largest;
}

/* ------------------------------------------------------------------ The rest of a row */

/* The rest of a row is the sum of its exponentials without the largest one. Of a row in which one class has nearly all
   of the mass, the sum has few digits of the rest, or none; but ln p of that class, and 1 - p, are made of nothing
   else. So where the largest exponential stands alone, with no other above about a quarter of it, the rest is added up
   by itself (TERM_REST in terms.h): without the largest, and all others times a power of two that brings the second
   largest to about [1/4, 1/2] * 2^B. In any other row the term is the whole sum, from which the largest is subtracted
   at the end; that leaves enough digits. */
typedef struct {
    core_row_float limit; /* exponentials from here on are left out; inf where the largest does not stand alone */
    core_row_float power; /* by which the others are multiplied */
} core_rest_t;

#define CORE_ALONE_LIMIT (CORE_LEAN ? 0x1p+62f : 0x1p+94f) /* a quarter, times 2^B */
#define CORE_MOST_REST_BITS 126 /* of the power: with it the last unit is below any number of f32 */

/* Returns the second largest logit of a row as an ordinary row has it, from the keys of its two largest ones. */
CORE_FUNCTION core_row_float core_ordinary_second(core_row_uint key, core_row_uint second_key, core_setting_t set)
{
    core_row_float second = core_value_of_key(second_key);
    core_row_float tied = second == core_value_of_key(key) ? CORE_ROW(0.0f) : CORE_ROW(-CORE_INFINITY);
    return set.kind == (core_row_int)(CORE_ROW_TIES) ? tied : second;
}

/* Returns how the rest of a row is added up. `second` is its second largest logit, as an ordinary row has it. */
CORE_FUNCTION core_rest_t core_rest(core_setting_t set, core_row_float second)
{
    const core_row_int most = (core_row_int)(CORE_MOST_REST_BITS);
    core_pair e = core_exponential((core_float)(second), set.row);
    core_row_float high = core_row_of(e.high);
    core_row_int bits = (CORE_EXPONENTIAL_BIAS + 125) - core_row_int_of_uint(core_row_bits(high) >> 23);
    core_row_int alone = high < CORE_ROW(CORE_ALONE_LIMIT);
    bits = bits < most ? bits : most;
    bits = alone ? bits : (core_row_int)(0);
    core_rest_t rest = {alone ? CORE_ROW(CORE_ALONE_LIMIT) : CORE_ROW(CORE_INFINITY),
                        core_row_float_of_bits(core_row_uint_of_int(bits + 127) << 23)};
    return rest;
}

/* Tells whether the largest exponential of the row stands alone. */
#define core_is_alone(rest) ((rest).limit < CORE_ROW(CORE_INFINITY))

/* Returns what a class with exponential e adds to the rest. */
CORE_FUNCTION core_pair core_of_rest(core_pair e, core_rest_t rest)
{
    const core_float limit = (core_float)(rest.limit), power = (core_float)(rest.power), zero = (core_float)(0.0f);
    core_pair others = {e.high < limit ? e.high * power : zero, zero};
    if (!CORE_LEAN)
        others.low = e.high < limit ? e.low * power : zero;
    return others;
}

/* The rest relative to the largest exponential: value * unit. It is exactly 0 if no other class has an exponential. */
typedef struct {
    core_two_float value;
    core_row_float unit; /* a power of two */
} core_rest_value_t;

/* Returns it from the total of TERM_REST. */
CORE_FUNCTION core_rest_value_t core_rest_value(core_total_t total, core_rest_t rest, core_largest_t largest)
{
    const core_row_long nothing = (core_row_long)(0);
    core_row_int alone = core_is_alone(rest);
    core_total_t others = total;
    others.high -= core_row_long_of_int(alone) ? nothing : largest.own.high;
    others.low -= core_row_long_of_int(alone) ? nothing : largest.own.low;
    others.lowest -= core_row_long_of_int(alone) ? nothing : largest.own.lowest;
    core_rest_value_t result = {core_relative_sum(others, largest.value),
                                core_row_float_of_bits((core_row_uint)(254u << 23) - core_row_bits(rest.power))};
    return result;
}

/* Returns it as one number. */
CORE_FUNCTION core_two_float core_relative_rest(core_setting_t set, core_total_t total, core_rest_t rest, int levels)
{
    core_rest_value_t rest_value = core_rest_value(total, rest, core_largest(set, levels));
    core_two_float relative = {rest_value.value.high * rest_value.unit, rest_value.value.low * rest_value.unit};
    return relative;
}

#endif
