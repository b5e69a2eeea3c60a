/*
 * item: one row after another in each work-item, CORE_WIDTH classes at a time.
 *
 * For CPU devices: no barrier, and the vectors are explicit. The exponentials of a row of up to KEPT_CLASSES are kept in local
 * memory between the sum and the results, so that each is computed once, and results that no cache would hold are written past
 * the caches, if the compiler knows how. Longer rows are read three times, the last two from cache.
 * Launch: any number of work-items, a multiple of WORK_GROUP_SIZE, which is 1 if rows are kept; each takes its share of rows.
 */
#if KEPT_CLASSES
#define ITEM_HIGH(i) (kept + (i))
#define ITEM_LOW(i) (kept + KEPT_CLASSES + (i))

/* An element of results is not worth a place in a cache above this many bytes of them. */
#define STREAM_BYTES ((ulong)8 << 20)

#if defined(__has_builtin)
#if __has_builtin(__builtin_nontemporal_store) && RESULTS_DTYPE == DTYPE_F32
#define ITEM_STREAMS 1
#endif
#endif

/* At an address that is a multiple of a vector's size. */
static void item_stream(core_float value, __global result_t *address)
{
#ifdef ITEM_STREAMS
    __builtin_nontemporal_store(value, (__global core_float *)address);
#else
    row_store(value, address);
#endif
}

/* The same as row_scan_sums, for a whole row; leaves pairs in `kept`. */
static row_totals item_keep_sums(__global const logit_t *x, row_share share, const row_state *row, __local float *kept)
{
    row_sums sums = row_sums_of_nothing();
    for (ulong i = 0; i < share.end + share.tail; i += CORE_WIDTH) {
        const core_float ordinary =
            i < share.end ? row_ordinary(row_load(x + i), row) : row_ordinary_tail(x, share, row);
        const core_pair e = core_exponential(ordinary, row->set.row);
        row_vstore(e.high, ITEM_HIGH(i));
        row_vstore(e.low, ITEM_LOW(i));
        sums = row_sums_settle(row_sums_add_pair(sums, e, ordinary, row));
    }
    return row_flush(sums);
}

static core_float item_probability(const row_state *row, __local const float *kept, ulong i)
{
    const core_pair e = {row_vload(ITEM_HIGH(i)), row_vload(ITEM_LOW(i))};
    return core_probability(e, row->sum_scale.high, row->sum_scale.low);
}

/* Whole vectors begin where a vector's size divides the address; `kept` has room for a vector behind its last. */
static void item_emit_kept(const row_state *row, __local const float *kept, __global result_t *p, ulong classes,
                           int stream)
{
    const ulong past = ((ulong)p / sizeof(result_t)) % CORE_WIDTH;
    ulong i = past ? CORE_WIDTH - past : 0;
    i = i < classes ? i : classes;
    if (i > 0)
        row_store_tail(item_probability(row, kept, 0), p, (uint)i);
    for (; stream && i + CORE_WIDTH <= classes; i += CORE_WIDTH)
        item_stream(item_probability(row, kept, i), p + i);
    for (; i + CORE_WIDTH <= classes; i += CORE_WIDTH)
        row_store(item_probability(row, kept, i), p + i);
    if (i < classes)
        row_store_tail(item_probability(row, kept, i), p + i, (uint)(classes - i));
}
#endif

__kernel __attribute__((reqd_work_group_size(WORK_GROUP_SIZE, 1, 1))) void row_item(ROW_ARGUMENTS)
{
#if KEPT_CLASSES
    __local float kept[2 * KEPT_CLASSES + CORE_WIDTH];
    const int stream = (__global const void *)logits != (__global const void *)results &&
                       rows * classes * sizeof(result_t) > STREAM_BYTES;
#endif
    const ulong share_of_rows = (rows + get_global_size(0) - 1) / get_global_size(0);
    const ulong begin = get_global_id(0) * share_of_rows;
    const ulong end = begin + share_of_rows < rows ? begin + share_of_rows : rows;
    const row_share share = row_share_of(0, CORE_WIDTH, classes, logits_layout.CLASS_STRIDE);
    for (ulong row = begin; row < end; row++) {
        __global const logit_t *x = logits + row_offset(logits_layout, row, inner);
        const core_top_t top = row_scan_top(x, share);
        row_state state =
            row_state_of(top.key, row_temperatures(one_temperature, temperatures, first.s0 + row, 1), policies);
        const int is_computed = core_row_is_computed(state.set.kind);
        row_totals totals = row_totals_of_nothing();
        if (is_computed)
#if KEPT_CLASSES
            totals = item_keep_sums(x, share, &state, kept);
#else
            totals = row_scan_sums(x, share, &state);
#endif
        row_finish(&state, top, totals, row, 1, x, 0, logits_layout.CLASS_STRIDE, classes, labels, statistics, first,
                   invalid_rows);
        if (OPERATION == OPERATION_NONE)
            continue;
        state.sum_scale = row_sum_scale(&state, totals);
        __global result_t *p = results + row_offset(results_layout, row, inner);
#if KEPT_CLASSES
        if (is_computed) {
            item_emit_kept(&state, kept, p, classes, stream);
            continue;
        }
#endif
        row_emit(x, p, share, results_layout.CLASS_STRIDE, &state);
    }
}
