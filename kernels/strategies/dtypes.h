/*
 * The dtypes, a section for each: how elements are read as f32, and how f32 is written. Results are rounded to the
 * nearest, ties to even, and every NaN becomes the canonical NaN. elements.h, which every kernel includes, takes the
 * functions of the variant's two dtypes by their names.
 *
 * Each dtype NAME has these functions or macros:
 *
 *     dtype_load_one_NAME(address)            reads one element
 *     dtype_load_NAME(address)                reads CORE_WIDTH neighbours
 *     dtype_load_access_NAME(address, lanes)  reads an access, ACCESS_WIDTH neighbours, into an array of floats
 *     dtype_vector_NAME                       is the type of CORE_WIDTH results in memory
 *     dtype_rounded_NAME(values)              rounds CORE_WIDTH results to that type
 *     dtype_place_NAME(space, address)        is the place of such a vector in memory
 *     dtype_store_one_NAME(value, address)    writes one result
 *     dtype_store_access_NAME(lanes, address) writes an access
 *
 * To add a dtype, write them here, add a type in call.h, and write what the CPU path has for it
 * (host/lib/cpu/cpu_dtype.h).
 */
#ifndef CLSOFTMAX_DTYPES_H
#define CLSOFTMAX_DTYPES_H

#include "strategies/call.h"

/* ---------------------------------------------------------------- Vectors in memory */

/* OpenCL C's functions for vectors, under one name for every width; it has none for a width of 1. */
#if CORE_WIDTH == 1
#define row_vload(address) (*(address))
#define row_vstore(value, address) (*(address) = (value))
#define row_convert_uint(value) convert_uint(value)
#define row_convert_ushort(value) convert_ushort(value)
#else
#define row_vload(address) CORE_VECTOR(vload)(0, (address))
#define row_vstore(value, address) CORE_VECTOR(vstore)((value), 0, (address))
#define row_convert_uint(value) CORE_VECTOR(convert_uint)(value)
#define row_convert_ushort(value) CORE_VECTOR(convert_ushort)(value)
#endif

/* A vector at an address that is aligned to an element only, to be read or written. This is not vload16 and vstore16
   because PoCL 3.1 does those in several smaller steps, and a vector that is read whole after such a store waits until
   all of it has reached the cache. */
typedef core_float row_floats __attribute__((aligned(4)));
typedef CORE_VECTOR(ushort) row_ushorts __attribute__((aligned(2)));
#define ROW_FLOATS(space, address) (*(space row_floats *)(address))
#define ROW_USHORTS(space, address) (*(space row_ushorts *)(address))

/* An access: the neighbouring elements that a work-item of a GPU reads with one instruction (chunks.h). It has more
   than one element only where every row begins at a multiple of its size. Accesses are read by casts, since vload
   promises the compiler no more than the alignment of an element. */
#ifndef ACCESS_WIDTH
#define ACCESS_WIDTH 1
#endif
#if ACCESS_WIDTH > 1
#define ACCESS_VECTOR(type) CALL_JOIN(type, ACCESS_WIDTH)
#define ACCESS_LANES(value, lanes) ACCESS_VECTOR(vstore)(value, 0, lanes)
#define ACCESS_VALUE(lanes) ACCESS_VECTOR(vload)(0, lanes)
#endif

/* ---------------------------------------------------------------- f32 */

#define dtype_load_one_F32(address) (*(address))
#define dtype_load_F32(address) ROW_FLOATS(__global const, address)
#define dtype_load_access_F32(address, lanes) ACCESS_LANES(*(__global const ACCESS_VECTOR(float) *)(address), lanes)

typedef core_float dtype_vector_F32;
#define dtype_place_F32(space, address) ROW_FLOATS(space, address)
#define dtype_rounded_F32(values) (values)
#define dtype_store_one_F32(value, address) (*(address) = (value))
#define dtype_store_access_F32(lanes, address) (*(__global ACCESS_VECTOR(float) *)(address) = ACCESS_VALUE(lanes))

/* ---------------------------------------------------------------- f16 */

#define dtype_load_one_F16(address) vload_half(0, address)
#define dtype_load_access_F16(address, lanes) ACCESS_LANES(ACCESS_VECTOR(vloada_half)(0, address), lanes)

typedef CORE_VECTOR(ushort) dtype_vector_F16;
#define dtype_place_F16(space, address) ROW_USHORTS(space, address)
#define dtype_store_access_F16(lanes, address)                                                                         \
    CALL_JOIN(ACCESS_VECTOR(vstorea_half), _rte)(ACCESS_VALUE(lanes), 0, address)

/* Vectors of f16 are converted in an aligned copy. PoCL 3.1 assumes that the address given to vload_half and
   vstore_half of vectors is aligned to the whole vector, although OpenCL asks for two bytes only. */
#if CORE_WIDTH == 1
#define dtype_load_F16(address) vload_half(0, address)
#define dtype_rounded_F16(value) dtype_half_of_float(value)
/* Returns the bits of an f32 rounded to f16. */
static ushort dtype_half_of_float(float value)
{
    ushort half_bits;
    vstore_half_rte(value, 0, (half *)&half_bits);
    return half_bits;
}
#else
#define dtype_load_F16(address) dtype_floats_of_half(ROW_USHORTS(__global const, address))
#define dtype_rounded_F16(values) dtype_half_of_floats(values)
/* Returns the f32 of a vector of f16, given by their bits. */
static core_float dtype_floats_of_half(CORE_VECTOR(ushort) bits)
{
    ushort lanes[CORE_WIDTH] __attribute__((aligned(64)));
    ROW_USHORTS(, lanes) = bits;
    return CORE_VECTOR(vload_half)(0, (const half *)lanes);
}

/* Returns the bits of a vector of f32 rounded to f16. */
static CORE_VECTOR(ushort) dtype_half_of_floats(core_float values)
{
    ushort lanes[CORE_WIDTH] __attribute__((aligned(64)));
    CORE_JOIN(CORE_VECTOR(vstore_half), _rte)(values, 0, (half *)lanes);
    return ROW_USHORTS(const, lanes);
}
#endif

/* Writes one f16. A NaN is written by its bits, since a driver's conversion may make another NaN of it. Whole vectors
   need no such care: they hold computed results only, which are never NaN (see row_store_all). */
static void dtype_store_one_F16(float value, __global half *address)
{
    if ((as_uint(value) & 0x7FFFFFFFu) > 0x7F800000u)
        *(__global ushort *)address = (ushort)0x7E00;
    else
        vstore_half_rte(value, 0, address);
}

/* ---------------------------------------------------------------- bf16 */

#define dtype_load_one_BF16(address) as_float((uint) * (address) << 16)
#define dtype_load_BF16(address) core_as_float(row_convert_uint(ROW_USHORTS(__global const, address)) << 16)
#define dtype_load_access_BF16(address, lanes)                                                                         \
    ACCESS_LANES(ACCESS_VECTOR(as_float)(                                                                              \
                     ACCESS_VECTOR(convert_uint)(*(__global const ACCESS_VECTOR(ushort) *)(address)) << 16),           \
                 lanes)

/* The bits of a bf16 are the upper half of the bits of f32, rounded. Those of the canonical NaN give
   the canonical NaN. */
#define dtype_bf16_of_bits(bits) (((bits) + 0x7FFFu + (((bits) >> 16) & 1u)) >> 16)

typedef CORE_VECTOR(ushort) dtype_vector_BF16;
#define dtype_place_BF16(space, address) ROW_USHORTS(space, address)
#define dtype_rounded_BF16(values) row_convert_ushort(dtype_bf16_of_bits(core_as_uint(values)))
#define dtype_store_one_BF16(value, address) (*(address) = (ushort)dtype_bf16_of_bits(as_uint(value)))
#define dtype_store_access_BF16(lanes, address)                                                                        \
    (*(__global ACCESS_VECTOR(ushort) *)(address) =                                                                    \
         ACCESS_VECTOR(convert_ushort)(dtype_bf16_of_bits(ACCESS_VECTOR(as_uint)(ACCESS_VALUE(lanes)))))

#endif
