/* Measured times, and what they come to. */
#ifndef CLSOFTMAX_BENCH_SAMPLES_H
#define CLSOFTMAX_BENCH_SAMPLES_H

#include <stddef.h>

typedef struct samples {
    double *seconds; /* of a pass, in the order of the rounds */
    size_t count, capacity;
} samples;

typedef struct summary {
    double median, best;
    double spread;      /* (third quartile - first quartile) / median */
    double uncertainty; /* standard error of the median, as a part of it */
} summary;

/* 1, or 0 without memory. */
int samples_add(samples *samples, double seconds);
void samples_clear(samples *samples);
void samples_release(samples *samples);

/* Of at least one sample. */
summary samples_summary(const samples *samples);

/* Seconds of a clock that only goes forward. */
double now(void);

#endif
