/*
 * column: neighbouring columns on neighbouring lanes, for a softmax axis that is not the last.
 *
 * A work-item takes CORE_WIDTH neighbouring columns of one outer index, each a row of its own (CORE_ROW_PER_LANE is
 * defined), and goes down the classes: every load is of neighbours in memory, nothing is transposed. Reads the array
 * three times.
 * Launch: outer * ceil(inner / CORE_WIDTH) work-items rounded up to a multiple of WORK_GROUP_SIZE; inner strides 1 if
 * CORE_WIDTH > 1.
 */

/* The columns of a work-item: where their logits stand, and what is known of each lane's row. */
typedef struct {
    __global const logit_t *x;
    ulong class_stride;
    ulong classes;
    uint count; /* of lanes that are columns; the others are idle */
    row_setting set[CORE_WIDTH];
    core_float ties_at; /* the logit that ties; NaN, which equals nothing, where the row is not one of ties */
} columns;

/* The logits of a class, as they are. */
static core_float column_load(const columns *c, ulong class_index)
{
    __global const logit_t *address = c->x + class_index * c->class_stride;
    return c->count == CORE_WIDTH ? row_load(address) : row_load_tail(address, c->count, -CORE_INFINITY);
}

/* The same as ordinary rows have them. */
static core_float column_load_ordinary(const columns *c, ulong class_index)
{
    const core_float x = column_load(c, class_index);
    if (!TIES)
        return x;
    return c->ties_at == c->ties_at ? core_tie(x, c->ties_at) : x;
}

/* The largest logits of each lane. */
static row_top column_scan_top(const columns *c)
{
    row_top top = row_top_of_nothing();
    for (ulong class_index = 0; class_index < c->classes; class_index++)
        top = row_top_add(top, column_load(c, class_index), (uint)class_index);
    return top;
}

/* What the maxima make of each lane's row. */
static void column_set(columns *c, const uint *keys, float one_temperature, __global const float *temperatures,
                       uint policies)
{
    float ties_at[CORE_WIDTH];
    for (uint lane = 0; lane < CORE_WIDTH; lane++) {
        const uint row = lane < c->count ? lane : 0;
        c->set[lane] = row_set(keys[lane], row_temperature(one_temperature, temperatures, row), policies);
        ties_at[lane] = c->set[lane].kind == CORE_ROW_TIES ? c->set[lane].ties_at : core_float_of_bits(CORE_NAN_BITS);
    }
    c->ties_at = row_vload(ties_at);
}

/* The rows of all lanes as vectors: for exponentials, or for the operation's results. */
static core_row_t column_rows(const columns *c, int for_results)
{
    float scale[CORE_WIDTH], maximum[CORE_WIDTH], high[CORE_WIDTH], low[CORE_WIDTH];
    for (uint lane = 0; lane < CORE_WIDTH; lane++) {
        const core_one_row_t one = for_results ? c->set[lane].for_results : c->set[lane].for_exponentials;
        scale[lane] = one.scale;
        maximum[lane] = one.maximum;
        high[lane] = one.reciprocal_high;
        low[lane] = one.reciprocal_low;
    }
    core_row_t rows = {row_vload(scale), row_vload(maximum), row_vload(high), row_vload(low)};
    return rows;
}

static void column_scan_sums(const columns *c, row_totals *totals)
{
    const core_row_t rows = column_rows(c, 0);
    row_lanes_sum sum = row_sum_of_nothing();
    for (uint lane = 0; lane < CORE_WIDTH; lane++)
        totals[lane] = row_totals_of_nothing();
    for (ulong class_index = 0; class_index < c->classes; class_index++) {
        sum = row_sum_add(sum, column_load_ordinary(c, class_index), rows);
        if (sum.added == CORE_FLUSH_AFTER) {
            row_flush(sum, totals, 1);
            sum = row_sum_of_nothing();
        }
    }
    row_flush(sum, totals, 1);
}

/* What turns logits into results, for all lanes. */
typedef struct {
    core_row_t rows;
    core_float after, high, low; /* high + low: 1 / sum, or ln(sum) */
    core_float fill;             /* the result of rows that are not computed */
    core_int is_filled;          /* lanes that take it, as a vector comparison gives */
    int any_filled;
} column_emission;

static column_emission column_emission_of(const columns *c, const row_totals *totals)
{
    float after[CORE_WIDTH], high[CORE_WIDTH], low[CORE_WIDTH], fill[CORE_WIDTH], filled[CORE_WIDTH];
    column_emission emission;
    emission.any_filled = 0;
    for (uint lane = 0; lane < CORE_WIDTH; lane++) {
        const int kind = c->set[lane].kind, is_filled = !core_row_is_computed(kind);
        const core_two_float sum = core_total_value(totals[lane].exponentials);
        const core_two_float scale = OPERATION == OPERATION_LOG_SOFTMAX ? core_logarithm(sum) : core_reciprocal(sum);
        after[lane] = c->set[lane].for_results.after;
        high[lane] = scale.high;
        low[lane] = scale.low;
        fill[lane] = row_fill_value(kind);
        filled[lane] = is_filled ? 1.0f : 0.0f;
        emission.any_filled |= is_filled;
    }
    emission.rows = column_rows(c, 1);
    emission.after = row_vload(after);
    emission.high = row_vload(high);
    emission.low = row_vload(low);
    emission.fill = row_vload(fill);
    emission.is_filled = row_vload(filled) != (core_float)(0.0f);
    return emission;
}

static void column_emit(const columns *c, const column_emission *e, __global result_t *p, ulong class_stride)
{
    const int all_lanes = c->count == CORE_WIDTH && !e->any_filled;
    for (ulong class_index = 0; class_index < c->classes; class_index++) {
        const core_float x = column_load_ordinary(c, class_index);
        core_float result = OPERATION == OPERATION_LOG_SOFTMAX
                                ? core_log_probability(x, e->rows, e->after, e->high, e->low)
                                : core_probability(core_exponential(x, e->rows), e->high, e->low);
        result = e->is_filled ? e->fill : result;
        if (all_lanes)
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
    columns c;
    c.x = logits + row_offset(logits_layout, row, inner);
    c.class_stride = logits_layout.CLASS_STRIDE;
    c.classes = classes;
    c.count = (uint)(inner - column < CORE_WIDTH ? inner - column : CORE_WIDTH);

    const row_top top = column_scan_top(&c);
    uint keys[CORE_WIDTH], second_keys[CORE_WIDTH], steps[CORE_WIDTH];
    row_vstore(top.key, keys);
    row_vstore(top.second_key, second_keys);
    row_vstore(top.step, steps);
    column_set(&c, keys, one_temperature, temperatures + (TEMPERATURE_PER_ROW ? first.s0 + row : 0), policies);

    row_totals totals[CORE_WIDTH];
    column_scan_sums(&c, totals);
    for (uint lane = 0; lane < c.count; lane++) {
        const core_top_t lane_top = {keys[lane], second_keys[lane], (long)steps[lane]};
        row_finish(c.set[lane], lane_top, totals[lane], row + lane, c.x + lane * logits_layout.s3, c.class_stride,
                   classes, labels, statistics, first, invalid_rows);
    }
    if (OPERATION == OPERATION_NONE)
        return;
    const column_emission emission = column_emission_of(&c, totals);
    column_emit(&c, &emission, results + row_offset(results_layout, row, inner), results_layout.CLASS_STRIDE);
}
