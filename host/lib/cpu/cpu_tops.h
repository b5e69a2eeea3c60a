/*
 * The phase top over a block of neighbouring classes of one row, in loops that the compiler vectorises: its largest
 * logit, where terms need it also the second largest, and for statistics where the largest is. For cpu_item.c,
 * cpu_parts.c and cpu_sweep.c, and for cpu_block.h, which finds the tops of one row between the exponentials of
 * another.
 *
 * Logits are read only as far as they go.
 */
#ifndef CLSOFTMAX_CPU_TOPS_H
#define CLSOFTMAX_CPU_TOPS_H

#include "cpu_steps.h"
#include "cpu_transpose.h"

/* ---------------------------------------------------------------- Maximum */

/* What each lane of a vector has seen of a row without statistics: its largest logit but NaN, the second largest where
   some term needs it, and whether there was a NaN. Two and a half operations a vector find the largest, where a key
   takes four. Which of two zeros is the larger is left open: without statistics no result depends on it. */
typedef struct __attribute__((aligned(64))) lane_maxima {
    float largest[CPU_VECTOR], second[CPU_VECTOR];
    int32_t is_nan[CPU_VECTOR]; /* 0, or all bits */
} lane_maxima;

INLINE void clear_maxima(lane_maxima *maxima)
{
#pragma omp simd
    for (size_t l = 0; l < CPU_VECTOR; l++) {
        maxima->largest[l] = maxima->second[l] = -CORE_INFINITY;
        maxima->is_nan[l] = 0;
    }
}

/* Adds two vectors of logits to what the lanes have seen; unless `two`, they may be the same one. two: a constant, here
   and below; 1 finds the second largest, too. */
INLINE void add_vector_maxima(int two, const float *x, const float *y, lane_maxima *maxima)
{
#pragma omp simd
    for (size_t l = 0; l < CPU_VECTOR; l++) {
        float largest = maxima->largest[l];
        if (two) {
            const float larger = CORE_LARGER(x[l], y[l]), smaller = CORE_SMALLER(x[l], y[l]);
            const float passed = CORE_SMALLER(larger, largest), second = CORE_LARGER(smaller, passed);
            maxima->second[l] = CORE_LARGER(second, maxima->second[l]);
        }
        largest = CORE_LARGER(x[l], largest);
        maxima->largest[l] = CORE_LARGER(y[l], largest);
        maxima->is_nan[l] = __builtin_isunordered(x[l], y[l]) ? -1 : maxima->is_nan[l];
    }
}

/* Adds to what the lanes of one vector have seen what those of another have. */
INLINE void merge_maxima(int two, lane_maxima *maxima, const lane_maxima *others)
{
#pragma omp simd
    for (size_t l = 0; l < CPU_VECTOR; l++) {
        const float before = maxima->largest[l], other = others->largest[l];
        if (two) {
            const float passed = CORE_SMALLER(before, other);
            const float second = CORE_LARGER(maxima->second[l], others->second[l]);
            maxima->second[l] = CORE_LARGER(passed, second);
        }
        maxima->largest[l] = CORE_LARGER(before, other);
        maxima->is_nan[l] |= others->is_nan[l];
    }
}

/* Adds a block to what the lanes have seen. Two pairs of vectors go side by side, since each would wait for the one
   before. */
INLINE void add_maxima_of(int two, const float *x, size_t length, lane_maxima *maxima)
{
    lane_maxima seen, beside, nothing; /* in registers meanwhile */
    size_t i = 0;
    clear_maxima(&nothing);
    clear_maxima(&beside);
    clear_maxima(&seen);
    for (; i + 4 * CPU_VECTOR <= length; i += 4 * CPU_VECTOR) {
        add_vector_maxima(two, x + i, x + i + CPU_VECTOR, &seen);
        add_vector_maxima(two, x + i + 2 * CPU_VECTOR, x + i + 3 * CPU_VECTOR, &beside);
    }
    for (; i + CPU_VECTOR <= length; i += CPU_VECTOR)
        add_vector_maxima(two, x + i, two ? nothing.largest : x + i, &seen);
    if (i < length) {
        float last[CPU_VECTOR];
        last_vector(x + i, length - i, last);
        add_vector_maxima(two, last, nothing.largest, &beside);
    }
    merge_maxima(two, &seen, &beside);
    merge_maxima(two, maxima, &seen);
}

INLINE void add_lane_maxima(cpu_top top, const float *x, size_t length, lane_maxima *maxima)
{
    if (top == CPU_TOP_TWO)
        add_maxima_of(1, x, length, maxima);
    else
        add_maxima_of(0, x, length, maxima);
}

/* Returns what a lane has seen as one float: its largest logit, or NaN. */
INLINE float maximum_of_lane(const lane_maxima *maxima, size_t l)
{
    return maxima->is_nan[l] ? core_float_of_bits(CORE_NAN_BITS) : maxima->largest[l];
}

/* Returns the key of the largest logit of a row. */
static inline uint32_t key_of_row(const lane_maxima *maxima)
{
    uint32_t largest = CORE_KEY_NEGATIVE_INFINITY;
#pragma omp simd reduction(max : largest)
    for (size_t l = 0; l < CPU_VECTOR; l++) {
        uint32_t key = core_key(maximum_of_lane(maxima, l));
        largest = CORE_LARGER(key, largest);
    }
    return largest;
}

/* Returns the key of the second largest logit of a row. */
static inline uint32_t second_key_of_row(const lane_maxima *maxima)
{
    float largest = -CORE_INFINITY, second = -CORE_INFINITY;
    for (size_t l = 0; l < CPU_VECTOR; l++) {
        const float passed = CORE_SMALLER(maxima->largest[l], largest);
        second = CORE_LARGER(second, passed);
        second = CORE_LARGER(second, maxima->second[l]);
        largest = CORE_LARGER(largest, maxima->largest[l]);
    }
    return core_key(second);
}

/* Finds the keys of the second largest logits of CPU_VECTOR rows. */
static inline void second_keys_of_rows(const lane_maxima *maxima, uint32_t *keys)
{
    _Alignas(64) float largest[CPU_VECTOR * CPU_VECTOR], second[CPU_VECTOR * CPU_VECTOR];
    const size_t stride = sizeof *maxima / sizeof(float);
    transpose_square(maxima->largest, stride, largest);
    transpose_square(maxima->second, stride, second);
#pragma omp simd
    for (size_t r = 0; r < CPU_VECTOR; r++) {
        float first = -CORE_INFINITY, next = -CORE_INFINITY;
        for (size_t l = 0; l < CPU_VECTOR; l++) {
            const float lane = largest[l * CPU_VECTOR + r], below = second[l * CPU_VECTOR + r];
            const float passed = CORE_SMALLER(lane, first);
            next = CORE_LARGER(next, passed);
            next = CORE_LARGER(next, below);
            first = CORE_LARGER(first, lane);
        }
        keys[r] = core_key(next);
    }
}

/* Finds the keys of CPU_VECTOR rows. Row by row it would take twice as long as a transposition. */
static inline void keys_of_rows(const lane_maxima *maxima, uint32_t *keys)
{
    _Alignas(64) float rows[CPU_VECTOR * CPU_VECTOR], lanes[CPU_VECTOR * CPU_VECTOR];
    for (size_t r = 0; r < CPU_VECTOR; r++)
#pragma omp simd
        for (size_t l = 0; l < CPU_VECTOR; l++)
            rows[r * CPU_VECTOR + l] = maximum_of_lane(&maxima[r], l);
    transpose_square(rows, CPU_VECTOR, lanes);
#pragma omp simd
    for (size_t r = 0; r < CPU_VECTOR; r++) {
        uint32_t largest = CORE_KEY_NEGATIVE_INFINITY;
        for (size_t l = 0; l < CPU_VECTOR; l++) {
            uint32_t key = core_key(lanes[l * CPU_VECTOR + r]);
            largest = CORE_LARGER(key, largest);
        }
        keys[r] = largest;
    }
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
OUTLINE void add_lane_tops(const float *x, size_t length, uint32_t step, lane_tops *lanes)
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
    core_top_t top = {CORE_KEY_NEGATIVE_INFINITY, CORE_KEY_NEGATIVE_INFINITY, 0, 0, 0};
    for (size_t l = 0; l < CPU_VECTOR; l++) {
        uint64_t first = (uint64_t)lanes->step[l] * CPU_VECTOR + l;
        top = core_top_merge(top, (core_top_t){lanes->key[l], lanes->second_key[l], (core_long)first, 0, 0});
    }
    return top;
}

/* A search for the top of one row, block by block. */
typedef struct top_search {
    cpu_top top;
    lane_maxima maxima;
    lane_tops tops;
} top_search;

INLINE void begin_search(top_search *search, const clsoftmax_problem *problem)
{
    search->top = cpu_top_of(problem);
    clear_maxima(&search->maxima);
    memset(&search->tops, 0, sizeof search->tops); /* keys of CORE_KEY_NEGATIVE_INFINITY */
}

/* Adds the block that begins at class `first` of the row, a whole number of vectors. */
INLINE void search_block(top_search *search, const float *x, size_t length, uint64_t first)
{
    if (search->top == CPU_TOP_WHOLE)
        add_lane_tops(x, length, (uint32_t)(first / CPU_VECTOR), &search->tops);
    else
        add_lane_maxima(search->top, x, length, &search->maxima);
}

INLINE core_top_t top_of_search(const top_search *search)
{
    if (search->top == CPU_TOP_WHOLE)
        return top_of_lanes(&search->tops);
    return (core_top_t){key_of_row(&search->maxima), second_key_of_row(&search->maxima), 0, 0, 0};
}

#endif
