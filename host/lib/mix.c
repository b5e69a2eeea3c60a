/*
 * Mixes of two losses, a label's and a teacher's: clsoftmax_mix and clsoftmax_distill_labelled of the public header.
 *
 * Each of both losses, and its gradient, is computed by itself as f32. Their weighted sum is made in double, and
 * rounded once: this is the one place where a mix is made, for programs and for the command.
 */
#include "cpu/dtype.h"
#include "status.h"

#include <math.h>
#include <stdlib.h>

/* ---------------------------------------------------------------- Numbers */

static clsoftmax_status check_alpha(float alpha)
{
    CLS_FAIL_IF(!(alpha >= 0 && alpha <= 1), CLSOFTMAX_INVALID_ARGUMENT, "alpha is %g, and not in [0, 1]",
                (double)alpha);
    return CLSOFTMAX_OK;
}

/* Returns alpha a + (1 - alpha) b. A product of two f32 is exact in double. What has no share does not matter, even if
   it is infinite or NaN. */
static double mix_of(double alpha, double a, double b)
{
    return alpha == 0 ? b : alpha == 1 ? a : alpha * a + (1 - alpha) * b;
}

/* Rounds to f32. A NaN becomes the canonical one. */
static float rounded(double value)
{
    return isnan(value) ? core_float_of_bits(0x7FC00000) : (float)value;
}

/* Rounds to f32 so that rounding the result once more, to 16 bits, is like rounding the value once: where f32 does not
   hold it, the last bit becomes 1, so that nothing between two numbers of the smaller type looks like one of them, or
   like the middle of both. */
static float rounded_to_odd(double value)
{
    const float nearest = rounded(value);
    if (!isfinite(nearest) || (double)nearest == value || (core_bits_of_float(nearest) & 1) != 0)
        return nearest;
    return nextafterf(nearest, value > (double)nearest ? INFINITY : -INFINITY);
}

/* ---------------------------------------------------------------- Arrays */

/* Returns the number at a place of an array, or 0 of one that is NULL because it has no share. */
static double number_at(const float *values, uint64_t at)
{
    return values ? (double)values[at] : 0;
}

clsoftmax_status clsoftmax_mix(float alpha, uint64_t count, const float *of_labels, const float *of_teacher,
                               clsoftmax_dtype dtype, void *mixed)
{
    CLS_FORWARD(check_alpha(alpha));
    CLS_FAIL_IF(clsoftmax_dtype_size(dtype) == 0, CLSOFTMAX_INVALID_ARGUMENT, "%d is no dtype", (int)dtype);
    CLS_FAIL_IF(count > 0 && (!mixed || (!of_labels && alpha != 0) || (!of_teacher && alpha != 1)),
                CLSOFTMAX_INVALID_ARGUMENT, "mixed is NULL, or an array that has a share in it");
    float *const wide = mixed;
    uint16_t *const narrow = mixed;
    for (uint64_t i = 0; i < count; i++) {
        const double value = mix_of((double)alpha, number_at(of_labels, i), number_at(of_teacher, i));
        if (dtype == CLSOFTMAX_F32)
            wide[i] = rounded(value);
        else
            narrow[i] =
                dtype == CLSOFTMAX_F16 ? f16_of_float(rounded_to_odd(value)) : bf16_of_float(rounded_to_odd(value));
    }
    return CLSOFTMAX_OK;
}

/* ---------------------------------------------------------------- One call */

/* What is computed from the labels alone, in memory of its own. */
typedef struct labelled {
    float *gradient, *losses; /* gradient is NULL where there is to be none */
    double mean;
} labelled;

/* Computes both losses, and mixes them. The label's is first, since the gradient may take the place of an input. */
static clsoftmax_status compute_and_mix(clsoftmax_context *context, uint64_t rows, uint64_t classes,
                                        const float *student, const float *teacher, float temperature,
                                        const int64_t *labels, float alpha, float *gradient, float *losses,
                                        double *mean, labelled *own)
{
    CLS_FORWARD(clsoftmax_loss(context, rows, classes, student, 1, labels, own->gradient, own->losses, &own->mean));
    CLS_FORWARD(clsoftmax_distill(context, rows, classes, student, teacher, temperature, gradient, losses, mean));
    if (gradient)
        CLS_FORWARD(clsoftmax_mix(alpha, rows * classes, own->gradient, gradient, CLSOFTMAX_F32, gradient));
    if (losses)
        CLS_FORWARD(clsoftmax_mix(alpha, rows, own->losses, losses, CLSOFTMAX_F32, losses));
    int has_labels = 0;
    for (uint64_t r = 0; r < rows; r++)
        has_labels |= (uint64_t)labels[r] < classes;
    if (mean)
        *mean = mix_of((double)alpha, has_labels ? own->mean : 0, *mean);
    return CLSOFTMAX_OK;
}

clsoftmax_status clsoftmax_distill_labelled(clsoftmax_context *context, uint64_t rows, uint64_t classes,
                                            const float *student, const float *teacher, float temperature,
                                            const int64_t *labels, float alpha, float *gradient, float *losses,
                                            double *mean)
{
    CLS_FORWARD(check_alpha(alpha));
    if (alpha == 0)
        return clsoftmax_distill(context, rows, classes, student, teacher, temperature, gradient, losses, mean);
    if (alpha == 1)
        return clsoftmax_loss(context, rows, classes, student, 1, labels, gradient, losses, mean);
    const size_t elements = (size_t)rows * (size_t)classes;
    const int has_gradient = gradient && elements > 0, has_losses = losses && rows > 0;
    labelled own = {has_gradient ? malloc(elements * sizeof(float)) : NULL,
                    has_losses ? malloc((size_t)rows * sizeof(float)) : NULL, 0};
    const int has_memory = (own.gradient || !has_gradient) && (own.losses || !has_losses);
    const clsoftmax_status status =
        has_memory ? compute_and_mix(context, rows, classes, student, teacher, temperature, labels, alpha, gradient,
                                     losses, mean, &own)
                   : cls_fail(CLSOFTMAX_OUT_OF_HOST_MEMORY, "no memory for the gradient of %llu rows of %llu classes",
                              (unsigned long long)rows, (unsigned long long)classes);
    free(own.gradient);
    free(own.losses);
    return status;
}
