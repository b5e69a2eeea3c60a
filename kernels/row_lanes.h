/*
 * Scans of rows side by side, each on a lane of its own (CORE_ROW_PER_LANE is defined): lane and column. CORE_WIDTH rows a
 * work-item, class by class.
 */

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
    if (l->lane_stride == 1 && l->count == CORE_WIDTH)
        return row_load(address);
    float each[CORE_WIDTH];
    for (uint i = 0; i < CORE_WIDTH; i++)
        each[i] = i < l->count ? row_load_one(address + i * l->lane_stride) : -CORE_INFINITY;
    return row_vload(each);
}

/* The same as ordinary rows have them. */
static core_float lanes_ordinary(const lanes *l, ulong class_index, const row_state *rows)
{
    return row_ordinary(lanes_load(l, class_index), rows);
}

/* Rows that are not computed have one result throughout. */
static core_float lanes_filled(core_float result, const row_state *rows)
{
    return core_row_is_computed(rows->set.kind) ? result : row_fill_value(rows->set.kind);
}

static void lanes_store(core_float result, const row_state *rows, __global result_t *p, ulong lane_stride, uint count)
{
    if (lane_stride == 1 && count == CORE_WIDTH && row_all(core_row_is_computed(rows->set.kind))) {
        row_store(result, p);
        return;
    }
    float each[CORE_WIDTH];
    row_vstore(result, each);
    for (uint i = 0; i < count; i++)
        row_store_one(each[i], p + i * lane_stride);
}

/* Results that are computed from the logits a second time. */
static void lanes_emit(const lanes *l, const row_state *rows, __global result_t *p, ulong lane_stride,
                       ulong class_stride)
{
    for (ulong class_index = 0; class_index < l->classes; class_index++) {
        const core_float result = lanes_filled(row_result(lanes_ordinary(l, class_index, rows), rows), rows);
        lanes_store(result, rows, p + class_index * class_stride, lane_stride, l->count);
    }
}
