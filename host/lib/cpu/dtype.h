/*
 * Converts f16 and bf16 to f32, exactly, and back, rounding to the nearest, ties to even. It takes only integer
 * arithmetic, exact products and one sum, which rounds a subnormal f16 in the default float environment. So loops of
 * conversions vectorise, and no processor's own conversion is needed. For cpu_dtype.h.
 */
#ifndef CLSOFTMAX_DTYPE_H
#define CLSOFTMAX_DTYPE_H

#include "core/numeric_core.h"

static inline float float_of_bf16(uint16_t bf16)
{
    return core_float_of_bits((uint32_t)bf16 << 16);
}

/* Rounds to bf16. A NaN must be the canonical one, which becomes bf16's. */
static inline uint16_t bf16_of_float(float value)
{
    uint32_t bits = core_bits_of_float(value);
    return (uint16_t)((bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16);
}

static inline float float_of_f16(uint16_t f16)
{
    uint32_t magnitude = (uint32_t)(f16 & 0x7FFF) << 13;
    uint32_t finite = core_bits_of_float(core_float_of_bits(magnitude) * 0x1p112f); /* from exponent bias 15 to 127 */
    uint32_t bits = magnitude >= 0x7C00u << 13 ? magnitude | 0x7F800000u : finite;
    return core_float_of_bits(bits | (uint32_t)(f16 & 0x8000) << 16);
}

/* Rounds to f16. A NaN must be the canonical one, which becomes f16's. */
static inline uint16_t f16_of_float(float value)
{
    uint32_t bits = core_bits_of_float(value), magnitude = bits & 0x7FFFFFFFu;
    /* Below 2^-14 a result is subnormal: to add 0.5, whose last place is 2^-24, rounds to a multiple of that. */
    uint32_t subnormal = core_bits_of_float(core_float_of_bits(magnitude) + 0.5f) - 0x3F000000u;
    uint32_t normal = (magnitude - (112u << 23) + 0xFFFu + ((magnitude >> 13) & 1u)) >> 13;
    uint32_t rounded = magnitude < 0x38800000u ? subnormal : normal;
    rounded = magnitude >= 0x47800000u ? 0x7C00u : rounded; /* 2^16 and above; what rounds up to it has become inf */
    rounded = magnitude > 0x7F800000u ? 0x7E00u : rounded;
    return (uint16_t)(rounded | (bits >> 16 & 0x8000u));
}

#endif
