/*
 * The phases of a row, or of a part of it, by a whole work-group; the strategies group and split use them. The group
 * goes through the classes in chunks. Each work-item has ITEM_CLASSES logits of a chunk in registers, read in accesses
 * of ACCESS_WIDTH neighbours, and neighbouring work-items have neighbouring accesses. A row of one chunk
 * (ROW_IN_REGISTERS) is read once and stays in registers.
 *
 * CORE_WIDTH is 1 here, since a GPU makes its vectors of work-items. Every loop over a chunk has constant bounds and is
 * unrolled, so that its arrays become registers.
 */
#ifndef CLSOFTMAX_CHUNKS_H
#define CLSOFTMAX_CHUNKS_H

#include "strategies/phases.h"

#ifndef ACCESSES
#define ACCESSES 4 /* accesses of a work-item in a chunk */
#endif
#ifndef ROW_IN_REGISTERS
#define ROW_IN_REGISTERS 0 /* 1: no row is longer than a chunk */
#endif
#ifndef PAIRS_IN_REGISTERS
#define PAIRS_IN_REGISTERS 0 /* 1: the exponentials stay there too, so that none is computed twice */
#endif

#define ITEM_CLASSES (ACCESSES * ACCESS_WIDTH)
#define CHUNK_CLASSES (WORK_GROUP_SIZE * ITEM_CLASSES)

/* ---------------------------------------------------------------- Accesses */

/* Reads an access into registers. An access of one element need not be a neighbour of the next. */
static void access_load(__global const logit_t *address, float *logits)
{
#if ACCESS_WIDTH == 1
    logits[0] = row_load_one(address);
#else
    LOGITS(dtype_load_access)(address, logits);
#endif
}

/* Writes an access of results from registers. */
static void access_store(const float *results, __global result_t *address)
{
#if ACCESS_WIDTH == 1
    row_store_one(results[0], address);
#else
    RESULTS(dtype_store_access)(results, address);
#endif
}

/* ---------------------------------------------------------------- Chunks */

/* The chunks of a row that a work-group goes through: those from `begin` to before `end`. */
typedef struct {
    __global const logit_t *x; /* the row's logits */
    ulong class_stride;
    ulong classes; /* of the row */
    uint begin;
    uint end;
    __global const operand_t *g; /* the row's operand */
    ulong operand_stride;
} row_part;

/* What a work-item holds of a chunk. */
typedef struct {
    float logits[ITEM_CLASSES];
    core_pair pairs[ITEM_CLASSES]; /* their exponentials, if PAIRS_IN_REGISTERS */
} chunk_registers;

/* Returns how many chunks a row has. For a row in registers that is the constant 1, so that the loop over chunks
   disappears. */
static uint row_chunks(ulong classes)
{
    return ROW_IN_REGISTERS ? 1 : (uint)((classes + CHUNK_CLASSES - 1) / CHUNK_CLASSES);
}

/* Returns how many classes a chunk has. The number fits 32 bits, which the number of classes of a row need not. */
static uint chunk_count(const row_part *part, uint chunk)
{
    const ulong left = part->classes - (ulong)chunk * CHUNK_CLASSES;
    return left < CHUNK_CLASSES ? (uint)left : CHUNK_CLASSES;
}

/* Returns where in a chunk an access of this work-item begins. */
static uint chunk_place(uint access)
{
    return (access * WORK_GROUP_SIZE + (uint)get_local_id(0)) * ACCESS_WIDTH;
}

/* Reads this work-item's logits of a chunk; after the last class they are -inf. */
static void chunk_load(const row_part *part, uint chunk, float *logits)
{
    const uint count = chunk_count(part, chunk);
    const ulong stride = ACCESS_WIDTH == 1 ? part->class_stride : 1;
    __global const logit_t *x = part->x + ((ulong)chunk * CHUNK_CLASSES + chunk_place(0)) * stride;
#pragma unroll
    for (uint access = 0; access < ACCESSES; access++, x += WORK_GROUP_SIZE * ACCESS_WIDTH * stride) {
        const uint place = chunk_place(access);
        if (place + ACCESS_WIDTH <= count) {
            access_load(x, logits + access * ACCESS_WIDTH);
        } else {
#pragma unroll
            for (uint i = 0; i < ACCESS_WIDTH; i++)
                logits[access * ACCESS_WIDTH + i] = place + i < count ? row_load_one(x + i) : -CORE_INFINITY;
        }
    }
}

/* Returns the operand of this work-item's class `element` of an access of a chunk; behind the last class it is the
   padding. */
static float chunk_operand(const row_part *part, uint chunk, uint access, uint element)
{
    const ulong c = (ulong)chunk * CHUNK_CLASSES + chunk_place(access) + element;
    return HAS_OPERAND && c < part->classes ? row_load_operand_one(part->g + c * part->operand_stride)
                                            : OPERAND_PADDING;
}

/* Returns a logit as an ordinary row has it. Padding must not tie, although it is -inf, and -inf can be a maximum that
   ties. */
static float chunk_ordinary(float x, int is_class, const row_state *row)
{
    return !TIES || is_class ? row_ordinary(x, row) : -CORE_INFINITY;
}

/* ---------------------------------------------------------------- Phases of a part */

/* Returns the top of what this work-item has of the part. The chunk that was read last stays in `logits`. */
static core_top_t part_top(const row_part *part, float *logits)
{
    row_top seen = row_top_of_nothing();
    for (uint chunk = part->begin; chunk < part->end; chunk++) {
        chunk_load(part, chunk, logits);
#pragma unroll
        for (uint i = 0; i < ITEM_CLASSES; i++)
            seen =
                row_top_add(seen, logits[i], chunk * CHUNK_CLASSES + chunk_place(i / ACCESS_WIDTH) + i % ACCESS_WIDTH);
#pragma unroll
        for (uint i = 0; HAS_OPERAND && i < ITEM_CLASSES; i++)
            seen = row_top_add_operand(seen, chunk_operand(part, chunk, i / ACCESS_WIDTH, i % ACCESS_WIDTH));
    }
    return row_top_of_steps(seen);
}

/* Returns the sums of what this work-item has of the part. If the row is in registers, its logits must be there; the
   exponentials stay in mine->pairs if PAIRS_IN_REGISTERS. */
static row_totals part_sums(const row_part *part, chunk_registers *mine, const row_state *row)
{
    row_totals totals = row_totals_of_nothing();
    for (uint chunk = part->begin; chunk < part->end; chunk++) {
        const uint count = chunk_count(part, chunk);
        row_sums sums =
            row_sums_of_nothing(row->is_later); /* a work-item adds less often than CORE_FLUSH_AFTER in a chunk */
        if (!ROW_IN_REGISTERS)
            chunk_load(part, chunk, mine->logits);
#pragma unroll
        for (uint access = 0; access < ACCESSES; access++) {
            const uint place = chunk_place(access);
            if (place >= count)
                continue;
#pragma unroll
            for (uint element = 0; element < ACCESS_WIDTH; element++) {
                const uint i = access * ACCESS_WIDTH + element;
                const float x = chunk_ordinary(mine->logits[i], place + element < count, row);
                const core_pair e = core_exponential(x, row->set.row);
                sums = row_sums_add_pair(sums, e, x, chunk_operand(part, chunk, access, element), row);
                if (PAIRS_IN_REGISTERS)
                    mine->pairs[i] = e;
            }
        }
        totals = row_totals_merge(totals, row_flush(sums));
    }
    return totals;
}

/* Computes the results of an access of a chunk, which is in this work-item's registers. */
static void access_results(const row_part *part, const chunk_registers *mine, uint chunk, uint access,
                           const row_state *row, float *results)
{
    const uint first = access * ACCESS_WIDTH;
#pragma unroll
    for (uint i = 0; i < ACCESS_WIDTH; i++) {
        const float g = chunk_operand(part, chunk, access, i);
        results[i] = PAIRS_IN_REGISTERS ? row_result_of_pair(mine->pairs[first + i], g, row)
                                        : row_result(row_ordinary(mine->logits[first + i], row), g, row);
    }
}

/* Writes the results of the part of a row that is computed; p is where the row's first result goes. */
static void part_emit(const row_part *part, chunk_registers *mine, const row_state *row, __global result_t *p,
                      ulong result_stride)
{
    const ulong stride = ACCESS_WIDTH == 1 ? result_stride : 1;
    float results[ACCESS_WIDTH];
    for (uint chunk = part->begin; chunk < part->end; chunk++) {
        const uint count = chunk_count(part, chunk);
        if (!ROW_IN_REGISTERS)
            chunk_load(part, chunk, mine->logits);
        __global result_t *address = p + ((ulong)chunk * CHUNK_CLASSES + chunk_place(0)) * stride;
#pragma unroll
        for (uint access = 0; access < ACCESSES; access++, address += WORK_GROUP_SIZE * ACCESS_WIDTH * stride) {
            const uint place = chunk_place(access);
            if (place >= count)
                continue;
            access_results(part, mine, chunk, access, row, results);
            if (place + ACCESS_WIDTH <= count) {
                access_store(results, address);
            } else {
#pragma unroll
                for (uint i = 0; i < ACCESS_WIDTH; i++)
                    if (place + i < count)
                        row_store_one(results[i], address + i);
            }
        }
    }
}

/* Fills a part of a row that is not computed. Each work-item writes only where it has read itself: results may take the
   place of logits, and other work-items may still be reading. */
static void part_fill(const row_part *part, float fill, __global result_t *p, ulong stride)
{
    for (uint chunk = part->begin; chunk < part->end; chunk++) {
        const uint count = chunk_count(part, chunk);
        for (uint i = 0; i < ITEM_CLASSES; i++) {
            const uint place = chunk_place(i / ACCESS_WIDTH) + i % ACCESS_WIDTH;
            if (place < count)
                row_store_one(fill, p + ((ulong)chunk * CHUNK_CLASSES + place) * stride);
        }
    }
}

/* Returns 1 if this work-item has the class of a label, -1 for none, in the part. */
static int part_has_label(const row_part *part, long label)
{
    if (!HAS_LABELS || label < 0)
        return 0;
    const uint chunk = (uint)((ulong)label / CHUNK_CLASSES), place = (uint)((ulong)label % CHUNK_CLASSES);
    return chunk >= part->begin && chunk < part->end && place / ACCESS_WIDTH % WORK_GROUP_SIZE == get_local_id(0);
}

/* Writes the results of a part of a row of any kind. */
static void part_results(const row_part *part, chunk_registers *mine, const row_state *row, __global result_t *p,
                         ulong stride)
{
    if (!HAS_RESULTS)
        return;
    if (!core_row_is_computed(row->set.kind)) {
        part_fill(part, row_fill_value(row->set.kind), p, stride);
        return;
    }
    part_emit(part, mine, row, p, stride);
}

/* ---------------------------------------------------------------- Reductions over the work-group */

/* How many values a node of the tree merges. With 16, a work-group of 1,024 passes four barriers; a binary tree has
   eleven. */
#define REDUCTION_RADIX 16

/* Defines a function that merges the values of all work-items into one, which it returns to each of them. All
   work-items must call it, since it has barriers. `all` has room for a value of each, and must not be written again
   before the next barrier. */
#define GROUP_REDUCTION(name, type, merge)                                                                             \
    ROW_INLINE type name(type mine, __local type *all)                                                                 \
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

/* What the reduction of tops merges: the largest key alone, if the row's terms need no more. */
#define ROW_NEEDS_TOP TERMS_NEED_TOP(ROW_TERMS)
#if ROW_NEEDS_TOP
typedef core_one_top local_top;
#define local_top_merge core_top_merge
#else
typedef uint local_top;
#define local_top_merge CORE_LARGER
#endif

/* What the reduction of sums merges: those integers of row_totals that are in use. */
typedef struct {
    core_long of[SUM_LEVELS * TERMS_IN(ROW_TERMS)];
} local_sums;

/* Planning sizes work-groups by these numbers; arrays of -1 elements do not compile. */
typedef char top_is_as_planned[sizeof(local_top) == LOCAL_TOP_BYTES(ROW_TERMS) ? 1 : -1];
typedef char sums_are_as_planned[sizeof(local_sums) == LOCAL_SUMS_BYTES(SUM_LEVELS, ROW_TERMS) ? 1 : -1];

/* Returns the sums of two work-items together. */
static local_sums local_sums_merge(local_sums a, local_sums b)
{
    FOR_TERMS
    {
        for (uint i = ROW_PLACE(t) * SUM_LEVELS; i < (ROW_PLACE(t) + 1) * SUM_LEVELS; i++)
            a.of[i] = TERM_IS_LARGEST(t) ? CORE_LARGER(a.of[i], b.of[i]) : a.of[i] + b.of[i];
    }
    return a;
}

GROUP_REDUCTION(group_local_top, local_top, local_top_merge)
GROUP_REDUCTION(group_local_sums, local_sums, local_sums_merge)

/* Returns the top of all work-items together; only its key is valid if the row's terms need no more. */
static core_top_t group_top(core_top_t mine, __local local_top *all)
{
#if ROW_NEEDS_TOP
    return group_local_top(mine, all);
#else
    mine.key = group_local_top(mine.key, all);
    return mine;
#endif
}

/* Returns the sums of all work-items together. */
static row_totals group_totals(row_totals mine, __local local_sums *all)
{
    local_sums sums;
    FOR_TERMS
    {
        sums.of[ROW_PLACE(t) * SUM_LEVELS] = mine.of[ROW_PLACE(t)].high;
        sums.of[ROW_PLACE(t) * SUM_LEVELS + 1] = mine.of[ROW_PLACE(t)].low;
#if SUM_LEVELS == 3
        sums.of[ROW_PLACE(t) * SUM_LEVELS + 2] = mine.of[ROW_PLACE(t)].lowest;
#endif
    }
    sums = group_local_sums(sums, all);
    FOR_TERMS
    {
        mine.of[ROW_PLACE(t)].high = sums.of[ROW_PLACE(t) * SUM_LEVELS];
        mine.of[ROW_PLACE(t)].low = sums.of[ROW_PLACE(t) * SUM_LEVELS + 1];
#if SUM_LEVELS == 3
        mine.of[ROW_PLACE(t)].lowest = sums.of[ROW_PLACE(t) * SUM_LEVELS + 2];
#endif
    }
    return mine;
}

#endif
