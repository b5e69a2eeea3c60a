/* Results side by side. */
#ifndef CLSOFTMAX_COMPARE_H
#define CLSOFTMAX_COMPARE_H

#include <stdint.h>

typedef struct comparison {
    uint64_t values;
    uint64_t different; /* in bits */
    uint64_t worst_ulp; /* steps of f32 between the two; UINT32_MAX where one is NaN and the other is not */
    uint64_t worst_at;  /* index of it */
} comparison;

/* Adds `count` values to a comparison that started zeroed. */
void compare(comparison *comparison, const float *a, const float *b, uint64_t count);

#endif
