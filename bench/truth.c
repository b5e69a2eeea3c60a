#include "truth.h"

#include "files/array.h"

#include <math.h>
#include <stdlib.h>

struct truth {
    uint64_t rows; /* sampled */
    double *probabilities;
};

enum { MOST_ROWS = 64, MOST_ELEMENTS = 1 << 17 };

/* The first sample is row 0, the last one the last row. */
static uint64_t sampled_row(const workload *workload, uint64_t sample, uint64_t samples)
{
    return samples > 1 ? (workload->rows - 1) * sample / (samples - 1) : 0;
}

/* Where class 0 of a row stands in a dense array; its classes are problem.inner apart. */
static uint64_t row_start(const clsoftmax_problem *problem, uint64_t row)
{
    return row / problem->inner * problem->classes * problem->inner + row % problem->inner;
}

/* exp((x - m) / T), with the limits at T = 0 and T = inf. */
static long double mass(long double difference, float temperature)
{
    if (temperature == 0)
        return difference == 0 ? 1 : 0;
    return isinf(temperature) ? 1 : expl(difference / (long double)temperature);
}

static void fill_row(const workload *workload, uint64_t row, double *probabilities)
{
    const clsoftmax_problem *problem = &workload->problem;
    const void *logits = workload_logits(workload, 0);
    uint64_t start = row_start(problem, row);
    float maximum = -INFINITY;
    for (uint64_t c = 0; c < problem->classes; c++)
        maximum = fmaxf(maximum, array_float(logits, problem->logits_dtype, start + c * problem->inner));
    long double sum = 0;
    for (uint64_t c = 0; c < problem->classes; c++) {
        long double x = (long double)array_float(logits, problem->logits_dtype, start + c * problem->inner);
        long double e = mass(x - (long double)maximum, workload->temperature);
        sum += e;
        probabilities[c] = (double)e; /* 2^-53 of it is lost, and 2^-29 ULP of f32 with it */
    }
    for (uint64_t c = 0; c < problem->classes; c++)
        probabilities[c] = (double)((long double)probabilities[c] / sum);
}

truth *truth_create(const workload *workload)
{
    truth *truth = calloc(1, sizeof *truth);
    if (!truth)
        return NULL;
    uint64_t classes = workload->problem.classes, affordable = MOST_ELEMENTS / classes;
    truth->rows = affordable < 2 ? 2 : affordable < MOST_ROWS ? affordable : MOST_ROWS;
    if (truth->rows > workload->rows)
        truth->rows = workload->rows;
    truth->probabilities = malloc((size_t)(truth->rows * classes) * sizeof(double));
    if (!truth->probabilities) {
        free(truth);
        return NULL;
    }
    for (uint64_t sample = 0; sample < truth->rows; sample++)
        fill_row(workload, sampled_row(workload, sample, truth->rows), truth->probabilities + sample * classes);
    return truth;
}

void truth_release(truth *truth)
{
    if (truth)
        free(truth->probabilities);
    free(truth);
}

/* The spacing of a dtype's values at an exact one. */
static double spacing(clsoftmax_dtype dtype, double exact)
{
    static const struct {
        int fraction_bits, least_exponent; /* of normal numbers */
    } formats[CLSOFTMAX_DTYPE_COUNT] = {
        [CLSOFTMAX_F32] = {23, -126}, [CLSOFTMAX_F16] = {10, -14}, [CLSOFTMAX_BF16] = {7, -126}};
    int exponent = exact > 0 ? ilogb(exact) : formats[dtype].least_exponent;
    if (exponent < formats[dtype].least_exponent)
        exponent = formats[dtype].least_exponent;
    return ldexp(1, exponent - formats[dtype].fraction_bits);
}

distance workload_distance(const workload *workload, unsigned pair)
{
    const clsoftmax_problem *problem = &workload->problem;
    const void *results = workload_results(workload, pair);
    distance worst = {0, 0};
    for (uint64_t sample = 0; sample < workload->truth->rows; sample++) {
        uint64_t start = row_start(problem, sampled_row(workload, sample, workload->truth->rows));
        const double *exact = workload->truth->probabilities + sample * problem->classes;
        for (uint64_t c = 0; c < problem->classes; c++) {
            double found = (double)array_float(results, problem->results_dtype, start + c * problem->inner);
            double absolute = fabs(found - exact[c]), ulp = absolute / spacing(problem->results_dtype, exact[c]);
            if (!(absolute <= worst.absolute)) /* NaN too, which then stays */
                worst.absolute = isnan(worst.absolute) ? worst.absolute : absolute;
            if (!(ulp <= worst.ulp))
                worst.ulp = isnan(worst.ulp) ? worst.ulp : ulp;
        }
    }
    return worst;
}
