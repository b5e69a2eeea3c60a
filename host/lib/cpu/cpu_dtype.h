/*
 * Loads logits and stores results of any dtype and any stride. For cpu_item.c, cpu_lane.c and cpu_sweep.c.
 *
 * To add a dtype: write cpu_load_NAME and cpu_rounded_NAME here. What is missing does not compile.
 */
#ifndef CLSOFTMAX_CPU_DTYPE_H
#define CLSOFTMAX_CPU_DTYPE_H

#include "../problem.h"
#include "cpu_rows.h"
#include "cpu_stream.h"
#include "dtype.h"

/* Results are rounded in arrays of uint16_t, or stay float (write_pairs in cpu_block.h, cpu_store). */
#define CPU_ELEMENT_BYTES(name, text, bytes) _Static_assert(bytes == 2 || bytes == 4, "cpu: dtype " #name);
CLSOFTMAX_DTYPE_LIST(CPU_ELEMENT_BYTES)
#undef CPU_ELEMENT_BYTES

/* Returns the bytes of an element, as clsoftmax_dtype_size does; this one is inlined. */
INLINE size_t cpu_element_size(clsoftmax_dtype dtype)
{
    static const uint8_t sizes[CLSOFTMAX_DTYPE_COUNT] = {
#define CPU_ELEMENT_SIZE(name, text, bytes) [CLSOFTMAX_##name] = bytes,
        CLSOFTMAX_DTYPE_LIST(CPU_ELEMENT_SIZE)
#undef CPU_ELEMENT_SIZE
    };
    return sizes[dtype];
}

/* Prefetches into the first-level cache. Addresses without memory do no harm. Always inline, because gcc drops calls
   of a function that only prefetches (docs/experiments.md, "cpu: item"). */
static inline __attribute__((always_inline)) void cpu_prefetch(const void *from, size_t bytes)
{
    for (size_t i = 0; i < bytes; i += 64)
        __builtin_prefetch((const char *)from + i);
}

/* Prefetches into the second-level cache. In the first level, lines that are a power of two apart have few places. */
static inline __attribute__((always_inline)) void cpu_prefetch_far(const void *from, size_t bytes)
{
    for (size_t i = 0; i < bytes; i += 64)
        __builtin_prefetch((const char *)from + i, 0, 2);
}

/* ---------------------------------------------------------------- Loading, a function for each dtype */

INLINE void cpu_load_F32(const void *from, uint64_t stride, size_t length, float *restrict out)
{
    const float *f32 = from;
    if (stride == 1)
        memcpy(out, f32, length * sizeof(float));
    for (size_t i = 0; stride != 1 && i < length; i++)
        out[i] = f32[i * stride];
}

INLINE void cpu_load_F16(const void *from, uint64_t stride, size_t length, float *restrict out)
{
    const uint16_t *bits = from;
    size_t i = 0;
#ifdef __AVX512F__
    for (; stride == 1 && i + 16 <= length; i += 16)
        _mm512_storeu_ps(out + i, _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(bits + i))));
#endif
#ifdef __F16C__
    for (; stride == 1 && i + 8 <= length; i += 8)
        _mm256_storeu_ps(out + i, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(bits + i))));
#endif
    for (; i < length; i++)
        out[i] = float_of_f16(bits[i * stride]);
}

INLINE void cpu_load_BF16(const void *from, uint64_t stride, size_t length, float *restrict out)
{
    const uint16_t *bits = from;
    size_t i = 0;
    if (stride == 1)
        for (; i < length; i++)
            out[i] = float_of_bf16(bits[i]);
    for (; i < length; i++)
        out[i] = float_of_bf16(bits[i * stride]);
}

/* Reads `length` elements from element `first` on, `stride` apart, as f32. */
static inline void cpu_load(clsoftmax_dtype dtype, const void *array, uint64_t first, uint64_t stride, size_t length,
                            float *restrict out)
{
    const void *from = (const char *)array + first * cpu_element_size(dtype);
    switch (dtype) {
#define CPU_LOAD(name, text, bytes)                                                                                    \
    case CLSOFTMAX_##name:                                                                                             \
        cpu_load_##name(from, stride, length, out);                                                                    \
        break;
        CLSOFTMAX_DTYPE_LIST(CPU_LOAD)
#undef CPU_LOAD
    case CLSOFTMAX_DTYPE_COUNT:
        break;
    }
}

/* Returns the operand of at most CPU_BLOCK classes of a row, from class `first` on, as whole vectors: where it stands,
   if it is f32, neighbours and whole vectors already, and no mask; otherwise copied into `buffer`, and what is behind
   becomes its padding. */
OUTLINE const float *cpu_operand(const cpu_call *call, uint64_t row, uint64_t first, size_t length, float *buffer)
{
    const clsoftmax_problem *p = call->problem;
    const uint64_t stride = p->operand_layout.class_stride;
    const uint64_t begin = cls_layout_row(p, &p->operand_layout, row) + first * stride;
    const int kind = operation_operand((int)p->operation);
    if (p->operand_dtype == CLSOFTMAX_F32 && stride == 1 && length % CPU_VECTOR == 0 && kind != OPERAND_MASK)
        return (const float *)call->arguments->operand + begin;
    cpu_load(p->operand_dtype, call->arguments->operand, begin, stride, length, buffer);
    for (size_t i = 0; kind == OPERAND_MASK && i < length; i++)
        buffer[i] = CORE_OPERAND_OF(float, buffer[i], OPERAND_MASK);
    for (size_t i = length; i % CPU_VECTOR != 0; i++)
        buffer[i] = CORE_OPERAND_PADDING(kind);
    return buffer;
}

/* Returns the largest of a key and those of operands. kind: a constant. */
INLINE uint32_t largest_operand_key(int kind, const float *operand, size_t length, uint32_t largest)
{
#pragma omp simd reduction(max : largest)
    for (size_t i = 0; i < length; i++) {
        const uint32_t key = core_operand_key(operand[i], kind);
        largest = CORE_LARGER(key, largest);
    }
    return largest;
}

/* Returns the largest key of the operand of a row between two classes. */
OUTLINE uint32_t cpu_operand_key(const cpu_call *call, uint64_t row, uint64_t begin, uint64_t end)
{
    uint32_t largest = 0;
    for (uint64_t c = begin; c < end; c += CPU_BLOCK) {
        float buffer[CPU_BLOCK];
        const size_t length = end - c < CPU_BLOCK ? (size_t)(end - c) : CPU_BLOCK;
        const float *operand = cpu_operand(call, row, c, length, buffer);
        switch (operation_operand((int)call->problem->operation)) {
        case OPERAND_TEACHER:
            largest = largest_operand_key(OPERAND_TEACHER, operand, length, largest);
            break;
        case OPERAND_NUMBERS:
            largest = largest_operand_key(OPERAND_NUMBERS, operand, length, largest);
            break;
        default: /* a mask is made of targets that are 0 or 1 */
            largest = largest_operand_key(OPERAND_TARGETS, operand, length, largest);
        }
    }
    return largest;
}

/* Returns the logit of the label of a row whose logits begin at element `logits`; NaN if there is no label, or none in
   [0, classes). */
static inline float cpu_label_logit(const cpu_call *call, uint64_t row, uint64_t logits)
{
    const clsoftmax_problem *p = call->problem;
    int64_t label = call->arguments->labels ? call->arguments->labels[row] : -1;
    float logit = core_float_of_bits(CORE_NAN_BITS);
    if (label >= 0 && (uint64_t)label < p->classes)
        cpu_load(p->logits_dtype, call->arguments->logits, logits + (uint64_t)label * p->logits_layout.class_stride, 1,
                 1, &logit);
    return logit;
}

/* ---------------------------------------------------------------- Rounding, a function for each dtype */

/* Return `values` as memory has them. `rounded` has room for as many, and f32 does not use it. */
INLINE const void *cpu_rounded_F32(const float *values, size_t length, uint16_t *restrict rounded)
{
    (void)length, (void)rounded;
    return values;
}

/* Writes whole lines by one store each, so that they can be read at once. */
INLINE const void *cpu_rounded_F16(const float *restrict values, size_t length, uint16_t *restrict rounded)
{
    size_t whole = 0;
#ifdef __AVX512F__
    whole = length / 32 * 32;
    for (size_t i = 0; i < whole; i += 32) {
        __m256i first = _mm512_cvtps_ph(_mm512_loadu_ps(values + i), _MM_FROUND_TO_NEAREST_INT);
        __m256i second = _mm512_cvtps_ph(_mm512_loadu_ps(values + i + 16), _MM_FROUND_TO_NEAREST_INT);
        _mm512_storeu_si512(rounded + i, _mm512_inserti64x4(_mm512_castsi256_si512(first), second, 1));
    }
#elif defined(__F16C__)
    whole = length / 8 * 8;
    for (size_t i = 0; i < whole; i += 8)
        _mm_storeu_si128((__m128i *)(rounded + i),
                         _mm256_cvtps_ph(_mm256_loadu_ps(values + i), _MM_FROUND_TO_NEAREST_INT));
#endif
    for (size_t i = whole; i < length; i++)
        rounded[i] = f16_of_float(values[i]);
    return rounded;
}

INLINE const void *cpu_rounded_BF16(const float *restrict values, size_t length, uint16_t *restrict rounded)
{
    for (size_t i = 0; i < length; i++)
        rounded[i] = bf16_of_float(values[i]);
    return rounded;
}

/* Returns the values as the dtype has them in memory: in `rounded`, or `values` themselves. */
INLINE const void *cpu_rounded(clsoftmax_dtype dtype, const float *values, size_t length, uint16_t *rounded)
{
    switch (dtype) {
#define CPU_ROUNDED(name, text, bytes)                                                                                 \
    case CLSOFTMAX_##name:                                                                                             \
        return cpu_rounded_##name(values, length, rounded);
        CLSOFTMAX_DTYPE_LIST(CPU_ROUNDED)
#undef CPU_ROUNDED
    case CLSOFTMAX_DTYPE_COUNT:
        break;
    }
    return values;
}

/* Writes at most CPU_BLOCK results from element `first` on, `stride` apart. stream: as cpu_write takes it. */
INLINE void cpu_store(clsoftmax_dtype dtype, void *array, uint64_t first, uint64_t stride, size_t length,
                      cpu_stream *stream, const float *values)
{
    uint16_t rounded[CPU_BLOCK];
    const size_t size = cpu_element_size(dtype);
    const void *from = cpu_rounded(dtype, values, length, rounded);
    void *to = (char *)array + first * size;
    if (stride == 1)
        cpu_write(stream, to, from, length * size);
    else if (from == values)
        for (size_t i = 0; i < length; i++)
            ((float *)to)[i * stride] = values[i];
    else
        for (size_t i = 0; i < length; i++)
            ((uint16_t *)to)[i * stride] = rounded[i];
}

#endif
