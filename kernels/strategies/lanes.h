#ifndef CLSOFTMAX_LANES_H
#define CLSOFTMAX_LANES_H

#include "strategies/phases.h"

/*
 * Scans of rows side by side, each on a lane of its own (CORE_ROW_PER_LANE is defined): lane and column. CORE_WIDTH rows a vector, a
 * few vectors a work-item, class by class; from where they stand, or kept from their first scan on.
 */
#if KEPT_CLASSES && !ROW_IS_KEPT
#define LANES_KEPT __local /* private memory has no room for long rows */
#else
#define LANES_KEPT
#endif

/* Vectors of rows that a work-item may have abreast; unless they are kept it has one. */
#if defined(ROW_VECTORS) && ROW_VECTORS > 0
#define LANES_ABREAST ROW_VECTORS
#else
#define LANES_ABREAST 1
#endif

/* Room for the logits of all classes, and for what results are made of: the halves of the exponentials, or in `high` the logits as
   ordinary rows have them. Where no temperature follows, that takes the place of the logits. Of `count` vectors abreast, class c of
   vector v is [c * count + v]. */
typedef struct {
    LANES_KEPT core_float *logits, *high, *low;
} lanes_room;

/* Rows whose logits stand lane_stride apart. */
typedef struct {
    __global const logit_t *x;
    ulong lane_stride;
    ulong class_stride;
    ulong classes;
    uint count; /* of lanes that are rows; the others are idle */
} lanes;

/* The logits of a class, as they are. */
static core_float lanes_load(const lanes *l, ulong class_index)
{
    __global const logit_t *address = l->x + class_index * l->class_stride;
    if (TEMPERATURES == TEMPERATURES_ON_LANES)
        return (core_float)(row_load_one(address));
    if (l->lane_stride == 1 && l->count == CORE_WIDTH)
        return row_load(address);
    float each[CORE_WIDTH];
    for (uint i = 0; i < CORE_WIDTH; i++)
        each[i] = i < l->count ? row_load_one(address + i * l->lane_stride) : -CORE_INFINITY;
    return ROW_FLOATS(const, each);
}

/* Scans take `count` vectors abreast, a constant once inlined, and of each stage all vectors: one is a chain of operations that wait for
   each other, of which a processor sees no more than the next few hundred. */
ROW_INLINE void lanes_top(const lanes *vectors, uint count, int keep, lanes_room room, core_top_t *tops)
{
    row_top seen[LANES_ABREAST];
#pragma unroll
    for (uint v = 0; v < count; v++)
        seen[v] = row_top_of_nothing();
    for (ulong c = 0; c < vectors->classes; c++) {
#pragma unroll
        for (uint v = 0; v < count; v++)
            seen[v] = row_top_add(seen[v], keep ? room.logits[c * count + v] : lanes_load(vectors + v, c), (uint)c);
    }
#pragma unroll
    for (uint v = 0; v < count; v++) {
        const core_top_t top = {seen[v].key, seen[v].second_key, core_long_of_uint(seen[v].step)};
        tops[v] = top;
    }
}

/* Classes that go through an exponential together, step by step, for the same reason; two vectors abreast are rows too short for that. */
#define LANES_STEP (CORE_WIDTH == 1 || LANES_ABREAST == 2 ? 1 : 4)
#define LANES_TOGETHER (LANES_STEP * LANES_ABREAST)
#define FOR_TOGETHER _Pragma("unroll") for (uint i = 0; i < LANES_STEP * count; i++)

/* Class c + i / count of vector i % count, as ordinary rows have it; -inf behind the last. */
ROW_INLINE core_float lanes_ordinary(const lanes *vectors, uint count, const row_state *states, int keep,
                                     lanes_room room, ulong c, uint i)
{
    if (c + i / count >= vectors->classes)
        return (core_float)(-CORE_INFINITY);
    return row_ordinary(keep ? room.logits[c * count + i] : lanes_load(vectors + i % count, c + i / count),
                        states + i % count);
}

/* Rooms hold whole steps. */
ROW_INLINE void lanes_sums(const lanes *vectors, uint count, const row_state *states, int keep, lanes_room room,
                           row_sums *sums)
{
    core_float x[LANES_TOGETHER], q[LANES_TOGETHER];
    core_reduced reduced[LANES_TOGETHER];
    core_pair e[LANES_TOGETHER];
    int is_plain = CORE_WIDTH > 1; /* on GPUs lanes would part, and one way is shorter */
#pragma unroll
    for (uint v = 0; v < count; v++) {
        sums[v] = row_sums_of_nothing();
        is_plain &= row_all(core_row_is_plain(states[v].set.row));
    }
    for (ulong c = 0; c < vectors->classes; c += LANES_STEP) {
        FOR_TOGETHER x[i] = lanes_ordinary(vectors, count, states, keep, room, c, i);
        if (is_plain)
            FOR_TOGETHER reduced[i] = core_reduce_plain(x[i], states[i % count].set.row);
        else
            FOR_TOGETHER reduced[i] = core_reduce(x[i], states[i % count].set.row);
        FOR_TOGETHER q[i] = core_polynomial(reduced[i].r);
        FOR_TOGETHER e[i] = core_reconstruct(reduced[i], q[i]);
        FOR_TOGETHER sums[i % count] = row_sums_add_pair(sums[i % count], e[i], x[i], states + i % count);
#pragma unroll
        for (uint v = 0; v < count; v++)
            sums[v] = row_sums_settle(sums[v]); /* CORE_FLUSH_AFTER is a multiple of a step */
        if (keep) {
            FOR_TOGETHER room.high[c * count + i] = OPERATION == OPERATION_SOFTMAX ? e[i].high : x[i];
            FOR_TOGETHER room.low[c * count + i] = e[i].low;
        }
    }
}

/* Sums that were never flushed need no 64 bits, which are a good part of the work of a row of few classes. */
static core_two_float lanes_sum_scale(const lanes *l, const row_state *rows, row_sums sums)
{
    if ((OPERATION == OPERATION_SOFTMAX) & !STATISTICS && l->classes + LANES_STEP <= CORE_FLUSH_AFTER)
        return core_reciprocal(core_short_total_value(sums.exponentials.high, sums.exponentials.low, sums.added));
    return row_sum_scale(rows, row_flush(sums));
}

/* The second scan of the rows from `row` on: their records, and what results need of the sums. */
ROW_INLINE void lanes_scan(const lanes *vectors, uint count, const core_top_t *tops, row_state *states, int keep,
                           lanes_room room, ulong row, __global const long *labels, __global row_record *statistics,
                           ulong4 first, __global uint *invalid_rows)
{
    row_sums sums[LANES_ABREAST];
    lanes_sums(vectors, count, states, keep, room, sums);
#pragma unroll
    for (uint v = 0; v < count; v++) {
        const lanes *l = vectors + v;
        row_finish(states + v, tops[v], STATISTICS ? row_flush(sums[v]) : row_totals_of_nothing(), row + v * CORE_WIDTH,
                   l->count, l->x, l->lane_stride, l->class_stride, l->classes, labels, statistics, first,
                   invalid_rows);
        if (OPERATION != OPERATION_NONE)
            states[v].sum_scale = lanes_sum_scale(l, states + v, sums[v]);
    }
}

/* What was kept, or else the logit, becomes a result. */
ROW_INLINE core_float lanes_result(core_float high, core_float low, int keep, const row_state *rows)
{
    const core_pair e = {high, low};
    core_float result;
    if (keep & (OPERATION == OPERATION_SOFTMAX))
        result = core_probability(e, rows->sum_scale.high, rows->sum_scale.low);
    else
        result = row_result(keep ? high : row_ordinary(high, rows), rows);
    return core_row_is_computed(rows->set.kind) ? result : row_fill_value(rows->set.kind);
}

/* All lanes are rows that are computed, and have neighbouring places. */
static int lanes_are_whole(const lanes *l, const row_state *rows, ulong lane_stride)
{
    return lane_stride == 1 && l->count == CORE_WIDTH && row_all(core_row_is_computed(rows->set.kind));
}

static void lanes_store(core_float result, int is_whole, __global result_t *p, ulong lane_stride, uint count,
                        int stream)
{
    if (is_whole && stream && row_can_stream(p)) {
        row_stream(result, p);
        return;
    }
    if (is_whole) {
        row_store(result, p);
        return;
    }
    float each[CORE_WIDTH];
    ROW_FLOATS(, each) = result;
    for (uint i = 0; i < count; i++)
        row_store_one(each[i], p + i * lane_stride);
}

/* Of rows that are not kept, each logit is read again. */
ROW_INLINE void lanes_emit(const lanes *l, const row_state *rows, __global result_t *p, ulong lane_stride,
                           ulong class_stride, int stream)
{
    const int is_whole = lanes_are_whole(l, rows, lane_stride);
    for (ulong c = 0; c < l->classes; c++) {
        const core_float x = lanes_load(l, c);
        lanes_store(lanes_result(x, x, 0, rows), is_whole, p + c * class_stride, lane_stride, l->count, stream);
    }
}

#endif
