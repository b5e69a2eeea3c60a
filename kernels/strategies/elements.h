/*
 * Reading logits and writing results, one element or CORE_WIDTH neighbours at a time, whatever their dtypes: what every
 * kernel does with memory. Results that no cache would hold can be streamed past the caches, where the compiler knows how.
 */
#ifndef CLSOFTMAX_ELEMENTS_H
#define CLSOFTMAX_ELEMENTS_H

#include "strategies/dtypes.h"

#define LOGITS(function) CALL_JOIN(function##_, LOGITS_DTYPE)
#define RESULTS(function) CALL_JOIN(function##_, RESULTS_DTYPE)

/* Fetches a line into a cache; level 3 is the first-level cache, 2 the second-level one. OpenCL's prefetch() does nothing on
   PoCL; this builtin of clang does nothing where the device has no such instruction. */
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

static float row_load_one(__global const logit_t *address)
{
    return LOGITS(dtype_load_one)(address);
}

/* Reads the last `count` logits of a run, fewer than CORE_WIDTH; the lanes beyond them become `padding`. */
static core_float row_load_tail(__global const logit_t *address, uint count, float padding)
{
    float lanes[CORE_WIDTH];
    for (uint i = 0; i < CORE_WIDTH; i++)
        lanes[i] = i < count ? row_load_one(address + i) : padding;
    return ROW_FLOATS(const, lanes);
}

/* ---------------------------------------------------------------- Results */

/* A vector of results as memory has it. */
typedef RESULTS(dtype_vector) row_vector;

static void row_store(core_float value, __global result_t *address)
{
    RESULTS(dtype_place)(__global, address) = RESULTS(dtype_rounded)(value);
}

static void row_store_one(float value, __global result_t *address)
{
    RESULTS(dtype_store_one)(value, address);
}

/* Writes the first `count` lanes. */
static void row_store_tail(core_float value, __global result_t *address, uint count)
{
    float lanes[CORE_WIDTH];
    ROW_FLOATS(, lanes) = value;
    for (uint i = 0; i < count; i++)
        row_store_one(lanes[i], address + i);
}

/* Writes a whole vector, in which the rows that are not computed may be NaN. */
static void row_store_all(core_float value, __global result_t *address, int is_computed)
{
    if (is_computed)
        row_store(value, address);
    else
        row_store_tail(value, address, CORE_WIDTH);
}

/* Returns the first `count` lanes of one vector, and the others of the other. */
static core_float row_join(core_float first, core_float other, uint count)
{
    int lanes[CORE_WIDTH];
    for (uint i = 0; i < CORE_WIDTH; i++)
        lanes[i] = (int)i;
    return row_vload(lanes) < (core_int)((int)count) ? first : other;
}

/* ---------------------------------------------------------------- Past the caches */

#if defined(__has_builtin) && CORE_WIDTH > 1
#if __has_builtin(__builtin_nontemporal_store)
#define ROW_STREAMS 1
#endif
#endif
#ifndef ROW_STREAMS
#define ROW_STREAMS 0
#endif

/* More bytes of results than this are not worth a place in a cache; in place they have one already. */
#ifndef ROW_STREAM_BYTES /* tests stream fewer */
#define ROW_STREAM_BYTES ((ulong)8 << 20)
#endif

/* Returns 1 if the results of a launch are to be streamed. */
static int row_wants_stream(const row_call *call)
{
    const ulong results = call->rows * call->classes * ROW_TEMPERATURE_COUNT(call);
    return ROW_STREAMS && results * sizeof(result_t) > ROW_STREAM_BYTES &&
           (__global const void *)call->logits != (__global const void *)call->results;
}

/* Only whole vectors at multiples of their size are streamed. */
#define ROW_RESULT_BYTES (CORE_WIDTH * sizeof(result_t))
#define row_can_stream(address) ((ulong)(address) % ROW_RESULT_BYTES == 0)

static void row_stream(core_float value, __global result_t *address)
{
#if ROW_STREAMS
    __builtin_nontemporal_store(RESULTS(dtype_rounded)(value), (__global row_vector *)address);
#else
    row_store(value, address);
#endif
}

#endif
