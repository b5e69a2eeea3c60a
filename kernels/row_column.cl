/*
 * column: neighbouring columns on neighbouring lanes, for a softmax axis that is not the last.
 *
 * A work-item takes CORE_WIDTH neighbouring columns of one outer index, each a row of its own, and goes down the classes:
 * every load is of neighbours in memory, nothing is transposed. Reads the array three times.
 * Launch: outer * ceil(inner / CORE_WIDTH) work-items rounded up to a multiple of WORK_GROUP_SIZE; inner strides 1 if
 * CORE_WIDTH > 1.
 */
__kernel __attribute__((reqd_work_group_size(WORK_GROUP_SIZE, 1, 1))) void row_column(ROW_ARGUMENTS)
{
    const ulong blocks = (inner + CORE_WIDTH - 1) / CORE_WIDTH;
    const ulong outer_index = get_global_id(0) / blocks;
    const ulong column = (get_global_id(0) - outer_index * blocks) * CORE_WIDTH;
    const ulong row = outer_index * inner + column; /* the first lane's */
    if (row >= rows)
        return;
    const lanes l = {logits + row_offset(logits_layout, row, inner), logits_layout.s3, logits_layout.CLASS_STRIDE,
                     classes, (uint)(inner - column < CORE_WIDTH ? inner - column : CORE_WIDTH)};

    row_top seen = row_top_of_nothing();
    for (ulong class_index = 0; class_index < classes; class_index++)
        seen = row_top_add(seen, lanes_load(&l, class_index), (uint)class_index);
    row_state state =
        row_state_of(seen.key, row_temperatures(one_temperature, temperatures, first.s0 + row, l.count), policies);

    row_sums sums = row_sums_of_nothing();
    for (ulong class_index = 0; class_index < classes; class_index++)
        sums = row_sums_add(sums, lanes_ordinary(&l, class_index, &state), &state);
    const row_totals totals = row_flush(sums);
    const core_top_t top = {seen.key, seen.second_key, core_long_of_uint(seen.step)};
    row_finish(&state, top, totals, row, l.count, l.x, l.lane_stride, l.class_stride, classes, labels, statistics,
               first, invalid_rows);
    if (OPERATION == OPERATION_NONE)
        return;
    state.sum_scale = row_sum_scale(&state, totals);
    lanes_emit(&l, &state, results + row_offset(results_layout, row, inner), results_layout.s3,
               results_layout.CLASS_STRIDE);
}
