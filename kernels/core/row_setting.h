/*
 * What is known of a row once its maximum and its temperature are: its kind, which the policies decide, and what turns its
 * logits into exponentials. Used by the statistics, the operations and every row pipeline of both languages.
 */
#ifndef CLSOFTMAX_ROW_SETTING_H
#define CLSOFTMAX_ROW_SETTING_H

#include "core/logarithm.h"

#if defined(CORE_OPENCL) && CORE_WIDTH > 1 && !defined(CORE_ROW_PER_LANE)
#define core_row_of(lanes) (lanes).s0 /* of lanes that are all the same */
#else
#define core_row_of(lanes) (lanes)
#endif

CORE_FUNCTION core_row_int core_is_nan(core_row_float x)
{
    return (core_row_bits(x) & 0x7FFFFFFFu) > (core_row_uint)(0x7F800000u);
}

/* ------------------------------------------------------------------ Kinds of rows */

/* What a row without finite maximum becomes: see clsoftmax_neg_inf_rows and clsoftmax_pos_inf in the public header. */
#define CORE_NEGATIVE_INFINITY_NAN 0u
#define CORE_NEGATIVE_INFINITY_ZERO 1u
#define CORE_NEGATIVE_INFINITY_UNIFORM 2u
#define CORE_POSITIVE_INFINITY_LIMIT 4u

#define CORE_ROW_ORDINARY 0
#define CORE_ROW_TIES 1 /* the mass split evenly over the logits that equal the maximum, +inf or -inf: see core_tie */
#define CORE_ROW_NAN 2  /* this and the next are not computed: one value throughout */
#define CORE_ROW_ZERO 3

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

/* True for rows whose results are computed. */
#define core_row_is_computed(kind) ((kind) <= CORE_ROW_TIES)

/* The logits of a row of ties as an ordinary row of maximum 0. */
CORE_FUNCTION core_float core_tie(core_float x, core_row_float maximum)
{
    return x == (core_float)(maximum) ? (core_float)(0.0f) : (core_float)(-CORE_INFINITY);
}

/* What is known of a row once its maximum is. */
typedef struct {
    core_row_float temperature;
    core_temperature_t prepared;
    core_row_int kind;
    core_row_float maximum; /* as an ordinary row: 0 for a row of ties */
    core_row_float ties_at; /* the logit that ties, for a row of ties: its maximum as it was read */
    core_row_t row;
} core_setting_t;

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

/* The largest exponential, and its own part of the row's total. */
typedef struct {
    core_two_float value; /* * 2^96 */
    core_total_t own;
} core_largest_t;

CORE_FUNCTION core_largest_t core_largest(core_setting_t set, int levels)
{
    core_pair e = core_exponential((core_float)(set.maximum), set.row);
    core_sum_t nothing = {(core_uint)(0), (core_uint)(0), (core_uint)(0)};
    core_lanes_total own = core_sum_flush(core_sum_add(nothing, e, levels), 1, levels);
    core_largest_t largest = {{core_row_of(e.high), core_row_of(e.low)},
                              {core_row_of(own.high), core_row_of(own.low), core_row_of(own.lowest)}};
    return largest;
}

/* ln of the sum relative to the largest exponential: of sum exp((x - max) / T). */
CORE_FUNCTION core_two_float core_log_sum(core_setting_t set, core_total_t total, int levels)
{
    core_largest_t largest = core_largest(set, levels);
    return core_logarithm(core_relative_sum(total, largest.own, largest.value));
}

#endif
