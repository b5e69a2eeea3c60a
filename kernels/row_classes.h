/*
 * Scans of one row by work-items that take its classes in turns: item and group. CORE_WIDTH classes at a time, which
 * then are neighbours in memory; one at a time, any class stride.
 */

/* A work-item's share: classes first, first + step, ... below end, and for the vectors the tail behind. */
typedef struct {
    ulong first;
    ulong step;
    ulong end; /* of the whole vectors */
    uint tail; /* classes behind them, fewer than CORE_WIDTH */
    ulong class_stride;
} row_share;

static row_share row_share_of(ulong first, ulong step, ulong classes, ulong class_stride)
{
    const uint tail = (uint)(classes % CORE_WIDTH);
    row_share share = {first, step, classes - tail, tail, CORE_WIDTH == 1 ? class_stride : 1};
    return share;
}

/* Logits as an ordinary row has them. */
static core_float row_ordinary(core_float x, row_setting set)
{
    if (TIES && set.kind == CORE_ROW_TIES)
        return core_tie(x, (core_row_float)(set.ties_at));
    return x;
}

/* The same for the tail. What pads it must be no tie, and -inf may be one. */
static core_float row_ordinary_tail(__global const logit_t *x, row_share share, row_setting set)
{
    const float padding = TIES && set.kind == CORE_ROW_TIES ? 0.0f : -CORE_INFINITY;
    return row_ordinary(row_load_tail(x + share.end, share.tail, padding), set);
}

static core_top_t row_scan_top(__global const logit_t *x, row_share share)
{
    row_top lanes = row_top_of_nothing();
    uint step = 0;
    for (ulong i = share.first; i < share.end; i += share.step)
        lanes = row_top_add(lanes, row_load(x + i * share.class_stride), step++);
    if (share.tail)
        lanes = row_top_add(lanes, row_load_tail(x + share.end, share.tail, -CORE_INFINITY), step);

    uint keys[CORE_WIDTH], second_keys[CORE_WIDTH], steps[CORE_WIDTH];
    row_vstore(lanes.key, keys);
    row_vstore(lanes.second_key, second_keys);
    row_vstore(lanes.step, steps);
    core_top_t top = {CORE_KEY_NEGATIVE_INFINITY, CORE_KEY_NEGATIVE_INFINITY, (long)share.first};
    for (uint lane = 0; lane < CORE_WIDTH; lane++) {
        core_top_t other = {keys[lane], second_keys[lane], (long)(share.first + steps[lane] * share.step + lane)};
        top = lane == 0 ? other : core_top_merge(top, other);
    }
    return top;
}

static row_totals row_scan_sums(__global const logit_t *x, row_share share, row_setting set)
{
    const core_row_t row = core_row_of_lanes(set.for_exponentials);
    row_totals totals = row_totals_of_nothing();
    row_lanes_sum sum = row_sum_of_nothing();
    for (ulong i = share.first; i < share.end; i += share.step) {
        sum = row_sum_add(sum, row_ordinary(row_load(x + i * share.class_stride), set), row);
        if (sum.added == CORE_FLUSH_AFTER) {
            row_flush(sum, &totals, 0);
            sum = row_sum_of_nothing();
        }
    }
    if (share.tail)
        sum = row_sum_add(sum, row_ordinary_tail(x, share, set), row);
    row_flush(sum, &totals, 0);
    return totals;
}

/* A result for each logit. */
typedef struct {
    core_row_t row;
    core_two_float sum; /* 1 / sum, or ln(sum) */
    float after;
} row_emission;

static core_float row_result(core_float x, row_emission emission)
{
    if (OPERATION == OPERATION_LOG_SOFTMAX)
        return core_log_probability(x, emission.row, emission.after, emission.sum.high, emission.sum.low);
    return core_probability(core_exponential(x, emission.row), emission.sum.high, emission.sum.low);
}

static void row_emit(__global const logit_t *x, __global result_t *p, row_share share, ulong result_stride,
                     row_setting set, row_totals totals)
{
    const ulong p_stride = CORE_WIDTH == 1 ? result_stride : 1;
    if (!core_row_is_computed(set.kind)) {
        const core_float fill = (core_float)(row_fill_value(set.kind));
        for (ulong i = share.first; i < share.end; i += share.step)
            row_store_tail(fill, p + i * p_stride, CORE_WIDTH);
        row_store_tail(fill, p + share.end, share.tail);
        return;
    }
    const core_two_float value = core_total_value(totals.exponentials);
    const row_emission emission = {core_row_of_lanes(set.for_results),
                                   OPERATION == OPERATION_LOG_SOFTMAX ? core_logarithm(value) : core_reciprocal(value),
                                   set.for_results.after};
    for (ulong i = share.first; i < share.end; i += share.step)
        row_store(row_result(row_ordinary(row_load(x + i * share.class_stride), set), emission), p + i * p_stride);
    if (share.tail)
        row_store_tail(row_result(row_ordinary_tail(x, share, set), emission), p + share.end, share.tail);
}
