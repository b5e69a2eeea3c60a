/* The edge table, the published examples and rows of special kinds, on every implementation: the reference, cpu, and
   each strategy of OpenCL. */
#include "support/device.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct implementation {
    char device[16];
    clsoftmax_strategy strategy;
} implementation;

#define ON_OPENCL(name, ...) {"opencl", CLSOFTMAX_STRATEGY_##name},
static implementation implementations[] = {
    {"reference", CLSOFTMAX_STRATEGY_AUTO}, {"cpu", CLSOFTMAX_STRATEGY_AUTO}, CLSOFTMAX_STRATEGY_LIST(ON_OPENCL)};

static clsoftmax_context *open_implementation(const implementation *i)
{
    return strcmp(i->device, "opencl") == 0 ? test_open_opencl() : test_open(i->device);
}

static void softmax(clsoftmax_context *context, const implementation *i, size_t rows, size_t classes, const float *x,
                    float temperature, float *p)
{
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    problem.outer = rows;
    problem.classes = classes;
    problem.strategy = i->strategy;
    test_run(context, &problem, x, temperature, p);
}

/* ---------------------------------------------------------------- Edges */

#define N NAN
#define I INFINITY
#define THIRD (1.0f / 3)

typedef struct edge {
    const char *name;
    size_t classes;
    float temperature;
    float x[4], expected[4];
} edge;

static const edge edges[] = {
    {"T = 0, one largest", 3, 0, {1, 3, 2}, {0, 1, 0}},
    {"T = 0, ties", 3, 0, {3, 1, 3}, {0.5f, 0, 0.5f}},
    {"T = -0", 3, -0.0f, {3, 1, 3}, {0.5f, 0, 0.5f}},
    {"T = 0, neighbours", 2, 0, {1, 0x1.fffffep-1f}, {1, 0}},
    {"T = 0, subnormal neighbours", 2, 0, {0, 0x1p-149f}, {0, 1}},
    {"T = 0, huge", 3, 0, {-FLT_MAX, FLT_MAX, FLT_MAX}, {0, 0.5f, 0.5f}},
    {"T = 0, masks", 3, 0, {-I, -5, -I}, {0, 1, 0}},
    {"T = inf", 3, I, {3, 1, 3}, {THIRD, THIRD, THIRD}},
    {"T = inf, masks", 4, I, {3, -I, 3, -FLT_MAX}, {THIRD, 0, THIRD, THIRD}},
    {"T = inf, huge", 2, I, {-FLT_MAX, FLT_MAX}, {0.5f, 0.5f}},
    {"smallest T", 2, 0x1p-149f, {0x1p-149f, 0}, {0.731058578630005f, 0.268941421369995f}},
    {"smallest T, huge", 2, 0x1p-149f, {FLT_MAX, FLT_MAX}, {0.5f, 0.5f}},
    {"largest T, huge", 2, FLT_MAX, {FLT_MAX, -FLT_MAX}, {0.880797077977882f, 0.119202922022118f}},
    {"masks", 3, 1, {-I, 2, 2}, {0, 0.5f, 0.5f}},
    {"nothing but masks", 3, 1, {-I, -I, -I}, {N, N, N}},
    {"nothing but masks, T = 0", 3, 0, {-I, -I, -I}, {N, N, N}},
    {"nothing but masks, T = inf", 3, I, {-I, -I, -I}, {N, N, N}},
    {"+inf", 3, 1, {I, 0, 0}, {N, N, N}},
    {"+inf, T = 0", 3, 0, {I, 0, I}, {N, N, N}},
    {"NaN", 3, 1, {0, N, 0}, {N, N, N}},
    {"negative NaN below everything", 3, 1, {0, -N, 0}, {N, N, N}},
    {"NaN among masks", 3, 1, {-I, N, -I}, {N, N, N}},
    {"one class", 1, 1, {-7}, {1}},
    {"one class, masked", 1, 1, {-I}, {N}},
    {"one class, NaN", 1, 1, {N}, {N}},
    {"zeros of both signs", 2, 0, {-0.0f, 0.0f}, {0.5f, 0.5f}},
    {"a probability that underflows", 2, 1, {0, -200}, {1, 0}},
};

ParameterizedTestParameters(contract, edges)
{
    return cr_make_param_array(implementation, implementations, sizeof implementations / sizeof *implementations);
}

/* Compares every row of the table with its expected results, each of which is exact or nearly so. */
ParameterizedTest(implementation *i, contract, edges)
{
    clsoftmax_context *context = open_implementation(i);
    for (size_t k = 0; k < sizeof edges / sizeof *edges; k++) {
        const edge *e = &edges[k];
        float p[4];
        softmax(context, i, 1, e->classes, e->x, e->temperature, p);
        for (size_t c = 0; c < e->classes; c++) {
            float difference = fabsf(p[c] - e->expected[c]);
            int right = isnan(e->expected[c]) ? isnan(p[c]) : difference <= e->expected[c] * 0x1p-23f && !signbit(p[c]);
            cr_expect(right, "%s %s: %s: class %zu is %a, not %a", i->device, clsoftmax_strategy_name(i->strategy),
                      e->name, c, (double)p[c], (double)e->expected[c]);
        }
    }
    clsoftmax_context_release(context);
}

/* ---------------------------------------------------------------- Published examples */

typedef struct example {
    const char *source;
    size_t classes;
    double logits[3];
    float temperature;
    double published[3];
    double half_unit[3]; /* half of the last printed digit */
    double more;         /* relative error of a temperature that is no f32 */
} example;

#define LOG_1_4 -1.3862943611198906
#define LOG_3_4 -0.2876820724517809

static const example examples[] = {
    {"probabilities and back, T = 1", 2, {LOG_1_4, LOG_3_4}, 1, {0.25, 0.75}, {5e-9, 5e-9}, 0},
    {"probabilities and back, T = 0.5", 2, {LOG_1_4, LOG_3_4}, 0.5f, {0.1, 0.9}, {5e-9, 5e-9}, 0},
    {"probabilities and back, T = 5", 2, {LOG_1_4, LOG_3_4}, 5, {0.44528932, 0.55471068}, {5e-9, 5e-9}, 0},
    {"distillation, T = 1",
     3,
     {10, 20, 30},
     1,
     {2.06106005e-09, 4.53978686e-05, 9.99954600e-01},
     {5e-18, 5e-14, 5e-10},
     0},
    {"distillation, T = 10", 3, {10, 20, 30}, 10, {0.09003057, 0.24472847, 0.66524096}, {5e-9, 5e-9, 5e-9}, 0},
    {"distillation, T = 20", 3, {10, 20, 30}, 20, {0.18632372, 0.30719589, 0.50648039}, {5e-9, 5e-9, 5e-9}, 0},
    {"distillation, T = 30", 3, {10, 20, 30}, 30, {0.23023722, 0.32132192, 0.44844086}, {5e-9, 5e-9, 5e-9}, 0},
    {"distillation, T = 100", 3, {10, 20, 30}, 100, {0.30060961, 0.33222499, 0.3671654}, {5e-9, 5e-9, 5e-9}, 0},
    {"sensitivity, T = 1", 3, {1, 2, 3}, 1, {0.09003057, 0.24472847, 0.66524096}, {5e-9, 5e-9, 5e-9}, 0},
    {"sensitivity, T = 10", 3, {1, 2, 3}, 10, {0.30060961, 0.33222499, 0.3671654}, {5e-9, 5e-9, 5e-9}, 0},
    {"sensitivity, T = 0.1",
     3,
     {1, 2, 3},
     0.1f,
     {2.06106005e-09, 4.53978686e-05, 9.99954600e-01},
     {5e-18, 5e-14, 5e-10},
     4e-7},
    {"limit T -> 0", 3, {3, 1, 3}, 0, {0.5, 0, 0.5}, {0, 0, 0}, 0},
    {"limit T -> inf", 3, {3, 1, 3}, INFINITY, {1.0 / 3, 1.0 / 3, 1.0 / 3}, {0, 0, 0}, 0},
};

ParameterizedTestParameters(contract, published_examples)
{
    return cr_make_param_array(implementation, implementations, sizeof implementations / sizeof *implementations);
}

/* Compares numbers that were published with what is computed, to their last printed digit. */
ParameterizedTest(implementation *i, contract, published_examples)
{
    clsoftmax_context *context = open_implementation(i);
    for (size_t k = 0; k < sizeof examples / sizeof *examples; k++) {
        const example *e = &examples[k];
        float x[3], p[3];
        for (size_t c = 0; c < e->classes; c++)
            x[c] = (float)e->logits[c];
        softmax(context, i, 1, e->classes, x, e->temperature, p);
        for (size_t c = 0; c < e->classes; c++) {
            float value = (float)e->published[c];
            double ulp = (double)nextafterf(value, INFINITY) - (double)value;
            double allowed = ulp + e->half_unit[c] + e->more * e->published[c];
            cr_expect(fabs((double)p[c] - e->published[c]) <= allowed, "%s: %s: class %zu is %.9g, published %.9g",
                      i->device, e->source, c, (double)p[c], e->published[c]);
        }
    }
    clsoftmax_context_release(context);
}

/* ---------------------------------------------------------------- Places, labels, statistics */

ParameterizedTestParameters(contract, in_place_and_alone)
{
    return cr_make_param_array(implementation, implementations, sizeof implementations / sizeof *implementations);
}

/* Compares rows of a matrix, in place and between guards, with the same rows alone. 40,000 classes are more than cpu
   keeps. */
ParameterizedTest(implementation *i, contract, in_place_and_alone)
{
    enum { ROWS = 3, GUARD = 32 };
    const size_t sizes[] = {1, 15, 16, 17, 255, 256, 257, 1000, 40000};
    clsoftmax_context *context = open_implementation(i);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        size_t classes = sizes[s], count = ROWS * classes;
        float *batch = malloc((count + 2 * GUARD) * sizeof(float)), *alone = malloc(classes * sizeof(float));
        float *x = malloc(count * sizeof(float));
        for (size_t k = 0; k < count + 2 * GUARD; k++)
            batch[k] = 123;
        for (size_t k = 0; k < count; k++)
            x[k] = batch[GUARD + k] = (float)((k * 7919) % 1009) * 0.01f;
        softmax(context, i, ROWS, classes, batch + GUARD, 0.7f, batch + GUARD);
        for (size_t row = 0; row < ROWS; row++) {
            softmax(context, i, 1, classes, x + row * classes, 0.7f, alone);
            cr_expect(memcmp(alone, batch + GUARD + row * classes, classes * sizeof(float)) == 0,
                      "%zu classes, row %zu", classes, row);
        }
        for (size_t k = 0; k < GUARD; k++)
            cr_expect(batch[k] == 123 && batch[GUARD + count + k] == 123, "a guard was written over at %zu classes",
                      classes);
        free(batch);
        free(alone);
        free(x);
    }
    clsoftmax_context_release(context);
}

ParameterizedTestParameters(contract, labels_that_are_none)
{
    return cr_make_param_array(implementation, implementations, sizeof implementations / sizeof *implementations);
}

/* Checks the negative log-likelihood of rows of equal logits: NaN without labels and for a label that is no class, else
   the logarithm of the number of classes. */
ParameterizedTest(implementation *i, contract, labels_that_are_none)
{
    enum { ROWS = 3, MOST = 1000, TEMPERATURES = 2 };
    static const float zeros[ROWS * MOST], temperatures[TEMPERATURES] = {1, 2};
    clsoftmax_context *context = open_implementation(i);
    for (int which = 0; which < 8; which++) {
        const uint64_t classes = which & 1 ? MOST : 3;
        const int64_t labels[ROWS] = {-1, (int64_t)classes, (int64_t)classes - 1};
        clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
        clsoftmax_statistics s[TEMPERATURES * ROWS];
        problem.outer = ROWS;
        problem.classes = classes;
        problem.strategy = i->strategy;
        problem.operation = CLSOFTMAX_OPERATION_NONE;
        problem.statistics = 1;
        problem.sweep = which & 2 ? TEMPERATURES : 0;
        const clsoftmax_arguments arguments = {.size = sizeof(clsoftmax_arguments),
                                               .logits = zeros,
                                               .temperature = 1,
                                               .temperatures = temperatures,
                                               .labels = which & 4 ? labels : NULL,
                                               .statistics = s,
                                               .scale = 1};
        test_call(context, &problem, &arguments);
        for (int record = 0; record < (which & 2 ? TEMPERATURES : 1) * ROWS; record++) {
            const float likelihood = s[record].negative_log_likelihood, expected = logf((float)classes);
            const int is_labelled = (which & 4) && record % ROWS == 2;
            cr_expect(is_labelled ? fabsf(likelihood - expected) < 1e-6f : isnan(likelihood), "%s %s: case %d, %d: %a",
                      i->device, clsoftmax_strategy_name(i->strategy), which, record, (double)likelihood);
        }
    }
    clsoftmax_context_release(context);
}

static float of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

ParameterizedTestParameters(contract, statistics_of_special_rows)
{
    return cr_make_param_array(implementation, implementations, sizeof implementations / sizeof *implementations);
}

/* Checks the statistics of rows with NaN, +inf, nothing but -inf, or an invalid temperature, with every policy. The
   argmax is the first NaN, whatever its bits, and a NaN in the statistics is the canonical one. */
ParameterizedTest(implementation *i, contract, statistics_of_special_rows)
{
    enum { ROWS = 8, CLASSES = 3 };
    const float quiet = of_bits(0x7FC00000), other = of_bits(0x7FC00001), negative = of_bits(0xFFC00000);
    const float x[ROWS][CLASSES] = {{quiet, 0, other}, {1, quiet, negative}, {-I, -I, -I}, {0, I, I}, {5, 6, 6},
                                    {0, I, 1},         {-0.0f, 0, -1},       {2, 1, 0}};
    const float temperatures[ROWS] = {1, 1, 1, 1, -1, NAN, 0, -0.0f};
    const int64_t labels[ROWS] = {0, 0, 0, 1, 1, 1, 1, 0}, argmax[ROWS] = {0, 1, 0, 1, 1, 1, 0, 0};
    clsoftmax_context *context = open_implementation(i);
    for (int policies = 0; policies < 6; policies++) {
        clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
        problem.outer = ROWS;
        problem.classes = CLASSES;
        problem.strategy = i->strategy;
        problem.operation = CLSOFTMAX_OPERATION_NONE;
        problem.statistics = problem.temperature_per_row = 1;
        problem.neg_inf_rows = (clsoftmax_neg_inf_rows)(policies % 3);
        problem.pos_inf = (clsoftmax_pos_inf)(policies / 3);
        clsoftmax_statistics s[ROWS];
        uint64_t invalid = 0;
        const clsoftmax_arguments arguments = {.size = sizeof(clsoftmax_arguments),
                                               .logits = x,
                                               .temperature = 1,
                                               .temperatures = temperatures,
                                               .labels = labels,
                                               .statistics = s,
                                               .invalid_rows = &invalid,
                                               .scale = 1};
        test_call(context, &problem, &arguments);
        cr_expect_eq(invalid, 2u);
        for (int row = 0; row < ROWS; row++) {
            cr_expect_eq(s[row].argmax, argmax[row], "%s %s: row %d: argmax %d", i->device,
                         clsoftmax_strategy_name(i->strategy), row, (int)s[row].argmax);
            const float fields[] = {s[row].maximum, s[row].log_sum_exp,
                                    s[row].entropy, s[row].largest_probability,
                                    s[row].margin,  s[row].negative_log_likelihood};
            for (size_t f = 0; f < 6; f++)
                cr_expect(!isnan(fields[f]) || memcmp(&fields[f], &quiet, 4) == 0,
                          "%s %s: row %d field %zu: a NaN of other bits", i->device,
                          clsoftmax_strategy_name(i->strategy), row, f);
        }
        cr_expect(isnan(s[0].entropy) && isnan(s[1].maximum) && isnan(s[4].log_sum_exp) && s[4].maximum == 6);
        cr_expect(s[2].maximum == -I && s[2].log_sum_exp == -I);
        if (problem.neg_inf_rows == CLSOFTMAX_NEG_INF_ROWS_ZERO)
            cr_expect(s[2].entropy == 0 && s[2].largest_probability == 0 && s[2].negative_log_likelihood == I);
        if (problem.neg_inf_rows == CLSOFTMAX_NEG_INF_ROWS_UNIFORM)
            cr_expect(fabsf(s[2].entropy - 1.09861229f) < 1e-6f && s[2].margin == 0 &&
                      s[2].largest_probability == THIRD);
        if (problem.pos_inf == CLSOFTMAX_POS_INF_LIMIT)
            cr_expect(s[3].log_sum_exp == I && s[3].largest_probability == 0.5f && s[3].margin == 0 &&
                      fabsf(s[3].negative_log_likelihood - 0.693147182f) < 1e-6f);
        else
            cr_expect(s[3].log_sum_exp == I && isnan(s[3].entropy));
        cr_expect(isnan(s[5].log_sum_exp) && s[5].maximum == I, "no temperature, no log-sum-exp");
        cr_expect(s[6].largest_probability == 0.5f && s[6].maximum == 0 && !signbit(s[6].maximum));
        cr_expect(s[7].log_sum_exp == I && s[7].negative_log_likelihood == 0, "a temperature of -0 is one of 0");
    }
    clsoftmax_context_release(context);
}
