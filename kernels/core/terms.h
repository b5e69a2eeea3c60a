/*
 * The terms of a row: what is added up over its classes, each in an integer sum of its own, whose order cannot matter.
 * Which of them a row has, follows from its operation and from whether it has statistics. The statistics, the
 * operations, the CPU path and every strategy use this header.
 *
 * To add a term, give it a number here and its formula in core_term.
 */
#ifndef CLSOFTMAX_TERMS_H
#define CLSOFTMAX_TERMS_H

#include "core/row_setting.h"

#define TERM_EXPONENTIAL 0 /* exp(x / T) */
#define TERM_WEIGHTED 1    /* the exponential times the distance of its logit from the maximum, for an entropy */
#define TERM_REST 2        /* the exponential, in units that suit the rest of the row (core_rest_t) */
#define TERM_COUNT 3

/* A set of terms is a sum of these. They are macros, so that a compiler sees constants. */
#define TERM_SET(term) (1u << (term))
#define TERM_IS_IN(set, term) ((set) >> (term)&1u)

/* How many terms a set has, and the place of a term among them. */
#define TERMS_IN(set) (TERM_IS_IN(set, 0) + TERM_IS_IN(set, 1) + TERM_IS_IN(set, 2))
#define TERM_PLACE(set, term) TERMS_IN((set) & (TERM_SET(term) - 1u))

/* The terms that statistics need. */
#define TERMS_OF_STATISTICS (TERM_SET(TERM_EXPONENTIAL) | TERM_SET(TERM_WEIGHTED) | TERM_SET(TERM_REST))

/* Whether the terms, or the statistics that have them all, need the second largest logit. */
#define TERMS_NEED_SECOND(set) TERM_IS_IN(set, TERM_REST)

/* What the terms need to know about a row. */
typedef struct {
    core_distance_t distance;
    core_rest_t rest;
} core_term_row_t;

/* Returns what a class adds to the sum of a term, from its exponential e and its logit x as an ordinary row has it. */
CORE_FUNCTION core_pair core_term(int term, core_pair e, core_float x, core_term_row_t row)
{
    switch (term) {
    case TERM_WEIGHTED:
        return core_weighted(e, x, row.distance);
    case TERM_REST:
        return core_of_rest(e, row.rest);
    }
    return e;
}

#endif
