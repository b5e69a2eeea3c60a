/*
 * lane: short rows side by side, each on a lane of its own.
 *
 * A work-item takes VECTORS_ABREAST vectors of neighbouring rows, then the next ones of its share. Rows of up to ROOM_CLASSES
 * neighbouring classes are read as they stand in memory, transposed, kept with their exponentials in private memory, and
 * transposed back: one read, one write, one exponential for an element, and what is done once a row is done for all lanes
 * at once. On a device without vectors (CORE_WIDTH 1: a GPU, whose work-items lie side by side) and for long rows, each
 * logit is read again from where it stands, which for short rows is a cache.
 * Launch: any number of work-items up to ceil(rows / (VECTORS_ABREAST * CORE_WIDTH)), rounded up to a multiple of
 * WORK_GROUP_SIZE; as many as rows if CORE_WIDTH is 1, as it is unless inner is.
 */
#define CORE_ROW_PER_LANE 1
#include "strategies/lanes.h"

#define LANE_ROWS (VECTORS_ABREAST * CORE_WIDTH) /* of a work-item at a time */
#define FOR_VECTORS _Pragma("unroll") for (uint v = 0; v < VECTORS_ABREAST; v++)

/* Vectors, whole blocks of classes, and one: whole ones may be read and written over the end of the rows. */
#define LANE_ROOM (ROOM_CLASSES * VECTORS_ABREAST + 1)

#if ROOM_CLASSES
/* One perfect shuffle of the elements of `count` vectors: the highest bit of an index goes to its lowest place. */
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

/* The reverse. */
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

/* So many shuffles, or their reverse. spare: room for as many vectors, as in `to`; from stays as it is. */
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

/* Classes that are transposed together: CORE_WIDTH, or of shorter rows the power of two that holds them; its logarithm. */
static uint lane_block_log2(uint classes)
{
    uint log2 = 1;
    while ((1u << log2) < classes && (1u << log2) < CORE_WIDTH)
        log2++;
    return log2;
}

/* The shape of the rows that are transposed. */
typedef struct {
    uint classes;
    uint log2; /* of the classes that are transposed together */
} lane_shape;

/* How rows stand in an array: in one run if they stand one behind the other, else a run each. */
typedef struct {
    ulong stride;
    uint count;
    uint length;
} lane_runs;

static lane_runs lane_runs_of(ulong lane_stride, uint classes, uint count)
{
    const int contiguous = lane_stride == classes;
    const lane_runs runs = {lane_stride, contiguous ? 1 : count, contiguous ? count * classes : classes};
    return runs;
}

/* All rows, one behind the other. Idle lanes are masks. Of rows without gaps, what follows those that come next is fetched meanwhile: to
   transpose and compute rows is too long for a processor to see the reading of the next. */
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

/* Rows of so few classes are read piece by piece from where they stand, if pieces lie across vectors: read from a copy, those would wait
   until it has reached the cache. Of longer ones the lines on their way would be too many. */
#define LANE_DIRECT_CLASSES 64

/* LANE_ROWS rows of neighbouring classes -> kept, of each class a vector of rows behind the other: classes, the lowest bits, become the
   highest. is_followed: the work-item has a vector of elements behind these, so that a piece may go beyond a row's end. */
static void lane_load(__global const logit_t *x, ulong lane_stride, lane_shape shape, uint count, int is_followed,
                      core_float *kept)
{
    const uint classes = shape.classes, log2 = shape.log2, block = 1u << log2;
    core_float whole[LANE_ROOM], pieces[LANE_ROOM], spare[LANE_ROOM];
    float *rows = (float *)whole;
    if (ROOM_CLASSES <= LANE_DIRECT_CLASSES && classes % block != 0 && lane_stride == classes && is_followed) {
        for (uint c = 0; c < classes; c += block) {
            for (uint i = 0; i < LANE_ROWS; i++) {
                ROW_PREFETCH(x + i * classes + c + 2 * LANE_ROWS * classes, 3);
                ROW_FLOATS(, (float *)pieces + i * block) = row_load(x + i * classes + c);
            }
            lane_shuffle(pieces, kept + c * VECTORS_ABREAST, spare, block * VECTORS_ABREAST, log2, 1);
        }
        return;
    }
    lane_read(x, lane_runs_of(lane_stride, classes, count), LANE_ROWS * classes, rows);
    for (uint c = 0; c < classes; c += block) {
        for (uint i = 0; block != classes && i < LANE_ROWS; i++)
            ROW_FLOATS(, (float *)pieces + i * block) = ROW_FLOATS(const, rows + i * classes + c);
        lane_shuffle(block == classes ? whole : pieces, kept + c * VECTORS_ABREAST, spare, block * VECTORS_ABREAST,
                     log2, 1);
    }
}

/* The reverse: classes become the lowest bits. What a vector has beyond a row is written over: the next row is written later, and of
   a row the last classes first. */
static void lane_store(const core_float *kept, __global result_t *p, lane_runs runs, lane_shape shape, int is_computed,
                       int stream)
{
    const uint classes = shape.classes, log2 = shape.log2, block = 1u << log2;
    core_float whole[LANE_ROOM], pieces[LANE_ROOM], spare[LANE_ROOM];
    float *rows = (float *)whole;
    for (uint end = (classes + block - 1) / block * block; end > 0; end -= block) {
        const uint c = end - block;
        lane_shuffle(kept + c * VECTORS_ABREAST, block == classes ? whole : pieces, spare, block * VECTORS_ABREAST,
                     log2, 0);
        for (uint i = 0; block != classes && i < LANE_ROWS; i++)
            ROW_FLOATS(, rows + i * classes + c) = ROW_FLOATS(const, (float *)pieces + i * block);
    }
    lane_write(rows, p, runs, is_computed, stream);
}

/* Results of rows that are kept, in the place of what they are made of. */
static void lane_results(const row_state *states, lanes_room room, uint classes)
{
    for (uint c = 0; c < classes; c++) {
        FOR_VECTORS
        {
            const uint at = c * VECTORS_ABREAST + v;
            room.high[at] = lanes_result(room.high[at], room.low[at], 1, states + v);
        }
    }
}
#endif

/* Returns how many rows a work-item takes. */
static ulong lane_share(ulong rows)
{
    const ulong blocks = (rows + LANE_ROWS - 1) / LANE_ROWS;
    return LANE_ROWS > 1 ? (blocks + get_global_size(0) - 1) / get_global_size(0) * LANE_ROWS : 1;
}

ROW_KERNEL row_lane(ROW_PARAMETERS)
{
    const row_call call = ROW_CALL;
    const int stream = row_wants_stream(&call);
    core_float kept[LANE_ROOM], low[LANE_ROOM];
#if TEMPERATURES == TEMPERATURES_SWEEP
    core_float high[LANE_ROOM];
#else
    core_float *const high = kept;
#endif
    const lanes_room room = {kept, high, low};
#if ROOM_CLASSES
    const lane_shape shape = {(uint)classes, lane_block_log2((uint)classes)};
#endif
    const ulong lane_stride = logits_layout.LAYOUT_OUTER_STRIDE, result_stride = results_layout.LAYOUT_OUTER_STRIDE;
    const ulong row_inner = CORE_WIDTH > 1 ? 1 : inner; /* vectors of rows are there only if inner is 1 */
    const ulong share = lane_share(rows);
    const ulong begin = get_global_id(0) * share, end = begin + share < rows ? begin + share : rows;
    for (ulong row = begin; row < end; row += LANE_ROWS) {
        row_lot lots[VECTORS_ABREAST];
        core_top_t tops[VECTORS_ABREAST];
        const uint present = (uint)(rows - row < LANE_ROWS ? rows - row : LANE_ROWS);
        __global const logit_t *x = logits + row_offset(logits_layout, row, row_inner);
        __global result_t *p = results + row_offset(results_layout, row, row_inner);
#if ROOM_CLASSES
        const int is_followed = row + LANE_ROWS < end && (end - row - LANE_ROWS) * classes >= CORE_WIDTH;
        lane_load(x, lane_stride, shape, present, is_followed, kept);
#endif
        FOR_VECTORS
        {
            const uint before = v * CORE_WIDTH, rest = present > before ? present - before : 0;
            const row_lot lot = {row + before, rest < CORE_WIDTH ? rest : CORE_WIDTH, x + before * lane_stride,
                                 lane_stride};
            lots[v] = lot;
        }
        lanes_top(&call, lots, VECTORS_ABREAST, ROOM_CLASSES > 0, room, tops);
        for (uint k = 0; k < ROW_TEMPERATURE_COUNT(&call); k++, p += sweep.SWEEP_STRIDE) {
            row_state states[VECTORS_ABREAST];
            FOR_VECTORS
            {
                const ulong at = lots[v].count > 0 ? lots[v].row : row; /* a vector without rows has the first's */
                states[v] = row_state_of(tops[v].key, row_temperatures(&call, at, lots[v].count, k), policies);
            }
            lanes_sum_and_finish(&call, k, lots, VECTORS_ABREAST, tops, states, ROOM_CLASSES > 0, room);
            if (!HAS_RESULTS)
                continue;
#if ROOM_CLASSES
            core_row_int is_computed = core_row_is_computed(states[0].set.kind);
            FOR_VECTORS is_computed &= core_row_is_computed(states[v].set.kind);
            lane_results(states, room, (uint)classes);
            const lane_runs runs = lane_runs_of(result_stride, (uint)classes, present);
            lane_store(room.high, p, runs, shape, row_all(is_computed), stream);
#else
            FOR_VECTORS lanes_emit(&call, lots + v, states + v, p, result_stride, stream);
#endif
        }
    }
}
