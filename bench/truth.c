/* Exact results in long double, and the distance of results from them. See truth.h. */
#include "truth.h"

#include "files/array.h"
#include "support/messages.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

enum { MOST_ROWS = 64, MOST_ELEMENTS = 1 << 17 };

/* ---------------------------------------------------------------- A row */

/* A row of numbers, and what softmax makes of it. */
typedef struct exact_row {
    double *values; /* as the workload's dtype holds them */
    double *masses; /* exp((x - maximum) / T), which loses 2^-53 of it: 2^-29 ULP of f32 */
    double maximum;
    long double sum;  /* of the masses */
    long double rest; /* of the masses, without the first that is the maximum's: it keeps its digits next to 0 */
} exact_row;

/* What the formulas work on. */
typedef struct exact_rows {
    uint64_t classes, label;
    long double temperature;
    long double sums; /* classes * 2^-44, the error of sums of integers, in units of 2^-24 */
    exact_row logits, operand;
    double *results, *magnitudes;
} exact_rows;

/* Returns exp(difference / T), with its limits at T = 0 and T = inf. */
static long double mass(long double difference, long double temperature)
{
    if (temperature == 0)
        return difference == 0 ? 1 : 0;
    return isinf(temperature) ? 1 : expl(difference / temperature);
}

static void read_row(const workload *workload, call_array array, uint64_t row, exact_row *exact)
{
    const void *values = workload_array(workload, array, 0);
    for (uint64_t c = 0; c < workload->problem.classes; c++)
        exact->values[c] =
            (double)array_float(values, workload->problem.logits_dtype, workload_place(workload, row, c));
}

/* Computes the masses of a row and their sums. */
static void weigh_row(exact_row *row, uint64_t classes, long double temperature)
{
    uint64_t largest = 0;
    for (uint64_t c = 1; c < classes; c++)
        if (row->values[c] > row->values[largest])
            largest = c;
    row->maximum = row->values[largest];
    row->rest = 0;
    for (uint64_t c = 0; c < classes; c++) {
        long double e = mass((long double)row->values[c] - (long double)row->maximum, temperature);
        row->masses[c] = (double)e;
        if (c != largest)
            row->rest += e;
    }
    row->sum = 1 + row->rest;
}

static long double probability(const exact_row *row, uint64_t class)
{
    return (long double)row->masses[class] / row->sum;
}

/* Returns a probability, or 2^-126 where it is less: below that f32 has less digits, and the error does not shrink. */
static long double normal_probability(const exact_row *row, uint64_t class)
{
    return fmaxl(probability(row, class), (long double)FLT_MIN);
}

/* Returns the largest magnitude of an operand. */
static long double largest_operand(const exact_rows *rows)
{
    long double largest = 0;
    for (uint64_t c = 0; c < rows->classes; c++)
        largest = fmaxl(largest, fabsl((long double)rows->operand.values[c]));
    return largest;
}

static void put(const exact_rows *rows, uint64_t class, long double result, long double magnitude)
{
    rows->results[class] = (double)result;
    rows->magnitudes[class] = (double)magnitude;
}

/* ---------------------------------------------------------------- The formulas */

/* A magnitude is what clsoftmax.h counts the error of a result in: 2^-24 of it is the unit of its bounds. */

static void fill_softmax(const exact_rows *rows)
{
    for (uint64_t c = 0; c < rows->classes; c++)
        put(rows, c, probability(&rows->logits, c), probability(&rows->logits, c));
}

static void fill_log_softmax(const exact_rows *rows)
{
    const exact_row *x = &rows->logits;
    for (uint64_t c = 0; c < rows->classes; c++) {
        long double result =
            ((long double)x->values[c] - (long double)x->maximum) / rows->temperature - log1pl(x->rest);
        put(rows, c, result, -result * (1 + rows->sums));
    }
}

/* At the label p - 1 is made of the others, so that nothing cancels. */
static void fill_cross_entropy_gradient(const exact_rows *rows)
{
    const exact_row *x = &rows->logits;
    long double others = 0;
    for (uint64_t c = 0; c < rows->classes; c++)
        others += c != rows->label ? (long double)x->masses[c] : 0;
    for (uint64_t c = 0; c < rows->classes; c++)
        put(rows, c, (c == rows->label ? -others / x->sum : probability(x, c)) / rows->temperature,
            (c == rows->label ? others / x->sum : normal_probability(x, c)) * (1 + rows->sums) / rows->temperature);
}

static void fill_softmax_backward(const exact_rows *rows)
{
    const exact_row *x = &rows->logits;
    const double *g = rows->operand.values;
    const long double sums = rows->sums * largest_operand(rows);
    long double mean = 0, mean_magnitude = 0;
    for (uint64_t c = 0; c < rows->classes; c++) {
        mean += probability(x, c) * (long double)g[c];
        mean_magnitude += probability(x, c) * fabsl((long double)g[c]);
    }
    for (uint64_t c = 0; c < rows->classes; c++)
        put(rows, c, probability(x, c) * ((long double)g[c] - mean) / rows->temperature,
            normal_probability(x, c) * (fabsl((long double)g[c]) + mean_magnitude + sums) / rows->temperature);
}

static void fill_log_softmax_backward(const exact_rows *rows)
{
    const exact_row *x = &rows->logits;
    const double *g = rows->operand.values;
    const long double sums = rows->sums * largest_operand(rows);
    long double sum = 0;
    for (uint64_t c = 0; c < rows->classes; c++)
        sum += (long double)g[c];
    for (uint64_t c = 0; c < rows->classes; c++)
        put(rows, c, ((long double)g[c] - probability(x, c) * sum) / rows->temperature,
            (fabsl((long double)g[c]) + normal_probability(x, c) * (fabsl(sum) + sums)) / rows->temperature);
}

static void fill_sensitivity(const exact_rows *rows)
{
    const exact_row *x = &rows->logits;
    long double mean = 0; /* of the distances from the maximum, which are not negative */
    for (uint64_t c = 0; c < rows->classes; c++)
        mean += probability(x, c) * ((long double)x->maximum - (long double)x->values[c]);
    for (uint64_t c = 0; c < rows->classes; c++) {
        const long double distance = (long double)x->maximum - (long double)x->values[c];
        const long double squared = rows->temperature * rows->temperature;
        put(rows, c, probability(x, c) * (distance - mean) / squared,
            normal_probability(x, c) * (distance + mean + 2 * rows->sums * rows->temperature) / squared);
    }
}

static void fill_distillation_gradient(const exact_rows *rows)
{
    const exact_row *x = &rows->logits, *y = &rows->operand;
    for (uint64_t c = 0; c < rows->classes; c++)
        put(rows, c, (probability(x, c) - probability(y, c)) * rows->temperature,
            fmaxl(normal_probability(x, c), normal_probability(y, c)) * rows->temperature);
}

/* What the benchmark measures. An operation without a row is refused. */
static const struct {
    void (*fill)(const exact_rows *rows);
    const char *name;   /* of its results */
    double ulp;         /* the largest error that clsoftmax.h promises for f32, of accuracy faithful ... */
    double fast_factor; /* ... and how many times as much of accuracy fast */
} formulas[CLSOFTMAX_OPERATION_COUNT] = {
    [CLSOFTMAX_OPERATION_SOFTMAX] = {fill_softmax, "probabilities", 1, 4},
    [CLSOFTMAX_OPERATION_LOG_SOFTMAX] = {fill_log_softmax, "log-probabilities", 1, 4},
    [CLSOFTMAX_OPERATION_CROSS_ENTROPY_GRADIENT] = {fill_cross_entropy_gradient, "gradients", 2, 4},
    [CLSOFTMAX_OPERATION_SOFTMAX_BACKWARD] = {fill_softmax_backward, "gradients", 4, 4},
    [CLSOFTMAX_OPERATION_LOG_SOFTMAX_BACKWARD] = {fill_log_softmax_backward, "gradients", 4, 4},
    [CLSOFTMAX_OPERATION_SENSITIVITY] = {fill_sensitivity, "sensitivities", 6, 4},
    /* Half an ULP of the result, and half an ULP of a probability, which times T is up to 1 ULP of the product. */
    [CLSOFTMAX_OPERATION_DISTILLATION_GRADIENT] = {fill_distillation_gradient, "gradients", 1.5, 8}};

int truth_has(clsoftmax_operation operation)
{
    return formulas[operation].fill != NULL;
}

int truth_has_at(clsoftmax_operation operation, float temperature)
{
    return operation == CLSOFTMAX_OPERATION_SOFTMAX || (temperature > 0 && !isinf(temperature));
}

const char *truth_name(const workload *workload)
{
    return formulas[workload->problem.operation].name;
}

double truth_promised(const workload *workload, clsoftmax_accuracy accuracy)
{
    const clsoftmax_problem *problem = &workload->problem;
    const double ulp = formulas[problem->operation].ulp, factor = formulas[problem->operation].fast_factor;
    if (problem->results_dtype != CLSOFTMAX_F32)
        return 0.51;
    return accuracy == CLSOFTMAX_ACCURACY_FAST ? factor * ulp : ulp;
}

/* ---------------------------------------------------------------- The rows of a truth */

/* Returns the row of a sample; samples are spread evenly from the first row to the last. */
static uint64_t sampled_row(const workload *workload, uint64_t sample, uint64_t samples)
{
    return samples > 1 ? (workload->rows - 1) * sample / (samples - 1) : 0;
}

/* Computes the results of one row, in memory that is there. */
static void fill_row(const workload *workload, uint64_t row, exact_rows *rows)
{
    const clsoftmax_problem *problem = &workload->problem;
    const int64_t *labels = workload_array(workload, CALL_LABELS, 0);
    rows->label = labels ? (uint64_t)labels[row] : 0;
    read_row(workload, CALL_LOGITS, row, &rows->logits);
    weigh_row(&rows->logits, rows->classes, rows->temperature);
    if (clsoftmax_operation_has_operand(problem->operation))
        read_row(workload, CALL_OPERAND, row, &rows->operand);
    if (clsoftmax_operation_has_teacher(problem->operation))
        weigh_row(&rows->operand, rows->classes, rows->temperature);
    formulas[problem->operation].fill(rows);
}

/* Computes all rows, with `scratch` for four rows of numbers. */
static void fill_rows(truth *truth, const workload *workload, double *scratch)
{
    const uint64_t classes = workload->problem.classes;
    exact_rows rows = {.classes = classes,
                       .temperature = (long double)workload->temperature,
                       .sums = (long double)classes * 0x1p-20L,
                       .logits = {.values = scratch, .masses = scratch + classes},
                       .operand = {.values = scratch + 2 * classes, .masses = scratch + 3 * classes}};
    truth->scale = workload->problem.operation == CLSOFTMAX_OPERATION_SOFTMAX ? 1 : 0;
    for (uint64_t sample = 0; sample < truth->rows; sample++) {
        rows.results = truth->results + sample * classes;
        rows.magnitudes = truth->magnitudes + sample * classes;
        fill_row(workload, sampled_row(workload, sample, truth->rows), &rows);
        for (uint64_t c = 0; c < classes; c++)
            truth->scale = fmax(truth->scale, rows.magnitudes[c]);
    }
}

int truth_compute(truth *truth, const workload *workload)
{
    const uint64_t classes = workload->problem.classes, affordable = MOST_ELEMENTS / classes;
    truth->rows = affordable < 2 ? 2 : affordable < MOST_ROWS ? affordable : MOST_ROWS;
    if (truth->rows > workload->rows)
        truth->rows = workload->rows;
    truth->results = malloc((size_t)(truth->rows * classes) * sizeof(double));
    truth->magnitudes = malloc((size_t)(truth->rows * classes) * sizeof(double));
    double *scratch = malloc((size_t)(4 * classes) * sizeof(double));
    const int has_memory = truth->results && truth->magnitudes && scratch;
    if (has_memory)
        fill_rows(truth, workload, scratch);
    free(scratch);
    COMPLAIN_IF(!has_memory, EXIT_FAILED, "%s: no memory for exact results", workload_label(workload));
    return EXIT_DONE;
}

void truth_release(truth *truth)
{
    free(truth->results);
    free(truth->magnitudes);
    truth->results = truth->magnitudes = NULL;
}

/* ---------------------------------------------------------------- Distances */

/* Returns the distance between neighbouring numbers of a dtype at an exact value, which is not negative. */
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
    const void *results = workload_array(workload, CALL_RESULTS, slot);
    distance worst = {0, 0};
    for (uint64_t sample = 0; sample < truth->rows; sample++) {
        const uint64_t row = sampled_row(workload, sample, truth->rows);
        const double *exact = truth->results + sample * problem->classes;
        const double *magnitudes = truth->magnitudes + sample * problem->classes;
        for (uint64_t c = 0; c < problem->classes; c++) {
            double found = (double)array_float(results, problem->results_dtype, workload_place(workload, row, c));
            double absolute = fabs(found - exact[c]);
            raise_to(&worst.absolute, absolute);
            raise_to(&worst.ulp, absolute / spacing(problem->results_dtype, magnitudes[c]));
        }
    }
    return worst;
}
