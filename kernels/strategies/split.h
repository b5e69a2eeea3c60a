/*
 * What the kernels of split share: the place of a work-group among the parts of a row, and how it reads and
 * merges what is known of those parts. split.cl tells the whole story.
 */
#ifndef CLSOFTMAX_SPLIT_H
#define CLSOFTMAX_SPLIT_H

#include "strategies/chunks.h"

/* The place of a work-group. */
typedef struct {
    ulong row;
    uint part; /* its number in the piece */
    uint4 piece;
    __global split_part *parts; /* of the row, at the first temperature; those at the others follow */
} split_place;

/* Returns the place of this work-group. It divides numbers of 32 bits, which hold the numbers of all work-groups and
   chunks; divisions of 64 bits are function calls on NVIDIA, and spill registers. */
static split_place split_place_of(const row_call *call, uint4 piece, __global split_part *parts)
{
    const uint group = (uint)get_group_id(0), row = group / piece.PIECE_PARTS;
    const split_place place = {row, group - row * piece.PIECE_PARTS, piece,
                               parts + (ulong)row * piece.PIECE_PARTS_OF_ROW * ROW_TEMPERATURE_COUNT(call)};
    return place;
}

/* Returns the row's parts at temperature k. */
static __global split_part *split_parts(const split_place *place, uint k)
{
    return place->parts + k * place->piece.PIECE_PARTS_OF_ROW;
}

/* Returns this work-group's part at temperature k. */
static __global split_part *split_own(const split_place *place, uint k)
{
    return split_parts(place, k) + place->piece.PIECE_FIRST_PART + place->part;
}

/* Returns the chunks of this work-group's part. Parts differ by one chunk at most, and the longer ones come first. */
static row_part split_chunks(const row_call *call, const split_place *place)
{
    const uint parts = place->piece.PIECE_PARTS, chunks = row_chunks(call->classes), each = chunks / parts;
    const uint more = chunks - each * parts;
    const uint begin = place->part * each + (place->part < more ? place->part : more);
    const row_part part = {row_logits(call, place->row),
                           call->logits_layout.LAYOUT_CLASS_STRIDE,
                           call->classes,
                           begin,
                           begin + each + (place->part < more),
                           row_operand(call, place->row),
                           call->operand_layout.LAYOUT_CLASS_STRIDE};
    return part;
}

/* Returns the row's top. Every work-group merges the tops of all parts by itself. */
static core_top_t split_top(const split_place *place, __local local_top *tops)
{
    core_top_t mine = {CORE_KEY_NEGATIVE_INFINITY, CORE_KEY_NEGATIVE_INFINITY, 0, 0, 0};
    for (uint part = (uint)get_local_id(0); part < place->piece.PIECE_PARTS_OF_ROW; part += WORK_GROUP_SIZE)
        mine = core_top_merge(mine, place->parts[part].top);
    return group_top(mine, tops);
}

/* Returns the row's sums at temperature k, with those that are added up later, or without. Every work-group merges the
   sums of all parts by itself. */
static row_totals split_totals(const split_place *place, uint k, int with_later, __local local_sums *sums)
{
    __global const split_part *parts = split_parts(place, k);
    row_totals mine = row_totals_of_nothing();
    for (uint part = (uint)get_local_id(0); part < place->piece.PIECE_PARTS_OF_ROW; part += WORK_GROUP_SIZE)
        FOR_TERMS if (with_later || !TERM_IS_LATER(t)) mine.of[ROW_PLACE(t)] =
            core_term_merge(t, mine.of[ROW_PLACE(t)], parts[part].totals[ROW_PLACE(t)]);
    return group_totals(mine, sums);
}

/* Returns the class of the row's label, counted from the beginning of the piece; -1 if the piece does not have it. */
static long split_label(const row_call *call, const split_place *place)
{
    if (!(STATISTICS || HAS_LABELS) || !call->labels)
        return -1;
    const long label = call->labels[call->first.FIRST_LABEL + place->row];
    const ulong here = (ulong)label - place->piece.PIECE_FIRST_CLASS;
    return here < call->classes ? (long)here : -1; /* a label below the piece or below 0 wraps around */
}

/* Writes the result of the label's class of a row that is computed; p is where the first result of the piece goes. */
static void split_store_label(const row_call *call, const split_place *place, const row_state *state,
                              __global result_t *p)
{
    if (core_row_is_computed(state->set.kind))
        row_store_one(state->operation.end.at_label,
                      p + (ulong)split_label(call, place) * call->results_layout.LAYOUT_CLASS_STRIDE);
}

/* Waits until all work-items have read the sums at one temperature, before those at the next are written. */
static void split_next_temperature(void)
{
#if TEMPERATURES == TEMPERATURES_SWEEP
    barrier(CLK_LOCAL_MEM_FENCE);
#endif
}

#endif
