/* Log-probabilities and statistics on cpu against the oracle in MPFR, with the bounds of the public header.
   oracles_see_faults shows that the oracle sees errors; test_cross.c shows that OpenCL has the same bits. */
#include "support/device.h"
#include "support/fill.h"
#include "support/oracle_statistics.h"
#include "support/random.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_CLASSES = 300 };

/* Counts of what the data holds: rows that are all alike would prove little. */
typedef struct evidence {
    uint64_t rows, far_below, near_zero, large;
} evidence;

/* Computes the log-probabilities and the statistics of a row. */
static void run_row(clsoftmax_context *cpu, const float *x, size_t classes, float temperature, int64_t label, float *p,
                    clsoftmax_statistics *statistics)
{
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    problem.outer = 1;
    problem.classes = classes;
    problem.operation = CLSOFTMAX_OPERATION_LOG_SOFTMAX;
    problem.statistics = 1;
    const clsoftmax_arguments arguments = {.size = sizeof(clsoftmax_arguments),
                                           .logits = x,
                                           .results = p,
                                           .temperature = temperature,
                                           .labels = &label,
                                           .statistics = statistics,
                                           .scale = 1};
    test_call(cpu, &problem, &arguments);
}

/* Compares random rows with the oracle. */
Test(logarithms, random_rows, .timeout = 3600)
{
    clsoftmax_context *cpu = test_open("cpu");
    float x[MOST_CLASSES], p[MOST_CLASSES];
    evidence evidence = {0};
    double worst_log = 0, worst_ratio = 0;
    const char *worst_which = "";
    for (uint64_t seed = 1; seed <= (test_is_long() ? 100000u : 5000u); seed++) {
        uint64_t random = seed;
        fill kind = (fill)random_below(&random, FILL_COUNT);
        float temperature = fill_temperature(&random);
        size_t classes = 1 + (size_t)random_below(&random, MOST_CLASSES);
        fill_matrix(kind, &random, temperature, 1, classes, x);
        if (!fill_is_ordinary(x, classes))
            continue;
        clsoftmax_statistics statistics;
        int64_t label = (int64_t)(seed % classes);
        run_row(cpu, x, classes, temperature, label, p, &statistics);
        double error = oracle_log_error(x, p, classes, temperature);
        cr_assert(error <= 1, "seed %llu, %s, %zu classes, T = %a: log-probabilities are %.3f ULP off",
                  (unsigned long long)seed, fill_name(kind), classes, (double)temperature, error);
        const char *which = "";
        double ratio = oracle_statistics_error(x, &statistics, classes, temperature, label, &which);
        cr_assert(ratio <= 1, "seed %llu, %s, %zu classes, T = %a: %s is %.3f times its bound off",
                  (unsigned long long)seed, fill_name(kind), classes, (double)temperature, which, ratio);
        worst_log = error > worst_log ? error : worst_log;
        if (ratio > worst_ratio) {
            worst_ratio = ratio;
            worst_which = which;
        }
        evidence.rows++;
        for (size_t i = 0; i < classes; i++) {
            evidence.far_below += p[i] < -1e30f && p[i] > -INFINITY;
            evidence.near_zero += p[i] > -1e-3f && p[i] < 0;
        }
        evidence.large += fabsf(statistics.log_sum_exp) > 1e30f && isfinite(statistics.log_sum_exp);
    }
    fprintf(stderr,
            "logarithms: %llu rows, log-probabilities within %.4f ULP + C 2^-44 relative, statistics within %.3f of "
            "their bounds (%s)\n",
            (unsigned long long)evidence.rows, worst_log, worst_ratio, worst_which);
    cr_expect(evidence.far_below > 100 && evidence.near_zero > 100 && evidence.large > 30,
              "the data proves too little: %llu %llu %llu", (unsigned long long)evidence.far_below,
              (unsigned long long)evidence.near_zero, (unsigned long long)evidence.large);
    cr_expect(worst_log > 0.3 && worst_ratio > 0.3, "errors that small are not believable");
    clsoftmax_context_release(cpu);
}

/* Compares rows for which max / T cancels most of ln S in log-sum-exp, so that errors of ln S show. */
Test(logarithms, log_sum_exp_that_cancels, .timeout = 600)
{
    clsoftmax_context *cpu = test_open("cpu");
    double worst_ratio = 0;
    for (uint64_t seed = 1; seed <= (test_is_long() ? 1000000u : 20000u); seed++) {
        uint64_t random = seed;
        float x[3], p[3], temperature = (float)exp((random_unit(&random) - 0.5) * 10);
        size_t classes = 2 + (size_t)random_below(&random, 2);
        double z = -random_unit(&random) * 10, sum = 1 + (double)(classes - 1) * exp(z);
        x[0] = (float)(-log(sum) * temperature);
        for (size_t i = 1; i < classes; i++)
            x[i] = (float)(x[0] + z * temperature);
        clsoftmax_statistics statistics;
        run_row(cpu, x, classes, temperature, 0, p, &statistics);
        const char *which = "";
        double ratio = oracle_statistics_error(x, &statistics, classes, temperature, 0, &which);
        cr_assert(ratio <= 1, "seed %llu: %s is %.3f times its bound off", (unsigned long long)seed, which, ratio);
        worst_ratio = strcmp(which, "log-sum-exp") == 0 && ratio > worst_ratio ? ratio : worst_ratio;
    }
    fprintf(stderr, "logarithms: log-sum-exp that cancels within %.3f of its bound\n", worst_ratio);
    cr_expect(worst_ratio > 0.1, "errors that small are not believable");
    clsoftmax_context_release(cpu);
}

/* Compares rows in which one class has all of the mass but 2^-149 to 1/2, so that its logarithm is next to 0. */
Test(logarithms, next_to_zero, .timeout = 600)
{
    clsoftmax_context *cpu = test_open("cpu");
    double worst = 0, worst_ratio = 0, nearest = 1;
    for (uint64_t seed = 1; seed <= (test_is_long() ? 200000u : 10000u); seed++) {
        uint64_t random = seed;
        float x[MOST_CLASSES], p[MOST_CLASSES], temperature = (float)exp((random_unit(&random) - 0.5) * 80);
        const size_t classes = 2 + (size_t)random_below(&random, 40), top = (size_t)random_below(&random, classes);
        const double second = -104 * random_unit(&random), spread = random_unit(&random) < 0.3 ? 0 : 3;
        for (size_t i = 0; i < classes; i++)
            x[i] = (float)((second - spread * random_unit(&random)) * temperature);
        x[top] = 0;
        clsoftmax_statistics statistics;
        run_row(cpu, x, classes, temperature, (int64_t)top, p, &statistics);
        const char *which = "";
        double error = oracle_log_error(x, p, classes, temperature);
        double ratio = oracle_statistics_error(x, &statistics, classes, temperature, (int64_t)top, &which);
        cr_assert(error <= 1 && ratio <= 1, "seed %llu: %.3f ULP, %s is %.3f times its bound off",
                  (unsigned long long)seed, error, which, ratio);
        worst = error > worst ? error : worst;
        worst_ratio = ratio > worst_ratio ? ratio : worst_ratio;
        nearest = p[top] < 0 && -p[top] < nearest ? -p[top] : nearest;
    }
    fprintf(stderr, "logarithms: next to 0, down to %a, within %.4f ULP + C 2^-44 relative\n", -nearest, worst);
    cr_expect(nearest < 0x1p-145 && worst > 0.3);
    clsoftmax_context_release(cpu);
}

/* Compares every border of the temperature with every kind of maximum. */
Test(logarithms, borders)
{
    const float temperatures[] = {0, 0x1p-149f,      0x1p-63f, 0x1.fffffep-63f, 0x1p-62f,
                                  1, 0x1.fffffep61f, 0x1p62f,  FLT_MAX,         INFINITY};
    const float maxima[] = {-FLT_MAX,  -0x1p102f, -1,      -0x1p-149f, -0.0f,    0,      0x1p-149f,
                            0x1p-126f, 1,         0x1p59f, 0x1p60f,    0x1p102f, FLT_MAX};
    clsoftmax_context *cpu = test_open("cpu");
    for (size_t t = 0; t < sizeof temperatures / sizeof *temperatures; t++)
        for (size_t m = 0; m < sizeof maxima / sizeof *maxima; m++) {
            /* -0x1.ap64f: z is finite at T = 2^-63, although x * 2^64 overflows */
            const float x[6] = {maxima[m], nextafterf(maxima[m], -INFINITY), -INFINITY, -FLT_MAX, maxima[m],
                                -0x1.ap64f};
            for (size_t classes = 1; classes <= 6; classes++) {
                float p[6];
                clsoftmax_statistics statistics;
                run_row(cpu, x, classes, temperatures[t], (int64_t)classes - 1, p, &statistics);
                const char *which = "";
                double error = oracle_log_error(x, p, classes, temperatures[t]);
                double ratio =
                    oracle_statistics_error(x, &statistics, classes, temperatures[t], (int64_t)classes - 1, &which);
                cr_expect(error <= 1 && ratio <= 1, "T = %a, maximum %a, %zu classes: %.3f ULP, %s %.3f",
                          (double)temperatures[t], (double)maxima[m], classes, error, which, ratio);
            }
        }
    clsoftmax_context_release(cpu);
}

/* Gives the oracle results that are wrong. */
Test(logarithms, oracles_see_faults)
{
    const float x[3] = {1, 2, 3};
    float p[3];
    clsoftmax_statistics right, wrong;
    clsoftmax_context *cpu = test_open("cpu");
    run_row(cpu, x, 3, 1, 2, p, &right);
    const char *which = "";
    cr_expect(oracle_log_error(x, p, 3, 1) <= 1 && oracle_statistics_error(x, &right, 3, 1, 2, &which) <= 1);
    p[1] = nextafterf(nextafterf(p[1], 0), 0);
    cr_expect(oracle_log_error(x, p, 3, 1) > 1);
    const float alone[2] = {32, 0}, near_zero[2] = {0, -32}; /* what a sum in units of its largest term would give */
    cr_expect(oracle_log_error(alone, near_zero, 2, 1) > 1);
    float *const fields[] = {
        &wrong.log_sum_exp, &wrong.entropy, &wrong.largest_probability, &wrong.margin, &wrong.negative_log_likelihood,
        &wrong.maximum};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        wrong = right;
        *fields[i] *= 1.000002f;
        cr_expect(oracle_statistics_error(x, &wrong, 3, 1, 2, &which) > 1, "field %zu", i);
        *fields[i] = NAN;
        cr_expect(oracle_statistics_error(x, &wrong, 3, 1, 2, &which) > 1, "field %zu is NaN", i);
    }
    clsoftmax_context_release(cpu);
}
