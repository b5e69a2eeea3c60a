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

/* Returns 1 if gradients are differences of probabilities and targets, as those of smoothed labels are, too. */
static int is_difference_from_targets(const clsoftmax_problem *problem)
{
    return clsoftmax_operation_has_targets(problem->operation) ||
           problem->operation == CLSOFTMAX_OPERATION_SMOOTHED_CROSS_ENTROPY ||
           problem->operation == CLSOFTMAX_OPERATION_SMOOTHED_CROSS_ENTROPY_GRADIENT;
}

allowance allowed_error(const clsoftmax_problem *problem, double temperature, double largest)
{
    const double classes = (double)problem->classes, times = problem->accuracy == CLSOFTMAX_ACCURACY_FAST ? 4 : 1;
    if (problem->operation == CLSOFTMAX_OPERATION_SOFTMAX)
        return (allowance){0, 0};
    if (problem->operation == CLSOFTMAX_OPERATION_SENSITIVITY) /* no d * p is above 1 / e, and E[d] is below ln C + 1 */
        return (allowance){
            0, temperature > 0 ? times * (6 * 0x1p-24 * (2 + log(classes)) + classes * 0x1p-43) / temperature : 0};
    if (problem->operation ==
        CLSOFTMAX_OPERATION_REVERSE_DISTILLATION_GRADIENT) { /* p (d - loss), d as uncertain as it */
        const double step = problem->temperature_squared ? temperature : temperature > 0 ? 1 / temperature : 0;
        const double loss = problem->temperature_squared ? largest / temperature : largest * step;
        return (allowance){times * 16 * 0x1p-24, times * (16 * 0x1p-24 + classes * 0x1p-41) * (step + loss)};
    }
    if (clsoftmax_operation_has_teacher(
            problem->operation)) { /* where probabilities are nearly 1, a difference is as uncertain as they are */
        const double step = problem->temperature_squared ? temperature : temperature > 0 ? 1 / temperature : 0;
        return (allowance){0, times * (4 * 0x1p-24 + classes * 0x1p-43) * step};
    }
    if (is_difference_from_targets(problem)) /* likewise; the targets of a row add up to 1 */
        return (allowance){0, temperature > 0 ? times * (4 * 0x1p-24 + classes * 0x1p-41) / temperature : 0};
    if (problem->operation == CLSOFTMAX_OPERATION_LOG_SOFTMAX_BACKWARD)
        largest *= classes;
    if (clsoftmax_operation_has_operand(problem->operation))
        return (allowance){0, temperature > 0 ? times * (8 * 0x1p-24 + classes * 0x1p-43) * largest / temperature : 0};
    return (allowance){classes * 0x1p-44, 0};
}

/* Returns the error of a derivative by T, times its row's weight of 1. Mean distances are at most ln C. Where the
   operand of a log-softmax is not negative, no larger number than the derivative and these is added up. */
static allowance allowed_temperature_error(const clsoftmax_problem *problem, double temperature, double largest)
{
    const double classes = (double)problem->classes, times = problem->accuracy == CLSOFTMAX_ACCURACY_FAST ? 4 : 1;
    const int is_softmax = problem->operation == CLSOFTMAX_OPERATION_SOFTMAX_TEMPERATURE_GRADIENT;
    const double of_means = (is_softmax ? 1 : classes) * largest * (1 + log(classes));
    return (allowance){times * 0x1p-19,
                       temperature > 0 ? times * (16 * 0x1p-24 + classes * 0x1p-41) * of_means / temperature + 0x1p-148
                                       : 0};
}

allowance allowed_loss_error(const clsoftmax_problem *problem, double temperature, double largest)
{
    if (problem->operation == CLSOFTMAX_OPERATION_SOFTMAX_TEMPERATURE_GRADIENT ||
        problem->operation == CLSOFTMAX_OPERATION_LOG_SOFTMAX_TEMPERATURE_GRADIENT)
        return allowed_temperature_error(problem, temperature, largest);
    if (is_difference_from_targets(problem))
        return (allowance){
            (problem->accuracy == CLSOFTMAX_ACCURACY_FAST ? 4 : 1) * (0x1p-21 + (double)problem->classes * 0x1p-41), 0};
    const double absolute =
        (double)problem->classes * (problem->accuracy == CLSOFTMAX_ACCURACY_FAST ? 0x1p-39 : 0x1p-41);
    double squared = problem->temperature_squared ? temperature * temperature : 1;
    if (problem->temperature_squared && temperature < 0x1p-100) /* logarithms of probabilities may be beyond f32 */
        squared = INFINITY;
    /* no term is larger than the divergence and 1 together */
    return clsoftmax_operation_has_teacher(problem->operation) ? (allowance){absolute, absolute * squared}
                                                               : (allowance){(double)problem->classes * 0x1p-44, 0};
}

uint64_t allowed_ulp(const clsoftmax_problem *problem)
{
    const uint64_t times = problem->operation == CLSOFTMAX_OPERATION_CROSS_ENTROPY_GRADIENT ? 2
                           : clsoftmax_operation_has_teacher(problem->operation)            ? 4
                                                                                            : 1;
    return times * (problem->accuracy == CLSOFTMAX_ACCURACY_FAST && problem->results_dtype == CLSOFTMAX_F32 ? 4 : 1);
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
