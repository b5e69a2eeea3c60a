/* Loops over blocks of neighbouring classes of one row, which the compiler vectorises. Lengths are whole vectors: what pads a block is -inf. */
#ifndef CLSOFTMAX_CPU_BLOCK_H
#define CLSOFTMAX_CPU_BLOCK_H

#include "cpu_rows.h"

/* ---------------------------------------------------------------- Maximum */

static inline uint32_t largest_key(const float *x, size_t length)
{
    uint32_t key = CORE_KEY_NEGATIVE_INFINITY;
#pragma omp simd reduction(max : key)
    for (size_t i = 0; i < length; i++) {
        uint32_t other = core_key(x[i]);
        key = CORE_LARGER(other, key);
    }
    return key;
}

/* What each lane of a vector has seen of a row: keys, and at which vector of all blocks the largest came first. */
typedef struct lane_tops {
    uint32_t key[CPU_VECTOR], second_key[CPU_VECTOR], step[CPU_VECTOR];
} lane_tops;

/* `length` logits, whole vectors, of which the first is number `step` of its row. */
static inline void add_lane_tops(const float *x, size_t length, uint32_t step, lane_tops *lanes)
{
    for (size_t i = 0; i < length; i += CPU_VECTOR, step++) {
#pragma omp simd
        for (size_t l = 0; l < CPU_VECTOR; l++) {
            uint32_t key = core_top_key(x[i + l]), smaller = CORE_SMALLER(key, lanes->key[l]);
            lanes->second_key[l] = CORE_LARGER(smaller, lanes->second_key[l]);
            lanes->step[l] = key > lanes->key[l] ? step : lanes->step[l];
            lanes->key[l] = CORE_LARGER(key, lanes->key[l]);
        }
    }
}

/* The row's, of the lanes'. shift: what the first block lacks of CPU_BLOCK classes. */
static inline core_top_t top_of_lanes(const lane_tops *lanes, uint64_t shift)
{
    core_top_t top = {CORE_KEY_NEGATIVE_INFINITY, CORE_KEY_NEGATIVE_INFINITY, 0};
    for (size_t l = 0; l < CPU_VECTOR; l++) {
        uint64_t first = (uint64_t)lanes->step[l] * CPU_VECTOR + l;
        first -= first < CPU_BLOCK ? 0 : shift;
        top = core_top_merge(top, (core_top_t){lanes->key[l], lanes->second_key[l], (core_long)first});
    }
    return top;
}

/* ---------------------------------------------------------------- Sums */

static inline core_total_t total_of(uint32_t high, uint32_t low, uint32_t lowest, size_t added, int levels)
{
    core_lanes_total lane = core_sum_flush((core_sum_t){high, low, lowest}, (uint32_t)added, levels);
    return (core_total_t){lane.high, lane.low, lane.lowest};
}

/* The sum of at most CPU_BLOCK exponentials, which are left in high and low. */
static inline __attribute__((always_inline)) core_total_t exponentials(const float *restrict x, size_t length,
                                                                       core_row_t row, int levels, float *restrict high,
                                                                       float *restrict low)
{
    uint32_t sum_high = 0, sum_low = 0, sum_lowest = 0;
#pragma omp simd reduction(+ : sum_high, sum_low, sum_lowest)
    for (size_t i = 0; i < length; i++) {
        core_pair e = core_exponential(x[i], row);
        high[i] = e.high;
        low[i] = e.low;
        core_sum_t sum = {0, 0, 0};
        sum = core_sum_add(sum, e, levels);
        sum_high += sum.high;
        sum_low += sum.low;
        sum_lowest += sum.lowest;
    }
    return total_of(sum_high, sum_low, sum_lowest, length, levels);
}

/* The sum of what an entropy sums, of logits and their exponentials. */
static inline __attribute__((always_inline)) core_total_t
weighted_exponentials(const float *restrict x, const float *restrict high, const float *restrict low, size_t length,
                      core_distance_t distance, int levels)
{
    uint32_t sum_high = 0, sum_low = 0, sum_lowest = 0;
#pragma omp simd reduction(+ : sum_high, sum_low, sum_lowest)
    for (size_t i = 0; i < length; i++) {
        core_pair e = {high[i], low[i]};
        core_sum_t sum = {0, 0, 0};
        sum = core_sum_add(sum, core_weighted(e, x[i], distance), levels);
        sum_high += sum.high;
        sum_low += sum.low;
        sum_lowest += sum.lowest;
    }
    return total_of(sum_high, sum_low, sum_lowest, length, levels);
}

/* ---------------------------------------------------------------- Results */

static inline void probabilities_of_pairs(const float *restrict high, const float *restrict low, size_t length,
                                          core_two_float reciprocal, float *restrict p)
{
#pragma omp simd
    for (size_t i = 0; i < length; i++) {
        core_pair e = {high[i], low[i]};
        p[i] = core_probability(e, reciprocal.high, reciprocal.low);
    }
}

static inline void probabilities(const float *restrict x, size_t length, core_row_t row, core_two_float reciprocal,
                                 float *restrict p)
{
#pragma omp simd
    for (size_t i = 0; i < length; i++)
        p[i] = core_probability(core_exponential(x[i], row), reciprocal.high, reciprocal.low);
}

static inline void log_probabilities(const float *restrict x, size_t length, core_log_row_t row,
                                     core_two_float logarithm, float *restrict p)
{
#pragma omp simd
    for (size_t i = 0; i < length; i++)
        p[i] = core_log_probability(x[i], row, logarithm);
}

#endif
