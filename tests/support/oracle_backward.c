/* The oracle of the derivatives of probabilities: what oracle_backward.h declares. */
#include "oracle_backward.h"

#include <math.h>
#include <mpfr.h>
#include <stdlib.h>

#define PRECISION 400 /* holds differences of any two f32 exactly, and of means that nearly cancel with 200 bits */

/* What is known of a row: the probability and the number y of each class, whose mean is taken; the mean of y and that
   of |y|; the sum of y. y is the operand, or for a sensitivity (max - x) / T. */
typedef struct truth {
    mpfr_t *p, *y;
    mpfr_t mean, mean_size, sum, of_class, scratch;
    double largest; /* |y| */
} truth;

/* Writes (max - x) / T; a logit of -inf has 0, since its probability is 0. */
static void distance(const backward_case *c, float maximum, size_t i, mpfr_t out)
{
    mpfr_set_zero(out, 1);
    if (isinf(c->temperature) || c->x[i] == -INFINITY)
        return;
    mpfr_set_flt(out, maximum, MPFR_RNDN);
    mpfr_sub_d(out, out, (double)c->x[i], MPFR_RNDN);
    mpfr_div_d(out, out, (double)c->temperature, MPFR_RNDN);
}

static void find_probabilities(const backward_case *c, truth *t)
{
    float maximum = -INFINITY;
    for (size_t i = 0; i < c->classes; i++)
        maximum = c->x[i] > maximum ? c->x[i] : maximum;
    mpfr_set_zero(t->sum, 1);
    for (size_t i = 0; i < c->classes; i++) {
        distance(c, maximum, i, t->y[i]);
        mpfr_neg(t->scratch, t->y[i], MPFR_RNDN);
        if (c->x[i] == -INFINITY || mpfr_cmp_d(t->scratch, -4000) < 0)
            mpfr_set_zero(t->p[i], 1);
        else
            mpfr_exp(t->p[i], t->scratch, MPFR_RNDN);
        mpfr_add(t->sum, t->sum, t->p[i], MPFR_RNDN);
        if (c->operation != CLSOFTMAX_OPERATION_SENSITIVITY)
            mpfr_set_flt(t->y[i], c->g[i], MPFR_RNDN);
    }
    for (size_t i = 0; i < c->classes; i++)
        mpfr_div(t->p[i], t->p[i], t->sum, MPFR_RNDN);
}

static void find_means(const backward_case *c, truth *t)
{
    mpfr_set_zero(t->mean, 1);
    mpfr_set_zero(t->mean_size, 1);
    mpfr_set_zero(t->sum, 1);
    t->largest = 0;
    for (size_t i = 0; i < c->classes; i++) {
        mpfr_mul(t->scratch, t->p[i], t->y[i], MPFR_RNDN);
        mpfr_add(t->mean, t->mean, t->scratch, MPFR_RNDN);
        mpfr_abs(t->scratch, t->scratch, MPFR_RNDN);
        mpfr_add(t->mean_size, t->mean_size, t->scratch, MPFR_RNDN);
        mpfr_add(t->sum, t->sum, t->y[i], MPFR_RNDN);
        const double size = fabs(mpfr_get_d(t->y[i], MPFR_RNDN));
        t->largest = size > t->largest ? size : t->largest;
    }
}

/* Writes the exact result of a class, and returns its bound. */
static double exact_result(const backward_case *c, truth *t, size_t i)
{
    const double u = 0x1p-24, p = mpfr_get_d(t->p[i], MPFR_RNDN), y = fabs(mpfr_get_d(t->y[i], MPFR_RNDN));
    const double mean_size = mpfr_get_d(t->mean_size, MPFR_RNDN), sum = fabs(mpfr_get_d(t->sum, MPFR_RNDN));
    const double of_sums = (double)c->classes * 0x1p-44 * p * t->largest, temperature = (double)c->temperature;
    double bound = 4 * u * p * (y + mean_size) + of_sums + 0x1p-149 * (y + mean_size);
    if (c->operation == CLSOFTMAX_OPERATION_SENSITIVITY)
        bound = 6 * u * p * (y + mean_size) + (double)c->classes * 0x1p-43 * p + 0x1p-149 * mean_size;
    if (c->operation == CLSOFTMAX_OPERATION_LOG_SOFTMAX_BACKWARD) {
        bound = 4 * u * (y + p * sum) + of_sums + 0x1p-149 * sum;
        mpfr_mul(t->of_class, t->p[i], t->sum, MPFR_RNDN);
        mpfr_sub(t->of_class, t->y[i], t->of_class, MPFR_RNDN);
    } else {
        mpfr_sub(t->of_class, t->y[i], t->mean, MPFR_RNDN);
        mpfr_mul(t->of_class, t->p[i], t->of_class, MPFR_RNDN);
    }
    if (isinf(c->temperature))
        mpfr_set_zero(t->of_class, 1);
    else
        mpfr_div_d(t->of_class, t->of_class, temperature, MPFR_RNDN);
    return (isinf(c->temperature) ? 0 : bound / temperature) + 0x1p-148; /* two roundings may be subnormal */
}

static double error_of(const backward_case *c, truth *t, size_t i, float result)
{
    const double bound = exact_result(c, t, i), wanted = mpfr_get_d(t->of_class, MPFR_RNDN);
    if (isnan(result))
        return INFINITY;
    if (isinf(result))
        return (result > 0) == (wanted > 0) && fabs(wanted) + bound >= 0x1.ffffffp127 ? 0 : INFINITY;
    mpfr_sub_d(t->scratch, t->of_class, (double)result, MPFR_RNDN);
    const double error = fabs(mpfr_get_d(t->scratch, MPFR_RNDN));
    return error == 0 ? 0 : error / bound;
}

static void begin(const backward_case *c, truth *t)
{
    t->p = malloc(c->classes * sizeof *t->p);
    t->y = malloc(c->classes * sizeof *t->y);
    mpfr_inits2(PRECISION, t->mean, t->mean_size, t->sum, t->of_class, t->scratch, (mpfr_ptr)NULL);
    for (size_t i = 0; i < c->classes; i++)
        mpfr_inits2(PRECISION, t->p[i], t->y[i], (mpfr_ptr)NULL);
    find_probabilities(c, t);
}

static void end(const backward_case *c, truth *t)
{
    for (size_t i = 0; i < c->classes; i++)
        mpfr_clears(t->p[i], t->y[i], (mpfr_ptr)NULL);
    mpfr_clears(t->mean, t->mean_size, t->sum, t->of_class, t->scratch, (mpfr_ptr)NULL);
    free(t->p);
    free(t->y);
}

double oracle_backward_error(const backward_case *c, const float *results, size_t *worst)
{
    truth t;
    double largest = 0;
    begin(c, &t);
    find_means(c, &t);
    for (size_t i = 0; i < c->classes; i++) {
        const double error = error_of(c, &t, i, results[i]);
        if (error > largest || i == 0)
            *worst = i;
        largest = error > largest ? error : largest;
    }
    end(c, &t);
    return largest;
}

/* Adds up p y d, or y d, with the sizes of its terms, and what the mean of d takes from it: into mean and mean_size.
   Writes the bound of all that, but for T and the weight. */
static double exact_derivative(const backward_case *c, truth *t, float maximum)
{
    const int is_softmax = c->operation == CLSOFTMAX_OPERATION_SOFTMAX_TEMPERATURE_GRADIENT;
    double sizes = 0, share_sizes = 0, distances = 0, largest = 0, largest_operand = 0;
    mpfr_t share, mean, shares;
    mpfr_inits2(PRECISION, share, mean, shares, (mpfr_ptr)NULL);
    mpfr_set_zero(t->of_class, 1);
    mpfr_set_zero(mean, 1);
    mpfr_set_zero(shares, 1);
    for (size_t i = 0; i < c->classes; i++) {
        distance(c, maximum, i, t->scratch);
        mpfr_mul(t->sum, t->p[i], t->scratch, MPFR_RNDN);
        mpfr_add(mean, mean, t->sum, MPFR_RNDN);
        mpfr_set(share, t->y[i], MPFR_RNDN);
        if (is_softmax)
            mpfr_mul(share, share, t->p[i], MPFR_RNDN);
        mpfr_add(shares, shares, share, MPFR_RNDN);
        share_sizes += fabs(mpfr_get_d(share, MPFR_RNDN));
        mpfr_mul(share, share, t->scratch, MPFR_RNDN);
        mpfr_add(t->of_class, t->of_class, share, MPFR_RNDN);
        const double size = fabs(mpfr_get_d(share, MPFR_RNDN)), operand = fabs((double)c->g[i]);
        sizes += size;
        largest = size > largest ? size : largest;
        largest_operand = operand > largest_operand ? operand : largest_operand;
    }
    distances = mpfr_get_d(mean, MPFR_RNDN);
    const double sum = is_softmax ? share_sizes : fabs(mpfr_get_d(shares, MPFR_RNDN));
    mpfr_mul(mean, mean, shares, MPFR_RNDN);
    mpfr_sub(t->of_class, t->of_class, mean, MPFR_RNDN);
    mpfr_clears(share, mean, shares, (mpfr_ptr)NULL);
    const double unit = (double)c->classes * 0x1p-42;
    return 8 * 0x1p-24 * (sizes + sum * distances) + unit * (largest + largest_operand * (1 + distances));
}

double oracle_temperature_error(const backward_case *c, float weight, float derivative)
{
    truth t;
    float maximum = -INFINITY;
    for (size_t i = 0; i < c->classes; i++)
        maximum = c->x[i] > maximum ? c->x[i] : maximum;
    begin(c, &t);
    double bound = exact_derivative(c, &t, maximum);
    if (isinf(c->temperature)) {
        mpfr_set_zero(t.of_class, 1);
        bound = 0;
    } else {
        mpfr_div_d(t.of_class, t.of_class, (double)c->temperature, MPFR_RNDN);
        mpfr_mul_d(t.of_class, t.of_class, (double)weight, MPFR_RNDN);
        bound = bound / (double)c->temperature * (double)weight;
    }
    const double wanted = mpfr_get_d(t.of_class, MPFR_RNDN);
    bound += 0x1p-148;
    double error = isnan(derivative) ? INFINITY : 0;
    if (isinf(derivative))
        error = (derivative > 0) == (wanted > 0) && fabs(wanted) + bound >= 0x1.ffffffp127 ? 0 : INFINITY;
    else if (!isnan(derivative)) {
        mpfr_sub_d(t.scratch, t.of_class, (double)derivative, MPFR_RNDN);
        error = fabs(mpfr_get_d(t.scratch, MPFR_RNDN)) / bound;
    }
    end(c, &t);
    return error;
}
