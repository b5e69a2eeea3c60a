/*
 * A row beside its teacher's, and how far apart they are. With p = softmax(x / T) for the row's own logits x, the
 * student's, and q = softmax(y / T) for the teacher's, which are the operand, the Kullback-Leibler divergence is
 *
 *     KL(q || p) = sum of q (ln q - ln p) = sum of q (exp(d) - 1 - d),   d = ln p - ln q
 *
 * The reverse divergence KL(p || q) is the same with the roles of both rows swapped.
 *
 * The second form has no negative term, so that nothing cancels as the student comes near its teacher, and rows that
 * are equal have exactly 0. Its terms need both sums of exponentials; so they are added up in a second phase sums
 * (TERMS_LATER), in units of the largest that a term can be. What bounds the terms is found in the first
 * (core_bounds). The terms use this header, and distillation.h.
 */
#ifndef CLSOFTMAX_DIVERGENCE_H
#define CLSOFTMAX_DIVERGENCE_H

#include "core/operand.h"

/* ------------------------------------------------------------------ Both rows */

/* What a row and its teacher's are compared by. */
typedef struct {
    core_setting_t teacher; /* at the temperature of the row */
    core_log_row_t student_log, teacher_log;
    core_distance_t student_distance, teacher_distance;
} core_match_t;

/* Returns the policies for a teacher's row: one of -inf is never uniform, since a teacher without logits teaches
   nothing. */
CORE_FUNCTION uint core_teacher_policies(uint policies)
{
    return policies & ~(uint)(CORE_NEGATIVE_INFINITY_UNIFORM);
}

/* Returns what both rows are compared by, from the setting of the row and the largest key of the teacher's logits. */
CORE_FUNCTION core_match_t core_match(core_setting_t student, core_row_uint teacher_key, uint policies)
{
    core_match_t match;
    match.teacher = core_setting(teacher_key, student.temperature, student.prepared, core_teacher_policies(policies));
    match.student_log = core_log_row(student.prepared, student.maximum);
    match.teacher_log = core_log_row(student.prepared, match.teacher.maximum);
    match.student_distance = core_distance(student.prepared, student.maximum);
    match.teacher_distance = core_distance(student.prepared, match.teacher.maximum);
    return match;
}

/* Returns the kind of a row with a teacher: NaN if one of both rows is, or T^2 is asked for and beyond f32; or else
   zero if one of both is. */
CORE_FUNCTION core_row_int core_kind_with_teacher(core_row_int kind, core_row_uint teacher_key,
                                                  core_row_float temperature, uint policies)
{
    const core_row_int nan = (core_row_int)(CORE_ROW_NAN), ties = (core_row_int)(CORE_ROW_TIES);
    const float most = policies & CORE_TEMPERATURE_SQUARED ? 0x1p64f : core_float_of_bits(CORE_NAN_BITS);
    core_row_int teacher = core_row_kind(teacher_key, temperature, core_teacher_policies(policies));
    core_row_int is_computed = (kind <= ties) & (teacher <= ties);
    core_row_int is_nan = (kind == nan) | (teacher == nan) | (temperature >= CORE_ROW(most));
    core_row_int other = is_computed ? kind : (core_row_int)(CORE_ROW_ZERO);
    return is_nan ? nan : other;
}

/* ------------------------------------------------------------------ Bounds of the terms */

/* Returns two bounds of a class as a pair of floats that are not negative. The first is how far its logits are apart:
   a quarter of |ln(e) - ln(e of the teacher)| / factor, with the factor of core_distance_t; 0 if both exponentials are.
   The second is that times the teacher's exponential; it is infinite if the teacher has a logit and the student does
   not, or one whose logarithm is beyond f32. */
CORE_FUNCTION core_pair core_bounds(core_pair e, core_pair of_teacher, core_float x, core_float y, core_match_t match)
{
    const core_float zero = (core_float)(0.0f), infinity = (core_float)(CORE_INFINITY);
    core_float q = of_teacher.high * CORE_EXPONENTIAL_UNIT;
    core_float student = core_quarter_distance(x, match.student_distance);
    core_float teacher = core_quarter_distance(y, match.teacher_distance);
    core_float gap = student > teacher ? student - teacher : teacher - student;
    gap = x == -infinity ? infinity : gap;
    gap = y == -infinity ? (x == -infinity ? zero : infinity) : gap;
    core_int is_beyond = (student >= (core_float)(CORE_LARGEST_QUARTER)) & (q > zero);
    core_int is_lost = ((x == -infinity) & (y > -infinity)) | is_beyond;
    core_float reach = q * gap; /* NaN where q is 0 and the gap infinite */
    reach = q > zero ? reach : zero;
    core_pair bounds;
    bounds.high = e.high + of_teacher.high > zero ? gap : zero; /* neither is negative */
    bounds.low = is_lost ? infinity : reach;
    return bounds;
}

/* ------------------------------------------------------------------ Divergence */

/* What the terms of a divergence need of the first sums. */
typedef struct {
    core_two_float log_ratio;        /* ln of the student's sum less that of the teacher's */
    core_two_float student, teacher; /* exponentials times these are probabilities times 2^B */
    core_row_float power;            /* a power of two: a term times its square is at most 1 */
    core_row_int halvings;           /* its binary logarithm, with the sign turned */
    core_row_int is_infinite;        /* the divergence is */
    core_row_float share;            /* the teacher's, in a mixture (mixture.h); 0: there is none */
} core_divergence_t;

/* Returns the logarithm of a sum relative to its largest exponential. */
CORE_FUNCTION core_two_float core_log_sum(core_setting_t set, core_total_t total, int levels)
{
    core_largest_t largest = core_largest(set, levels);
    core_total_t others = {total.high - largest.own.high, total.low - largest.own.low,
                           total.lowest - largest.own.lowest};
    return core_logarithm_of_one_plus(core_relative_sum(others, largest.value));
}

/* Returns half of the binary logarithm of what bounds all terms, rounded up. A term q (exp(d) - 1 - d) is at most both
   max(p, q) d^2 / 2, and q |d| + p. `gap` and `reach` are the largest bounds of classes: |d| is at most 8 gap + |ln
   ratio|, where the factor is below 2, and q |d| at most 16 reach + |ln ratio|, where q is at most twice the teacher's
   exponential. With a mixture, in which the smaller of both shares is s, it is at most max(p, q) s (2 - log2 s) times
   the smaller of 1 and d^2. share: that of the teacher, or 0. */
CORE_FUNCTION core_row_int core_half_log_of_bound(core_row_float gap, core_row_float reach, core_row_float log_ratio,
                                                  core_row_float share)
{
    const core_row_float one = CORE_ROW(1.0f);
    const core_row_int least = (core_row_int)(-60), most = (core_row_int)(66);
    core_row_float ratio = log_ratio < CORE_ROW(0.0f) ? -log_ratio : log_ratio;
    core_row_float far = core_fma(gap, CORE_ROW(8.0f), ratio);
    core_row_float square = far < CORE_ROW(0x1p60f) ? far * far : CORE_ROW(CORE_INFINITY);
    core_row_float line = core_fma(reach, CORE_ROW(16.0f), ratio + one);
    core_row_float smaller = CORE_SMALLER(share, one - share);
    core_row_int log_share = core_row_int_of_uint(core_row_bits(smaller) >> 23) - 127;
    core_row_float of_mixture = smaller * core_row_float_of_int((core_row_int)(2) - log_share);
    core_row_float bound = share > CORE_ROW(0.0f) ? CORE_SMALLER(square, one) * of_mixture : CORE_SMALLER(square, line);
    core_row_int halved = (core_row_int_of_uint(core_row_bits(bound) >> 23) - 127 + 2) >> 1;
    halved = CORE_LARGER(halved, least);
    return CORE_SMALLER(halved, most);
}

/* Returns what the terms need, from the totals of the student, the teacher and the bounds. share: that of the teacher
   in a mixture, or 0. */
CORE_FUNCTION core_divergence_t core_divergence(core_setting_t student, core_match_t match, core_total_t of_student,
                                                core_total_t of_teacher, core_total_t bounds, float share, int levels)
{
    core_two_float log_student = core_log_sum(student, of_student, levels);
    core_two_float log_teacher = core_log_sum(match.teacher, of_teacher, levels);
    core_row_float gap = core_row_float_of_bits(core_row_uint_of_long(bounds.high));
    core_row_float reach = core_row_float_of_bits(core_row_uint_of_long(bounds.low));
    core_row_int is_limit = core_is_limit(student.prepared);
    core_divergence_t result;
    core_two_float negative = {-log_teacher.high, -log_teacher.low};
    result.log_ratio = core_two_sum(log_student, negative);
    result.student = core_reciprocal(core_total_value(of_student));
    result.teacher = core_reciprocal(core_total_value(of_teacher));
    result.share = CORE_ROW(share);
    const core_row_int is_mixture = result.share > CORE_ROW(0.0f);
    result.halvings = core_half_log_of_bound(gap, reach, result.log_ratio.high, result.share);
    result.power = core_row_float_of_bits(core_row_uint_of_int(127 - result.halvings) << 23);
    result.is_infinite = (reach >= CORE_ROW(CORE_INFINITY)) | (is_limit & (reach > CORE_ROW(0.0f)));
    result.is_infinite = is_mixture ? (core_row_int)(0) : result.is_infinite;
    return result;
}

/* Return what the terms of the reverse divergence take: each row has the role of the other. */
CORE_FUNCTION core_match_t core_match_reversed(core_match_t match)
{
    core_match_t reversed = match;
    reversed.student_log = match.teacher_log;
    reversed.teacher_log = match.student_log;
    reversed.student_distance = match.teacher_distance;
    reversed.teacher_distance = match.student_distance;
    return reversed;
}

CORE_FUNCTION core_divergence_t core_divergence_reversed(core_divergence_t row)
{
    core_divergence_t reversed = row;
    reversed.log_ratio.high = -row.log_ratio.high;
    reversed.log_ratio.low = -row.log_ratio.low;
    reversed.student = row.teacher;
    reversed.teacher = row.student;
    return reversed;
}

/* Returns exp(d) - 1 - d over d^2 for |d| <= 1, within 2^-24: the first terms of its series. */
CORE_FUNCTION core_float core_excess_polynomial(core_float d)
{
    core_float q = core_fma(d, (core_float)(1.0f / 479001600), (core_float)(1.0f / 39916800));
    q = core_fma(d, q, (core_float)(1.0f / 3628800));
    q = core_fma(d, q, (core_float)(1.0f / 362880));
    q = core_fma(d, q, (core_float)(1.0f / 40320));
    q = core_fma(d, q, (core_float)(1.0f / 5040));
    q = core_fma(d, q, (core_float)(1.0f / 720));
    q = core_fma(d, q, (core_float)(1.0f / 120));
    q = core_fma(d, q, (core_float)(1.0f / 24));
    q = core_fma(d, q, (core_float)(1.0f / 6));
    return core_fma(d, q, (core_float)(0.5f));
}

/* Returns a - b, whose high part is rounded, and its low part has what that lost (Knuth's two-sum). */
CORE_FUNCTION core_pair core_pair_difference(core_pair a, core_pair b)
{
    core_float high = a.high - b.high, virtual_b = a.high - high, virtual_a = high + virtual_b;
    core_float lost = (a.high - virtual_a) - (b.high - virtual_b);
    core_pair difference = {high, lost + (a.low - b.low)};
    return difference;
}

/* Returns ln p - ln q of a class. log_ratio: ln of the student's sum less that of the teacher's. */
CORE_FUNCTION core_float core_log_difference(core_float x, core_float y, core_match_t match, core_two_float log_ratio)
{
    core_pair student = core_log_exponential(x, match.student_log);
    core_pair teacher = core_log_exponential(y, match.teacher_log);
    core_pair ratio = {(core_float)(log_ratio.high), (core_float)(log_ratio.low)};
    core_pair difference = core_pair_difference(core_pair_difference(student, teacher), ratio);
    return difference.high + difference.low;
}

/* Returns q (exp(d) - 1 - d) times the square of the power, in units of the largest exponential. Where |d| is above 1,
   it is p - q (1 + d), of which a third is left at least. A class that the teacher excludes has p. */
CORE_FUNCTION core_pair core_divergence_term(core_pair e, core_pair of_teacher, core_float x, core_float y,
                                             core_match_t match, core_divergence_t row)
{
    const core_float zero = (core_float)(0.0f), one = (core_float)(1.0f), power = (core_float)(row.power);
    core_float d = core_log_difference(x, y, match, row.log_ratio);
    core_float q = core_exponential_times(of_teacher, row.teacher.high, row.teacher.low);
    core_float p = core_exponential_times(e, row.student.high, row.student.low);
    core_float near = (d * power) * (d * power) * core_excess_polynomial(d) * q;
    core_float share = (p * power) * power;
    core_float far = core_fma(-(q * power), (one + d) * power, share);
    core_float term = core_select((d <= one) & (d >= -one), near, far);
    core_pair result = {core_select(of_teacher.high > zero, term, share), zero};
    return result;
}

#endif
