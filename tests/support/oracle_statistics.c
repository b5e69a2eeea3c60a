/* The oracle of log-probabilities and statistics: what oracle_statistics.h declares. */
#include "oracle_statistics.h"

#include "oracle_f32.h"

#include <math.h>
#include <mpfr.h>
#include <stdlib.h>

#define PRECISION 320 /* holds differences of any two f32 exactly, and the quotients far beyond f32 */

typedef struct truth {
    mpfr_t log_sum, sum, entropy, z, scratch, quotient;
    float maximum, second;
    size_t argmax;
} truth;

/* Writes z = (x - maximum) / temperature. Returns 0 if it is -inf. */
static int quotient(mpfr_t out, float x, float maximum, float temperature)
{
    if (x == maximum) {
        mpfr_set_zero(out, 1);
        return 1;
    }
    if (x == -INFINITY || temperature == 0)
        return 0;
    mpfr_set_flt(out, x, MPFR_RNDN);
    mpfr_sub_d(out, out, (double)maximum, MPFR_RNDN);
    if (isinf(temperature))
        mpfr_set_zero(out, 1);
    else
        mpfr_div_d(out, out, (double)temperature, MPFR_RNDN);
    return 1;
}

static void find_truth(truth *t, const float *x, size_t classes, float temperature)
{
    mpfr_inits2(PRECISION, t->log_sum, t->sum, t->entropy, t->z, t->scratch, t->quotient, (mpfr_ptr)NULL);
    t->maximum = t->second = -INFINITY;
    for (size_t i = 0; i < classes; i++) {
        if (i == 0 || x[i] > t->maximum) {
            t->second = i == 0 ? -INFINITY : t->maximum;
            t->maximum = x[i];
            t->argmax = i;
        } else if (x[i] > t->second) {
            t->second = x[i];
        }
    }
    mpfr_set_zero(t->sum, 1);
    mpfr_set_zero(t->entropy, 1);
    for (size_t i = 0; i < classes; i++) {
        if (!quotient(t->z, x[i], t->maximum, temperature) || mpfr_cmp_d(t->z, -400) < 0)
            continue;
        mpfr_exp(t->scratch, t->z, MPFR_RNDN);
        mpfr_add(t->sum, t->sum, t->scratch, MPFR_RNDN);
        mpfr_mul(t->scratch, t->scratch, t->z, MPFR_RNDN);
        mpfr_sub(t->entropy, t->entropy, t->scratch, MPFR_RNDN);
    }
    mpfr_log(t->log_sum, t->sum, MPFR_RNDN);
    mpfr_div(t->entropy, t->entropy, t->sum, MPFR_RNDN);
    mpfr_add(t->entropy, t->entropy, t->log_sum, MPFR_RNDN);
}

static void release_truth(truth *t)
{
    mpfr_clears(t->log_sum, t->sum, t->entropy, t->z, t->scratch, t->quotient, (mpfr_ptr)NULL);
}

/* Returns |result - exact|. */
static double difference(float result, mpfr_t exact)
{
    mpfr_t d;
    mpfr_init2(d, PRECISION);
    mpfr_sub_d(d, exact, (double)result, MPFR_RNDN);
    double value = fabs(mpfr_get_d(d, MPFR_RNDN));
    mpfr_clear(d);
    return value;
}

/* Returns the error of one log-probability, as oracle_log_error. */
static double log_error(truth *t, float x, float p, size_t classes, float temperature)
{
    if (!quotient(t->z, x, t->maximum, temperature))
        return p == -INFINITY ? 0 : INFINITY;
    mpfr_sub(t->scratch, t->z, t->log_sum, MPFR_RNDN);
    double exact = mpfr_get_d(t->scratch, MPFR_RNDN);
    if (exact < -0x1.ffffffp127) /* rounds to -inf */
        return p == -INFINITY ? 0 : INFINITY;
    if (isnan(p) || isinf(p) || (p == 0 && signbit(p)))
        return isinf(p) && exact < -0x1.fffffcp127 ? 1 : INFINITY;
    double beyond = difference(p, t->scratch) - (double)classes * 0x1p-44 * fabs(exact);
    return beyond > 0 ? beyond / oracle_spacing_at(exact) : 0;
}

double oracle_log_error(const float *x, const float *p, size_t classes, float temperature)
{
    truth t;
    find_truth(&t, x, classes, temperature);
    double worst = 0;
    for (size_t i = 0; i < classes; i++) {
        double error = log_error(&t, x[i], p[i], classes, temperature);
        worst = error > worst ? error : worst;
    }
    release_truth(&t);
    return worst;
}

/* Keeps the larger error and its name. A NaN counts as infinite: as it is, the next error would take its place. */
static void worse(double ratio, const char *name, double *worst, const char **which)
{
    if (isnan(ratio))
        ratio = INFINITY;
    if (ratio > *worst) {
        *worst = ratio;
        *which = name;
    }
}

double oracle_statistics_error(const float *x, const clsoftmax_statistics *s, size_t classes, float temperature,
                               int64_t label, const char **which)
{
    truth t;
    find_truth(&t, x, classes, temperature);
    double worst = 0, c = (double)classes, log_sum = mpfr_get_d(t.log_sum, MPFR_RNDN);
    worse(s->maximum == t.maximum && s->argmax == (int64_t)t.argmax ? 0 : INFINITY, "maximum or argmax", &worst, which);

    mpfr_ui_div(t.scratch, 1, t.sum, MPFR_RNDN);
    double largest = mpfr_get_d(t.scratch, MPFR_RNDN), ulp = oracle_spacing_at(largest);
    worse(difference(s->largest_probability, t.scratch) / ulp, "largest probability", &worst, which);

    if (quotient(t.z, t.second, t.maximum, temperature) && mpfr_cmp_d(t.z, -400) > 0) {
        mpfr_expm1(t.z, t.z, MPFR_RNDN);
        mpfr_mul(t.scratch, t.scratch, t.z, MPFR_RNDN);
        mpfr_neg(t.scratch, t.scratch, MPFR_RNDN);
    }
    worse(difference(s->margin, t.scratch) / ulp, "margin", &worst, which);

    double entropy = mpfr_get_d(t.entropy, MPFR_RNDN);
    worse(difference(s->entropy, t.entropy) / (4 * oracle_spacing_at(entropy) + c * 0x1p-42), "entropy", &worst, which);

    if (label >= 0) {
        double error = log_error(&t, x[label], -s->negative_log_likelihood + 0.0f, classes, temperature);
        worse(error, "negative log-likelihood", &worst, which);
    }
    mpfr_set_flt(t.z, t.maximum, MPFR_RNDN);
    if (isinf(temperature))
        mpfr_set_zero(t.z, 1);
    else if (temperature != 0)
        mpfr_div_d(t.z, t.z, (double)temperature, MPFR_RNDN);
    mpfr_add(t.z, t.z, t.log_sum, MPFR_RNDN);
    double exact = mpfr_get_d(t.z, MPFR_RNDN);
    if (fabs(exact) >= 0x1.ffffffp127 || (temperature == 0 && t.maximum != 0))
        worse(isinf(s->log_sum_exp) && signbit(s->log_sum_exp) == signbit(t.maximum) ? 0 : INFINITY, "log-sum-exp",
              &worst, which);
    else
        worse(difference(s->log_sum_exp, t.z) / (oracle_spacing_at(exact) + fabs(log_sum) * 0x1p-25 + c * 0x1p-44),
              "log-sum-exp", &worst, which);
    release_truth(&t);
    return worst;
}
