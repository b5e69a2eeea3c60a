/*
 * A row and its teacher's beside the mixture of both, m = s q + (1 - s) p with the teacher's share s in (0, 1): the
 * Jensen-Shannon divergence
 *
 *     s KL(q || m) + (1 - s) KL(p || m)
 *     KL(q || m) = sum of q ln(q / m) = sum of q ln(q / m) - q + m
 *
 * As in divergence.h, no term of the second form is negative: with r = q / m it is m (r ln r - r + 1). Where r is near
 * 1, that is computed from the difference of q and m, which is made of d = ln p - ln q. Both parts are sums of their
 * own (TERM_DIVERGENCE, TERM_STUDENT_DIVERGENCE), since the gradient takes the second one alone. No divergence is
 * infinite.
 *
 * C11 and OpenCL C compile this header. The terms and distillation.h use it.
 */
#ifndef CLSOFTMAX_MIXTURE_H
#define CLSOFTMAX_MIXTURE_H

#include "core/divergence.h"

/* ------------------------------------------------------------------ Quotients and logarithms of elements */

/* Returns 1 / x within 1 ULP, for x in [2^-100, 2^120]; that of 2^-100 for any smaller x. See core_reciprocal. */
CORE_FUNCTION core_float core_inverse(core_float x)
{
    const core_float one = (core_float)(1.0f), least = (core_float)(0x1p-100f);
    core_float divisor = core_select(x < least, least, x);
    core_float guess = core_as_float((core_uint)(0x7EF311C7u) - core_as_uint(divisor));
    guess = core_fma(guess, core_fma(-divisor, guess, one), guess);
    guess = core_fma(guess, core_fma(-divisor, guess, one), guess);
    guess = core_fma(guess, core_fma(-divisor, guess, one), guess);
    return core_fma(guess, core_fma(-divisor, guess, one), guess);
}

/* Returns (atanh(s) - s) / s^3 for |s| <= 1/2, within 2^-23: the first terms of its series. */
CORE_FUNCTION core_float core_atanh_excess(core_float s)
{
    core_float square = s * s;
    core_float series = core_fma(square, (core_float)(1.0f / 25), (core_float)(1.0f / 23));
    series = core_fma(square, series, (core_float)(1.0f / 21));
    series = core_fma(square, series, (core_float)(1.0f / 19));
    series = core_fma(square, series, (core_float)(1.0f / 17));
    series = core_fma(square, series, (core_float)(1.0f / 15));
    series = core_fma(square, series, (core_float)(1.0f / 13));
    series = core_fma(square, series, (core_float)(1.0f / 11));
    series = core_fma(square, series, (core_float)(1.0f / 9));
    series = core_fma(square, series, (core_float)(1.0f / 7));
    series = core_fma(square, series, (core_float)(1.0f / 5));
    return core_fma(square, series, (core_float)(1.0f / 3));
}

/* Returns ln(a / b) of normal numbers above 0 whose ratio is not in (1/2, 2), within 2^-23 of itself: with a / b = 2^n
   u and u in [0.7, 1.42), n ln 2 + 2 atanh((u - 1) / (u + 1)). A smaller number counts as the least normal one. */
CORE_FUNCTION core_float core_logarithm_of_ratio(core_float a, core_float b)
{
    const core_float one = (core_float)(1.0f);
    const core_uint mantissa = (core_uint)(0x007FFFFFu), unit = (core_uint)(0x3F800000u);
    core_uint of_a = core_as_uint(a), of_b = core_as_uint(b);
    core_float u = core_as_float((of_a & mantissa) | unit) * core_inverse(core_as_float((of_b & mantissa) | unit));
    core_float n = core_float_of_int(core_int_of_uint(of_a >> 23) - core_int_of_uint(of_b >> 23));
    core_int is_large = u > (core_float)(0x1.6a09e6p0f), is_small = u < (core_float)(0x1.6a09e6p-1f);
    n += core_select(is_large, one, core_select(is_small, -one, (core_float)(0.0f)));
    u *= core_select(is_large, (core_float)(0.5f), core_select(is_small, (core_float)(2.0f), one));
    core_float s = (u - one) * core_inverse(u + one);
    core_float logarithm = core_fma((s * s) * s, core_atanh_excess(s), s);
    return core_fma(n, (core_float)(0x1.62e43p-1f), 2.0f * logarithm);
}

/* ------------------------------------------------------------------ A probability beside a mixture's */

/* A probability of a class, that of the mixture, and the quotient of their difference and their sum, in (-1, 1): 2
   atanh of it is the logarithm of their ratio. All probabilities have one unit. */
typedef struct {
    core_float own, mixture, whole, quotient;
} core_beside_t;

/* Returns it, with the difference, own - mixture, which has more digits than both. */
CORE_FUNCTION core_beside_t core_beside(core_float own, core_float mixture, core_float difference)
{
    core_float whole = own + mixture;
    core_beside_t beside = {own, mixture, whole, difference * core_inverse(whole)};
    return beside;
}

/* Whether own is at most three times the mixture, and at least a third. */
CORE_FUNCTION core_int core_is_beside(core_beside_t b)
{
    return (b.quotient <= (core_float)(0.5f)) & (b.quotient >= (core_float)(-0.5f));
}

/* Returns ln(own / mixture). */
CORE_FUNCTION core_float core_beside_logarithm(core_beside_t b)
{
    core_float s = b.quotient;
    core_float near = 2.0f * core_fma((s * s) * s, core_atanh_excess(s), s);
    return core_select(core_is_beside(b), near, core_logarithm_of_ratio(b.own, b.mixture));
}

/* Returns (own ln(own / mixture) - own + mixture) times a share and the square of a power of two. With s for the
   quotient it is (own + mixture) (s^2 + (1 + s) (atanh(s) - s)). */
CORE_FUNCTION core_float core_beside_divergence(core_beside_t b, core_float share, core_float power)
{
    const core_float one = (core_float)(1.0f);
    core_float s = b.quotient, scaled = s * power;
    core_float rest = core_fma((one + s) * s, core_atanh_excess(s), one);
    core_float near = ((share * b.whole) * (scaled * scaled)) * rest;
    core_float far =
        core_fma(share * b.own, core_logarithm_of_ratio(b.own, b.mixture) - one, share * b.mixture) * power * power;
    return core_select(core_is_beside(b), near, far);
}

/* ------------------------------------------------------------------ Classes */

/* The probabilities of a class, with their mixture: the student's p, the teacher's q. */
typedef struct {
    core_beside_t student, teacher;
} core_mixed_t;

/* Returns them, from p and q in one unit, and d = ln p - ln q, which may be NaN if both are 0. */
CORE_FUNCTION core_mixed_t core_mixed(core_float p, core_float q, core_float d, core_row_float teacher_share)
{
    const core_float one = (core_float)(1.0f), share = (core_float)(teacher_share), left = one - share;
    core_float growth = core_fma(d * d, core_excess_polynomial(d), d); /* exp(d) - 1 */
    core_float difference = core_select((d <= one) & (d >= -one), q * growth, p - q);
    core_float mixture = core_fma(share, q, left * p);
    core_mixed_t mixed = {core_beside(p, mixture, share * difference), core_beside(q, mixture, -left * difference)};
    return mixed;
}

/* Returns what a class adds to the student's or the teacher's part of the divergence times the square of the power, in
   units of the largest exponential. of_student: a constant. */
CORE_FUNCTION core_pair core_mixture_term(core_pair e, core_pair of_teacher, core_float x, core_float y,
                                          core_match_t match, core_divergence_t row, int of_student)
{
    const core_float share = (core_float)(row.share), power = (core_float)(row.power);
    core_float d = core_log_difference(x, y, match, row.log_ratio);
    core_float q = core_exponential_times(of_teacher, row.teacher.high, row.teacher.low);
    core_float p = core_exponential_times(e, row.student.high, row.student.low);
    core_mixed_t mixed = core_mixed(p, q, d, row.share);
    core_pair result = {of_student ? core_beside_divergence(mixed.student, (core_float)(1.0f) - share, power)
                                   : core_beside_divergence(mixed.teacher, share, power),
                        (core_float)(0.0f)};
    return result;
}

#endif
