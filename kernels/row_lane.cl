/*
 * lane: short rows side by side, each on a lane of its own.
 *
 * A work-item takes CORE_WIDTH neighbouring rows, then the next ones of its share. Where they are short enough and CORE_WIDTH
 * allows, they are read as they stand in memory, transposed, kept with their exponentials in private memory, and transposed back:
 * one read, one write, one exponential an element, and what is done once a row is done for all lanes at once. On a device without
 * vectors (CORE_WIDTH 1: a GPU, whose neighbouring work-items are the lanes), and for long rows, each logit is read again from
 * where it stands, which for short rows is a cache.
 * Launch: any number of work-items up to ceil(rows / CORE_WIDTH), rounded up to a multiple of WORK_GROUP_SIZE; as many as rows
 * if CORE_WIDTH is 1, which it is unless inner is.
 */
#define LANE_CLASSES 64 /* of a row that is kept: two arrays of so many vectors are private */

#if CORE_WIDTH > 1
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

/* So many shuffles, or their reverse. spare: room for as many; returns which of the two has the result. */
static core_float *lane_shuffle(core_float *from, core_float *spare, uint count, uint steps, int reverse)
{
    for (uint step = 0; step < steps; step++) {
        if (reverse)
            lane_unshuffle_once(from, spare, count);
        else
            lane_shuffle_once(from, spare, count);
        core_float *const shuffled = spare;
        spare = from;
        from = shuffled;
    }
    return from;
}

/* Classes that are transposed together: CORE_WIDTH, or of shorter rows the power of two that holds them; its logarithm. */
static uint lane_block_log2(uint classes)
{
    uint log2 = 1;
    while ((1u << log2) < classes && (1u << log2) < CORE_WIDTH)
        log2++;
    return log2;
}

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

/* All rows, one behind the other. Idle lanes are masks. */
static void lane_read(const lanes *l, float *rows)
{
    const uint classes = (uint)l->classes;
    const lane_runs runs = lane_runs_of(l->lane_stride, classes, l->count);
    for (uint i = 0; i < runs.count; i++) {
        __global const logit_t *x = l->x + i * runs.stride;
        uint c = 0;
        for (; c + CORE_WIDTH <= runs.length; c += CORE_WIDTH)
            ROW_FLOATS(, rows + i * classes + c) = row_load(x + c);
        if (c < runs.length)
            ROW_FLOATS(, rows + i * classes + c) = row_load_tail(x + c, runs.length - c, -CORE_INFINITY);
    }
    for (uint i = l->count * classes; i < CORE_WIDTH * classes; i++)
        rows[i] = -CORE_INFINITY;
}

static void lane_write(const float *rows, __global result_t *p, ulong lane_stride, uint classes, uint count,
                       int is_computed, int stream)
{
    const lane_runs runs = lane_runs_of(lane_stride, classes, count);
    for (uint i = 0; i < runs.count; i++) {
        uint c = 0;
        if (stream && is_computed && row_can_stream(p + i * runs.stride))
            for (; c + CORE_WIDTH <= runs.length; c += CORE_WIDTH)
                row_stream(ROW_FLOATS(const, rows + i * classes + c), p + i * runs.stride + c);
        for (; c + CORE_WIDTH <= runs.length; c += CORE_WIDTH)
            row_store_all(ROW_FLOATS(const, rows + i * classes + c), p + i * runs.stride + c, is_computed);
        if (c < runs.length)
            row_store_tail(ROW_FLOATS(const, rows + i * classes + c), p + i * runs.stride + c, runs.length - c);
    }
}

#define LANE_ROOM (LANE_CLASSES + 1) /* vectors: whole ones may be read and written over the end of the rows */

/* Rows of neighbouring classes -> kept[class], a vector of all rows: classes, the lowest bits, become the highest. */
static void lane_load(const lanes *l, core_float *kept)
{
    const uint classes = (uint)l->classes, log2 = lane_block_log2(classes), block = 1u << log2;
    core_float whole[LANE_ROOM], pieces[CORE_WIDTH + 1], spare[CORE_WIDTH];
    float *rows = (float *)whole;
    lane_read(l, rows);
    for (uint c = 0; c < classes; c += block) {
        for (uint i = 0; block != classes && i < CORE_WIDTH; i++)
            ROW_FLOATS(, (float *)pieces + i * block) = ROW_FLOATS(const, rows + i * classes + c);
        const core_float *turned = lane_shuffle(block == classes ? whole : pieces, spare, block, log2, 1);
        for (uint i = 0; i < block && c + i < classes; i++)
            kept[c + i] = turned[i];
    }
}

/* The reverse: classes become the lowest bits. What a vector has beyond a row is written over: the next row is written later, and of
   a row the last classes first. */
static void lane_store(const core_float *kept, __global result_t *p, ulong lane_stride, uint classes, uint count,
                       int is_computed, int stream)
{
    const uint log2 = lane_block_log2(classes), block = 1u << log2;
    core_float whole[LANE_ROOM], pieces[CORE_WIDTH + 1], spare[CORE_WIDTH + 1];
    float *rows = (float *)whole;
    for (uint end = (classes + block - 1) / block * block; end > 0; end -= block) {
        const uint c = end - block;
        for (uint i = 0; i < block; i++)
            pieces[i] = kept[c + i < classes ? c + i : c];
        const float *turned = (const float *)lane_shuffle(pieces, spare, block, log2, 0);
        if (block == classes) {
            lane_write(turned, p, lane_stride, classes, count, is_computed, stream);
            return;
        }
        for (uint i = 0; i < CORE_WIDTH; i++)
            ROW_FLOATS(, rows + i * classes + c) = ROW_FLOATS(const, turned + i * block);
    }
    lane_write(rows, p, lane_stride, classes, count, is_computed, stream);
}
#endif

/* Rows of a work-item: whole vectors of neighbours. */
static ulong lane_share(ulong rows)
{
#if CORE_WIDTH > 1
    const ulong vectors = (rows + CORE_WIDTH - 1) / CORE_WIDTH;
    return (vectors + get_global_size(0) - 1) / get_global_size(0) * CORE_WIDTH;
#else
    return 1;
#endif
}

/* The results of all lanes, which in the room take the place of what they are made of. */
static void lane_results(const lanes *l, const row_state *state, int keep, lanes_room room, __global result_t *p,
                         ulong lane_stride, ulong class_stride, int stream)
{
#if CORE_WIDTH > 1
    if (keep) {
        for (uint c = 0; c < (uint)l->classes; c++)
            room.high[c] = lanes_filled(lanes_result(l, c, state, 1, room), state);
        lane_store(room.high, p, lane_stride, (uint)l->classes, l->count,
                   row_all(core_row_is_computed(state->set.kind)), stream);
        return;
    }
#endif
    lanes_emit(l, state, 0, room, p, lane_stride, class_stride, stream);
}

__kernel __attribute__((reqd_work_group_size(WORK_GROUP_SIZE, 1, 1))) void row_lane(ROW_ARGUMENTS)
{
    const int stream = row_wants_stream(logits, results, rows * classes * ROW_TEMPERATURE_COUNT);
    const int keep = CORE_WIDTH > 1 && classes <= LANE_CLASSES && logits_layout.CLASS_STRIDE == 1 &&
                     ((OPERATION == OPERATION_NONE) | (results_layout.CLASS_STRIDE == 1));
    core_float kept[CORE_WIDTH > 1 ? LANE_CLASSES : 1], low[CORE_WIDTH > 1 ? LANE_CLASSES : 1];
#if TEMPERATURES == TEMPERATURES_SWEEP
    core_float high[CORE_WIDTH > 1 ? LANE_CLASSES : 1];
#else
    core_float *const high = kept;
#endif
    const lanes_room room = {kept, high, low};
    const ulong share = lane_share(rows), begin = get_global_id(0) * share;
    const ulong end = begin + share < rows ? begin + share : rows;
    for (ulong row = begin; row < end; row += CORE_WIDTH) { /* the first lane's */
        const lanes l = {logits + row_offset(logits_layout, row, inner), logits_layout.s1, logits_layout.CLASS_STRIDE,
                         classes, (uint)(rows - row < CORE_WIDTH ? rows - row : CORE_WIDTH)};
        __global result_t *p = results + row_offset(results_layout, row, inner);
#if CORE_WIDTH > 1
        if (keep)
            lane_load(&l, kept);
#endif
        const core_top_t top = lanes_top(&l, keep, room);
        for (uint k = 0; k < ROW_TEMPERATURE_COUNT; k++, p += sweep.s1) {
            row_state state;
            lanes_scan(&l, top, &state, keep, room,
                       row_temperatures(one_temperature, temperatures, first, row, l.count, k), row, policies, labels,
                       row_records(statistics, first, k), first, invalid_rows);
            if (OPERATION != OPERATION_NONE)
                lane_results(&l, &state, keep, room, p, results_layout.s1, results_layout.CLASS_STRIDE, stream);
        }
    }
}
