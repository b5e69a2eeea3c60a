/*
 * lane: short rows side by side, each on a lane of its own. So what is done once for each row is done for all lanes at
 * once.
 *
 * A work-item takes VECTORS_ABREAST vectors of neighbouring rows, then the next ones of its share. It reads rows of up
 * to ROOM_CLASSES neighbouring classes as they stand in memory, transposes them, keeps them, and transposes the results
 * back. So each logit is read once, each exponential computed once, and each result written once. Rows are not kept if
 * they are longer, or on a GPU (CORE_WIDTH 1), where neighbouring work-items take the place of lanes. Then each logit
 * is read again from where it stands, which for short rows is a cache.
 *
 * Launch: any number of work-items up to ceil(rows / LANE_ROWS), rounded up to a multiple of WORK_GROUP_SIZE. If
 * CORE_WIDTH is 1, as many as rows. CORE_WIDTH is 1 unless inner is 1.
 * Memory: private memory has a room for the logits, whose place the exponentials and then the results take, and one
 * for the low halves of the exponentials. In a sweep the logits have a room of their own.
 */
#define CORE_ROW_PER_LANE 1
#define LANES_TOGETHER VECTORS_ABREAST
#include "strategies/lanes.h"

#define LANE_ROWS (VECTORS_ABREAST * CORE_WIDTH) /* rows that a work-item has at a time */

/* Runs the statement that follows for each vector v of rows. */
#define FOR_VECTORS _Pragma("unroll") for (uint v = 0; v < VECTORS_ABREAST; v++)

/* How many vectors a room has. One more than the rows take, since whole vectors are read and written beyond the last
   row. */
#define LANE_ROOM (ROOM_CLASSES * VECTORS_ABREAST + 1)

#if ROOM_CLASSES
/* ---------------------------------------------------------------- Transposition */

/* Transposing is moving the bits of an element's index: from row after row, where the class is in the lowest bits, to
   class after class, where it is in the highest, and back. A perfect shuffle moves one bit. */

/* Does a perfect shuffle of the elements of `count` vectors, from `from` to `to`: it interleaves their first half with
   the second. So the highest bit of each element's index becomes the lowest. */
static void lane_shuffle_once(const core_float *from, core_float *to, uint count)
{
    for (uint i = 0; i < count / 2; i++) {
        const core_float first = from[i], second = from[i + count / 2];
        core_float low, high;
        low.even = first.lo;
        low.odd = second.lo;
        high.even = first.hi;
        high.odd = second.hi;
        to[2 * i] = low;
        to[2 * i + 1] = high;
    }
}

/* Reverses a perfect shuffle: the lowest bit of each element's index becomes the highest. */
static void lane_unshuffle_once(const core_float *from, core_float *to, uint count)
{
    for (uint i = 0; i < count / 2; i++) {
        const core_float low = from[2 * i], high = from[2 * i + 1];
        core_float first, second;
        first.lo = low.even;
        first.hi = high.even;
        second.lo = low.odd;
        second.hi = high.odd;
        to[i] = first;
        to[i + count / 2] = second;
    }
}

/* Does `steps` shuffles, or reverses as many. `spare` has room for as many vectors as `to`; `from` stays as it is. */
static void lane_shuffle(const core_float *from, core_float *to, core_float *spare, uint count, uint steps, int reverse)
{
    for (; steps > 0; steps--) {
        core_float *const target = steps % 2 == 1 ? to : spare;
        if (reverse)
            lane_unshuffle_once(from, target, count);
        else
            lane_shuffle_once(from, target, count);
        from = target;
    }
}

/* Returns the binary logarithm of how many classes are transposed together, as a slice: CORE_WIDTH, or for shorter rows
   the power of two that holds them, at least 2. */
static uint lane_slice_log2(uint classes)
{
    uint log2 = 1;
    while ((1u << log2) < classes && (1u << log2) < CORE_WIDTH)
        log2++;
    return log2;
}

/* The shape of the rows that are transposed. */
typedef struct {
    uint classes;
    uint log2; /* of the classes in a slice */
} lane_shape;

/* ---------------------------------------------------------------- Rows in memory */

/* Neighbouring elements of rows in an array: one run for all rows if they are contiguous, else a run for each. */
typedef struct {
    ulong stride; /* from a run to the next, in elements */
    uint count;
    uint length; /* of a run, in elements */
} lane_runs;

/* Returns the runs of `count` rows. */
static lane_runs lane_runs_of(ulong lane_stride, uint classes, uint count)
{
    const int contiguous = lane_stride == classes;
    const lane_runs runs = {lane_stride, contiguous ? 1 : count, contiguous ? count * classes : classes};
    return runs;
}

/* Reads rows, one after another, into an array of `elements` floats; lanes without a row get -inf. For contiguous rows
   it prefetches two turns ahead: transposing and computing a turn takes so long that a processor does not see by itself
   where reading goes on. */
static void lane_read(__global const logit_t *x, lane_runs runs, uint elements, float *rows)
{
    for (uint i = 0; i < runs.count; i++, x += runs.stride, rows += runs.length) {
        uint c = 0;
        for (; c + CORE_WIDTH <= runs.length; c += CORE_WIDTH) {
            ROW_PREFETCH(x + c + 2 * runs.length, 3);
            ROW_FLOATS(, rows + c) = row_load(x + c);
        }
        if (c < runs.length)
            ROW_FLOATS(, rows + c) = row_load_tail(x + c, runs.length - c, -CORE_INFINITY);
    }
    for (uint i = runs.count * runs.length; i < elements; i++)
        *rows++ = -CORE_INFINITY;
}

/* Writes the results of rows, which stand one after another in `rows`. Unless is_computed, some rows are not computed
   and may be NaN. */
static void lane_write(const float *rows, __global result_t *p, lane_runs runs, int is_computed, int stream)
{
    for (uint i = 0; i < runs.count; i++, p += runs.stride, rows += runs.length) {
        uint c = 0;
        if (stream && is_computed && row_can_stream(p))
            for (; c + CORE_WIDTH <= runs.length; c += CORE_WIDTH)
                row_stream(ROW_FLOATS(const, rows + c), p + c);
        for (; c + CORE_WIDTH <= runs.length; c += CORE_WIDTH)
            row_store_all(ROW_FLOATS(const, rows + c), p + c, is_computed);
        if (c < runs.length)
            row_store_tail(ROW_FLOATS(const, rows + c), p + c, runs.length - c);
    }
}

/* Up to so many classes, rows whose slices lie across vectors are read slice by slice from where they stand. Read from
   a copy instead, such a slice would wait until the copy has reached the cache. With longer rows, too many cache lines
   would be under way at once. */
#define LANE_DIRECT_CLASSES 64

/* Reads `count` rows and transposes them into `kept`, class after class, with all vectors of a class side by side.
   is_followed says that the array has at least a vector of logits after these rows, so that reading may go beyond a
   row's end. */
static void lane_load(__global const logit_t *x, ulong lane_stride, lane_shape shape, uint count, int is_followed,
                      core_float *kept)
{
    const uint classes = shape.classes, log2 = shape.log2, slice = 1u << log2;
    core_float whole[LANE_ROOM]; /* the rows, one after another */
    core_float cut[LANE_ROOM];   /* the classes of one slice alone, in the same order */
    core_float spare[LANE_ROOM];
    float *rows = (float *)whole;
    if (ROOM_CLASSES <= LANE_DIRECT_CLASSES && classes % slice != 0 && lane_stride == classes && is_followed) {
        for (uint c = 0; c < classes; c += slice) {
            for (uint i = 0; i < LANE_ROWS; i++) {
                ROW_PREFETCH(x + i * classes + c + 2 * LANE_ROWS * classes, 3);
                ROW_FLOATS(, (float *)cut + i * slice) = row_load(x + i * classes + c);
            }
            lane_shuffle(cut, kept + c * VECTORS_ABREAST, spare, slice * VECTORS_ABREAST, log2, 1);
        }
        return;
    }
    lane_read(x, lane_runs_of(lane_stride, classes, count), LANE_ROWS * classes, rows);
    for (uint c = 0; c < classes; c += slice) {
        for (uint i = 0; slice != classes && i < LANE_ROWS; i++)
            ROW_FLOATS(, (float *)cut + i * slice) = ROW_FLOATS(const, rows + i * classes + c);
        lane_shuffle(slice == classes ? whole : cut, kept + c * VECTORS_ABREAST, spare, slice * VECTORS_ABREAST, log2,
                     1);
    }
}

/* Transposes the results in `kept` back, and writes them to p. Slices are put into rows from the last to the first, and
   rows in order, so that what a vector writes beyond its row is overwritten by the next row. */
static void lane_store(const core_float *kept, __global result_t *p, lane_runs runs, lane_shape shape, int is_computed,
                       int stream)
{
    const uint classes = shape.classes, log2 = shape.log2, slice = 1u << log2;
    core_float whole[LANE_ROOM], cut[LANE_ROOM], spare[LANE_ROOM]; /* as in lane_load */
    float *rows = (float *)whole;
    for (uint end = (classes + slice - 1) / slice * slice; end > 0; end -= slice) {
        const uint c = end - slice;
        lane_shuffle(kept + c * VECTORS_ABREAST, slice == classes ? whole : cut, spare, slice * VECTORS_ABREAST, log2,
                     0);
        for (uint i = 0; slice != classes && i < LANE_ROWS; i++)
            ROW_FLOATS(, rows + i * classes + c) = ROW_FLOATS(const, (float *)cut + i * slice);
    }
    lane_write(rows, p, runs, is_computed, stream);
}

/* Computes the results of rows that are kept, in the place of what they are made of. */
static void lane_results(const row_call *call, const row_lot *lots, const row_state *states, lanes_room room,
                         uint classes)
{
    for (uint c = 0; c < classes; c++) {
        FOR_VECTORS
        {
            const uint at = c * VECTORS_ABREAST + v;
            room.high[at] =
                lanes_result(room.high[at], room.low[at], lanes_load_operand(call, lots + v, c), 1, states + v);
        }
    }
}
#endif

/* ---------------------------------------------------------------- Kernel */

/* Returns how many rows a work-item takes: whole turns of LANE_ROWS rows. */
static ulong lane_share(ulong rows)
{
    const ulong turns = (rows + LANE_ROWS - 1) / LANE_ROWS;
    return LANE_ROWS > 1 ? (turns + get_global_size(0) - 1) / get_global_size(0) * LANE_ROWS : 1;
}

ROW_KERNEL row_lane(ROW_PARAMETERS)
{
    const row_call call = ROW_CALL;
    const int stream = row_wants_stream(&call);
    core_float kept[LANE_ROOM], low[CORE_LEAN ? 1 : LANE_ROOM];
#if TEMPERATURES == TEMPERATURES_SWEEP
    core_float high[LANE_ROOM];
#else
    core_float *const high = kept;
#endif
    const lanes_room room = {kept, high, CORE_LEAN ? high : low};
#if ROOM_CLASSES
    const lane_shape shape = {(uint)classes, lane_slice_log2((uint)classes)};
#endif
    const ulong lane_stride = logits_layout.LAYOUT_OUTER_STRIDE, result_stride = results_layout.LAYOUT_OUTER_STRIDE;
    const ulong operand_stride = operand_layout.LAYOUT_OUTER_STRIDE;
    const ulong row_inner = CORE_WIDTH > 1 ? 1 : inner; /* a constant for vectors, since inner is 1 then */
    const ulong share = lane_share(rows);
    const ulong begin = get_global_id(0) * share, end = begin + share < rows ? begin + share : rows;
    for (ulong row = begin; row < end; row += LANE_ROWS) {
        row_lot lots[VECTORS_ABREAST];
        core_top_t tops[VECTORS_ABREAST];
        const uint present = (uint)(rows - row < LANE_ROWS ? rows - row : LANE_ROWS);
        __global const logit_t *x = logits + row_offset(logits_layout, row, row_inner);
        __global const operand_t *g = operand + (HAS_OPERAND ? row_offset(operand_layout, row, row_inner) : 0);
        __global result_t *p = results + row_offset(results_layout, row, row_inner);
#if ROOM_CLASSES
        const int is_followed = row + LANE_ROWS < end && (end - row - LANE_ROWS) * classes >= CORE_WIDTH;
        lane_load(x, lane_stride, shape, present, is_followed, kept);
#endif
        FOR_VECTORS
        {
            const uint before = v * CORE_WIDTH, rest = present > before ? present - before : 0;
            const row_lot lot = {row + before, rest < CORE_WIDTH ? rest : CORE_WIDTH, x + before * lane_stride,
                                 lane_stride,  g + before * operand_stride,           operand_stride};
            lots[v] = lot;
        }
        lanes_top(&call, lots, VECTORS_ABREAST, ROOM_CLASSES > 0, room, tops);
        for (uint k = 0; k < ROW_TEMPERATURE_COUNT(&call); k++, p += sweep.SWEEP_STRIDE) {
            row_state states[VECTORS_ABREAST];
            FOR_VECTORS
            {
                const ulong at = lots[v].count > 0 ? lots[v].row : row; /* a vector without rows gets a valid place */
                states[v] = row_state_of(tops[v], row_temperatures(&call, at, lots[v].count, k), policies);
            }
            lanes_sum_and_finish(&call, k, lots, VECTORS_ABREAST, tops, states, ROOM_CLASSES > 0, room);
            if (!HAS_RESULTS)
                continue;
#if ROOM_CLASSES
            core_row_int is_computed = core_row_is_computed(states[0].set.kind);
            FOR_VECTORS is_computed &= core_row_is_computed(states[v].set.kind);
            lane_results(&call, lots, states, room, (uint)classes);
            const lane_runs runs = lane_runs_of(result_stride, (uint)classes, present);
            lane_store(room.high, p, runs, shape, row_all(is_computed), stream);
            FOR_VECTORS row_store_labels(&call, lots[v], states + v, p + v * CORE_WIDTH * result_stride, result_stride);
#else
            FOR_VECTORS lanes_emit(&call, lots + v, states + v, p + v * CORE_WIDTH * result_stride, result_stride,
                                   stream);
#endif
        }
    }
}
