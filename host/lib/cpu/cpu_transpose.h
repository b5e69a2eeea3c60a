/* Rows of neighbouring classes to classes x lanes, a row on each lane, and back. */
#ifndef CLSOFTMAX_CPU_TRANSPOSE_H
#define CLSOFTMAX_CPU_TRANSPOSE_H

#include "cpu_rows.h"

typedef float vector __attribute__((vector_size(32)));
#define VECTOR 8

/* 8 x 8: three steps, each of which exchanges halves of twice the size. */
static inline __attribute__((always_inline)) void transpose_8x8(const float *const from[VECTOR],
                                                                float *const to[VECTOR])
{
    vector a[8], b[8];
    for (int i = 0; i < 8; i++)
        memcpy(&a[i], from[i], sizeof a[i]);
    for (int i = 0; i < 4; i++) {
        b[2 * i] = __builtin_shufflevector(a[2 * i], a[2 * i + 1], 0, 8, 2, 10, 4, 12, 6, 14);
        b[2 * i + 1] = __builtin_shufflevector(a[2 * i], a[2 * i + 1], 1, 9, 3, 11, 5, 13, 7, 15);
    }
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < 2; k++) {
            a[4 * i + k] = __builtin_shufflevector(b[4 * i + k], b[4 * i + 2 + k], 0, 1, 8, 9, 4, 5, 12, 13);
            a[4 * i + 2 + k] = __builtin_shufflevector(b[4 * i + k], b[4 * i + 2 + k], 2, 3, 10, 11, 6, 7, 14, 15);
        }
    for (int i = 0; i < 4; i++) {
        b[i] = __builtin_shufflevector(a[i], a[4 + i], 0, 1, 2, 3, 8, 9, 10, 11);
        b[4 + i] = __builtin_shufflevector(a[i], a[4 + i], 4, 5, 6, 7, 12, 13, 14, 15);
    }
    for (int i = 0; i < 8; i++)
        memcpy(to[i], &b[i], sizeof b[i]);
}

/* Rows of very few classes would leave vectors empty: so many are transposed as one. Then lanes are not in the order of rows. */
static inline size_t packed_rows(size_t classes)
{
    return classes <= 2 ? 4 : classes <= 4 ? 2 : 1;
}

/* The row on a lane. */
static inline size_t row_on_lane(size_t packed, size_t lane)
{
    size_t groups = CPU_LANES / packed;
    return lane % groups * packed + lane / groups;
}

/* Where vectors k to k + 7 of packed rows stand as lanes: the first of each; those behind the last are nowhere. */
static inline void packed_places(size_t classes, size_t packed, size_t k, float *lanes, float *nowhere,
                                 float *places[VECTOR])
{
    for (size_t i = 0; i < VECTOR; i++) {
        size_t row = (k + i) / classes, c = (k + i) % classes;
        places[i] = row < packed ? lanes + c * CPU_LANES + row * (CPU_LANES / packed) : nowhere;
    }
}

/* CPU_LANES rows, one behind the other, with room for a vector behind the last -> classes x lanes. */
static inline void rows_to_lanes(const float *rows, size_t classes, float *lanes)
{
    size_t packed = packed_rows(classes), length = classes * packed;
    float nowhere[VECTOR];
    for (size_t k = 0; k < length; k += VECTOR) {
        float *to[VECTOR];
        packed_places(classes, packed, k, lanes, nowhere, to);
        for (size_t group = 0; group < CPU_LANES / packed; group += VECTOR) {
            const float *from[VECTOR];
            for (size_t i = 0; i < VECTOR; i++)
                from[i] = rows + (group + i) * length + k;
            transpose_8x8(from, to);
            for (size_t i = 0; i < VECTOR; i++)
                to[i] += to[i] == nowhere ? 0 : VECTOR;
        }
    }
}

/* The reverse. What whole vectors write behind a row is written over by the next: so rows go up, and classes down. */
static inline void lanes_to_rows(float *lanes, size_t classes, float *rows)
{
    size_t packed = packed_rows(classes), length = classes * packed;
    float nowhere[VECTOR] = {0};
    for (size_t end = (length + VECTOR - 1) / VECTOR * VECTOR; end > 0; end -= VECTOR) {
        float *from[VECTOR];
        packed_places(classes, packed, end - VECTOR, lanes, nowhere, from);
        for (size_t group = 0; group < CPU_LANES / packed; group += VECTOR) {
            float *to[VECTOR];
            for (size_t i = 0; i < VECTOR; i++)
                to[i] = rows + (group + i) * length + (end - VECTOR);
            transpose_8x8((const float *const *)from, to);
            for (size_t i = 0; i < VECTOR; i++)
                from[i] += from[i] == nowhere ? 0 : VECTOR;
        }
    }
}

#endif
