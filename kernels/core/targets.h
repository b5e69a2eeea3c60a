/*
 * The cross-entropy of a row with more than a label: with target probabilities t, which are the operand, or with a
 * label of which a share is spread over all classes that are not masked (label smoothing):
 *
 *     loss            w sum of t (-ln p) + z lse^2
 *     gradient of c   ((w sum of t + 2 z lse) p[c] - w t[c]) s / T
 *
 * With label smoothing e, t is (1 - e) [c = label] + e [c is not masked] / (how many are not). w, z, s and lse are
 * those of cross_entropy.h.
 *
 * The sum of t (-ln p) is that of t times ln of the row's sum, and of t times (max - x) / T. No term of either is
 * negative, so nothing cancels. The second is added up in a second phase sums (TERM_OPERAND_WEIGHTED), in units that
 * suit the largest of its terms, since a distance can be of any size.
 *
 * C11 and OpenCL C compile this header. operations.h includes it.
 */
#ifndef CLSOFTMAX_TARGETS_H
#define CLSOFTMAX_TARGETS_H

#include "core/cross_entropy.h"

/* Returns the sum of targets times -ln p, from the sums of the operand and `log_sum`, which is ln of the row's sum
   relative to its largest exponential. As the shares are, it is the operand's times a power of two. */
CORE_FUNCTION core_scaled_t core_likelihood_of_shares(core_operand_sums_t sums, core_two_float log_sum)
{
    return core_scaled_sum(core_scaled_of(core_two_product(sums.shares, log_sum)), sums.distances);
}

/* Returns a number of a row that is infinite if the row's distances are. */
CORE_FUNCTION core_two_float core_infinite_or(core_row_int is_infinite, core_two_float finite)
{
    core_two_float result = {is_infinite ? CORE_ROW(CORE_INFINITY) : finite.high,
                             is_infinite ? CORE_ROW(0.0f) : finite.low};
    return result;
}

/* Returns the end of a row whose gradient of a class is (p * student - share * operand) * step * 2^-exponent. */
CORE_FUNCTION core_end_t core_end_of_targets(core_row_loss_t row, core_scaled_t student, core_scaled_t operand,
                                             core_row_int exponent, core_row_float loss)
{
    core_row_int common = core_common_exponent(student, operand);
    core_two_float of_student = core_two_product(core_mantissa_at(student, common), row.step.mantissa);
    core_two_float of_operand = core_two_product(core_mantissa_at(operand, common), row.step.mantissa);
    core_two_float whole = core_two_product(row.mass.unit, row.mass.sum);
    return core_end_of_difference(core_two_product(core_reciprocal(whole), of_student), of_operand,
                                  row.step.exponent + common - exponent, row.is_limit, loss);
}

/* Returns the cross-entropy of a row of any kind with targets. In a row of zeros the loss is infinite. */
CORE_FUNCTION core_end_t core_targets_end(core_setting_t set, core_row_loss_t row, core_operand_sums_t sums,
                                          core_operand_t powers, core_loss_inputs_t inputs)
{
    const core_row_float zero = CORE_ROW(0.0f), infinity = CORE_ROW(CORE_INFINITY);
    core_row_int exponent = core_operand_exponent(powers);
    core_scaled_t likelihood = core_likelihood_of_shares(sums, row.log_sum), penalty = core_scaled_of(row.penalty);
    likelihood.exponent -= exponent;
    penalty.exponent += exponent;
    core_row_float computed =
        core_loss_of(inputs.weight, core_infinite_or(sums.is_infinite, core_scaled_two_float(likelihood)),
                     inputs.z_loss, row.log_sum_exp);
    core_row_float nothing = set.kind == (core_row_int)(CORE_ROW_ZERO)
                                 ? (inputs.weight > zero ? infinity : zero)
                                 : core_row_float_of_bits((core_row_uint)(CORE_NAN_BITS));
    core_scaled_t weight = core_scaled_float(inputs.weight);
    core_scaled_t student = core_scaled_sum(core_scaled_product(weight, core_scaled_of(sums.shares)), penalty);
    return core_end_of_targets(row, student, weight, exponent, core_row_is_computed(set.kind) ? computed : nothing);
}

/* Returns a * x + b * y, where neither term is negative, and one whose factor is 0 is 0 even if the other is
   infinite. */
CORE_FUNCTION core_two_float core_mixture(core_two_float a, core_two_float x, core_two_float b, core_two_float y)
{
    const core_row_float zero = CORE_ROW(0.0f);
    core_two_float first = core_two_product(a, x), second = core_two_product(b, y);
    first.high = a.high > zero ? first.high : zero;
    first.low = a.high > zero ? first.low : zero;
    second.high = b.high > zero ? second.high : zero;
    second.low = b.high > zero ? second.low : zero;
    core_row_float estimate = (a.high > zero ? a.high * x.high : zero) + (b.high > zero ? b.high * y.high : zero);
    return core_infinite_or(estimate >= CORE_ROW(CORE_INFINITY), core_two_sum(first, second));
}

/* Returns the cross-entropy of a row as if it were computed, and had a label; core_cross_entropy_of_kind corrects it
   for the others. The operand is 1 for a class that is not masked, and 0 for one that is. A row in which all classes
   are has nothing to spread a share over; that share is left out. */
CORE_FUNCTION core_end_t core_smoothed_end(core_setting_t set, core_row_loss_t row, core_operand_sums_t sums,
                                           core_operand_t powers, core_row_float label, core_loss_inputs_t inputs)
{
    const core_row_float zero = CORE_ROW(0.0f), one = CORE_ROW(1.0f);
    core_row_int has_classes = sums.shares.high > zero;
    core_two_float shares = {has_classes ? sums.shares.high : one, has_classes ? sums.shares.low : zero};
    const core_two_float weight = {inputs.weight, zero}, whole = {one, zero}, less = {CORE_ROW(-inputs.share), zero};
    const core_two_float spread = {has_classes ? CORE_ROW(inputs.share) : zero, zero};
    core_two_float kept = core_two_sum(whole, less), reciprocal = core_reciprocal(shares);

    core_scaled_t distance = core_scaled_product(sums.distances, core_scaled_of(reciprocal));
    core_two_float mean = core_scaled_two_float(core_scaled_sum(core_scaled_of(row.log_sum), distance));
    core_two_float likelihood =
        core_mixture(kept, core_likelihood_of_label(set, row, label), spread, core_infinite_or(sums.is_infinite, mean));
    core_row_float loss = core_loss_of(inputs.weight, likelihood, inputs.z_loss, row.log_sum_exp);

    core_two_float of_label = core_two_product(weight, kept), of_all = core_two_product(weight, spread);
    core_two_float up = core_two_sum(of_all, row.penalty);
    core_scaled_t student = core_scaled_of(core_two_sum(of_label, up));
    core_scaled_t operand = core_scaled_product(core_scaled_of(of_all), core_scaled_of(reciprocal));
    core_end_t end = core_end_of_targets(row, student, operand, (core_row_int)(0), loss);

    core_row_float share = inputs.label_logit == CORE_ROW(-CORE_INFINITY) ? zero : powers.first * powers.second;
    core_scaled_t target = core_scaled_product(operand, core_scaled_float(-share));
    core_scaled_t at_label = core_scaled_sum(core_gradient_at_label(set, row.mass, label, of_label, up), target);
    end.at_label = core_gradient_value(at_label, row.step, row.is_limit);
    return end;
}

#endif
