#ifndef CLSOFTMAX_PHASES_H
#define CLSOFTMAX_PHASES_H

#include "core/statistics.h"
#include "strategies/elements.h"

/*
 * What every row strategy shares in OpenCL C, behind row.h: the scans of a run of classes, what is known of a row, the record of its
 * statistics.
 */
/* ---------------------------------------------------------------- What a work-item has seen */

/* The largest logits that each lane has seen: keys, and at which step of the scan the largest came first. */
typedef struct {
    core_uint key;
    core_uint second_key;
    core_uint step;
} row_top;

static row_top row_top_of_nothing(void)
{
    row_top nothing = {(core_uint)(CORE_KEY_NEGATIVE_INFINITY), (core_uint)(CORE_KEY_NEGATIVE_INFINITY),
                       (core_uint)(0)};
    return nothing;
}

static row_top row_top_add(row_top top, core_float x, uint step)
{
    const core_uint key = STATISTICS ? core_top_key(x) : core_key(x);
    if (STATISTICS) {
        const core_uint smaller = CORE_SMALLER(key, top.key);
        top.second_key = CORE_LARGER(smaller, top.second_key);
        top.step = key > top.key ? (core_uint)(step) : top.step;
    }
    top.key = CORE_LARGER(key, top.key);
    return top;
}

/* The integer sums of a row: of exponentials, and for an entropy of those times |z|. */
typedef struct {
    core_total_t exponentials;
    core_total_t weighted;
} row_totals;

static row_totals row_totals_of_nothing(void)
{
    const core_row_long zero = (core_row_long)(0);
    row_totals nothing = {{zero, zero, zero}, {zero, zero, zero}};
    return nothing;
}

static row_totals row_totals_merge(row_totals a, row_totals b)
{
    a.exponentials = core_total_merge(a.exponentials, b.exponentials);
    if (STATISTICS)
        a.weighted = core_total_merge(a.weighted, b.weighted);
    return a;
}

/* The same, still in lanes of 32 bits, which are flushed into totals before they can overflow. */
typedef struct {
    core_sum_t exponentials;
    core_sum_t weighted;
    uint added; /* to each lane since the last flush */
    row_totals flushed;
} row_sums;

static row_sums row_sums_of_nothing(void)
{
    row_sums nothing;
    nothing.exponentials.high = nothing.exponentials.low = nothing.exponentials.lowest = (core_uint)(0);
    nothing.weighted = nothing.exponentials;
    nothing.added = 0;
    nothing.flushed = row_totals_of_nothing();
    return nothing;
}

/* Of lanes that are classes of one row, the sum; of lanes that are rows, each row's. */
static core_row_long row_of_lanes(core_lanes_long lanes)
{
#if defined(CORE_ROW_PER_LANE) || CORE_WIDTH == 1
    return lanes;
#else
    long one[CORE_WIDTH], sum = 0;
    row_vstore(lanes, one);
    for (uint i = 0; i < CORE_WIDTH; i++)
        sum += one[i];
    return sum;
#endif
}

static core_total_t row_total_of(core_sum_t sum, uint added)
{
    const core_lanes_total lanes = core_sum_flush(sum, added, SUM_LEVELS);
    core_total_t total = {row_of_lanes(lanes.high), row_of_lanes(lanes.low), row_of_lanes(lanes.lowest)};
    return total;
}

/* All that was added so far. */
static row_totals row_flush(row_sums sums)
{
    row_totals lanes = row_totals_of_nothing();
    lanes.exponentials = row_total_of(sums.exponentials, sums.added);
    if (STATISTICS)
        lanes.weighted = row_total_of(sums.weighted, sums.added);
    return row_totals_merge(sums.flushed, lanes);
}

/* ---------------------------------------------------------------- Rows */

/* A row, or where lanes are rows, all of them: what turns logits into exponentials and results. */
typedef struct {
    core_setting_t set;
    core_distance_t distance; /* for entropies */
    core_log_row_t log_row;   /* for log-probabilities */
    core_two_float sum_scale; /* 1 / sum, or ln(sum) */
} row_state;

/* maximum_key: the largest of all. */
static row_state row_state_of(core_row_uint maximum_key, core_row_float temperature, uint policies)
{
    row_state row;
    core_temperature_t prepared = core_temperature(temperature);
#if defined(CORE_ROW_PER_LANE) && CORE_WIDTH > 1 &&                                                                    \
    (TEMPERATURES == TEMPERATURES_ONE || TEMPERATURES == TEMPERATURES_SWEEP)
    /* All rows have the same. Nearly always it scales no logits, and most that is done for a row of few classes is about that. */
    if (temperature.s0 >= 0x1p-62f && temperature.s0 < 0x1p62f) {
        prepared.scale = CORE_ROW(1.0f);
        row.set = core_setting(maximum_key, CORE_ROW(1.0f), prepared, policies);
        row.set.temperature = temperature;
    } else
#endif
        row.set = core_setting(maximum_key, temperature, prepared, policies);
    row.distance = core_distance(row.set.prepared, row.set.maximum);
    row.log_row = core_log_row(row.set.prepared, row.set.maximum);
    row.sum_scale.high = row.sum_scale.low = CORE_ROW(0.0f);
    return row;
}

/* Logits as an ordinary row has them. */
static core_float row_ordinary(core_float x, const row_state *row)
{
    if (!TIES)
        return x;
    const core_int is_ties =
        (core_int)(row->set.kind == (core_row_int)(CORE_ROW_TIES) ? (core_row_int)(-1) : (core_row_int)(0));
    return is_ties < 0 ? core_tie(x, row->set.ties_at) : x;
}

/* Adds e = exp(x / T) and, for an entropy, that times |z|. x as an ordinary row has it. At most CORE_FLUSH_AFTER times. */
static row_sums row_sums_add_pair(row_sums sums, core_pair e, core_float x, const row_state *row)
{
    sums.exponentials = core_sum_add(sums.exponentials, e, SUM_LEVELS);
    if (STATISTICS)
        sums.weighted = core_sum_add(sums.weighted, core_weighted(e, x, row->distance), SUM_LEVELS);
    sums.added++;
    return sums;
}

/* Lanes that are full are flushed. */
static row_sums row_sums_settle(row_sums sums)
{
    if (sums.added == CORE_FLUSH_AFTER) {
        const row_totals all = row_flush(sums);
        sums = row_sums_of_nothing();
        sums.flushed = all;
    }
    return sums;
}

/* Adds exp(x / T) and its like, any number of times. */
static row_sums row_sums_add(row_sums sums, core_float x, const row_state *row)
{
    return row_sums_settle(row_sums_add_pair(sums, core_exponential(x, row->set.row), x, row));
}

/* What results need of the sum. */
static core_two_float row_sum_scale(const row_state *row, row_totals totals)
{
    return OPERATION == OPERATION_LOG_SOFTMAX ? core_log_sum(row->set, totals.exponentials, SUM_LEVELS)
                                              : core_reciprocal(core_total_value(totals.exponentials));
}

static core_float row_result(core_float x, const row_state *row)
{
    if (OPERATION == OPERATION_LOG_SOFTMAX)
        return core_log_probability(x, row->log_row, row->sum_scale);
    return core_probability(core_exponential(x, row->set.row), row->sum_scale.high, row->sum_scale.low);
}

/* 1 if the condition holds for all lanes that are rows. PoCL's all() looks at one lane after another, and of this loop compilers make a
   reduction once it is unrolled. */
static int row_all(core_row_int condition)
{
#if defined(CORE_ROW_PER_LANE) && CORE_WIDTH > 1
    int lanes[CORE_WIDTH], all_lanes = -1;
    row_vstore(condition, lanes);
#pragma unroll
    for (uint i = 0; i < CORE_WIDTH; i++)
        all_lanes &= lanes[i];
    return all_lanes < 0;
#else
    return condition;
#endif
}

/* What all results of a row that is not computed are. */
static core_row_float row_fill_value(core_row_int kind)
{
    const float zero = OPERATION == OPERATION_LOG_SOFTMAX ? -CORE_INFINITY : 0.0f;
    return kind == (core_row_int)(CORE_ROW_ZERO) ? CORE_ROW(zero) : CORE_ROW(core_float_of_bits(CORE_NAN_BITS));
}

/* ---------------------------------------------------------------- Arrays of one element a row */

#ifdef CORE_ROW_PER_LANE
#define ROW_LANES CORE_WIDTH
#define row_from_lanes(array) row_vload(array)
#define row_to_lanes(value, array) row_vstore(value, array)
#else
#define ROW_LANES 1
#define row_from_lanes(array) (*(array))
#define row_to_lanes(value, array) (*(array) = (value))
#endif

/* The temperatures of `count` rows from `row` on, in turn k, or from temperature k on; lanes beyond get the first's. */
static core_row_float row_temperatures(float one_temperature, __global const float *temperatures, ulong4 first,
                                       ulong row, uint count, uint k)
{
    float lanes[ROW_LANES];
    if (TEMPERATURES == TEMPERATURES_ONE)
        return CORE_ROW(one_temperature);
    if (TEMPERATURES == TEMPERATURES_SWEEP)
        return CORE_ROW(temperatures[first.s0 + k]);
    const ulong begin = first.s0 + (TEMPERATURES == TEMPERATURES_ON_LANES ? k : row);
    for (uint i = 0; i < ROW_LANES; i++)
        lanes[i] = temperatures[begin + (i < count ? i : 0)];
    return row_from_lanes(lanes);
}

/* The records of turn k. */
static __global row_record *row_records(__global row_record *statistics, ulong4 first, uint k)
{
    return k == 0 ? statistics : statistics + k * first.s3;
}

/* The records of `count` rows from `row` on, the logits of the first at x, of the others lane_stride further each; and their part
   in the count of rows whose temperature is not one. By one work-item. */
static void row_finish(const row_state *state, core_top_t top, row_totals totals, ulong row, uint count,
                       __global const logit_t *x, ulong lane_stride, ulong class_stride, ulong classes,
                       __global const long *labels, __global row_record *statistics, ulong4 first,
                       __global uint *invalid_rows)
{
    if (TEMPERATURES != TEMPERATURES_ONE && invalid_rows) {
        float lanes[ROW_LANES];
        row_to_lanes(state->set.temperature, lanes);
        for (uint i = 0; i < count; i++)
            if (!(lanes[i] >= 0.0f))
                atomic_inc(invalid_rows);
    }
    if (STATISTICS) {
        float at_label[ROW_LANES], fields[6][ROW_LANES];
        long argmax[ROW_LANES];
        for (uint i = 0; i < ROW_LANES; i++) {
            const ulong at = TEMPERATURES == TEMPERATURES_ON_LANES ? row : row + i;
            const long label = labels && i < count ? labels[first.s1 + at] : -1;
            at_label[i] = label >= 0 && (ulong)label < classes
                              ? row_load_one(x + i * lane_stride + (ulong)label * class_stride)
                              : core_float_of_bits(CORE_NAN_BITS);
        }
        const core_row_sums_t sums = {top, totals.exponentials, totals.weighted, row_from_lanes(at_label)};
        const core_statistics_t all = core_statistics(sums, state->set, SUM_LEVELS);
        row_to_lanes(all.maximum, fields[0]);
        row_to_lanes(all.log_sum_exp, fields[1]);
        row_to_lanes(all.entropy, fields[2]);
        row_to_lanes(all.largest_probability, fields[3]);
        row_to_lanes(all.margin, fields[4]);
        row_to_lanes(all.negative_log_likelihood, fields[5]);
        row_to_lanes(all.argmax, argmax);
        for (uint i = 0; i < count; i++) {
            const row_record record = {fields[0][i], fields[1][i], fields[2][i], fields[3][i],
                                       fields[4][i], fields[5][i], argmax[i]};
            statistics[first.s2 + row + i * (TEMPERATURES == TEMPERATURES_ON_LANES ? first.s3 : 1)] = record;
        }
    }
}

#endif
