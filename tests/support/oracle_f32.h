/* How far an f32 is from an exact number. Used by the oracles whose bounds are numbers. */
#ifndef CLSOFTMAX_ORACLE_F32_H
#define CLSOFTMAX_ORACLE_F32_H

#include <mpfr.h>

/* Returns the spacing of f32 at |size|: 2^-149 below 2^-126. */
double oracle_spacing_at(double size);

/* Returns |result - exact| / bound. What rounds to infinity within the bound may be infinite, or the largest number;
   NaN is infinitely far. */
double oracle_ratio_of(float result, mpfr_t exact, double bound);

#endif
