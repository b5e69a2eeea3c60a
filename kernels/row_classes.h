/*
 * Scans of one row by work-items that take its classes in turns: item and group. CORE_WIDTH classes at a time, which
 * then are neighbours in memory; one at a time, any class stride.
 */

/* A work-item's share: classes first, first + step, ... below end, and for the vectors the tail behind. */
typedef struct {
    ulong first;
    ulong step;
    ulong end; /* of the whole vectors */
    uint tail; /* classes behind them, fewer than CORE_WIDTH; of one work-item only */
    ulong class_stride;
} row_share;

static row_share row_share_of(ulong first, ulong step, ulong classes, ulong class_stride)
{
    const uint tail = (uint)(classes % CORE_WIDTH);
    row_share share = {first, step, classes - tail, first == 0 ? tail : 0, CORE_WIDTH == 1 ? class_stride : 1};
    return share;
}

/* What pads the tail must be no tie, and -inf may be one. */
static core_float row_ordinary_tail(__global const logit_t *x, row_share share, const row_state *row)
{
    const float padding = TIES && row->set.kind == CORE_ROW_TIES ? 0.0f : -CORE_INFINITY;
    return row_ordinary(row_load_tail(x + share.end, share.tail, padding), row);
}

static core_top_t row_scan_top(__global const logit_t *x, row_share share)
{
    row_top lanes = row_top_of_nothing();
    uint step = 0;
    for (ulong i = share.first; i < share.end; i += share.step)
        lanes = row_top_add(lanes, row_load(x + i * share.class_stride), step++);
    /* the tail's place among the steps is found by number */
    if (share.tail)
        lanes = row_top_add(lanes, row_load_tail(x + share.end, share.tail, -CORE_INFINITY), step);

    uint keys[CORE_WIDTH], second_keys[CORE_WIDTH], steps[CORE_WIDTH];
    row_vstore(lanes.key, keys);
    row_vstore(lanes.second_key, second_keys);
    row_vstore(lanes.step, steps);
    core_top_t top = {CORE_KEY_NEGATIVE_INFINITY, CORE_KEY_NEGATIVE_INFINITY, (long)share.first};
    for (uint lane = 0; lane < CORE_WIDTH; lane++) {
        const ulong begin = share.tail && steps[lane] == step ? share.end : share.first + steps[lane] * share.step;
        core_top_t other = {keys[lane], second_keys[lane], (long)(begin + lane)};
        top = lane == 0 ? other : core_top_merge(top, other);
    }
    return top;
}

static row_totals row_scan_sums(__global const logit_t *x, row_share share, const row_state *row)
{
    row_sums sums = row_sums_of_nothing();
    for (ulong i = share.first; i < share.end; i += share.step)
        sums = row_sums_add(sums, row_ordinary(row_load(x + i * share.class_stride), row), row);
    if (share.tail)
        sums = row_sums_add(sums, row_ordinary_tail(x, share, row), row);
    return row_flush(sums);
}

static void row_emit(__global const logit_t *x, __global result_t *p, row_share share, ulong result_stride,
                     const row_state *row)
{
    const ulong p_stride = CORE_WIDTH == 1 ? result_stride : 1;
    if (!core_row_is_computed(row->set.kind)) {
        const core_float fill = (core_float)(row_fill_value(row->set.kind));
        for (ulong i = share.first; i < share.end; i += share.step)
            row_store_tail(fill, p + i * p_stride, CORE_WIDTH);
        row_store_tail(fill, p + share.end, share.tail);
        return;
    }
    for (ulong i = share.first; i < share.end; i += share.step)
        row_store(row_result(row_ordinary(row_load(x + i * share.class_stride), row), row), p + i * p_stride);
    if (share.tail)
        row_store_tail(row_result(row_ordinary_tail(x, share, row), row), p + share.end, share.tail);
}
