/*
 * One language for two compilers. This header defines the types and bit casts with which the numeric core, and all that
 * is built on it, compiles both as C11 (host/lib/cpu/) and as OpenCL C 1.2 (the kernels).
 *
 * In OpenCL C, an element (core_float, core_int, core_uint) is a vector of CORE_WIDTH lanes. Its lanes are classes of
 * one row, and what belongs to the row (core_row_float and so on) is a scalar. With CORE_ROW_PER_LANE each lane is a
 * row of its own, and what belongs to a row is a vector as well. In C all of them are scalars, and the compiler
 * vectorises the loops around them.
 */
#ifndef CLSOFTMAX_LANGUAGE_H
#define CLSOFTMAX_LANGUAGE_H

#if defined(__OPENCL_VERSION__) || defined(__OPENCL_C_VERSION__) /* drivers define both, plain clang the second */
#define CORE_OPENCL 1
#endif

#ifdef CORE_OPENCL

#pragma OPENCL FP_CONTRACT OFF

#ifndef CORE_WIDTH
#define CORE_WIDTH 1 /* lanes of core_float: 1, 2, 4, 8 or 16 */
#endif

#if CORE_WIDTH == 1
#define CORE_VECTOR(type) type
#else
#define CORE_JOIN_(a, b) a##b
#define CORE_JOIN(a, b) CORE_JOIN_(a, b)
#define CORE_VECTOR(type) CORE_JOIN(type, CORE_WIDTH)
#endif
#ifdef CORE_ROW_PER_LANE
#define CORE_ROW_VECTOR(type) CORE_VECTOR(type)
#else
#define CORE_ROW_VECTOR(type) type
#endif

typedef CORE_VECTOR(float) core_float;
typedef CORE_VECTOR(int) core_int;
typedef CORE_VECTOR(uint) core_uint;
typedef CORE_VECTOR(long) core_lanes_long;
typedef CORE_ROW_VECTOR(float) core_row_float;
typedef CORE_ROW_VECTOR(int) core_row_int;
typedef CORE_ROW_VECTOR(uint) core_row_uint;
typedef CORE_ROW_VECTOR(long) core_row_long;
typedef long core_long;

/* Casts keep the bits, conversions the value. Names with "row" are for what belongs to a row, core_bits_of_float and
   core_float_of_bits for scalars, all others for elements. The value of core_row_float_of_long must fit 32 bits. */
#define core_as_float(bits) CORE_VECTOR(as_float)(bits)
#define core_as_uint(value) CORE_VECTOR(as_uint)(value)
#define core_as_int(value) CORE_VECTOR(as_int)(value)
#define core_uint_of_int(value) CORE_VECTOR(as_uint)(value)
#define core_int_of_uint(value) CORE_VECTOR(as_int)(value)
#define core_float_of_int(value) CORE_VECTOR(convert_float)(value)
#define core_long_of_uint(value) CORE_VECTOR(convert_long)(value)
#define core_long_of_int(value) CORE_VECTOR(convert_long)(value)
#define core_row_bits(value) CORE_ROW_VECTOR(as_uint)(value)
#define core_row_float_of_bits(bits) CORE_ROW_VECTOR(as_float)(bits)
#define core_row_float_of_int(value) CORE_ROW_VECTOR(convert_float)(value)
#define core_row_float_of_long(value) CORE_ROW_VECTOR(convert_float)(CORE_ROW_VECTOR(convert_int)(value))
#define core_row_int_of_uint(value) CORE_ROW_VECTOR(as_int)(value)
#define core_row_long_of_int(value) CORE_ROW_VECTOR(convert_long)(value)
#define core_row_uint_of_int(value) CORE_ROW_VECTOR(as_uint)(value)
#define core_row_uint_of_long(value) CORE_ROW_VECTOR(convert_uint)(value)
#define core_bits_of_float(value) as_uint(value)
#define core_float_of_bits(bits) as_float(bits)
#define core_fma(a, b, c) fma(a, b, c)
#define core_select(condition, a, b) ((condition) ? (a) : (b))
#define CORE_FUNCTION static

#else /* C11 */

#if defined(__FAST_MATH__) || defined(__ASSOCIATIVE_MATH__) || defined(__RECIPROCAL_MATH__) ||                         \
    defined(__NO_SIGNED_ZEROS__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__ != 0)
#error "the numeric core needs f32 arithmetic as written: no -ffast-math, -funsafe-math-optimizations or part of them"
#endif
#if defined(__FLT_EVAL_METHOD__) && __FLT_EVAL_METHOD__ != 0
#error "the numeric core needs f32 arithmetic as written: no x87"
#endif

#include <math.h>
#include <stdint.h>
#include <string.h>

#define CORE_FUNCTION static inline __attribute__((always_inline, unused))

typedef float core_float, core_row_float;
typedef uint32_t core_uint, core_row_uint, uint;
typedef int32_t core_int, core_row_int;
typedef int64_t core_long, core_lanes_long, core_row_long;

CORE_FUNCTION uint core_bits_of_float(float value)
{
    uint bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

CORE_FUNCTION float core_float_of_bits(uint bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

#define core_as_float(bits) core_float_of_bits(bits)
#define core_as_uint(value) core_bits_of_float(value)
#define core_as_int(value) ((int32_t)core_bits_of_float(value))
#define core_uint_of_int(value) ((uint32_t)(value))
#define core_int_of_uint(value) ((int32_t)(value))
#define core_float_of_int(value) ((float)(value))
#define core_long_of_uint(value) ((int64_t)(value))
#define core_long_of_int(value) ((int64_t)(value))
#define core_row_bits(value) core_bits_of_float(value)
#define core_row_float_of_bits(bits) core_float_of_bits(bits)
#define core_row_float_of_int(value) ((float)(value))
#define core_row_float_of_long(value) ((float)(int32_t)(value))
#define core_row_int_of_uint(value) ((int32_t)(value))
#define core_row_long_of_int(value) ((int64_t)(value))
#define core_row_uint_of_int(value) ((uint32_t)(value))
#define core_row_uint_of_long(value) ((uint32_t)(value))
#define core_fma(a, b, c) fmaf(a, b, c)

/* Returns a where the condition is 1, and b where it is 0. Both are computed, as in vectors. For ?: gcc may put what
   only one of them needs into a branch, and if a load is in it, no vectors come of the loop around. */
CORE_FUNCTION float core_select(int condition, float a, float b)
{
    const uint mask = 0u - (uint)condition;
    return core_float_of_bits((core_bits_of_float(a) & mask) | (core_bits_of_float(b) & ~mask));
}

#endif

/* A number as what belongs to a row has it. */
#define CORE_ROW(value) ((core_row_float)(value))

#endif
