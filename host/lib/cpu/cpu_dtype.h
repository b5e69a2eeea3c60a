/* Runs of logits and results in memory: f32, f16 and bf16, any stride. */
#ifndef CLSOFTMAX_CPU_DTYPE_H
#define CLSOFTMAX_CPU_DTYPE_H

#include "cpu_rows.h"
#include "cpu_stream.h"
#include "dtype.h"

static inline size_t cpu_element_size(clsoftmax_dtype dtype)
{
    return dtype == CLSOFTMAX_F32 ? sizeof(float) : sizeof(uint16_t);
}

/* Into the caches, line by line; where there is nothing, nothing happens. Inline, because gcc drops calls of a function that does
   nothing but prefetch. */
static inline __attribute__((always_inline)) void cpu_prefetch(const void *from, size_t bytes)
{
    for (size_t i = 0; i < bytes; i += 64)
        __builtin_prefetch((const char *)from + i);
}

/* The same into the second-level cache: lines that are a power of two apart have few places in the first. */
static inline __attribute__((always_inline)) void cpu_prefetch_far(const void *from, size_t bytes)
{
    for (size_t i = 0; i < bytes; i += 64)
        __builtin_prefetch((const char *)from + i, 0, 2);
}

/* `length` elements from `first` on, `stride` apart, as f32. */
static inline void cpu_load(clsoftmax_dtype dtype, const void *array, uint64_t first, uint64_t stride, size_t length,
                            float *restrict out)
{
    const void *from = (const char *)array + first * cpu_element_size(dtype);
    const float *f32 = from;
    const uint16_t *bits = from;
    size_t i = 0;
    switch (dtype) {
    case CLSOFTMAX_F16:
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
        break;
    case CLSOFTMAX_BF16:
        if (stride == 1)
            for (; i < length; i++)
                out[i] = float_of_bf16(bits[i]);
        for (; i < length; i++)
            out[i] = float_of_bf16(bits[i * stride]);
        break;
    default:
        if (stride == 1)
            memcpy(out, f32, length * sizeof(float));
        for (; stride != 1 && i < length; i++)
            out[i] = f32[i * stride];
    }
}

/* The logit of a row's label, of a row that begins at `logits`; NaN where no label is given. */
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

/* A run of results, rounded to f16 or bf16; `rounded` holds as many as there are values. Whole lines by one store, from which they can be
   read at once. */
static inline void cpu_round(clsoftmax_dtype dtype, const float *restrict values, size_t length,
                             uint16_t *restrict rounded)
{
    size_t whole = 0;
    if (dtype == CLSOFTMAX_BF16) {
        for (size_t i = 0; i < length; i++)
            rounded[i] = bf16_of_float(values[i]);
        return;
    }
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
}

/* Writes at most CPU_BLOCK results to their place. stream: as cpu_write takes it. */
static inline void cpu_store(clsoftmax_dtype dtype, void *array, uint64_t first, uint64_t stride, size_t length,
                             cpu_stream *stream, const float *values)
{
    uint16_t rounded[CPU_BLOCK];
    size_t size = cpu_element_size(dtype);
    const void *from = values;
    void *to = (char *)array + first * size;
    if (dtype != CLSOFTMAX_F32) {
        cpu_round(dtype, values, length, rounded);
        from = rounded;
    }
    if (stride == 1)
        cpu_write(stream, to, from, length * size);
    else if (size == 4)
        for (size_t i = 0; i < length; i++)
            ((float *)to)[i * stride] = values[i];
    else
        for (size_t i = 0; i < length; i++)
            ((uint16_t *)to)[i * stride] = rounded[i];
}

#endif
