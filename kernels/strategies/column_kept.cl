/*
 * column, where local memory has room for columns: of up to ROOM_CLASSES classes they are kept, VECTORS_ABREAST vectors of
 * them, and their exponentials and results take their place. One read, one write, one exponential for an element.
 *
 * Launch: outer * ceil(inner / columns of a work-item) work-groups of one work-item; the inner strides are 1.
 */
#define CORE_ROW_PER_LANE 1
#define ROOM_SPACE __local
#define COLUMNS (CORE_WIDTH * VECTORS_ABREAST)
#include "strategies/column.h"

/* Prefetch so many classes ahead, and behind the last class those of the columns that come next. They stand on pages of
   their own, where no processor reads ahead by itself. Into the second-level cache: columns a power of two apart have few
   places in the first. */
#define COLUMN_AHEAD 32

/* Reads `count` vectors of columns side by side, in one way down the classes, since the vectors of a class are neighbours in
   memory; finds their tops. Compiled for VECTORS_ABREAST, and for the fewer at an end. */
ROW_INLINE void column_load(const row_call *call, const row_lot *lots, uint count, __local core_float *kept,
                            core_top_t *tops)
{
    const ulong classes = call->classes, stride = call->logits_layout.LAYOUT_CLASS_STRIDE;
    const ulong ahead = classes < COLUMN_AHEAD ? classes : COLUMN_AHEAD;
    row_top seen[VECTORS_ABREAST];
    for (uint v = 0; v < count; v++)
        seen[v] = row_top_of_nothing();
    for (ulong c = 0; c < classes; c++) {
        const ulong place = c + ahead < classes ? (c + ahead) * stride : (c + ahead - classes) * stride + COLUMNS;
        for (uint v = 0; v < count; v++) {
            ROW_PREFETCH(lots[v].logits + place, 2);
            const core_float x = lanes_load(call, lots + v, c);
            kept[v * ROOM_CLASSES + c] = x;
            seen[v] = row_top_add(seen[v], x, (uint)c);
        }
    }
    for (uint v = 0; v < count; v++)
        tops[v] = lanes_top_of(seen[v]);
}

/* Writes the results of `count` vectors in the same way; p is the place of the first. */
ROW_INLINE void column_store(const row_call *call, const row_lot *lots, uint count, __local const core_float *kept,
                             const int *are_whole, __global result_t *p, int stream)
{
    const ulong lane_stride = call->results_layout.LAYOUT_INNER_STRIDE;
    const ulong class_stride = call->results_layout.LAYOUT_CLASS_STRIDE;
    for (ulong c = 0; c < call->classes; c++)
        for (uint v = 0; v < count; v++)
            lanes_store(kept[v * ROOM_CLASSES + c], are_whole[v], p + c * class_stride + v * CORE_WIDTH * lane_stride,
                        lane_stride, lots[v].count, stream);
}

ROW_KERNEL row_column_kept(ROW_PARAMETERS)
{
    const row_call call = ROW_CALL;
    __local core_float kept[VECTORS_ABREAST * ROOM_CLASSES], low[ROOM_CLASSES];
#if TEMPERATURES == TEMPERATURES_SWEEP
    __local core_float high[VECTORS_ABREAST * ROOM_CLASSES]; /* the logits are needed again */
#else
    __local core_float *const high = kept;
#endif
    const int stream = row_wants_stream(&call);
    const column_share share = column_share_of(&call);
    if (share.count == 0)
        return;
    row_lot lots[VECTORS_ABREAST];
    uint count = 0;
    for (uint i = 0; i < share.count; i += CORE_WIDTH, count++) {
        const row_lot lot = {share.row + i, share.count - i < CORE_WIDTH ? share.count - i : CORE_WIDTH,
                             row_logits(&call, share.row + i), logits_layout.LAYOUT_INNER_STRIDE};
        lots[count] = lot;
    }
    core_top_t tops[VECTORS_ABREAST];
    if (count == VECTORS_ABREAST)
        column_load(&call, lots, VECTORS_ABREAST, kept, tops);
    else
        column_load(&call, lots, count, kept, tops);
    __global result_t *p = row_results(&call, share.row);
    for (uint k = 0; k < ROW_TEMPERATURE_COUNT(&call); k++, p += sweep.SWEEP_STRIDE) {
        int are_whole[VECTORS_ABREAST];
        for (uint v = 0; v < count; v++) {
            const lanes_room room = {kept + v * ROOM_CLASSES, high + v * ROOM_CLASSES, low};
            row_state state =
                row_state_of(tops[v].key, row_temperatures(&call, lots[v].row, lots[v].count, k), policies);
            lanes_sum_and_finish(&call, k, lots + v, 1, tops + v, &state, 1, room);
            are_whole[v] = lanes_are_whole(lots + v, &state, results_layout.LAYOUT_INNER_STRIDE);
            for (ulong c = 0; c < classes; c++)
                room.high[c] = lanes_result(room.high[c], room.low[c], 1, &state);
        }
        if (count == VECTORS_ABREAST)
            column_store(&call, lots, VECTORS_ABREAST, high, are_whole, p, stream);
        else
            column_store(&call, lots, count, high, are_whole, p, stream);
    }
}
