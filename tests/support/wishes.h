/* What a caller can ask for that is compiled into kernels, besides the shape: kernel_watch and kernel_variants walk
   over its combinations. */
#ifndef CLSOFTMAX_TEST_WISHES_H
#define CLSOFTMAX_TEST_WISHES_H

#include "clsoftmax/clsoftmax.h"

/* Each wish: its name, how many choices it has, the plainest one, the one in the problem that asks for everything, and
   how the choice is written into a problem. */
#define WISH_LIST(X)                                                                                                   \
    X(OPERATION, CLSOFTMAX_OPERATION_COUNT, CLSOFTMAX_OPERATION_SOFTMAX, CLSOFTMAX_OPERATION_COUNT - 1,                \
      problem->operation = (clsoftmax_operation)choice)                                                                \
    X(LOGITS_DTYPE, CLSOFTMAX_DTYPE_COUNT, CLSOFTMAX_F32, CLSOFTMAX_BF16,                                              \
      problem->logits_dtype = (clsoftmax_dtype)choice)                                                                 \
    X(RESULTS_DTYPE, CLSOFTMAX_DTYPE_COUNT, CLSOFTMAX_F32, CLSOFTMAX_F16,                                              \
      problem->results_dtype = (clsoftmax_dtype)choice)                                                                \
    X(TEMPERATURES, 3, 0, 1, (problem->temperature_per_row = choice == 1, problem->sweep = choice == 2 ? 16 : 0))      \
    X(STATISTICS, 2, 0, 1, problem->statistics = (int)choice)                                                          \
    X(TIES, 2, 0, 1, problem->pos_inf = choice ? CLSOFTMAX_POS_INF_LIMIT : CLSOFTMAX_POS_INF_NAN)                      \
    X(ACCURACY, CLSOFTMAX_ACCURACY_COUNT, CLSOFTMAX_ACCURACY_FAITHFUL, CLSOFTMAX_ACCURACY_FAITHFUL,                    \
      problem->accuracy = (clsoftmax_accuracy)choice)

/* Returns the number of combinations, which are numbered from 0. */
unsigned wishes_count(void);

/* Writes a combination into the problem. Returns 0 if another combination says the same, or if it is no valid
   problem. */
int wishes_apply(unsigned number, clsoftmax_problem *problem);

/* Returns 1 for the sample: the plainest problem, those that differ from it in one wish, and the one that asks for
   everything. */
int wishes_are_sampled(unsigned number);

#endif
