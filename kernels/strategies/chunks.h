#ifndef CLSOFTMAX_CHUNKS_H
#define CLSOFTMAX_CHUNKS_H

#include "strategies/phases.h"

/*
 * Scans of a row, or of a part of it, by a whole work-group: group and split. It goes through the classes in chunks, of which
 * each work-item has CHUNK_LANES logits in registers, in accesses of ACCESS_WIDTH neighbours; neighbouring work-items
 * have neighbouring accesses. A row of one chunk (ROW_IS_KEPT) is read once and stays where it is.
 *
 * CORE_WIDTH is 1: the lanes of a GPU are its work-items. Every loop over a chunk has constant bounds, so that its arrays
 * become registers.
 */
#ifndef ACCESS_WIDTH
#define ACCESS_WIDTH                                                                                                   \
    1 /* elements of an access; more than 1 only where classes are neighbours and rows begin aligned to it */
#endif
#ifndef ROW_VECTORS
#define ROW_VECTORS 4 /* accesses of a work-item in a chunk */
#endif
#ifndef ROW_IS_KEPT
#define ROW_IS_KEPT 0 /* 1: no row is longer than a chunk */
#endif

#define CHUNK_LANES (ROW_VECTORS * ACCESS_WIDTH)
#define CHUNK_CLASSES (WORK_GROUP_SIZE * CHUNK_LANES)

/* Whether the exponentials stay too, so that none is computed twice; each takes two registers, and frees its logit's, but in a sweep,
   whose next temperature needs it. */
#define LANES_WITH_EXPONENTIALS (TEMPERATURES == TEMPERATURES_SWEEP ? 8 : 16)
#define EXPONENTIALS_ARE_KEPT (ROW_IS_KEPT && OPERATION == OPERATION_SOFTMAX && CHUNK_LANES <= LANES_WITH_EXPONENTIALS)

/* ---------------------------------------------------------------- Accesses */

#if ACCESS_WIDTH > 1
#define ACCESS_JOIN_(a, b) a##b
#define ACCESS_JOIN(a, b) ACCESS_JOIN_(a, b)
#define ACCESS_VECTOR(type) ACCESS_JOIN(type, ACCESS_WIDTH)
#endif

/* By casts, since vload and vstore promise the compiler no more than an element's alignment. */
static void access_load(__global const logit_t *address, float *lanes)
{
#if ACCESS_WIDTH == 1
    lanes[0] = row_load_one(address);
#elif LOGITS_DTYPE == DTYPE_F32
    ACCESS_VECTOR(vstore)(*(__global const ACCESS_VECTOR(float) *)address, 0, lanes);
#elif LOGITS_DTYPE == DTYPE_F16
    ACCESS_VECTOR(vstore)(ACCESS_VECTOR(vloada_half)(0, address), 0, lanes);
#else
    const ACCESS_VECTOR(uint) bits = ACCESS_VECTOR(convert_uint)(*(__global const ACCESS_VECTOR(ushort) *)address);
    ACCESS_VECTOR(vstore)(ACCESS_VECTOR(as_float)(bits << 16), 0, lanes);
#endif
}

static void access_store(const float *lanes, __global result_t *address)
{
#if ACCESS_WIDTH == 1
    row_store_one(lanes[0], address);
#elif RESULTS_DTYPE == DTYPE_F32
    *(__global ACCESS_VECTOR(float) *)address = ACCESS_VECTOR(vload)(0, lanes);
#elif RESULTS_DTYPE == DTYPE_F16
    ACCESS_JOIN(ACCESS_VECTOR(vstorea_half), _rte)(ACCESS_VECTOR(vload)(0, lanes), 0, address);
#else
    const ACCESS_VECTOR(uint) bits = ACCESS_VECTOR(as_uint)(ACCESS_VECTOR(vload)(0, lanes));
    *(__global ACCESS_VECTOR(ushort) *)address = ACCESS_VECTOR(convert_ushort)(row_bf16_of_bits(bits));
#endif
}

/* ---------------------------------------------------------------- Chunks */

/* The chunks of a row that a work-group goes through. */
typedef struct {
    __global const logit_t *x; /* of the row */
    ulong class_stride;
    ulong classes; /* of the row */
    uint begin;
    uint end;
} row_part;

/* All chunks of a row; of a row that is kept, one by a constant, so that the loop over them goes away. */
static uint row_chunks(ulong classes)
{
    return ROW_IS_KEPT ? 1 : (uint)((classes + CHUNK_CLASSES - 1) / CHUNK_CLASSES);
}

/* Classes of a chunk; they and what counts them fit 32 bits, what counts those of a row need not. */
static uint chunk_count(const row_part *part, uint chunk)
{
    const ulong left = part->classes - (ulong)chunk * CHUNK_CLASSES;
    return left < CHUNK_CLASSES ? (uint)left : CHUNK_CLASSES;
}

/* Where in a chunk this work-item's access begins. */
static uint chunk_place(uint vector)
{
    return (vector * WORK_GROUP_SIZE + (uint)get_local_id(0)) * ACCESS_WIDTH;
}

/* Lanes behind the last class are -inf. */
static void chunk_load(const row_part *part, uint chunk, float *lanes)
{
    const uint count = chunk_count(part, chunk);
    const ulong stride = ACCESS_WIDTH == 1 ? part->class_stride : 1;
    __global const logit_t *x = part->x + ((ulong)chunk * CHUNK_CLASSES + chunk_place(0)) * stride;
#pragma unroll
    for (uint vector = 0; vector < ROW_VECTORS; vector++, x += WORK_GROUP_SIZE * ACCESS_WIDTH * stride) {
        const uint place = chunk_place(vector);
        if (place + ACCESS_WIDTH <= count) {
            access_load(x, lanes + vector * ACCESS_WIDTH);
        } else {
#pragma unroll
            for (uint lane = 0; lane < ACCESS_WIDTH; lane++)
                lanes[vector * ACCESS_WIDTH + lane] = place + lane < count ? row_load_one(x + lane) : -CORE_INFINITY;
        }
    }
}

/* A lane as an ordinary row has it. What pads a chunk must be no tie, and -inf may be one. */
static float chunk_ordinary(float x, int is_class, const row_state *row)
{
    return !TIES || is_class ? row_ordinary(x, row) : -CORE_INFINITY;
}

/* The largest of what a work-item has of the part; the step is the class. lanes: the chunk loaded last. */
static row_top part_top(const row_part *part, float *lanes)
{
    row_top top = row_top_of_nothing();
    for (uint chunk = part->begin; chunk < part->end; chunk++) {
        chunk_load(part, chunk, lanes);
#pragma unroll
        for (uint i = 0; i < CHUNK_LANES; i++)
            top = row_top_add(top, lanes[i], chunk * CHUNK_CLASSES + chunk_place(i / ACCESS_WIDTH) + i % ACCESS_WIDTH);
    }
    return top;
}

/* Its sums. lanes: the row, if that is kept; so are the exponentials then. */
static row_totals part_sums(const row_part *part, float *lanes, core_pair *exponentials, const row_state *row)
{
    row_totals totals = row_totals_of_nothing();
    for (uint chunk = part->begin; chunk < part->end; chunk++) {
        const uint count = chunk_count(part, chunk);
        row_sums sums = row_sums_of_nothing(); /* a chunk has fewer lanes than CORE_FLUSH_AFTER */
        if (!ROW_IS_KEPT)
            chunk_load(part, chunk, lanes);
#pragma unroll
        for (uint vector = 0; vector < ROW_VECTORS; vector++) {
            const uint place = chunk_place(vector);
            if (place >= count)
                continue;
#pragma unroll
            for (uint lane = 0; lane < ACCESS_WIDTH; lane++) {
                const uint i = vector * ACCESS_WIDTH + lane;
                const float x = chunk_ordinary(lanes[i], place + lane < count, row);
                const core_pair e = core_exponential(x, row->set.row);
                sums = row_sums_add_pair(sums, e, x, row);
                if (EXPONENTIALS_ARE_KEPT)
                    exponentials[i] = e;
            }
        }
        totals = row_totals_merge(totals, row_flush(sums));
    }
    return totals;
}

/* The results of an access. */
static void access_results(const float *lanes, const core_pair *exponentials, const row_state *row, float *results)
{
#pragma unroll
    for (uint i = 0; i < ACCESS_WIDTH; i++)
        results[i] = EXPONENTIALS_ARE_KEPT ? core_probability(exponentials[i], row->sum_scale.high, row->sum_scale.low)
                                           : row_result(row_ordinary(lanes[i], row), row);
}

/* Writes its results from p on, the place of the row's first. */
static void part_emit(const row_part *part, float *lanes, const core_pair *exponentials, const row_state *row,
                      __global result_t *p, ulong result_stride)
{
    const ulong stride = ACCESS_WIDTH == 1 ? result_stride : 1;
    float results[ACCESS_WIDTH];
    for (uint chunk = part->begin; chunk < part->end; chunk++) {
        const uint count = chunk_count(part, chunk);
        if (!ROW_IS_KEPT)
            chunk_load(part, chunk, lanes);
        __global result_t *address = p + ((ulong)chunk * CHUNK_CLASSES + chunk_place(0)) * stride;
#pragma unroll
        for (uint vector = 0; vector < ROW_VECTORS; vector++, address += WORK_GROUP_SIZE * ACCESS_WIDTH * stride) {
            const uint place = chunk_place(vector);
            if (place >= count)
                continue;
            access_results(lanes + vector * ACCESS_WIDTH, exponentials + vector * ACCESS_WIDTH, row, results);
            if (place + ACCESS_WIDTH <= count) {
                access_store(results, address);
            } else {
#pragma unroll
                for (uint lane = 0; lane < ACCESS_WIDTH; lane++)
                    if (place + lane < count)
                        row_store_one(results[lane], address + lane);
            }
        }
    }
}

/* The same of a row that is not computed: each work-item where it has read, since in place another may still read elsewhere. */
static void part_fill(const row_part *part, float fill, __global result_t *p, ulong stride)
{
    for (uint chunk = part->begin; chunk < part->end; chunk++) {
        const uint count = chunk_count(part, chunk);
        for (uint i = 0; i < CHUNK_LANES; i++) {
            const uint place = chunk_place(i / ACCESS_WIDTH) + i % ACCESS_WIDTH;
            if (place < count)
                row_store_one(fill, p + ((ulong)chunk * CHUNK_CLASSES + place) * stride);
        }
    }
}

/* The results of a part, whatever its row is; totals: the row's. */
static void part_results(const row_part *part, float *lanes, const core_pair *exponentials, row_state *row,
                         row_totals totals, __global result_t *p, ulong stride)
{
    if (OPERATION == OPERATION_NONE)
        return;
    if (!core_row_is_computed(row->set.kind)) {
        part_fill(part, row_fill_value(row->set.kind), p, stride);
        return;
    }
    row->sum_scale = row_sum_scale(row, totals);
    part_emit(part, lanes, exponentials, row, p, stride);
}

/* ---------------------------------------------------------------- Reductions over the work-group */

/* A tree whose nodes have REDUCTION_RADIX branches: four barriers for 1,024 work-items, where a binary one has eleven. Barriers stand
   where all pass. All get the result; `all` is not to be written again before the next barrier. */
#define REDUCTION_RADIX 16

#define GROUP_REDUCTION(name, type, merge)                                                                             \
    static type name(type mine, __local type *all)                                                                     \
    {                                                                                                                  \
        const uint item = (uint)get_local_id(0);                                                                       \
        all[item] = mine;                                                                                              \
        for (uint size = WORK_GROUP_SIZE; size > 1;) {                                                                 \
            const uint branches = size < REDUCTION_RADIX ? size : REDUCTION_RADIX, next = size / branches;             \
            barrier(CLK_LOCAL_MEM_FENCE);                                                                              \
            if (item < next) {                                                                                         \
                for (uint branch = 1; branch < branches; branch++)                                                     \
                    mine = merge(mine, all[item + branch * next]);                                                     \
                all[item] = mine;                                                                                      \
            }                                                                                                          \
            size = next;                                                                                               \
        }                                                                                                              \
        barrier(CLK_LOCAL_MEM_FENCE);                                                                                  \
        return all[0];                                                                                                 \
    }

/* Without statistics, no more than the largest key is wanted. */
#if STATISTICS
typedef core_top_t local_top;
#define local_top_merge core_top_merge
#else
typedef uint local_top;
#define local_top_merge CORE_LARGER
#endif

/* The integers of row_totals that are in use. */
typedef struct {
    long of[SUM_LEVELS * (1 + STATISTICS)];
} local_sums;

static local_sums local_sums_merge(local_sums a, local_sums b)
{
    for (uint i = 0; i < SUM_LEVELS * (1 + STATISTICS); i++)
        a.of[i] += b.of[i];
    return a;
}

GROUP_REDUCTION(group_local_top, local_top, local_top_merge)
GROUP_REDUCTION(group_local_sums, local_sums, local_sums_merge)

static core_top_t group_top(core_top_t mine, __local local_top *all)
{
#if STATISTICS
    return group_local_top(mine, all);
#else
    mine.key = group_local_top(mine.key, all);
    return mine;
#endif
}

static row_totals group_totals(row_totals mine, __local local_sums *all)
{
    core_total_t *const totals[2] = {&mine.exponentials, &mine.weighted};
    local_sums sums;
    for (uint i = 0; i <= STATISTICS; i++) {
        sums.of[i * SUM_LEVELS] = totals[i]->high;
        sums.of[i * SUM_LEVELS + 1] = totals[i]->low;
#if SUM_LEVELS == 3
        sums.of[i * SUM_LEVELS + 2] = totals[i]->lowest;
#endif
    }
    sums = group_local_sums(sums, all);
    for (uint i = 0; i <= STATISTICS; i++) {
        totals[i]->high = sums.of[i * SUM_LEVELS];
        totals[i]->low = sums.of[i * SUM_LEVELS + 1];
#if SUM_LEVELS == 3
        totals[i]->lowest = sums.of[i * SUM_LEVELS + 2];
#endif
    }
    return mine;
}

#endif
