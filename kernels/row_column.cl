/*
 * column: neighbouring columns on neighbouring lanes, for a softmax axis that is not the last; and for the statistics of a sweep, the
 * temperatures of a row as columns (TEMPERATURES_ON_LANES).
 *
 * A work-item takes CORE_WIDTH neighbouring columns of one outer index, each a row of its own, and goes down the classes:
 * every load is of neighbours in memory, nothing is transposed. Columns of up to KEPT_CLASSES are kept in local memory, and their
 * exponentials in their place: one read, one write, one exponential an element. Others are read three times.
 * Launch: outer * ceil(inner / CORE_WIDTH) work-items rounded up to a multiple of WORK_GROUP_SIZE, which is 1 if columns are kept; inner
 * strides 1 if CORE_WIDTH > 1. With temperatures on lanes, a work-item takes a row: each logit is read once for CORE_WIDTH temperatures, of
 * which everything about a row is a vector, so that nothing is summed up across lanes. inner is 1 then, and there are no results.
 */
#if KEPT_CLASSES
#define COLUMN_AHEAD 16 /* classes: they stand on pages of their own, where no processor reads ahead by itself */

static void column_load(const lanes *l, __local core_float *kept)
{
    for (ulong c = 0; c < l->classes; c++) {
#ifdef __clang__ /* OpenCL's prefetch() is nothing on PoCL */
        __builtin_prefetch((const void *)(ulong)(l->x + (c + COLUMN_AHEAD) * l->class_stride));
#endif
        kept[c] = lanes_load(l, c);
    }
}
#endif

#if TEMPERATURES == TEMPERATURES_ON_LANES
/* The top of one row, whose neighbouring classes are the lanes here, for all lanes. */
static core_top_t column_top(const lanes *l)
{
    row_top seen = row_top_of_nothing();
    uint keys[CORE_WIDTH], second_keys[CORE_WIDTH], steps[CORE_WIDTH], step = 0;
    ulong c = 0;
    for (; c + CORE_WIDTH <= l->classes; c += CORE_WIDTH)
        seen = row_top_add(seen, row_load(l->x + c), step++);
    if (c < l->classes)
        seen = row_top_add(seen, row_load_tail(l->x + c, (uint)(l->classes - c), -CORE_INFINITY), step);
    row_vstore(seen.key, keys);
    row_vstore(seen.second_key, second_keys);
    row_vstore(seen.step, steps);
    uint key = keys[0], second_key = second_keys[0];
    long index = (long)steps[0] * CORE_WIDTH;
    for (uint lane = 1; lane < CORE_WIDTH; lane++) { /* as core_top_merge, of scalars */
        const long other = (long)steps[lane] * CORE_WIDTH + lane;
        const uint larger_second = CORE_LARGER(second_key, second_keys[lane]), smaller = CORE_SMALLER(key, keys[lane]);
        index = keys[lane] > key || (keys[lane] == key && other < index) ? other : index;
        second_key = CORE_LARGER(larger_second, smaller);
        key = CORE_LARGER(key, keys[lane]);
    }
    const core_top_t top = {(core_row_uint)(key), (core_row_uint)(second_key), (core_row_long)(index)};
    return top;
}

__kernel __attribute__((reqd_work_group_size(WORK_GROUP_SIZE, 1, 1))) void row_column(ROW_ARGUMENTS)
{
    const lanes_room room = {0, 0, 0};
    const ulong row = get_global_id(0);
    if (row >= rows)
        return;
    lanes l = {logits + row_offset(logits_layout, row, inner), 0, logits_layout.CLASS_STRIDE, classes, CORE_WIDTH};
    const core_top_t top = l.class_stride == 1 ? column_top(&l) : lanes_top(&l, 0, room);
    for (uint k = 0; k < (uint)sweep.s0; k += CORE_WIDTH) {
        row_state state;
        l.count = (uint)sweep.s0 - k < CORE_WIDTH ? (uint)sweep.s0 - k : CORE_WIDTH;
        lanes_scan(&l, top, &state, 0, room, row_temperatures(one_temperature, temperatures, first, row, l.count, k), row,
                   policies, labels, row_records(statistics, first, k), first, invalid_rows);
    }
}
#else
__kernel __attribute__((reqd_work_group_size(WORK_GROUP_SIZE, 1, 1))) void row_column(ROW_ARGUMENTS)
{
#if KEPT_CLASSES
    __local core_float kept[KEPT_CLASSES], low[KEPT_CLASSES];
#if TEMPERATURES == TEMPERATURES_SWEEP
    __local core_float high[KEPT_CLASSES];
#else
    __local core_float *const high = kept;
#endif
    const lanes_room room = {kept, high, low};
#else
    const lanes_room room = {0, 0, 0};
#endif
    const int stream = row_wants_stream(logits, results, rows * classes * ROW_TEMPERATURE_COUNT);
    const ulong blocks = (inner + CORE_WIDTH - 1) / CORE_WIDTH;
    const ulong outer_index = get_global_id(0) / blocks;
    const ulong column = (get_global_id(0) - outer_index * blocks) * CORE_WIDTH;
    const ulong row = outer_index * inner + column; /* the first lane's */
    if (row >= rows)
        return;
    const lanes l = {logits + row_offset(logits_layout, row, inner), logits_layout.s3, logits_layout.CLASS_STRIDE,
                     classes, (uint)(inner - column < CORE_WIDTH ? inner - column : CORE_WIDTH)};
    __global result_t *p = results + row_offset(results_layout, row, inner);
#if KEPT_CLASSES
    column_load(&l, kept);
#endif
    const core_top_t top = lanes_top(&l, KEPT_CLASSES > 0, room);
    for (uint k = 0; k < ROW_TEMPERATURE_COUNT; k++, p += sweep.s1) {
        row_state state;
        lanes_scan(&l, top, &state, KEPT_CLASSES > 0, room,
                   row_temperatures(one_temperature, temperatures, first, row, l.count, k), row, policies, labels,
                   row_records(statistics, first, k), first, invalid_rows);
        if (OPERATION != OPERATION_NONE)
            lanes_emit(&l, &state, KEPT_CLASSES > 0, room, p, results_layout.s3, results_layout.CLASS_STRIDE, stream);
    }
}
#endif
