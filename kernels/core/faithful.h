/*
 * The faithful core: exponentials as pairs of floats, from which come probabilities within 1 ULP. numeric_core.h
 * includes it for accuracy "faithful"; lean.h has the same functions for "fast". docs/numerics.md derives the bound.
 */
#ifndef CLSOFTMAX_FAITHFUL_H
#define CLSOFTMAX_FAITHFUL_H

/* ------------------------------------------------------------------ Exponential */

/* Reduces a logit. The logit may be -inf, which the clamp takes up. */
CORE_FUNCTION core_reduced core_reduce(core_float x, core_row_t row)
{
    const core_float lowest = (core_float)(row.lowest), magic = (core_float)(row.magic);
    const core_float reciprocal = (core_float)(row.reciprocal_high);
    core_float scaled = core_fma(x, (core_float)(row.scale), -(core_float)(row.base));
    scaled = scaled > lowest ? scaled : lowest;
    core_float z = scaled * reciprocal;
    core_float z_low = core_fma(scaled, reciprocal, -z);
    z_low = core_fma(scaled, (core_float)(row.reciprocal_low), z_low);

    core_reduced reduced;
    reduced.rounded = core_fma(z, (core_float)(CORE_LOG2_E), magic);
    core_float n = reduced.rounded - magic;
    reduced.r = core_fma(n, (core_float)(-0x1.62e430p-1f), z); /* exact, since both are multiples of 2^-25 */
    reduced.r_low = core_fma(n, (core_float)(0x1.05c610p-29f), z_low);
    return reduced;
}

/* Returns whether z is the logit itself, as it is at T = 1 while |max| <= 256. */
CORE_FUNCTION core_row_int core_row_is_unscaled(core_row_t row)
{
    const core_row_float zero = CORE_ROW(0.0f), one = CORE_ROW(1.0f);
    return (row.scale == one) & (row.base == zero) & (row.reciprocal_high == one) & (row.reciprocal_low == zero);
}

/* Reduces a logit of a row that is unscaled: to the same bits as core_reduce, in four operations fewer. (An exponential
   and its sum have 33.) */
CORE_FUNCTION core_reduced core_reduce_unscaled(core_float x, core_row_t row)
{
    const core_float lowest = (core_float)(row.lowest), magic = (core_float)(row.magic);
    const core_float z = x > lowest ? x : lowest;

    core_reduced reduced;
    reduced.rounded = core_fma(z, (core_float)(CORE_LOG2_E), magic);
    core_float n = reduced.rounded - magic;
    reduced.r = core_fma(n, (core_float)(-0x1.62e430p-1f), z);
    reduced.r_low = n * 0x1.05c610p-29f;
    return reduced;
}

/* Returns q(r), which approximates (exp(r) - 1 - r) / r^2 to 2^-32.6 relative to exp(r): a minimax polynomial whose
   constant term is 1/2. */
CORE_FUNCTION core_float core_polynomial(core_float r)
{
    core_float q = core_fma(r, (core_float)(0x1.9dd3e6p-13f), (core_float)(0x1.6d4f94p-10f));
    q = core_fma(r, q, (core_float)(0x1.111336p-7f));
    q = core_fma(r, q, (core_float)(0x1.5554e6p-5f));
    q = core_fma(r, q, (core_float)(0x1.555554p-3f));
    return core_fma(r, q, (core_float)(0.5f));
}

/* Returns the exponential of a reduced element. exp(r + r_low) is one_plus_r + tail, where tail is the sum of
   r^2 q, r_low exp(r), and what 1 + r lost. */
CORE_FUNCTION core_pair core_reconstruct(core_reduced reduced, core_float q)
{
    core_float square = reduced.r * reduced.r;
    core_float one_plus_r = reduced.r + 1.0f;
    core_float lost = reduced.r - (one_plus_r - 1.0f);
    core_float tail = core_fma(square, q, lost);
    tail = core_fma(reduced.r_low, one_plus_r + tail, tail);

    core_float power = core_as_float(core_as_uint(reduced.rounded) << 23);
    core_pair result;
    result.high = one_plus_r * power;
    result.low = tail * power;
    return result;
}

/* ------------------------------------------------------------------ Sum */

/* Adds a number to a sum whose first level has this constant. `levels` is 2 or 3, a constant wherever speed matters, so
   that a third level that is not there costs nothing. */
CORE_FUNCTION core_sum_t core_sum_add_to(core_sum_t sum, core_pair e, float unit, int levels)
{
    core_float high = (e.high + e.low) + unit;
    core_float rest = (e.high - (high - unit)) + e.low;
    core_float low = rest + CORE_UNIT_LOW;
    sum.high += core_as_uint(high);
    sum.low += core_as_uint(low);
    if (levels == 3)
        sum.lowest += core_as_uint((rest - (low - CORE_UNIT_LOW)) + CORE_UNIT_LOWEST);
    return sum;
}

/* Adds an exponential. */
CORE_FUNCTION core_sum_t core_sum_add(core_sum_t sum, core_pair e, int levels)
{
    return core_sum_add_to(sum, e, CORE_UNIT_HIGH, levels);
}

/* ------------------------------------------------------------------ Probability */

/* Returns what core_probability takes of a sum: 1 / sum. */
CORE_FUNCTION core_two_float core_sum_reciprocal(core_two_float sum)
{
    return core_reciprocal(sum);
}

/* Returns e * (factor_high + factor_low), rounded once. */
CORE_FUNCTION core_float core_exponential_times(core_pair e, core_row_float factor_high, core_row_float factor_low)
{
    core_float high = (core_float)(factor_high);
    core_float small = core_fma(e.low, high, e.high * (core_float)(factor_low));
    return core_fma(e.high, high, small);
}

/* Returns e / sum in f32, within 1 ULP of the exact probability; reciprocal_high + reciprocal_low is 1 / sum. Only the
   last product, which takes off the scale of 2^96, may round into the subnormal range. */
CORE_FUNCTION core_float core_probability(core_pair e, core_row_float reciprocal_high, core_row_float reciprocal_low)
{
    return core_exponential_times(e, reciprocal_high, reciprocal_low) * CORE_EXPONENTIAL_UNIT;
}

#endif
