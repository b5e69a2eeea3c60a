/* Measured times: median, spread and uncertainty. See samples.h. */
#include "samples.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int samples_add(samples *samples, double seconds)
{
    if (samples->count == samples->capacity) {
        size_t capacity = samples->capacity ? 2 * samples->capacity : 64;
        double *grown = realloc(samples->seconds, capacity * sizeof *grown);
        if (!grown)
            return 0;
        samples->seconds = grown;
        samples->capacity = capacity;
    }
    samples->seconds[samples->count++] = seconds;
    return 1;
}

void samples_clear(samples *samples)
{
    samples->count = 0;
}

void samples_release(samples *samples)
{
    free(samples->seconds);
    memset(samples, 0, sizeof *samples);
}

static int compare_doubles(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

/* Returns the value below which a fraction of the sorted values lies, interpolated between its neighbours. */
static double quantile(const double *sorted, size_t count, double fraction)
{
    double place = fraction * (double)(count - 1);
    size_t below = (size_t)place;
    double above = below + 1 < count ? sorted[below + 1] : sorted[below];
    return sorted[below] + (place - (double)below) * (above - sorted[below]);
}

summary samples_summary(const samples *samples)
{
    summary summary = {NAN, NAN, NAN, NAN};
    double *sorted = malloc(samples->count * sizeof *sorted);
    if (!sorted || samples->count == 0) {
        free(sorted);
        return summary;
    }
    memcpy(sorted, samples->seconds, samples->count * sizeof *sorted);
    qsort(sorted, samples->count, sizeof *sorted, compare_doubles);
    double range = quantile(sorted, samples->count, 0.75) - quantile(sorted, samples->count, 0.25);
    summary.median = quantile(sorted, samples->count, 0.5);
    summary.best = sorted[0];
    summary.spread = range / summary.median;
    /* Of a normal distribution, the range of the quartiles is 1.349 standard deviations, and the median varies 1.2533
       times as much as the mean. */
    summary.uncertainty = 1.2533 / 1.349 * summary.spread / sqrt((double)samples->count);
    free(sorted);
    return summary;
}

double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}
