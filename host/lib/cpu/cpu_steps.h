/*
 * The exponential and the sums of a strip: for cpu_block.h and cpu_lane.c, in their phases sums and emit. A strip goes
 * through the exponential step by step, and each step is a loop that the compiler vectorises and unrolls, so that no
 * element waits for another's result.
 *
 * A strip is a few classes of a few lanes. Either it has classes of one row, CPU_VECTOR neighbours of them as the lanes
 * (cpu_block.h), or the rows of a panel, a row on each lane (cpu_lane.c). The numbers of classes and lanes are
 * constants once the functions are inlined. A strip has at most CPU_STRIP elements.
 */
#ifndef CLSOFTMAX_CPU_STEPS_H
#define CLSOFTMAX_CPU_STEPS_H

#include "cpu_lanes.h"

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

/* The elements of a strip, and the place of their exponentials. Class c of lane l stands at c * stride + l. high may be
   x; the lean core has nothing in low. */
typedef struct strip {
    const float *x;
    float *high, *low;
    size_t stride;
    const float *operand; /* NULL where there is none */
} strip;

/* The rows of a strip: one row for all lanes, or the rows of a panel from lane `first` on. */
typedef struct strip_rows {
    core_row_t one;
    core_term_row_t terms;  /* of the one row */
    const lane_rows *lanes; /* NULL: the one row */
    const lane_temperatures *temperatures;
    size_t first;
    int are_unscaled; /* core_row_is_unscaled holds for all; a constant */
} strip_rows;

/* Returns what a strip knows of its rows, for classes of one row. */
INLINE strip_rows one_row(core_row_t row, core_term_row_t terms, int is_unscaled)
{
    return (strip_rows){.one = row, .terms = terms, .are_unscaled = is_unscaled};
}

/* The sums of the lanes in 32 bits, from the strip's first lane on. */
typedef struct strip_sums {
    uint32_t *high, *low, *lowest;
} strip_sums;

INLINE core_row_t strip_row(const strip_rows *rows, size_t l)
{
    return rows->lanes ? lane_row(rows->lanes, rows->first + l) : rows->one;
}

INLINE core_term_row_t strip_term_row(const strip_rows *rows, size_t l)
{
    return rows->lanes ? lane_term_row(rows->lanes, rows->temperatures, rows->first + l) : rows->terms;
}

/* Returns the exponential that is kept at place i. */
INLINE core_pair kept_exponential(const float *high, const float *low, size_t i)
{
    return CORE_LEAN ? (core_pair){high[i], 0} : (core_pair){high[i], low[i]};
}

/* Computes the exponentials of a strip into its high and low. */
INLINE void strip_exponentials(strip s, size_t classes, size_t lanes, const strip_rows *rows)
{
    _Alignas(64) float r[CPU_STRIP], r_low[CPU_STRIP], rounded[CPU_STRIP], q[CPU_STRIP];
#pragma GCC unroll 8
    for (size_t c = 0; c < classes; c++)
#pragma omp simd
        for (size_t l = 0; l < lanes; l++) {
            const core_row_t row = strip_row(rows, l);
            const float x = s.x[c * s.stride + l];
            core_reduced reduced = rows->are_unscaled ? core_reduce_unscaled(x, row) : core_reduce(x, row);
            r[c * lanes + l] = reduced.r;
            r_low[c * lanes + l] = reduced.r_low;
            rounded[c * lanes + l] = reduced.rounded;
        }
#pragma omp simd
    for (size_t i = 0; i < classes * lanes; i++)
        q[i] = core_polynomial(r[i]);
#pragma GCC unroll 8
    for (size_t c = 0; c < classes; c++)
#pragma omp simd
        for (size_t l = 0; l < lanes; l++) {
            const size_t i = c * lanes + l;
            core_pair e = core_reconstruct((core_reduced){r[i], r_low[i], rounded[i]}, q[i]);
            s.high[c * s.stride + l] = e.high;
            if (!CORE_LEAN)
                s.low[c * s.stride + l] = e.low;
        }
}

/* Adds the classes of a strip to the sum of a term. The sums stay in registers throughout a strip: a class at a time
   would wait until the one before has been stored. term is a constant, and levels is one wherever speed matters. */
INLINE void strip_add_term(int term, strip s, size_t classes, size_t lanes, const strip_rows *rows, int levels,
                           strip_sums sums)
{
#pragma omp simd
    for (size_t l = 0; l < lanes; l++) {
        core_sum_t sum = {sums.high[l], sums.low[l], sums.lowest[l]};
        const core_term_row_t row = strip_term_row(rows, l);
#pragma GCC unroll 8
        for (size_t c = 0; c < classes; c++) {
            const size_t i = c * s.stride + l;
            sum = core_term_add(
                term, sum,
                core_term(term, kept_exponential(s.high, s.low, i), s.x[i], s.operand ? s.operand[i] : 0, row), levels);
        }
        sums.high[l] = sum.high;
        sums.low[l] = sum.low;
        if (levels == 3)
            sums.lowest[l] = sum.lowest;
    }
}

#endif
