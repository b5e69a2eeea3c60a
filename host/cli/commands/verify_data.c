/* The built-in data of clsoftmax verify: see verify_data.h. */
#include "commands/verify_data.h"

#include <math.h>

/* Returns a random number in [0, 1): the high bits of splitmix64 (Steele, Lea, Flood 2014). */
static double uniform(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

static float moderate(uint64_t *state, uint64_t row, uint64_t i)
{
    (void)row, (void)i;
    return (float)(uniform(state) * 20 - 10);
}

static float far_from_zero(uint64_t *state, uint64_t row, uint64_t i)
{
    (void)row, (void)i;
    return (float)(1e6 + uniform(state) * 100);
}

static float ties(uint64_t *state, uint64_t row, uint64_t i)
{
    (void)state;
    return i == row ? 3.0f : 1.0f;
}

static float masked(uint64_t *state, uint64_t row, uint64_t i)
{
    float x = moderate(state, row, i);
    return i % 3 == row % 3 ? -INFINITY : x;
}

static float special(uint64_t *state, uint64_t row, uint64_t i)
{
    static const float values[] = {NAN, INFINITY, -INFINITY, -NAN};
    float x = moderate(state, row, i);
    if (row % 4 == 2)
        return -INFINITY; /* nothing but masks */
    return i == row ? values[row % 4] : x;
}

static float huge(uint64_t *state, uint64_t row, uint64_t i)
{
    return moderate(state, row, i) * (row % 2 ? 0x1p124f : 0x1p58f); /* to FLT_MAX, and to both sides of 2^60 */
}

static float subnormal(uint64_t *state, uint64_t row, uint64_t i)
{
    return moderate(state, row, i) * 0x1p-133f;
}

/* All logits but one are at the resolution of the second level of the sum, so that only its third level can add them
   up. */
static float at_resolution(uint64_t *state, uint64_t row, uint64_t i)
{
    (void)state, (void)row;
    return i == 777 ? 0 : -31.8f;
}

const verify_data_set verify_data_sets[VERIFY_DATA_SETS] = {
    {"moderate", moderate, 33, 10},
    {"moderate", moderate, 7, 1000},
    {"moderate", moderate, 3, 50257},
    {"far from zero", far_from_zero, 5, 257},
    {"ties", ties, 9, 4097},
    {"masked", masked, 6, 127},
    {"NaN, inf, all masked", special, 8, 31},
    {"one class", moderate, 4, 1},
    {"huge", huge, 7, 100},
    {"subnormal", subnormal, 5, 60},
    {"2^20 + 1 classes", at_resolution, 1, (1 << 20) + 1},
};
const float verify_temperatures[VERIFY_TEMPERATURES] = {0, 0x1p-149f, 0x1p-133f, 1e-30f, 0.07f, 0.7f,
                                                        1, 3.05f,     20,        100,    1e30f, INFINITY};
