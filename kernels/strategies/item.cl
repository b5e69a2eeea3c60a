/*
 * item: one row after another in each work-item, CORE_WIDTH classes at a time, which then are neighbours in memory; one at a
 * time, any class stride.
 *
 * For CPU devices: no barrier, and the vectors are explicit. The exponentials of a row of up to KEPT_CLASSES are kept in local
 * memory between the sum and the results, so that each is computed once. Longer rows are read three times, the last two from
 * cache. While exponentials are computed, the logits of the row that follows are fetched into the second-level cache; its maximum is found
 * before the results are written, which wait for the sum. Results that no cache would hold are written past the caches in whole vectors, if
 * the compiler knows how.
 * Launch: any number of work-items, a multiple of WORK_GROUP_SIZE, which is 1 if rows are kept; each takes its share of rows.
 */
#include "strategies/phases.h"

/* A row's logits. */
typedef struct {
    __global const logit_t *x;
    ulong stride;
    ulong classes;
} item_logits;

/* Vectors that go through an exponential together, step by step, so that none waits for another's result. */
#if CORE_WIDTH > 1
#define ITEM_ABREAST 8
#define ITEM_STRIDE(l) 1
#else
#define ITEM_ABREAST 1
#define ITEM_STRIDE(l) (l)->stride
#endif
#define ITEM_STRIP (ITEM_ABREAST * CORE_WIDTH)
#define ITEM_PAGE (4096 / sizeof(logit_t)) /* processors that see where reading goes stop at its end */
#define FOR_ABREAST _Pragma("unroll") for (uint k = 0; k < ITEM_ABREAST; k++)

static core_float item_load(const item_logits *l, ulong i)
{
    return row_load(l->x + i * ITEM_STRIDE(l));
}

/* What is left from class i on, fewer than a vector. */
static core_float item_load_tail(const item_logits *l, ulong i, float padding)
{
    return row_load_tail(l->x + i * ITEM_STRIDE(l), (uint)(l->classes - i), padding);
}

/* The same as an ordinary row has it. What pads it must be no tie, and -inf may be one. */
static core_float item_ordinary_tail(const item_logits *l, ulong i, const row_state *row)
{
    return row_ordinary(item_load_tail(l, i, TIES && row->set.kind == CORE_ROW_TIES ? 0.0f : -CORE_INFINITY), row);
}

/* A vector from class i on as an ordinary row has it; -inf behind the last. */
static core_float item_vector(const item_logits *l, ulong i, const row_state *row)
{
    if (i + CORE_WIDTH <= l->classes)
        return row_ordinary(item_load(l, i), row);
    return i < l->classes ? item_ordinary_tail(l, i, row) : (core_float)(-CORE_INFINITY);
}

/* ---------------------------------------------------------------- Maximum and sum */

static core_top_t item_top(const item_logits *l)
{
    row_top lanes = row_top_of_nothing();
    uint step = 0;
    ulong i = 0;
    for (; i + CORE_WIDTH <= l->classes; i += CORE_WIDTH)
        lanes = row_top_add(lanes, item_load(l, i), step++);
    if (i < l->classes)
        lanes = row_top_add(lanes, item_load_tail(l, i, -CORE_INFINITY), step);

    uint keys[CORE_WIDTH], second_keys[CORE_WIDTH], steps[CORE_WIDTH];
    row_vstore(lanes.key, keys);
    row_vstore(lanes.second_key, second_keys);
    row_vstore(lanes.step, steps);
    core_top_t top = {keys[0], second_keys[0], (long)steps[0] * CORE_WIDTH};
    if (!STATISTICS) {
        for (uint lane = 0; lane < CORE_WIDTH; lane++)
            top.key = CORE_LARGER(top.key, keys[lane]);
        return top;
    }
    for (uint lane = 1; lane < CORE_WIDTH; lane++) {
        const core_top_t other = {keys[lane], second_keys[lane], (long)steps[lane] * CORE_WIDTH + lane};
        top = core_top_merge(top, other);
    }
    return top;
}

/* Where the exponentials of class i on are kept, larger and smaller halves. Those abreast may reach beyond the row, and the line that it
   begins in before it. */
#if KEPT_CLASSES
#define ITEM_ROOM (CORE_WIDTH + KEPT_CLASSES + ITEM_STRIP)
#define ITEM_HIGH(space, i) ROW_FLOATS(space, kept + CORE_WIDTH + (i))
#define ITEM_LOW(space, i) ROW_FLOATS(space, kept + ITEM_ROOM + CORE_WIDTH + (i))
#endif

/* A quarter of what is abreast at `ahead`, neighbours, is fetched into the second-level cache: between steps, so that no step waits for
   all of it. */
static void item_fetch(__global const logit_t *ahead, uint quarter)
{
    if (CORE_WIDTH == 1)
        return;
    for (uint k = quarter * ITEM_ABREAST / 4; k < (quarter + 1) * ITEM_ABREAST / 4; k++)
        ROW_PREFETCH(ahead + k * CORE_WIDTH, 2);
}

/* Of what is abreast. A branch within costs nothing beside it; a loop of its own would be a second copy of everything. */
ROW_INLINE void item_exponentials(const core_float *x, core_row_t row, core_pair *e, __global const logit_t *ahead)
{
    core_reduced reduced[ITEM_ABREAST];
    core_float q[ITEM_ABREAST];
    item_fetch(ahead, 0);
    if (core_row_is_plain(row))
        FOR_ABREAST reduced[k] = core_reduce_plain(x[k], row);
    else
        FOR_ABREAST reduced[k] = core_reduce(x[k], row);
    item_fetch(ahead, 1);
    FOR_ABREAST q[k] = core_polynomial(reduced[k].r);
    item_fetch(ahead, 2);
    FOR_ABREAST e[k] = core_reconstruct(reduced[k], q[k]);
    item_fetch(ahead, 3);
}

/* next: the logits that are fetched meanwhile. */
ROW_INLINE row_totals item_sums(const item_logits *l, const row_state *row, __local float *kept,
                                __global const logit_t *next)
{
    core_float x[ITEM_ABREAST];
    core_pair e[ITEM_ABREAST];
    row_sums sums = row_sums_of_nothing();
    for (ulong i = 0; i < l->classes; i += ITEM_STRIP) {
        if (i + ITEM_STRIP <= l->classes)
            FOR_ABREAST x[k] = row_ordinary(item_load(l, i + k * CORE_WIDTH), row);
        else
            FOR_ABREAST x[k] = item_vector(l, i + k * CORE_WIDTH, row);
        item_exponentials(x, row->set.row, e, next + i);
#if KEPT_CLASSES
        FOR_ABREAST ITEM_HIGH(__local, i + k * CORE_WIDTH) = e[k].high;
        FOR_ABREAST ITEM_LOW(__local, i + k * CORE_WIDTH) = e[k].low;
#endif
        FOR_ABREAST sums = row_sums_add_pair(sums, e[k], x[k], row);
        sums = row_sums_settle(sums); /* CORE_FLUSH_AFTER is a multiple of what is abreast */
    }
    return row_flush(sums);
}

/* ---------------------------------------------------------------- Results */

/* The last vector of a row that is not full: its first `count` lanes, which wait for the row that follows. If that is kept, they are written
   with its first: written in parts, a line of the cache would be read first. */
typedef struct {
    core_float lanes;
    __global result_t *address;
    uint count;
} item_line;

static void item_end_line(item_line *line)
{
    if (line->count > 0)
        row_store_tail(line->lanes, line->address, line->count);
    line->count = 0;
}

/* A vector from class i on, of what is kept or of the logits. */
static core_float item_result(const item_logits *l, long i, const row_state *row, __local const float *kept)
{
#if KEPT_CLASSES
    const core_pair e = {ITEM_HIGH(__local const, i), ITEM_LOW(__local const, i)};
    return core_probability(e, row->sum_scale.high, row->sum_scale.low);
#else
    return row_result(item_vector(l, (ulong)i, row), row);
#endif
}

/* What is abreast from class i on. */
ROW_INLINE void item_strip(const item_logits *l, ulong i, const row_state *row, __local const float *kept,
                           core_float *p)
{
#if KEPT_CLASSES
    FOR_ABREAST p[k] = item_result(l, i + k * CORE_WIDTH, row, kept);
#else
    core_float x[ITEM_ABREAST];
    core_pair e[ITEM_ABREAST];
    FOR_ABREAST x[k] = row_ordinary(item_load(l, i + k * CORE_WIDTH), row);
    if (OPERATION == OPERATION_LOG_SOFTMAX) {
        FOR_ABREAST p[k] = row_result(x[k], row);
    } else {
        item_exponentials(x, row->set.row, e, l->x + i + ITEM_PAGE);
        FOR_ABREAST p[k] = core_probability(e[k], row->sum_scale.high, row->sum_scale.low);
    }
#endif
}

/* Past the caches, from the first whole line on; before it what ends the line of the row before, or a part of one. */
ROW_INLINE void item_stream(const item_logits *l, const row_state *row, __local const float *kept, __global result_t *p,
                            item_line *line)
{
    core_float strip[ITEM_ABREAST];
    const uint past = (uint)((ulong)p % ROW_RESULT_BYTES / sizeof(result_t));
    ulong i = past ? CORE_WIDTH - past : 0;
    if (KEPT_CLASSES > 0 && line->count > 0 && line->count == past && line->address + past == p) {
        row_stream(row_join(line->lanes, item_result(l, -(long)past, row, kept), past), line->address);
        line->count = 0;
    } else if (past)
        row_store_tail(item_result(l, 0, row, kept), p, (uint)i);
    item_end_line(line);
    for (; i + ITEM_STRIP <= l->classes; i += ITEM_STRIP) {
        item_strip(l, i, row, kept, strip);
        FOR_ABREAST row_stream(strip[k], p + i + k * CORE_WIDTH);
    }
    for (; i + CORE_WIDTH <= l->classes; i += CORE_WIDTH)
        row_stream(item_result(l, (long)i, row, kept), p + i);
    if (i < l->classes) {
        line->lanes = item_result(l, (long)i, row, kept);
        line->address = p + i;
        line->count = (uint)(l->classes - i);
    }
}

ROW_INLINE void item_emit(const item_logits *l, const row_state *row, __local const float *kept, __global result_t *p,
                          ulong stride)
{
    core_float strip[ITEM_ABREAST];
    ulong i = 0;
    for (; i + ITEM_STRIP <= l->classes; i += ITEM_STRIP) {
        item_strip(l, i, row, kept, strip);
        FOR_ABREAST row_store(strip[k], p + (i + k * CORE_WIDTH) * stride);
    }
    for (; i + CORE_WIDTH <= l->classes; i += CORE_WIDTH)
        row_store(item_result(l, (long)i, row, kept), p + i * stride);
    if (i < l->classes)
        row_store_tail(item_result(l, (long)i, row, kept), p + i * stride, (uint)(l->classes - i));
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
    ITEM_HIGH(__local, -CORE_WIDTH) = ITEM_LOW(__local, -CORE_WIDTH) = (core_float)(0.0f);
#else
    __local float *const kept = 0;
#endif
    const int stream =
        classes >= CORE_WIDTH && row_wants_stream(logits, results, rows * classes * ROW_TEMPERATURE_COUNT);
    const ulong share = (rows + get_global_size(0) - 1) / get_global_size(0);
    const ulong begin = get_global_id(0) * share, end = begin + share < rows ? begin + share : rows;
    if (begin >= end)
        return;
    item_logits l = {logits + row_offset(logits_layout, begin, inner), logits_layout.CLASS_STRIDE, classes};
    item_line line = {(core_float)(0.0f), results, 0};
    core_top_t top = item_top(&l), next_top = top;
    for (ulong row = begin; row < end; row++) {
        const item_logits next = {logits + row_offset(logits_layout, row + 1, inner), l.stride, classes};
        __global result_t *p = results + row_offset(results_layout, row, inner);
        for (uint k = 0; k < ROW_TEMPERATURE_COUNT; k++, p += sweep.s1) {
            row_state state =
                row_state_of(top.key, row_temperatures(one_temperature, temperatures, first, row, 1, k), policies);
            const int is_computed = core_row_is_computed(state.set.kind);
            row_totals totals = row_totals_of_nothing();
            if (is_computed)
                totals = item_sums(&l, &state, kept, next.x);
            if (k == 0 && row + 1 < end)
                next_top = item_top(&next);
            row_finish(&state, top, totals, row, 1, l.x, 0, l.stride, classes, labels,
                       row_records(statistics, first, k), first, invalid_rows);
            if (OPERATION == OPERATION_NONE)
                continue;
            state.sum_scale = row_sum_scale(&state, totals);
            if (!is_computed)
                item_fill(&l, row_fill_value(state.set.kind), p, results_layout.CLASS_STRIDE);
            else if (stream)
                item_stream(&l, &state, kept, p, &line);
            else
                item_emit(&l, &state, kept, p, results_layout.CLASS_STRIDE);
        }
        l = next;
        top = next_top;
    }
    item_end_line(&line);
}
