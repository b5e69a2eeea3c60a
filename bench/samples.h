/*
 * Measured times, and the numbers that sum them up. rounds.c collects them, reports show them; bench-sweep uses them,
 * too.
 */
#ifndef CLSOFTMAX_BENCH_SAMPLES_H
#define CLSOFTMAX_BENCH_SAMPLES_H

#include <stddef.h>

typedef struct samples {
    double *seconds; /* of a call, in the order of the rounds */
    size_t count, capacity;
} samples;

typedef struct summary {
    double median, best;
    double spread;      /* (third quartile - first quartile) / median */
    double uncertainty; /* standard error of the median / median */
} summary;

/* Adds a time. Returns 1, or 0 without memory. */
int samples_add(samples *samples, double seconds);
void samples_clear(samples *samples);
void samples_release(samples *samples);

/* Sums up; NaN throughout without a sample or without memory. */
summary samples_summary(const samples *samples);

/* Returns the seconds of a clock that only goes forward. */
double now(void);

#endif
