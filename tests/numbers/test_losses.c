/* Cross-entropy and its gradient on cpu against the oracle in MPFR, with the bounds of the public header; and what
   follows from the formula: gradients of a row add up to 0, and are differences of losses. test_cross.c shows that
   OpenCL has the same bits. */
#include "support/device.h"
#include "support/fill.h"
#include "support/oracle_loss.h"
#include "support/random.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_CLASSES = 300 };

/* Computes the loss and the gradient of a row. */
static float run_row(clsoftmax_context *cpu, const loss_case *c, clsoftmax_accuracy accuracy, float *gradient)
{
    float loss = NAN;
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    problem.outer = 1;
    problem.classes = c->classes;
    problem.operation = CLSOFTMAX_OPERATION_CROSS_ENTROPY_GRADIENT;
    problem.accuracy = accuracy;
    clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
    arguments.logits = c->x;
    arguments.results = gradient;
    arguments.temperature = c->temperature;
    arguments.labels = &c->label;
    arguments.weights = &c->weight;
    arguments.losses = &loss;
    arguments.scale = c->scale;
    arguments.z_loss = c->z_loss;
    test_call(cpu, &problem, &arguments);
    return loss;
}

/* The largest errors, as multiples of their bounds. */
typedef struct worst_errors {
    double loss, gradient;
} worst_errors;

/* Compares a row with the oracle. */
static void check_row(clsoftmax_context *cpu, const loss_case *c, clsoftmax_accuracy accuracy, uint64_t seed,
                      worst_errors *worst)
{
    float gradient[MOST_CLASSES];
    size_t class = 0;
    const double times = accuracy == CLSOFTMAX_ACCURACY_FAST ? 4 : 1;
    const float loss = run_row(cpu, c, accuracy, gradient);
    const double of_loss = oracle_loss_error(c, loss), of_gradient = oracle_gradient_error(c, gradient, &class);
    cr_assert(of_loss <= times, "seed %llu, T = %a, w %a, z %a: the loss %a is %.3f times its bound off",
              (unsigned long long)seed, (double)c->temperature, (double)c->weight, (double)c->z_loss, (double)loss,
              of_loss);
    cr_assert(of_gradient <= times,
              "seed %llu, T = %a, w %a, s %a, z %a, label %lld of %zu: class %zu, %a, is %.3f times its bound off",
              (unsigned long long)seed, (double)c->temperature, (double)c->weight, (double)c->scale, (double)c->z_loss,
              (long long)c->label, c->classes, class, (double)gradient[class], of_gradient);
    worst->loss = of_loss > worst->loss ? of_loss : worst->loss;
    worst->gradient = of_gradient > worst->gradient ? of_gradient : worst->gradient;
}

/* Draws a size between 2^-bits and 2^bits. */
static float draw_size(uint64_t *random, double bits)
{
    return (float)exp2((random_unit(random) * 2 - 1) * bits);
}

/* Compares random rows of every distribution with the oracle. */
Test(losses, random_rows, .timeout = 3600)
{
    clsoftmax_context *cpu = test_open("cpu");
    worst_errors worst = {0, 0}, fast = {0, 0};
    for (uint64_t seed = 1; seed <= (test_is_long() ? 200000u : 6000u); seed++) {
        uint64_t random = seed;
        float x[MOST_CLASSES];
        const fill kind = (fill)random_below(&random, FILL_COUNT);
        const float temperature = fill_temperature(&random);
        const size_t classes = 1 + (size_t)random_below(&random, MOST_CLASSES);
        fill_matrix(kind, &random, temperature, 1, classes, x);
        if (!fill_is_ordinary(x, classes) || temperature == 0)
            continue;
        loss_case c = {x, classes, temperature, (int64_t)random_below(&random, classes), 1, 1, 0};
        if (seed % 2)
            c.weight = seed % 14 == 1 ? 0 : draw_size(&random, 20);
        if (seed % 3)
            c.scale = (seed % 5 ? 1.0f : -1.0f) * draw_size(&random, seed % 7 ? 20 : 126);
        if (seed % 11 == 0 && kind != FILL_HUGE_LOGITS && kind != FILL_PATTERN) /* whose squares are beyond f32 */
            c.z_loss = draw_size(&random, 20);
        check_row(cpu, &c, CLSOFTMAX_ACCURACY_FAITHFUL, seed, &worst);
        if (seed % 4 == 0)
            check_row(cpu, &c, CLSOFTMAX_ACCURACY_FAST, seed, &fast);
    }
    fprintf(stderr, "losses: within %.3f of the bound, gradients %.3f; fast %.3f and %.3f\n", worst.loss,
            worst.gradient, fast.loss, fast.gradient);
    cr_expect(worst.loss > 0.3 && worst.gradient > 0.2, "errors that small are not believable");
    clsoftmax_context_release(cpu);
}

/* Compares rows whose label has all of the mass but 2^-149 to 1/2, or nearly none of it. */
Test(losses, label_near_0_and_1, .timeout = 3600)
{
    clsoftmax_context *cpu = test_open("cpu");
    worst_errors worst = {0, 0};
    for (uint64_t seed = 1; seed <= (test_is_long() ? 200000u : 8000u); seed++) {
        uint64_t random = seed;
        float x[MOST_CLASSES], temperature = draw_size(&random, 40);
        const size_t classes = 2 + (size_t)random_below(&random, 30), top = (size_t)random_below(&random, classes);
        const double second = -104 * random_unit(&random), spread = random_unit(&random) < 0.3 ? 0 : 3;
        for (size_t i = 0; i < classes; i++)
            x[i] = (float)((second - spread * random_unit(&random)) * (double)temperature);
        x[top] = 0;
        const int64_t label = (int64_t)(seed % 3 ? top : (top + 1) % classes);
        const loss_case c = {x, classes, temperature, label, 1, seed % 2 ? 1 : draw_size(&random, 30), 0};
        check_row(cpu, &c, CLSOFTMAX_ACCURACY_FAITHFUL, seed, &worst);
    }
    fprintf(stderr, "losses: label near 0 and 1: within %.3f of the bound, gradients %.3f\n", worst.loss,
            worst.gradient);
    cr_expect(worst.loss > 0.3 && worst.gradient > 0.2, "errors that small are not believable");
    clsoftmax_context_release(cpu);
}

/* Adds up the gradient of a row: 0, within the bounds of its elements. */
Test(losses, gradients_add_up_to_0)
{
    clsoftmax_context *cpu = test_open("cpu");
    for (uint64_t seed = 1; seed <= 500; seed++) {
        uint64_t random = seed;
        float x[MOST_CLASSES], gradient[MOST_CLASSES];
        const size_t classes = 2 + (size_t)random_below(&random, MOST_CLASSES - 1);
        fill_matrix(FILL_NARROW, &random, 1, 1, classes, x);
        const loss_case c = {x, classes, 1, (int64_t)random_below(&random, classes), 1, 1, 0};
        run_row(cpu, &c, CLSOFTMAX_ACCURACY_FAITHFUL, gradient);
        double sum = 0;
        for (size_t i = 0; i < classes; i++)
            sum += (double)gradient[i];
        cr_expect(fabs(sum) <= 0x1p-23 * 2, "seed %llu: %g", (unsigned long long)seed, sum);
    }
    clsoftmax_context_release(cpu);
}

/* Gives the oracle results that are wrong. */
Test(losses, oracles_see_faults)
{
    const float x[3] = {1, 2, 3};
    float gradient[3];
    size_t class = 9;
    clsoftmax_context *cpu = test_open("cpu");
    const loss_case c = {x, 3, 2, 2, 1.5f, 0.25f, 0};
    const float loss = run_row(cpu, &c, CLSOFTMAX_ACCURACY_FAITHFUL, gradient);
    cr_expect(oracle_loss_error(&c, loss) <= 1 && oracle_gradient_error(&c, gradient, &class) <= 1);
    cr_expect(oracle_loss_error(&c, loss * 1.000001f) > 1 && oracle_loss_error(&c, NAN) > 1);
    for (size_t i = 0; i < 3; i++) {
        float wrong[3];
        memcpy(wrong, gradient, sizeof wrong);
        wrong[i] *= 1.000001f;
        cr_expect(oracle_gradient_error(&c, wrong, &class) > 1 && class == i);
    }
    const float alone[2] = {32, 0}, cancelled[2] = {0, 1.26641655e-14f}; /* p - 1 of rounded probabilities */
    const loss_case near_1 = {alone, 2, 1, 0, 1, 1, 0};
    cr_expect(oracle_gradient_error(&near_1, cancelled, &class) > 1 && class == 0);
    cr_expect(oracle_loss_error(&near_1, 0) > 1);
    clsoftmax_context_release(cpu);
}
