/*
 * split: several work-groups per row, in three kernels, because OpenCL lets no work-group wait for another.
 *
 * For GPUs, where rows are fewer than compute units or too long for one work-group. Each kernel has `parts` work-groups for each
 * row, which take turns of its chunks: the first finds the maximum of each part, the second sums each relative to the
 * maximum of all, the third normalises each by the sum of all. What is known of all, every work-group merges by itself.
 * Launch: rows * parts work-groups of WORK_GROUP_SIZE, a power of two; parts is at most the number of chunks.
 */

/* A logit as bits: a struct cannot have a half without an extension. */
#if LOGITS_DTYPE == DTYPE_F32
typedef uint logit_bits;
#else
typedef ushort logit_bits;
#endif

/* What is known of a part. The scratch memory has one for each work-group. */
typedef struct {
    row_totals totals;
    core_top_t top;
    logit_bits label; /* of a row's first part: the label's logit, which the third kernel may write over */
} split_part;

typedef char split_part_has_72_bytes[sizeof(split_part) == 72 ? 1 : -1]; /* as host/lib/plan.h says */

#define SPLIT_ARGUMENTS ROW_ARGUMENTS, uint parts, __global split_part *scratch

/* A work-group's place: its row, the part of it, and what is known of that row's parts. */
typedef struct {
    ulong row;
    uint part;
    uint parts;
    __global split_part *all;
} split_place;

/* In 32 bits, which hold all work-groups and chunks: divisions of 64 are calls on NVIDIA, and spill. */
static split_place split_place_of(uint parts, __global split_part *scratch)
{
    const uint group = (uint)get_group_id(0), row = group / parts;
    const split_place place = {row, group - row * parts, parts, scratch + (ulong)row * parts};
    return place;
}

/* The first chunks % parts parts have one chunk more than the others. */
static row_part split_part_of(const split_place *place, __global const logit_t *x, ulong class_stride, ulong classes)
{
    const uint chunks = row_chunks(classes), each = chunks / place->parts, more = chunks - each * place->parts;
    const uint begin = place->part * each + (place->part < more ? place->part : more);
    const row_part part = {x, class_stride, classes, begin, begin + each + (place->part < more)};
    return part;
}

/* The row's, of the parts'. */
static core_top_t split_top(const split_place *place, __local local_top *tops)
{
    core_top_t mine = {CORE_KEY_NEGATIVE_INFINITY, CORE_KEY_NEGATIVE_INFINITY, 0};
    for (uint part = (uint)get_local_id(0); part < place->parts; part += WORK_GROUP_SIZE)
        mine = core_top_merge(mine, place->all[part].top);
    return group_top(mine, tops);
}

static row_totals split_totals(const split_place *place, __local local_sums *sums)
{
    row_totals mine = row_totals_of_nothing();
    for (uint part = (uint)get_local_id(0); part < place->parts; part += WORK_GROUP_SIZE)
        mine = row_totals_merge(mine, place->all[part].totals);
    return group_totals(mine, sums);
}

__kernel __attribute__((reqd_work_group_size(WORK_GROUP_SIZE, 1, 1))) void row_split_tops(SPLIT_ARGUMENTS)
{
    __local local_top tops[WORK_GROUP_SIZE];
    float lanes[CHUNK_LANES];
    const split_place place = split_place_of(parts, scratch);
    const row_part part = split_part_of(&place, logits + row_offset(logits_layout, place.row, inner),
                                        logits_layout.CLASS_STRIDE, classes);
    const row_top seen = part_top(&part, lanes);
    const core_top_t mine = {seen.key, seen.second_key, (long)seen.step}, top = group_top(mine, tops);
    if (get_local_id(0) == 0)
        place.all[place.part].top = top;
}

__kernel __attribute__((reqd_work_group_size(WORK_GROUP_SIZE, 1, 1))) void row_split_sums(SPLIT_ARGUMENTS)
{
    __local local_top tops[WORK_GROUP_SIZE];
    __local local_sums sums[WORK_GROUP_SIZE];
    float lanes[CHUNK_LANES];
    core_pair exponentials[CHUNK_LANES];
    const split_place place = split_place_of(parts, scratch);
    const row_part part = split_part_of(&place, logits + row_offset(logits_layout, place.row, inner),
                                        logits_layout.CLASS_STRIDE, classes);
    const row_state state =
        row_state_of(split_top(&place, tops).key,
                     row_temperatures(one_temperature, temperatures, first.s0 + place.row, 1), policies);
    const row_totals totals = group_totals(part_sums(&part, lanes, exponentials, &state), sums);
    if (get_local_id(0) != 0)
        return;
    place.all[place.part].totals = totals;
    const long label = STATISTICS && labels && place.part == 0 ? labels[first.s1 + place.row] : -1;
    if (label >= 0 && (ulong)label < classes)
        place.all[0].label = *(__global const logit_bits *)(part.x + (ulong)label * part.class_stride);
}

__kernel __attribute__((reqd_work_group_size(WORK_GROUP_SIZE, 1, 1))) void row_split_results(SPLIT_ARGUMENTS)
{
    __local local_top tops[WORK_GROUP_SIZE];
    __local local_sums sums[WORK_GROUP_SIZE];
    float lanes[CHUNK_LANES];
    core_pair exponentials[CHUNK_LANES];
    const split_place place = split_place_of(parts, scratch);
    const row_part part = split_part_of(&place, logits + row_offset(logits_layout, place.row, inner),
                                        logits_layout.CLASS_STRIDE, classes);
    const core_top_t top = split_top(&place, tops);
    row_state state =
        row_state_of(top.key, row_temperatures(one_temperature, temperatures, first.s0 + place.row, 1), policies);
    const row_totals totals = split_totals(&place, sums);
    if (place.part == 0 && get_local_id(0) == 0) /* class stride 0: the only logit there is the label's */
        row_finish(&state, top, totals, place.row, 1, (__global const logit_t *)&place.all[0].label, 0, 0, classes,
                   labels, statistics, first, invalid_rows);
    if (OPERATION == OPERATION_NONE)
        return;
    __global result_t *p = results + row_offset(results_layout, place.row, inner);
    if (!core_row_is_computed(state.set.kind)) {
        part_fill(&part, row_fill_value(state.set.kind), p, results_layout.CLASS_STRIDE);
        return;
    }
    state.sum_scale = row_sum_scale(&state, totals);
    part_emit(&part, lanes, exponentials, &state, p, results_layout.CLASS_STRIDE);
}
