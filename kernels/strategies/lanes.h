/*
 * The phases of rows that lie side by side, each on a lane of its own; the strategies lane and column use them. A
 * vector has CORE_WIDTH rows. A work-item takes one vector of rows, or a few abreast, class by class: from where the
 * logits stand, or from the room in which they are kept.
 *
 * Before a kernel includes this file, it defines CORE_ROW_PER_LANE and, if its room is not in private memory,
 * ROOM_SPACE, the address space of the room.
 */
#ifndef CLSOFTMAX_LANES_H
#define CLSOFTMAX_LANES_H

#include "core/language.h"

#ifndef ROOM_SPACE
#define ROOM_SPACE
#endif
#ifndef ROOM_CLASSES
#define ROOM_CLASSES 0 /* room for so many classes of a row; 0: rows are not kept */
#endif

/* How many vectors of rows a work-item has abreast at most. The host says 0 for columns that are not kept, which means
   one. */
#if !defined(VECTORS_ABREAST) || VECTORS_ABREAST == 0
#undef VECTORS_ABREAST
#define VECTORS_ABREAST 1
#endif

/* How many of them go through a phase together at most: one after another, unless a kernel says otherwise (lane.cl). */
#ifndef LANES_TOGETHER
#define LANES_TOGETHER 1
#endif

/* How many classes go through an exponential together. Rows of which two vectors go together are too short for more
   than one. */
#if CORE_WIDTH == 1 || LANES_TOGETHER == 2
#define STEP_CLASSES 1
#else
#define STEP_CLASSES 4
#endif
#define STEP_VECTORS (STEP_CLASSES * LANES_TOGETHER)
#include "strategies/steps.h"

/* The room of `count` vectors abreast: the logits of all classes, and what results are made of. That is the
   exponentials in `high` and `low` (in the lean core both are the same), or the logits as ordinary rows have them in
   `high`. Outside of a sweep the logits
   are not needed again, and `high` is the same memory as `logits`. Class c of vector v is at [c * count + v]. Rooms
   have space for whole steps. */
typedef struct {
    ROOM_SPACE core_float *logits, *high, *low;
} lanes_room;

/* ---------------------------------------------------------------- Top */

/* Reads the logits of a class for all lanes. Where the temperatures are on lanes, it is one logit for all of them. */
static core_float lanes_load(const row_call *call, const row_lot *lot, ulong class_index)
{
    __global const logit_t *address = lot->logits + class_index * call->logits_layout.LAYOUT_CLASS_STRIDE;
    if (TEMPERATURES == TEMPERATURES_ON_LANES)
        return (core_float)(row_load_one(address));
    if (lot->lane_stride == 1 && lot->count == CORE_WIDTH)
        return row_load(address);
    float each[CORE_WIDTH];
    for (uint i = 0; i < CORE_WIDTH; i++)
        each[i] = i < lot->count ? row_load_one(address + i * lot->lane_stride) : -CORE_INFINITY;
    return ROW_FLOATS(const, each);
}

/* Reads the operands of a class for all lanes, in the same way; the padding if rows have
   none. */
static core_float lanes_load_operand(const row_call *call, const row_lot *lot, ulong class_index)
{
    float each[CORE_WIDTH];
    if (!HAS_OPERAND || class_index >= call->classes)
        return (core_float)(OPERAND_PADDING);
    __global const operand_t *address = lot->operand + class_index * call->operand_layout.LAYOUT_CLASS_STRIDE;
    if (TEMPERATURES == TEMPERATURES_ON_LANES)
        return (core_float)(row_load_operand_one(address));
    if (lot->operand_lane_stride == 1 && lot->count == CORE_WIDTH)
        return row_load_operand(address, 1, 0, CORE_WIDTH);
    for (uint i = 0; i < CORE_WIDTH; i++)
        each[i] = i < lot->count ? row_load_operand_one(address + i * lot->operand_lane_stride) : OPERAND_PADDING;
    return ROW_FLOATS(const, each);
}

/* Finds the tops of `count` vectors of rows. `count` is a constant once this is inlined; `keep` says that the logits
   are in the room. */
ROW_INLINE void lanes_top(const row_call *call, const row_lot *lots, uint count, int keep, lanes_room room,
                          core_top_t *tops)
{
    row_top seen[LANES_TOGETHER];
#pragma unroll
    for (uint v = 0; v < count; v++)
        seen[v] = row_top_of_nothing();
    for (ulong c = 0; c < call->classes; c++) {
#pragma unroll
        for (uint v = 0; v < count; v++)
            seen[v] = row_top_add_operand(
                row_top_add(seen[v], keep ? room.logits[c * count + v] : lanes_load(call, lots + v, c), (uint)c),
                lanes_load_operand(call, lots + v, c));
    }
#pragma unroll
    for (uint v = 0; v < count; v++)
        tops[v] = row_top_of_steps(seen[v]);
}

/* ---------------------------------------------------------------- Sums */

/* Returns the logits of class c + i / count of vector i % count, as ordinary rows have them; -inf after
   the last class. */
ROW_INLINE core_float lanes_ordinary(const row_call *call, const row_lot *lots, uint count, const row_state *states,
                                     int keep, lanes_room room, ulong c, uint i)
{
    if (c + i / count >= call->classes)
        return (core_float)(-CORE_INFINITY);
    return row_ordinary(keep ? room.logits[c * count + i] : lanes_load(call, lots + i % count, c + i / count),
                        states + i % count);
}

/* Adds up the terms of all classes and, if `keep`, leaves in the room what results are made of. */
ROW_INLINE void lanes_sums(const row_call *call, const row_lot *lots, uint count, const row_state *states, int keep,
                           lanes_room room, row_sums *sums)
{
    core_float x[STEP_VECTORS];
    core_pair e[STEP_VECTORS];
    const uint vectors = STEP_CLASSES * count;
    int is_unscaled = CORE_WIDTH > 1; /* on GPUs the work-items would take both branches, one after the other */
#pragma unroll
    for (uint v = 0; v < count; v++) {
        sums[v] = row_sums_of_nothing(states[v].is_later);
        is_unscaled &= row_all(core_row_is_unscaled(states[v].set.row));
    }
    for (ulong c = 0; c < call->classes; c += STEP_CLASSES) {
        FOR_STEP(vectors)
            x[i] = lanes_ordinary(call, lots, count, states, keep, room, c, i);
        step_exponentials(x, vectors, states, count, is_unscaled, e, 0);
        FOR_STEP(vectors)
            sums[i % count] =
                row_sums_add_pair(sums[i % count], e[i], x[i],
                                  lanes_load_operand(call, lots + i % count, c + i / count), states + i % count);
#pragma unroll
        for (uint v = 0; v < count; v++)
            sums[v] = row_sums_settle(sums[v]); /* CORE_FLUSH_AFTER is a multiple of a step */
        if (keep) {
            FOR_STEP(vectors)
                room.high[c * count + i] = MADE_OF_PAIRS ? e[i].high : x[i];
            if (!CORE_LEAN)
                FOR_STEP(vectors)
                    room.low[c * count + i] = e[i].low;
        }
    }
}

/* Returns what results need of the sums. Sums that cannot have been flushed are computed without integers of 64 bits,
   which would be a good part of the work for a row of few classes. */
static core_end_t lanes_end_of(const row_call *call, const row_state *state, row_sums sums, core_loss_inputs_t inputs)
{
    if (ENDS_WITH_SUM(ROW_TERMS) && HAS_RESULTS && call->classes + STEP_CLASSES <= CORE_FLUSH_AFTER) {
        const core_sum_t sum = sums.of[ROW_PLACE(TERM_EXPONENTIAL)];
        const ending_sums value = {.sum = core_short_total_value(sum.high, sum.low, sums.added), .set = state->set};
        return end_of_row(operation_ending(OPERATION), value);
    }
    return row_end_of(state, row_flush(sums), inputs);
}

/* Takes a vector of rows through its second phase sums, and returns all of its sums. It reads the logits again, since a
   room has exponentials in their place by now. */
ROW_INLINE row_totals lanes_sums_later(const row_call *call, const row_lot *lot, row_state *rows, row_sums first)
{
    const lanes_room none = {0, 0, 0};
    const row_totals totals = row_flush(first);
    row_sums later;
    row_go_later(call, rows, totals);
    lanes_sums(call, lot, 1, rows, 0, none, &later);
    return row_totals_merge(totals, row_flush(later));
}

/* Takes `count` vectors of rows through their sums, and finishes them, at temperature k of a sweep. */
ROW_INLINE void lanes_sum_and_finish(const row_call *call, uint k, const row_lot *lots, uint count,
                                     const core_top_t *tops, row_state *states, int keep, lanes_room room)
{
    row_sums sums[LANES_TOGETHER];
    lanes_sums(call, lots, count, states, keep, room, sums);
#pragma unroll
    for (uint v = 0; v < count; v++) {
        const core_loss_inputs_t inputs = row_inputs_of(call, lots[v]);
        if (HAS_LATER_TERMS) {
            const row_totals totals = lanes_sums_later(call, lots + v, states + v, sums[v]);
            states[v].operation.end = row_end_of(states + v, totals, inputs);
        } else if (HAS_RESULTS || HAS_LOSS)
            states[v].operation.end = lanes_end_of(call, states + v, sums[v], inputs);
        row_finish(call, k, lots[v], states + v, tops[v], STATISTICS ? row_flush(sums[v]) : row_totals_of_nothing(),
                   inputs);
    }
}

/* ---------------------------------------------------------------- Results */

/* Returns the results of a class with operands g: from what is kept of it, or, unless `keep`, from its logits, which
   `high` then is. */
ROW_INLINE core_float lanes_result(core_float high, core_float low, core_float g, int keep, const row_state *rows)
{
    const core_pair e = {high, low};
    core_float result;
    if (keep & MADE_OF_PAIRS)
        result = row_result_of_pair(e, g, rows);
    else
        result = row_result(keep ? high : row_ordinary(high, rows), g, rows);
    return core_row_is_computed(rows->set.kind) ? result : row_fill_value(rows->set.kind);
}

/* Puts the results of the labels' classes in their places in the room of a vector of rows, where the operation has
   such. */
static void lanes_keep_labels(const row_call *call, const row_lot *lot, const row_state *rows,
                              ROOM_SPACE core_float *results)
{
    float lanes[ROW_LANES];
    int kinds[ROW_LANES];
    row_to_lanes(rows->operation.end.at_label, lanes);
    row_to_lanes(rows->set.kind, kinds);
    for (uint i = 0; HAS_LABELS && i < lot->count; i++) {
        const long label = row_label(call, *lot, i);
        if (label >= 0 && core_row_is_computed(kinds[i]))
            ((ROOM_SPACE float *)(results + label))[i] = lanes[i];
    }
}

/* Returns 1 if all lanes have a row, all rows are computed, and the results of a class are neighbours. */
static int lanes_are_whole(const row_lot *lot, const row_state *rows, ulong lane_stride)
{
    return lane_stride == 1 && lot->count == CORE_WIDTH && row_all(core_row_is_computed(rows->set.kind));
}

/* Writes the results of a class for `count` lanes, lane_stride elements apart. is_whole is what lanes_are_whole
   returned. */
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

/* Writes the results of a vector of rows that are not kept; it reads each logit again. */
ROW_INLINE void lanes_emit(const row_call *call, const row_lot *lot, const row_state *rows, __global result_t *p,
                           ulong lane_stride, int stream)
{
    const int is_whole = lanes_are_whole(lot, rows, lane_stride);
    const ulong class_stride = call->results_layout.LAYOUT_CLASS_STRIDE;
    for (ulong c = 0; c < call->classes; c++) {
        const core_float x = lanes_load(call, lot, c);
        const core_float g = lanes_load_operand(call, lot, c);
        lanes_store(lanes_result(x, x, g, 0, rows), is_whole, p + c * class_stride, lane_stride, lot->count, stream);
    }
    row_store_labels(call, *lot, rows, p, lane_stride);
}

#endif
