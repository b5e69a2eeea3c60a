/* The oracle of cross-entropy with targets: what oracle_targets.h declares. */
#include "oracle_targets.h"

#include "oracle_f32.h"

#include <math.h>
#include <mpfr.h>

#define PRECISION 400 /* holds differences of any two f32 exactly, and probabilities down to 2^-149 with 250 bits */

/* What is known of a row. */
typedef struct truth {
    mpfr_t sum, log_sum, log_sum_exp, z, p, target, all_targets, exact, scratch;
    float maximum;
    double unmasked; /* classes that are not -inf */
} truth;

/* Writes z = (x - max) / T of a class. Returns 0 if it is -inf. */
static int quotient(truth *t, const targets_case *c, size_t class)
{
    if (c->x[class] == -INFINITY)
        return 0;
    mpfr_set_flt(t->z, c->x[class], MPFR_RNDN);
    mpfr_sub_d(t->z, t->z, (double)t->maximum, MPFR_RNDN);
    if (isinf(c->temperature))
        mpfr_set_zero(t->z, 1);
    else
        mpfr_div_d(t->z, t->z, (double)c->temperature, MPFR_RNDN);
    return 1;
}

/* Writes exp(z) of a class into p; below exp(-4000) it is 0. */
static void exponential(truth *t, const targets_case *c, size_t class)
{
    mpfr_set_zero(t->p, 1);
    if (quotient(t, c, class) && mpfr_cmp_d(t->z, -4000) > 0)
        mpfr_exp(t->p, t->z, MPFR_RNDN);
}

/* Writes the target of a class. */
static void find_target(truth *t, const targets_case *c, size_t class)
{
    if (c->targets) {
        mpfr_set_flt(t->target, c->targets[class], MPFR_RNDN);
        return;
    }
    mpfr_set_flt(t->target, c->x[class] == -INFINITY ? 0 : c->smoothing, MPFR_RNDN);
    mpfr_div_d(t->target, t->target, t->unmasked, MPFR_RNDN);
    if ((int64_t) class == c->label) {
        mpfr_add_ui(t->target, t->target, 1, MPFR_RNDN);
        mpfr_sub_d(t->target, t->target, (double)c->smoothing, MPFR_RNDN);
    }
}

static void find_truth(truth *t, const targets_case *c)
{
    mpfr_inits2(PRECISION, t->sum, t->log_sum, t->log_sum_exp, t->z, t->p, t->target, t->all_targets, t->exact,
                t->scratch, (mpfr_ptr)NULL);
    t->maximum = -INFINITY;
    t->unmasked = 0;
    for (size_t i = 0; i < c->classes; i++) {
        t->maximum = c->x[i] > t->maximum ? c->x[i] : t->maximum;
        t->unmasked += c->x[i] > -INFINITY ? 1 : 0;
    }
    mpfr_set_zero(t->sum, 1);
    mpfr_set_zero(t->all_targets, 1);
    for (size_t i = 0; i < c->classes; i++) {
        exponential(t, c, i);
        mpfr_add(t->sum, t->sum, t->p, MPFR_RNDN);
        find_target(t, c, i);
        mpfr_add(t->all_targets, t->all_targets, t->target, MPFR_RNDN);
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
    mpfr_clears(t->sum, t->log_sum, t->log_sum_exp, t->z, t->p, t->target, t->all_targets, t->exact, t->scratch,
                (mpfr_ptr)NULL);
}

/* Returns the bound of log_sum_exp beside its last rounding. */
static double log_sum_exp_error(truth *t, const targets_case *c)
{
    return fabs(mpfr_get_d(t->log_sum, MPFR_RNDN)) * 0x1p-25 + (double)c->classes * 0x1p-44;
}

/* Writes the sum of targets times -ln p into `exact`. Returns 0 if a class with a target is masked, and -1 if the sum
   is beyond f32, or the distance of one may be, so that the loss may be infinite. */
static int likelihood(truth *t, const targets_case *c)
{
    int is_finite = 1;
    mpfr_set_zero(t->exact, 1);
    for (size_t i = 0; i < c->classes; i++) {
        find_target(t, c, i);
        if (mpfr_zero_p(t->target))
            continue;
        if (!quotient(t, c, i))
            return 0;
        is_finite = mpfr_cmp_d(t->z, -0x1p125) < 0 ? -1 : is_finite;
        mpfr_sub(t->z, t->log_sum, t->z, MPFR_RNDN);
        mpfr_mul(t->z, t->z, t->target, MPFR_RNDN);
        mpfr_add(t->exact, t->exact, t->z, MPFR_RNDN);
    }
    return mpfr_cmp_d(t->exact, 0x1.fffffep127) > 0 ? -1 : is_finite;
}

double oracle_targets_error(const targets_case *c, float loss)
{
    truth t;
    find_truth(&t, c);
    const int is_finite = c->weight > 0 ? likelihood(&t, c) : 1;
    double ratio = loss == INFINITY ? 0 : INFINITY;
    if (c->weight == 0)
        mpfr_set_zero(t.exact, 1);
    if (is_finite == 1 || (is_finite == -1 && loss != INFINITY)) {
        mpfr_mul_d(t.exact, t.exact, (double)c->weight, MPFR_RNDN);
        mpfr_sqr(t.scratch, t.log_sum_exp, MPFR_RNDN);
        mpfr_mul_d(t.scratch, t.scratch, (double)c->z_loss, MPFR_RNDN);
        mpfr_add(t.exact, t.exact, t.scratch, MPFR_RNDN);
        const double size = mpfr_get_d(t.exact, MPFR_RNDN), lse = mpfr_get_d(t.log_sum_exp, MPFR_RNDN);
        const double more = c->z_loss > 0 ? 2 * (double)c->z_loss * fabs(lse) * log_sum_exp_error(&t, c) : 0;
        ratio =
            oracle_ratio_of(loss, t.exact, 3 * oracle_spacing_at(size) + size * (double)c->classes * 0x1p-42 + more);
    }
    release_truth(&t);
    return ratio;
}

/* Writes the exact gradient of a class, and returns its bound. */
static double exact_gradient(truth *t, const targets_case *c, size_t class)
{
    const double w = (double)c->weight, z = (double)c->z_loss, step = fabs((double)c->scale) / (double)c->temperature;
    const double lse = mpfr_get_d(t->log_sum_exp, MPFR_RNDN);
    exponential(t, c, class);
    mpfr_div(t->p, t->p, t->sum, MPFR_RNDN);
    find_target(t, c, class);
    mpfr_mul_d(t->exact, t->all_targets, w, MPFR_RNDN);
    mpfr_mul_d(t->scratch, t->log_sum_exp, 2 * z, MPFR_RNDN);
    mpfr_add(t->exact, t->exact, t->scratch, MPFR_RNDN);
    mpfr_mul(t->exact, t->exact, t->p, MPFR_RNDN);
    const double up = fabs(mpfr_get_d(t->exact, MPFR_RNDN)) * step;
    mpfr_mul_d(t->target, t->target, w, MPFR_RNDN);
    const double down = mpfr_get_d(t->target, MPFR_RNDN) * step;
    mpfr_sub(t->exact, t->exact, t->target, MPFR_RNDN);
    mpfr_mul_d(t->exact, t->exact, (double)c->scale, MPFR_RNDN);
    mpfr_div_d(t->exact, t->exact, (double)c->temperature, MPFR_RNDN);
    const double size = fabs(mpfr_get_d(t->exact, MPFR_RNDN)), larger = up > down ? up : down;
    const double p = mpfr_get_d(t->p, MPFR_RNDN);
    const double of_lse = z > 0 ? 2 * z * p * step * (log_sum_exp_error(t, c) + fabs(lse) * 0x1p-44) : 0;
    return oracle_spacing_at(size) / 2 + (oracle_spacing_at(larger) + larger * (double)c->classes * 0x1p-42) / 2 +
           of_lse + w * step * 0x1p-149;
}

double oracle_targets_gradient_error(const targets_case *c, const float *gradient, size_t *worst)
{
    truth t;
    double largest = 0;
    find_truth(&t, c);
    for (size_t i = 0; i < c->classes; i++) {
        const double bound = exact_gradient(&t, c, i), error = oracle_ratio_of(gradient[i], t.exact, bound);
        if (error > largest) {
            largest = error;
            *worst = i;
        }
    }
    release_truth(&t);
    return largest;
}
