/*
 * Reading logits and writing results, one element or CORE_WIDTH neighbours at a time, for any dtypes. Every kernel
 * includes this file, through phases.h. Results that no cache would hold can be streamed past the caches, if the
 * compiler has a builtin for it.
 */
#ifndef CLSOFTMAX_ELEMENTS_H
#define CLSOFTMAX_ELEMENTS_H

#include "strategies/dtypes.h"

/* The function or macro of dtypes.h for the dtype of the logits, of the results, and of the operand. */
#define LOGITS(function) CALL_JOIN(function##_, LOGITS_DTYPE)
#define RESULTS(function) CALL_JOIN(function##_, RESULTS_DTYPE)
#define OPERAND(function) CALL_JOIN(function##_, OPERAND_DTYPE)

/* Prefetches a cache line. `level` is the builtin's: 3 for the first-level cache, 2 for the second-level one. OpenCL's
   prefetch() does nothing on PoCL. This builtin of clang does nothing where the device has no such instruction. */
#ifdef __clang__
#define ROW_PREFETCH(address, level) __builtin_prefetch((const void *)(ulong)(address), 0, level)
#else
#define ROW_PREFETCH(address, level)
#endif

/* ---------------------------------------------------------------- Logits */

/* Reads CORE_WIDTH neighbouring logits. */
static core_float row_load(__global const logit_t *address)
{
    return LOGITS(dtype_load)(address);
}

/* Reads one logit. */
static float row_load_one(__global const logit_t *address)
{
    return LOGITS(dtype_load_one)(address);
}

/* Reads the last `count` neighbouring logits, fewer than CORE_WIDTH; all further lanes become `padding`. */
static core_float row_load_tail(__global const logit_t *address, uint count, float padding)
{
    float lanes[CORE_WIDTH];
    for (uint i = 0; i < CORE_WIDTH; i++)
        lanes[i] = i < count ? row_load_one(address + i) : padding;
    return ROW_FLOATS(const, lanes);
}

/* ---------------------------------------------------------------- Operand */

/* What stands for the operand of a class that is not there. */
#define OPERAND_PADDING CORE_OPERAND_PADDING(OPERAND_KIND)

/* Returns the operand of one class; 0 if rows have none, here and below. */
static float row_load_operand_one(__global const operand_t *address)
{
    const float read = HAS_OPERAND ? OPERAND(dtype_load_one)(address) : 0.0f;
    return CORE_OPERAND_OF(float, read, OPERAND_KIND);
}

/* Returns the operands of CORE_WIDTH neighbouring classes from class c on. Lanes before the first class of the row and
   behind its last become the padding. g: the operand of the row's first class; classes are `stride` apart, 1 if
   CORE_WIDTH is more than 1. */
static core_float row_load_operand(__global const operand_t *g, ulong stride, long c, ulong classes)
{
    float lanes[CORE_WIDTH];
    if (!HAS_OPERAND)
        return (core_float)(0.0f);
    if (c >= 0 && (ulong)c + CORE_WIDTH <= classes) {
        const core_float read = OPERAND(dtype_load)(g + c * stride);
        return CORE_OPERAND_OF(core_float, read, OPERAND_KIND);
    }
    for (uint i = 0; i < CORE_WIDTH; i++)
        lanes[i] =
            c + (long)i >= 0 && (ulong)(c + i) < classes ? row_load_operand_one(g + (c + i) * stride) : OPERAND_PADDING;
    return ROW_FLOATS(const, lanes);
}

/* ---------------------------------------------------------------- Results */

/* A vector of results as memory has it. */
typedef RESULTS(dtype_vector) row_vector;

/* Writes CORE_WIDTH neighbouring results, which are computed, so that none is NaN. */
static void row_store(core_float value, __global result_t *address)
{
    RESULTS(dtype_place)(__global, address) = RESULTS(dtype_rounded)(value);
}

/* Writes one result, which may be NaN. */
static void row_store_one(float value, __global result_t *address)
{
    RESULTS(dtype_store_one)(value, address);
}

/* Writes the first `count` lanes, which may be NaN. */
static void row_store_tail(core_float value, __global result_t *address, uint count)
{
    float lanes[CORE_WIDTH];
    ROW_FLOATS(, lanes) = value;
    for (uint i = 0; i < count; i++)
        row_store_one(lanes[i], address + i);
}

/* Writes a whole vector. Unless is_computed, it has lanes of rows that are not computed, which may be NaN. */
static void row_store_all(core_float value, __global result_t *address, int is_computed)
{
    if (is_computed)
        row_store(value, address);
    else
        row_store_tail(value, address, CORE_WIDTH);
}

/* Returns a vector with the first `count` lanes of `first`, and the rest from `other`. */
static core_float row_join(core_float first, core_float other, uint count)
{
    int lanes[CORE_WIDTH];
    for (uint i = 0; i < CORE_WIDTH; i++)
        lanes[i] = (int)i;
    return row_vload(lanes) < (core_int)((int)count) ? first : other;
}

/* ---------------------------------------------------------------- Streams past the caches */

#if defined(__has_builtin) && CORE_WIDTH > 1
#if __has_builtin(__builtin_nontemporal_store)
#define ROW_STREAMS 1
#endif
#endif
#ifndef ROW_STREAMS
#define ROW_STREAMS 0
#endif

/* Results of more bytes than this in a launch are streamed. Results in place are not, since their lines are in the
   cache already. */
#ifndef ROW_STREAM_BYTES /* tests stream fewer bytes */
#define ROW_STREAM_BYTES ((ulong)8 << 20)
#endif

/* Returns 1 if the results of a launch are to be streamed. */
static int row_wants_stream(const row_call *call)
{
    const ulong results = call->rows * call->classes * ROW_TEMPERATURE_COUNT(call);
    return ROW_STREAMS && results * sizeof(result_t) > ROW_STREAM_BYTES &&
           (__global const void *)call->logits != (__global const void *)call->results;
}

/* Tells whether a vector of results can be streamed to an address: only to a multiple of its size. */
#define ROW_RESULT_BYTES (CORE_WIDTH * sizeof(result_t))
#define row_can_stream(address) ((ulong)(address) % ROW_RESULT_BYTES == 0)

/* Streams CORE_WIDTH neighbouring results, which are computed, where row_can_stream. */
static void row_stream(core_float value, __global result_t *address)
{
#if ROW_STREAMS
    __builtin_nontemporal_store(RESULTS(dtype_rounded)(value), (__global row_vector *)address);
#else
    row_store(value, address);
#endif
}

#endif
