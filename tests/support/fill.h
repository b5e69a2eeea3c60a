/* Test data: named distributions of logits, each made to expose one kind of error, and temperatures. The same seed
   gives the same data on every machine. */
#ifndef CLSOFTMAX_FILL_H
#define CLSOFTMAX_FILL_H

#include <stddef.h>
#include <stdint.h>

#define FILL_LIST(X)                                                                                                   \
    X(FLAT, "all equal: the sum is the number of classes, and all classes tie")                                        \
    X(PEAK, "one large logit, the rest equal: the bias of ties, thousands of times")                                   \
    X(NARROW, "z in [-5, 0]: many probabilities of one size")                                                          \
    X(WIDE, "z in [-110, 0]: probabilities down to subnormals and to zero")                                            \
    X(OFFSET, "narrow, but far from zero: the difference of large numbers")                                            \
    X(MASKED, "narrow with -inf among them, some rows nothing else")                                                   \
    X(SUBNORMAL, "subnormal logits")                                                                                   \
    X(HUGE_LOGITS, "up to FLT_MAX, both signs: differences that overflow")                                             \
    X(PATTERN, "raw random bits, NaN and infinities left out of most rows")

typedef enum fill {
#define FILL_ENUM(name, why) FILL_##name,
    FILL_LIST(FILL_ENUM)
#undef FILL_ENUM
        FILL_COUNT
} fill;

const char *fill_name(fill kind);

/* Fills a matrix. Where the distribution is one of z = (x - max) / T, the logits grow with the temperature, as far as
   f32 goes. */
void fill_matrix(fill kind, uint64_t *random, float temperature, size_t rows, size_t classes, float *x);

/* Returns 1 for a row with a maximum, without NaN and +inf. */
int fill_is_ordinary(const float *x, size_t classes);

/* Draws a temperature: mostly a usual one, else a border of the core's scaling, its neighbour, or raw bits. It is never
   negative or NaN. */
float fill_temperature(uint64_t *random);

#endif
