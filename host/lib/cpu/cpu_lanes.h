/* What is known of CPU_LANES rows, or of one row at as many temperatures: arrays of lanes, in loops that are vectorised. */
#ifndef CLSOFTMAX_CPU_LANES_H
#define CLSOFTMAX_CPU_LANES_H

#include "cpu_rows.h"

#define LANES CPU_LANES
#define FOR_LANES _Pragma("omp simd") for (size_t l = 0; l < LANES; l++)

/* Temperatures, and what core_temperature makes of them. */
typedef struct __attribute__((aligned(64))) lane_temperatures {
    float temperature[LANES];
    float scale[LANES], reciprocal_high[LANES], reciprocal_low[LANES], halving[LANES];
} lane_temperatures;

INLINE void set_lane_temperature(lane_temperatures *t, size_t l, float temperature, core_temperature_t prepared)
{
    t->temperature[l] = temperature;
    t->scale[l] = prepared.scale;
    t->reciprocal_high[l] = prepared.reciprocal.high;
    t->reciprocal_low[l] = prepared.reciprocal.low;
    t->halving[l] = prepared.halving;
}

INLINE core_temperature_t lane_temperature(const lane_temperatures *t, size_t l)
{
    return (core_temperature_t){t->scale[l], {t->reciprocal_high[l], t->reciprocal_low[l]}, t->halving[l]};
}

/* The integer sums of each lane. */
typedef struct __attribute__((aligned(64))) lane_totals {
    int64_t high[LANES], low[LANES], lowest[LANES];
} lane_totals;

INLINE core_total_t lane_total(const lane_totals *totals, size_t l)
{
    return (core_total_t){totals->high[l], totals->low[l], totals->lowest[l]};
}

/* ---------------------------------------------------------------- Statistics */

/* Of each lane: the largest logits and the label's as an ordinary row has them, and what follows from those and the sums. */
typedef struct __attribute__((aligned(64))) lane_statistics {
    float maximum[LANES], second[LANES], label[LANES];
    float log_sum_exp[LANES], entropy[LANES], largest_probability[LANES], margin[LANES], negative_log_likelihood[LANES];
} lane_statistics;

INLINE void set_lane_row(lane_statistics *s, size_t l, core_setting_t set, core_others_t others)
{
    s->maximum[l] = set.maximum;
    s->second[l] = others.second;
    s->label[l] = others.label;
}

/* Of the first `count` lanes, whole vectors, as if all were computed: gcc does not vectorise what their kinds would ask of a loop. levels:
   a constant, for the loop's sake. */
INLINE void compute_lane_statistics(const lane_temperatures *t, const lane_totals *total, const lane_totals *weighted,
                                    int levels, size_t count, lane_statistics *s)
{
#pragma omp simd
    for (size_t l = 0; l < count; l++) {
        core_setting_t set = {.prepared = lane_temperature(t, l), .maximum = s->maximum[l]};
        set.row = core_row(set.prepared, set.maximum);
        core_row_sums_t sums = {{0, 0, 0}, lane_total(total, l), lane_total(weighted, l), s->label[l]};
        core_others_t others = {s->second[l], s->label[l]};
        core_statistics_t found = core_computed_statistics(sums, set, others, levels);
        s->log_sum_exp[l] = found.log_sum_exp;
        s->entropy[l] = found.entropy;
        s->largest_probability[l] = found.largest_probability;
        s->margin[l] = found.margin;
        s->negative_log_likelihood[l] = found.negative_log_likelihood;
    }
}

/* A lane's record; sums: its top and the label's logit as they were read. */
INLINE clsoftmax_statistics lane_record(const lane_statistics *s, size_t l, core_row_sums_t sums, core_setting_t set)
{
    core_statistics_t computed = {
        0, s->log_sum_exp[l], s->entropy[l], s->largest_probability[l], s->margin[l], s->negative_log_likelihood[l], 0};
    return cpu_record(core_statistics_of_kind(sums, set, computed));
}

#endif
