/*
 * A panel: CPU_LANES rows, of which everything is an array of lanes; how its logits are read and its results are written.
 *
 * Rows of neighbouring columns stand side by side in memory already; rows of neighbouring classes are transposed, a panel of
 * rows at a time, in and out.
 */
#ifndef CLSOFTMAX_CPU_PANEL_H
#define CLSOFTMAX_CPU_PANEL_H

#include "../problem.h"
#include "cpu_dtype.h"
#include "cpu_steps.h"
#include "cpu_transpose.h"

/* The integer sums of each lane in 32 bits, which are flushed into lane_totals. */
typedef struct lane_sums {
    uint32_t high[LANES], low[LANES], lowest[LANES];
} lane_sums;

/* Classes that a vector of lanes takes through an exponential step by step. */
#define STRIP (CPU_STRIP / CPU_VECTOR)

#define NOWHERE UINT64_MAX

/* LANES rows. Lanes beyond `count` are idle: masks throughout. */
typedef struct __attribute__((aligned(64))) panel {
    lane_temperatures temperatures;
    lane_rows rows;
    uint32_t second_key[LANES];
    int64_t index[LANES];
    lane_sums sums[TERM_COUNT]; /* since they were flushed */
    lane_totals totals[TERM_COUNT];
    lane_ends ends;

    const cpu_call *call;
    cpu_stream *stream;       /* of the results, or NULL */
    uint64_t row;             /* the first */
    size_t count;             /* of rows */
    uint64_t logits, results; /* where the first row begins; the others lane_stride further each */
    uint64_t next;            /* where the logits of the panel behind this one begin, or NOWHERE */
    uint64_t logits_lane_stride, results_lane_stride;
    int transposed; /* classes are neighbours, not lanes */
    size_t packed;  /* rows that are transposed as one */
    int keep;       /* the whole panel is in the scratch memory, as classes x lanes */
    int levels;
    int short_sums; /* no more than the sum of 32 bits is wanted */
    int ties;       /* a lane is a row of ties */
    int are_plain;  /* all lanes are rows as core_row_is_plain says */
    /* classes x lanes: the logits, and their exponentials; high is the place of the logits where those are not needed again */
    float *logits_kept, *high, *low;
} panel;

/* ---------------------------------------------------------------- Panels that are transposed */

#define MOST_CLASSES 256

/* Rows of neighbouring classes -> t->logits_kept, as classes x lanes; from where they stand, if they are f32 and fill the panel. */
static void load_transposed(const panel *t)
{
    const clsoftmax_problem *p = t->call->problem;
    float buffer[LANES * MOST_CLASSES];
    const void *logits = t->call->arguments->logits;
    size_t classes = (size_t)p->classes;
    int contiguous = t->logits_lane_stride == classes;
    if (p->logits_dtype == CLSOFTMAX_F32 && t->count == LANES && (contiguous || t->packed == 1)) {
        rows_to_lanes((const float *)logits + t->logits, t->logits_lane_stride, classes, t->packed, t->logits_kept);
        return;
    }
    size_t run = contiguous ? t->count * classes : classes;
    for (size_t r = 0; r < (contiguous ? 1 : t->count); r++)
        cpu_load(p->logits_dtype, logits, t->logits + r * t->logits_lane_stride, 1, run, buffer + r * classes);
    for (size_t i = t->count * classes; i < LANES * classes; i++)
        buffer[i] = -CORE_INFINITY;
    rows_to_lanes(buffer, classes, classes, t->packed, t->logits_kept);
}

/* t->high as classes x lanes -> rows of neighbouring classes. */
static void store_transposed(const panel *t)
{
    const clsoftmax_problem *p = t->call->problem;
    float rows[LANES * MOST_CLASSES];
    size_t classes = (size_t)p->classes;
    lanes_to_rows(t->high, classes, t->packed, rows, classes);
    int contiguous = t->results_lane_stride == classes;
    size_t run = contiguous ? t->count * classes : classes;
    for (size_t r = 0; r < (contiguous ? 1 : t->count); r++)
        for (size_t i = 0; i < run; i += CPU_BLOCK)
            cpu_store(p->results_dtype, t->call->arguments->results, t->results + r * t->results_lane_stride + i, 1,
                      run - i < CPU_BLOCK ? run - i : CPU_BLOCK, contiguous ? t->stream : NULL, rows + r * classes + i);
}

/* ---------------------------------------------------------------- A class of all lanes */

/* Its logits are f32, and those of a class neighbours. */
INLINE int is_whole_f32(const panel *t)
{
    return t->call->problem->logits_dtype == CLSOFTMAX_F32 && t->count == LANES && t->logits_lane_stride == 1;
}

/* The logits of class c as they are. */
static void load_class(const panel *t, uint64_t c, float *x)
{
    const clsoftmax_problem *p = t->call->problem;
    uint64_t first = t->logits + c * p->logits_layout.class_stride;
    if (is_whole_f32(t)) {
        memcpy(x, (const float *)t->call->arguments->logits + first, LANES * sizeof *x);
        return;
    }
    for (size_t l = t->count; l < LANES; l++)
        x[l] = -CORE_INFINITY;
    cpu_load(p->logits_dtype, t->call->arguments->logits, first, t->logits_lane_stride, t->count, x);
}

/* Classes that stand far apart are on pages of their own, where no processor reads ahead by itself. */
#define AHEAD 32

/* As many elements as there are lanes. */
INLINE size_t lanes_bytes(const panel *t)
{
    return t->count * cpu_element_size(t->call->problem->logits_dtype);
}

INLINE const char *logits_at(const panel *t, uint64_t first)
{
    return (const char *)t->call->arguments->logits + first * cpu_element_size(t->call->problem->logits_dtype);
}

INLINE void prefetch_class(const panel *t, uint64_t c)
{
    const clsoftmax_problem *p = t->call->problem;
    if (c < p->classes && t->logits_lane_stride == 1)
        cpu_prefetch_far(logits_at(t, t->logits + c * p->logits_layout.class_stride), lanes_bytes(t));
}

/* Of columns of more classes, whose lines fall on each other, not all would be there when they are used. */
#define MOST_CLASSES_AHEAD 512

/* As much of the panel that follows as `count` classes from c on have, while those are computed. */
INLINE void prefetch_next(const panel *t, uint64_t c, size_t count)
{
    const clsoftmax_problem *p = t->call->problem;
    if (t->next == NOWHERE)
        return;
    if (t->transposed)
        cpu_prefetch(logits_at(t, t->next + c * LANES), count * lanes_bytes(t));
    else if (t->logits_lane_stride == 1 && p->classes <= MOST_CLASSES_AHEAD)
        for (size_t i = 0; i < count; i++)
            cpu_prefetch_far(logits_at(t, t->next + (c + i) * p->logits_layout.class_stride), lanes_bytes(t));
}

/* The logits of a class as ordinary rows have them. */
INLINE void make_ordinary(const panel *t, float *x)
{
    FOR_LANES x[l] = t->rows.kind[l] == CORE_ROW_TIES ? core_tie(x[l], t->rows.ties_at[l]) : x[l];
}

/* `count` classes from c on as ordinary rows have them: in the scratch memory, or in `buffer`. */
INLINE const float *ordinary_classes(const panel *t, uint64_t c, size_t count, float *buffer)
{
    if (t->keep)
        return t->logits_kept + c * LANES;
    for (size_t i = 0; i < count; i++) {
        float *x = buffer + i * LANES;
        load_class(t, c + i, x);
        if (t->ties)
            make_ordinary(t, x);
    }
    return buffer;
}

/* Its results are f32, and those of a class neighbours. */
INLINE int has_whole_f32_results(const panel *t)
{
    return t->call->problem->results_dtype == CLSOFTMAX_F32 && t->count == LANES && t->results_lane_stride == 1;
}

INLINE void store_class(const panel *t, uint64_t c, const float *p)
{
    const clsoftmax_problem *problem = t->call->problem;
    uint64_t first = t->results + c * problem->results_layout.class_stride;
    if (has_whole_f32_results(t)) {
        float *results = (float *)t->call->arguments->results + first;
        cpu_write((uintptr_t)results % CPU_LINE == 0 ? t->stream : NULL, results, p, LANES * sizeof *p);
    } else
        cpu_store(problem->results_dtype, t->call->arguments->results, first, t->results_lane_stride, t->count, NULL,
                  p);
}

#endif
