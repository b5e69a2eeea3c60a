/*
 * The call of a row kernel: what the host compiled into the kernel, which arguments it has, and where its rows stand.
 * Every kernel includes this file first, through phases.h, and gathers its arguments into a row_call in its first line.
 */
#ifndef CLSOFTMAX_CALL_H
#define CLSOFTMAX_CALL_H

#include "core/interface.h"

/* ---------------------------------------------------------------- Variant */

/* What is compiled into a kernel. The host writes a #define for each of these in front of the source (cls_variant in
   host/lib/plan/plan.h). With the defaults below, a kernel compiles alone. Macros that only some strategies have, such
   as ROOM_CLASSES, are defined where they are used. */
#ifndef WORK_GROUP_SIZE
#define WORK_GROUP_SIZE 64 /* work-items in a work-group, a power of two */
#endif
#ifndef SUM_LEVELS
#define SUM_LEVELS 2 /* 3 for rows of more than CORE_TWO_LEVEL_CLASSES */
#endif
#ifndef OPERATION
#define OPERATION 1 /* the number of a row in OPERATION_LIST */
#endif
#ifndef ROW_TERMS
#define ROW_TERMS TERM_SET(TERM_EXPONENTIAL) /* the set of terms that operation_row_terms returns */
#endif
#ifndef LOGITS_DTYPE
#define LOGITS_DTYPE F32 /* F32, F16 or BF16: see dtypes.h */
#endif
#ifndef RESULTS_DTYPE
#define RESULTS_DTYPE F32
#endif
#ifndef OPERAND_DTYPE
#define OPERAND_DTYPE F32
#endif
#ifndef TEMPERATURES
#define TEMPERATURES TEMPERATURES_ONE
#endif
#ifndef STATISTICS
#define STATISTICS 0 /* 1: a record of statistics is written for each row */
#endif
#ifndef TIES
#define TIES 0 /* 1: a policy may make rows of ties (CORE_ROW_TIES) */
#endif

/* What results are made of (see operations.h), whether there are any, whether a row has a loss, whether that is of its
   label, what the operand of a row is, whether it has one, whether that is a teacher's, and which divergence from it is
   meant; whether a top has the second largest logit, and whether some terms are added up later than the others. */
#define RESULTS_MADE_OF operation_made_of(OPERATION)
#define HAS_RESULTS (RESULTS_MADE_OF != MADE_OF_NOTHING)
#define HAS_LOSS (operation_loss(OPERATION) != LOSS_NONE)
#define HAS_LABELS (operation_loss(OPERATION) == LOSS_OF_LABEL)
#define MADE_OF_PAIRS (RESULTS_MADE_OF == MADE_OF_EXPONENTIALS)
#define ROW_NEEDS_SECOND TERMS_NEED_SECOND(ROW_TERMS)
#define OPERAND_KIND operation_operand(OPERATION)
#define HAS_OPERAND (OPERAND_KIND != OPERAND_NONE)
#define HAS_TEACHER (OPERAND_KIND == OPERAND_TEACHER)
#define DIVERGENCE_KIND operation_divergence(OPERATION)
#define HAS_LATER_TERMS (TERMS_LATER(ROW_TERMS) != 0)

/* Runs the statement that follows for each term t of a row. The sums of a row have it at ROW_PLACE(t), which is a valid
   place for any other term, too. */
#define FOR_TERMS _Pragma("unroll") for (int t = 0; t < TERM_COUNT; t++) if (TERM_IS_IN(ROW_TERMS, t))
#define ROW_PLACE(t) (TERM_IS_IN(ROW_TERMS, t) ? TERM_PLACE(ROW_TERMS, t) : 0)

/* Runs it for those that are added up later, or for all others. */
#define FOR_TERMS_OF(is_later) FOR_TERMS if (!HAS_LATER_TERMS || TERM_IS_LATER(t) == (is_later))

/* Begins a function that must be inlined. PoCL 3.1 loses what a function writes to local memory if it is not inlined,
   which can happen to a function that is called twice. */
#define ROW_INLINE static inline __attribute__((always_inline))

/* ---------------------------------------------------------------- Elements */

#define CALL_JOIN_(a, b) a##b
#define CALL_JOIN(a, b) CALL_JOIN_(a, b)

/* The types of elements in memory: logit_t, result_t and operand_t. OpenCL C has no type for bf16. */
typedef float dtype_F32;
typedef half dtype_F16;
typedef ushort dtype_BF16;
typedef CALL_JOIN(dtype_, LOGITS_DTYPE) logit_t;
typedef CALL_JOIN(dtype_, RESULTS_DTYPE) result_t;
typedef CALL_JOIN(dtype_, OPERAND_DTYPE) operand_t;

/* ---------------------------------------------------------------- Arguments */

/* The parameter lists of the kernels. A kernel is declared as ROW_KERNEL row_name(ROW_PARAMETERS), and its parameters
   have the names of ROW_ARGUMENT_LIST in interface.h: logits, results, rows, classes, and so on. */
#define CALL_BUFFER(array, type, name) , __global type *name
#define CALL_VALUE(type, name) , type name
#define ROW_PARAMETERS float one_temperature ROW_ARGUMENT_LIST(CALL_BUFFER, CALL_VALUE)
#define SPLIT_PARAMETERS ROW_PARAMETERS SPLIT_ARGUMENT_LIST(CALL_BUFFER, CALL_VALUE)

#define ROW_KERNEL __kernel __attribute__((reqd_work_group_size(WORK_GROUP_SIZE, 1, 1))) void

/* The arguments of a kernel in one struct, as the functions that it calls take them. */
#define CALL_BUFFER_MEMBER(array, type, name) __global type *name;
#define CALL_VALUE_MEMBER(type, name) type name;
typedef struct {
    float one_temperature;
    ROW_ARGUMENT_LIST(CALL_BUFFER_MEMBER, CALL_VALUE_MEMBER)
} row_call;

/* Fills in that struct: `const row_call call = ROW_CALL;` is a kernel's first line. */
#define CALL_BUFFER_NAME(array, type, name) , name
#define CALL_VALUE_NAME(type, name) , name
#define ROW_CALL                                                                                                       \
    {                                                                                                                  \
        one_temperature ROW_ARGUMENT_LIST(CALL_BUFFER_NAME, CALL_VALUE_NAME)                                           \
    }

/* How many temperatures each row is computed at, one after another. */
#define ROW_TEMPERATURE_COUNT(call) (TEMPERATURES == TEMPERATURES_SWEEP ? (uint)(call)->sweep.SWEEP_COUNT : 1)

/* ---------------------------------------------------------------- Places */

/* Returns where a row begins in an array of this layout, in elements from the beginning of the buffer. */
static ulong row_offset(ulong4 layout, ulong row, ulong inner)
{
    const ulong outer_index = inner == 1 ? row : row / inner;
    return layout.LAYOUT_OFFSET + outer_index * layout.LAYOUT_OUTER_STRIDE +
           (row - outer_index * inner) * layout.LAYOUT_INNER_STRIDE;
}

/* Returns the address of a row's first logit. */
static __global const logit_t *row_logits(const row_call *call, ulong row)
{
    return call->logits + row_offset(call->logits_layout, row, call->inner);
}

/* Returns the address of a row's first operand; NULL if rows have none. */
static __global const operand_t *row_operand(const row_call *call, ulong row)
{
    return HAS_OPERAND ? call->operand + row_offset(call->operand_layout, row, call->inner) : 0;
}

/* Returns the address of a row's first result, at the first temperature. */
static __global result_t *row_results(const row_call *call, ulong row)
{
    return call->results + row_offset(call->results_layout, row, call->inner);
}

#endif
