/*
 * Checked problems: their layouts have all strides filled in. api.c checks each problem once; planning and every
 * backend work on checked ones.
 */
#ifndef CLSOFTMAX_PROBLEM_H
#define CLSOFTMAX_PROBLEM_H

#include "clsoftmax/clsoftmax.h"

/* Checks a problem. Writes a copy in which the strides of dense layouts and of dimensions of size 1 are filled in. */
clsoftmax_status cls_problem_check(const clsoftmax_problem *problem, clsoftmax_problem *checked);

/* Returns 1 if the operation writes a result for each class. */
int cls_has_results(const clsoftmax_problem *problem);

/* Returns 1 if each row has a loss. */
int cls_has_loss(const clsoftmax_problem *problem);

/* Returns 1 if the loss of a row is that of its label. */
int cls_has_labels(const clsoftmax_problem *problem);

/* Returns 1 if the results are made of exponentials, which are then worth keeping between the phases of a row. */
int cls_is_made_of_exponentials(const clsoftmax_problem *problem);

/* Returns 1 if the problem is computed with the lean core (kernels/core/lean.h): where accuracy "fast" is asked for, or
   the results have 16 bits and no statistics or losses of f32 come from the same sums. */
int cls_problem_is_lean(const clsoftmax_problem *problem);

/* Returns how many floats an exponential takes where it is kept: a pair, or one in the lean core. */
static inline unsigned cls_exponential_floats(const clsoftmax_problem *problem)
{
    return cls_problem_is_lean(problem) ? 1 : 2;
}

/* Return 1 if rows have an operand, 1 if callers give it, and 1 if it is the logits themselves (OPERAND_MASK). */
int cls_has_operand(const clsoftmax_problem *problem);
int cls_takes_operand(const clsoftmax_problem *problem);
int cls_operand_is_logits(const clsoftmax_problem *problem);

/* Returns 1 if a loss takes a mixture of the student's probabilities and the teacher's. */
int cls_has_mixture(const clsoftmax_problem *problem);

/* Returns the number of rows of a checked problem. */
static inline uint64_t cls_problem_rows(const clsoftmax_problem *problem)
{
    return problem->outer * problem->inner;
}

/* Returns the number of elements from the start of an array to its last, offset included, with `temperatures` of them
   sweep_stride apart; 0 for a problem without rows. */
uint64_t cls_layout_span(const clsoftmax_problem *problem, const clsoftmax_layout *layout, uint64_t temperatures);

/* Returns the number of temperatures at which each row is computed. */
static inline uint64_t cls_problem_temperatures(const clsoftmax_problem *problem)
{
    return problem->sweep > 0 ? problem->sweep : 1;
}

/* Returns the dense layout of the problem. A stride that overflows becomes UINT64_MAX. */
clsoftmax_layout cls_dense_layout(const clsoftmax_problem *problem);

/* Returns 1 if the layout is dense. */
int cls_layout_is_dense(const clsoftmax_problem *problem, const clsoftmax_layout *layout);

/* Returns the number of elements before the first one of a row. */
static inline uint64_t cls_layout_row(const clsoftmax_problem *problem, const clsoftmax_layout *layout, uint64_t row)
{
    if (problem->inner == 1) /* a division takes longer than a few classes */
        return layout->offset + row * layout->outer_stride;
    return layout->offset + row / problem->inner * layout->outer_stride + row % problem->inner * layout->inner_stride;
}

/* Returns the policies of the problem, as flags for the numeric core (CORE_NEGATIVE_INFINITY_*,
   CORE_POSITIVE_INFINITY_*). */
uint32_t cls_problem_policies(const clsoftmax_problem *problem);

/* Checks the temperature of all rows, if the problem has one: a number in [0, inf], -0 included. */
clsoftmax_status cls_temperature_check(const clsoftmax_problem *problem, float temperature);

/* Checks the numbers that losses take of a call: the scale of the gradient, the weight of the z-loss, and the share
   that cls_loss_share returns. */
clsoftmax_status cls_loss_check(const clsoftmax_problem *problem, float scale, float z_loss, float share);

/* Returns the share that the problem's loss takes (operation_share). */
float cls_loss_share(const clsoftmax_problem *problem, float label_smoothing, float teacher_share);

/* Returns 1 if an array that the device reads and one that it writes share a byte and are not the same array: the byte
   would be read after it was written. Both have an element for each class. */
int cls_arguments_overlap(const clsoftmax_problem *problem, const clsoftmax_arguments *arguments);

/* Checks the arguments of a call on host memory against a checked problem. */
clsoftmax_status cls_arguments_check(const clsoftmax_problem *problem, const clsoftmax_arguments *arguments);

#endif
