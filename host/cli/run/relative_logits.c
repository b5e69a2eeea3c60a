/* Logits in double precision, as f32: see relative_logits.h. */
#include "run/relative_logits.h"

#include <float.h>
#include <math.h>

/* Returns the largest of the logits `stride` apart; NaN if one is NaN. */
static double largest_of(const double *row, uint64_t classes, uint64_t stride)
{
    double largest = -INFINITY;
    for (uint64_t c = 0; c < classes; c++) {
        double x = row[c * stride];
        if (isnan(x))
            return x;
        largest = x > largest ? x : largest;
    }
    return largest;
}

/* Returns the largest logit of a row if its differences to the others are more exact when they are rounded than when
   the logits are, else 0. Errors count by how large the difference is, so that masks do not outweigh all others. */
static double shift_of(const double *row, uint64_t classes, uint64_t stride)
{
    const double largest = largest_of(row, classes, stride);
    double error_of_differences = 0, error_of_logits = 0;
    if (!isfinite(largest))
        return 0;
    for (uint64_t c = 0; c < classes; c++) {
        const double x = row[c * stride], difference = x - largest, rounded = (double)(float)difference;
        if (isinf(rounded)) /* a mask, either way */
            continue;
        const double of_logits = (double)(float)x - (double)(float)largest, scale = 1 + fabs(difference);
        error_of_differences = fmax(error_of_differences, fabs(rounded - difference) / scale);
        error_of_logits = isfinite(of_logits) ? fmax(error_of_logits, fabs(of_logits - difference) / scale) : INFINITY;
    }
    return error_of_logits > error_of_differences ? largest : 0;
}

/* Rounds a difference to f32. One that f32 cannot hold is far below the largest logit; a positive one stands in a row
   with +inf, and stays finite. */
static float rounded(double difference)
{
    return difference > FLT_MAX && !isinf(difference) ? FLT_MAX : (float)difference;
}

void relative_logits(const double *exact, uint64_t outer, uint64_t classes, uint64_t inner, float *logits,
                     double *shifts)
{
    for (uint64_t row = 0; row < outer * inner; row++) {
        const uint64_t first = row / inner * classes * inner + row % inner;
        shifts[row] = shift_of(exact + first, classes, inner);
        for (uint64_t c = 0; c < classes; c++)
            logits[first + c * inner] = rounded(exact[first + c * inner] - shifts[row]);
    }
}

void shift_statistics(double shift, float temperature, clsoftmax_statistics *statistics)
{
    if (shift == 0)
        return;
    statistics->maximum = (float)(shift + (double)statistics->maximum);
    if (temperature == 0) /* of either sign */
        statistics->log_sum_exp = shift > 0 ? INFINITY : -INFINITY;
    else if (!isnan(statistics->log_sum_exp)) /* as it is at a temperature that is none */
        statistics->log_sum_exp = (float)(shift / (double)temperature + (double)statistics->log_sum_exp);
}
