/*
 * The terms: what is added up for a row, an integer sum for each, whose order cannot matter. Every row has the sum of its
 * exponentials; statistics need a second sum. Used by the operations, the statistics and every row pipeline.
 */
#ifndef CLSOFTMAX_TERMS_H
#define CLSOFTMAX_TERMS_H

#include "core/row_setting.h"

#define TERM_EXPONENTIAL 0 /* exp(x / T) */
#define TERM_WEIGHTED 1    /* the exponential times the distance of its logit from the maximum, for an entropy */
#define TERM_COUNT 2

/* How many terms a row has, with and without statistics: the first of the list. */
#define TERMS_OF_ROW(statistics) ((statistics) ? TERM_COUNT : 1)

/* Returns what a class adds to the sum of a term, given its exponential and its logit as an ordinary row has it. */
CORE_FUNCTION core_pair core_term(int term, core_pair e, core_float x, core_distance_t distance)
{
    return term == TERM_WEIGHTED ? core_weighted(e, x, distance) : e;
}

#endif
