/*
 * The interface between the host and the kernels: everything that both must know, said once, in a header that C11 and
 * OpenCL C both compile. The host sets a kernel's arguments from the list by which the kernel declares them, sizes
 * memory by the structs that kernels put into it, and compiles into each variant numbers that kernels compare by name
 * (such as TEMPERATURES_*).
 *
 * Every kernel uses it (strategies/call.h), and so does host/lib where it plans, allocates and launches.
 */
#ifndef CLSOFTMAX_INTERFACE_H
#define CLSOFTMAX_INTERFACE_H

#include "operations/operations.h"

/* ------------------------------------------------------------------ Temperatures */

/* How the temperatures of a call are laid over its rows. These are macros, since the preprocessor compares them. */
#define TEMPERATURES_ONE 0      /* one number for all rows */
#define TEMPERATURES_PER_ROW 1  /* one for each row */
#define TEMPERATURES_SWEEP 2    /* all of them for each row, one after another */
#define TEMPERATURES_ON_LANES 3 /* all of them for each row, one temperature on each lane of a vector */

/* ------------------------------------------------------------------ Components of vector arguments */

/* A layout, a ulong4 in elements. Row r has the outer index r / inner and the inner index r % inner. */
#define LAYOUT_OFFSET s0
#define LAYOUT_OUTER_STRIDE s1
#define LAYOUT_CLASS_STRIDE s2
#define LAYOUT_INNER_STRIDE s3

/* A ulong8 in elements: where the arrays with one element for each row begin, and how far what a row has at one
   temperature of a sweep is from what it has at the next. */
#define FIRST_TEMPERATURE s0
#define FIRST_LABEL s1
#define FIRST_STATISTICS s2
#define FIRST_WEIGHT s3
#define FIRST_LOSS s4
#define FIRST_ROWS_STRIDE s5

/* What losses take of a call, a float4: the scale of the gradient, the weight of the z-loss, and the share of a label
   that is spread over all classes. */
#define LOSS_SCALE s0
#define LOSS_Z s1
#define LOSS_SHARE s2

/* A sweep, a ulong2: how many temperatures it has, and how many elements a result at one is from the result at the
   next. */
#define SWEEP_COUNT s0
#define SWEEP_STRIDE s1

/* A piece of a row in strategy split, a uint4: how many parts the piece has, how many the row has, and where in the row
   the piece begins. A whole row is {parts, parts, 0, 0}. */
#define PIECE_PARTS s0
#define PIECE_PARTS_OF_ROW s1
#define PIECE_FIRST_PART s2
#define PIECE_FIRST_CLASS s3

/* ------------------------------------------------------------------ Arguments */

/* The arguments of every row kernel. Before them comes the temperature of all rows, a float, which the host sets for
   each call. BUFFER(array, type, name) is a buffer, NULL where the variant does not use it; VALUE(type, name) is a
   number or a vector of numbers. */
#define ROW_ARGUMENT_LIST(BUFFER, VALUE)                                                                               \
    BUFFER(LOGITS, const logit_t, logits)                                                                              \
    VALUE(ulong4, logits_layout)                                                                                       \
    BUFFER(OPERAND, const operand_t, operand)                                                                          \
    VALUE(ulong4, operand_layout)                                                                                      \
    BUFFER(RESULTS, result_t, results)                                                                                 \
    VALUE(ulong4, results_layout)                                                                                      \
    VALUE(ulong, rows)                                                                                                 \
    VALUE(ulong, inner)                                                                                                \
    VALUE(ulong, classes)                                                                                              \
    VALUE(uint, policies)                                                                                              \
    BUFFER(TEMPERATURES, const float, temperatures)                                                                    \
    BUFFER(LABELS, const long, labels)                                                                                 \
    BUFFER(WEIGHTS, const float, weights)                                                                              \
    BUFFER(STATISTICS, core_statistics_record, statistics)                                                             \
    BUFFER(LOSSES, float, losses)                                                                                      \
    VALUE(ulong8, first)                                                                                               \
    VALUE(float4, loss)                                                                                                \
    BUFFER(INVALID_ROWS, uint, invalid_rows)                                                                           \
    VALUE(ulong2, sweep)

/* The further arguments of the kernels of `split`: which piece of its rows the launch has, and a split_part for each
   part of each row at each temperature of the launch. */
#define SPLIT_ARGUMENT_LIST(BUFFER, VALUE)                                                                             \
    VALUE(uint4, piece)                                                                                                \
    BUFFER(SCRATCH, split_part, parts)

/* ------------------------------------------------------------------ Records */

/* What is known of a part of a row. Only the parts at the first temperature have a top, and only the row's first part
   has the label's logit. It is kept there because the third kernel may write a result in its place. */
typedef struct {
    core_total_t totals[TERM_MOST]; /* at the places of the terms that the row has */
    core_top_t top;
    float label_logit;
    uint is_labelled; /* 1: the row has a label */
} split_part;
#ifndef CORE_ROW_PER_LANE /* with it a total is a vector, and no such kernel has parts */
typedef char split_part_is_whole_longs[sizeof(split_part) == (3 * TERM_MOST + 4) * sizeof(core_long) ? 1 : -1];
#endif

/* Bytes of local memory for each work-item of a work-group while tops and sums are reduced, for a set of terms.
   Planning limits work-groups by them; chunks.h checks that they are what its kernels use. */
#define LOCAL_TOP_BYTES(terms) (TERMS_NEED_TOP(terms) ? sizeof(core_top_t) : sizeof(uint))
#define LOCAL_SUMS_BYTES(levels, terms) ((levels)*TERMS_IN(terms) * sizeof(core_long))
#define LOCAL_PLAIN_BYTES(terms) (sizeof(core_top_t) + TERMS_IN(terms) * sizeof(core_total_t)) /* in strategy plain */

#endif
