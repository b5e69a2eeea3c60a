/*
 * What a row is and what is known of it: the kinds of rows that the policies make, and the statistics of a row. Behind
 * numeric_core.h, and like it one source for C11 and OpenCL C 1.2.
 */
#ifndef CLSOFTMAX_ROW_STATISTICS_H
#define CLSOFTMAX_ROW_STATISTICS_H

#ifndef CORE_OPENCL
#include "numeric_core.h"
#endif

CORE_FUNCTION int core_is_nan(float x)
{
    return (core_bits_of_float(x) & 0x7FFFFFFFu) > 0x7F800000u;
}

/* ------------------------------------------------------------------ Kinds of rows */

/* What a row without finite maximum becomes: see clsoftmax_neg_inf_rows and clsoftmax_pos_inf in the public header. */
#define CORE_NEGATIVE_INFINITY_NAN 0u
#define CORE_NEGATIVE_INFINITY_ZERO 1u
#define CORE_NEGATIVE_INFINITY_UNIFORM 2u
#define CORE_POSITIVE_INFINITY_LIMIT 4u

#define CORE_ROW_ORDINARY 0
#define CORE_ROW_NAN 1
#define CORE_ROW_ZERO 2
#define CORE_ROW_TIES 3 /* the mass split evenly over the logits that equal the maximum, +inf or -inf: see core_tie */

CORE_FUNCTION int core_row_kind(uint maximum_key, float temperature, uint policies)
{
    if (maximum_key > CORE_KEY_POSITIVE_INFINITY || !(temperature >= 0.0f))
        return CORE_ROW_NAN;
    if (maximum_key == CORE_KEY_POSITIVE_INFINITY)
        return policies & CORE_POSITIVE_INFINITY_LIMIT ? CORE_ROW_TIES : CORE_ROW_NAN;
    if (maximum_key == CORE_KEY_NEGATIVE_INFINITY && policies & CORE_NEGATIVE_INFINITY_UNIFORM)
        return CORE_ROW_TIES;
    if (maximum_key == CORE_KEY_NEGATIVE_INFINITY)
        return policies & CORE_NEGATIVE_INFINITY_ZERO ? CORE_ROW_ZERO : CORE_ROW_NAN;
    return CORE_ROW_ORDINARY;
}

/* 1 for rows whose results are computed; those of others are one value throughout. */
CORE_FUNCTION int core_row_is_computed(int kind)
{
    return kind == CORE_ROW_ORDINARY || kind == CORE_ROW_TIES;
}

/* The logits of a row of ties as an ordinary row of maximum 0. */
CORE_FUNCTION core_float core_tie(core_float x, core_row_float maximum)
{
    return x == maximum ? (core_float)(0.0f) : (core_float)(-CORE_INFINITY);
}

/* ------------------------------------------------------------------ Statistics of a row */

/* The two largest logits and where the first of the largest is. Parts of a row merge in any order. */
typedef struct {
    uint key;
    uint second_key;
    core_long index;
} core_top_t;

/* Keys of logits + 0, so that -0 and +0 tie as they do for everybody else; a NaN of any bits is the one largest value, so that
   the first is found. */
CORE_FUNCTION core_uint core_top_key(core_float x)
{
    core_uint key = core_key(x + 0.0f), nan = (core_uint)(CORE_KEY_POSITIVE_INFINITY + 1u);
    return CORE_SMALLER(key, nan);
}

CORE_FUNCTION core_top_t core_top_merge(core_top_t a, core_top_t b)
{
    uint smaller_first = CORE_SMALLER(a.key, b.key), larger_second = CORE_LARGER(a.second_key, b.second_key);
    int b_first = b.key > a.key || (b.key == a.key && b.index < a.index);
    core_top_t merged = {CORE_LARGER(a.key, b.key), CORE_LARGER(smaller_first, larger_second),
                         b_first ? b.index : a.index};
    return merged;
}

/* As clsoftmax_statistics in the public header. */
typedef struct {
    float maximum;
    float log_sum_exp;
    float entropy;
    float largest_probability;
    float margin;
    float negative_log_likelihood;
    core_long argmax;
} core_statistics_t;

/* What the statistics of a row are made of. */
typedef struct {
    float temperature;
    core_top_t top;
    core_total_t total;    /* of the exponentials */
    core_total_t weighted; /* of the exponentials times |z| */
    float label_logit;     /* NaN where no label is given */
} core_row_sums_t;

#if !defined(CORE_OPENCL) || CORE_WIDTH == 1
#define core_first_lane(value) (value)
#else
#define core_first_lane(value) (value).s0
#endif

/* The statistics of an ordinary row. maximum: its largest logit, or 0 where the row is one of ties (then second and
   label are ties' logits, 0 or -inf, too); what is reported as the maximum is the caller's to replace then. */
CORE_FUNCTION core_statistics_t core_ordinary_statistics(core_row_sums_t sums, float maximum, float second)
{
    core_temperature_t temperature = core_temperature(sums.temperature);
    core_row_t row = core_row_of_lanes(core_row(temperature, maximum));
    core_one_row_t log_one = core_log_row(temperature, maximum), origin = log_one;
    origin.maximum = 0.0f;
    core_row_t log_row = core_row_of_lanes(log_one);
    core_two_float value = core_total_value(sums.total), reciprocal = core_reciprocal(value);
    core_two_float log_sum = core_logarithm(value);
    core_row_float log_high = (core_row_float)(log_sum.high), log_low = (core_row_float)(log_sum.low);
    core_row_float after = (core_row_float)(log_one.after);
    core_row_float reciprocal_high = (core_row_float)(reciprocal.high),
                   reciprocal_low = (core_row_float)(reciprocal.low);

    core_statistics_t result;
    result.maximum = maximum;
    result.argmax = sums.top.index;

    /* max / T + ln(sum) = -(ln p of a logit that is as far below the maximum as the maximum is above 0, with -ln(sum))
     */
    core_row_t origin_row = core_row_of_lanes(origin);
    core_float at_maximum = (core_float)(maximum);
    result.log_sum_exp = core_first_lane(core_log_probability(at_maximum, origin_row, after, -log_high, -log_low));

    core_pair one = {(core_float)(0x1p96f), (core_float)(0.0f)};
    result.largest_probability = core_first_lane(core_probability(one, reciprocal_high, reciprocal_low));

    core_pair second_e = core_exponential((core_float)(second), row);
    core_pair gap;
    gap.high = one.high - second_e.high;
    gap.low = ((one.high - gap.high) - second_e.high) - second_e.low;
    result.margin = core_first_lane(core_probability(gap, reciprocal_high, reciprocal_low));

    /* ln(sum) + (sum of e |z|) / sum: neither term is negative, so nothing cancels */
    core_two_float weighted = core_total_value(sums.weighted);
    float mean = core_fma(weighted.high, reciprocal.high,
                          core_fma(weighted.low, reciprocal.high, weighted.high * reciprocal.low));
    result.entropy = log_sum.high + (mean + log_sum.low);

    core_float label = (core_float)(sums.label_logit);
    float log_probability = core_first_lane(core_log_probability(label, log_row, after, log_high, log_low));
    result.negative_log_likelihood =
        core_is_nan(sums.label_logit) ? core_float_of_bits(CORE_NAN_BITS) : 0.0f - log_probability;
    return result;
}

/* The statistics of a row of any kind. second and label logit are as read. */
CORE_FUNCTION core_statistics_t core_statistics(core_row_sums_t sums, int kind)
{
    float maximum = core_value_of_key(sums.top.key), second = core_value_of_key(sums.top.second_key);
    float nan = core_float_of_bits(CORE_NAN_BITS);
    int infinite = maximum == CORE_INFINITY || maximum == -CORE_INFINITY;
    float log_sum_exp = infinite && sums.temperature >= 0.0f ? maximum : nan;
    core_statistics_t result = {maximum, log_sum_exp, nan, nan, nan, nan, sums.top.index};
    if (kind == CORE_ROW_ZERO) {
        result.entropy = 0.0f;
        result.largest_probability = 0.0f;
        result.margin = 0.0f;
        result.negative_log_likelihood = core_is_nan(sums.label_logit) ? nan : CORE_INFINITY;
    }
    if (kind == CORE_ROW_ORDINARY)
        result = core_ordinary_statistics(sums, maximum, second);
    if (kind == CORE_ROW_TIES) {
        int labelled = !core_is_nan(sums.label_logit);
        sums.label_logit = sums.label_logit == maximum ? 0.0f : labelled ? -CORE_INFINITY : nan;
        result = core_ordinary_statistics(sums, 0.0f, second == maximum ? 0.0f : -CORE_INFINITY);
        result.maximum = maximum;
        result.log_sum_exp = log_sum_exp;
    }
    return result;
}

#endif
