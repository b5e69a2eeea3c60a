/* The oracle of dtypes: values of f16 and bf16 by plain arithmetic, which shares nothing with the library. */
#ifndef CLSOFTMAX_TEST_DTYPE_VALUES_H
#define CLSOFTMAX_TEST_DTYPE_VALUES_H

#include "clsoftmax/clsoftmax.h"

/* Returns element `at` of an array. */
float value_of(const void *array, clsoftmax_dtype dtype, uint64_t at);

/* Writes element `at`, rounded to the nearest; NaN and infinity keep their sign. */
void put_value(void *array, clsoftmax_dtype dtype, uint64_t at, float value);

/* Returns the bits of the 16-bit number nearest to a value, ties to even, by a search over all of them. */
uint16_t nearest_value(double value, clsoftmax_dtype dtype);

#endif
