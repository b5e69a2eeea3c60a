/*
 * lane: short rows side by side, each on a lane of its own.
 *
 * A work-item takes CORE_WIDTH neighbouring rows. Where they are short enough and CORE_WIDTH allows, they are read as they
 * stand in memory, transposed in registers, kept with their exponentials in private memory, and transposed back: one read,
 * one write, one exponential an element, and what is done once a row is done for all lanes at once. On a device without
 * vectors (CORE_WIDTH 1: a GPU, whose neighbouring work-items are the lanes), and for long rows, each logit is read again from
 * where it stands, which for short rows is a cache.
 * Launch: ceil(rows / CORE_WIDTH) work-items rounded up to a multiple of WORK_GROUP_SIZE; CORE_WIDTH is 1 unless
 * inner is.
 */
#define LANE_CLASSES 64 /* of a row that is kept: two arrays of so many vectors are private */

#if CORE_WIDTH > 1
/* The transpose of CORE_WIDTH vectors: a perfect shuffle for each bit of an index. */
static void lane_transpose(core_float *a)
{
    core_float b[CORE_WIDTH];
    for (uint bit = 1; bit < CORE_WIDTH; bit *= 2) {
        for (uint i = 0; i < CORE_WIDTH / 2; i++) {
            b[2 * i].even = a[i].lo;
            b[2 * i].odd = a[i + CORE_WIDTH / 2].lo;
            b[2 * i + 1].even = a[i].hi;
            b[2 * i + 1].odd = a[i + CORE_WIDTH / 2].hi;
        }
        for (uint i = 0; i < CORE_WIDTH; i++)
            a[i] = b[i];
    }
}

/* Rows of neighbouring classes -> kept[class], a vector of all rows. */
static void lane_load(const lanes *l, core_float *kept)
{
    const uint classes = (uint)l->classes;
    for (uint c = 0; c < classes; c += CORE_WIDTH) {
        const uint count = classes - c < CORE_WIDTH ? classes - c : CORE_WIDTH;
        core_float block[CORE_WIDTH];
        for (uint i = 0; i < CORE_WIDTH; i++) {
            /* whole vectors may reach into later rows, as far as there are any */
            __global const logit_t *address = l->x + i * l->lane_stride + c;
            if (i >= l->count)
                block[i] = (core_float)(-CORE_INFINITY);
            else if (c + CORE_WIDTH <= (l->count - 1 - i) * l->lane_stride + classes)
                block[i] = row_load(address);
            else
                block[i] = row_load_tail(address, count, -CORE_INFINITY);
        }
        lane_transpose(block);
        for (uint i = 0; i < count; i++)
            kept[c + i] = block[i];
    }
}

/* The reverse. Rows that stand one behind the other are put together first, where whole vectors may be written over their ends: the
   next row is written later, and of a row the last classes first. */
static void lane_store(const core_float *kept, __global result_t *p, ulong lane_stride, uint classes, uint count,
                       int is_computed)
{
    float rows[LANE_CLASSES * CORE_WIDTH + CORE_WIDTH];
    for (uint begin = (classes + CORE_WIDTH - 1) / CORE_WIDTH * CORE_WIDTH; begin > 0; begin -= CORE_WIDTH) {
        const uint c = begin - CORE_WIDTH;
        core_float block[CORE_WIDTH];
        for (uint i = 0; i < CORE_WIDTH; i++)
            block[i] = kept[c + i < classes ? c + i : c];
        lane_transpose(block);
        for (uint i = 0; i < CORE_WIDTH; i++)
            row_vstore(block[i], rows + i * classes + c);
    }
    const int contiguous = lane_stride == classes;
    const uint run = contiguous ? count * classes : classes;
    for (uint i = 0; i < (contiguous ? 1 : count); i++) {
        uint c = 0;
        for (; c + CORE_WIDTH <= run; c += CORE_WIDTH)
            row_store_all(row_vload(rows + i * classes + c), p + i * lane_stride + c, is_computed);
        row_store_tail(row_vload(rows + i * classes + c), p + i * lane_stride + c, run - c);
    }
}
#endif

/* The first pass over the classes, through kept[] if the rows are kept. */
static row_top lane_scan_top(const lanes *l, int keep, const core_float *kept)
{
    row_top seen = row_top_of_nothing();
    for (ulong c = 0; c < l->classes; c++)
        seen = row_top_add(seen, keep ? kept[c] : lanes_load(l, c), (uint)c);
    return seen;
}

/* The second; of rows that are kept, pairs take the place of logits, unless logarithms need those. */
static row_totals lane_scan_sums(const lanes *l, const row_state *rows, int keep, core_float *kept, core_float *low)
{
    row_sums sums = row_sums_of_nothing();
    for (ulong c = 0; c < l->classes; c++) {
        const core_float x = keep ? row_ordinary(kept[c], rows) : lanes_ordinary(l, c, rows);
        const core_pair e = core_exponential(x, rows->set.row);
        sums = row_sums_settle(row_sums_add_pair(sums, e, x, rows));
        if (keep) {
            kept[c] = OPERATION == OPERATION_SOFTMAX ? e.high : x;
            low[c] = e.low;
        }
    }
    return row_flush(sums);
}

__kernel __attribute__((reqd_work_group_size(WORK_GROUP_SIZE, 1, 1))) void row_lane(ROW_ARGUMENTS)
{
    const ulong row = get_global_id(0) * CORE_WIDTH; /* the first lane's */
    if (row >= rows)
        return;
    const lanes l = {logits + row_offset(logits_layout, row, inner), logits_layout.s1, logits_layout.CLASS_STRIDE,
                     classes, (uint)(rows - row < CORE_WIDTH ? rows - row : CORE_WIDTH)};
    __global result_t *p = results + row_offset(results_layout, row, inner);
    const int keep = CORE_WIDTH > 1 && classes <= LANE_CLASSES && logits_layout.CLASS_STRIDE == 1 &&
                     ((OPERATION == OPERATION_NONE) | (results_layout.CLASS_STRIDE == 1));
    core_float kept[CORE_WIDTH > 1 ? LANE_CLASSES : 1], low[CORE_WIDTH > 1 ? LANE_CLASSES : 1];
#if CORE_WIDTH > 1
    if (keep)
        lane_load(&l, kept);
#endif
    const row_top seen = lane_scan_top(&l, keep, kept);
    row_state state =
        row_state_of(seen.key, row_temperatures(one_temperature, temperatures, first.s0 + row, l.count), policies);
    const row_totals totals = lane_scan_sums(&l, &state, keep, kept, low);
    const core_top_t top = {seen.key, seen.second_key, core_long_of_uint(seen.step)};
    row_finish(&state, top, totals, row, l.count, l.x, l.lane_stride, l.class_stride, classes, labels, statistics,
               first, invalid_rows);
    if (OPERATION == OPERATION_NONE)
        return;
    state.sum_scale = row_sum_scale(&state, totals);
#if CORE_WIDTH > 1
    if (keep) {
        for (uint c = 0; c < (uint)classes; c++) {
            const core_pair e = {kept[c], low[c]};
            const core_float result = OPERATION == OPERATION_SOFTMAX
                                          ? core_probability(e, state.sum_scale.high, state.sum_scale.low)
                                          : row_result(kept[c], &state);
            kept[c] = lanes_filled(result, &state);
        }
        lane_store(kept, p, results_layout.s1, (uint)classes, l.count, row_all(core_row_is_computed(state.set.kind)));
        return;
    }
#endif
    lanes_emit(&l, &state, p, results_layout.s1, results_layout.CLASS_STRIDE);
}
