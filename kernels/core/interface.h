/*
 * What the host and the kernels both must know, said once: C11 and OpenCL C compile this header. The host sets a kernel's
 * arguments from the list by which the kernel declares them, sizes memory by the structs that kernels put into it, and
 * defines the numbers that a variant compares.
 *
 * Used by every kernel (strategies/call.h), and by host/lib where it plans, allocates and launches.
 */
#ifndef CLSOFTMAX_INTERFACE_H
#define CLSOFTMAX_INTERFACE_H

#include "operations/operations.h"

/* ------------------------------------------------------------------ Temperatures */

/* How the temperatures of a call are laid over its rows. The preprocessor compares these, so they are no enum. */
#define TEMPERATURES_ONE 0      /* one number for all rows */
#define TEMPERATURES_PER_ROW 1  /* one for each row */
#define TEMPERATURES_SWEEP 2    /* each row at all of them, one after another */
#define TEMPERATURES_ON_LANES 3 /* each row at all of them, a temperature on each lane of a vector */

/* ------------------------------------------------------------------ Components of vector arguments */

/* A layout, a ulong4 in elements: row r stands at outer index r / inner and inner index r % inner. */
#define LAYOUT_OFFSET s0
#define LAYOUT_OUTER_STRIDE s1
#define LAYOUT_CLASS_STRIDE s2
#define LAYOUT_INNER_STRIDE s3

/* Where the arrays of one element a row begin, a ulong4 in elements; and how many records one temperature of a sweep has. */
#define FIRST_TEMPERATURE s0
#define FIRST_LABEL s1
#define FIRST_STATISTICS s2
#define FIRST_RECORDS_STRIDE s3

/* A sweep, a ulong2: how many temperatures, and how many elements from a result at one to the result at the next. */
#define SWEEP_COUNT s0
#define SWEEP_STRIDE s1

/* A piece of a row that is split, a uint4: how many parts the piece has and the row has, and where the piece begins. A whole
   row is {parts, parts, 0, 0}. */
#define PIECE_PARTS s0
#define PIECE_PARTS_OF_ROW s1
#define PIECE_FIRST_PART s2
#define PIECE_FIRST_CLASS s3

/* ------------------------------------------------------------------ Arguments */

/* The arguments of every row kernel behind the first, which is the temperature of all rows. BUFFER(array, type, name) is a
   buffer, NULL where the variant does not use it, and VALUE(type, name) a number or a vector of numbers. */
#define ROW_ARGUMENT_LIST(BUFFER, VALUE)                                                                               \
    BUFFER(LOGITS, const logit_t, logits)                                                                              \
    VALUE(ulong4, logits_layout)                                                                                       \
    BUFFER(RESULTS, result_t, results)                                                                                 \
    VALUE(ulong4, results_layout)                                                                                      \
    VALUE(ulong, rows)                                                                                                 \
    VALUE(ulong, inner)                                                                                                \
    VALUE(ulong, classes)                                                                                              \
    VALUE(uint, policies)                                                                                              \
    BUFFER(TEMPERATURES, const float, temperatures)                                                                    \
    BUFFER(LABELS, const long, labels)                                                                                 \
    BUFFER(STATISTICS, core_statistics_record, statistics)                                                             \
    VALUE(ulong4, first)                                                                                               \
    BUFFER(INVALID_ROWS, uint, invalid_rows)                                                                           \
    VALUE(ulong2, sweep)

/* What the kernels of `split` have behind those: which piece of its rows a launch is given, and the parts, a split_part for
   each part of each row and each temperature of the launch. */
#define SPLIT_ARGUMENT_LIST(BUFFER, VALUE)                                                                             \
    VALUE(uint4, piece)                                                                                                \
    BUFFER(SCRATCH, split_part, parts)

/* ------------------------------------------------------------------ Records */

/* What is known of a part of a row. Only the parts at the first temperature have tops, and of those only the row's first has
   the label's logit: the third kernel may write over the logit itself. */
typedef struct {
    core_total_t totals[TERM_COUNT];
    core_top_t top;
    float label_logit;
} split_part;

/* Bytes of local memory that a work-item of a work-group needs while tops and sums are reduced. */
#define LOCAL_TOP_BYTES(statistics) ((statistics) ? sizeof(core_top_t) : sizeof(uint))
#define LOCAL_SUMS_BYTES(levels, terms) ((levels) * (terms) * sizeof(core_long))
#define LOCAL_PLAIN_BYTES(terms) (sizeof(core_top_t) + (terms) * sizeof(core_total_t)) /* in strategy plain */

#endif
