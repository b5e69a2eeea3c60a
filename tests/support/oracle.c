/* The oracle of probabilities: what oracle.h declares. */
#include "oracle.h"

#include <math.h>
#include <mpfr.h>
#include <stdlib.h>
#include <string.h>

#define PRECISION 160            /* of exponentials and sums: 136 bits beyond f32's 24 */
#define DIFFERENCE_PRECISION 320 /* holds FLT_MAX - 2^-149 exactly */

static uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* Returns 1 if the contract makes all results of the row NaN. */
static int is_nan_row(const float *x, size_t classes)
{
    int finite = 0;
    for (size_t i = 0; i < classes; i++) {
        if (isnan(x[i]) || x[i] == INFINITY)
            return 1;
        finite |= x[i] != -INFINITY;
    }
    return !finite;
}

/* Writes exp((x - maximum) / temperature), and its limits at T = 0 and at infinity. */
static void weight(mpfr_t out, float x, float maximum, float temperature, mpfr_t difference)
{
    if (x == -INFINITY || (temperature == 0 && x != maximum)) {
        mpfr_set_zero(out, 1);
        return;
    }
    if (x == maximum || isinf(temperature)) {
        mpfr_set_ui(out, 1, MPFR_RNDN);
        return;
    }
    mpfr_set_flt(difference, x, MPFR_RNDN);
    mpfr_sub_d(difference, difference, (double)maximum, MPFR_RNDN);
    mpfr_div_d(difference, difference, (double)temperature, MPFR_RNDN);
    if (mpfr_cmp_d(difference, -300.0) < 0) /* below 2^-432: no part of a sum of 1 or more, and 0 in f32 */
        mpfr_set_zero(out, 1);
    else
        mpfr_exp(out, difference, MPFR_RNDN);
}

/* Returns |p - exact| in units of the f32 spacing at exact, which is in [0, 1]. */
static double ulp_error(float p, mpfr_t exact, mpfr_t scratch)
{
    if (isnan(p))
        return INFINITY;
    long exponent = mpfr_zero_p(exact) ? -200 : mpfr_get_exp(exact) - 1; /* 2^exponent <= exact */
    long spacing = exponent < -126 ? -149 : exponent - 23;
    mpfr_set_flt(scratch, p, MPFR_RNDN);
    mpfr_sub(scratch, scratch, exact, MPFR_RNDN);
    mpfr_mul_2si(scratch, scratch, -spacing, MPFR_RNDN);
    return fabs(mpfr_get_d(scratch, MPFR_RNDN));
}

/* Checks a row all of whose results must be the canonical NaN. */
static row_error special_row_error(const float *p, size_t classes)
{
    row_error error = {0, 0, NAN};
    for (size_t i = 0; i < classes; i++) {
        if (bits_of(p[i]) == 0x7FC00000)
            continue;
        error.ulp = INFINITY;
        error.class = i;
    }
    return error;
}

row_error oracle_row_error(const float *x, const float *p, size_t classes, float temperature)
{
    if (is_nan_row(x, classes))
        return special_row_error(p, classes);
    float maximum = -INFINITY;
    for (size_t i = 0; i < classes; i++)
        maximum = x[i] > maximum ? x[i] : maximum;

    mpfr_t difference, exact, scratch, sum, *weights = malloc(classes * sizeof *weights);
    mpfr_init2(difference, DIFFERENCE_PRECISION);
    mpfr_inits2(PRECISION, exact, scratch, sum, (mpfr_ptr)NULL);
    mpfr_set_zero(sum, 1);
    for (size_t i = 0; i < classes; i++) {
        mpfr_init2(weights[i], PRECISION);
        weight(weights[i], x[i], maximum, temperature, difference);
        mpfr_add(sum, sum, weights[i], MPFR_RNDN);
    }
    row_error error = {0, 0, 0};
    for (size_t i = 0; i < classes; i++) {
        mpfr_div(exact, weights[i], sum, MPFR_RNDN);
        double ulp = ulp_error(p[i], exact, scratch);
        if (x[i] == -INFINITY && bits_of(p[i]) != 0)
            ulp = INFINITY; /* a mask is +0, not nearly 0 */
        if (ulp > error.ulp) {
            error.ulp = ulp;
            error.class = i;
            error.exact = mpfr_get_d(exact, MPFR_RNDN);
        }
        mpfr_clear(weights[i]);
    }
    mpfr_clears(difference, exact, scratch, sum, (mpfr_ptr)NULL);
    free(weights);
    return error;
}
