/* Exact probabilities in long double, and the distance of results from them. See truth.h. */
#include "truth.h"

#include "files/array.h"
#include "support/messages.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_ROWS = 64, MOST_ELEMENTS = 1 << 17 };

/* Returns the row of a sample; samples are spread evenly from the first row to the last. */
static uint64_t sampled_row(const workload *workload, uint64_t sample, uint64_t samples)
{
    return samples > 1 ? (workload->rows - 1) * sample / (samples - 1) : 0;
}

/* Returns exp(difference / T), with its limits at T = 0 and T = inf. */
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
    float maximum = -INFINITY;
    for (uint64_t c = 0; c < problem->classes; c++)
        maximum = fmaxf(maximum, array_float(logits, problem->logits_dtype, workload_place(workload, row, c)));
    long double sum = 0;
    for (uint64_t c = 0; c < problem->classes; c++) {
        long double x = (long double)array_float(logits, problem->logits_dtype, workload_place(workload, row, c));
        long double e = mass(x - (long double)maximum, workload->temperature);
        sum += e;
        probabilities[c] = (double)e; /* loses 2^-53 of it, which is 2^-29 ULP of f32 */
    }
    for (uint64_t c = 0; c < problem->classes; c++)
        probabilities[c] = (double)((long double)probabilities[c] / sum);
}

int truth_compute(truth *truth, const workload *workload)
{
    const uint64_t classes = workload->problem.classes, affordable = MOST_ELEMENTS / classes;
    truth->rows = affordable < 2 ? 2 : affordable < MOST_ROWS ? affordable : MOST_ROWS;
    if (truth->rows > workload->rows)
        truth->rows = workload->rows;
    truth->probabilities = malloc((size_t)(truth->rows * classes) * sizeof(double));
    COMPLAIN_IF(!truth->probabilities, EXIT_FAILED, "%s: no memory for exact probabilities", workload_label(workload));
    for (uint64_t sample = 0; sample < truth->rows; sample++)
        fill_row(workload, sampled_row(workload, sample, truth->rows), truth->probabilities + sample * classes);
    return EXIT_DONE;
}

void truth_release(truth *truth)
{
    free(truth->probabilities);
    truth->probabilities = NULL;
}

/* Returns the distance between neighbouring numbers of a dtype at an exact value. */
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

/* Raises the worst error so far to another one. A NaN counts as worse than any number, and stays. */
static void raise_to(double *worst, double error)
{
    if (!isnan(*worst) && !(error <= *worst))
        *worst = error;
}

distance truth_distance(const truth *truth, const workload *workload, unsigned slot)
{
    const clsoftmax_problem *problem = &workload->problem;
    const void *results = workload_results(workload, slot);
    distance worst = {0, 0};
    for (uint64_t sample = 0; sample < truth->rows; sample++) {
        const uint64_t row = sampled_row(workload, sample, truth->rows);
        const double *exact = truth->probabilities + sample * problem->classes;
        for (uint64_t c = 0; c < problem->classes; c++) {
            double found = (double)array_float(results, problem->results_dtype, workload_place(workload, row, c));
            double absolute = fabs(found - exact[c]);
            raise_to(&worst.absolute, absolute);
            raise_to(&worst.ulp, absolute / spacing(problem->results_dtype, exact[c]));
        }
    }
    return worst;
}
