/* The derivatives of probabilities on cpu against the oracle in MPFR, with the bounds of the public header; and what
   follows from the formulas: derivatives of a row add up to 0, and the same operand for all classes gives 0.
   test_cross.c shows that OpenCL has the same bits. */
#include "support/device.h"
#include "support/fill.h"
#include "support/oracle_backward.h"
#include "support/random.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_CLASSES = 300, OPERATIONS = 3 };

static const clsoftmax_operation operations[OPERATIONS] = {
    CLSOFTMAX_OPERATION_SOFTMAX_BACKWARD, CLSOFTMAX_OPERATION_LOG_SOFTMAX_BACKWARD, CLSOFTMAX_OPERATION_SENSITIVITY};

static void run_row(clsoftmax_context *cpu, const backward_case *c, clsoftmax_accuracy accuracy, float *results)
{
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    problem.outer = 1;
    problem.classes = c->classes;
    problem.operation = c->operation;
    problem.accuracy = accuracy;
    clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
    arguments.logits = c->x;
    arguments.operand = c->g;
    arguments.results = results;
    arguments.temperature = c->temperature;
    test_call(cpu, &problem, &arguments);
}

/* Compares a row with the oracle. Returns its error as a multiple of the bound. */
static double check_row(clsoftmax_context *cpu, const backward_case *c, uint64_t seed)
{
    float results[MOST_CLASSES];
    size_t class = 0;
    run_row(cpu, c, CLSOFTMAX_ACCURACY_FAITHFUL, results);
    const double error = oracle_backward_error(c, results, &class);
    cr_assert(error <= 1,
              "%s, seed %llu, T = %a, %zu classes: class %zu, x %a, g %a, result %a, is %.3f times its bound off",
              clsoftmax_operation_name(c->operation), (unsigned long long)seed, (double)c->temperature, c->classes,
              class, (double)c->x[class], (double)c->g[class], (double)results[class], error);
    return error;
}

/* Draws an operand of one of several kinds: of one size; of many sizes; one number alone; the same number for all; and
   numbers at the ends of f32. */
static void draw_operand(uint64_t *random, size_t classes, float *g)
{
    const uint64_t kind = random_below(random, 6), peak = random_below(random, classes);
    const float same = (float)(random_unit(random) * 2 - 1);
    for (size_t i = 0; i < classes; i++) {
        const float drawn = (float)(random_unit(random) * 2 - 1);
        g[i] = kind == 0   ? drawn
               : kind == 1 ? ldexpf(drawn, -(int)random_below(random, 60))
               : kind == 2 ? (i == peak ? drawn : 0)
               : kind == 3 ? same
               : kind == 4 ? ldexpf(drawn, 127)
                           : ldexpf(drawn, -126);
    }
}

/* Compares random rows of every distribution with the oracle. */
Test(backward, random_rows, .timeout = 3600)
{
    clsoftmax_context *cpu = test_open("cpu");
    double worst[OPERATIONS] = {0};
    for (uint64_t seed = 1; seed <= (test_is_long() ? 100000u : 3000u); seed++) {
        uint64_t random = seed;
        float x[MOST_CLASSES], g[MOST_CLASSES];
        const fill kind = (fill)random_below(&random, FILL_COUNT);
        const float temperature = fill_temperature(&random);
        const size_t classes = 1 + (size_t)random_below(&random, MOST_CLASSES);
        fill_matrix(kind, &random, temperature, 1, classes, x);
        draw_operand(&random, classes, g);
        if (!fill_is_ordinary(x, classes) || temperature == 0)
            continue;
        for (int k = 0; k < OPERATIONS; k++) {
            const backward_case c = {operations[k], x, g, classes, temperature};
            const double error = check_row(cpu, &c, seed);
            worst[k] = error > worst[k] ? error : worst[k];
        }
    }
    for (int k = 0; k < OPERATIONS; k++) {
        fprintf(stderr, "%s: within %.3f of the bound\n", clsoftmax_operation_name(operations[k]), worst[k]);
        cr_expect(worst[k] > 0.2, "errors that small are not believable");
    }
    clsoftmax_context_release(cpu);
}

/* Adds up the derivatives of a row: 0, within the bounds of its elements. The same operand for all classes gives 0 as
   well: nearly, since a mean is rounded. */
Test(backward, sums_and_constants)
{
    clsoftmax_context *cpu = test_open("cpu");
    for (uint64_t seed = 1; seed <= 500; seed++) {
        uint64_t random = seed;
        float x[MOST_CLASSES], g[MOST_CLASSES], results[MOST_CLASSES];
        const size_t classes = 2 + (size_t)random_below(&random, MOST_CLASSES - 1);
        fill_matrix(FILL_NARROW, &random, 1, 1, classes, x);
        for (int k = 0; k < OPERATIONS; k++) {
            for (size_t i = 0; i < classes; i++)
                g[i] = (float)(random_unit(&random) * 2 - 1);
            const backward_case c = {operations[k], x, g, classes, 1};
            double sum = 0;
            run_row(cpu, &c, CLSOFTMAX_ACCURACY_FAITHFUL, results);
            for (size_t i = 0; i < classes; i++)
                sum += (double)results[i];
            cr_expect(fabs(sum) <= 0x1p-20, "seed %llu, %s: %g", (unsigned long long)seed,
                      clsoftmax_operation_name(c.operation), sum);
        }
        for (size_t i = 0; i < classes; i++)
            g[i] = 0.75f;
        const backward_case same = {CLSOFTMAX_OPERATION_SOFTMAX_BACKWARD, x, g, classes, 1};
        run_row(cpu, &same, CLSOFTMAX_ACCURACY_FAITHFUL, results);
        for (size_t i = 0; i < classes; i++)
            cr_expect(fabsf(results[i]) <= 0x1p-26f, "seed %llu: %a", (unsigned long long)seed, (double)results[i]);
    }
    clsoftmax_context_release(cpu);
}

/* Rows and operands that are not ordinary, and the ends of the temperature. */
Test(backward, edges)
{
    clsoftmax_context *cpu = test_open("cpu");
    const float x[3] = {1, 2, 3}, with_nan[3] = {1, NAN, 3}, g[3] = {1, -2, 4},
                bad[2][3] = {{1, NAN, 1}, {1, -INFINITY, 1}};
    float results[3];
    for (int k = 0; k < OPERATIONS; k++) {
        const int has_operand = clsoftmax_operation_has_operand(operations[k]);
        for (int b = 0; b < 2; b++) {
            run_row(cpu, &(backward_case){operations[k], x, bad[b], 3, 1}, CLSOFTMAX_ACCURACY_FAITHFUL, results);
            for (int i = 0; i < 3; i++)
                cr_expect(isnan(results[i]) == has_operand);
        }
        run_row(cpu, &(backward_case){operations[k], with_nan, g, 3, 1}, CLSOFTMAX_ACCURACY_FAITHFUL, results);
        cr_expect(isnan(results[0]) && isnan(results[1]) && isnan(results[2]));
        for (int t = 0; t < 2; t++) {
            run_row(cpu, &(backward_case){operations[k], x, g, 3, t ? INFINITY : 0}, CLSOFTMAX_ACCURACY_FAITHFUL,
                    results);
            for (int i = 0; i < 3; i++)
                cr_expect(results[i] == 0 && !signbit(results[i]), "%s: %a", clsoftmax_operation_name(operations[k]),
                          (double)results[i]);
        }
    }
    clsoftmax_context_release(cpu);
}

/* Computes the derivative of a row by T. */
static float run_temperature(clsoftmax_context *cpu, const backward_case *c, float weight, clsoftmax_accuracy accuracy)
{
    float derivative = NAN;
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    problem.outer = 1;
    problem.classes = c->classes;
    problem.operation = c->operation;
    problem.accuracy = accuracy;
    clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
    arguments.logits = c->x;
    arguments.operand = c->g;
    arguments.losses = &derivative;
    arguments.weights = &weight;
    arguments.temperature = c->temperature;
    test_call(cpu, &problem, &arguments);
    return derivative;
}

static const clsoftmax_operation temperature_operations[] = {CLSOFTMAX_OPERATION_SOFTMAX_TEMPERATURE_GRADIENT,
                                                             CLSOFTMAX_OPERATION_LOG_SOFTMAX_TEMPERATURE_GRADIENT};

/* Returns 1 if a class with an operand is masked, or so far away that its distance may be beyond f32. */
static int is_far(const backward_case *c)
{
    float maximum = -INFINITY;
    for (size_t i = 0; i < c->classes; i++)
        maximum = c->x[i] > maximum ? c->x[i] : maximum;
    for (size_t i = 0; i < c->classes; i++)
        if (c->g[i] != 0 &&
            (c->x[i] == -INFINITY || ((double)maximum - (double)c->x[i]) / (double)c->temperature > 0x1p125))
            return 1;
    return 0;
}

/* Compares the derivatives by T of random rows of every distribution with the oracle. */
Test(backward, temperature, .timeout = 3600)
{
    clsoftmax_context *cpu = test_open("cpu");
    double worst[2] = {0};
    for (uint64_t seed = 1; seed <= (test_is_long() ? 100000u : 3000u); seed++) {
        uint64_t random = seed;
        float x[MOST_CLASSES], g[MOST_CLASSES];
        const fill kind = (fill)random_below(&random, FILL_COUNT);
        const float temperature = fill_temperature(&random), weight = seed % 4 ? 1 : 0.3f;
        const size_t classes = 1 + (size_t)random_below(&random, MOST_CLASSES);
        fill_matrix(kind, &random, temperature, 1, classes, x);
        draw_operand(&random, classes, g);
        if (!fill_is_ordinary(x, classes) || temperature == 0)
            continue;
        for (int k = 0; k < 2; k++) {
            const backward_case c = {temperature_operations[k], x, g, classes, temperature};
            const float derivative = run_temperature(cpu, &c, weight, CLSOFTMAX_ACCURACY_FAITHFUL);
            const double error = k == 1 && is_far(&c) ? 0 : oracle_temperature_error(&c, weight, derivative);
            cr_assert(error <= 1, "%s, seed %llu, T = %a, %zu classes: %a is %.3f times its bound off",
                      clsoftmax_operation_name(c.operation), (unsigned long long)seed, (double)temperature, classes,
                      (double)derivative, error);
            worst[k] = error > worst[k] ? error : worst[k];
        }
    }
    for (int k = 0; k < 2; k++) {
        fprintf(stderr, "%s: within %.3f of the bound\n", clsoftmax_operation_name(temperature_operations[k]),
                worst[k]);
        cr_expect(worst[k] > 0.05, "errors that small are not believable");
    }
    clsoftmax_context_release(cpu);
}

/* The derivative by T is -1 / T times the sum of the gradient times the logits (Euler: a softmax depends on x / T
   alone). The ends of the temperature, and masked classes. */
Test(backward, temperature_of_gradient)
{
    clsoftmax_context *cpu = test_open("cpu");
    for (uint64_t seed = 1; seed <= 300; seed++) {
        uint64_t random = seed;
        float x[MOST_CLASSES], g[MOST_CLASSES], gradient[MOST_CLASSES];
        const size_t classes = 2 + (size_t)random_below(&random, MOST_CLASSES - 1);
        fill_matrix(FILL_NARROW, &random, 1, 1, classes, x);
        for (size_t i = 0; i < classes; i++)
            g[i] = (float)(random_unit(&random) * 2 - 1);
        for (int k = 0; k < 2; k++) {
            run_row(cpu, &(backward_case){operations[k], x, g, classes, 3}, CLSOFTMAX_ACCURACY_FAITHFUL, gradient);
            const backward_case c = {temperature_operations[k], x, g, classes, 3};
            const float derivative = run_temperature(cpu, &c, 1, CLSOFTMAX_ACCURACY_FAITHFUL);
            double sum = 0, sizes = 0;
            for (size_t i = 0; i < classes; i++) {
                sum -= (double)gradient[i] * (double)x[i] / 3;
                sizes += fabs((double)gradient[i] * (double)x[i]);
            }
            cr_expect(fabs(sum - (double)derivative) <= 1e-6 * (1 + sizes), "seed %llu: %g, not %g",
                      (unsigned long long)seed, (double)derivative, sum);
        }
    }
    const float x[3] = {1, -INFINITY, 3}, g[3] = {1, -2, 4};
    for (int k = 0; k < 2; k++) {
        cr_expect(run_temperature(cpu, &(backward_case){temperature_operations[k], x, g, 3, 0}, 1,
                                  CLSOFTMAX_ACCURACY_FAITHFUL) == 0);
        const float masked = run_temperature(cpu, &(backward_case){temperature_operations[k], x, g, 3, 1}, 1,
                                             CLSOFTMAX_ACCURACY_FAITHFUL);
        cr_expect(k == 0 ? isfinite(masked) : masked == -INFINITY);
    }
    clsoftmax_context_release(cpu);
}

/* Gives the oracle results that are wrong. */
Test(backward, oracle_sees_faults)
{
    const float x[3] = {1, 2, 3}, g[3] = {1, -2, 4};
    clsoftmax_context *cpu = test_open("cpu");
    for (int k = 0; k < OPERATIONS; k++) {
        const backward_case c = {operations[k], x, g, 3, 2};
        float results[3];
        size_t class = 9;
        run_row(cpu, &c, CLSOFTMAX_ACCURACY_FAITHFUL, results);
        cr_expect(oracle_backward_error(&c, results, &class) <= 1);
        for (size_t i = 0; i < 3; i++) {
            float wrong[3];
            memcpy(wrong, results, sizeof wrong);
            wrong[i] *= 1.00001f;
            cr_expect(oracle_backward_error(&c, wrong, &class) > 1 && class == i, "%s",
                      clsoftmax_operation_name(c.operation));
        }
    }
    for (int k = 0; k < 2; k++) {
        const backward_case c = {temperature_operations[k], x, g, 3, 2};
        const float derivative = run_temperature(cpu, &c, 1, CLSOFTMAX_ACCURACY_FAITHFUL);
        cr_expect(oracle_temperature_error(&c, 1, derivative) <= 1);
        cr_expect(oracle_temperature_error(&c, 1, derivative * 1.00001f) > 1);
        cr_expect(oracle_temperature_error(&c, 0.5f, derivative) > 1 && oracle_temperature_error(&c, 1, NAN) > 1);
    }
    clsoftmax_context_release(cpu);
}
