/*
 * item: one row after another in each work-item, CORE_WIDTH classes at a time, which then are neighbours in memory; one at a
 * time, any class stride.
 *
 * For CPU devices: no barrier, and the vectors are explicit. The exponentials of a row of up to KEPT_CLASSES are kept in local
 * memory between the sum and the results, so that each is computed once. Longer rows are read three times, the last two from
 * cache. Results that no cache would hold are written past the caches, if the compiler knows how.
 * Launch: any number of work-items, a multiple of WORK_GROUP_SIZE, which is 1 if rows are kept; each takes its share of rows.
 */

/* A row's logits: whole vectors up to `end`, and a tail. Loops go over the vectors alone: a tail within costs half of their speed. */
typedef struct {
    __global const logit_t *x;
    ulong stride;
    ulong classes;
    ulong end;
} item_logits;

static core_float item_tail(const item_logits *l, float padding)
{
    return row_load_tail(l->x + l->end * l->stride, (uint)(l->classes - l->end), padding);
}

/* As an ordinary row has it. What pads it must be no tie, and -inf may be one. */
static core_float item_ordinary_tail(const item_logits *l, const row_state *row)
{
    return row_ordinary(item_tail(l, TIES && row->set.kind == CORE_ROW_TIES ? 0.0f : -CORE_INFINITY), row);
}

/* ---------------------------------------------------------------- Maximum and sum */

static core_top_t item_top(const item_logits *l)
{
    row_top lanes = row_top_of_nothing();
    uint step = 0;
    for (ulong i = 0; i < l->end; i += CORE_WIDTH)
        lanes = row_top_add(lanes, row_load(l->x + i * l->stride), step++);
    if (l->end < l->classes)
        lanes = row_top_add(lanes, item_tail(l, -CORE_INFINITY), step);

    uint keys[CORE_WIDTH], second_keys[CORE_WIDTH], steps[CORE_WIDTH];
    row_vstore(lanes.key, keys);
    row_vstore(lanes.second_key, second_keys);
    row_vstore(lanes.step, steps);
    core_top_t top = {keys[0], second_keys[0], (long)steps[0] * CORE_WIDTH};
    for (uint lane = 1; lane < CORE_WIDTH; lane++) {
        const core_top_t other = {keys[lane], second_keys[lane], (long)steps[lane] * CORE_WIDTH + lane};
        top = core_top_merge(top, other);
    }
    return top;
}

/* Vectors that go through an exponential together, step by step, so that none waits for another's result. */
#if CORE_WIDTH > 1
#define ITEM_ABREAST 8
#else
#define ITEM_ABREAST 1
#endif
#define FOR_ABREAST _Pragma("unroll") for (uint k = 0; k < ITEM_ABREAST; k++)

/* Where the exponentials of class i on are kept; those abreast may reach beyond the row. */
#if KEPT_CLASSES
#define ITEM_ROOM (KEPT_CLASSES + ITEM_ABREAST * CORE_WIDTH)
#define ITEM_HIGH(i) (kept + (i))
#define ITEM_LOW(i) (kept + ITEM_ROOM + (i))
#endif

/* A vector of an ordinary row; -inf behind its end. */
static core_float item_vector(const item_logits *l, ulong i, const row_state *row)
{
    if (i < l->end)
        return row_ordinary(row_load(l->x + i * l->stride), row);
    return i < l->classes ? item_ordinary_tail(l, row) : (core_float)(-CORE_INFINITY);
}

/* One loop: LLVM 15 crashes in its code generator on a second copy of the exponential behind it. */
static row_totals item_sums(const item_logits *l, const row_state *row, __local float *kept)
{
    core_float x[ITEM_ABREAST], q[ITEM_ABREAST];
    core_reduced reduced[ITEM_ABREAST];
    core_pair e[ITEM_ABREAST];
    row_sums sums = row_sums_of_nothing();
    for (ulong i = 0; i < l->classes; i += ITEM_ABREAST * CORE_WIDTH) {
        FOR_ABREAST x[k] = item_vector(l, i + k * CORE_WIDTH, row);
        FOR_ABREAST reduced[k] = core_reduce(x[k], row->set.row);
        FOR_ABREAST q[k] = core_polynomial(reduced[k].r);
        FOR_ABREAST e[k] = core_reconstruct(reduced[k], q[k]);
#if KEPT_CLASSES
        FOR_ABREAST row_vstore(e[k].high, ITEM_HIGH(i + k * CORE_WIDTH));
        FOR_ABREAST row_vstore(e[k].low, ITEM_LOW(i + k * CORE_WIDTH));
#endif
        FOR_ABREAST sums = row_sums_add_pair(sums, e[k], x[k], row);
        sums = row_sums_settle(sums); /* CORE_FLUSH_AFTER is a multiple of what is abreast */
    }
    return row_flush(sums);
}

/* ---------------------------------------------------------------- Results */

/* Of CORE_WIDTH classes from i on: from what is kept, or of the logits x there. */
static core_float item_result(core_float x, ulong i, const row_state *row, __local const float *kept)
{
#if KEPT_CLASSES
    const core_pair e = {row_vload(ITEM_HIGH(i)), row_vload(ITEM_LOW(i))};
    return core_probability(e, row->sum_scale.high, row->sum_scale.low);
#else
    return row_result(x, row);
#endif
}

static core_float item_ordinary(const item_logits *l, ulong i, const row_state *row)
{
#if KEPT_CLASSES
    return (core_float)(0.0f); /* not needed */
#else
    return row_ordinary(row_load(l->x + i * l->stride), row);
#endif
}

/* Past the caches, where a vector's size divides the address; the lanes before are written one by one. Only what is kept can be had from
   any class on. */
static int item_can_stream(const item_logits *l, __global const result_t *p)
{
    return l->classes >= CORE_WIDTH && ((KEPT_CLASSES > 0) | (row_can_stream(p)));
}

static void item_stream(const item_logits *l, const row_state *row, __local const float *kept, __global result_t *p)
{
    const ulong past = (ulong)p % sizeof(core_float) / sizeof(result_t);
    ulong i = past ? CORE_WIDTH - past : 0;
    if (past)
        row_store_tail(item_result(item_ordinary(l, 0, row), 0, row, kept), p, (uint)i);
    for (; i + CORE_WIDTH <= l->classes; i += CORE_WIDTH)
        row_stream(item_result(item_ordinary(l, i, row), i, row, kept), p + i);
    if (i < l->classes)
        row_store_tail(item_result(item_ordinary_tail(l, row), i, row, kept), p + i, (uint)(l->classes - i));
}

static void item_emit(const item_logits *l, const row_state *row, __local const float *kept, __global result_t *p,
                      ulong stride)
{
    for (ulong i = 0; i < l->end; i += CORE_WIDTH)
        row_store(item_result(item_ordinary(l, i, row), i, row, kept), p + i * stride);
    if (l->end < l->classes)
        row_store_tail(item_result(item_ordinary_tail(l, row), l->end, row, kept), p + l->end * stride,
                       (uint)(l->classes - l->end));
}

static void item_fill(const item_logits *l, core_row_float value, __global result_t *p, ulong stride)
{
    for (ulong i = 0; i < l->classes; i++)
        row_store_one(value, p + i * stride);
}

__kernel __attribute__((reqd_work_group_size(WORK_GROUP_SIZE, 1, 1))) void row_item(ROW_ARGUMENTS)
{
#if KEPT_CLASSES
    __local float kept[2 * ITEM_ROOM];
#else
    __local float *const kept = 0;
#endif
    const int stream = row_wants_stream(logits, results, rows * classes * ROW_TEMPERATURE_COUNT);
    const ulong share = (rows + get_global_size(0) - 1) / get_global_size(0);
    const ulong begin = get_global_id(0) * share, end = begin + share < rows ? begin + share : rows;
    for (ulong row = begin; row < end; row++) {
        const item_logits l = {logits + row_offset(logits_layout, row, inner), logits_layout.CLASS_STRIDE, classes,
                               classes / CORE_WIDTH * CORE_WIDTH};
        __global result_t *p = results + row_offset(results_layout, row, inner);
        const core_top_t top = item_top(&l);
        for (uint k = 0; k < ROW_TEMPERATURE_COUNT; k++, p += sweep.s1) {
            row_state state =
                row_state_of(top.key, row_temperatures(one_temperature, temperatures, first, row, 1, k), policies);
            row_totals totals = row_totals_of_nothing();
            if (core_row_is_computed(state.set.kind))
                totals = item_sums(&l, &state, kept);
            row_finish(&state, top, totals, row, 1, l.x, 0, l.stride, classes, labels,
                       row_records(statistics, first, k), first, invalid_rows);
            if (OPERATION == OPERATION_NONE)
                continue;
            state.sum_scale = row_sum_scale(&state, totals);
            if (!core_row_is_computed(state.set.kind))
                item_fill(&l, row_fill_value(state.set.kind), p, results_layout.CLASS_STRIDE);
            else if (stream && item_can_stream(&l, p))
                item_stream(&l, &state, kept, p);
            else
                item_emit(&l, &state, kept, p, results_layout.CLASS_STRIDE);
        }
    }
}
