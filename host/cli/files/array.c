/* An array in memory whose numbers came from a file: see array.h. */
#include "files/array.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

size_t array_element_size(const array *array)
{
    return array->is_double ? sizeof(double) : clsoftmax_dtype_size(array->dtype);
}

void array_release(array *array)
{
    free(array->values);
    array->values = NULL;
    for (uint64_t i = 0; array->names && i < array->shape[array->dimensions - 1]; i++)
        free(array->names[i]);
    free(array->names);
    array->names = NULL;
}

const char *array_put(array *array, uint64_t at, double value)
{
    if (array->content == ARRAY_PROBABILITIES && value < 0)
        return "is negative; a probability is 0 or more";
    if (array->content == ARRAY_PROBABILITIES)
        value = log(value);
    if (array->is_double) {
        ((double *)array->values)[at] = value;
        return NULL;
    }
    float rounded = (float)value;
    ((float *)array->values)[at] = rounded;
    return isinf(rounded) && !isinf(value) ? "is finite, but larger than f32 holds" : NULL;
}

/* Widens f16: 1 sign bit, 5 bits of exponent with bias 15, 10 bits of fraction. */
static float float_of_f16(uint32_t bits)
{
    int exponent = (int)(bits >> 10 & 31);
    float fraction = (float)(bits & 1023), magnitude;
    if (exponent == 31)
        magnitude = fraction != 0 ? NAN : INFINITY;
    else
        magnitude = exponent == 0 ? ldexpf(fraction, -24) : ldexpf(1024 + fraction, exponent - 25);
    return bits >> 15 ? -magnitude : magnitude;
}

/* Widens bf16, which is the upper half of f32. */
static float float_of_bf16(uint32_t bits)
{
    float value;
    bits <<= 16;
    memcpy(&value, &bits, sizeof value);
    return value;
}

float array_float(const void *values, clsoftmax_dtype dtype, uint64_t at)
{
    switch (dtype) {
    case CLSOFTMAX_F32:
        return ((const float *)values)[at];
    case CLSOFTMAX_F16:
        return float_of_f16(((const uint16_t *)values)[at]);
    case CLSOFTMAX_BF16:
        return float_of_bf16(((const uint16_t *)values)[at]);
    case CLSOFTMAX_DTYPE_COUNT:
        break;
    }
    return NAN;
}
