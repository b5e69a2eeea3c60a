/* A problem, checked, with its layouts spelled out: what the planner and every device see. */
#ifndef CLSOFTMAX_PROBLEM_H
#define CLSOFTMAX_PROBLEM_H

#include "clsoftmax/clsoftmax.h"

/* Checks the problem and fills in the strides of dense layouts and of dimensions of size 1. */
clsoftmax_status cls_problem_check(const clsoftmax_problem *problem, clsoftmax_problem *checked);

/* Returns 1 if the operation writes a result for each class. */
int cls_has_results(const clsoftmax_problem *problem);

/* Returns 1 if its results are made of exponentials, which are worth keeping. */
int cls_is_made_of_exponentials(const clsoftmax_problem *problem);

/* Returns outer * inner of a checked problem. */
static inline uint64_t cls_problem_rows(const clsoftmax_problem *problem)
{
    return problem->outer * problem->inner;
}

/* Returns the elements from the start of an array to behind its last in this layout, at so many temperatures sweep_stride
   apart; 0 for a problem without rows. */
uint64_t cls_layout_span(const clsoftmax_problem *problem, const clsoftmax_layout *layout, uint64_t temperatures);

/* Returns the number of temperatures that each row is computed at. */
static inline uint64_t cls_problem_temperatures(const clsoftmax_problem *problem)
{
    return problem->sweep > 0 ? problem->sweep : 1;
}

/* Returns 1 if the layout is dense. */
int cls_layout_is_dense(const clsoftmax_problem *problem, const clsoftmax_layout *layout);

/* Returns the elements before row r (see clsoftmax_problem). */
static inline uint64_t cls_layout_row(const clsoftmax_problem *problem, const clsoftmax_layout *layout, uint64_t row)
{
    return layout->offset + row / problem->inner * layout->outer_stride + row % problem->inner * layout->inner_stride;
}

/* Returns the policies of the problem as the numeric core takes them. */
uint32_t cls_problem_policies(const clsoftmax_problem *problem);

/* Returns 1 for a number from 0 to inf, -0 too; by its bits, since the caller's floating-point mode may read a subnormal as
   zero. */
int cls_is_temperature(float temperature);

/* Returns 1 if an array that is read and one that is written have elements for each class and share a byte without being the
   same array: the byte would be read after it was written. */
int cls_arguments_overlap(const clsoftmax_problem *problem, const clsoftmax_arguments *arguments);

/* Checks the arguments of a call on host memory against a checked problem. */
clsoftmax_status cls_arguments_check(const clsoftmax_problem *problem, const clsoftmax_arguments *arguments);

#endif
