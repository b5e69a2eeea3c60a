/*
 * Distillation: the loss of a row against its teacher's, and its gradient for the student's logits:
 *
 *     loss            w KL(q || p) times T^2 or 1
 *     gradient of c   w s (p[c] - q[c]) / T times T^2 or 1
 *
 * or with the reverse divergence
 *
 *     loss            w KL(p || q) times T^2 or 1
 *     gradient of c   w s p[c] (ln p[c] - ln q[c] - KL(p || q)) / T times T^2 or 1
 *
 * or with the Jensen-Shannon divergence JS, of both rows from their mixture m with a teacher's share b,
 *
 *     loss            w JS times T^2 or 1
 *     gradient of c   w s (1 - b) p[c] (ln p[c] - ln m[c] - KL(p || m)) / T times T^2 or 1
 *
 * p = softmax(x / T) is the student's row, and q that of the teacher (divergence.h, mixture.h); w is the row's weight,
 * and s the scale of the gradient. The probabilities are subtracted before they are rounded. T^2 makes up for the 1 /
 * T^2 by which gradients shrink at a high temperature (Hinton et al., 2015).
 *
 * C11 and OpenCL C compile this header. operations.h includes it.
 */
#ifndef CLSOFTMAX_DISTILLATION_H
#define CLSOFTMAX_DISTILLATION_H

#include "core/row_end.h"

/* Returns the loss of a row whose divergence has this total. It is 0 at T = 0 with T^2, and otherwise infinite where
   the divergence is. */
CORE_FUNCTION core_row_float core_distillation_loss(core_total_t total, core_divergence_t divergence,
                                                    core_row_float weight, core_row_float temperature,
                                                    core_row_int is_squared)
{
    const core_row_float zero = CORE_ROW(0.0f), one = CORE_ROW(1.0f);
    core_scaled_t loss = core_scaled_product(core_scaled_of(core_total_value(total)), core_scaled_float(weight));
    core_scaled_t of_temperature = core_scaled_float(is_squared ? temperature : one);
    loss = core_scaled_product(core_scaled_product(loss, of_temperature), of_temperature);
    loss.exponent += divergence.halvings + divergence.halvings;
    core_row_float value = divergence.is_infinite ? CORE_ROW(CORE_INFINITY) : core_scaled_value(loss);
    core_row_int is_nothing = (weight == zero) | (is_squared & (temperature == zero));
    return is_nothing ? zero : value;
}

/* Returns w s / T, or with T^2 w s T. */
CORE_FUNCTION core_scaled_t core_distillation_step(core_row_float weight, float scale, core_row_float temperature,
                                                   core_temperature_t prepared, core_row_int is_squared)
{
    core_scaled_t over = core_gradient_step(scale, prepared);
    core_scaled_t times = core_scaled_product(core_scaled_float(CORE_ROW(scale)), core_scaled_float(temperature));
    core_scaled_t step = {
        {is_squared ? times.mantissa.high : over.mantissa.high, is_squared ? times.mantissa.low : over.mantissa.low},
        is_squared ? times.exponent : over.exponent};
    return core_scaled_product(step, core_scaled_float(weight));
}

/* Returns the end of a row. At T = 0 without T^2, a gradient that is not 0 becomes infinite. */
CORE_FUNCTION core_end_t core_distillation_end(core_divergence_t divergence, core_scaled_t step, core_row_int is_limit,
                                               core_row_float loss)
{
    core_two_float student = core_two_product(divergence.student, step.mantissa);
    core_two_float teacher = core_two_product(divergence.teacher, step.mantissa);
    return core_end_of_difference(student, teacher, step.exponent, is_limit, loss);
}

/* Returns the end of a row whose results are p times a number of the class, times the step. What a power of two does
   not hold, the factor of p has where it is small, and the probability where it is large. */
CORE_FUNCTION core_end_t core_end_of_probability(core_divergence_t divergence, core_two_float operand,
                                                 core_scaled_t step, core_row_float loss)
{
    const core_row_float one = CORE_ROW(1.0f);
    core_two_float factor = core_two_product(divergence.student, step.mantissa);
    core_powers_t powers = core_powers_of_two(step.exponent);
    core_row_float small = CORE_SMALLER(powers.left, one), large = CORE_LARGER(powers.left, one);
    factor.high *= small;
    factor.low *= small;
    core_end_t end = core_end_of_difference(factor, operand, (core_row_int)(0), (core_row_int)(0), loss);
    end.before = powers.held;
    end.after *= large;
    return end;
}

/* Returns the result of a class with exponential e and that number. p is below 2 here, since a logarithm may be of any
   size. */
CORE_FUNCTION core_float core_result_of_probability(core_pair e, core_float number, core_end_t end)
{
    core_float p = core_exponential_times(e, end.factor.high, end.factor.low) * (core_float)(end.after);
    core_float product = p == (core_float)(0.0f) ? p : p * number;
    return core_fma(product, (core_float)(end.before), (core_float)(0.0f)); /* -0 becomes +0 */
}

/* Returns the end of a row with the reverse divergence: its results are p (ln p - ln q - KL) times the step. The
   operand is what is subtracted from the logarithms of exponentials; it is infinite if the divergence is. */
CORE_FUNCTION core_end_t core_reverse_end(core_divergence_t divergence, core_total_t total, core_scaled_t step,
                                          core_row_float loss)
{
    const core_row_float zero = CORE_ROW(0.0f), infinity = CORE_ROW(CORE_INFINITY);
    core_scaled_t mean = core_scaled_of(core_total_value(total));
    mean.exponent += divergence.halvings + divergence.halvings;
    core_two_float value = core_scaled_two_float(mean), operand = core_two_sum(divergence.log_ratio, value);
    core_row_int is_infinite = divergence.is_infinite | (value.high >= infinity);
    operand.high = is_infinite ? infinity : operand.high;
    operand.low = is_infinite ? zero : operand.low;
    return core_end_of_probability(divergence, operand, step, loss);
}

/* Returns the result of a class of such a row from its exponential, its logit and its teacher's. A class that the
   student excludes has 0. If the divergence is infinite, so is every other result: positive where the teacher excludes
   the class, and negative elsewhere. */
CORE_FUNCTION core_float core_reverse_gradient(core_pair e, core_float x, core_float y, core_match_t match,
                                               core_end_t end)
{
    const core_float infinity = (core_float)(CORE_INFINITY), largest = (core_float)(0x1p127f);
    core_pair student = core_log_exponential(x, match.student_log),
              teacher = core_log_exponential(y, match.teacher_log);
    core_pair operand = {(core_float)(end.operand.high), (core_float)(end.operand.low)};
    core_pair difference = core_pair_difference(core_pair_difference(student, teacher), operand);
    core_float beyond = student.high - teacher.high >= largest ? infinity : -infinity;
    core_float above = operand.high == infinity ? beyond : difference.high + difference.low;
    return core_result_of_probability(e, above, end);
}

/* Returns the end of a row with a mixture, of which of_student is the total of TERM_STUDENT_DIVERGENCE. The operand is
   ln of the student's sum less that of the teacher's. At T = 0, where a softmax is a step, the gradient is 0. */
CORE_FUNCTION core_end_t core_mixture_end(core_divergence_t divergence, core_total_t of_student,
                                          core_two_float student_sum, core_scaled_t step, core_row_int is_limit,
                                          core_row_float loss)
{
    const core_row_float zero = CORE_ROW(0.0f);
    core_scaled_t mean = core_scaled_of(core_total_value(of_student)), whole = step;
    mean.exponent += divergence.halvings + divergence.halvings;
    whole.mantissa.high = is_limit ? zero : step.mantissa.high;
    whole.mantissa.low = is_limit ? zero : step.mantissa.low;
    core_end_t end = core_end_of_probability(divergence, divergence.log_ratio, whole, loss);
    end.mixed.share = divergence.share;
    end.mixed.ratio = student_sum.high * divergence.teacher.high;
    end.mixed.divergence = core_scaled_value(mean);
    return end;
}

/* Returns the result of a class of such a row from its exponential, its logit and its teacher's. */
CORE_FUNCTION core_float core_mixture_gradient(core_pair e, core_float x, core_float y, core_match_t match,
                                               core_end_t end)
{
    core_float d = core_log_difference(x, y, match, end.operand);
    core_float p = core_exponential_times(e, CORE_ROW(1.0f), CORE_ROW(0.0f));
    core_float q = core_exponential_times(core_exponential(y, match.teacher.row), end.mixed.ratio, CORE_ROW(0.0f));
    core_mixed_t mixed = core_mixed(p, q, d, end.mixed.share);
    core_float left = (core_float)(1.0f) - (core_float)(end.mixed.share);
    core_float above = core_fma(left, core_beside_logarithm(mixed.student), -(core_float)(end.mixed.divergence));
    return core_result_of_probability(e, above, end);
}

#endif
