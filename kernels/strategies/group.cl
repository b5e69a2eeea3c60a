/*
 * group: one work-group per row.
 *
 * For GPUs. Reads a row once where it fits into the registers of the group, and computes its exponentials once where they
 * fit too; a longer row is read three times. Barriers stand only where every work-item of the group passes.
 * Launch: rows work-groups of WORK_GROUP_SIZE, a power of two.
 */
#include "strategies/chunks.h"

__kernel __attribute__((reqd_work_group_size(WORK_GROUP_SIZE, 1, 1))) void row_group(ROW_ARGUMENTS)
{
    __local local_top tops[WORK_GROUP_SIZE];
    __local local_sums sums[WORK_GROUP_SIZE];
    float lanes[CHUNK_LANES];
    core_pair exponentials[CHUNK_LANES];
    const ulong row = get_group_id(0), class_stride = logits_layout.CLASS_STRIDE;
    const row_part whole = {logits + row_offset(logits_layout, row, inner), class_stride, classes, 0,
                            row_chunks(classes)};
    /* here, where nothing is in registers yet: its division is a call on NVIDIA */
    __global result_t *p = results + row_offset(results_layout, row, inner);

    const row_top seen = part_top(&whole, lanes);
    const core_top_t mine = {seen.key, seen.second_key, (long)seen.step}, top = group_top(mine, tops);
    for (uint k = 0; k < ROW_TEMPERATURE_COUNT; k++, p += sweep.s1) {
        row_state state =
            row_state_of(top.key, row_temperatures(one_temperature, temperatures, first, row, 1, k), policies);
        /* A row that is not computed still goes through the sum: its barriers must be passed by all. Nobody uses what
         * it sums. */
        const row_totals totals = group_totals(part_sums(&whole, lanes, exponentials, &state), sums);
        if (get_local_id(0) == 0)
            row_finish(&state, top, totals, row, 1, whole.x, 0, class_stride, classes, labels,
                       row_records(statistics, first, k), first, invalid_rows);
#if STATISTICS || TEMPERATURES == TEMPERATURES_SWEEP
        /* in place, the label's logit must be read before it is written over; and the sums before those of the next */
        barrier(CLK_GLOBAL_MEM_FENCE | CLK_LOCAL_MEM_FENCE);
#endif
        part_results(&whole, lanes, exponentials, &state, totals, p, results_layout.CLASS_STRIDE);
    }
}
