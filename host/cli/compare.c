#include "compare.h"

#include <math.h>
#include <string.h>

/* Floats as integers in their order, so that neighbours differ by 1 and both zeros are 0. */
static int64_t ordered(float value)
{
    int32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits < 0 ? (int64_t)INT32_MIN - bits : bits;
}

static uint64_t ulp_between(float a, float b)
{
    if (isnan(a) || isnan(b))
        return isnan(a) && isnan(b) ? 0 : UINT32_MAX;
    int64_t distance = ordered(a) - ordered(b);
    return (uint64_t)(distance < 0 ? -distance : distance);
}

void compare(comparison *comparison, const float *a, const float *b, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        comparison->different += memcmp(&a[i], &b[i], sizeof *a) != 0;
        uint64_t ulp = ulp_between(a[i], b[i]);
        if (ulp > comparison->worst_ulp) {
            comparison->worst_ulp = ulp;
            comparison->worst_at = comparison->values + i;
        }
    }
    comparison->values += count;
}
