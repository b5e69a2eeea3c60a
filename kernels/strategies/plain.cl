/*
 * plain: softmax of one row by one work-group, as a textbook has it. This is the kernel to read first; it is there to be
 * learnt from and to be a lower bar for the others, whose bits it has. "auto" never takes it.
 *
 * The work-items of a group share a row: item i has the classes i, i + WORK_GROUP_SIZE, and so on. Each goes through its own
 * classes, and a tree in local memory makes one value of all: half of the items merge the values of the other half, then a
 * quarter, until the first item has everything. A barrier stands between two steps of a tree, where all items pass.
 * Launch: as many work-groups of WORK_GROUP_SIZE, a power of two, as there are rows.
 */
#include "strategies/phases.h"

/* Makes `all[0]` the merger of the values that the items of the group put into `all`. */
#define PLAIN_TREE(all, item, merge)                                                                                   \
    for (uint half_size = WORK_GROUP_SIZE / 2; half_size > 0; half_size /= 2) {                                        \
        barrier(CLK_LOCAL_MEM_FENCE);                                                                                  \
        if (item < half_size)                                                                                          \
            all[item] = merge(all[item], all[item + half_size]);                                                       \
    }                                                                                                                  \
    barrier(CLK_LOCAL_MEM_FENCE)

ROW_KERNEL row_plain(ROW_PARAMETERS)
{
    const row_call call = ROW_CALL;
    __local core_top_t tops[WORK_GROUP_SIZE];
    __local row_totals totals[WORK_GROUP_SIZE];
    const ulong row = get_group_id(0), stride = logits_layout.LAYOUT_CLASS_STRIDE;
    const uint item = (uint)get_local_id(0);
    const row_lot lot = {row, 1, row_logits(&call, row), 0};
    __global result_t *p = row_results(&call, row);

    /* 1. The maximum, as an integer that orders floats: it is the same in whatever order the logits come. */
    row_top seen = row_top_of_nothing();
    for (ulong c = item; c < classes; c += WORK_GROUP_SIZE)
        seen = row_top_add(seen, row_load_one(lot.logits + c * stride), (uint)c);
    const core_top_t mine = {seen.key, seen.second_key, (long)seen.step};
    tops[item] = mine;
    PLAIN_TREE(tops, item, core_top_merge);
    const core_top_t top = tops[0];

    for (uint k = 0; k < ROW_TEMPERATURE_COUNT(&call); k++, p += sweep.SWEEP_STRIDE) {
        row_state state = row_state_of(top.key, row_temperatures(&call, row, 1, k), policies);

        /* 2. The sum of exp((x - maximum) / T), as integers: it, too, is the same in whatever order. */
        row_sums sums = row_sums_of_nothing();
        for (ulong c = item; c < classes; c += WORK_GROUP_SIZE)
            sums = row_sums_add(sums, row_ordinary(row_load_one(lot.logits + c * stride), &state), &state);
        totals[item] = row_flush(sums);
        PLAIN_TREE(totals, item, row_totals_merge);
        const row_totals total = totals[0];
        if (item == 0)
            row_finish(&call, k, lot, &state, top, total);
        barrier(CLK_GLOBAL_MEM_FENCE |
                CLK_LOCAL_MEM_FENCE); /* in place, a label's logit is read before it is written */

        /* 3. The results: exp((x - maximum) / T) / sum. */
        state.operation.end = row_end_of(&state, total);
        const int is_computed = core_row_is_computed(state.set.kind);
        for (ulong c = item; HAS_RESULTS && c < classes; c += WORK_GROUP_SIZE) {
            const float x = row_ordinary(row_load_one(lot.logits + c * stride), &state);
            const float result = is_computed ? row_result(x, &state) : row_fill_value(state.set.kind);
            row_store_one(result, p + c * results_layout.LAYOUT_CLASS_STRIDE);
        }
    }
}
