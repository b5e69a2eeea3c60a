/* Distillation on cpu against the oracle in MPFR, with the bounds of the public header; and what follows from the
   formulas: a loss that is never negative, 0 for equal rows, and the limit of high temperatures. test_cross.c shows
   that OpenCL has the same bits. */
#include "support/device.h"
#include "support/fill.h"
#include "support/oracle_distillation.h"
#include "support/random.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_CLASSES = 300 };

/* The loss of a row and its gradient. */
typedef struct outcome {
    float loss, gradient[MOST_CLASSES];
} outcome;

static outcome run_row(clsoftmax_context *cpu, const distillation_case *c, clsoftmax_accuracy accuracy)
{
    outcome o;
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    problem.outer = 1;
    problem.classes = c->classes;
    problem.operation = c->teacher_share > 0 ? CLSOFTMAX_OPERATION_JENSEN_SHANNON_GRADIENT
                        : c->is_reversed     ? CLSOFTMAX_OPERATION_REVERSE_DISTILLATION_GRADIENT
                                             : CLSOFTMAX_OPERATION_DISTILLATION_GRADIENT;
    problem.temperature_squared = c->is_squared;
    problem.accuracy = accuracy;
    clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
    arguments.logits = c->x;
    arguments.operand = c->y;
    arguments.results = o.gradient;
    arguments.losses = &o.loss;
    arguments.weights = &c->weight;
    arguments.scale = c->scale;
    arguments.temperature = c->temperature;
    if (c->teacher_share > 0)
        arguments.teacher_share = c->teacher_share;
    test_call(cpu, &problem, &arguments);
    return o;
}

/* The worst errors as multiples of their bounds. */
typedef struct errors {
    double loss, gradient;
} errors;

static errors check_row(clsoftmax_context *cpu, const distillation_case *c, clsoftmax_accuracy accuracy, uint64_t seed)
{
    size_t class = 0;
    const double times = accuracy == CLSOFTMAX_ACCURACY_FAST ? 4 : 1; /* for a gradient twice that */
    const outcome o = run_row(cpu, c, accuracy);
    const errors found = {oracle_distillation_error(c, o.loss) / times,
                          oracle_distillation_gradient_error(c, o.gradient, &class) / (times > 1 ? 2 * times : 1)};
    cr_assert(found.loss <= 1,
              "%s, seed %llu, T = %a, %zu classes, squared %d: the loss %a is %.3f times its bound off",
              clsoftmax_accuracy_name(accuracy), (unsigned long long)seed, (double)c->temperature, c->classes,
              c->is_squared, (double)o.loss, found.loss);
    cr_assert(found.gradient <= 1,
              "%s, seed %llu, T = %a, %zu classes, squared %d: class %zu, x %a, y %a: %a is %.3f times its bound off",
              clsoftmax_accuracy_name(accuracy), (unsigned long long)seed, (double)c->temperature, c->classes,
              c->is_squared, class, (double)c->x[class], (double)c->y[class], (double)o.gradient[class],
              found.gradient);
    return found;
}

/* Draws a teacher of one of several kinds: a row of its own; the student with noise of any size; the student with one
   class moved; the student itself. Where the student excludes a class, it mostly does. */
static void draw_teacher(fill kind, uint64_t *random, float temperature, const float *x, size_t classes, float *y)
{
    const uint64_t way = random_below(random, 5);
    const size_t moved = (size_t)random_below(random, classes);
    const float noise = ldexpf(temperature > 1e30f ? 1 : temperature, 2 - (int)random_below(random, 30));
    fill_matrix(kind, random, temperature, 1, classes, y);
    for (size_t i = 0; i < classes; i++) {
        const float drawn = (float)(random_unit(random) * 2 - 1) * noise;
        if (way >= 2)
            y[i] = x[i] + (way == 2 || (way == 3 && i == moved) ? drawn : 0);
        if (x[i] == -INFINITY && way > 0)
            y[i] = -INFINITY;
    }
}

/* Which divergence is tested. */
typedef enum divergence { FORWARD, REVERSED, MIXED, DIVERGENCES } divergence;

static const char *const divergence_names[DIVERGENCES] = {"forward", "reversed", "mixed"};

/* Shares of the teacher in a mixture, also next to 0 and to 1. */
static const float teacher_shares[] = {0.5f, 0.1f, 0.999f, 0.75f, 1e-6f, 0x1.fffffep-1f, 1e-30f};

/* Returns a case of this divergence, with one of the shares. */
static distillation_case case_of(divergence d, uint64_t seed, distillation_case c)
{
    c.is_reversed = d == REVERSED;
    c.teacher_share = d == MIXED ? teacher_shares[seed % (sizeof teacher_shares / sizeof *teacher_shares)] : 0;
    return c;
}

/* Compares random rows of every distribution with the oracle. */
static void check_random_rows(divergence d)
{
    clsoftmax_context *cpu = test_open("cpu");
    errors worst[CLSOFTMAX_ACCURACY_COUNT] = {{0, 0}};
    unsigned compared = 0;
    for (uint64_t seed = 1; seed <= (test_is_long() ? 100000u : 2000u); seed++) {
        uint64_t random = seed;
        float x[MOST_CLASSES], y[MOST_CLASSES];
        const fill kind = (fill)random_below(&random, FILL_COUNT);
        const float temperature = fill_temperature(&random);
        const size_t classes = 1 + (size_t)random_below(&random, MOST_CLASSES);
        const int is_squared = (int)random_below(&random, 2);
        fill_matrix(kind, &random, temperature, 1, classes, x);
        draw_teacher(kind, &random, temperature, x, classes, y);
        if (!fill_is_ordinary(x, classes) || !fill_is_ordinary(y, classes) || temperature == 0 ||
            (is_squared && temperature >= 0x1p64f))
            continue;
        const float weight = seed % 9 == 0 ? 0 : (float)random_unit(&random);
        const distillation_case c =
            case_of(d, seed, (distillation_case){x, y, classes, temperature, weight, -0.125f, is_squared, 0, 0});
        compared++;
        for (int a = 0; a < CLSOFTMAX_ACCURACY_COUNT; a++) {
            const errors found = check_row(cpu, &c, (clsoftmax_accuracy)a, seed);
            worst[a].loss = found.loss > worst[a].loss ? found.loss : worst[a].loss;
            worst[a].gradient = found.gradient > worst[a].gradient ? found.gradient : worst[a].gradient;
        }
    }
    for (int a = 0; a < CLSOFTMAX_ACCURACY_COUNT; a++) {
        fprintf(stderr, "%s, %s, %u rows: loss within %.3f of the bound, gradient within %.3f\n",
                clsoftmax_accuracy_name((clsoftmax_accuracy)a), divergence_names[d], compared, worst[a].loss,
                worst[a].gradient);
        cr_expect(worst[a].loss > 0.1 && worst[a].gradient > 0.1, "errors that small are not believable");
    }
    clsoftmax_context_release(cpu);
}

Test(distillation, random_rows, .timeout = 3600)
{
    check_random_rows(FORWARD);
}

Test(distillation, random_rows_reversed, .timeout = 3600)
{
    check_random_rows(REVERSED);
}

Test(distillation, random_rows_of_mixtures, .timeout = 3600)
{
    check_random_rows(MIXED);
}

/* Runs rows that come ever nearer to their teacher's: the loss stays positive and keeps its digits, where a difference
   of two sums would have lost them. Equal rows have exactly 0, and a gradient of 0. */
Test(distillation, near_and_equal_rows)
{
    clsoftmax_context *cpu = test_open("cpu");
    for (uint64_t seed = 1; seed <= 300; seed++) {
        uint64_t random = seed;
        float x[MOST_CLASSES], y[MOST_CLASSES];
        const size_t classes = 2 + (size_t)random_below(&random, 60);
        for (size_t i = 0; i < classes; i++) {
            x[i] = (float)(random_unit(&random) * 8 - 4);
            y[i] = x[i] + ldexpf((float)(random_unit(&random) - 0.5), -(int)(seed % 16));
        }
        const divergence d = (divergence)(seed % DIVERGENCES);
        const distillation_case c = case_of(d, seed, (distillation_case){x, y, classes, 4, 1, 1, 1, 0, 0}),
                                same = case_of(d, seed, (distillation_case){x, x, classes, 4, 1, 1, 1, 0, 0});
        const outcome o = run_row(cpu, &c, CLSOFTMAX_ACCURACY_FAITHFUL),
                      zero = run_row(cpu, &same, CLSOFTMAX_ACCURACY_FAITHFUL);
        cr_expect(o.loss > 0 && oracle_distillation_error(&c, o.loss) <= 1, "seed %llu: %a", (unsigned long long)seed,
                  (double)o.loss);
        cr_expect(zero.loss == 0 && !signbit(zero.loss), "seed %llu: %a", (unsigned long long)seed, (double)zero.loss);
        for (size_t i = 0; i < classes; i++)
            cr_expect(zero.gradient[i] == 0 && !signbit(zero.gradient[i]));
    }
    clsoftmax_context_release(cpu);
}

/* At a high temperature the loss times T^2 is half of the variance of the difference of centred logits over the
   classes, and its gradient is that difference over their number: "matching logits" (Hinton et al., 2015). What is left
   is of the order of 1 / T. */
Test(distillation, high_temperature)
{
    clsoftmax_context *cpu = test_open("cpu");
    const float temperatures[] = {1e3f, 1e4f, 1e5f};
    for (int k = 0; k < 3; k++) {
        uint64_t random = 7;
        float x[MOST_CLASSES], y[MOST_CLASSES];
        double mean = 0, variance = 0;
        for (size_t i = 0; i < 50; i++) {
            x[i] = (float)(random_unit(&random) * 8 - 4);
            y[i] = (float)(random_unit(&random) * 8 - 4);
            mean += ((double)x[i] - (double)y[i]) / 50;
        }
        for (size_t i = 0; i < 50; i++)
            variance += pow((double)x[i] - (double)y[i] - mean, 2) / 50;
        const distillation_case c = {x, y, 50, temperatures[k], 1, 1, 1, 0, 0};
        const outcome o = run_row(cpu, &c, CLSOFTMAX_ACCURACY_FAITHFUL);
        const double left = 20 / (double)temperatures[k];
        cr_expect(fabs((double)o.loss - variance / 2) <= left * variance, "T = %g: %g, not %g", (double)temperatures[k],
                  (double)o.loss, variance / 2);
        for (size_t i = 0; i < 50; i++)
            cr_expect(fabs((double)o.gradient[i] * 50 - ((double)x[i] - (double)y[i] - mean)) <= 10 * left,
                      "T = %g: %g", (double)temperatures[k], (double)o.gradient[i]);
    }
    clsoftmax_context_release(cpu);
}

/* Adds up the gradient of a row, which is 0, and compares it with a difference quotient of losses. */
Test(distillation, gradient_is_the_slope)
{
    clsoftmax_context *cpu = test_open("cpu");
    for (uint64_t seed = 1; seed <= 100; seed++) {
        uint64_t random = seed;
        float x[8], y[8];
        const divergence d = (divergence)(seed % DIVERGENCES);
        double sum = 0;
        for (size_t i = 0; i < 8; i++) {
            x[i] = (float)(random_unit(&random) * 8 - 4);
            y[i] = (float)(random_unit(&random) * 8 - 4);
        }
        const distillation_case c = case_of(d, seed, (distillation_case){x, y, 8, 2, 1, 1, 1, 0, 0});
        const outcome o = run_row(cpu, &c, CLSOFTMAX_ACCURACY_FAITHFUL);
        for (size_t i = 0; i < 8; i++)
            sum += (double)o.gradient[i];
        cr_expect(fabs(sum) <= 0x1p-20, "seed %llu: %g", (unsigned long long)seed, sum);
        const size_t at = (size_t)random_below(&random, 8);
        float above[8], below[8];
        memcpy(above, x, sizeof x);
        memcpy(below, x, sizeof x);
        above[at] += 0x1p-6f;
        below[at] -= 0x1p-6f;
        const distillation_case up = case_of(d, seed, (distillation_case){above, y, 8, 2, 1, 1, 1, 0, 0}),
                                down = case_of(d, seed, (distillation_case){below, y, 8, 2, 1, 1, 1, 0, 0});
        const double slope = ((double)run_row(cpu, &up, CLSOFTMAX_ACCURACY_FAITHFUL).loss -
                              (double)run_row(cpu, &down, CLSOFTMAX_ACCURACY_FAITHFUL).loss) /
                             ((double)above[at] - (double)below[at]);
        cr_expect(fabs(slope - (double)o.gradient[at]) <= 2e-4, "seed %llu: %g, not %g", (unsigned long long)seed,
                  (double)o.gradient[at], slope);
    }
    clsoftmax_context_release(cpu);
}

/* Rows that are not ordinary, masks, and the ends of the temperature. */
Test(distillation, edges)
{
    clsoftmax_context *cpu = test_open("cpu");
    const float inf = INFINITY, x[3] = {1, 2, 3}, y[3] = {1, 3, 3}, nan[3] = {1, NAN, 3}, masked[3] = {1, -inf, 3},
                none[3] = {-inf, -inf, -inf}, infinite[3] = {1, inf, 3}, apart[3] = {3, 2, 1};
    const struct {
        const float *x, *y;
        float temperature;
        int is_squared;
        float loss;
    } cases[] = {{x, nan, 1, 1, NAN},       {nan, y, 1, 1, NAN},    {x, infinite, 1, 1, NAN}, {x, none, 1, 1, NAN},
                 {none, y, 1, 1, NAN},      {masked, y, 1, 1, inf}, {x, y, 0, 1, 0},          {x, y, 0, 0, inf},
                 {x, x, 0, 0, 0},           {y, x, 0, 0, logf(2)},  {x, y, inf, 0, 0},        {x, apart, 0, 0, inf},
                 {masked, masked, 1, 1, 0}, {y, y, 0, 0, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const distillation_case c = {cases[i].x, cases[i].y, 3, cases[i].temperature, 1, 1, cases[i].is_squared, 0, 0};
        const outcome o = run_row(cpu, &c, CLSOFTMAX_ACCURACY_FAITHFUL);
        cr_expect(isnan(cases[i].loss) ? isnan(o.loss) : o.loss == cases[i].loss, "case %zu: %a", i, (double)o.loss);
        for (size_t k = 0; k < 3; k++)
            cr_expect(isnan(o.gradient[k]) == isnan(cases[i].loss), "case %zu: %a", i, (double)o.gradient[k]);
    }
    /* A class that the teacher excludes, and the student does not, pulls the student away from it. */
    const distillation_case c = {x, masked, 3, 1, 1, 1, 1, 0, 0};
    const outcome o = run_row(cpu, &c, CLSOFTMAX_ACCURACY_FAITHFUL);
    cr_expect(o.loss > 0 && o.gradient[1] > 0 && oracle_distillation_error(&c, o.loss) <= 1);
    clsoftmax_context_release(cpu);
}

/* Computes the mean loss and its gradient by clsoftmax_distill, with and without what may be left out. */
Test(distillation, one_call)
{
    enum { ROWS = 3, CLASSES = 4 };
    clsoftmax_context *cpu = test_open("cpu");
    const float x[ROWS * CLASSES] = {1, 2, 3, 4, 0, 0, 1, -1, 5, 5, 5, 5},
                         y[ROWS * CLASSES] = {1, 2, 3, 5, 0, 1, 1, -1, 5, 4, 3, 2};
    float gradient[ROWS * CLASSES], in_place[ROWS * CLASSES], losses[ROWS];
    double mean = 0, again = 0, sum = 0, of_place = 0, of_none = 0;
    memcpy(in_place, x, sizeof x);
    cr_assert_eq(clsoftmax_distill(cpu, ROWS, CLASSES, x, y, 2, gradient, losses, &mean), CLSOFTMAX_OK);
    cr_assert_eq(clsoftmax_distill(cpu, ROWS, CLASSES, x, y, 2, NULL, NULL, &again), CLSOFTMAX_OK);
    cr_assert_eq(clsoftmax_distill(cpu, ROWS, CLASSES, in_place, y, 2, in_place, NULL, &of_place), CLSOFTMAX_OK);
    cr_assert_eq(clsoftmax_distill(cpu, 0, CLASSES, NULL, NULL, 2, NULL, NULL, &of_none), CLSOFTMAX_OK);
    for (size_t r = 0; r < ROWS; r++) {
        const distillation_case c = {x + r * CLASSES, y + r * CLASSES, CLASSES, 2, 1, 1.0f / ROWS, 1, 0, 0};
        size_t class;
        sum += (double)losses[r];
        cr_expect(oracle_distillation_error(&c, losses[r]) <= 1);
        cr_expect(oracle_distillation_gradient_error(&c, gradient + r * CLASSES, &class) <= 1);
    }
    cr_expect(fabs(mean - sum / ROWS) <= 1e-15 && mean == again && mean == of_place && isnan(of_none));
    cr_expect(memcmp(gradient, in_place, sizeof gradient) == 0);
    cr_expect_eq(clsoftmax_distill(cpu, ROWS, CLASSES, x, NULL, 2, gradient, NULL, NULL), CLSOFTMAX_INVALID_ARGUMENT);
    cr_expect_eq(clsoftmax_distill(cpu, ROWS, CLASSES, x, y, 1e30f, gradient, NULL, NULL),
                 CLSOFTMAX_INVALID_TEMPERATURE);
    clsoftmax_context_release(cpu);
}

/* Gives the oracle results that are wrong. */
Test(distillation, oracle_sees_faults)
{
    clsoftmax_context *cpu = test_open("cpu");
    const float x[3] = {1, 2, 3}, y[3] = {1, -2, 4};
    for (divergence d = FORWARD; d < DIVERGENCES; d++) {
        const distillation_case c = case_of(d, 0, (distillation_case){x, y, 3, 2, 0.5f, 0.25f, 1, 0, 0});
        const distillation_case other =
            case_of((d + 1) % DIVERGENCES, 0, (distillation_case){x, y, 3, 2, 0.5f, 0.25f, 1, 0, 0});
        const outcome o = run_row(cpu, &c, CLSOFTMAX_ACCURACY_FAITHFUL);
        size_t class = 9;
        cr_expect(oracle_distillation_error(&c, o.loss) <= 1 && oracle_distillation_error(&c, o.loss * 1.00001f) > 1);
        cr_expect(oracle_distillation_error(&c, -o.loss) > 1 && oracle_distillation_error(&c, INFINITY) > 1);
        cr_expect(oracle_distillation_error(&other, o.loss) > 1);
        cr_expect(oracle_distillation_gradient_error(&other, o.gradient, &class) > 1);
        for (size_t i = 0; i < 3; i++) {
            float wrong[3];
            memcpy(wrong, o.gradient, sizeof wrong);
            cr_expect(oracle_distillation_gradient_error(&c, wrong, &class) <= 1);
            wrong[i] += wrong[i] * 1e-4f;
            cr_expect(oracle_distillation_gradient_error(&c, wrong, &class) > 1 && class == i);
        }
    }
    clsoftmax_context_release(cpu);
}
