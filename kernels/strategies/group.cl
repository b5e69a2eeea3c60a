/*
 * group: one work-group for each row, which it keeps in its registers. This is the main strategy for GPUs. plain.cl is
 * the same idea without the registers: read that first.
 *
 * The group goes through its row in chunks, of which each work-item holds a few logits (chunks.h). It reads a row of
 * one chunk once, and computes its exponentials once if they fit the registers too. It reads a longer row three times.
 *
 * Launch: one work-group of WORK_GROUP_SIZE work-items, a power of two, for each row.
 * Memory: chunks are in registers; local memory has a top and the sums of each work-item while they are reduced.
 */
#include "strategies/chunks.h"

ROW_KERNEL row_group(ROW_PARAMETERS)
{
    const row_call call = ROW_CALL;
    __local local_top tops[WORK_GROUP_SIZE];
    __local local_sums sums[WORK_GROUP_SIZE];
    chunk_registers mine;
    const ulong row = get_group_id(0), class_stride = logits_layout.LAYOUT_CLASS_STRIDE;
    const row_part whole = {row_logits(&call, row),
                            class_stride,
                            classes,
                            0,
                            row_chunks(classes),
                            row_operand(&call, row),
                            operand_layout.LAYOUT_CLASS_STRIDE};
    const row_lot lot = {row, 1, whole.x, 0};
    /* The place is computed here, where nothing is in registers yet: its division is a function call on NVIDIA. */
    __global result_t *p = row_results(&call, row);

    const core_top_t top = group_top(part_top(&whole, mine.logits), tops);
    for (uint k = 0; k < ROW_TEMPERATURE_COUNT(&call); k++, p += sweep.SWEEP_STRIDE) {
        row_state state = row_state_of(top, row_temperatures(&call, row, 1, k), policies);
        const core_loss_inputs_t inputs = row_inputs_of(&call, lot); /* before the sums' barriers, see below */
        /* A row that is not computed goes through its sums as well, although they are not used. */
        row_totals totals = row_totals_of_nothing();
        for (uint phase = 0; phase <= HAS_LATER_TERMS; phase++) {
            if (phase > 0) {
                row_go_later(&call, &state, totals);
                barrier(CLK_LOCAL_MEM_FENCE); /* all must have read the first sums */
            }
            totals = row_totals_merge(totals, group_totals(part_sums(&whole, &mine, &state), sums));
        }
        state.operation.end = row_end_of(&state, totals, inputs);
        if (get_local_id(0) == 0)
            row_finish(&call, k, lot, &state, top, totals, inputs);
#if TEMPERATURES == TEMPERATURES_SWEEP
        /* Before the sums at the next temperature are written, all must have read these. (And before results are
           written, which may take the place of logits, all have read the logit of the label: the sums have barriers.)
         */
        barrier(CLK_LOCAL_MEM_FENCE);
#endif
        part_results(&whole, &mine, &state, p, results_layout.LAYOUT_CLASS_STRIDE);
        if (HAS_RESULTS && part_has_label(&whole, row_label(&call, lot, 0)))
            row_store_labels(&call, lot, &state, p, 0);
    }
}
