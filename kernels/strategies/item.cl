/*
 * item: one row after another in each work-item. It is for CPU devices, where barriers are slow and vectors explicit: a
 * work-item takes CORE_WIDTH neighbouring classes at a time, or, if CORE_WIDTH is 1, one class at a time at any stride.
 *
 * The exponentials of a row of up to ROOM_CLASSES classes are kept between the sums and the results, so that each is
 * computed once. A longer row is read three times, the last two from a cache. While the exponentials of a row are
 * computed, the next row is prefetched into the second-level cache. The top of the next row is found before the results
 * of this row are written, since they have to wait for the sum anyway. Results that no cache would hold are streamed
 * past the caches in whole vectors, if the compiler has a builtin for it.
 *
 * Launch: any number of work-items, a multiple of WORK_GROUP_SIZE; each takes its share of the rows. WORK_GROUP_SIZE
 * is 1 if rows are kept, since local memory belongs to a work-group.
 * Memory: local memory has the exponentials of one row, all high halves before all low ones.
 */
#ifndef ROOM_CLASSES
#define ROOM_CLASSES 0 /* room for the exponentials of so many classes; 0: they are not kept */
#endif
#if CORE_WIDTH > 1
#define STEP_VECTORS 8 /* vectors that go through an exponential together, as a strip */
#else
#define STEP_VECTORS 1
#endif
#include "strategies/steps.h"

#define ITEM_STRIP (STEP_VECTORS * CORE_WIDTH)
#define ITEM_PAGE (4096 / sizeof(logit_t)) /* prefetch a page ahead: processors by themselves stop at its end */

/* Runs the statement that follows for each vector k of a strip. */
#define FOR_STRIP _Pragma("unroll") for (uint k = 0; k < STEP_VECTORS; k++)

/* Reads a vector of logits from class i on. */
static core_float item_load(const row_vectors *l, ulong i)
{
    return row_load(l->x + i * l->stride);
}

/* Reads the classes from i to the last, fewer than a vector; all further lanes become `padding`. */
static core_float item_load_tail(const row_vectors *l, ulong i, float padding)
{
    return row_load_tail(l->x + i * l->stride, (uint)(l->classes - i), padding);
}

/* Reads them as an ordinary row has them. The padding of a row of ties must not tie, as -inf may; so it is 0. */
static core_float item_ordinary_tail(const row_vectors *l, ulong i, const row_state *row)
{
    return row_ordinary(item_load_tail(l, i, TIES && row->set.kind == CORE_ROW_TIES ? 0.0f : -CORE_INFINITY), row);
}

/* Reads a vector from class i on as an ordinary row has it; after the last class it is -inf. */
static core_float item_vector(const row_vectors *l, ulong i, const row_state *row)
{
    if (i + CORE_WIDTH <= l->classes)
        return row_ordinary(item_load(l, i), row);
    return i < l->classes ? item_ordinary_tail(l, i, row) : (core_float)(-CORE_INFINITY);
}

/* ---------------------------------------------------------------- Top and sums */

/* Returns the top of a row. */
static core_top_t item_top(const row_vectors *l)
{
    return row_top_of_classes(l);
}

/* The places in the room where the exponentials from class i on are kept, their high and their low halves. The room is
   longer than a row: a strip may reach beyond its end, and item_stream reads the vector that begins before it. */
#if ROOM_CLASSES
#define ITEM_ROOM (CORE_WIDTH + ROOM_CLASSES + ITEM_STRIP)
#define ITEM_HIGH(space, i) ROW_FLOATS(space, kept + CORE_WIDTH + (i))
#define ITEM_LOW(space, i) ROW_FLOATS(space, kept + ITEM_ROOM + CORE_WIDTH + (i))
#endif

/* Returns the sums of a row, and keeps its exponentials if there is room. Meanwhile it prefetches the
   logits at `next`. */
ROW_INLINE row_totals item_sums(const row_vectors *l, const row_state *row, __local float *kept,
                                __global const logit_t *next)
{
    core_float x[STEP_VECTORS];
    core_pair e[STEP_VECTORS];
    row_sums sums = row_sums_of_nothing(row->is_later);
    for (ulong i = 0; i < l->classes; i += ITEM_STRIP) {
        if (i + ITEM_STRIP <= l->classes)
            FOR_STRIP x[k] = row_ordinary(item_load(l, i + k * CORE_WIDTH), row);
        else
            FOR_STRIP x[k] = item_vector(l, i + k * CORE_WIDTH, row);
        step_exponentials(x, STEP_VECTORS, row, 1, core_row_is_unscaled(row->set.row), e, next + i);
#if ROOM_CLASSES
        FOR_STRIP ITEM_HIGH(__local, i + k * CORE_WIDTH) = e[k].high;
        if (!CORE_LEAN)
            FOR_STRIP ITEM_LOW(__local, i + k * CORE_WIDTH) = e[k].low;
#endif
        FOR_STRIP sums = row_sums_add_pair(sums, e[k], x[k], row_vectors_operand(l, (long)(i + k * CORE_WIDTH)), row);
        sums = row_sums_settle(sums); /* CORE_FLUSH_AFTER is a multiple of a strip's vectors */
    }
    return row_flush(sums);
}

/* ---------------------------------------------------------------- Results */

/* The last vector of a row, if the row fills only its first `count` lanes. Its results wait for the next row. If rows
   are kept, they are then written together with the first results of that row, since a cache line that is written in
   parts is read from memory first. */
typedef struct {
    core_float lanes;
    __global result_t *address;
    uint count;
} item_line;

/* Writes what waits in the line, if anything does. */
static void item_end_line(item_line *line)
{
    if (line->count > 0)
        row_store_tail(line->lanes, line->address, line->count);
    line->count = 0;
}

/* Returns the results of a vector from class i on, from what is kept or from the logits. If rows are kept, i may be as
   low as -CORE_WIDTH; the results of lanes before class 0 mean nothing. */
ROW_INLINE core_float item_result(const row_vectors *l, long i, const row_state *row, __local const float *kept)
{
#if ROOM_CLASSES
    const core_pair e = {ITEM_HIGH(__local const, i), CORE_LEAN ? (core_float)(0.0f) : ITEM_LOW(__local const, i)};
    return row_result_of_pair(e, row_vectors_operand(l, i), row);
#else
    return row_result(item_vector(l, (ulong)i, row), row_vectors_operand(l, i), row);
#endif
}

/* Computes the results of a whole strip from class i on into p. */
ROW_INLINE void item_strip(const row_vectors *l, ulong i, const row_state *row, __local const float *kept,
                           core_float *p)
{
#if ROOM_CLASSES
    FOR_STRIP p[k] = item_result(l, i + k * CORE_WIDTH, row, kept);
#else
    core_float x[STEP_VECTORS];
    core_pair e[STEP_VECTORS];
    FOR_STRIP x[k] = row_ordinary(item_load(l, i + k * CORE_WIDTH), row);
    if (!MADE_OF_PAIRS) {
        FOR_STRIP p[k] = row_result(x[k], row_vectors_operand(l, (long)(i + k * CORE_WIDTH)), row);
    } else {
        /* All is fetched before the steps. Between them, as in item_sums, it made this loop slower
           (docs/experiments.md, "OpenCL: item"). */
        for (uint quarter = 0; quarter < 4; quarter++)
            step_fetch(l->x + i + ITEM_PAGE, STEP_VECTORS, quarter);
        step_exponentials(x, STEP_VECTORS, row, 1, core_row_is_unscaled(row->set.row), e, 0);
        FOR_STRIP p[k] = row_result_of_pair(e[k], row_vectors_operand(l, (long)(i + k * CORE_WIDTH)), row);
    }
#endif
}

/* Streams the results of a row past the caches, from the first whole vector on. The results before that complete the
   line of the row before, if it ends where this row begins, or are written by themselves. The last vector, if it is not
   whole, becomes the line that waits. */
ROW_INLINE void item_stream(const row_vectors *l, const row_state *row, __local const float *kept, __global result_t *p,
                            item_line *line)
{
    core_float strip[STEP_VECTORS];
    const uint past = (uint)((ulong)p % ROW_RESULT_BYTES / sizeof(result_t));
    ulong i = past ? CORE_WIDTH - past : 0;
    if (ROOM_CLASSES > 0 && line->count > 0 && line->count == past && line->address + past == p) {
        row_stream(row_join(line->lanes, item_result(l, -(long)past, row, kept), past), line->address);
        line->count = 0;
    } else if (past)
        row_store_tail(item_result(l, 0, row, kept), p, (uint)i);
    item_end_line(line);
    for (; i + ITEM_STRIP <= l->classes; i += ITEM_STRIP) {
        item_strip(l, i, row, kept, strip);
        FOR_STRIP row_stream(strip[k], p + i + k * CORE_WIDTH);
    }
    for (; i + CORE_WIDTH <= l->classes; i += CORE_WIDTH)
        row_stream(item_result(l, (long)i, row, kept), p + i);
    if (i < l->classes) {
        line->lanes = item_result(l, (long)i, row, kept);
        line->address = p + i;
        line->count = (uint)(l->classes - i);
    }
}

/* Writes the results of a row through the caches. */
ROW_INLINE void item_emit(const row_vectors *l, const row_state *row, __local const float *kept, __global result_t *p,
                          ulong stride)
{
    core_float strip[STEP_VECTORS];
    ulong i = 0;
    for (; i + ITEM_STRIP <= l->classes; i += ITEM_STRIP) {
        item_strip(l, i, row, kept, strip);
        FOR_STRIP row_store(strip[k], p + (i + k * CORE_WIDTH) * stride);
    }
    for (; i + CORE_WIDTH <= l->classes; i += CORE_WIDTH)
        row_store(item_result(l, (long)i, row, kept), p + i * stride);
    if (i < l->classes)
        row_store_tail(item_result(l, (long)i, row, kept), p + i * stride, (uint)(l->classes - i));
}

/* Fills a row that is not computed. */
static void item_fill(const row_vectors *l, core_row_float value, __global result_t *p, ulong stride)
{
    for (ulong i = 0; i < l->classes; i++)
        row_store_one(value, p + i * stride);
}

/* ---------------------------------------------------------------- Kernel */

ROW_KERNEL row_item(ROW_PARAMETERS)
{
    const row_call call = ROW_CALL;
#if ROOM_CLASSES
    __local float kept[CORE_EXPONENTIAL_FLOATS * ITEM_ROOM];
    ITEM_HIGH(__local, -CORE_WIDTH) = (core_float)(0.0f);
    if (!CORE_LEAN)
        ITEM_LOW(__local, -CORE_WIDTH) = (core_float)(0.0f);
#else
    __local float *const kept = 0;
#endif
    const ulong result_stride = results_layout.LAYOUT_CLASS_STRIDE;
    const int stream = classes >= CORE_WIDTH && row_wants_stream(&call);
    const ulong share = (rows + get_global_size(0) - 1) / get_global_size(0);
    const ulong begin = get_global_id(0) * share, end = begin + share < rows ? begin + share : rows;
    if (begin >= end)
        return;
    row_vectors l = row_vectors_of(&call, begin);
    item_line line = {(core_float)(0.0f), results, 0};
    core_top_t top = item_top(&l), next_top = top;
    for (ulong row = begin; row < end; row++) {
        const row_vectors next = row_vectors_of(&call, row + 1);
        const row_lot lot = {row, 1, l.x, 0};
        __global result_t *p = row_results(&call, row);
        for (uint k = 0; k < ROW_TEMPERATURE_COUNT(&call); k++, p += sweep.SWEEP_STRIDE) {
            row_state state = row_state_of(top, row_temperatures(&call, row, 1, k), policies);
            const int is_computed = core_row_is_computed(state.set.kind);
            row_totals totals = row_totals_of_nothing();
            for (uint phase = 0; is_computed && phase <= HAS_LATER_TERMS; phase++) {
                if (phase > 0)
                    row_go_later(&call, &state, totals);
                totals = row_totals_merge(totals, item_sums(&l, &state, kept, next.x));
            }
            if (k == 0 && row + 1 < end)
                next_top = item_top(&next);
            const core_loss_inputs_t inputs = row_inputs_of(&call, lot);
            state.operation.end = row_end_of(&state, totals, inputs);
            row_finish(&call, k, lot, &state, top, totals, inputs);
            if (!HAS_RESULTS)
                continue;
            if (!is_computed)
                item_fill(&l, row_fill_value(state.set.kind), p, result_stride);
            else if (stream)
                item_stream(&l, &state, kept, p, &line);
            else
                item_emit(&l, &state, kept, p, result_stride);
            if (HAS_LABELS) {
                item_end_line(&line);
                row_store_labels(&call, lot, &state, p, 0);
            }
        }
        l = next;
        top = next_top;
    }
    item_end_line(&line);
}
