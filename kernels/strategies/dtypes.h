/*
 * The dtypes, a section for each: how an element and how CORE_WIDTH neighbours of it are read as f32, and how f32 becomes
 * one of it, rounded to the nearest, ties to even, a NaN to the canonical NaN. elements.h, which every kernel includes, takes
 * the functions of its two dtypes by their names.
 *
 * To add a dtype: a type in call.h, dtype_load_one_NAME, dtype_load_NAME, dtype_load_access_NAME, dtype_store_one_NAME,
 * dtype_rounded_NAME and dtype_store_access_NAME here, and what the CPU path has for it (host/lib/cpu/cpu_dtype.h).
 */
#ifndef CLSOFTMAX_DTYPES_H
#define CLSOFTMAX_DTYPES_H

#include "strategies/call.h"

/* ---------------------------------------------------------------- Vectors in memory */

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

/* A vector at an address that is a multiple of an element's size alone, to be read or written. PoCL 3.1 makes vload16 and
   vstore16 of pieces, and a whole vector that is read after a store of pieces waits until all of them have reached the
   cache. */
typedef core_float row_floats __attribute__((aligned(4)));
typedef CORE_VECTOR(ushort) row_ushorts __attribute__((aligned(2)));
#define ROW_FLOATS(space, address) (*(space row_floats *)(address))
#define ROW_USHORTS(space, address) (*(space row_ushorts *)(address))

/* An access, the neighbouring elements that a work-item of a GPU reads at once (chunks.h): more than one only where every row
   begins at a multiple of it. Read by casts, since vload promises the compiler no more than an element's alignment. */
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

/* vload_half and vstore_half of vectors: PoCL 3.1 takes their address for that of a whole vector, although it need be a
   multiple of two bytes alone; so they work on a copy that is aligned. */
#if CORE_WIDTH == 1
#define dtype_load_F16(address) vload_half(0, address)
#define dtype_rounded_F16(value) dtype_half_of_float(value)
static ushort dtype_half_of_float(float value)
{
    ushort half_bits;
    vstore_half_rte(value, 0, (half *)&half_bits);
    return half_bits;
}
#else
#define dtype_load_F16(address) dtype_floats_of_half(ROW_USHORTS(__global const, address))
#define dtype_rounded_F16(values) dtype_half_of_floats(values)
static core_float dtype_floats_of_half(CORE_VECTOR(ushort) bits)
{
    ushort lanes[CORE_WIDTH] __attribute__((aligned(64)));
    ROW_USHORTS(, lanes) = bits;
    return CORE_VECTOR(vload_half)(0, (const half *)lanes);
}

static CORE_VECTOR(ushort) dtype_half_of_floats(core_float values)
{
    ushort lanes[CORE_WIDTH] __attribute__((aligned(64)));
    CORE_JOIN(CORE_VECTOR(vstore_half), _rte)(values, 0, (half *)lanes);
    return ROW_USHORTS(const, lanes);
}
#endif

/* A driver's conversion of NaN may be its own. */
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

/* The upper half of f32's bits, rounded; that of the canonical NaN is bf16's. */
#define dtype_bf16_of_bits(bits) (((bits) + 0x7FFFu + (((bits) >> 16) & 1u)) >> 16)

typedef CORE_VECTOR(ushort) dtype_vector_BF16;
#define dtype_place_BF16(space, address) ROW_USHORTS(space, address)
#define dtype_rounded_BF16(values) row_convert_ushort(dtype_bf16_of_bits(core_as_uint(values)))
#define dtype_store_one_BF16(value, address) (*(address) = (ushort)dtype_bf16_of_bits(as_uint(value)))
#define dtype_store_access_BF16(lanes, address)                                                                        \
    (*(__global ACCESS_VECTOR(ushort) *)(address) =                                                                    \
         ACCESS_VECTOR(convert_ushort)(dtype_bf16_of_bits(ACCESS_VECTOR(as_uint)(ACCESS_VALUE(lanes)))))

#endif
