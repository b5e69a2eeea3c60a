/* The oracle of dtypes: what dtype_values.h declares. */
#include "dtype_values.h"

#include <math.h>

static float value_of_bits(uint16_t bits, clsoftmax_dtype dtype)
{
    int fraction_bits = dtype == CLSOFTMAX_F16 ? 10 : 7, largest = dtype == CLSOFTMAX_F16 ? 15 : 127;
    int exponent = (bits & 0x7FFF) >> fraction_bits, fraction = bits & ((1 << fraction_bits) - 1);
    double value = exponent == 2 * largest + 1 ? (fraction ? (double)NAN : (double)INFINITY)
                   : exponent == 0             ? ldexp(fraction, 1 - largest - fraction_bits)
                                   : ldexp(fraction + (1 << fraction_bits), exponent - largest - fraction_bits);
    return (float)(bits & 0x8000 ? -value : value);
}

float value_of(const void *array, clsoftmax_dtype dtype, uint64_t at)
{
    return dtype == CLSOFTMAX_F32 ? ((const float *)array)[at] : value_of_bits(((const uint16_t *)array)[at], dtype);
}

uint16_t nearest_value(double value, clsoftmax_dtype dtype)
{
    uint16_t infinity = dtype == CLSOFTMAX_F16 ? 0x7C00 : 0x7F80, low = 0, high = infinity;
    double magnitude = fabs(value);
    while (high - low > 1) {
        uint16_t middle = (uint16_t)((low + high) / 2);
        if ((double)value_of_bits(middle, dtype) <= magnitude)
            low = middle;
        else
            high = middle;
    }
    uint16_t before_infinity = (uint16_t)(infinity - 1), before_that = (uint16_t)(infinity - 2);
    double top = (double)value_of_bits(before_infinity, dtype);
    double beyond = 2 * top - (double)value_of_bits(before_that, dtype);
    double below = (double)value_of_bits(low, dtype),
           above = high == infinity ? beyond : (double)value_of_bits(high, dtype);
    uint16_t chosen = magnitude - below < above - magnitude   ? low
                      : magnitude - below > above - magnitude ? high
                      : low & 1                               ? high
                                                              : low;
    return (uint16_t)(chosen | (signbit(value) ? 0x8000 : 0));
}

void put_value(void *array, clsoftmax_dtype dtype, uint64_t at, float value)
{
    uint16_t infinity = dtype == CLSOFTMAX_F16 ? 0x7C00 : 0x7F80;
    if (dtype == CLSOFTMAX_F32)
        ((float *)array)[at] = value;
    else if (isnan(value))
        ((uint16_t *)array)[at] = (uint16_t)(infinity | 1 | (signbit(value) ? 0x8000 : 0));
    else if (isinf(value))
        ((uint16_t *)array)[at] = (uint16_t)(infinity | (signbit(value) ? 0x8000 : 0));
    else
        ((uint16_t *)array)[at] = nearest_value((double)value, dtype);
}
