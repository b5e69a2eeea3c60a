/*
 * column: neighbouring columns on neighbouring lanes, for a softmax axis that is not the last.
 *
 * A work-item takes CORE_WIDTH neighbouring columns of one outer index, each a row of its own (CORE_ROW_PER_LANE is
 * defined), and goes down the classes: every load is of neighbours in memory, nothing is transposed. Reads the array
 * three times.
 * Launch: outer * ceil(inner / CORE_WIDTH) work-items rounded up to a multiple of WORK_GROUP_SIZE; inner strides 1 if
 * CORE_WIDTH > 1.
 */

/* The columns of a work-item. */
typedef struct {
    __global const logit_t *x;
    ulong class_stride;
    ulong classes;
    uint count; /* of lanes that are columns; the others are idle */
} columns;

/* The logits of a class, as they are. */
static core_float column_load(const columns *c, ulong class_index)
{
    __global const logit_t *address = c->x + class_index * c->class_stride;
    return c->count == CORE_WIDTH ? row_load(address) : row_load_tail(address, c->count, -CORE_INFINITY);
}

static row_top column_scan_top(const columns *c)
{
    row_top top = row_top_of_nothing();
    for (ulong class_index = 0; class_index < c->classes; class_index++)
        top = row_top_add(top, column_load(c, class_index), (uint)class_index);
    return top;
}

static row_totals column_scan_sums(const columns *c, const row_state *rows)
{
    row_sums sums = row_sums_of_nothing();
    for (ulong class_index = 0; class_index < c->classes; class_index++)
        sums = row_sums_add(sums, row_ordinary(column_load(c, class_index), rows), rows);
    return row_flush(sums);
}

static void column_emit(const columns *c, const row_state *rows, __global result_t *p, ulong class_stride)
{
    const core_row_int is_computed = core_row_is_computed(rows->set.kind);
    const core_row_float fill = row_fill_value(rows->set.kind);
    const int whole = c->count == CORE_WIDTH && row_all(is_computed);
    for (ulong class_index = 0; class_index < c->classes; class_index++) {
        core_float result = row_result(row_ordinary(column_load(c, class_index), rows), rows);
        result = is_computed ? result : fill;
        if (whole)
            row_store(result, p + class_index * class_stride);
        else
            row_store_tail(result, p + class_index * class_stride, c->count);
    }
}

__kernel __attribute__((reqd_work_group_size(WORK_GROUP_SIZE, 1, 1))) void row_column(ROW_ARGUMENTS)
{
    const ulong blocks = (inner + CORE_WIDTH - 1) / CORE_WIDTH;
    const ulong outer_index = get_global_id(0) / blocks;
    const ulong column = (get_global_id(0) - outer_index * blocks) * CORE_WIDTH;
    const ulong row = outer_index * inner + column; /* the first lane's */
    if (row >= rows)
        return;
    const columns c = {logits + row_offset(logits_layout, row, inner), logits_layout.CLASS_STRIDE, classes,
                       (uint)(inner - column < CORE_WIDTH ? inner - column : CORE_WIDTH)};

    const row_top seen = column_scan_top(&c);
    row_state state =
        row_state_of(seen.key, row_temperatures(one_temperature, temperatures, first.s0 + row, c.count), policies);
    const row_totals totals = column_scan_sums(&c, &state);
    const core_top_t top = {seen.key, seen.second_key, core_long_of_uint(seen.step)};
    row_finish(&state, top, totals, row, c.count, c.x, logits_layout.s3, c.class_stride, classes, labels, statistics,
               first, invalid_rows);
    if (OPERATION == OPERATION_NONE)
        return;
    state.sum_scale = row_sum_scale(&state, totals);
    column_emit(&c, &state, results + row_offset(results_layout, row, inner), results_layout.CLASS_STRIDE);
}
