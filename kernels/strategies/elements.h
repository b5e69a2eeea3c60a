#ifndef CLSOFTMAX_ELEMENTS_H
#define CLSOFTMAX_ELEMENTS_H

#include "core/numeric_core.h"

/*
 * What every row strategy shares in OpenCL C: the arguments, where rows are, reading and writing of each dtype.
 *
 * Knobs, defined before this file by the host (host/lib/plan.h, cls_variant); the defaults let it compile alone.
 */
#define DTYPE_F32 0
#define DTYPE_F16 1
#define DTYPE_BF16 2
#define TEMPERATURES_ONE 0
#define TEMPERATURES_PER_ROW 1
#define TEMPERATURES_SWEEP 2    /* each row at all of them, one after another */
#define TEMPERATURES_ON_LANES 3 /* the same, each on a lane: see row_column.cl */
#define OPERATION_NONE 0        /* statistics only */
#define OPERATION_SOFTMAX 1
#define OPERATION_LOG_SOFTMAX 2

#ifndef WORK_GROUP_SIZE
#define WORK_GROUP_SIZE 64 /* work-items per work-group, a power of two */
#endif
#ifndef KEPT_CLASSES
#define KEPT_CLASSES 0 /* of item, column and lane: room for so many classes of a row, see cls_variant */
#endif
#ifndef SUM_LEVELS
#define SUM_LEVELS 2 /* 3 for rows of more than CORE_TWO_LEVEL_CLASSES */
#endif
#ifndef OPERATION
#define OPERATION OPERATION_SOFTMAX
#endif
#ifndef LOGITS_DTYPE
#define LOGITS_DTYPE DTYPE_F32
#endif
#ifndef RESULTS_DTYPE
#define RESULTS_DTYPE DTYPE_F32
#endif
#ifndef TEMPERATURES
#define TEMPERATURES TEMPERATURES_ONE
#endif
#ifndef STATISTICS
#define STATISTICS 0 /* 1: a record for each row */
#endif
#ifndef TIES
#define TIES 0 /* 1: a policy may make rows of ties (CORE_ROW_TIES) */
#endif

/* ---------------------------------------------------------------- Arguments */

#if LOGITS_DTYPE == DTYPE_F32
typedef float logit_t;
#elif LOGITS_DTYPE == DTYPE_F16
typedef half logit_t;
#else
typedef ushort logit_t;
#endif

#if RESULTS_DTYPE == DTYPE_F32
typedef float result_t;
#elif RESULTS_DTYPE == DTYPE_F16
typedef half result_t;
#else
typedef ushort result_t;
#endif

/* As clsoftmax_statistics in the public header. */
typedef struct {
    float maximum, log_sum_exp, entropy, largest_probability, margin, negative_log_likelihood;
    long argmax;
} row_record;

/* Layouts are (offset, outer stride, class stride, inner stride) in elements; row r stands at outer r / inner, inner
   r % inner. The arrays of one element a row begin at first.s0 (temperatures), .s1 (labels), .s2 (statistics). A sweep has
   sweep.s0 temperatures, from first.s0 on; the results of each stand sweep.s1 elements behind those of the one before, its
   records first.s3 records. What a variant does not use is NULL. */
#define ROW_ARGUMENTS                                                                                                  \
    __global const logit_t *logits, ulong4 logits_layout, __global result_t *results, ulong4 results_layout,           \
        ulong rows, ulong inner, ulong classes, uint policies, float one_temperature,                                  \
        __global const float *temperatures, __global const long *labels, __global row_record *statistics,              \
        ulong4 first, __global uint *invalid_rows, ulong2 sweep

#define CLASS_STRIDE s2

/* PoCL 3.1 loses what a function writes to local memory that it does not make a part of the kernel, as where there are two calls. */
#define ROW_INLINE static inline __attribute__((always_inline))

/* Each row is computed at so many temperatures, one after another. */
#define ROW_TEMPERATURE_COUNT (TEMPERATURES == TEMPERATURES_SWEEP ? (uint)sweep.s0 : 1)

static ulong row_offset(ulong4 layout, ulong row, ulong inner)
{
    const ulong outer_index = inner == 1 ? row : row / inner;
    return layout.s0 + outer_index * layout.s1 + (row - outer_index * inner) * layout.s3;
}

/* ---------------------------------------------------------------- Reading and writing */

#if CORE_WIDTH == 1
#define row_vload(address) (*(address))
#define row_vstore(value, address) (*(address) = (value))
#define row_convert_uint(value) convert_uint(value)
#define row_convert_ushort(value) convert_ushort(value)
#define row_vload_half(address) vload_half(0, address)
#define row_vstore_half(value, address) vstore_half_rte(value, 0, address)
#else
#define row_vload(address) CORE_VECTOR(vload)(0, (address))
#define row_vstore(value, address) CORE_VECTOR(vstore)((value), 0, (address))
#define row_convert_uint(value) CORE_VECTOR(convert_uint)(value)
#define row_convert_ushort(value) CORE_VECTOR(convert_ushort)(value)
#define row_vload_half(address) CORE_VECTOR(vload_half)(0, address)
#define row_vstore_half(value, address) CORE_JOIN(CORE_VECTOR(vstore_half), _rte)(value, 0, address)
#endif

/* A vector at an address that is a multiple of an element's size alone, to be read or written. PoCL 3.1 makes vload16 and vstore16 of
   pieces, and a whole vector that is read behind a store of pieces waits for all of them to reach the cache. */
typedef core_float row_floats __attribute__((aligned(4)));
typedef CORE_VECTOR(ushort) row_ushorts __attribute__((aligned(2)));
#define ROW_FLOATS(space, address) (*(space row_floats *)(address))
#define ROW_USHORTS(space, address) (*(space row_ushorts *)(address))

/* OpenCL's prefetch() is nothing on PoCL. level: 3 for the first cache, 2 for the second; where there is nothing, nothing happens. */
#ifdef __clang__
#define ROW_PREFETCH(address, level) __builtin_prefetch((const void *)(ulong)(address), 0, level)
#else
#define ROW_PREFETCH(address, level)
#endif

/* vload_half and vstore_half of vectors: PoCL 3.1 takes the address, which need be a multiple of two bytes alone, for one of a whole vector. */
#if CORE_WIDTH > 1
static core_float row_floats_of_half(CORE_VECTOR(ushort) bits)
{
    ushort lanes[CORE_WIDTH] __attribute__((aligned(64)));
    ROW_USHORTS(, lanes) = bits;
    return row_vload_half((const half *)lanes);
}

static CORE_VECTOR(ushort) row_half_of_floats(core_float values)
{
    ushort lanes[CORE_WIDTH] __attribute__((aligned(64)));
    row_vstore_half(values, (half *)lanes);
    return ROW_USHORTS(const, lanes);
}
#endif

/* CORE_WIDTH neighbouring logits. */
static core_float row_load(__global const logit_t *address)
{
#if LOGITS_DTYPE == DTYPE_F32
    return ROW_FLOATS(__global const, address);
#elif LOGITS_DTYPE == DTYPE_F16 && CORE_WIDTH == 1
    return row_vload_half(address);
#elif LOGITS_DTYPE == DTYPE_F16
    return row_floats_of_half(ROW_USHORTS(__global const, address));
#else
    return core_as_float(row_convert_uint(ROW_USHORTS(__global const, address)) << 16);
#endif
}

static float row_load_one(__global const logit_t *address)
{
#if LOGITS_DTYPE == DTYPE_F32
    return *address;
#elif LOGITS_DTYPE == DTYPE_F16
    return vload_half(0, address);
#else
    return as_float((uint)*address << 16);
#endif
}

/* Rounds to the nearest, ties to even, once. A NaN is the canonical one; its upper half is bf16's. */
#define row_bf16_of_bits(bits) (((bits) + 0x7FFFu + (((bits) >> 16) & 1u)) >> 16)

/* A vector of results as memory has it. */
#if RESULTS_DTYPE == DTYPE_F32
typedef core_float row_results;
#define ROW_RESULTS(space, address) ROW_FLOATS(space, address)
#define row_rounded(values) (values)
#else
typedef CORE_VECTOR(ushort) row_results;
#define ROW_RESULTS(space, address) ROW_USHORTS(space, address)
#if RESULTS_DTYPE == DTYPE_F16
#define row_rounded(values) row_half_of_floats(values)
#else
#define row_rounded(values) row_convert_ushort(row_bf16_of_bits(core_as_uint(values)))
#endif
#endif

static void row_store(core_float value, __global result_t *address)
{
#if RESULTS_DTYPE == DTYPE_F16 && CORE_WIDTH == 1
    row_vstore_half(value, address);
#else
    ROW_RESULTS(__global, address) = row_rounded(value);
#endif
}

/* Canonical in each dtype, also where a driver's conversion of NaN is its own. */
static void row_store_one(float value, __global result_t *address)
{
#if RESULTS_DTYPE == DTYPE_F32
    *address = value;
#elif RESULTS_DTYPE == DTYPE_F16
    if ((as_uint(value) & 0x7FFFFFFFu) > 0x7F800000u)
        *(__global ushort *)address = (ushort)0x7E00;
    else
        vstore_half_rte(value, 0, address);
#else
    *address = (ushort)row_bf16_of_bits(as_uint(value));
#endif
}

#if defined(__has_builtin) && CORE_WIDTH > 1
#if __has_builtin(__builtin_nontemporal_store)
#define ROW_STREAMS 1
#endif
#endif
#ifndef ROW_STREAMS
#define ROW_STREAMS 0
#endif

/* Results are not worth a place in a cache above this many bytes of them; in place they have one. */
#ifndef ROW_STREAM_BYTES /* tests stream fewer */
#define ROW_STREAM_BYTES ((ulong)8 << 20)
#endif

static int row_wants_stream(__global const logit_t *logits, __global const result_t *results, ulong elements)
{
    return ROW_STREAMS && elements * sizeof(result_t) > ROW_STREAM_BYTES &&
           (__global const void *)logits != (__global const void *)results;
}

/* Where whole vectors go past the caches. */
#define ROW_RESULT_BYTES (CORE_WIDTH * sizeof(result_t))
#define row_can_stream(address) ((ulong)(address) % ROW_RESULT_BYTES == 0)

static void row_stream(core_float value, __global result_t *address)
{
#if ROW_STREAMS
    __builtin_nontemporal_store(row_rounded(value), (__global row_results *)address);
#else
    row_store(value, address);
#endif
}

/* The last logits of a run, fewer than CORE_WIDTH; the lanes beyond are `padding`, -inf where a mask is to add nothing. */
static core_float row_load_tail(__global const logit_t *address, uint count, float padding)
{
    float lanes[CORE_WIDTH];
    for (uint i = 0; i < CORE_WIDTH; i++)
        lanes[i] = i < count ? row_load_one(address + i) : padding;
    return ROW_FLOATS(const, lanes);
}

static void row_store_tail(core_float value, __global result_t *address, uint count)
{
    float lanes[CORE_WIDTH];
    ROW_FLOATS(, lanes) = value;
    for (uint i = 0; i < count; i++)
        row_store_one(lanes[i], address + i);
}

/* The first `count` lanes of one, the others of the other. */
static core_float row_join(core_float first, core_float other, uint count)
{
    int lanes[CORE_WIDTH];
    for (uint i = 0; i < CORE_WIDTH; i++)
        lanes[i] = (int)i;
    return row_vload(lanes) < (core_int)((int)count) ? first : other;
}

/* A whole vector, of which what is not computed may be NaN. */
static void row_store_all(core_float value, __global result_t *address, int is_computed)
{
    if (is_computed)
        row_store(value, address);
    else
        row_store_tail(value, address, CORE_WIDTH);
}

#endif
