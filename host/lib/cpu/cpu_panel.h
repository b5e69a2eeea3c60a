/*
 * A panel of CPU_LANES rows, a row on each lane: how it begins, and how its logits are read and its results written:
 * for cpu_lane.c, whose phases top, sums and emit take a panel class by class.
 *
 * Rows of neighbouring columns stand side by side in memory already. Rows of neighbouring classes are transposed, a
 * panel at a time, in and out (cpu_transpose.h). What is known of the rows between the phases is in cpu_lanes.h, the
 * exponential and the sums of a strip in cpu_steps.h, loading and storing elements in cpu_dtype.h.
 */
#ifndef CLSOFTMAX_CPU_PANEL_H
#define CLSOFTMAX_CPU_PANEL_H

#include "../problem.h"
#include "cpu_dtype.h"
#include "cpu_steps.h"
#include "cpu_transpose.h"

/* The terms that rows of a panel may have: all but those of an operand. */
#define PANEL_TERMS TERM_PRODUCT

/* The sums of each lane in 32 bits, before they are flushed into lane_totals. */
typedef struct lane_sums {
    uint32_t high[LANES], low[LANES], lowest[LANES];
} lane_sums;

/* Classes that a vector of lanes takes through an exponential step by step. */
#define STRIP (CPU_STRIP / CPU_VECTOR)

#define NOWHERE UINT64_MAX

/* A panel of LANES rows. Lanes beyond `count` are idle: their logits are -inf. */
typedef struct __attribute__((aligned(64))) panel {
    lane_temperatures temperatures;
    lane_rows rows;
    int64_t index[LANES];
    lane_sums sums[PANEL_TERMS]; /* since they were flushed */
    lane_totals totals[PANEL_TERMS];
    lane_inputs inputs;
    int64_t label[LANES]; /* its class, for a loss; -1: none */
    lane_ends ends;

    const cpu_call *call;
    cpu_stream *stream;       /* of the results; NULL: through the caches */
    uint64_t row;             /* the first row */
    size_t count;             /* of rows */
    uint64_t logits, results; /* first elements of the first row; the others stand lane_stride apart */
    uint64_t next;            /* first logit of the panel behind this one, or NOWHERE */
    uint64_t logits_lane_stride, results_lane_stride;
    int transposed; /* 1: classes are neighbours in memory, and lanes are not */
    size_t packed;  /* rows that are transposed as one: see packed_rows */
    int keep;       /* 1: the room holds the whole panel, as classes x lanes */
    int levels;
    int short_sums;   /* 1: only the sum of 32 bits is needed */
    int ties;         /* 1: a lane has a row of ties */
    int any_alone;    /* 1: the largest exponential of a lane stands alone */
    int are_unscaled; /* 1: core_row_is_unscaled holds for all lanes */
    /* The logits and their exponentials, as classes x lanes. high is the place of the logits if those are not needed
       again. */
    float *logits_kept, *high, *low;
    float *untransposed; /* LANES rows of neighbouring classes: one array for logits and results, to spare the stack */
} panel;

/* Most classes of a row that is transposed. "auto" takes `lane` for rows of fewer (lane_classes in tuning.c). */
#define MOST_CLASSES 256

/* Decides what all panels of a call have in common. */
static panel plan_panel(const cpu_call *call, const cpu_room *room)
{
    const clsoftmax_problem *p = call->problem;
    const clsoftmax_layout *x = &p->logits_layout, *y = &p->results_layout;
    int needs_logits = p->sweep > 0 || p->statistics;
    size_t classes = (size_t)p->classes, arrays = CORE_EXPONENTIAL_FLOATS + (needs_logits ? 1 : 0);
    panel panel = {.call = call, .levels = CORE_SUM_LEVELS(p->classes)};
    panel.logits_lane_stride = p->inner > 1 ? x->inner_stride : x->outer_stride;
    panel.results_lane_stride = p->inner > 1 ? y->inner_stride : y->outer_stride;
    panel.transposed = p->inner == 1 && x->class_stride == 1 && y->class_stride == 1 && p->classes <= MOST_CLASSES;
    panel.packed = panel.transposed ? packed_rows(classes) : 1;
    panel.keep = p->classes <= room->count / arrays / LANES;
    size_t kept = panel.keep ? classes * LANES : 0;
    panel.logits_kept = room->floats;
    panel.high = needs_logits ? panel.logits_kept + kept : panel.logits_kept;
    panel.low = CORE_LEAN ? panel.high : panel.high + kept;
    panel.short_sums = p->classes <= CORE_FLUSH_AFTER && cpu_made_of(p) != MADE_OF_NOTHING && !p->statistics &&
                       ENDS_WITH_SUM(ending_terms(operation_ending((int)p->operation)));
    return panel;
}

/* Gives the panel its next rows: those from `row` on, below `end`, that stand one lane stride apart. */
static void begin_panel(panel *panel, uint64_t row, uint64_t end)
{
    const clsoftmax_problem *p = panel->call->problem;
    uint64_t left = end - row, column = row % p->inner;
    if (p->inner > 1 && left > p->inner - column)
        left = p->inner - column;
    panel->row = row;
    panel->ties = 0;
    panel->count = left < LANES ? (size_t)left : LANES;
    panel->logits = cls_layout_row(p, &p->logits_layout, row);
    panel->next = row + panel->count < end ? cls_layout_row(p, &p->logits_layout, row + panel->count) : NOWHERE;
    panel->results = cls_layout_row(p, &p->results_layout, row);
}

/* ---------------------------------------------------------------- Panels that are transposed */

/* Reads rows of neighbouring classes into panel->logits_kept, as classes x lanes. f32 that fill the panel are
   transposed from where they stand. */
static void load_transposed(const panel *panel)
{
    const clsoftmax_problem *p = panel->call->problem;
    float *buffer = panel->untransposed;
    const void *logits = panel->call->arguments->logits;
    size_t classes = (size_t)p->classes;
    int contiguous = panel->logits_lane_stride == classes;
    if (p->logits_dtype == CLSOFTMAX_F32 && panel->count == LANES && (contiguous || panel->packed == 1)) {
        rows_to_lanes((const float *)logits + panel->logits, panel->logits_lane_stride, classes, panel->packed,
                      panel->logits_kept);
        return;
    }
    size_t run = contiguous ? panel->count * classes : classes;
    for (size_t r = 0; r < (contiguous ? 1 : panel->count); r++)
        cpu_load(p->logits_dtype, logits, panel->logits + r * panel->logits_lane_stride, 1, run, buffer + r * classes);
    for (size_t i = panel->count * classes; i < LANES * classes; i++)
        buffer[i] = -CORE_INFINITY;
    rows_to_lanes(buffer, classes, classes, panel->packed, panel->logits_kept);
}

/* Writes panel->high, which is classes x lanes, as rows of neighbouring classes. */
static void store_transposed(const panel *panel)
{
    const clsoftmax_problem *p = panel->call->problem;
    float *rows = panel->untransposed;
    size_t classes = (size_t)p->classes;
    lanes_to_rows(panel->high, classes, panel->packed, rows, classes);
    int contiguous = panel->results_lane_stride == classes;
    size_t run = contiguous ? panel->count * classes : classes;
    for (size_t r = 0; r < (contiguous ? 1 : panel->count); r++)
        for (size_t i = 0; i < run; i += CPU_BLOCK)
            cpu_store(p->results_dtype, panel->call->arguments->results,
                      panel->results + r * panel->results_lane_stride + i, 1, run - i < CPU_BLOCK ? run - i : CPU_BLOCK,
                      contiguous ? panel->stream : NULL, rows + r * classes + i);
}

/* ---------------------------------------------------------------- A class of all lanes */

/* Returns 1 if all lanes have rows, and a class has its f32 logits in one run. */
INLINE int is_whole_f32(const panel *panel)
{
    return panel->call->problem->logits_dtype == CLSOFTMAX_F32 && panel->count == LANES &&
           panel->logits_lane_stride == 1;
}

/* Reads the logits of class c. */
static void load_class(const panel *panel, uint64_t c, float *x)
{
    const clsoftmax_problem *p = panel->call->problem;
    uint64_t first = panel->logits + c * p->logits_layout.class_stride;
    if (is_whole_f32(panel)) {
        memcpy(x, (const float *)panel->call->arguments->logits + first, LANES * sizeof *x);
        return;
    }
    for (size_t l = panel->count; l < LANES; l++)
        x[l] = -CORE_INFINITY;
    cpu_load(p->logits_dtype, panel->call->arguments->logits, first, panel->logits_lane_stride, panel->count, x);
}

/* How many classes ahead logits are prefetched. Classes that stand far apart are on pages of their own, where no
   processor reads ahead by itself. */
#define AHEAD 32

/* Returns the bytes of a class of the panel. */
INLINE size_t lanes_bytes(const panel *panel)
{
    return panel->count * cpu_element_size(panel->call->problem->logits_dtype);
}

/* Returns the address of a logit. */
INLINE const char *logits_at(const panel *panel, uint64_t first)
{
    return (const char *)panel->call->arguments->logits + first * cpu_element_size(panel->call->problem->logits_dtype);
}

/* Prefetches class c, if there is one and its logits are neighbours. */
INLINE void prefetch_class(const panel *panel, uint64_t c)
{
    const clsoftmax_problem *p = panel->call->problem;
    if (c < p->classes && panel->logits_lane_stride == 1)
        cpu_prefetch_far(logits_at(panel, panel->logits + c * p->logits_layout.class_stride), lanes_bytes(panel));
}

/* Most classes of columns whose next panel is prefetched. Lines of longer columns displace each other in the caches, so
   that not all would be there when they are needed. */
#define MOST_CLASSES_AHEAD 512

/* Prefetches as much of the next panel as `count` classes from c on have, while these are computed. */
INLINE void prefetch_next(const panel *panel, uint64_t c, size_t count)
{
    const clsoftmax_problem *p = panel->call->problem;
    if (panel->next == NOWHERE)
        return;
    if (panel->transposed)
        cpu_prefetch(logits_at(panel, panel->next + c * LANES), count * lanes_bytes(panel));
    else if (panel->logits_lane_stride == 1 && p->classes <= MOST_CLASSES_AHEAD)
        for (size_t i = 0; i < count; i++)
            cpu_prefetch_far(logits_at(panel, panel->next + (c + i) * p->logits_layout.class_stride),
                             lanes_bytes(panel));
}

/* Turns the logits of a class into those of ordinary rows: those of rows of ties become 0 and -inf. */
INLINE void make_ordinary(const panel *panel, float *x)
{
    FOR_LANES x[l] = panel->rows.kind[l] == CORE_ROW_TIES ? core_tie(x[l], panel->rows.ties_at[l]) : x[l];
}

/* Returns `count` classes from c on as ordinary rows have them: in the room, or read into `buffer`. */
INLINE const float *ordinary_classes(const panel *panel, uint64_t c, size_t count, float *buffer)
{
    if (panel->keep)
        return panel->logits_kept + c * LANES;
    for (size_t i = 0; i < count; i++) {
        float *x = buffer + i * LANES;
        load_class(panel, c + i, x);
        if (panel->ties)
            make_ordinary(panel, x);
    }
    return buffer;
}

/* Returns 1 if all lanes have rows, and a class has its f32 results in one run. */
INLINE int has_whole_f32_results(const panel *panel)
{
    return panel->call->problem->results_dtype == CLSOFTMAX_F32 && panel->count == LANES &&
           panel->results_lane_stride == 1;
}

/* Writes the results of class c. */
INLINE void store_class(const panel *panel, uint64_t c, const float *p)
{
    const clsoftmax_problem *problem = panel->call->problem;
    uint64_t first = panel->results + c * problem->results_layout.class_stride;
    if (has_whole_f32_results(panel)) {
        float *results = (float *)panel->call->arguments->results + first;
        cpu_write((uintptr_t)results % CPU_LINE == 0 ? panel->stream : NULL, results, p, LANES * sizeof *p);
    } else
        cpu_store(problem->results_dtype, panel->call->arguments->results, first, panel->results_lane_stride,
                  panel->count, NULL, p);
}

#endif
