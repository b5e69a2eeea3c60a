/*
 * column for the statistics of a sweep: the temperatures of a row are on the lanes (TEMPERATURES_ON_LANES), as if each
 * were a column.
 *
 * A work-item takes a row. It reads each logit once for CORE_WIDTH temperatures. What belongs to a row at a temperature
 * is on a lane, so that nothing is added up across lanes.
 *
 * Launch: as many work-items as rows, rounded up to a multiple of WORK_GROUP_SIZE. inner is 1, and there are no
 * results.
 * Memory: none is used beside logits and records.
 */
#define CORE_ROW_PER_LANE 1
#include "strategies/lanes.h"

/* Returns the top of the row, the same on all lanes. Here neighbouring classes are on the lanes, which is faster; it
   needs a class stride of 1. */
static core_top_t column_top(const row_call *call, const row_lot *lot)
{
    const row_vectors vectors = {lot->logits, 1, call->classes, lot->operand, 1};
    const core_one_top one = row_top_of_classes(&vectors);
    const core_top_t top = {(core_row_uint)(one.key), (core_row_uint)(one.second_key), (core_row_long)(one.index),
                            (core_row_uint)(one.operand_key)};
    return top;
}

ROW_KERNEL row_column_temperatures(ROW_PARAMETERS)
{
    const row_call call = ROW_CALL;
    const lanes_room none = {0, 0, 0};
    const ulong row = get_global_id(0);
    if (row >= rows)
        return;
    row_lot lot = {row, CORE_WIDTH, row_logits(&call, row), 0, row_operand(&call, row), 0};
    core_top_t top;
    if (logits_layout.LAYOUT_CLASS_STRIDE == 1 && !HAS_OPERAND)
        top = column_top(&call, &lot);
    else
        lanes_top(&call, &lot, 1, 0, none, &top);
    const uint count = (uint)sweep.SWEEP_COUNT;
    for (uint k = 0; k < count; k += CORE_WIDTH) {
        lot.count = count - k < CORE_WIDTH ? count - k : CORE_WIDTH;
        row_state state = row_state_of(top, row_temperatures(&call, row, lot.count, k), policies);
        lanes_sum_and_finish(&call, k, &lot, 1, &top, &state, 0, none);
    }
}
