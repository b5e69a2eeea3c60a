/*
 * The terms of a row: what is added up over its classes, each in integers of its own, whose order cannot matter.
 * Which of them a row has, follows from its operation and from whether it has statistics. The statistics, the
 * operations, the CPU path and every strategy use this header.
 *
 * To add a term, give it a number here and its formula in core_term.
 */
#ifndef CLSOFTMAX_TERMS_H
#define CLSOFTMAX_TERMS_H

#include "core/mixture.h"

#define TERM_EXPONENTIAL 0      /* exp(x / T) */
#define TERM_WEIGHTED 1         /* the exponential times the distance of its logit from the maximum, for an entropy */
#define TERM_REST 2             /* the exponential, in units that suit the rest of the row (core_rest_t) */
#define TERM_PRODUCT 3          /* the exponential times the operand */
#define TERM_OPERAND 4          /* the operand itself */
#define TERM_PRODUCT_WEIGHTED 5 /* the exponential times the operand and the distance of its logit from the maximum */
#define TERM_REACH 6            /* not a sum: the largest of what bounds the operand times that distance (core_reach) */
#define TERM_OPERAND_WEIGHTED 7 /* the operand times that distance, once its largest bound is known */
#define TERM_TEACHER 8          /* the exponential of the operand, where that is a teacher's logit */
#define TERM_BOUNDS 9           /* not a sum: the largest of each of two bounds of a class (core_bounds) */
#define TERM_DIVERGENCE 10 /* what a class adds to the divergence from the teacher, once the first sums are known */
#define TERM_STUDENT_DIVERGENCE                                                                                        \
    11 /* likewise, to that of the student from their mixture; DIVERGENCE is the teacher's */
#define TERM_COUNT 12
#define TERM_MOST 6 /* so many of them has a row at most */

/* A set of terms is a sum of these. They are macros, so that a compiler sees constants. */
#define TERM_SET(term) (1u << (term))
#define TERM_IS_IN(set, term) (((set) >> (term)) & 1u)

/* How many terms a set has, and the place of a term among them. */
#define TERMS_IN(set)                                                                                                  \
    (TERM_IS_IN(set, 0) + TERM_IS_IN(set, 1) + TERM_IS_IN(set, 2) + TERM_IS_IN(set, 3) + TERM_IS_IN(set, 4) +          \
     TERM_IS_IN(set, 5) + TERM_IS_IN(set, 6) + TERM_IS_IN(set, 7) + TERM_IS_IN(set, 8) + TERM_IS_IN(set, 9) +          \
     TERM_IS_IN(set, 10) + TERM_IS_IN(set, 11))
#define TERM_PLACE(set, term) TERMS_IN((set) & (TERM_SET(term) - 1u))

/* The terms that statistics need. */
#define TERMS_OF_STATISTICS (TERM_SET(TERM_EXPONENTIAL) | TERM_SET(TERM_WEIGHTED) | TERM_SET(TERM_REST))

/* Whether the terms, or the statistics that have them all, need the second largest logit. */
#define TERMS_NEED_SECOND(set) TERM_IS_IN(set, TERM_REST)

/* Whether the operand is a teacher's logits. */
#define TERMS_NEED_TEACHER(set) (TERM_IS_IN(set, TERM_TEACHER) != 0)

/* Whether the terms need distances from the maximum. */
#define TERMS_NEED_DISTANCE(set) (((set) & (TERM_SET(TERM_WEIGHTED) | TERM_SET(TERM_REACH))) != 0)

/* Whether the terms need the operand: of it the largest size in the row, or the largest logit. */
#define TERMS_NEED_OPERAND(set)                                                                                        \
    (((set) & (TERM_SET(TERM_PRODUCT) | TERM_SET(TERM_OPERAND) | TERM_SET(TERM_TEACHER))) != 0)

/* The terms that are added up in a phase of their own, since they need the sums of the others. */
#define TERMS_LATER(set)                                                                                               \
    ((set) & (TERM_SET(TERM_OPERAND_WEIGHTED) | TERM_SET(TERM_DIVERGENCE) | TERM_SET(TERM_STUDENT_DIVERGENCE)))
#define TERM_IS_LATER(term) (TERMS_LATER(TERM_SET(term)) != 0)

/* Whether they need more of a top than its largest key. */
#define TERMS_NEED_TOP(set) (TERMS_NEED_SECOND(set) || TERMS_NEED_OPERAND(set))

/* What the terms need to know about a row. */
typedef struct {
    core_distance_t distance;
    core_rest_t rest;
    core_operand_t operand;
    core_row_float reach; /* the power of two that core_reach_power returns, in the second phase sums */
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
    case TERM_PRODUCT_WEIGHTED:
        return core_weighted_product(e, x, g, row.operand, row.distance);
    case TERM_REACH:
        return core_reach(x, g, row.operand, row.distance);
    case TERM_OPERAND_WEIGHTED:
        return core_weighted_share(x, g, row.operand, row.distance, row.reach);
    }
    return e;
}

/* Which divergence from the teacher is added up. */
#define DIVERGENCE_FORWARD 0  /* KL(q || p) */
#define DIVERGENCE_REVERSED 1 /* KL(p || q) */
#define DIVERGENCE_MIXED 2    /* that of both from their mixture */

/* Whether a term is one of a row with a teacher. */
#define TERM_IS_OF_TEACHER(term) ((term) >= TERM_TEACHER)

/* Returns what a class adds to such a term, from its exponentials e and `of_teacher`, and its logits x and y as
   ordinary rows have them. Before the later phase, `divergence` need not be given. kind: DIVERGENCE_*, a constant. In a
   reversed one the roles of both rows are swapped. */
CORE_FUNCTION core_pair core_teacher_term(int term, core_pair e, core_pair of_teacher, core_float x, core_float y,
                                          core_match_t match, core_divergence_t divergence, int kind)
{
    const int is_reversed = kind == DIVERGENCE_REVERSED;
    switch (term) {
    case TERM_BOUNDS:
        return is_reversed ? core_bounds(of_teacher, e, y, x, core_match_reversed(match))
                           : core_bounds(e, of_teacher, x, y, match);
    case TERM_STUDENT_DIVERGENCE:
        return core_mixture_term(e, of_teacher, x, y, match, divergence, 1);
    case TERM_DIVERGENCE:
        if (kind == DIVERGENCE_MIXED)
            return core_mixture_term(e, of_teacher, x, y, match, divergence, 0);
        return is_reversed ? core_divergence_term(of_teacher, e, y, x, core_match_reversed(match),
                                                  core_divergence_reversed(divergence))
                           : core_divergence_term(e, of_teacher, x, y, match, divergence);
    }
    return of_teacher;
}

/* Whether the largest of what classes have of a term is found, and not the sum. It is the largest of `high` and that of
   `low`, which are not negative, each as the bits of a float. */
#define TERM_IS_LARGEST(term) ((term) == TERM_REACH || (term) == TERM_BOUNDS)

/* Whether what classes add to a term has a sign; it is then at most 1/2 in size. A constant, as the term is. */
#define TERM_IS_SIGNED(term)                                                                                           \
    ((term) == TERM_PRODUCT || (term) == TERM_OPERAND || (term) == TERM_PRODUCT_WEIGHTED ||                            \
     (term) == TERM_OPERAND_WEIGHTED)

/* The constant of the first level of its sum. */
#define TERM_UNIT(term) (TERM_IS_SIGNED(term) ? CORE_UNIT_SIGNED : CORE_UNIT_HIGH)

/* Adds what a class has of a term to its sum. */
CORE_FUNCTION core_sum_t core_term_add(int term, core_sum_t sum, core_pair of_class, int levels)
{
    if (TERM_IS_LARGEST(term)) {
        core_sum_t largest = {CORE_LARGER(sum.high, core_as_uint(of_class.high)),
                              CORE_LARGER(sum.low, core_as_uint(of_class.low)), sum.lowest};
        return largest;
    }
    return core_sum_add_to(sum, of_class, TERM_UNIT(term), levels);
}

/* Returns what was added to the sum of a term, as core_sum_flush does. */
CORE_FUNCTION core_lanes_total core_term_flush(int term, core_sum_t sum, uint added, int levels)
{
    if (TERM_IS_LARGEST(term)) {
        core_lanes_total largest = {core_long_of_uint(sum.high), core_long_of_uint(sum.low), (core_lanes_long)(0)};
        return largest;
    }
    core_lanes_total total = core_sum_flush(sum, added, levels);
    if (TERM_IS_SIGNED(term))
        total.high = core_long_of_int(core_int_of_uint(sum.high - added * core_bits_of_float(TERM_UNIT(term))));
    return total;
}

/* Returns the totals that two parts of a row have of a term together. */
CORE_FUNCTION core_total_t core_term_merge(int term, core_total_t a, core_total_t b)
{
    core_total_t largest = {CORE_LARGER(a.high, b.high), CORE_LARGER(a.low, b.low), a.lowest};
    return TERM_IS_LARGEST(term) ? largest : core_total_merge(a, b);
}

#endif
