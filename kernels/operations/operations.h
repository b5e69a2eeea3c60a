/*
 * The operations: what the sums of a row become at its end, and what is written for each of its classes. Each formula
 * stands here once, for C11 and OpenCL C. A strategy asks the tables what results are made of and how rows end, and
 * never which operation it computes; so does the CPU path.
 *
 * To add an operation, give it a row in CLSOFTMAX_OPERATION_LIST of the public header and a row in OPERATION_LIST, at
 * the same place in both. Write operation_result_NAME here, and its formula in double precision in
 * host/lib/formulas.c. If its rows end as those of no other operation do, give ENDING_LIST a row, and write end_NAME.
 * What is missing does not compile.
 */
#ifndef CLSOFTMAX_OPERATIONS_H
#define CLSOFTMAX_OPERATIONS_H

#include "core/backward.h"
#include "core/cross_entropy.h"
#include "core/distillation.h"
#include "core/targets.h"

/* ------------------------------------------------------------------ Tables */

/* What a row has beside the results of its classes. */
#define LOSS_NONE 0
#define LOSS_OF_LABEL 1 /* a loss, from its label; a gradient has a result of its own at the label */
#define LOSS_OF_ROW 2   /* a loss, which has nothing to do with a label */

/* How a row ends: X(name, the terms that its end is computed from, its operand, its loss). Several operations may end
   alike. */
#define ENDING_LIST(X)                                                                                                 \
    X(NOTHING, 0u, OPERAND_NONE, LOSS_NONE)                                                                            \
    X(RECIPROCAL, TERM_SET(TERM_EXPONENTIAL), OPERAND_NONE, LOSS_NONE)                                                 \
    X(LOGARITHM, TERM_SET(TERM_REST), OPERAND_NONE, LOSS_NONE)                                                         \
    X(CROSS_ENTROPY, TERM_SET(TERM_REST), OPERAND_NONE, LOSS_OF_LABEL)                                                 \
    X(SOFTMAX_BACKWARD, TERM_SET(TERM_EXPONENTIAL) | TERM_SET(TERM_PRODUCT), OPERAND_NUMBERS, LOSS_NONE)               \
    X(LOG_SOFTMAX_BACKWARD, TERM_SET(TERM_EXPONENTIAL) | TERM_SET(TERM_OPERAND), OPERAND_NUMBERS, LOSS_NONE)           \
    X(SENSITIVITY, TERM_SET(TERM_EXPONENTIAL) | TERM_SET(TERM_WEIGHTED), OPERAND_NONE, LOSS_NONE)                      \
    X(DISTILLATION,                                                                                                    \
      TERM_SET(TERM_EXPONENTIAL) | TERM_SET(TERM_TEACHER) | TERM_SET(TERM_BOUNDS) | TERM_SET(TERM_DIVERGENCE),         \
      OPERAND_TEACHER, LOSS_OF_ROW)                                                                                    \
    X(REVERSE_DISTILLATION,                                                                                            \
      TERM_SET(TERM_EXPONENTIAL) | TERM_SET(TERM_TEACHER) | TERM_SET(TERM_BOUNDS) | TERM_SET(TERM_DIVERGENCE),         \
      OPERAND_TEACHER, LOSS_OF_ROW)                                                                                    \
    X(JENSEN_SHANNON,                                                                                                  \
      TERM_SET(TERM_EXPONENTIAL) | TERM_SET(TERM_TEACHER) | TERM_SET(TERM_BOUNDS) | TERM_SET(TERM_DIVERGENCE) |        \
          TERM_SET(TERM_STUDENT_DIVERGENCE),                                                                           \
      OPERAND_TEACHER, LOSS_OF_ROW)                                                                                    \
    X(TARGETS, TERM_SET(TERM_REST) | TERMS_OF_DISTANT_OPERAND, OPERAND_TARGETS, LOSS_OF_ROW)                           \
    X(SMOOTHED, TERM_SET(TERM_REST) | TERMS_OF_DISTANT_OPERAND, OPERAND_MASK, LOSS_OF_LABEL)                           \
    X(SOFTMAX_TEMPERATURE,                                                                                             \
      TERM_SET(TERM_EXPONENTIAL) | TERM_SET(TERM_WEIGHTED) | TERM_SET(TERM_PRODUCT) | TERM_SET(TERM_PRODUCT_WEIGHTED), \
      OPERAND_NUMBERS, LOSS_OF_ROW)                                                                                    \
    X(LOG_SOFTMAX_TEMPERATURE, TERM_SET(TERM_EXPONENTIAL) | TERM_SET(TERM_WEIGHTED) | TERMS_OF_DISTANT_OPERAND,        \
      OPERAND_NUMBERS, LOSS_OF_ROW)

/* The terms of which core_operand_sums is made. */
#define TERMS_OF_DISTANT_OPERAND (TERM_SET(TERM_OPERAND) | TERM_SET(TERM_REACH) | TERM_SET(TERM_OPERAND_WEIGHTED))

/* Whether an end is computed from the sum of exponentials alone. Short rows have its value without integers of 64
   bits. */
#define ENDS_WITH_SUM(terms) (((terms) & ~TERM_SET(TERM_EXPONENTIAL)) == 0)

/* What the result of a class is made of. Where there is room, a strategy keeps that between the sums
   and the results. */
#define MADE_OF_NOTHING 0 /* there are no results */
#define MADE_OF_EXPONENTIALS 1
#define MADE_OF_LOGITS 2

/* X(name, made of, how its rows end, fill of a row of zeros). The names are those of CLSOFTMAX_OPERATION_LIST. */
#define OPERATION_LIST(X)                                                                                              \
    X(NONE, MADE_OF_NOTHING, ENDING_NOTHING, 0.0f)                                                                     \
    X(SOFTMAX, MADE_OF_EXPONENTIALS, ENDING_RECIPROCAL, 0.0f)                                                          \
    X(LOG_SOFTMAX, MADE_OF_LOGITS, ENDING_LOGARITHM, -CORE_INFINITY)                                                   \
    X(CROSS_ENTROPY, MADE_OF_NOTHING, ENDING_CROSS_ENTROPY, 0.0f)                                                      \
    X(CROSS_ENTROPY_GRADIENT, MADE_OF_EXPONENTIALS, ENDING_CROSS_ENTROPY, 0.0f)                                        \
    X(SOFTMAX_BACKWARD, MADE_OF_EXPONENTIALS, ENDING_SOFTMAX_BACKWARD, 0.0f)                                           \
    X(LOG_SOFTMAX_BACKWARD, MADE_OF_EXPONENTIALS, ENDING_LOG_SOFTMAX_BACKWARD, 0.0f)                                   \
    X(SENSITIVITY, MADE_OF_LOGITS, ENDING_SENSITIVITY, 0.0f)                                                           \
    X(DISTILLATION, MADE_OF_NOTHING, ENDING_DISTILLATION, 0.0f)                                                        \
    X(DISTILLATION_GRADIENT, MADE_OF_EXPONENTIALS, ENDING_DISTILLATION, 0.0f)                                          \
    X(CROSS_ENTROPY_OF_TARGETS, MADE_OF_NOTHING, ENDING_TARGETS, 0.0f)                                                 \
    X(CROSS_ENTROPY_OF_TARGETS_GRADIENT, MADE_OF_EXPONENTIALS, ENDING_TARGETS, 0.0f)                                   \
    X(SMOOTHED_CROSS_ENTROPY, MADE_OF_NOTHING, ENDING_SMOOTHED, 0.0f)                                                  \
    X(SMOOTHED_CROSS_ENTROPY_GRADIENT, MADE_OF_EXPONENTIALS, ENDING_SMOOTHED, 0.0f)                                    \
    X(SOFTMAX_TEMPERATURE_GRADIENT, MADE_OF_NOTHING, ENDING_SOFTMAX_TEMPERATURE, 0.0f)                                 \
    X(LOG_SOFTMAX_TEMPERATURE_GRADIENT, MADE_OF_NOTHING, ENDING_LOG_SOFTMAX_TEMPERATURE, 0.0f)                         \
    X(REVERSE_DISTILLATION, MADE_OF_NOTHING, ENDING_REVERSE_DISTILLATION, 0.0f)                                        \
    X(REVERSE_DISTILLATION_GRADIENT, MADE_OF_LOGITS, ENDING_REVERSE_DISTILLATION, 0.0f)                                \
    X(JENSEN_SHANNON, MADE_OF_NOTHING, ENDING_JENSEN_SHANNON, 0.0f)                                                    \
    X(JENSEN_SHANNON_GRADIENT, MADE_OF_LOGITS, ENDING_JENSEN_SHANNON, 0.0f)

/* The numbers of the rows of both tables. The functions below read a column of a table by a switch, which costs nothing
   where the operation is a constant; an array would stand in memory on a GPU. */
#define ENDING_NUMBER(name, terms, operand, loss) ENDING_##name,
enum { ENDING_LIST(ENDING_NUMBER) ENDING_COUNT };
#undef ENDING_NUMBER
#define OPERATION_NUMBER(name, made_of, ending, zero) OPERATION_##name,
enum { OPERATION_LIST(OPERATION_NUMBER) OPERATION_COUNT };
#undef OPERATION_NUMBER

/* Returns the terms that an end is computed from. */
CORE_FUNCTION uint ending_terms(int ending)
{
    switch (ending) {
#define ENDING_TERMS(name, terms, operand, loss)                                                                       \
    case ENDING_##name:                                                                                                \
        return terms;
        ENDING_LIST(ENDING_TERMS)
#undef ENDING_TERMS
    }
    return 0;
}

/* Returns what a row with this end has beside its results. */
CORE_FUNCTION int ending_loss(int ending)
{
    switch (ending) {
#define ENDING_LOSS(name, terms, operand, loss)                                                                        \
    case ENDING_##name:                                                                                                \
        return loss;
        ENDING_LIST(ENDING_LOSS)
#undef ENDING_LOSS
    }
    return LOSS_NONE;
}

/* Returns what the operand of a row with this end is: OPERAND_*. */
CORE_FUNCTION int ending_operand(int ending)
{
    switch (ending) {
#define ENDING_OPERAND(name, terms, operand, loss)                                                                     \
    case ENDING_##name:                                                                                                \
        return operand;
        ENDING_LIST(ENDING_OPERAND)
#undef ENDING_OPERAND
    }
    return OPERAND_NONE;
}

/* Tells whether an end is a factor alone. */
CORE_FUNCTION int ending_is_factor(int ending)
{
    return ending == ENDING_NOTHING || ending == ENDING_RECIPROCAL || ending == ENDING_LOGARITHM;
}

/* Returns what the results of an operation are made of. */
CORE_FUNCTION int operation_made_of(int operation)
{
    switch (operation) {
#define OPERATION_MADE_OF(name, made_of, ending, zero)                                                                 \
    case OPERATION_##name:                                                                                             \
        return made_of;
        OPERATION_LIST(OPERATION_MADE_OF)
#undef OPERATION_MADE_OF
    }
    return MADE_OF_NOTHING;
}

/* Returns how the rows of an operation end: ENDING_*. */
CORE_FUNCTION int operation_ending(int operation)
{
    switch (operation) {
#define OPERATION_ENDING(name, made_of, ending, zero)                                                                  \
    case OPERATION_##name:                                                                                             \
        return ending;
        OPERATION_LIST(OPERATION_ENDING)
#undef OPERATION_ENDING
    }
    return ENDING_NOTHING;
}

/* Returns what a row has beside its results. */
CORE_FUNCTION int operation_loss(int operation)
{
    return ending_loss(operation_ending(operation));
}

/* Returns what the operand of an operation is: OPERAND_*. */
CORE_FUNCTION int operation_operand(int operation)
{
    return ending_operand(operation_ending(operation));
}

/* Tells whether an operation takes an operand. */
CORE_FUNCTION int operation_has_operand(int operation)
{
    return operation_operand(operation) != OPERAND_NONE;
}

/* Tells whether its operand is a teacher's logits. */
CORE_FUNCTION int operation_has_teacher(int operation)
{
    return operation_operand(operation) == OPERAND_TEACHER;
}

/* Returns which divergence from a teacher's row is meant: DIVERGENCE_*. */
CORE_FUNCTION int operation_divergence(int operation)
{
    switch (operation_ending(operation)) {
    case ENDING_REVERSE_DISTILLATION:
        return DIVERGENCE_REVERSED;
    case ENDING_JENSEN_SHANNON:
        return DIVERGENCE_MIXED;
    }
    return DIVERGENCE_FORWARD;
}

/* Returns the share that a loss takes: that of the teacher in a mixture, or that of a label which is spread. */
CORE_FUNCTION float operation_share(int operation, float label_smoothing, float teacher_share)
{
    return operation_divergence(operation) == DIVERGENCE_MIXED ? teacher_share : label_smoothing;
}

/* Returns the terms of a row, with or without statistics. */
CORE_FUNCTION uint operation_row_terms(int operation, int statistics)
{
    return ending_terms(operation_ending(operation)) | (statistics ? TERMS_OF_STATISTICS : 0u);
}

/* Returns the fill of a row that is not computed: that of a row of zeros, or NaN. */
CORE_FUNCTION float operation_fill(int operation, int is_zero)
{
    switch (is_zero ? operation : OPERATION_COUNT) {
#define OPERATION_ZERO(name, made_of, ending, zero)                                                                    \
    case OPERATION_##name:                                                                                             \
        return zero;
        OPERATION_LIST(OPERATION_ZERO)
#undef OPERATION_ZERO
    }
    return core_float_of_bits(CORE_NAN_BITS);
}

/* ------------------------------------------------------------------ Ends of rows */

/* What the end of a row is computed from. Only what belongs to the terms of the end needs to be given. */
typedef struct {
    core_two_float sum;              /* the value of TERM_EXPONENTIAL */
    core_total_t totals[TERM_COUNT]; /* the integers of each term */
    core_term_row_t terms;
    core_setting_t set;
    core_loss_inputs_t inputs; /* for a loss */
    core_match_t match;        /* with a teacher */
    int levels;                /* of the sums: 2 or 3 */
} ending_sums;

/* Returns an end that has only a factor, such as 1 / sum. */
CORE_FUNCTION core_end_t end_factor(core_two_float factor)
{
    const core_row_float zero = CORE_ROW(0.0f), one = CORE_ROW(1.0f);
    core_end_t end = {factor, one, zero, zero, {zero, zero}, one, CORE_NOT_MIXED};
    return end;
}

CORE_FUNCTION core_end_t end_NOTHING(ending_sums sums)
{
    return end_factor(sums.sum);
}

CORE_FUNCTION core_end_t end_RECIPROCAL(ending_sums sums)
{
    return end_factor(core_sum_reciprocal(sums.sum));
}

/* ln(sum of exp((x - max) / T)) */
CORE_FUNCTION core_end_t end_LOGARITHM(ending_sums sums)
{
    return end_factor(
        core_logarithm_of_one_plus(core_relative_rest(sums.set, sums.totals[TERM_REST], sums.terms.rest, sums.levels)));
}

/* Returns what the losses of a row have in common. */
CORE_FUNCTION core_row_loss_t end_row_loss(ending_sums sums)
{
    return core_row_loss(sums.set, sums.totals[TERM_REST], sums.terms.rest, sums.inputs, sums.levels);
}

CORE_FUNCTION core_end_t end_CROSS_ENTROPY(ending_sums sums)
{
    return core_cross_entropy_of_kind(
        sums.set, sums.inputs,
        core_computed_cross_entropy(sums.set, end_row_loss(sums),
                                    core_ordinary_label(sums.inputs.label_logit, sums.set), sums.inputs));
}

/* Returns what the operand adds up to. */
CORE_FUNCTION core_operand_sums_t end_operand_sums(ending_sums sums)
{
    return core_operand_sums(sums.totals[TERM_OPERAND], sums.totals[TERM_REACH], sums.totals[TERM_OPERAND_WEIGHTED],
                             sums.terms.distance);
}

CORE_FUNCTION core_end_t end_TARGETS(ending_sums sums)
{
    return core_targets_end(sums.set, end_row_loss(sums), end_operand_sums(sums), sums.terms.operand, sums.inputs);
}

CORE_FUNCTION core_end_t end_SMOOTHED(ending_sums sums)
{
    return core_cross_entropy_of_kind(
        sums.set, sums.inputs,
        core_smoothed_end(sums.set, end_row_loss(sums), end_operand_sums(sums), sums.terms.operand,
                          core_ordinary_label(sums.inputs.label_logit, sums.set), sums.inputs));
}

CORE_FUNCTION core_end_t end_SOFTMAX_BACKWARD(ending_sums sums)
{
    return core_softmax_backward_end(sums.totals[TERM_EXPONENTIAL], sums.totals[TERM_PRODUCT], sums.terms.operand,
                                     sums.set.prepared);
}

CORE_FUNCTION core_end_t end_LOG_SOFTMAX_BACKWARD(ending_sums sums)
{
    return core_log_softmax_backward_end(sums.totals[TERM_EXPONENTIAL], sums.totals[TERM_OPERAND], sums.terms.operand,
                                         sums.set.prepared);
}

CORE_FUNCTION core_end_t end_SENSITIVITY(ending_sums sums)
{
    return core_sensitivity_end(sums.totals[TERM_EXPONENTIAL], sums.totals[TERM_WEIGHTED], sums.terms.distance,
                                sums.set.prepared);
}

/* Returns the loss of a row of any kind; in a row of zeros, which has no probabilities, it is 0. */
CORE_FUNCTION core_row_float core_loss_of_kind(core_row_int kind, core_row_float computed)
{
    core_row_float nothing =
        kind == (core_row_int)(CORE_ROW_ZERO) ? CORE_ROW(0.0f) : core_row_float_of_bits((core_row_uint)(CORE_NAN_BITS));
    return core_row_is_computed(kind) ? computed : nothing;
}

/* Returns what the divergence of a row is made of, its loss, and the step of its gradient. share: that of the teacher
   in a mixture, or 0. */
CORE_FUNCTION core_divergence_t end_divergence(ending_sums sums, float share)
{
    return core_divergence(sums.set, sums.match, sums.totals[TERM_EXPONENTIAL], sums.totals[TERM_TEACHER],
                           sums.totals[TERM_BOUNDS], share, sums.levels);
}

CORE_FUNCTION core_row_float end_divergence_loss(ending_sums sums, core_divergence_t divergence, core_total_t total)
{
    core_row_int is_squared = CORE_ROW(sums.inputs.is_squared) > CORE_ROW(0.0f);
    return core_loss_of_kind(
        sums.set.kind, core_distillation_loss(total, divergence, sums.inputs.weight, sums.set.temperature, is_squared));
}

CORE_FUNCTION core_scaled_t end_divergence_step(ending_sums sums)
{
    core_row_int is_squared = CORE_ROW(sums.inputs.is_squared) > CORE_ROW(0.0f);
    return core_distillation_step(sums.inputs.weight, sums.inputs.scale, sums.set.temperature, sums.set.prepared,
                                  is_squared);
}

CORE_FUNCTION core_end_t end_DISTILLATION(ending_sums sums)
{
    core_divergence_t divergence = end_divergence(sums, 0.0f);
    return core_distillation_end(divergence, end_divergence_step(sums), core_is_limit(sums.set.prepared),
                                 end_divergence_loss(sums, divergence, sums.totals[TERM_DIVERGENCE]));
}

CORE_FUNCTION core_end_t end_REVERSE_DISTILLATION(ending_sums sums)
{
    core_divergence_t divergence = end_divergence(sums, 0.0f);
    const core_total_t total = sums.totals[TERM_DIVERGENCE];
    return core_reverse_end(divergence, total, end_divergence_step(sums), end_divergence_loss(sums, divergence, total));
}

CORE_FUNCTION core_end_t end_JENSEN_SHANNON(ending_sums sums)
{
    core_divergence_t divergence = end_divergence(sums, sums.inputs.share);
    const core_total_t of_student = sums.totals[TERM_STUDENT_DIVERGENCE];
    const core_total_t total = core_total_merge(sums.totals[TERM_DIVERGENCE], of_student);
    return core_mixture_end(divergence, of_student, core_total_value(sums.totals[TERM_EXPONENTIAL]),
                            end_divergence_step(sums), core_is_limit(sums.set.prepared),
                            end_divergence_loss(sums, divergence, total));
}

/* Returns the end of a row that has a derivative by T. In a row of zeros it is 0. */
CORE_FUNCTION core_end_t core_derivative_of_kind(core_row_int kind, core_end_t computed)
{
    core_end_t end = computed;
    end.loss = core_loss_of_kind(kind, computed.loss);
    return end;
}

CORE_FUNCTION core_end_t end_SOFTMAX_TEMPERATURE(ending_sums sums)
{
    return core_derivative_of_kind(
        sums.set.kind, core_softmax_temperature_end(sums.totals[TERM_EXPONENTIAL], sums.totals[TERM_WEIGHTED],
                                                    sums.totals[TERM_PRODUCT], sums.totals[TERM_PRODUCT_WEIGHTED],
                                                    sums.terms, sums.set.prepared, sums.inputs.weight));
}

CORE_FUNCTION core_end_t end_LOG_SOFTMAX_TEMPERATURE(ending_sums sums)
{
    return core_derivative_of_kind(sums.set.kind,
                                   core_log_softmax_temperature_end(sums.totals[TERM_EXPONENTIAL],
                                                                    sums.totals[TERM_WEIGHTED], end_operand_sums(sums),
                                                                    sums.terms, sums.set.prepared, sums.inputs.weight));
}

/* Returns the end of a row. end: ENDING_*, a constant wherever speed matters. */
CORE_FUNCTION core_end_t end_of_row(int ending, ending_sums sums)
{
    switch (ending) {
#define END_OF_ROW(name, terms, operand, loss)                                                                         \
    case ENDING_##name:                                                                                                \
        return end_##name(sums);
        ENDING_LIST(END_OF_ROW)
#undef END_OF_ROW
    }
    return end_factor(sums.sum);
}

/* ------------------------------------------------------------------ Results of classes */

/* What the results of a row are computed from, beside what each class has. */
typedef struct {
    core_row_t row;
    core_log_row_t log_row;
    core_term_row_t terms;
    core_match_t match; /* with a teacher */
    core_end_t end;
} operation_row;

/* The operations that have no results: statistics alone, a loss or a derivative for each row. */
#define OPERATION_WITHOUT_RESULTS(name)                                                                                \
    CORE_FUNCTION core_float operation_result_##name(core_pair e, core_float x, core_float g, operation_row row)       \
    {                                                                                                                  \
        (void)x, (void)g, (void)row;                                                                                   \
        return e.high;                                                                                                 \
    }
OPERATION_WITHOUT_RESULTS(NONE)
OPERATION_WITHOUT_RESULTS(CROSS_ENTROPY)
OPERATION_WITHOUT_RESULTS(DISTILLATION)
OPERATION_WITHOUT_RESULTS(CROSS_ENTROPY_OF_TARGETS)
OPERATION_WITHOUT_RESULTS(SMOOTHED_CROSS_ENTROPY)
OPERATION_WITHOUT_RESULTS(SOFTMAX_TEMPERATURE_GRADIENT)
OPERATION_WITHOUT_RESULTS(LOG_SOFTMAX_TEMPERATURE_GRADIENT)
OPERATION_WITHOUT_RESULTS(REVERSE_DISTILLATION)
OPERATION_WITHOUT_RESULTS(JENSEN_SHANNON)
#undef OPERATION_WITHOUT_RESULTS

/* softmax: p = e / sum. */
CORE_FUNCTION core_float operation_result_SOFTMAX(core_pair e, core_float x, core_float g, operation_row row)
{
    (void)x, (void)g;
    return core_probability(e, row.end.factor.high, row.end.factor.low);
}

/* log_softmax: ln p = (x - max) / T - ln(sum of exp((x - max) / T)). */
CORE_FUNCTION core_float operation_result_LOG_SOFTMAX(core_pair e, core_float x, core_float g, operation_row row)
{
    (void)e, (void)g;
    return CORE_LEAN ? core_lean_log_probability(x, row.log_row, row.end.factor)
                     : core_log_probability(x, row.log_row, row.end.factor);
}

/* cross_entropy_gradient: ((w + 2 z lse) p - w [class = label]) s / T, and the loss. */
CORE_FUNCTION core_float operation_result_CROSS_ENTROPY_GRADIENT(core_pair e, core_float x, core_float g,
                                                                 operation_row row)
{
    (void)x, (void)g;
    return core_fma(core_exponential_times(e, row.end.factor.high, row.end.factor.low), (core_float)(row.end.after),
                    (core_float)(0.0f)); /* the sum turns -0 into +0 */
}

/* softmax_backward: p (g - sum of p g) / T. */
CORE_FUNCTION core_float operation_result_SOFTMAX_BACKWARD(core_pair e, core_float x, core_float g, operation_row row)
{
    (void)x;
    return core_result_of_mean(e, core_operand_share(g, row.terms.operand), row.end);
}

/* log_softmax_backward: (g - p sum of g) / T. */
CORE_FUNCTION core_float operation_result_LOG_SOFTMAX_BACKWARD(core_pair e, core_float x, core_float g,
                                                               operation_row row)
{
    (void)x;
    return core_log_softmax_backward(e, core_operand_share(g, row.terms.operand), row.end);
}

/* sensitivity: dp / dT = p (E[x] - x) / T^2. */
CORE_FUNCTION core_float operation_result_SENSITIVITY(core_pair e, core_float x, core_float g, operation_row row)
{
    (void)e, (void)g;
    return core_result_of_mean(core_exponential(x, row.row), core_weight(x, row.terms.distance), row.end);
}

/* distillation_gradient: (p - q) w s / T times T^2, for a teacher's probabilities q, and the loss. */
CORE_FUNCTION core_float operation_result_DISTILLATION_GRADIENT(core_pair e, core_float x, core_float g,
                                                                operation_row row)
{
    (void)x;
    return core_result_of_difference(e, core_exponential(g, row.match.teacher.row), row.end);
}

/* cross_entropy_of_targets_gradient: ((w sum of t + 2 z lse) p - w t) s / T, and the loss. */
CORE_FUNCTION core_float operation_result_CROSS_ENTROPY_OF_TARGETS_GRADIENT(core_pair e, core_float x, core_float g,
                                                                            operation_row row)
{
    (void)x;
    return core_result_of_difference(e, core_share(g, row.terms.operand), row.end);
}

/* smoothed_cross_entropy_gradient: the same as with targets, where those of classes that are not masked are equal but
   for the label's. */
CORE_FUNCTION core_float operation_result_SMOOTHED_CROSS_ENTROPY_GRADIENT(core_pair e, core_float x, core_float g,
                                                                          operation_row row)
{
    (void)x;
    return core_result_of_difference(e, core_share(g, row.terms.operand), row.end);
}

/* reverse_distillation_gradient: p (ln p - ln q - KL(p || q)) w s / T times T^2, and the loss. */
CORE_FUNCTION core_float operation_result_REVERSE_DISTILLATION_GRADIENT(core_pair e, core_float x, core_float g,
                                                                        operation_row row)
{
    (void)e;
    return core_reverse_gradient(core_exponential(x, row.row), x, g, row.match, row.end);
}

/* jensen_shannon_gradient: (1 - b) p (ln p - ln m - KL(p || m)) w s / T times T^2, and the loss. */
CORE_FUNCTION core_float operation_result_JENSEN_SHANNON_GRADIENT(core_pair e, core_float x, core_float g,
                                                                  operation_row row)
{
    (void)e;
    return core_mixture_gradient(core_exponential(x, row.row), x, g, row.match, row.end);
}

/* Returns the result of a class from its exponential e or its logit x, as an ordinary row has it, and its operand g.
   Only what results are made of needs to be given. `operation` is a constant wherever speed matters. */
CORE_FUNCTION core_float operation_result(int operation, core_pair e, core_float x, core_float g, operation_row row)
{
    switch (operation) {
#define OPERATION_RESULT(name, made_of, ending, zero)                                                                  \
    case OPERATION_##name:                                                                                             \
        return operation_result_##name(e, x, g, row);
        OPERATION_LIST(OPERATION_RESULT)
#undef OPERATION_RESULT
    }
    return x;
}

#endif
