/*
 * The phases top, sums and emit over a block of neighbouring classes of one row, in loops that the compiler vectorises:
 * for cpu_item.c and cpu_sweep.c. (What is known of a row between the phases is in cpu_lanes.h, the exponential and the
 * sums of a strip in cpu_steps.h, loading and storing elements in cpu_dtype.h.)
 *
 * Logits are read only as far as they go; exponentials and results have room for whole vectors.
 */
#ifndef CLSOFTMAX_CPU_BLOCK_H
#define CLSOFTMAX_CPU_BLOCK_H

#include "cpu_dtype.h"
#include "cpu_steps.h"

/* Returns the number of elements, rounded up to whole vectors. */
static inline size_t padded(size_t length)
{
    return (length + CPU_VECTOR - 1) / CPU_VECTOR * CPU_VECTOR;
}

/* Copies the last `count` logits of a block, fewer than a vector, into a vector; all further lanes become -inf. */
INLINE void last_vector(const float *x, size_t count, float *vector)
{
    const uint32_t end = (uint32_t)count;
#pragma omp simd
    for (uint32_t l = 0; l < CPU_VECTOR; l++)
        vector[l] = l < end ? x[l] : -CORE_INFINITY;
}

/* ---------------------------------------------------------------- Maximum */

/* Adds a vector of logits to the largest keys that its lanes have seen. */
INLINE void add_vector_keys(const float *x, uint32_t *keys)
{
#pragma omp simd
    for (size_t l = 0; l < CPU_VECTOR; l++) {
        uint32_t key = core_key(x[l]);
        keys[l] = CORE_LARGER(key, keys[l]);
    }
}

/* Adds a block to the largest keys that the lanes have seen. */
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

/* What each lane of a vector has seen of a row: its two largest keys, and the number of the vector in the row in which
   the largest came first. */
typedef struct __attribute__((aligned(64))) lane_tops {
    uint32_t key[CPU_VECTOR], second_key[CPU_VECTOR], step[CPU_VECTOR];
} lane_tops;

/* Adds vector `step` of the row to what the lanes have seen. */
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

/* Adds a block to what the lanes have seen. step: the number of the block's first vector in the row. */
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

/* Reduces the lanes to the top of the row. */
static inline core_top_t top_of_lanes(const lane_tops *lanes)
{
    core_top_t top = {CORE_KEY_NEGATIVE_INFINITY, CORE_KEY_NEGATIVE_INFINITY, 0};
    for (size_t l = 0; l < CPU_VECTOR; l++) {
        uint64_t first = (uint64_t)lanes->step[l] * CPU_VECTOR + l;
        top = core_top_merge(top, (core_top_t){lanes->key[l], lanes->second_key[l], (core_long)first});
    }
    return top;
}

/* ---------------------------------------------------------------- Sums */

/* What each lane of a vector has added up since it was flushed, and how many vectors were added. */
typedef struct __attribute__((aligned(64))) vector_sums {
    uint32_t high[CPU_VECTOR], low[CPU_VECTOR], lowest[CPU_VECTOR];
    uint32_t added;
} vector_sums;

/* Returns the sum over the lanes of value - bias, each in [0, 2^32). It adds the 16-bit halves, whose sums fit 32 bits,
   because compilers reduce those in fewer operations than 64-bit integers. */
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

/* Takes the sums of the lanes into the totals of the row, as core_sum_flush does; the lower levels are signed. */
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

/* Makes room for `length` more elements in the sums, by a flush if need be. */
INLINE void make_room(vector_sums *sums, size_t length, int levels, core_total_t *total)
{
    const uint32_t vectors = (uint32_t)(padded(length) / CPU_VECTOR);
    if (sums->added + vectors > CORE_FLUSH_AFTER)
        flush_sums(sums, levels, total);
    sums->added += vectors;
}

/* Returns what a strip knows of its rows, for classes of one row. */
INLINE strip_rows one_row(core_row_t row, core_distance_t distance, int is_unscaled)
{
    return (strip_rows){.one = row, .distance = distance, .are_unscaled = is_unscaled};
}

/* Computes the exponentials of `count` classes, whole vectors and a constant, into high and low, and adds them to the
   sums. */
INLINE void add_strip(const float *x, size_t count, const strip_rows *row, int levels, float *high, float *low,
                      vector_sums *sums)
{
    const strip s = {x, high, low, CPU_VECTOR};
    const strip_sums into = {sums->high, sums->low, sums->lowest};
    strip_exponentials(s, count / CPU_VECTOR, CPU_VECTOR, row);
    strip_add_term(TERM_EXPONENTIAL, s, count / CPU_VECTOR, CPU_VECTOR, row, levels, into);
}

/* Takes a block through add_strip: whole strips, then whole vectors, then the rest. Prefetches as many bytes at `ahead`
   as x has. */
INLINE void add_strips(const float *restrict x, size_t length, const strip_rows *row, int levels, float *restrict high,
                       float *restrict low, vector_sums *restrict sums, const char *ahead)
{
    size_t i = 0;
    for (; i + CPU_STRIP <= length; i += CPU_STRIP) {
        cpu_prefetch(ahead + i * sizeof *x, CPU_STRIP * sizeof *x);
        add_strip(x + i, CPU_STRIP, row, levels, high + i, low + i, sums);
    }
    for (; i + CPU_VECTOR <= length; i += CPU_VECTOR) {
        cpu_prefetch(ahead + i * sizeof *x, CPU_VECTOR * sizeof *x);
        add_strip(x + i, CPU_VECTOR, row, levels, high + i, low + i, sums);
    }
    if (i < length) {
        float last[CPU_VECTOR];
        last_vector(x + i, length - i, last);
        add_strip(last, CPU_VECTOR, row, levels, high + i, low + i, sums);
    }
}

/* The exponentials of a block of a row, at most CPU_BLOCK classes, and its logits. */
typedef struct block_pairs {
    const float *x;
    size_t length;
    float *high, *low;
} block_pairs;

/* Computes the exponentials of a block into its high and low, and adds them to the sums, which it flushes into the
   total if they are full. Meanwhile it prefetches as many bytes at `ahead` as x has: in one go they would fill the
   buffers that a core has for lines on their way. */
INLINE void add_exponentials(block_pairs block, core_row_t row, int levels, vector_sums *restrict sums,
                             core_total_t *restrict total, const char *ahead)
{
    const core_distance_t none = {0};
    make_room(sums, block.length, levels, total);
    if (core_row_is_unscaled(row)) {
        const strip_rows unscaled = one_row(row, none, 1);
        add_strips(block.x, block.length, &unscaled, levels, block.high, block.low, sums, ahead);
    } else {
        const strip_rows any = one_row(row, none, 0);
        add_strips(block.x, block.length, &any, levels, block.high, block.low, sums, ahead);
    }
}

/* Adds a block to the sum of a term, from its logits and their exponentials. */
INLINE void add_term(int term, block_pairs block, core_distance_t distance, int levels, vector_sums *restrict sums,
                     core_total_t *restrict total)
{
    const strip_rows row = {.distance = distance};
    const strip_sums into = {sums->high, sums->low, sums->lowest};
    strip s = {block.x, block.high, block.low, CPU_VECTOR};
    size_t i = 0;
    make_room(sums, block.length, levels, total);
    for (; i + CPU_VECTOR <= block.length;
         i += CPU_VECTOR, s.x += CPU_VECTOR, s.high += CPU_VECTOR, s.low += CPU_VECTOR)
        strip_add_term(term, s, 1, CPU_VECTOR, &row, levels, into);
    if (i < block.length) {
        float last[CPU_VECTOR];
        last_vector(s.x, block.length - i, last);
        s.x = last;
        strip_add_term(term, s, 1, CPU_VECTOR, &row, levels, into);
    }
}

/* Adds a block to the sums of all terms that the problem has. It prefetches at `ahead` as add_exponentials does. */
INLINE void add_terms(const clsoftmax_problem *problem, block_pairs block, row_on_lane on, int levels,
                      vector_sums *sums, core_total_t *totals, const char *ahead)
{
    add_exponentials(block, row_of(on), levels, &sums[TERM_EXPONENTIAL], &totals[TERM_EXPONENTIAL], ahead);
    if (cpu_terms(problem) > TERM_WEIGHTED)
        add_term(TERM_WEIGHTED, block, distance_of(on), levels, &sums[TERM_WEIGHTED], &totals[TERM_WEIGHTED]);
}

/* ---------------------------------------------------------------- Results */

/* Computes the results of whole vectors of exponentials. operation: a constant, here and below. */
INLINE void results_of_pairs(int operation, const float *restrict high, const float *restrict low, size_t length,
                             operation_row row, float *restrict results)
{
#pragma omp simd
    for (size_t i = 0; i < length; i++)
        results[i] = operation_result(operation, kept_exponential(high, low, i), 0, row);
}

/* A run of results that are neighbours in memory; stream: as cpu_write takes it. */
typedef struct result_run {
    char *to;
    size_t length; /* in elements */
    cpu_stream *stream;
} result_run;

/* Computes a line of results, and writes it where it belongs, or as much of it as a run has at its beginning or end.
   high and low have a whole line's pairs. dtype: a constant. */
INLINE void write_pairs(int operation, clsoftmax_dtype dtype, const float *high, const float *low, operation_row row,
                        result_run run)
{
    enum { MOST = CPU_LINE / sizeof(uint16_t) };
    const size_t size = cpu_element_size(dtype), most = CPU_LINE / size;
    _Alignas(CPU_LINE) float values[MOST];
    _Alignas(CPU_LINE) uint16_t rounded[MOST];
    results_of_pairs(operation, high, low, most, row, values);
    const void *line = cpu_rounded(dtype, values, most, rounded);
    if (run.length * size == CPU_LINE)
        cpu_write_line(run.stream, run.to, line);
    else
        cpu_write_part(run.stream, run.to, line, run.length * size);
}

/* Writes a run of results, line by line. dtype: a constant. */
INLINE void write_pairs_run(int operation, clsoftmax_dtype dtype, const float *restrict high, const float *restrict low,
                            operation_row row, result_run run)
{
    const size_t size = cpu_element_size(dtype), most = CPU_LINE / size;
    size_t i = cpu_write_head(run.stream, run.to, run.length * size) / size;
    if (i > 0)
        write_pairs(operation, dtype, high, low, row, (result_run){run.to, i, run.stream});
    for (; i + most <= run.length; i += most)
        write_pairs(operation, dtype, high + i, low + i, row, (result_run){run.to + i * size, most, run.stream});
    if (i < run.length)
        write_pairs(operation, dtype, high + i, low + i, row,
                    (result_run){run.to + i * size, run.length - i, run.stream});
}

/* Computes the results of `count` classes, whole vectors of at most CPU_STRIP, from their logits, which become
   exponentials first if results are made of those. */
INLINE void results_of_logits(int operation, const float *restrict x, size_t count, const strip_rows *rows,
                              operation_row row, float *restrict results)
{
    _Alignas(64) float high[CPU_STRIP], low[CPU_STRIP];
    if (operation_made_of(operation) == MADE_OF_EXPONENTIALS) {
        strip_exponentials((strip){x, high, low, CPU_VECTOR}, count / CPU_VECTOR, CPU_VECTOR, rows);
        results_of_pairs(operation, high, low, count, row, results);
        return;
    }
#pragma omp simd
    for (size_t i = 0; i < count; i++)
        results[i] = operation_result(operation, (core_pair){0, 0}, x[i], row);
}

/* Computes the results of a block from its logits: whole strips, then whole vectors, then the rest. */
INLINE void results_of_strips(int operation, const float *restrict x, size_t length, const strip_rows *rows,
                              operation_row row, float *restrict results)
{
    size_t i = 0;
    for (; i + CPU_STRIP <= length; i += CPU_STRIP)
        results_of_logits(operation, x + i, CPU_STRIP, rows, row, results + i);
    for (; i + CPU_VECTOR <= length; i += CPU_VECTOR)
        results_of_logits(operation, x + i, CPU_VECTOR, rows, row, results + i);
    if (i < length) {
        float last[CPU_VECTOR];
        last_vector(x + i, length - i, last);
        results_of_logits(operation, last, CPU_VECTOR, rows, row, results + i);
    }
}

/* ---------------------------------------------------------------- Blocks of results */

/* A block of results: its place in the array of results, `first` elements from its start. */
typedef struct result_block {
    const cpu_call *call;
    cpu_stream *stream; /* as cpu_write takes it */
    uint64_t first, stride;
    size_t length;
} result_block;

/* Writes the results of at most CPU_BLOCK exponentials. Neighbours are written line by line, without a buffer between;
   behind the exponentials there is room to read a line more (CPU_ROOM_BEHIND). */
INLINE void store_results_of_pairs(int operation, result_block block, const float *restrict high,
                                   const float *restrict low, operation_row row)
{
    const clsoftmax_problem *p = block.call->problem;
    void *array = block.call->arguments->results;
    const clsoftmax_dtype dtype = p->results_dtype;
    const result_run run = {(char *)array + block.first * cpu_element_size(dtype), block.length, block.stream};
    float results[CPU_BLOCK];
    if (block.stride != 1) {
        results_of_pairs(operation, high, low, padded(block.length), row, results);
        cpu_store(dtype, array, block.first, block.stride, block.length, block.stream, results);
        return;
    }
    switch (dtype) {
#define WRITE_PAIRS_RUN(name, text, bytes)                                                                             \
    case CLSOFTMAX_##name:                                                                                             \
        write_pairs_run(operation, CLSOFTMAX_##name, high, low, row, run);                                             \
        break;
        CLSOFTMAX_DTYPE_LIST(WRITE_PAIRS_RUN)
#undef WRITE_PAIRS_RUN
    case CLSOFTMAX_DTYPE_COUNT:
        break;
    }
}

/* Writes the results of at most CPU_BLOCK logits, which are those of an ordinary row. */
INLINE void store_results_of_logits(int operation, result_block block, const float *x, core_row_t row,
                                    operation_row end)
{
    float results[CPU_BLOCK];
    const core_distance_t none = {0};
    if (core_row_is_unscaled(row)) {
        const strip_rows unscaled = one_row(row, none, 1);
        results_of_strips(operation, x, block.length, &unscaled, end, results);
    } else {
        const strip_rows any = one_row(row, none, 0);
        results_of_strips(operation, x, block.length, &any, end, results);
    }
    cpu_store(block.call->problem->results_dtype, block.call->arguments->results, block.first, block.stride,
              block.length, block.stream, results);
}

/* Writes a block of results. If they are made of exponentials that are kept, high and low are these; otherwise high and
   low are NULL, and x is the block's logits. */
static inline void store_results(result_block block, const float *x, const float *high, const float *low,
                                 row_on_lane on, core_two_float end)
{
    switch ((int)block.call->problem->operation) {
#define STORE_RESULTS(name, made_of, ends_with, zero)                                                                  \
    case OPERATION_##name:                                                                                             \
        if (made_of == MADE_OF_EXPONENTIALS && high)                                                                   \
            store_results_of_pairs(OPERATION_##name, block, high, low, operation_row_of(on, end));                     \
        else if (made_of != MADE_OF_NOTHING)                                                                           \
            store_results_of_logits(OPERATION_##name, block, x, row_of(on), operation_row_of(on, end));                \
        break;
        OPERATION_LIST(STORE_RESULTS)
#undef STORE_RESULTS
    }
}

/* Writes the fill into a block of a row that is not computed. kind: the row's. */
static inline void store_fill(result_block block, int kind)
{
    float results[CPU_BLOCK];
    const float fill = cpu_fill_value(block.call->problem, kind);
    for (size_t i = 0; i < block.length; i++)
        results[i] = fill;
    cpu_store(block.call->problem->results_dtype, block.call->arguments->results, block.first, block.stride,
              block.length, block.stream, results);
}

#endif
