/* Loops over blocks of neighbouring classes of one row, which the compiler vectorises. Logits are read as far as they go; exponentials and
   results have room for whole vectors. */
#ifndef CLSOFTMAX_CPU_BLOCK_H
#define CLSOFTMAX_CPU_BLOCK_H

#include "cpu_dtype.h"
#include "cpu_rows.h"

/* Whole vectors that hold so many elements. */
static inline size_t padded(size_t length)
{
    return (length + CPU_VECTOR - 1) / CPU_VECTOR * CPU_VECTOR;
}

/* The last `count` logits of a block, fewer than a vector, as one. */
INLINE void last_vector(const float *x, size_t count, float *vector)
{
    const uint32_t end = (uint32_t)count;
#pragma omp simd
    for (uint32_t l = 0; l < CPU_VECTOR; l++)
        vector[l] = l < end ? x[l] : -CORE_INFINITY;
}

/* ---------------------------------------------------------------- Maximum */

/* The largest key that each lane of a vector has seen. */
INLINE void add_vector_keys(const float *x, uint32_t *keys)
{
#pragma omp simd
    for (size_t l = 0; l < CPU_VECTOR; l++) {
        uint32_t key = core_key(x[l]);
        keys[l] = CORE_LARGER(key, keys[l]);
    }
}

static inline void add_lane_keys(const float *x, size_t length, uint32_t *keys)
{
    size_t i = 0;
    for (; i + CPU_VECTOR <= length; i += CPU_VECTOR)
        add_vector_keys(x + i, keys);
    if (i < length) {
        float last[CPU_VECTOR];
        last_vector(x + i, length - i, last);
        add_vector_keys(last, keys);
    }
}

static inline uint32_t largest_of_lanes(const uint32_t *keys)
{
    uint32_t largest = CORE_KEY_NEGATIVE_INFINITY;
#pragma omp simd reduction(max : largest)
    for (size_t l = 0; l < CPU_VECTOR; l++)
        largest = CORE_LARGER(keys[l], largest);
    return largest;
}

/* What each lane of a vector has seen of a row: keys, and at which vector of all blocks the largest came first. */
typedef struct __attribute__((aligned(64))) lane_tops {
    uint32_t key[CPU_VECTOR], second_key[CPU_VECTOR], step[CPU_VECTOR];
} lane_tops;

INLINE void add_vector_tops(const float *x, uint32_t step, lane_tops *lanes)
{
#pragma omp simd
    for (size_t l = 0; l < CPU_VECTOR; l++) {
        uint32_t key = core_top_key(x[l]), smaller = CORE_SMALLER(key, lanes->key[l]);
        lanes->second_key[l] = CORE_LARGER(smaller, lanes->second_key[l]);
        lanes->step[l] = key > lanes->key[l] ? step : lanes->step[l];
        lanes->key[l] = CORE_LARGER(key, lanes->key[l]);
    }
}

/* step: the number of the first vector in its row. */
static inline void add_lane_tops(const float *x, size_t length, uint32_t step, lane_tops *lanes)
{
    size_t i = 0;
    for (; i + CPU_VECTOR <= length; i += CPU_VECTOR)
        add_vector_tops(x + i, step++, lanes);
    if (i < length) {
        float last[CPU_VECTOR];
        last_vector(x + i, length - i, last);
        add_vector_tops(last, step, lanes);
    }
}

/* The row's, of the lanes'. */
static inline core_top_t top_of_lanes(const lane_tops *lanes)
{
    core_top_t top = {CORE_KEY_NEGATIVE_INFINITY, CORE_KEY_NEGATIVE_INFINITY, 0};
    for (size_t l = 0; l < CPU_VECTOR; l++) {
        uint64_t first = (uint64_t)lanes->step[l] * CPU_VECTOR + l;
        top = core_top_merge(top, (core_top_t){lanes->key[l], lanes->second_key[l], (core_long)first});
    }
    return top;
}

/* ---------------------------------------------------------------- Exponentials */

/* Of `count` logits; is_plain: as core_row_is_plain says of the row. Both are constants, for the loops' sake, here and below. */
INLINE void strip_exponentials(const float *restrict x, size_t count, core_row_t row, int is_plain,
                               float *restrict high, float *restrict low)
{
    _Alignas(64) float r[CPU_STRIP], r_low[CPU_STRIP], rounded[CPU_STRIP], q[CPU_STRIP];
#pragma omp simd
    for (size_t i = 0; i < count; i++) {
        core_reduced reduced = is_plain ? core_reduce_plain(x[i], row) : core_reduce(x[i], row);
        r[i] = reduced.r;
        r_low[i] = reduced.r_low;
        rounded[i] = reduced.rounded;
    }
#pragma omp simd
    for (size_t i = 0; i < count; i++)
        q[i] = core_polynomial(r[i]);
#pragma omp simd
    for (size_t i = 0; i < count; i++) {
        core_pair e = core_reconstruct((core_reduced){r[i], r_low[i], rounded[i]}, q[i]);
        high[i] = e.high;
        low[i] = e.low;
    }
}

/* ---------------------------------------------------------------- Sums */

/* What each lane of a vector has added up since it was flushed, and how often it added. */
typedef struct __attribute__((aligned(64))) vector_sums {
    uint32_t high[CPU_VECTOR], low[CPU_VECTOR], lowest[CPU_VECTOR];
    uint32_t added;
} vector_sums;

/* The sum over the lanes of value - bias, each in [0, 2^32): over its halves, whose sums fit 32 bits. Compilers reduce those in fewer
   operations than 64-bit integers. */
static inline int64_t sum_of_lanes(const uint32_t *values, uint32_t bias)
{
    uint32_t high = 0, low = 0;
#pragma omp simd reduction(+ : high, low)
    for (size_t l = 0; l < CPU_VECTOR; l++) {
        uint32_t value = values[l] - bias;
        high += value >> 16;
        low += value & 0xFFFFu;
    }
    return ((int64_t)high << 16) + low;
}

/* Takes the lanes' sums into the row's, as core_sum_flush does: those of the lower levels are signed. */
INLINE void flush_sums(vector_sums *sums, int levels, core_total_t *total)
{
    const uint32_t half = 0x80000000u;
    const uint32_t low_bias = sums->added * core_bits_of_float(CORE_UNIT_LOW) - half;
    const uint32_t lowest_bias = sums->added * core_bits_of_float(CORE_UNIT_LOWEST) - half;
    total->high += sum_of_lanes(sums->high, sums->added * core_bits_of_float(CORE_UNIT_HIGH));
    total->low += sum_of_lanes(sums->low, low_bias) - CPU_VECTOR * (int64_t)half;
    if (levels == 3)
        total->lowest += sum_of_lanes(sums->lowest, lowest_bias) - CPU_VECTOR * (int64_t)half;
    memset(sums, 0, sizeof *sums);
}

/* Before `length` elements more are added. */
INLINE void make_room(vector_sums *sums, size_t length, int levels, core_total_t *total)
{
    const uint32_t vectors = (uint32_t)(padded(length) / CPU_VECTOR);
    if (sums->added + vectors > CORE_FLUSH_AFTER)
        flush_sums(sums, levels, total);
    sums->added += vectors;
}

/* Leaves exponentials in high and low, and adds them. The sums go through registers, once a strip: a vector at a time would wait for the one
   before to be stored. */
INLINE void add_strip(const float *restrict x, size_t count, core_row_t row, int is_plain, int levels,
                      float *restrict high, float *restrict low, vector_sums *sums)
{
    strip_exponentials(x, count, row, is_plain, high, low);
#pragma omp simd
    for (size_t l = 0; l < CPU_VECTOR; l++) {
        core_sum_t sum = {sums->high[l], sums->low[l], sums->lowest[l]};
#pragma GCC unroll 8
        for (size_t i = 0; i < count; i += CPU_VECTOR)
            sum = core_sum_add(sum, (core_pair){high[i + l], low[i + l]}, levels);
        sums->high[l] = sum.high;
        sums->low[l] = sum.low;
        if (levels == 3)
            sums->lowest[l] = sum.lowest;
    }
}

INLINE void add_strips(const float *restrict x, size_t length, core_row_t row, int is_plain, int levels,
                       float *restrict high, float *restrict low, vector_sums *restrict sums, const char *ahead)
{
    size_t i = 0;
    for (; i + CPU_STRIP <= length; i += CPU_STRIP) {
        cpu_prefetch(ahead + i * sizeof *x, CPU_STRIP * sizeof *x);
        add_strip(x + i, CPU_STRIP, row, is_plain, levels, high + i, low + i, sums);
    }
    for (; i + CPU_VECTOR <= length; i += CPU_VECTOR) {
        cpu_prefetch(ahead + i * sizeof *x, CPU_VECTOR * sizeof *x);
        add_strip(x + i, CPU_VECTOR, row, is_plain, levels, high + i, low + i, sums);
    }
    if (i < length) {
        float last[CPU_VECTOR];
        last_vector(x + i, length - i, last);
        add_strip(last, CPU_VECTOR, row, is_plain, levels, high + i, low + i, sums);
    }
}

/* Adds at most CPU_BLOCK exponentials, which are left in high and low, to the sums, or to the total. ahead: as many bytes as x has are
   fetched from there meanwhile; prefetches in one go would fill what a core has for lines on their way. */
INLINE void add_exponentials(const float *restrict x, size_t length, core_row_t row, int levels, float *restrict high,
                             float *restrict low, vector_sums *restrict sums, core_total_t *restrict total,
                             const char *ahead)
{
    make_room(sums, length, levels, total);
    if (core_row_is_plain(row))
        add_strips(x, length, row, 1, levels, high, low, sums, ahead);
    else
        add_strips(x, length, row, 0, levels, high, low, sums, ahead);
}

INLINE void add_vector_weighted(const float *restrict x, const float *restrict high, const float *restrict low,
                                core_distance_t distance, int levels, vector_sums *sums)
{
#pragma omp simd
    for (size_t l = 0; l < CPU_VECTOR; l++) {
        core_sum_t sum = {sums->high[l], sums->low[l], sums->lowest[l]};
        sum = core_sum_add(sum, core_weighted((core_pair){high[l], low[l]}, x[l], distance), levels);
        sums->high[l] = sum.high;
        sums->low[l] = sum.low;
        if (levels == 3)
            sums->lowest[l] = sum.lowest;
    }
}

/* The same for what an entropy sums, of logits and their exponentials. */
INLINE void add_weighted(const float *restrict x, const float *restrict high, const float *restrict low, size_t length,
                         core_distance_t distance, int levels, vector_sums *restrict sums, core_total_t *restrict total)
{
    size_t i = 0;
    make_room(sums, length, levels, total);
    for (; i + CPU_VECTOR <= length; i += CPU_VECTOR)
        add_vector_weighted(x + i, high + i, low + i, distance, levels, sums);
    if (i < length) {
        float last[CPU_VECTOR];
        last_vector(x + i, length - i, last);
        add_vector_weighted(last, high + i, low + i, distance, levels, sums);
    }
}

/* ---------------------------------------------------------------- Results */

/* length: whole vectors. */
static inline void probabilities_of_pairs(const float *restrict high, const float *restrict low, size_t length,
                                          core_two_float reciprocal, float *restrict p)
{
#pragma omp simd
    for (size_t i = 0; i < length; i++) {
        core_pair e = {high[i], low[i]};
        p[i] = core_probability(e, reciprocal.high, reciprocal.low);
    }
}

/* Of `count` pairs to where they belong: a line of results, or what a run has of its first or last one. dtype: a constant. */
INLINE void write_pairs(clsoftmax_dtype dtype, const float *high, const float *low, core_two_float reciprocal,
                        size_t count, cpu_stream *stream, char *to)
{
    enum { MOST = CPU_LINE / sizeof(uint16_t) };
    const size_t size = cpu_element_size(dtype);
    _Alignas(CPU_LINE) float values[MOST];
    _Alignas(CPU_LINE) uint16_t rounded[MOST];
    const void *line = dtype == CLSOFTMAX_F32 ? (const void *)values : rounded;
    if (dtype == CLSOFTMAX_F32) {
        probabilities_of_pairs(high, low, CPU_VECTOR, reciprocal, values);
    } else {
        probabilities_of_pairs(high, low, MOST, reciprocal, values);
        cpu_round(dtype, values, MOST, rounded);
    }
    if (count * size == CPU_LINE)
        cpu_write_line(stream, to, line);
    else
        cpu_write_part(stream, to, line, count * size);
}

INLINE void write_pairs_run(clsoftmax_dtype dtype, const float *restrict high, const float *restrict low,
                            core_two_float reciprocal, size_t length, cpu_stream *stream, char *to)
{
    const size_t size = cpu_element_size(dtype), most = CPU_LINE / size;
    size_t i = cpu_write_head(stream, to, length * size) / size;
    if (i > 0)
        write_pairs(dtype, high, low, reciprocal, i, stream, to);
    for (; i + most <= length; i += most)
        write_pairs(dtype, high + i, low + i, reciprocal, most, stream, to + i * size);
    if (i < length)
        write_pairs(dtype, high + i, low + i, reciprocal, length - i, stream, to + i * size);
}

/* Of at most CPU_BLOCK pairs, to their place; of neighbours without the detour of a buffer. Behind the pairs there is room to read a line of
   results more (CPU_SCRATCH_BEHIND). stream: as cpu_write takes it. */
static inline void store_probabilities(clsoftmax_dtype dtype, void *array, uint64_t first, uint64_t stride,
                                       size_t length, cpu_stream *stream, const float *restrict high,
                                       const float *restrict low, core_two_float reciprocal)
{
    char *to = (char *)array + first * cpu_element_size(dtype);
    float results[CPU_BLOCK];
    if (stride != 1) {
        probabilities_of_pairs(high, low, padded(length), reciprocal, results);
        cpu_store(dtype, array, first, stride, length, stream, results);
    } else if (dtype == CLSOFTMAX_F32)
        write_pairs_run(CLSOFTMAX_F32, high, low, reciprocal, length, stream, to);
    else if (dtype == CLSOFTMAX_F16)
        write_pairs_run(CLSOFTMAX_F16, high, low, reciprocal, length, stream, to);
    else
        write_pairs_run(CLSOFTMAX_BF16, high, low, reciprocal, length, stream, to);
}

/* Of logits, without the detour of pairs in memory. */
INLINE void strip_probabilities(const float *restrict x, size_t count, core_row_t row, int is_plain,
                                core_two_float reciprocal, float *restrict p)
{
    _Alignas(64) float high[CPU_STRIP], low[CPU_STRIP];
    strip_exponentials(x, count, row, is_plain, high, low);
    probabilities_of_pairs(high, low, count, reciprocal, p);
}

INLINE void strips_probabilities(const float *restrict x, size_t length, core_row_t row, int is_plain,
                                 core_two_float reciprocal, float *restrict p)
{
    size_t i = 0;
    for (; i + CPU_STRIP <= length; i += CPU_STRIP)
        strip_probabilities(x + i, CPU_STRIP, row, is_plain, reciprocal, p + i);
    for (; i + CPU_VECTOR <= length; i += CPU_VECTOR)
        strip_probabilities(x + i, CPU_VECTOR, row, is_plain, reciprocal, p + i);
    if (i < length) {
        float last[CPU_VECTOR];
        last_vector(x + i, length - i, last);
        strip_probabilities(last, CPU_VECTOR, row, is_plain, reciprocal, p + i);
    }
}

static inline void probabilities(const float *restrict x, size_t length, core_row_t row, core_two_float reciprocal,
                                 float *restrict p)
{
    if (core_row_is_plain(row))
        strips_probabilities(x, length, row, 1, reciprocal, p);
    else
        strips_probabilities(x, length, row, 0, reciprocal, p);
}

static inline void log_probabilities(const float *restrict x, size_t length, core_log_row_t row,
                                     core_two_float logarithm, float *restrict p)
{
    const size_t whole = length / CPU_VECTOR * CPU_VECTOR;
#pragma omp simd
    for (size_t i = 0; i < whole; i++)
        p[i] = core_log_probability(x[i], row, logarithm);
    if (whole < length) {
        float last[CPU_VECTOR];
        last_vector(x + whole, length - whole, last);
#pragma omp simd
        for (size_t l = 0; l < CPU_VECTOR; l++)
            p[whole + l] = core_log_probability(last[l], row, logarithm);
    }
}

#endif
