/* The oracle of cross-entropy and its gradient: what oracle_loss.h declares. */
#include "oracle_loss.h"

#include "oracle_f32.h"

#include <math.h>
#include <mpfr.h>

#define PRECISION 400 /* holds differences of any two f32 exactly, and 1 - p down to 2^-149 with 250 bits */

/* What is known of a row. */
typedef struct truth {
    mpfr_t sum, log_sum, log_sum_exp, z, p, exact, scratch;
    float maximum;
} truth;

/* Writes z = (x - max) / T. Returns 0 if it is -inf. */
static int quotient(truth *t, float x, float temperature)
{
    if (x == -INFINITY)
        return 0;
    mpfr_set_flt(t->z, x, MPFR_RNDN);
    mpfr_sub_d(t->z, t->z, (double)t->maximum, MPFR_RNDN);
    if (isinf(temperature))
        mpfr_set_zero(t->z, 1);
    else
        mpfr_div_d(t->z, t->z, (double)temperature, MPFR_RNDN);
    return 1;
}

/* Writes exp(z) of a class; below exp(-4000) it is 0. */
static void exponential(truth *t, mpfr_t out, float x, float temperature)
{
    mpfr_set_zero(out, 1);
    if (quotient(t, x, temperature) && mpfr_cmp_d(t->z, -4000) > 0)
        mpfr_exp(out, t->z, MPFR_RNDN);
}

static void find_truth(truth *t, const loss_case *c)
{
    mpfr_inits2(PRECISION, t->sum, t->log_sum, t->log_sum_exp, t->z, t->p, t->exact, t->scratch, (mpfr_ptr)NULL);
    t->maximum = -INFINITY;
    for (size_t i = 0; i < c->classes; i++)
        t->maximum = c->x[i] > t->maximum ? c->x[i] : t->maximum;
    mpfr_set_zero(t->sum, 1);
    for (size_t i = 0; i < c->classes; i++) {
        exponential(t, t->p, c->x[i], c->temperature);
        mpfr_add(t->sum, t->sum, t->p, MPFR_RNDN);
    }
    mpfr_log(t->log_sum, t->sum, MPFR_RNDN);
    mpfr_set_flt(t->log_sum_exp, t->maximum, MPFR_RNDN);
    if (isinf(c->temperature))
        mpfr_set_zero(t->log_sum_exp, 1);
    else
        mpfr_div_d(t->log_sum_exp, t->log_sum_exp, (double)c->temperature, MPFR_RNDN);
    mpfr_add(t->log_sum_exp, t->log_sum_exp, t->log_sum, MPFR_RNDN);
}

static void release_truth(truth *t)
{
    mpfr_clears(t->sum, t->log_sum, t->log_sum_exp, t->z, t->p, t->exact, t->scratch, (mpfr_ptr)NULL);
}

/* Returns the bound of log_sum_exp beside its last rounding. */
static double log_sum_exp_error(truth *t, const loss_case *c)
{
    return fabs(mpfr_get_d(t->log_sum, MPFR_RNDN)) * 0x1p-25 + (double)c->classes * 0x1p-44;
}

/* Returns 1 if -ln p of the class whose z was found is beyond f32. */
static int exceeds_f32(truth *t)
{
    mpfr_sub(t->exact, t->log_sum, t->z, MPFR_RNDN);
    return mpfr_cmp_d(t->exact, 0x1.ffffffp127) >= 0;
}

double oracle_loss_error(const loss_case *c, float loss)
{
    truth t;
    find_truth(&t, c);
    const int is_finite = quotient(&t, c->x[c->label], c->temperature);
    double ratio;
    if (!is_finite && c->weight > 0) {
        ratio = loss == INFINITY ? 0 : INFINITY;
    } else if (c->weight > 0 && loss == INFINITY && exceeds_f32(&t)) {
        ratio = 0;
    } else {
        mpfr_sub(t.exact, t.log_sum, t.z, MPFR_RNDN);
        mpfr_mul_d(t.exact, t.exact, c->weight > 0 ? (double)c->weight : 0, MPFR_RNDN);
        if (!is_finite)
            mpfr_set_zero(t.exact, 1);
        mpfr_sqr(t.scratch, t.log_sum_exp, MPFR_RNDN);
        mpfr_mul_d(t.scratch, t.scratch, (double)c->z_loss, MPFR_RNDN);
        mpfr_add(t.exact, t.exact, t.scratch, MPFR_RNDN);
        const double size = mpfr_get_d(t.exact, MPFR_RNDN), lse = mpfr_get_d(t.log_sum_exp, MPFR_RNDN);
        const double more = c->z_loss > 0 ? 2 * (double)c->z_loss * fabs(lse) * log_sum_exp_error(&t, c) : 0;
        ratio = oracle_ratio_of(loss, t.exact, oracle_spacing_at(size) + size * (double)c->classes * 0x1p-44 + more);
    }
    release_truth(&t);
    return ratio;
}

/* Writes the exact gradient of a class, and returns its bound. */
static double exact_gradient(truth *t, const loss_case *c, size_t class)
{
    const double w = (double)c->weight, z = (double)c->z_loss, step = fabs((double)c->scale) / (double)c->temperature;
    const double lse = mpfr_get_d(t->log_sum_exp, MPFR_RNDN);
    exponential(t, t->p, c->x[class], c->temperature);
    mpfr_div(t->p, t->p, t->sum, MPFR_RNDN);
    mpfr_set_d(t->exact, 2 * z, MPFR_RNDN);
    mpfr_mul(t->exact, t->exact, t->log_sum_exp, MPFR_RNDN);
    if (class != (size_t)c->label)
        mpfr_add_d(t->exact, t->exact, w, MPFR_RNDN);
    mpfr_mul(t->exact, t->exact, t->p, MPFR_RNDN);
    const double up = fabs(mpfr_get_d(t->exact, MPFR_RNDN)) * step;
    if (class == (size_t)c->label) {
        mpfr_ui_sub(t->scratch, 1, t->p, MPFR_RNDN);
        mpfr_mul_d(t->scratch, t->scratch, w, MPFR_RNDN);
        mpfr_sub(t->exact, t->exact, t->scratch, MPFR_RNDN);
    }
    mpfr_mul_d(t->exact, t->exact, (double)c->scale, MPFR_RNDN);
    mpfr_div_d(t->exact, t->exact, (double)c->temperature, MPFR_RNDN);
    /* Two ULP of the element; at the label, where a z-loss may take most of it away, of the larger term. */
    const double size = fabs(mpfr_get_d(t->exact, MPFR_RNDN)), larger = size > up ? size : up;
    const double p = mpfr_get_d(t->p, MPFR_RNDN);
    const double of_lse = z > 0 ? 2 * z * p * step * (log_sum_exp_error(t, c) + fabs(lse) * 0x1p-44) : 0;
    const double of_rest = class == (size_t)c->label ? (double)c->classes * 0x1p-171 * w * step : 0;
    return 2 * oracle_spacing_at(larger) + larger * (double)c->classes * 0x1p-44 + of_lse + of_rest;
}

double oracle_gradient_error(const loss_case *c, const float *gradient, size_t *worst)
{
    truth t;
    double largest = 0;
    find_truth(&t, c);
    for (size_t i = 0; i < c->classes; i++) {
        const double bound = exact_gradient(&t, c, i), ratio = oracle_ratio_of(gradient[i], t.exact, bound);
        const int is_masked = c->x[i] == -INFINITY && i != (size_t)c->label;
        const double error = is_masked && (gradient[i] != 0 || signbit(gradient[i])) ? INFINITY : ratio;
        if (error > largest) {
            largest = error;
            *worst = i;
        }
    }
    release_truth(&t);
    return largest;
}
