/*
 * column with columns that are kept in local memory. So each logit is read once, each exponential computed once, and
 * each result written once. column.cl has the idea.
 *
 * A work-item takes VECTORS_ABREAST vectors of columns of up to ROOM_CLASSES classes. It reads all of them on one way
 * down the classes, computes one vector after another, and writes all of them on one way down.
 *
 * Launch: outer * ceil(inner / COLUMNS) work-groups of one work-item, since local memory belongs to a work-group.
 * The inner strides are 1.
 * Memory: local memory has a room for each vector, in which the exponentials and then the results take the place of
 * the logits; and one for the low halves of the exponentials of one vector. In a sweep the logits have rooms of
 * their own.
 */
#define CORE_ROW_PER_LANE 1
#define ROOM_SPACE __local
#define COLUMNS (CORE_WIDTH * VECTORS_ABREAST)
#include "strategies/column.h"

/* How many classes ahead column_load prefetches; after the last class it goes on with the next columns. Each class may
   be on a page of its own, so no processor reads ahead by itself. It prefetches into the second-level cache, since
   classes whose distance is a power of two share few places in the first-level one. */
#define COLUMN_AHEAD 32

/* Reads `count` vectors of columns into `kept`, on one way down the classes, since the vectors of a class are
   neighbours in memory; and finds their tops. It is compiled twice: for the constant VECTORS_ABREAST, and for the fewer
   vectors at the end of an outer index. */
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
            seen[v] = row_top_add_operand(row_top_add(seen[v], x, (uint)c), lanes_load_operand(call, lots + v, c));
        }
    }
    for (uint v = 0; v < count; v++)
        tops[v] = row_top_of_steps(seen[v]);
}

/* Writes the results of `count` vectors in the same way; p is where the first one goes. */
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
    __local core_float kept[VECTORS_ABREAST * ROOM_CLASSES], low[CORE_LEAN ? 1 : ROOM_CLASSES];
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
        const row_lot lot = {share.row + i,
                             share.count - i < CORE_WIDTH ? share.count - i : CORE_WIDTH,
                             row_logits(&call, share.row + i),
                             logits_layout.LAYOUT_INNER_STRIDE,
                             row_operand(&call, share.row + i),
                             operand_layout.LAYOUT_INNER_STRIDE};
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
            const lanes_room room = {kept + v * ROOM_CLASSES, high + v * ROOM_CLASSES,
                                     CORE_LEAN ? high + v * ROOM_CLASSES : low};
            row_state state = row_state_of(tops[v], row_temperatures(&call, lots[v].row, lots[v].count, k), policies);
            lanes_sum_and_finish(&call, k, lots + v, 1, tops + v, &state, 1, room);
            are_whole[v] = lanes_are_whole(lots + v, &state, results_layout.LAYOUT_INNER_STRIDE);
            for (ulong c = 0; c < classes; c++)
                room.high[c] =
                    lanes_result(room.high[c], room.low[c], lanes_load_operand(&call, lots + v, c), 1, &state);
            lanes_keep_labels(&call, lots + v, &state, room.high);
        }
        if (count == VECTORS_ABREAST)
            column_store(&call, lots, VECTORS_ABREAST, high, are_whole, p, stream);
        else
            column_store(&call, lots, count, high, are_whole, p, stream);
    }
}
