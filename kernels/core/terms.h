/*
 * The terms of a row: what is added up over its classes, each in an integer sum of its own, whose order cannot matter.
 * Every row has the sum of its exponentials; statistics need a second sum. The statistics, the operations, the CPU path
 * and every strategy use this header.
 *
 * To add a term, give it a number here and its formula in core_term.
 */
#ifndef CLSOFTMAX_TERMS_H
#define CLSOFTMAX_TERMS_H

#include "core/row_setting.h"

#define TERM_EXPONENTIAL 0 /* exp(x / T) */
#define TERM_WEIGHTED 1    /* the exponential times the distance of its logit from the maximum, for an entropy */
#define TERM_COUNT 2

/* How many terms a row has, with or without statistics. They are the first ones of the list. */
#define TERMS_OF_ROW(statistics) ((statistics) ? TERM_COUNT : 1)

/* Returns what a class adds to the sum of a term, from its exponential e and its logit x as an ordinary row has it. */
CORE_FUNCTION core_pair core_term(int term, core_pair e, core_float x, core_distance_t distance)
{
    return term == TERM_WEIGHTED ? core_weighted(e, x, distance) : e;
}

#endif
