/* What a caller can ask for that is compiled into kernels, the shape apart: the table behind every walk over kernel variants. */
#ifndef CLSOFTMAX_TEST_WISHES_H
#define CLSOFTMAX_TEST_WISHES_H

#include "clsoftmax/clsoftmax.h"

/* Name; how many choices; the plainest; the one of the problem that asks for everything; how a problem says it. */
#define WISH_LIST(X)                                                                                                   \
    X(OPERATION, CLSOFTMAX_OPERATION_COUNT, CLSOFTMAX_OPERATION_SOFTMAX, CLSOFTMAX_OPERATION_LOG_SOFTMAX,              \
      problem->operation = (clsoftmax_operation)choice)                                                                \
    X(LOGITS_DTYPE, CLSOFTMAX_DTYPE_COUNT, CLSOFTMAX_F32, CLSOFTMAX_BF16,                                              \
      problem->logits_dtype = (clsoftmax_dtype)choice)                                                                 \
    X(RESULTS_DTYPE, CLSOFTMAX_DTYPE_COUNT, CLSOFTMAX_F32, CLSOFTMAX_F16,                                              \
      problem->results_dtype = (clsoftmax_dtype)choice)                                                                \
    X(TEMPERATURES, 3, 0, 1, (problem->temperature_per_row = choice == 1, problem->sweep = choice == 2 ? 16 : 0))      \
    X(STATISTICS, 2, 0, 1, problem->statistics = (int)choice)                                                          \
    X(TIES, 2, 0, 1, problem->pos_inf = choice ? CLSOFTMAX_POS_INF_LIMIT : CLSOFTMAX_POS_INF_NAN)

/* Combinations, numbered from 0. */
unsigned wishes_count(void);

/* Writes a combination into the problem. 0 if it says no more than another does, or makes no problem. */
int wishes_apply(unsigned number, clsoftmax_problem *problem);

/* 1 for the sample: the plainest problem, those that differ from it in one thing, and the one that asks for everything. */
int wishes_are_sampled(unsigned number);

#endif
