/*
 * The terms of a row: what is added up over its classes, each in an integer sum of its own, whose order cannot matter.
 * Which of them a row has, follows from its operation and from whether it has statistics. The statistics, the
 * operations, the CPU path and every strategy use this header.
 *
 * To add a term, give it a number here and its formula in core_term.
 */
#ifndef CLSOFTMAX_TERMS_H
#define CLSOFTMAX_TERMS_H

#include "core/operand.h"

#define TERM_EXPONENTIAL 0 /* exp(x / T) */
#define TERM_WEIGHTED 1    /* the exponential times the distance of its logit from the maximum, for an entropy */
#define TERM_REST 2        /* the exponential, in units that suit the rest of the row (core_rest_t) */
#define TERM_PRODUCT 3     /* the exponential times the operand */
#define TERM_OPERAND 4     /* the operand itself */
#define TERM_COUNT 5

/* A set of terms is a sum of these. They are macros, so that a compiler sees constants. */
#define TERM_SET(term) (1u << (term))
#define TERM_IS_IN(set, term) (((set) >> (term)) & 1u)

/* How many terms a set has, and the place of a term among them. */
#define TERMS_IN(set)                                                                                                  \
    (TERM_IS_IN(set, 0) + TERM_IS_IN(set, 1) + TERM_IS_IN(set, 2) + TERM_IS_IN(set, 3) + TERM_IS_IN(set, 4))
#define TERM_PLACE(set, term) TERMS_IN((set) & (TERM_SET(term) - 1u))

/* The terms that statistics need. */
#define TERMS_OF_STATISTICS (TERM_SET(TERM_EXPONENTIAL) | TERM_SET(TERM_WEIGHTED) | TERM_SET(TERM_REST))

/* Whether the terms, or the statistics that have them all, need the second largest logit. */
#define TERMS_NEED_SECOND(set) TERM_IS_IN(set, TERM_REST)

/* Whether the terms need the operand, and of it the largest size in the row. */
#define TERMS_NEED_OPERAND(set) (((set) & (TERM_SET(TERM_PRODUCT) | TERM_SET(TERM_OPERAND))) != 0)

/* Whether they need more of a top than its largest key. */
#define TERMS_NEED_TOP(set) (TERMS_NEED_SECOND(set) || TERMS_NEED_OPERAND(set))

/* What the terms need to know about a row. */
typedef struct {
    core_distance_t distance;
    core_rest_t rest;
    core_operand_t operand;
} core_term_row_t;

/* Returns what a class adds to the sum of a term, from its exponential e, its logit x as an ordinary row has it, and
   its operand g, which is 0 where there is none. */
CORE_FUNCTION core_pair core_term(int term, core_pair e, core_float x, core_float g, core_term_row_t row)
{
    switch (term) {
    case TERM_WEIGHTED:
        return core_weighted(e, x, row.distance);
    case TERM_REST:
        return core_of_rest(e, row.rest);
    case TERM_PRODUCT:
        return core_product(e, g, row.operand);
    case TERM_OPERAND:
        return core_share(g, row.operand);
    }
    return e;
}

/* Whether what classes add to a term has a sign; it is then at most 1/2 in size. A constant, as the term is. */
#define TERM_IS_SIGNED(term) ((term) >= TERM_PRODUCT)

/* The constant of the first level of its sum. */
#define TERM_UNIT(term) (TERM_IS_SIGNED(term) ? CORE_UNIT_SIGNED : CORE_UNIT_HIGH)

/* Adds what a class has of a term to its sum. */
CORE_FUNCTION core_sum_t core_term_add(int term, core_sum_t sum, core_pair of_class, int levels)
{
    return core_sum_add_to(sum, of_class, TERM_UNIT(term), levels);
}

/* Returns what was added to the sum of a term, as core_sum_flush does. */
CORE_FUNCTION core_lanes_total core_term_flush(int term, core_sum_t sum, uint added, int levels)
{
    core_lanes_total total = core_sum_flush(sum, added, levels);
    if (TERM_IS_SIGNED(term))
        total.high = core_long_of_int(core_int_of_uint(sum.high - added * core_bits_of_float(TERM_UNIT(term))));
    return total;
}

#endif
