/* Distances of f32 from exact numbers: what oracle_f32.h declares. */
#include "oracle_f32.h"

#include <math.h>

double oracle_spacing_at(double size)
{
    int exponent;
    frexp(size, &exponent);
    return size == 0 || exponent - 1 < -126 ? 0x1p-149 : ldexp(1, exponent - 1 - 23);
}

double oracle_ratio_of(float result, mpfr_t exact, double bound)
{
    const double wanted = mpfr_get_d(exact, MPFR_RNDN);
    if (isnan(result))
        return INFINITY;
    if (isinf(result))
        return (result > 0) == (wanted > 0) && fabs(wanted) + bound >= 0x1.ffffffp127 ? 0 : INFINITY;
    mpfr_t difference;
    mpfr_init2(difference, mpfr_get_prec(exact));
    mpfr_sub_d(difference, exact, (double)result, MPFR_RNDN);
    const double error = fabs(mpfr_get_d(difference, MPFR_RNDN));
    mpfr_clear(difference);
    return error == 0 ? 0 : error / bound;
}
