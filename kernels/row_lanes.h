/*
 * Scans of rows side by side, each on a lane of its own (CORE_ROW_PER_LANE is defined): lane and column. CORE_WIDTH rows a
 * work-item, class by class; from where they stand, or kept from their first scan on.
 */
/* PoCL 3.1 loses what a function writes to local memory that it does not make a part of the kernel, as where there are two calls. */
#define LANES_INLINE static inline __attribute__((always_inline))

#if KEPT_CLASSES
#define LANES_KEPT __local /* private memory has no room for long rows */
#else
#define LANES_KEPT
#endif

/* Room for the logits of all classes, and for what results are made of: the halves of the exponentials, or in `high` the logits as
   ordinary rows have them. Where no temperature follows, that takes the place of the logits. */
typedef struct {
    LANES_KEPT core_float *logits, *high, *low;
} lanes_room;

/* Rows whose logits stand lane_stride apart. */
typedef struct {
    __global const logit_t *x;
    ulong lane_stride;
    ulong class_stride;
    ulong classes;
    uint count; /* of lanes that are rows; the others are idle */
} lanes;

/* The logits of a class, as they are. */
static core_float lanes_load(const lanes *l, ulong class_index)
{
    __global const logit_t *address = l->x + class_index * l->class_stride;
    if (TEMPERATURES == TEMPERATURES_ON_LANES)
        return (core_float)(row_load_one(address));
    if (l->lane_stride == 1 && l->count == CORE_WIDTH)
        return row_load(address);
    float each[CORE_WIDTH];
    for (uint i = 0; i < CORE_WIDTH; i++)
        each[i] = i < l->count ? row_load_one(address + i * l->lane_stride) : -CORE_INFINITY;
    return ROW_FLOATS(const, each);
}

/* The same as ordinary rows have them. */
LANES_INLINE core_float lanes_ordinary(const lanes *l, ulong class_index, const row_state *rows, int keep,
                                       lanes_room room)
{
    return row_ordinary(keep ? room.logits[class_index] : lanes_load(l, class_index), rows);
}

LANES_INLINE core_top_t lanes_top(const lanes *l, int keep, lanes_room room)
{
    row_top seen = row_top_of_nothing();
    for (ulong c = 0; c < l->classes; c++)
        seen = row_top_add(seen, keep ? room.logits[c] : lanes_load(l, c), (uint)c);
    const core_top_t top = {seen.key, seen.second_key, core_long_of_uint(seen.step)};
    return top;
}

LANES_INLINE row_sums lanes_sums(const lanes *l, const row_state *rows, int keep, lanes_room room)
{
    row_sums sums = row_sums_of_nothing();
    for (ulong c = 0; c < l->classes; c++) {
        const core_float x = lanes_ordinary(l, c, rows, keep, room);
        const core_pair e = core_exponential(x, rows->set.row);
        sums = row_sums_settle(row_sums_add_pair(sums, e, x, rows));
        if (keep) {
            room.high[c] = OPERATION == OPERATION_SOFTMAX ? e.high : x;
            room.low[c] = e.low;
        }
    }
    return sums;
}

/* Sums that were never flushed need no 64 bits, which are a good part of the work of a row of few classes. */
static core_two_float lanes_sum_scale(const lanes *l, const row_state *rows, row_sums sums)
{
    if ((OPERATION == OPERATION_SOFTMAX) & !STATISTICS && l->classes < CORE_FLUSH_AFTER)
        return core_reciprocal(core_short_total_value(sums.exponentials.high, sums.exponentials.low, sums.added));
    return row_sum_scale(rows, row_flush(sums));
}

/* The second scan of the rows from `row` on, at a temperature each; their records, and what results need of the sums. */
LANES_INLINE void lanes_scan(const lanes *l, core_top_t top, row_state *state, int keep, lanes_room room,
                             core_row_float temperature, ulong row, uint policies, __global const long *labels,
                             __global row_record *statistics, ulong4 first, __global uint *invalid_rows)
{
    *state = row_state_of(top.key, temperature, policies);
    const row_sums sums = lanes_sums(l, state, keep, room);
    row_finish(state, top, STATISTICS ? row_flush(sums) : row_totals_of_nothing(), row, l->count, l->x, l->lane_stride,
               l->class_stride, l->classes, labels, statistics, first, invalid_rows);
    if (OPERATION != OPERATION_NONE)
        state->sum_scale = lanes_sum_scale(l, state, sums);
}

LANES_INLINE core_float lanes_result(const lanes *l, ulong c, const row_state *rows, int keep, lanes_room room)
{
    if (keep & (OPERATION == OPERATION_SOFTMAX)) {
        const core_pair e = {room.high[c], room.low[c]};
        return core_probability(e, rows->sum_scale.high, rows->sum_scale.low);
    }
    return row_result(keep ? room.high[c] : lanes_ordinary(l, c, rows, 0, room), rows);
}

/* Rows that are not computed have one result throughout. */
static core_float lanes_filled(core_float result, const row_state *rows)
{
    return core_row_is_computed(rows->set.kind) ? result : row_fill_value(rows->set.kind);
}

/* All lanes are rows that are computed, and have neighbouring places. */
static int lanes_are_whole(const lanes *l, const row_state *rows, ulong lane_stride)
{
    return lane_stride == 1 && l->count == CORE_WIDTH && row_all(core_row_is_computed(rows->set.kind));
}

static void lanes_store(core_float result, int is_whole, __global result_t *p, ulong lane_stride, uint count,
                        int stream)
{
    if (is_whole && stream && row_can_stream(p)) {
        row_stream(result, p);
        return;
    }
    if (is_whole) {
        row_store(result, p);
        return;
    }
    float each[CORE_WIDTH];
    ROW_FLOATS(, each) = result;
    for (uint i = 0; i < count; i++)
        row_store_one(each[i], p + i * lane_stride);
}

LANES_INLINE void lanes_emit(const lanes *l, const row_state *rows, int keep, lanes_room room, __global result_t *p,
                             ulong lane_stride, ulong class_stride, int stream)
{
    const int is_whole = lanes_are_whole(l, rows, lane_stride);
    for (ulong c = 0; c < l->classes; c++)
        lanes_store(lanes_filled(lanes_result(l, c, rows, keep, room), rows), is_whole, p + c * class_stride,
                    lane_stride, l->count, stream);
}
