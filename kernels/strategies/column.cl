/*
 * column: neighbouring columns on neighbouring lanes, for a softmax axis that is not the last; and for the statistics of a sweep, the
 * temperatures of a row as columns (TEMPERATURES_ON_LANES).
 *
 * A work-item takes CORE_WIDTH neighbouring columns of one outer index, each a row of its own, and goes down the classes:
 * every load is of neighbours in memory, nothing is transposed. Columns of up to KEPT_CLASSES are kept in local memory, ROW_VECTORS such
 * vectors abreast, and their exponentials and results in their place: one read, one write, one exponential an element. Others are read
 * three times, one vector at a time.
 * Launch: outer * ceil(inner / columns of a work-item) work-items rounded up to a multiple of WORK_GROUP_SIZE, which is 1 if columns are
 * kept; inner strides 1 if CORE_WIDTH > 1. With temperatures on lanes, a work-item takes a row: each logit is read once for CORE_WIDTH
 * temperatures, of which everything about a row is a vector, so that nothing is summed up across lanes. inner is 1 then, and there are no
 * results.
 */
#define CORE_ROW_PER_LANE 1 /* a row on each lane */
#include "strategies/lanes.h"

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
    core_top_t top;
    if (l.class_stride == 1)
        top = column_top(&l);
    else
        lanes_top(&l, 1, 0, room, &top);
    for (uint k = 0; k < (uint)sweep.s0; k += CORE_WIDTH) {
        l.count = (uint)sweep.s0 - k < CORE_WIDTH ? (uint)sweep.s0 - k : CORE_WIDTH;
        row_state state =
            row_state_of(top.key, row_temperatures(one_temperature, temperatures, first, row, l.count, k), policies);
        lanes_scan(&l, 1, &top, &state, 0, room, row, labels, row_records(statistics, first, k), first, invalid_rows);
    }
}
#else
#if KEPT_CLASSES
#define COLUMNS (CORE_WIDTH * ROW_VECTORS) /* of a work-item */
#else
#define COLUMNS CORE_WIDTH
#endif

/* The columns of one outer index that are a work-item's. */
typedef struct {
    ulong row; /* the first */
    ulong count;
} columns;

static columns column_share(ulong rows, ulong inner)
{
    const ulong blocks = (inner + COLUMNS - 1) / COLUMNS, outer_index = get_global_id(0) / blocks;
    const ulong column = (get_global_id(0) - outer_index * blocks) * COLUMNS, row = outer_index * inner + column;
    const columns share = {row, row >= rows ? 0 : inner - column < COLUMNS ? inner - column : COLUMNS};
    return share;
}

#if KEPT_CLASSES
/* Classes, and behind the last those of the columns that come next: they stand on pages of their own, where no processor reads ahead by
   itself. Into the second-level cache, since those that are a power of two apart have few places in the first. */
#define COLUMN_AHEAD 32

/* `count` vectors of columns side by side: all are read, and later written, in one way down the classes, since of each class they are
   neighbours in memory. Compiled for ROW_VECTORS, and for the fewer at an end. */
ROW_INLINE void column_load(const lanes *vectors, uint count, __local core_float *kept, core_top_t *tops)
{
    const ulong classes = vectors->classes, stride = vectors->class_stride;
    const ulong ahead = classes < COLUMN_AHEAD ? classes : COLUMN_AHEAD;
    row_top seen[ROW_VECTORS];
    for (uint v = 0; v < count; v++)
        seen[v] = row_top_of_nothing();
    for (ulong c = 0; c < classes; c++) {
        const ulong place = c + ahead < classes ? (c + ahead) * stride : (c + ahead - classes) * stride + COLUMNS;
        for (uint v = 0; v < count; v++) {
            ROW_PREFETCH(vectors[v].x + place, 2);
            const core_float x = lanes_load(vectors + v, c);
            kept[v * KEPT_CLASSES + c] = x;
            seen[v] = row_top_add(seen[v], x, (uint)c);
        }
    }
    for (uint v = 0; v < count; v++) {
        const core_top_t top = {seen[v].key, seen[v].second_key, core_long_of_uint(seen[v].step)};
        tops[v] = top;
    }
}

ROW_INLINE void column_store(const lanes *vectors, uint count, __local const core_float *kept, const int *are_whole,
                             __global result_t *p, ulong lane_stride, ulong class_stride, int stream)
{
    for (ulong c = 0; c < vectors->classes; c++)
        for (uint v = 0; v < count; v++)
            lanes_store(kept[v * KEPT_CLASSES + c], are_whole[v], p + c * class_stride + v * CORE_WIDTH * lane_stride,
                        lane_stride, vectors[v].count, stream);
}

__kernel __attribute__((reqd_work_group_size(WORK_GROUP_SIZE, 1, 1))) void row_column(ROW_ARGUMENTS)
{
    __local core_float kept[ROW_VECTORS * KEPT_CLASSES], low[KEPT_CLASSES];
#if TEMPERATURES == TEMPERATURES_SWEEP
    __local core_float high[ROW_VECTORS * KEPT_CLASSES]; /* the logits are needed again */
#else
    __local core_float *const high = kept;
#endif
    const int stream = row_wants_stream(logits, results, rows * classes * ROW_TEMPERATURE_COUNT);
    const columns share = column_share(rows, inner);
    if (share.count == 0)
        return;
    lanes vectors[ROW_VECTORS];
    uint count = 0;
    for (ulong i = 0; i < share.count; i += CORE_WIDTH, count++) {
        const lanes vector = {logits + row_offset(logits_layout, share.row + i, inner), logits_layout.s3,
                              logits_layout.CLASS_STRIDE, classes,
                              (uint)(share.count - i < CORE_WIDTH ? share.count - i : CORE_WIDTH)};
        vectors[count] = vector;
    }
    core_top_t tops[ROW_VECTORS];
    if (count == ROW_VECTORS)
        column_load(vectors, ROW_VECTORS, kept, tops);
    else
        column_load(vectors, count, kept, tops);
    __global result_t *p = results + row_offset(results_layout, share.row, inner);
    for (uint k = 0; k < ROW_TEMPERATURE_COUNT; k++, p += sweep.s1) {
        int are_whole[ROW_VECTORS];
        for (uint v = 0; v < count; v++) {
            const ulong row = share.row + v * CORE_WIDTH;
            const lanes_room room = {kept + v * KEPT_CLASSES, high + v * KEPT_CLASSES, low};
            row_state state = row_state_of(
                tops[v].key, row_temperatures(one_temperature, temperatures, first, row, vectors[v].count, k),
                policies);
            lanes_scan(vectors + v, 1, tops + v, &state, 1, room, row, labels, row_records(statistics, first, k), first,
                       invalid_rows);
            are_whole[v] = lanes_are_whole(vectors + v, &state, results_layout.s3);
            for (ulong c = 0; c < classes; c++)
                room.high[c] = lanes_result(room.high[c], room.low[c], 1, &state);
        }
        if (count == ROW_VECTORS)
            column_store(vectors, ROW_VECTORS, high, are_whole, p, results_layout.s3, results_layout.CLASS_STRIDE,
                         stream);
        else
            column_store(vectors, count, high, are_whole, p, results_layout.s3, results_layout.CLASS_STRIDE, stream);
    }
}
#else
__kernel __attribute__((reqd_work_group_size(WORK_GROUP_SIZE, 1, 1))) void row_column(ROW_ARGUMENTS)
{
    const lanes_room room = {0, 0, 0};
    const int stream = row_wants_stream(logits, results, rows * classes * ROW_TEMPERATURE_COUNT);
    const columns share = column_share(rows, inner);
    if (share.count == 0)
        return;
    const lanes l = {logits + row_offset(logits_layout, share.row, inner), logits_layout.s3, logits_layout.CLASS_STRIDE,
                     classes, (uint)share.count};
    core_top_t top;
    lanes_top(&l, 1, 0, room, &top);
    __global result_t *p = results + row_offset(results_layout, share.row, inner);
    for (uint k = 0; k < ROW_TEMPERATURE_COUNT; k++, p += sweep.s1) {
        row_state state = row_state_of(
            top.key, row_temperatures(one_temperature, temperatures, first, share.row, l.count, k), policies);
        lanes_scan(&l, 1, &top, &state, 0, room, share.row, labels, row_records(statistics, first, k), first,
                   invalid_rows);
        if (OPERATION != OPERATION_NONE)
            lanes_emit(&l, &state, p, results_layout.s3, results_layout.CLASS_STRIDE, stream);
    }
}
#endif
#endif
