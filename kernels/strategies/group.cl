/*
 * group: one work-group to a row, which it keeps in registers.
 *
 * For GPUs. The group reads a row once if it fits into its registers, and computes its exponentials once if they fit as
 * well; it reads a longer row three times. plain.cl is the same idea without the registers: read that first.
 *
 * Barriers stand only where every work-item of the group passes.
 * Launch: as many work-groups of WORK_GROUP_SIZE, a power of two, as there are rows.
 */
#include "strategies/chunks.h"

ROW_KERNEL row_group(ROW_PARAMETERS)
{
    const row_call call = ROW_CALL;
    __local local_top tops[WORK_GROUP_SIZE];
    __local local_sums sums[WORK_GROUP_SIZE];
    chunk_registers mine;
    const ulong row = get_group_id(0), class_stride = logits_layout.LAYOUT_CLASS_STRIDE;
    const row_part whole = {row_logits(&call, row), class_stride, classes, 0, row_chunks(classes)};
    const row_lot lot = {row, 1, whole.x, 0};
    /* found here, where nothing is in registers yet: its division is a call on NVIDIA */
    __global result_t *p = row_results(&call, row);

    const core_top_t top = group_top(part_top(&whole, mine.logits), tops);
    for (uint k = 0; k < ROW_TEMPERATURE_COUNT(&call); k++, p += sweep.SWEEP_STRIDE) {
        row_state state = row_state_of(top.key, row_temperatures(&call, row, 1, k), policies);
        /* A row that is not computed still goes through its sums, which nobody uses: all work-items must pass the
         * barriers. */
        const row_totals totals = group_totals(part_sums(&whole, &mine, &state), sums);
        if (get_local_id(0) == 0)
            row_finish(&call, k, lot, &state, top, totals);
#if STATISTICS || TEMPERATURES == TEMPERATURES_SWEEP
        /* In place, the label's logit must be read before a result takes its place; and these sums before the next ones. */
        barrier(CLK_GLOBAL_MEM_FENCE | CLK_LOCAL_MEM_FENCE);
#endif
        part_results(&whole, &mine, &state, totals, p, results_layout.LAYOUT_CLASS_STRIDE);
    }
}
