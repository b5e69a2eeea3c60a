/*
 * column: neighbouring columns on neighbouring lanes, for a softmax axis that is not the last.
 *
 * A work-item takes CORE_WIDTH neighbouring columns of one outer index, each a row of its own, and goes down the
 * classes: every load is of neighbours in memory, nothing is transposed. CORE_ROW_PER_LANE is defined. Reads the matrix
 * three times. Launch: outer * ceil(inner / CORE_WIDTH) work-items rounded up to a multiple of WORK_GROUP_SIZE; inner
 * strides 1 if CORE_WIDTH > 1.
 */

/* The rows of a work-item's lanes. */
typedef struct {
    row_setting set[CORE_WIDTH];
    core_row_t row;         /* for exponentials */
    core_row_float ties_at; /* NaN, which equals nothing, where the row is not one of ties */
    core_float after;
} column_settings;

/* The rows of all lanes as vectors; for logarithms if `logarithms`. */
static core_row_t column_rows(const row_setting *set, int logarithms)
{
    float scale[CORE_WIDTH], maximum[CORE_WIDTH], high[CORE_WIDTH], low[CORE_WIDTH];
    for (uint i = 0; i < CORE_WIDTH; i++) {
        const core_one_row_t one =
            logarithms ? set[i].one : core_row(core_temperature(set[i].temperature), set[i].maximum);
        scale[i] = one.scale;
        maximum[i] = one.maximum;
        high[i] = one.reciprocal_high;
        low[i] = one.reciprocal_low;
    }
    core_row_t rows = {row_vload(scale), row_vload(maximum), row_vload(high), row_vload(low)};
    return rows;
}

static core_float column_load(__global const logit_t *address, uint count)
{
    return count == CORE_WIDTH ? row_load(address) : row_load_tail(address, count, -CORE_INFINITY);
}

/* Lanes of rows of ties as ordinary rows have them. */
static core_float column_ordinary(core_float x, core_float is_ties, core_float ties_at)
{
    if (!TIES)
        return x;
    return is_ties != (core_float)(0.0f) ? core_tie(x, ties_at) : x;
}

__kernel __attribute__((reqd_work_group_size(WORK_GROUP_SIZE, 1, 1))) void row_column(ROW_ARGUMENTS)
{
    const ulong blocks = (inner + CORE_WIDTH - 1) / CORE_WIDTH;
    const ulong outer_index = get_global_id(0) / blocks;
    const ulong column = (get_global_id(0) - outer_index * blocks) * CORE_WIDTH;
    const ulong first_row = outer_index * inner + column;
    if (first_row >= rows)
        return;
    const uint count = (uint)(inner - column < CORE_WIDTH ? inner - column : CORE_WIDTH);
    const ulong x_stride = logits_layout.CLASS_STRIDE, p_stride = results_layout.CLASS_STRIDE;
    __global const logit_t *x = logits + row_offset(logits_layout, first_row, inner);

    row_top lanes = row_top_of_nothing();
    for (ulong c = 0; c < classes; c++)
        lanes = row_top_add(lanes, column_load(x + c * x_stride, count), (uint)c);

    uint keys[CORE_WIDTH], second_keys[CORE_WIDTH], steps[CORE_WIDTH];
    row_vstore(lanes.key, keys);
    row_vstore(lanes.second_key, second_keys);
    row_vstore(lanes.step, steps);
    row_setting set[CORE_WIDTH];
    float ties[CORE_WIDTH], ties_values[CORE_WIDTH], after_values[CORE_WIDTH];
    for (uint i = 0; i < CORE_WIDTH; i++) {
        const ulong row = first_row + (i < count ? i : 0);
        set[i] = row_set(keys[i], row_temperature(one_temperature, temperatures, first.s0 + row), policies);
        ties[i] = set[i].kind == CORE_ROW_TIES ? 1.0f : 0.0f;
        ties_values[i] = set[i].ties_at;
        after_values[i] = set[i].one.after;
    }
    const core_float is_ties = row_vload(ties), ties_at = row_vload(ties_values), after = row_vload(after_values);

    const core_row_t row = column_rows(set, 0);
    row_totals totals[CORE_WIDTH];
    for (uint i = 0; i < CORE_WIDTH; i++)
        totals[i] = row_totals_of_nothing();
    row_lanes_sum sum = row_sum_of_nothing();
    for (ulong c = 0; c < classes; c++) {
        sum = row_sum_add(sum, column_ordinary(column_load(x + c * x_stride, count), is_ties, ties_at), row);
        if (sum.added == CORE_FLUSH_AFTER) {
            row_flush(sum, totals, 1);
            sum = row_sum_of_nothing();
        }
    }
    row_flush(sum, totals, 1);

    float high_values[CORE_WIDTH], low_values[CORE_WIDTH], fills[CORE_WIDTH], fill_values[CORE_WIDTH];
    for (uint i = 0; i < CORE_WIDTH; i++) {
        const core_two_float value = core_total_value(totals[i].exponentials);
        const core_two_float scaled =
            OPERATION == OPERATION_LOG_SOFTMAX ? core_logarithm(value) : core_reciprocal(value);
        high_values[i] = scaled.high;
        low_values[i] = scaled.low;
        fills[i] = set[i].kind == CORE_ROW_NAN || set[i].kind == CORE_ROW_ZERO ? 1.0f : 0.0f;
        fill_values[i] = row_fill_value(set[i].kind);
        core_top_t top = {keys[i], second_keys[i], (long)steps[i]};
        if (i < count)
            row_finish(set[i], top, totals[i], first_row + i, x + i * logits_layout.s3, x_stride, classes, labels,
                       statistics, first, invalid_rows);
    }
    if (OPERATION == OPERATION_NONE)
        return;
    const core_float high = row_vload(high_values), low = row_vload(low_values);
    const core_float is_fill = row_vload(fills), fill = row_vload(fill_values);
    const core_row_t last_row = column_rows(set, 1);
    __global result_t *p = results + row_offset(results_layout, first_row, inner);
    int any_fill = 0;
    for (uint i = 0; i < CORE_WIDTH; i++)
        any_fill |= fills[i] != 0.0f;
    for (ulong c = 0; c < classes; c++) {
        const core_float logit = column_ordinary(column_load(x + c * x_stride, count), is_ties, ties_at);
        core_float result = OPERATION == OPERATION_LOG_SOFTMAX
                                ? core_log_probability(logit, last_row, after, high, low)
                                : core_probability(core_exponential(logit, last_row), high, low);
        result = is_fill != (core_float)(0.0f) ? fill : result;
        if (count == CORE_WIDTH && !any_fill)
            row_store(result, p + c * p_stride);
        else
            row_store_tail(result, p + c * p_stride, count);
    }
}
