/* Random numbers for tests, the same on every machine: splitmix64 (Steele, Lea, Flood 2014). */
#ifndef CLSOFTMAX_RANDOM_H
#define CLSOFTMAX_RANDOM_H

#include <stdint.h>
#include <string.h>

static inline uint64_t random_bits(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

/* Returns a number in [0, 1). */
static inline double random_unit(uint64_t *state)
{
    return (double)(random_bits(state) >> 11) * 0x1p-53;
}

/* Returns a number in [0, limit). */
static inline uint64_t random_below(uint64_t *state, uint64_t limit)
{
    return random_bits(state) % limit;
}

/* Returns any bit pattern: also NaNs, infinities and subnormals. */
static inline float random_pattern(uint64_t *state)
{
    uint32_t bits = (uint32_t)random_bits(state);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

#endif
