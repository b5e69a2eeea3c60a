/* Results side by side: see compare.h. */
#include "results/compare.h"

#include "files/array.h"

#include <math.h>
#include <string.h>

/* The bits of a value of any dtype. */
typedef struct pattern {
    uint32_t magnitude;
    int is_negative, is_nan;
} pattern;

static pattern read_pattern(const void *values, clsoftmax_dtype dtype, uint64_t at)
{
    static const uint32_t infinities[CLSOFTMAX_DTYPE_COUNT] = {
        [CLSOFTMAX_F32] = 0x7F800000, [CLSOFTMAX_F16] = 0x7C00, [CLSOFTMAX_BF16] = 0x7F80};
    int is_wide = dtype == CLSOFTMAX_F32;
    uint32_t bits = is_wide ? ((const uint32_t *)values)[at] : ((const uint16_t *)values)[at];
    uint32_t sign = is_wide ? 0x80000000u : 0x8000u;
    pattern read = {bits & ~sign, (bits & sign) != 0, (bits & ~sign) > infinities[dtype]};
    return read;
}

/* Counts the steps of the dtype from one value to the other; both zeros are one value. */
static uint64_t ulp_between(pattern a, pattern b)
{
    if (a.is_nan || b.is_nan)
        return a.is_nan && b.is_nan ? 0 : UINT32_MAX;
    int64_t from = a.is_negative ? -(int64_t)a.magnitude : a.magnitude;
    int64_t to = b.is_negative ? -(int64_t)b.magnitude : b.magnitude;
    return (uint64_t)(from < to ? to - from : from - to);
}

/* Returns the largest finite number of a dtype. */
static double largest_of(clsoftmax_dtype dtype)
{
    static const double largest[CLSOFTMAX_DTYPE_COUNT] = {
        [CLSOFTMAX_F32] = 0x1.fffffep127, [CLSOFTMAX_F16] = 65504, [CLSOFTMAX_BF16] = 0x1.fep127};
    return largest[dtype];
}

/* Returns 1 if |a - b| <= allowed, or if both are the same infinity, or both NaN. */
static int is_near(float a, float b, double allowed)
{
    return a == b || (isnan(a) && isnan(b)) || fabs((double)a - (double)b) <= allowed;
}

void compare(comparison *comparison, clsoftmax_dtype dtype, const void *a, const void *b, uint64_t count,
             allowance allowed)
{
    size_t size = clsoftmax_dtype_size(dtype);
    for (uint64_t i = 0; i < count; i++) {
        comparison->different += memcmp((const char *)a + i * size, (const char *)b + i * size, size) != 0;
        const float of_a = array_float(a, dtype, i), of_b = array_float(b, dtype, i);
        const double size = fabs((double)of_b), error = allowed.relative * size + allowed.absolute;
        uint64_t ulp = ulp_between(read_pattern(a, dtype, i), read_pattern(b, dtype, i));
        /* what may be beyond the dtype may have become infinite */
        if (ulp > 1 && (is_near(of_a, of_b, error) || (isinf(of_a) && size + error > largest_of(dtype))))
            ulp = 0;
        if (ulp > comparison->worst_ulp)
            comparison->worst_ulp = ulp;
    }
    comparison->values += count;
}

static double spacing_at(float value)
{
    return (double)nextafterf(fabsf(value), INFINITY) - (double)fabsf(value);
}

/* Returns 1 if a is within the bounds of the public header. These are against exact values, but b comes from the
   reference, which computes in double precision and then rounds to f32: b is up to half an ULP away from them. So 1 ULP
   becomes 2 here, and the 4 of the entropy become 5. What the bounds have beside ULPs is doubled. With accuracy "fast"
   all of it is `times` 4. */
static int are_within_bounds(const clsoftmax_statistics *a, const clsoftmax_statistics *b, double classes, double times)
{
    double ulp = 2 * spacing_at(b->largest_probability), absolute = classes * 0x1p-43;
    return a->argmax == b->argmax && is_near(a->maximum, b->maximum, 0) &&
           is_near(a->largest_probability, b->largest_probability, times * ulp) &&
           is_near(a->margin, b->margin, times * ulp) &&
           is_near(a->entropy, b->entropy, times * (5 * spacing_at(b->entropy) + classes * 0x1p-41)) &&
           is_near(a->log_sum_exp, b->log_sum_exp,
                   times * (2 * spacing_at(b->log_sum_exp) + log(classes) * 0x1p-24 + absolute)) &&
           is_near(a->negative_log_likelihood, b->negative_log_likelihood,
                   times * (2 * spacing_at(b->negative_log_likelihood) +
                            absolute * fabs((double)b->negative_log_likelihood)));
}

void compare_statistics(comparison *comparison, const clsoftmax_problem *problem, const clsoftmax_statistics *a,
                        const clsoftmax_statistics *b, uint64_t count)
{
    const double times = problem->accuracy == CLSOFTMAX_ACCURACY_FAST ? 4 : 1;
    for (uint64_t i = 0; i < count; i++) {
        comparison->different += memcmp(&a[i], &b[i], sizeof a[i]) != 0;
        comparison->beyond += !are_within_bounds(&a[i], &b[i], (double)problem->classes, times);
    }
    comparison->values += count;
}
