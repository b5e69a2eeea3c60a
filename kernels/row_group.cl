/*
 * group: one work-group per row, neighbouring work-items on neighbouring classes.
 *
 * For GPUs: parallel tree reductions in local memory for the maximum and for the integer sums. Barriers stand only
 * where every work-item of the group passes, and loop bounds that they depend on are the same for all. Reads the row
 * three times. Launch: rows work-groups of WORK_GROUP_SIZE, a power of two; CORE_WIDTH is 1.
 */

/* A tree over the work-items of the group; all get the result. */
#define GROUP_REDUCTION(name, type, merge)                                                                             \
    static type name(type mine, __local type *all)                                                                     \
    {                                                                                                                  \
        const uint item = (uint)get_local_id(0);                                                                       \
        all[item] = mine;                                                                                              \
        for (uint half_size = WORK_GROUP_SIZE / 2; half_size > 0; half_size /= 2) {                                    \
            barrier(CLK_LOCAL_MEM_FENCE);                                                                              \
            if (item < half_size)                                                                                      \
                all[item] = merge(all[item], all[item + half_size]);                                                   \
        }                                                                                                              \
        barrier(CLK_LOCAL_MEM_FENCE);                                                                                  \
        return all[0];                                                                                                 \
    }

GROUP_REDUCTION(group_top, core_top_t, core_top_merge)
GROUP_REDUCTION(group_totals, row_totals, row_totals_merge)

__kernel __attribute__((reqd_work_group_size(WORK_GROUP_SIZE, 1, 1))) void row_group(ROW_ARGUMENTS)
{
    __local core_top_t tops[WORK_GROUP_SIZE];
    __local row_totals sums[WORK_GROUP_SIZE];
    const ulong row = get_group_id(0);
    const uint item = (uint)get_local_id(0);
    __global const logit_t *x = logits + row_offset(logits_layout, row, inner);
    const row_share share = row_share_of(item, WORK_GROUP_SIZE, classes, logits_layout.CLASS_STRIDE);

    const core_top_t top = group_top(row_scan_top(x, share), tops);
    row_state state =
        row_state_of(top.key, row_temperatures(one_temperature, temperatures, first.s0 + row, 1), policies);
    /* A row that is not computed still goes through the sum: its barriers must be passed by all. Nobody uses what it
     * sums. */
    const row_totals totals = group_totals(row_scan_sums(x, share, &state), sums);
    if (item == 0)
        row_finish(&state, top, totals, row, 1, x, 0, logits_layout.CLASS_STRIDE, classes, labels, statistics, first,
                   invalid_rows);
#if STATISTICS
    barrier(CLK_GLOBAL_MEM_FENCE); /* in place, the label's logit must be read before it is written over */
#endif
    if (OPERATION == OPERATION_NONE)
        return;
    state.sum_scale = row_sum_scale(&state, totals);
    row_emit(x, results + row_offset(results_layout, row, inner), share, results_layout.CLASS_STRIDE, &state);
}
