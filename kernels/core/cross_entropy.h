/*
 * The cross-entropy of a row with its label, and what its gradient needs:
 *
 *     loss            w (-ln p[label]) + z lse^2,   lse = ln of the sum of exp(x / T)
 *     gradient of c   ((w + 2 z lse) p[c] - w [c = label]) s / T
 *
 * w is the row's weight, z the weight of the z-loss, and s the scale of the gradient. At the label w (1 - p) comes from
 * the sum of all other classes, so that nothing cancels as p goes to 1.
 *
 * C11 and OpenCL C compile this header. operations.h includes it.
 */
#ifndef CLSOFTMAX_CROSS_ENTROPY_H
#define CLSOFTMAX_CROSS_ENTROPY_H

#include "core/row_end.h"

/* ------------------------------------------------------------------ Cross-entropy */

/* Returns ln(exp(x / T) / sum) of a number of the row as a two-float. */
CORE_FUNCTION core_two_float core_row_log_value(core_row_float x, core_log_row_t row, core_two_float logarithm)
{
    core_pair value = core_log_probability_pair((core_float)(x), row, logarithm);
    core_two_float result = {core_row_of(value.high), core_row_of(value.low)};
    return result;
}

/* Returns w * a + z * b^2 in f32, where neither term is negative. A term whose factor is 0 is 0, also if the other is
   infinite. */
CORE_FUNCTION core_row_float core_loss_of(core_row_float weight, core_two_float a, float z_loss, core_two_float b)
{
    const core_row_float zero = CORE_ROW(0.0f), infinity = CORE_ROW(CORE_INFINITY), z = CORE_ROW(z_loss);
    const core_two_float w_factor = {weight, zero}, z_factor = {z, zero};
    core_two_float likelihood = core_two_product(w_factor, a),
                   penalty = core_two_product(z_factor, core_two_product(b, b));
    likelihood.high = weight > zero ? likelihood.high : zero;
    likelihood.low = weight > zero ? likelihood.low : zero;
    penalty.high = z > zero ? penalty.high : zero;
    penalty.low = z > zero ? penalty.low : zero;
    core_two_float sum = core_two_sum(likelihood, penalty);
    core_row_float size = weight > zero ? a.high : zero, of_penalty = z * (b.high * b.high);
    core_row_float estimate = core_fma(weight, size, z > zero ? of_penalty : zero);
    return estimate < infinity ? sum.high + sum.low : infinity; /* sum is NaN where the estimate is infinite */
}

/* Returns 2 z lse, what the z-loss adds to the weight in the gradient. Beyond f32, the largest number stands for it. */
CORE_FUNCTION core_two_float core_gradient_penalty(float z_loss, core_two_float log_sum_exp)
{
    const core_row_float zero = CORE_ROW(0.0f), largest_float = CORE_ROW(0x1.fffffep+127f);
    const core_two_float two_z = {CORE_ROW(2.0f * z_loss), zero};
    core_two_float penalty = core_two_product(two_z, log_sum_exp);
    core_row_float estimate = two_z.high * log_sum_exp.high;
    core_row_int overflows = (core_row_bits(estimate) & (core_row_uint)(0x7FFFFFFFu)) >= (core_row_uint)(0x7F800000u);
    penalty.high = overflows ? estimate > zero ? largest_float : -largest_float : penalty.high;
    penalty.low = overflows ? zero : penalty.low;
    penalty.high = CORE_ROW(z_loss) > zero ? penalty.high : zero;
    penalty.low = CORE_ROW(z_loss) > zero ? penalty.low : zero;
    return penalty;
}

/* The mass of a row, relative to its largest exponential. */
typedef struct {
    core_two_float unit; /* the largest exponential itself */
    core_rest_value_t rest;
    core_two_float relative; /* the rest as one number */
    core_two_float sum;      /* 1 + relative */
} core_mass_t;

CORE_FUNCTION core_mass_t core_mass(core_setting_t set, core_total_t rest_total, core_rest_t rest, int levels)
{
    core_largest_t largest = core_largest(set, levels);
    core_mass_t mass;
    mass.unit.high = largest.value.high * CORE_EXPONENTIAL_UNIT;
    mass.unit.low = largest.value.low * CORE_EXPONENTIAL_UNIT;
    mass.unit = core_fast_two_sum(mass.unit.high, mass.unit.low);
    mass.rest = core_rest_value(rest_total, rest, largest);
    mass.relative.high = mass.rest.value.high * mass.rest.unit;
    mass.relative.low = mass.rest.value.low * mass.rest.unit;
    mass.sum = core_one_plus(mass.relative);
    return mass;
}

/* Returns the end of a row with this loss, but for its label's gradient. The factor of an exponential and what comes
   after it are (w + 2 z lse) s / (T sum), where an exponential times 2^-B / sum is a probability. What a power of two
   does not hold, the factor has. At T = 0 it is the limit: what is not 0 becomes infinite. */
CORE_FUNCTION core_end_t core_gradient_factor(core_row_float loss, core_mass_t mass, core_scaled_t factor,
                                              core_row_int is_limit)
{
    const core_row_float zero = CORE_ROW(0.0f), one = CORE_ROW(1.0f);
    core_two_float whole = core_two_product(mass.unit, mass.sum);
    core_two_float of_one = core_two_product(core_reciprocal(whole), factor.mantissa);
    core_powers_t powers = core_powers_of_two(factor.exponent - CORE_EXPONENTIAL_BIAS);
    core_row_float beyond = of_one.high > zero ? CORE_ROW(0x1p60f) : of_one.high < zero ? CORE_ROW(-0x1p60f) : zero;
    core_end_t end = {{of_one.high * powers.left, of_one.low * powers.left},
                      powers.held,
                      zero,
                      loss,
                      {zero, zero},
                      one,
                      CORE_NOT_MIXED};
    end.factor.high = is_limit ? beyond : end.factor.high;
    end.factor.low = is_limit ? zero : end.factor.low;
    end.after = is_limit ? CORE_ROW(0x1p127f) : end.after;
    return end;
}

/* Returns the gradient of the label's class by x / T: 2 z lse p - w (1 - p). 1 - p is (sum - e) / sum, and the
   difference is the rest if the label has the largest logit. The unit of the rest is taken off last, so that a small
   one keeps its digits. */
CORE_FUNCTION core_scaled_t core_gradient_at_label(core_setting_t set, core_mass_t mass, core_row_float label,
                                                   core_two_float weight, core_two_float penalty)
{
    const core_row_float zero = CORE_ROW(0.0f), one = CORE_ROW(1.0f);
    core_pair e = core_exponential((core_float)(label), set.row);
    core_two_float own =
        core_fast_two_sum(core_row_of(e.high) * CORE_EXPONENTIAL_UNIT, core_row_of(e.low) * CORE_EXPONENTIAL_UNIT);
    own = core_two_product(own, core_reciprocal(mass.unit));
    core_two_float negative_own = {-own.high, -own.low}, others = core_two_sum(mass.sum, negative_own);
    core_row_int is_largest = label == set.maximum, has_penalty = penalty.high != zero;
    core_row_float rest_high = has_penalty ? mass.relative.high : mass.rest.value.high;
    core_row_float rest_low = has_penalty ? mass.relative.low : mass.rest.value.low;
    core_row_float rest_unit = has_penalty ? one : mass.rest.unit;
    others.high = is_largest ? rest_high : others.high;
    others.low = is_largest ? rest_low : others.low;
    own.high = is_largest ? one : own.high;
    own.low = is_largest ? zero : own.low;

    const core_two_float reciprocal = core_reciprocal(mass.sum);
    core_two_float down = core_two_product(core_two_product(weight, others), reciprocal);
    core_two_float up = core_two_product(core_two_product(penalty, own), reciprocal);
    core_two_float negative_down = {-down.high, -down.low};
    core_scaled_t at_label = core_scaled_of(core_two_sum(up, negative_down));
    core_row_int of_unit = core_row_int_of_uint(core_row_bits(rest_unit) >> 23) - 127;
    at_label.exponent += is_largest ? of_unit : (core_row_int)(0);
    return at_label;
}

/* Returns a gradient times the step s / T; what is not 0 is infinite at T = 0. */
CORE_FUNCTION core_row_float core_gradient_value(core_scaled_t gradient, core_scaled_t step, core_row_int is_limit)
{
    core_scaled_t value = core_scaled_product(step, gradient);
    value.exponent = is_limit ? (core_row_int)(250) : value.exponent;
    return core_scaled_value(value) + 0.0f; /* -0 becomes +0 */
}

/* What the losses of a row, and their gradients, have in common. */
typedef struct {
    core_mass_t mass;
    core_two_float log_sum;     /* ln of the sum relative to the largest exponential */
    core_two_float log_sum_exp; /* ln of the sum of exp(x / T) */
    core_two_float penalty;     /* 2 z lse */
    core_scaled_t step;         /* s / T */
    core_row_int is_limit;      /* T is 0 */
} core_row_loss_t;

CORE_FUNCTION core_row_loss_t core_row_loss(core_setting_t set, core_total_t rest_total, core_rest_t rest,
                                            core_loss_inputs_t inputs, int levels)
{
    core_row_loss_t row;
    core_log_row_t origin = core_log_row(set.prepared, set.maximum);
    origin.maximum = CORE_ROW(0.0f);
    row.mass = core_mass(set, rest_total, rest, levels);
    row.log_sum = core_logarithm_of_one_plus(row.mass.relative);
    core_two_float negative_log_sum = {-row.log_sum.high, -row.log_sum.low};
    row.log_sum_exp = core_row_log_value(set.maximum, origin, negative_log_sum);
    row.penalty = core_gradient_penalty(inputs.z_loss, row.log_sum_exp);
    row.step = core_gradient_step(inputs.scale, set.prepared);
    row.is_limit = core_is_limit(set.prepared);
    return row;
}

/* Returns -ln p of the label, whose logit is as an ordinary row has it. */
CORE_FUNCTION core_two_float core_likelihood_of_label(core_setting_t set, core_row_loss_t row, core_row_float label)
{
    core_two_float logarithm = core_row_log_value(label, core_log_row(set.prepared, set.maximum), row.log_sum);
    core_two_float likelihood = {-logarithm.high, -logarithm.low};
    return likelihood;
}

/* Returns the cross-entropy of a row as if it were computed, and had a label; core_cross_entropy_of_kind corrects it
   for the others. label: its logit as an ordinary row has it. */
CORE_FUNCTION core_end_t core_computed_cross_entropy(core_setting_t set, core_row_loss_t row, core_row_float label,
                                                     core_loss_inputs_t inputs)
{
    const core_two_float weight = {inputs.weight, CORE_ROW(0.0f)};
    core_scaled_t factor = core_scaled_product(row.step, core_scaled_of(core_two_sum(weight, row.penalty)));
    core_row_float loss =
        core_loss_of(inputs.weight, core_likelihood_of_label(set, row, label), inputs.z_loss, row.log_sum_exp);
    core_end_t end = core_gradient_factor(loss, row.mass, factor, row.is_limit);
    end.at_label =
        core_gradient_value(core_gradient_at_label(set, row.mass, label, weight, row.penalty), row.step, row.is_limit);
    return end;
}

/* Returns the cross-entropy of a row of any kind. Without a label it is 0, and so is the gradient. In a row of zeros
   the loss of a label is infinite; in a row of NaN it is NaN. */
CORE_FUNCTION core_end_t core_cross_entropy_of_kind(core_setting_t set, core_loss_inputs_t inputs, core_end_t computed)
{
    const core_row_float zero = CORE_ROW(0.0f), infinity = CORE_ROW(CORE_INFINITY);
    core_row_int is_labelled = inputs.weight >= zero, is_computed = core_row_is_computed(set.kind);
    core_row_float nothing = set.kind == (core_row_int)(CORE_ROW_ZERO)
                                 ? (inputs.weight > zero ? infinity : zero)
                                 : core_row_float_of_bits((core_row_uint)(CORE_NAN_BITS));
    core_end_t result = computed;
    result.loss = is_labelled ? is_computed ? computed.loss : nothing : zero;
    result.factor.high = is_labelled ? computed.factor.high : zero;
    result.factor.low = is_labelled ? computed.factor.low : zero;
    result.operand.high = is_labelled ? computed.operand.high : zero;
    result.operand.low = is_labelled ? computed.operand.low : zero;
    return result;
}

#endif
