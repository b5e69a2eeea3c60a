/*
 * item: one row per work-item, CORE_WIDTH classes at a time.
 *
 * For CPU devices: no barrier, and the vectors are explicit. Reads the row three times, the last two from cache.
 * Launch: work-items = rows rounded up to a multiple of WORK_GROUP_SIZE.
 */
__kernel __attribute__((reqd_work_group_size(WORK_GROUP_SIZE, 1, 1))) void row_item(ROW_ARGUMENTS)
{
    const ulong row = get_global_id(0);
    if (row >= rows)
        return;
    __global const logit_t *x = logits + row_offset(logits_layout, row, inner);
    const row_share share = row_share_of(0, CORE_WIDTH, classes, logits_layout.CLASS_STRIDE);

    const core_top_t top = row_scan_top(x, share);
    row_state state =
        row_state_of(top.key, row_temperatures(one_temperature, temperatures, first.s0 + row, 1), policies);
    row_totals totals = row_totals_of_nothing();
    if (core_row_is_computed(state.set.kind))
        totals = row_scan_sums(x, share, &state);
    row_finish(&state, top, totals, row, 1, x, 0, logits_layout.CLASS_STRIDE, classes, labels, statistics, first,
               invalid_rows);
    if (OPERATION == OPERATION_NONE)
        return;
    state.sum_scale = row_sum_scale(&state, totals);
    row_emit(x, results + row_offset(results_layout, row, inner), share, results_layout.CLASS_STRIDE, &state);
}
