/* Values of a dtype, by arithmetic that shares nothing with anybody. */
#ifndef CLSOFTMAX_TEST_DTYPE_VALUES_H
#define CLSOFTMAX_TEST_DTYPE_VALUES_H

#include "clsoftmax/clsoftmax.h"

/* Element `at` of an array. */
float value_of(const void *array, clsoftmax_dtype dtype, uint64_t at);

/* Puts it there, rounded; a NaN and an infinity with their sign. */
void put_value(void *array, clsoftmax_dtype dtype, uint64_t at, float value);

/* The bits of the number nearest to a value, ties to even, in 16 bits: by search, the slow way. */
uint16_t nearest_value(double value, clsoftmax_dtype dtype);

#endif
