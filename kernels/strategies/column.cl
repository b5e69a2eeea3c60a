/*
 * column: neighbouring columns on neighbouring lanes, for a softmax axis that is not the last. Each column is a row:
 * its classes are far apart in memory, and the next column is its neighbour.
 *
 * A work-item takes CORE_WIDTH neighbouring columns of one outer index, and goes down the classes. Every load is of
 * neighbours in memory, and nothing is transposed. This kernel reads its columns three times. column_kept.cl keeps them
 * in local memory, and column_temperatures.cl puts the temperatures of one row on the lanes.
 *
 * Launch: outer * ceil(inner / CORE_WIDTH) work-items, rounded up to a multiple of WORK_GROUP_SIZE. The inner
 * strides are 1 if CORE_WIDTH > 1.
 * Memory: none is used beside logits and results.
 */
#define CORE_ROW_PER_LANE 1
#define COLUMNS CORE_WIDTH
#include "strategies/column.h"

ROW_KERNEL row_column(ROW_PARAMETERS)
{
    const row_call call = ROW_CALL;
    const lanes_room none = {0, 0, 0};
    const int stream = row_wants_stream(&call);
    const column_share share = column_share_of(&call);
    if (share.count == 0)
        return;
    const row_lot lot = {share.row,
                         share.count,
                         row_logits(&call, share.row),
                         logits_layout.LAYOUT_INNER_STRIDE,
                         row_operand(&call, share.row),
                         operand_layout.LAYOUT_INNER_STRIDE};
    core_top_t top;
    lanes_top(&call, &lot, 1, 0, none, &top);
    __global result_t *p = row_results(&call, share.row);
    for (uint k = 0; k < ROW_TEMPERATURE_COUNT(&call); k++, p += sweep.SWEEP_STRIDE) {
        row_state state = row_state_of(top, row_temperatures(&call, share.row, lot.count, k), policies);
        lanes_sum_and_finish(&call, k, &lot, 1, &top, &state, 0, none);
        if (HAS_RESULTS)
            lanes_emit(&call, &lot, &state, p, results_layout.LAYOUT_INNER_STRIDE, stream);
    }
}
