/*
 * The lean core: exponentials as single floats, from which come probabilities within 4 ULP, in half of the operations
 * of the faithful core. numeric_core.h includes it for accuracy "fast", and for results of 16 bits, which need no more;
 * faithful.h has the same functions for "faithful". docs/numerics.md derives the bound.
 *
 * Exponentials are powers of two here, exp(x / T) = 2^(n + f), so that nothing but the exponent is left of n. The pair
 * reciprocal of the row is 1 / (T ln 2). An exponential has 13 operations, and its sum 5.
 */
#ifndef CLSOFTMAX_LEAN_H
#define CLSOFTMAX_LEAN_H

/* ------------------------------------------------------------------ Exponential */

/* Reduces a difference of logits that is not below the clamp. */
CORE_FUNCTION core_reduced core_reduce_difference(core_float difference, core_row_t row)
{
    const core_float magic = (core_float)(row.magic), reciprocal = (core_float)(row.reciprocal_high);
    core_reduced reduced;
    reduced.rounded = core_fma(difference, reciprocal, magic);
    core_float n = reduced.rounded - magic;
    reduced.r = core_fma(difference, reciprocal, -n);
    reduced.r = core_fma(difference, (core_float)(row.reciprocal_low), reduced.r);
    reduced.r_low = (core_float)(0.0f);
    return reduced;
}

/* Reduces a logit. The logit may be -inf, which the clamp takes up. */
CORE_FUNCTION core_reduced core_reduce(core_float x, core_row_t row)
{
    const core_float lowest = (core_float)(row.lowest);
    const core_float scaled = core_fma(x, (core_float)(row.scale), -(core_float)(row.base));
    return core_reduce_difference(scaled > lowest ? scaled : lowest, row);
}

/* Returns whether the difference that is reduced is the logit itself, as it is while |max| / T <= 256 unless T is very
   small or large. */
CORE_FUNCTION core_row_int core_row_is_unscaled(core_row_t row)
{
    return (row.scale == CORE_ROW(1.0f)) & (row.base == CORE_ROW(0.0f));
}

/* Reduces a logit of a row that is unscaled: to the same bits as core_reduce, in one operation fewer. */
CORE_FUNCTION core_reduced core_reduce_unscaled(core_float x, core_row_t row)
{
    const core_float lowest = (core_float)(row.lowest);
    return core_reduce_difference(x > lowest ? x : lowest, row);
}

/* Returns 2^r to 2^-28.3 relative for |r| <= 1/2 + 2^-14: a minimax polynomial of which every coefficient is a float.
 */
CORE_FUNCTION core_float core_polynomial(core_float r)
{
    core_float q = core_fma(r, (core_float)(0x1.417d38p-13f), (core_float)(0x1.5f0974p-10f));
    q = core_fma(r, q, (core_float)(0x1.3b2dd2p-7f));
    q = core_fma(r, q, (core_float)(0x1.c6af7ap-5f));
    q = core_fma(r, q, (core_float)(0x1.ebfbdcp-3f));
    q = core_fma(r, q, (core_float)(0x1.62e430p-1f));
    return core_fma(r, q, (core_float)(1.0f));
}

/* Returns the exponential of a reduced element, whose polynomial is q. */
CORE_FUNCTION core_pair core_reconstruct(core_reduced reduced, core_float q)
{
    core_pair result;
    result.high = q * core_as_float(core_as_uint(reduced.rounded) << 23);
    result.low = (core_float)(0.0f);
    return result;
}

/* ------------------------------------------------------------------ Sum */

/* Adds a number to a sum whose first level has this constant. `levels` is 2 or 3, a constant wherever speed matters, so
   that a third level that is not there costs nothing. Both units together less `high` are a multiple of the first unit
   that f32 holds, so that one addition more makes the second level. */
CORE_FUNCTION core_sum_t core_sum_add_to(core_sum_t sum, core_pair e, float unit, int levels)
{
    core_float high = e.high + unit;
    core_float low = ((unit + CORE_UNIT_LOW) - high) + e.high;
    sum.high += core_as_uint(high);
    sum.low += core_as_uint(low);
    if (levels == 3) {
        core_float rest = e.high - (high - unit);
        sum.lowest += core_as_uint((rest - (low - CORE_UNIT_LOW)) + CORE_UNIT_LOWEST);
    }
    return sum;
}

/* Adds an exponential. */
CORE_FUNCTION core_sum_t core_sum_add(core_sum_t sum, core_pair e, int levels)
{
    return core_sum_add_to(sum, e, CORE_UNIT_HIGH, levels);
}

/* ------------------------------------------------------------------ Probability */

/* Returns what core_probability takes of a sum: 1 / sum without the scale of exponentials. Both parts are normal
   numbers for sums of up to 2^32. */
CORE_FUNCTION core_two_float core_sum_reciprocal(core_two_float sum)
{
    core_two_float reciprocal = core_reciprocal(sum);
    core_two_float scaled = {reciprocal.high * CORE_EXPONENTIAL_UNIT, reciprocal.low * CORE_EXPONENTIAL_UNIT};
    return scaled;
}

/* Returns e * (factor_high + factor_low), rounded once. */
CORE_FUNCTION core_float core_exponential_times(core_pair e, core_row_float factor_high, core_row_float factor_low)
{
    return core_fma(e.high, (core_float)(factor_high), e.high * (core_float)(factor_low));
}

/* Returns e / sum in f32, within 4 ULP of the exact probability; reciprocal_high + reciprocal_low is that of
   core_sum_reciprocal. It is rounded once, also in the subnormal range. */
CORE_FUNCTION core_float core_probability(core_pair e, core_row_float reciprocal_high, core_row_float reciprocal_low)
{
    return core_exponential_times(e, reciprocal_high, reciprocal_low);
}

#endif
