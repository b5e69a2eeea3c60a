/*
 * Transposes rows of neighbouring classes to classes x lanes, a row on each lane, and back: for cpu_panel.h; and
 * squares of as many rows as a vector has elements, for cpu_block.h and cpu_tops.h. It goes in quads, which are four
 * neighbouring floats of a row: a vector is put together from the quads of as many rows by loads alone, and shuffles
 * stay within quads (docs/experiments.md, "cpu: lane").
 */
#ifndef CLSOFTMAX_CPU_TRANSPOSE_H
#define CLSOFTMAX_CPU_TRANSPOSE_H

#include "cpu_rows.h"

#define QUAD 4
typedef float quad __attribute__((vector_size(4 * QUAD)));

static inline __attribute__((always_inline)) quad load_quad(const float *from)
{
    quad q;
    memcpy(&q, from, sizeof q);
    return q;
}

/* A vector has VECTOR lanes. join_quads puts quads that stand `stride` apart into one vector; split_quads stores them
   again. */
#if defined(__AVX512F__)
#include <immintrin.h>
#define VECTOR 16
typedef __m512 vector;
#define QUAD_INDICES(a, b, c, d)                                                                                       \
    a, b, c, d, a + 4, b + 4, c + 4, d + 4, a + 8, b + 8, c + 8, d + 8, a + 12, b + 12, c + 12, d + 12
static inline __attribute__((always_inline)) vector join_quads(const float *from, size_t stride)
{
    vector v = _mm512_castps128_ps512(load_quad(from));
    v = _mm512_insertf32x4(v, load_quad(from + stride), 1);
    v = _mm512_insertf32x4(v, load_quad(from + 2 * stride), 2);
    return _mm512_insertf32x4(v, load_quad(from + 3 * stride), 3);
}

static inline __attribute__((always_inline)) void split_quads(vector v, float *to, size_t stride)
{
    _mm_storeu_ps(to, _mm512_castps512_ps128(v));
    _mm_storeu_ps(to + stride, _mm512_extractf32x4_ps(v, 1));
    _mm_storeu_ps(to + 2 * stride, _mm512_extractf32x4_ps(v, 2));
    _mm_storeu_ps(to + 3 * stride, _mm512_extractf32x4_ps(v, 3));
}
#elif defined(__AVX__)
#include <immintrin.h>
#define VECTOR 8
typedef __m256 vector;
#define QUAD_INDICES(a, b, c, d) a, b, c, d, a + 4, b + 4, c + 4, d + 4
static inline __attribute__((always_inline)) vector join_quads(const float *from, size_t stride)
{
    return _mm256_insertf128_ps(_mm256_castps128_ps256(load_quad(from)), load_quad(from + stride), 1);
}

static inline __attribute__((always_inline)) void split_quads(vector v, float *to, size_t stride)
{
    _mm_storeu_ps(to, _mm256_castps256_ps128(v));
    _mm_storeu_ps(to + stride, _mm256_extractf128_ps(v, 1));
}
#else
#define VECTOR 4
typedef quad vector;
#define QUAD_INDICES(a, b, c, d) a, b, c, d
static inline vector join_quads(const float *from, size_t stride)
{
    (void)stride;
    return load_quad(from);
}

static inline void split_quads(vector v, float *to, size_t stride)
{
    (void)stride;
    memcpy(to, &v, sizeof v);
}
#endif
/* A vector at any address. gcc makes two moves of a memcpy of 32 bytes, and a read of the whole soon after them
   stalls. */
typedef float unaligned_vector __attribute__((vector_size(4 * VECTOR), aligned(4), may_alias));

#define SHUFFLE_QUADS(x, y, a, b, c, d) __builtin_shufflevector(x, y, QUAD_INDICES(a, b, c, d))

/* Transposes each 4 x 4 floats of the quads of four vectors. */
static inline __attribute__((always_inline)) void transpose_quads(vector v[QUAD])
{
    vector low_01 = SHUFFLE_QUADS(v[0], v[1], 0, VECTOR, 1, VECTOR + 1);
    vector low_23 = SHUFFLE_QUADS(v[2], v[3], 0, VECTOR, 1, VECTOR + 1);
    vector high_01 = SHUFFLE_QUADS(v[0], v[1], 2, VECTOR + 2, 3, VECTOR + 3);
    vector high_23 = SHUFFLE_QUADS(v[2], v[3], 2, VECTOR + 2, 3, VECTOR + 3);
    v[0] = SHUFFLE_QUADS(low_01, low_23, 0, 1, VECTOR, VECTOR + 1);
    v[1] = SHUFFLE_QUADS(low_01, low_23, 2, 3, VECTOR + 2, VECTOR + 3);
    v[2] = SHUFFLE_QUADS(high_01, high_23, 0, 1, VECTOR, VECTOR + 1);
    v[3] = SHUFFLE_QUADS(high_01, high_23, 2, 3, VECTOR + 2, VECTOR + 3);
}

/* Transposes CPU_VECTOR rows of as many elements of 32 bits, `stride` apart. */
static inline void transpose_square(const void *rows_, size_t stride, void *columns_)
{
    const float *rows = rows_;
    float *columns = columns_;
    for (size_t k = 0; k < CPU_VECTOR; k += QUAD)
        for (size_t row = 0; row < CPU_VECTOR; row += VECTOR) {
            vector v[QUAD];
            for (size_t i = 0; i < QUAD; i++)
                v[i] = join_quads(rows + (row + i) * stride + k, QUAD * stride);
            transpose_quads(v);
            for (size_t i = 0; i < QUAD; i++)
                *(unaligned_vector *)(columns + (k + i) * CPU_VECTOR + row) = v[i];
        }
}

/* Returns how many neighbouring rows are transposed as one. Rows of fewer than four classes have no quad, so they are
   packed until they have; lanes are then not in the order of rows. */
static inline size_t packed_rows(size_t classes)
{
    return classes == 1 || classes == 3 ? 4 : classes == 2 ? 2 : 1;
}

/* Returns which row of the panel is on a lane. */
static inline size_t lane_to_row(size_t packed, size_t lane)
{
    size_t groups = CPU_LANES / packed;
    return lane % groups * packed + lane / groups;
}

/* Finds the quad of packed rows at element k. Returns its first element, and writes to `places` where each of its four
   elements stands on the first lane. The last quad overlaps the one before if classes are no multiple of four. */
static inline size_t quad_places(size_t classes, size_t packed, size_t k, float *lanes, float *places[QUAD])
{
    size_t length = classes * packed, first = k + QUAD <= length ? k : length - QUAD;
    for (size_t i = 0; i < QUAD; i++) {
        size_t c = first + i, row = 0;
        for (; c >= classes; c -= classes)
            row++;
        places[i] = lanes + c * CPU_LANES + row * (CPU_LANES / packed);
    }
    return first;
}

/* Transposes CPU_LANES rows, `stride` apart, or without a gap if they are packed, to classes x lanes. */
static inline void rows_to_lanes(const float *rows, size_t stride, size_t classes, size_t packed, float *lanes)
{
    stride *= packed;
    for (size_t k = 0; k < classes * packed; k += QUAD) {
        float *to[QUAD];
        size_t first = quad_places(classes, packed, k, lanes, to);
        for (size_t lane = 0; lane < CPU_LANES / packed; lane += VECTOR) {
            vector v[QUAD];
            for (size_t i = 0; i < QUAD; i++)
                v[i] = join_quads(rows + (lane + i) * stride + first, QUAD * stride);
            transpose_quads(v);
            for (size_t i = 0; i < QUAD; i++)
                *(unaligned_vector *)(to[i] + lane) = v[i];
        }
    }
}

/* Transposes classes x lanes back to rows. */
static inline void lanes_to_rows(float *lanes, size_t classes, size_t packed, float *rows, size_t stride)
{
    stride *= packed;
    for (size_t k = 0; k < classes * packed; k += QUAD) {
        float *from[QUAD];
        size_t first = quad_places(classes, packed, k, lanes, from);
        for (size_t lane = 0; lane < CPU_LANES / packed; lane += VECTOR) {
            vector v[QUAD];
            for (size_t i = 0; i < QUAD; i++)
                v[i] = *(const unaligned_vector *)(from[i] + lane);
            transpose_quads(v);
            for (size_t i = 0; i < QUAD; i++)
                split_quads(v[i], rows + (lane + i) * stride + first, QUAD * stride);
        }
    }
}

#endif
