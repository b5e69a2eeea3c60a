/*
 * split: several work-groups per row, in three kernels, because OpenCL lets no work-group wait for another.
 *
 * For GPUs, where rows are fewer than compute units or too long for one work-group. Each kernel has `parts` work-groups for each
 * row, which take turns of its chunks: the first finds the maximum of each part, the second sums each relative to the
 * maximum of all, the third normalises each by the sum of all. What is known of all, every work-group merges by itself.
 * Launch: rows * parts work-groups of WORK_GROUP_SIZE, a power of two; parts is at most the number of chunks, or some are empty.
 *
 * A row that is longer than the device's memory comes in pieces, three times: each kernel once for each piece, which has some of
 * the row's parts and, to the kernel, is all there is of logits and results.
 */
#include "strategies/chunks.h"

/* A logit as bits: a struct cannot have a half without an extension. */
#if LOGITS_DTYPE == DTYPE_F32
typedef uint logit_bits;
#else
typedef ushort logit_bits;
#endif

/* What is known of a part. The scratch memory has one for each work-group, and each temperature; only the first of those have tops. */
typedef struct {
    row_totals totals;
    core_top_t top;
    logit_bits label; /* of a row's first part: the label's logit, which the third kernel may write over */
} split_part;

typedef char split_part_has_72_bytes[sizeof(split_part) == 72 ? 1 : -1]; /* as host/lib/plan.h says */

/* Whole rows: {parts, parts, 0, 0}. */
typedef uint4 split_piece;
#define PARTS s0        /* of the piece */
#define PARTS_OF_ROW s1 /* of all pieces */
#define FIRST_PART s2
#define FIRST_CLASS s3

#define SPLIT_ARGUMENTS ROW_ARGUMENTS, split_piece piece, __global split_part *scratch

/* A work-group's place: its row, the part of the piece, and what is known of that row's parts. */
typedef struct {
    ulong row;
    uint part;
    split_piece piece;
    __global split_part *all; /* at the first temperature; those of the others follow */
} split_place;

/* In 32 bits, which hold all work-groups and chunks: divisions of 64 are calls on NVIDIA, and spill. */
static split_place split_place_of(split_piece piece, __global split_part *scratch, ulong2 sweep)
{
    const uint group = (uint)get_group_id(0), row = group / piece.PARTS;
    const split_place place = {row, group - row * piece.PARTS, piece,
                               scratch + (ulong)row * piece.PARTS_OF_ROW * ROW_TEMPERATURE_COUNT};
    return place;
}

/* The row's at temperature k. */
static __global split_part *split_parts(const split_place *place, uint k)
{
    return place->all + k * place->piece.PARTS_OF_ROW;
}

static __global split_part *split_own(const split_place *place, uint k)
{
    return split_parts(place, k) + place->piece.FIRST_PART + place->part;
}

/* The first chunks % parts parts have one chunk more than the others. */
static row_part split_part_of(const split_place *place, __global const logit_t *x, ulong class_stride, ulong classes)
{
    const uint parts = place->piece.PARTS, chunks = row_chunks(classes), each = chunks / parts;
    const uint more = chunks - each * parts;
    const uint begin = place->part * each + (place->part < more ? place->part : more);
    const row_part part = {x, class_stride, classes, begin, begin + each + (place->part < more)};
    return part;
}

/* The row's, of the parts'. */
static core_top_t split_top(const split_place *place, __local local_top *tops)
{
    core_top_t mine = {CORE_KEY_NEGATIVE_INFINITY, CORE_KEY_NEGATIVE_INFINITY, 0};
    for (uint part = (uint)get_local_id(0); part < place->piece.PARTS_OF_ROW; part += WORK_GROUP_SIZE)
        mine = core_top_merge(mine, place->all[part].top);
    return group_top(mine, tops);
}

static row_totals split_totals(const split_place *place, uint k, __local local_sums *sums)
{
    __global const split_part *parts = split_parts(place, k);
    row_totals mine = row_totals_of_nothing();
    for (uint part = (uint)get_local_id(0); part < place->piece.PARTS_OF_ROW; part += WORK_GROUP_SIZE)
        mine = row_totals_merge(mine, parts[part].totals);
    return group_totals(mine, sums);
}

/* All have read the sums of one temperature before those of the next are written. */
static void split_next_temperature(void)
{
#if TEMPERATURES == TEMPERATURES_SWEEP
    barrier(CLK_LOCAL_MEM_FENCE);
#endif
}

__kernel __attribute__((reqd_work_group_size(WORK_GROUP_SIZE, 1, 1))) void row_split_tops(SPLIT_ARGUMENTS)
{
    __local local_top tops[WORK_GROUP_SIZE];
    float lanes[CHUNK_LANES];
    const split_place place = split_place_of(piece, scratch, sweep);
    const row_part part = split_part_of(&place, logits + row_offset(logits_layout, place.row, inner),
                                        logits_layout.CLASS_STRIDE, classes);
    const row_top seen = part_top(&part, lanes);
    const core_top_t mine = {seen.key, seen.second_key, (long)seen.step + piece.FIRST_CLASS};
    const core_top_t top = group_top(mine, tops);
    if (get_local_id(0) == 0)
        split_own(&place, 0)->top = top;
}

__kernel __attribute__((reqd_work_group_size(WORK_GROUP_SIZE, 1, 1))) void row_split_sums(SPLIT_ARGUMENTS)
{
    __local local_top tops[WORK_GROUP_SIZE];
    __local local_sums sums[WORK_GROUP_SIZE];
    float lanes[CHUNK_LANES];
    core_pair exponentials[CHUNK_LANES];
    const split_place place = split_place_of(piece, scratch, sweep);
    const row_part part = split_part_of(&place, logits + row_offset(logits_layout, place.row, inner),
                                        logits_layout.CLASS_STRIDE, classes);
    const uint top_key = split_top(&place, tops).key;
    for (uint k = 0; k < ROW_TEMPERATURE_COUNT; k++) {
        const row_state state =
            row_state_of(top_key, row_temperatures(one_temperature, temperatures, first, place.row, 1, k), policies);
        const row_totals totals = group_totals(part_sums(&part, lanes, exponentials, &state), sums);
        if (get_local_id(0) == 0)
            split_own(&place, k)->totals = totals;
        split_next_temperature();
    }
    if (get_local_id(0) != 0)
        return;
    const long label = STATISTICS && labels && place.part == 0 ? labels[first.s1 + place.row] : -1;
    const ulong label_here = (ulong)label - piece.FIRST_CLASS;
    if (label_here < classes) /* no number below the first class is, either, nor a negative one */
        place.all[0].label = *(__global const logit_bits *)(part.x + label_here * part.class_stride);
}

__kernel __attribute__((reqd_work_group_size(WORK_GROUP_SIZE, 1, 1))) void row_split_results(SPLIT_ARGUMENTS)
{
    __local local_top tops[WORK_GROUP_SIZE];
    __local local_sums sums[WORK_GROUP_SIZE];
    float lanes[CHUNK_LANES];
    core_pair exponentials[CHUNK_LANES];
    const split_place place = split_place_of(piece, scratch, sweep);
    const row_part part = split_part_of(&place, logits + row_offset(logits_layout, place.row, inner),
                                        logits_layout.CLASS_STRIDE, classes);
    const core_top_t top = split_top(&place, tops);
    __global result_t *p = results + row_offset(results_layout, place.row, inner);
    for (uint k = 0; k < ROW_TEMPERATURE_COUNT; k++, p += sweep.s1) {
        row_state state =
            row_state_of(top.key, row_temperatures(one_temperature, temperatures, first, place.row, 1, k), policies);
        const row_totals totals = split_totals(&place, k, sums);
        if (piece.FIRST_PART + place.part + 1 == piece.PARTS_OF_ROW && get_local_id(0) == 0)
            /* class stride 0: the only logit there is the label's */
            row_finish(&state, top, totals, place.row, 1, (__global const logit_t *)&place.all[0].label, 0, 0,
                       piece.FIRST_CLASS + classes, labels, row_records(statistics, first, k), first, invalid_rows);
        part_results(&part, lanes, exponentials, &state, totals, p, results_layout.CLASS_STRIDE);
        split_next_temperature();
    }
}
