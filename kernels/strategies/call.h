/*
 * A call of a row kernel: what the host compiled into it, its arguments, and where its rows stand. Every kernel includes
 * this first, through phases.h, and gathers its arguments into a row_call in its first line.
 *
 * The host defines the knobs before this file (cls_variant in host/lib/plan/plan.h); with the defaults it compiles alone.
 */
#ifndef CLSOFTMAX_CALL_H
#define CLSOFTMAX_CALL_H

#include "core/interface.h"

/* ---------------------------------------------------------------- Knobs */

#ifndef WORK_GROUP_SIZE
#define WORK_GROUP_SIZE 64 /* work-items in a work-group, a power of two */
#endif
#ifndef SUM_LEVELS
#define SUM_LEVELS 2 /* 3 for rows of more than CORE_TWO_LEVEL_CLASSES */
#endif
#ifndef OPERATION
#define OPERATION 1 /* the number of a row in OPERATION_LIST */
#endif
#ifndef LOGITS_DTYPE
#define LOGITS_DTYPE F32 /* the name of a dtype: see dtypes.h */
#endif
#ifndef RESULTS_DTYPE
#define RESULTS_DTYPE F32
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

/* What the table says of the operation, and how many terms the row has. */
#define RESULTS_MADE_OF operation_made_of(OPERATION)
#define HAS_RESULTS (RESULTS_MADE_OF != MADE_OF_NOTHING)
#define MADE_OF_PAIRS (RESULTS_MADE_OF == MADE_OF_EXPONENTIALS)
#define ROW_TERMS TERMS_OF_ROW(STATISTICS)

/* Runs the statement behind it for each term t of the row. */
#define FOR_TERMS _Pragma("unroll") for (int t = 0; t < ROW_TERMS; t++)

/* Inlined whatever the compiler thinks of it. PoCL 3.1 loses what a function writes to local memory if it does not become a
   part of the kernel, as where there are two calls. */
#define ROW_INLINE static inline __attribute__((always_inline))

/* ---------------------------------------------------------------- Elements in memory */

#define CALL_JOIN_(a, b) a##b
#define CALL_JOIN(a, b) CALL_JOIN_(a, b)

/* How memory has an element of each dtype; bf16 is not known to OpenCL C. */
typedef float dtype_F32;
typedef half dtype_F16;
typedef ushort dtype_BF16;
typedef CALL_JOIN(dtype_, LOGITS_DTYPE) logit_t;
typedef CALL_JOIN(dtype_, RESULTS_DTYPE) result_t;

/* ---------------------------------------------------------------- Arguments */

#define CALL_BUFFER(array, type, name) , __global type *name
#define CALL_VALUE(type, name) , type name
#define ROW_PARAMETERS float one_temperature ROW_ARGUMENT_LIST(CALL_BUFFER, CALL_VALUE)
#define SPLIT_PARAMETERS ROW_PARAMETERS SPLIT_ARGUMENT_LIST(CALL_BUFFER, CALL_VALUE)

/* The arguments of a kernel as its functions take them. */
#define CALL_BUFFER_MEMBER(array, type, name) __global type *name;
#define CALL_VALUE_MEMBER(type, name) type name;
typedef struct {
    float one_temperature;
    ROW_ARGUMENT_LIST(CALL_BUFFER_MEMBER, CALL_VALUE_MEMBER)
} row_call;

/* row_call call = ROW_CALL; is a kernel's first line. */
#define CALL_BUFFER_NAME(array, type, name) , name
#define CALL_VALUE_NAME(type, name) , name
#define ROW_CALL                                                                                                       \
    {                                                                                                                  \
        one_temperature ROW_ARGUMENT_LIST(CALL_BUFFER_NAME, CALL_VALUE_NAME)                                           \
    }

#define ROW_KERNEL __kernel __attribute__((reqd_work_group_size(WORK_GROUP_SIZE, 1, 1))) void

/* Each row is computed at so many temperatures, one after another. */
#define ROW_TEMPERATURE_COUNT(call) (TEMPERATURES == TEMPERATURES_SWEEP ? (uint)(call)->sweep.SWEEP_COUNT : 1)

/* ---------------------------------------------------------------- Places */

/* Returns where a row begins in an array of this layout, in elements. */
static ulong row_offset(ulong4 layout, ulong row, ulong inner)
{
    const ulong outer_index = inner == 1 ? row : row / inner;
    return layout.LAYOUT_OFFSET + outer_index * layout.LAYOUT_OUTER_STRIDE +
           (row - outer_index * inner) * layout.LAYOUT_INNER_STRIDE;
}

static __global const logit_t *row_logits(const row_call *call, ulong row)
{
    return call->logits + row_offset(call->logits_layout, row, call->inner);
}

static __global result_t *row_results(const row_call *call, ulong row)
{
    return call->results + row_offset(call->results_layout, row, call->inner);
}

#endif
