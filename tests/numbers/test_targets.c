/* Cross-entropy with target probabilities and with label smoothing, and their gradients, on cpu against the oracle in
   MPFR, with the bounds of the public header; and what follows from the formulas: targets of a label alone give the
   cross-entropy with the label, gradients add up to 0, and smoothing is spread over the classes that are not masked.
   test_cross.c shows that OpenCL has the same bits. */
#include "support/device.h"
#include "support/fill.h"
#include "support/oracle_targets.h"
#include "support/random.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_CLASSES = 300 };

/* Computes the loss and the gradient of a row. */
static float run_row(clsoftmax_context *cpu, const targets_case *c, clsoftmax_accuracy accuracy, float *gradient)
{
    float loss = NAN;
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    problem.outer = 1;
    problem.classes = c->classes;
    problem.operation = c->targets ? CLSOFTMAX_OPERATION_CROSS_ENTROPY_OF_TARGETS_GRADIENT
                                   : CLSOFTMAX_OPERATION_SMOOTHED_CROSS_ENTROPY_GRADIENT;
    problem.accuracy = accuracy;
    clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
    arguments.logits = c->x;
    arguments.results = gradient;
    arguments.temperature = c->temperature;
    arguments.labels = &c->label;
    arguments.operand = c->targets;
    arguments.weights = &c->weight;
    arguments.losses = &loss;
    arguments.scale = c->scale;
    arguments.z_loss = c->z_loss;
    arguments.label_smoothing = c->smoothing;
    test_call(cpu, &problem, &arguments);
    return loss;
}

/* The largest errors, as multiples of their bounds. */
typedef struct worst_errors {
    double loss, gradient;
} worst_errors;

/* Compares a row with the oracle. */
static void check_row(clsoftmax_context *cpu, const targets_case *c, clsoftmax_accuracy accuracy, uint64_t seed,
                      worst_errors *worst)
{
    float gradient[MOST_CLASSES];
    size_t class = 0;
    const double times = accuracy == CLSOFTMAX_ACCURACY_FAST ? 4 : 1;
    const float loss = run_row(cpu, c, accuracy, gradient);
    const double of_loss = oracle_targets_error(c, loss),
                 of_gradient = oracle_targets_gradient_error(c, gradient, &class);
    cr_assert(of_loss <= times, "seed %llu, T = %a, w %a, z %a, smoothing %a: the loss %a is %.3f times its bound off",
              (unsigned long long)seed, (double)c->temperature, (double)c->weight, (double)c->z_loss,
              (double)c->smoothing, (double)loss, of_loss);
    cr_assert(of_gradient <= times,
              "seed %llu, T = %a, w %a, s %a, z %a, smoothing %a, label %lld of %zu: class %zu, %a, is %.3f times its "
              "bound off",
              (unsigned long long)seed, (double)c->temperature, (double)c->weight, (double)c->scale, (double)c->z_loss,
              (double)c->smoothing, (long long)c->label, c->classes, class, (double)gradient[class], of_gradient);
    worst->loss = of_loss > worst->loss ? of_loss : worst->loss;
    worst->gradient = of_gradient > worst->gradient ? of_gradient : worst->gradient;
}

/* Draws a size between 2^-bits and 2^bits. */
static float draw_size(uint64_t *random, double bits)
{
    return (float)exp2((random_unit(random) * 2 - 1) * bits);
}

/* Draws targets of one of several kinds: probabilities of many sizes; a few; one alone; and numbers of any size. */
static void draw_targets(uint64_t *random, size_t classes, float *targets)
{
    const uint64_t kind = random_below(random, 5), peak = random_below(random, classes);
    double sum = 0;
    for (size_t i = 0; i < classes; i++) {
        const double drawn = random_unit(random);
        targets[i] = (float)(kind == 0   ? drawn
                             : kind == 1 ? exp(-40 * drawn)
                             : kind == 2 ? (random_below(random, 8) ? 0 : drawn)
                             : kind == 3 ? (double)(i == peak)
                                         : drawn * exp2((double)random_below(random, 60) - 40));
        sum += (double)targets[i];
    }
    for (size_t i = 0; i < classes && kind < 3 && sum > 0; i++)
        targets[i] = (float)((double)targets[i] / sum);
}

/* Compares random rows of every distribution with the oracle. is_smoothed: with label smoothing. */
static void check_random_rows(int is_smoothed)
{
    clsoftmax_context *cpu = test_open("cpu");
    worst_errors worst = {0, 0}, fast = {0, 0};
    for (uint64_t seed = 1; seed <= (test_is_long() ? 100000u : 4000u); seed++) {
        uint64_t random = seed;
        float x[MOST_CLASSES], targets[MOST_CLASSES];
        const fill kind = (fill)random_below(&random, FILL_COUNT);
        const float temperature = fill_temperature(&random);
        const size_t classes = 1 + (size_t)random_below(&random, MOST_CLASSES);
        fill_matrix(kind, &random, temperature, 1, classes, x);
        draw_targets(&random, classes, targets);
        if (!fill_is_ordinary(x, classes) || temperature == 0)
            continue;
        targets_case c = {.x = x, .classes = classes, .temperature = temperature, .weight = 1, .scale = 1};
        c.targets = is_smoothed ? NULL : targets;
        c.label = (int64_t)random_below(&random, classes);
        c.smoothing = seed % 9 == 0 ? 0 : seed % 9 == 1 ? 1 : (float)random_unit(&random);
        if (seed % 2)
            c.weight = seed % 14 == 1 ? 0 : draw_size(&random, 20);
        if (seed % 3)
            c.scale = (seed % 5 ? 1.0f : -1.0f) * draw_size(&random, 20);
        if (seed % 11 == 0 && kind != FILL_HUGE_LOGITS && kind != FILL_PATTERN) /* whose squares are beyond f32 */
            c.z_loss = draw_size(&random, 20);
        check_row(cpu, &c, CLSOFTMAX_ACCURACY_FAITHFUL, seed, &worst);
        if (seed % 4 == 0)
            check_row(cpu, &c, CLSOFTMAX_ACCURACY_FAST, seed, &fast);
    }
    fprintf(stderr, "%s: losses within %.3f of the bound, gradients %.3f; fast %.3f and %.3f\n",
            is_smoothed ? "smoothing" : "targets", worst.loss, worst.gradient, fast.loss, fast.gradient);
    cr_expect(worst.loss > 0.2 && worst.gradient > 0.2, "errors that small are not believable");
    clsoftmax_context_release(cpu);
}

Test(targets, random_rows, .timeout = 3600)
{
    check_random_rows(0);
}

Test(targets, random_rows_with_smoothing, .timeout = 3600)
{
    check_random_rows(1);
}

/* A target of 1 is a label: the losses are equal but for rounding, and a smoothing of 0 changes nothing. */
Test(targets, one_target_is_a_label)
{
    clsoftmax_context *cpu = test_open("cpu");
    for (uint64_t seed = 1; seed <= 300; seed++) {
        uint64_t random = seed;
        float x[MOST_CLASSES], targets[MOST_CLASSES] = {0}, gradient[MOST_CLASSES], loss = NAN;
        const size_t classes = 2 + (size_t)random_below(&random, MOST_CLASSES - 1);
        fill_matrix(FILL_NARROW, &random, 1, 1, classes, x);
        targets_case c = {.x = x, .classes = classes, .temperature = 2, .weight = 1, .scale = 1};
        c.label = (int64_t)random_below(&random, classes);
        targets[c.label] = 1;
        clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
        problem.outer = 1;
        problem.classes = classes;
        problem.operation = CLSOFTMAX_OPERATION_CROSS_ENTROPY;
        clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
        arguments.logits = x;
        arguments.temperature = 2;
        arguments.labels = &c.label;
        arguments.losses = &loss;
        test_call(cpu, &problem, &arguments);
        const float smoothed = run_row(cpu, &c, CLSOFTMAX_ACCURACY_FAITHFUL, gradient);
        cr_expect(smoothed == loss, "seed %llu: %a, not %a", (unsigned long long)seed, (double)smoothed, (double)loss);
        c.targets = targets;
        const float of_target = run_row(cpu, &c, CLSOFTMAX_ACCURACY_FAITHFUL, gradient);
        cr_expect(fabsf(of_target - loss) <= 0x1p-21f * loss, "seed %llu: %a, not %a", (unsigned long long)seed,
                  (double)of_target, (double)loss);
        double sum = 0;
        for (size_t i = 0; i < classes; i++)
            sum += (double)gradient[i];
        cr_expect(fabs(sum) <= 0x1p-22, "seed %llu: gradients add up to %g", (unsigned long long)seed, sum);
    }
    clsoftmax_context_release(cpu);
}

/* Masked classes, rows that are not ordinary, targets that are not valid, and the ends of the temperature. */
Test(targets, edges)
{
    clsoftmax_context *cpu = test_open("cpu");
    const float masked[4] = {1, -INFINITY, 2, 0}, at_mask[4] = {0.5f, 0.5f, 0, 0},
                at_others[4] = {0.5f, 0, 0.25f, 0.25f};
    const float negative[4] = {0.5f, -0.25f, 0.5f, 0.25f}, none[4] = {0};
    float gradient[4];
    targets_case c = {.x = masked, .targets = at_mask, .classes = 4, .temperature = 1, .weight = 1, .scale = 1};
    cr_expect(run_row(cpu, &c, CLSOFTMAX_ACCURACY_FAITHFUL, gradient) == INFINITY);
    cr_expect(gradient[1] == -0.5f && gradient[2] > 0);
    c.targets = at_others;
    cr_expect(isfinite(run_row(cpu, &c, CLSOFTMAX_ACCURACY_FAITHFUL, gradient)) && gradient[1] == 0);
    c.targets = negative;
    cr_expect(isnan(run_row(cpu, &c, CLSOFTMAX_ACCURACY_FAITHFUL, gradient)) && isnan(gradient[0]));
    c.targets = none;
    cr_expect(run_row(cpu, &c, CLSOFTMAX_ACCURACY_FAITHFUL, gradient) == 0 && gradient[0] == 0);
    c.targets = at_others;
    c.temperature = 0; /* all mass is on class 2, of which others are infinitely far */
    cr_expect(run_row(cpu, &c, CLSOFTMAX_ACCURACY_FAITHFUL, gradient) == INFINITY);
    cr_expect(gradient[0] == -INFINITY && gradient[1] == 0 && gradient[2] == INFINITY);
    c.temperature = INFINITY; /* three classes have a third each */
    cr_expect(fabsf(run_row(cpu, &c, CLSOFTMAX_ACCURACY_FAITHFUL, gradient) - logf(3)) < 1e-6f && gradient[0] == 0);

    c = (targets_case){
        .x = masked, .classes = 4, .temperature = 1, .label = 1, .weight = 1, .scale = 1, .smoothing = 0.5f};
    cr_expect(run_row(cpu, &c, CLSOFTMAX_ACCURACY_FAITHFUL, gradient) == INFINITY);
    c.smoothing = 1; /* the label does not count */
    cr_expect(isfinite(run_row(cpu, &c, CLSOFTMAX_ACCURACY_FAITHFUL, gradient)) && gradient[1] == 0);
    c.smoothing = 0.3f;
    c.label = -1;
    cr_expect(run_row(cpu, &c, CLSOFTMAX_ACCURACY_FAITHFUL, gradient) == 0 && gradient[0] == 0 && gradient[2] == 0);
    clsoftmax_context_release(cpu);
}

/* Label smoothing outside [0, 1] is refused. */
Test(targets, smoothing_is_checked)
{
    clsoftmax_context *cpu = test_open("cpu");
    const float x[2] = {1, 2}, bad[] = {-0.1f, 1.5f, NAN};
    const int64_t label = 0;
    float loss = 7;
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    problem.outer = 1;
    problem.classes = 2;
    problem.operation = CLSOFTMAX_OPERATION_SMOOTHED_CROSS_ENTROPY;
    clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
    arguments.logits = x;
    arguments.labels = &label;
    arguments.losses = &loss;
    clsoftmax_plan *plan = NULL;
    cr_assert_eq(clsoftmax_plan_create(cpu, &problem, &plan), CLSOFTMAX_OK);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        arguments.label_smoothing = bad[i];
        cr_expect_eq(clsoftmax_plan_run(plan, &arguments), CLSOFTMAX_INVALID_ARGUMENT);
        cr_expect(strstr(clsoftmax_last_error(), "label smoothing") && loss == 7);
    }
    clsoftmax_plan_release(plan);
    clsoftmax_context_release(cpu);
}

/* Gives the oracle results that are wrong. */
Test(targets, oracle_sees_faults)
{
    const float x[3] = {1, 2, 3}, targets[3] = {0.25f, 0.25f, 0.5f};
    float gradient[3];
    size_t class = 9;
    clsoftmax_context *cpu = test_open("cpu");
    for (int is_smoothed = 0; is_smoothed < 2; is_smoothed++) {
        targets_case c = {.x = x, .targets = is_smoothed ? NULL : targets, .classes = 3, .temperature = 2};
        c.label = 2;
        c.smoothing = 0.25f;
        c.weight = 1.5f;
        c.scale = 0.25f;
        const float loss = run_row(cpu, &c, CLSOFTMAX_ACCURACY_FAITHFUL, gradient);
        cr_expect(oracle_targets_error(&c, loss) <= 1 && oracle_targets_gradient_error(&c, gradient, &class) <= 1);
        cr_expect(oracle_targets_error(&c, loss * 1.000001f) > 1 && oracle_targets_error(&c, NAN) > 1);
        for (size_t i = 0; i < 3; i++) {
            float wrong[3];
            memcpy(wrong, gradient, sizeof wrong);
            wrong[i] += copysignf(1e-7f, wrong[i]);
            cr_expect(oracle_targets_gradient_error(&c, wrong, &class) > 1 && class == i);
        }
        targets_case other = c; /* smoothing that counts masked classes, or a target of another class */
        other.smoothing = 0.26f;
        other.targets = is_smoothed ? NULL : (const float[3]){0.26f, 0.24f, 0.5f};
        cr_expect(oracle_targets_error(&other, loss) > 1 &&
                  oracle_targets_gradient_error(&other, gradient, &class) > 1);
    }
    clsoftmax_context_release(cpu);
}
