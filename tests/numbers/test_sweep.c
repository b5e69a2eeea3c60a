/* Sweeps, on every device, in every layout, dtype and operation. The oracle is as many separate calls on cpu, bit for
   bit, and nothing may be written beside the results. test_cross.c and test_bits.c show that separate
   calls are right; cli/faults.bats plants faults into sweeps. */
#include "array.h"
#include "context.h"
#include "support/device.h"
#include "support/fill.h"
#include "support/random.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_TEMPERATURES = 70 }; /* more than cpu takes at once */
enum { MOST_ROWS = 64 };

/* ---------------------------------------------------------------- A case */

typedef struct sweep_case {
    clsoftmax_problem problem;
    const char *layout;
    uint64_t seed;
} sweep_case;

/* The arrays that a call reads and writes. */
typedef struct arrays {
    float *logits; /* or 16-bit elements */
    void *results;
    size_t results_bytes;
    clsoftmax_statistics *statistics;
    float *losses;  /* as many as records; written if the operation has a loss */
    float *operand; /* dense */
    size_t records;
} arrays;

static float temperatures[MOST_TEMPERATURES];
static int64_t labels[MOST_ROWS];
static float weights[MOST_ROWS];

static const char *describe(const sweep_case *c)
{
    static char text[300];
    const clsoftmax_problem *p = &c->problem;
    snprintf(text, sizeof text, "%s %s->%s %s, %llu x %llu x %llu at %llu, %s, statistics %d, seed %llu",
             clsoftmax_operation_name(p->operation), clsoftmax_dtype_name(p->logits_dtype),
             clsoftmax_dtype_name(p->results_dtype), clsoftmax_strategy_name(p->strategy), (unsigned long long)p->outer,
             (unsigned long long)p->classes, (unsigned long long)p->inner, (unsigned long long)p->sweep, c->layout,
             p->statistics, (unsigned long long)c->seed);
    return text;
}

/* Makes logits of every kind, with rows of -inf and rows with +inf or NaN, and temperatures with both limits. */
static arrays make_arrays(const sweep_case *c)
{
    clsoftmax_problem p;
    uint64_t random = c->seed;
    cr_assert_eq(cls_problem_check(&c->problem, &p), CLSOFTMAX_OK, "%s: %s", describe(c), clsoftmax_last_error());
    uint64_t rows = cls_problem_rows(&p), span = cls_array_span(&p, CLS_LOGITS);
    arrays a = {.logits = malloc(span * sizeof(float)),
                .results_bytes = cls_array_span(&p, CLS_RESULTS) * clsoftmax_dtype_size(p.results_dtype),
                .records = rows * p.sweep};
    a.results = malloc(a.results_bytes + 64);
    a.statistics = malloc(a.records * sizeof *a.statistics + 64);
    a.losses = malloc(a.records * sizeof *a.losses + 64);
    memset(a.losses, 0x5A, a.records * sizeof *a.losses + 64);
    memset(a.results, 0x5A, a.results_bytes + 64);
    memset(a.statistics, 0x5A, a.records * sizeof *a.statistics + 64);
    for (uint64_t k = 0; k < p.sweep; k++)
        temperatures[k] = k % 7 == 1 ? 0.0f : k % 11 == 2 ? INFINITY : fill_temperature(&random);
    for (uint64_t row = 0; row < rows; row++)
        labels[row] = row % 4 == 3 ? -1 : (int64_t)random_below(&random, p.classes);
    for (uint64_t row = 0; row < rows; row++)
        weights[row] = row % 5 == 4 ? 0 : 0.5f + (float)random_unit(&random);
    a.operand = malloc(rows * p.classes * sizeof *a.operand);
    for (uint64_t i = 0; i < rows * p.classes; i++)
        a.operand[i] = i == 3 * p.classes ? NAN : (float)(random_unit(&random) * 2 - 1);
    if (p.logits_dtype == CLSOFTMAX_F32)
        fill_matrix((fill)random_below(&random, FILL_COUNT), &random, temperatures[0], 1, span, a.logits);
    else
        for (uint64_t i = 0; i < span; i++)
            ((uint16_t *)a.logits)[i] = (uint16_t)random_bits(&random);
    for (uint64_t row = 0; row < rows && p.logits_dtype == CLSOFTMAX_F32; row++)
        for (uint64_t i = 0; i < p.classes; i++) {
            float *x = &a.logits[cls_layout_row(&p, &p.logits_layout, row) + i * p.logits_layout.class_stride];
            *x = row % 9 == 4 ? -INFINITY : row % 9 == 6 && i == p.classes - 1 ? INFINITY : *x;
        }
    return a;
}

static void release(arrays *a)
{
    free(a->logits);
    free(a->results);
    free(a->statistics);
    free(a->losses);
    free(a->operand);
}

static clsoftmax_arguments arguments_of(const clsoftmax_problem *p, const arrays *a)
{
    clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
    arguments.logits = a->logits;
    arguments.results = cls_has_results(p) ? a->results : NULL;
    arguments.temperatures = temperatures;
    arguments.labels = labels;
    arguments.statistics = p->statistics ? a->statistics : NULL;
    arguments.weights = weights;
    arguments.losses = a->losses;
    arguments.z_loss = 0x1p-12f;
    arguments.operand = a->operand;
    return arguments;
}

/* Runs the sweep as separate calls. */
static void run_separately(clsoftmax_context *context, const sweep_case *c, const arrays *a)
{
    clsoftmax_problem checked, one = c->problem;
    cr_assert_eq(cls_problem_check(&c->problem, &checked), CLSOFTMAX_OK);
    one.sweep = one.sweep_stride = 0;
    clsoftmax_plan *plan = test_plan(context, &one);
    size_t bytes = checked.sweep_stride * clsoftmax_dtype_size(checked.results_dtype);
    for (uint64_t k = 0; k < checked.sweep; k++) {
        clsoftmax_arguments arguments = arguments_of(&checked, a);
        arguments.temperature = temperatures[k];
        if (arguments.results)
            arguments.results = (char *)a->results + k * bytes;
        if (arguments.statistics)
            arguments.statistics = a->statistics + k * cls_problem_rows(&checked);
        arguments.losses = a->losses + k * cls_problem_rows(&checked);
        cr_assert_eq(clsoftmax_plan_run(plan, &arguments), CLSOFTMAX_OK, "%s: %s", describe(c), clsoftmax_last_error());
    }
    clsoftmax_plan_release(plan);
}

static void expect_same(const sweep_case *c, const arrays *expected, const arrays *found, const char *plan)
{
    for (size_t i = 0; i < expected->results_bytes + 64; i++)
        cr_assert(((unsigned char *)expected->results)[i] == ((unsigned char *)found->results)[i],
                  "%s: %s: results differ at byte %zu of %zu", describe(c), plan, i, expected->results_bytes);
    cr_assert(memcmp(expected->statistics, found->statistics, expected->records * sizeof *found->statistics + 64) == 0,
              "%s: %s: statistics differ", describe(c), plan);
    cr_assert(memcmp(expected->losses, found->losses, expected->records * sizeof *found->losses + 64) == 0,
              "%s: %s: losses differ", describe(c), plan);
}

/* Runs the sweep, and compares it with separate calls on cpu. */
static void check_case(const sweep_case *c, clsoftmax_context *cpu, clsoftmax_context *context)
{
    sweep_case by_cpu = *c;
    by_cpu.problem.strategy = CLSOFTMAX_STRATEGY_AUTO;
    arrays expected = make_arrays(c), found = make_arrays(c);
    run_separately(cpu, &by_cpu, &expected);
    clsoftmax_plan *plan = test_plan(context, &c->problem);
    const clsoftmax_arguments arguments = arguments_of(&c->problem, &found);
    cr_assert_eq(clsoftmax_plan_run(plan, &arguments), CLSOFTMAX_OK, "%s: %s", describe(c), clsoftmax_last_error());
    expect_same(c, &expected, &found, clsoftmax_plan_description(plan));
    clsoftmax_plan_release(plan);
    release(&expected);
    release(&found);
}

/* ---------------------------------------------------------------- The cross */

/* Draws a sweep: sizes at the borders of vectors and of what is kept, and layouts with the temperatures outermost,
   between the rows, and innermost. */
static sweep_case draw(uint64_t seed, int is_small)
{
    static const uint64_t classes[] = {1, 2, 10, 16, 17, 100, 255, 256, 257, 300, 1000, 2500};
    static const uint64_t sweeps[] = {1, 2, 5, 16, 17, 64, 65, 70};
    const clsoftmax_problem initial = CLSOFTMAX_PROBLEM_INIT;
    uint64_t random = seed;
    sweep_case c = {initial, "dense", seed};
    clsoftmax_problem *p = &c.problem;
    p->classes = classes[random_below(&random, is_small ? 10 : 12)];
    p->sweep = sweeps[random_below(&random, is_small ? 5 : 8)];
    p->outer = 1 + random_below(&random, 7);
    p->inner = random_below(&random, 3) == 0 ? 1 + random_below(&random, 8) : 1;
    p->operation = (clsoftmax_operation)random_below(&random, CLSOFTMAX_OPERATION_COUNT);
    p->statistics = p->operation == CLSOFTMAX_OPERATION_NONE || random_below(&random, 2);
    p->logits_dtype = (clsoftmax_dtype)random_below(&random, CLSOFTMAX_DTYPE_COUNT);
    p->results_dtype = (clsoftmax_dtype)random_below(&random, CLSOFTMAX_DTYPE_COUNT);
    p->neg_inf_rows = (clsoftmax_neg_inf_rows)random_below(&random, 3);
    p->pos_inf = (clsoftmax_pos_inf)random_below(&random, 2);
    p->temperature_squared = 0; /* some temperatures are infinite */
    uint64_t row = p->classes * p->inner;
    switch (random_below(&random, 4)) {
    case 0:
        c.layout = "[rows][temperatures][classes]";
        p->results_layout = (clsoftmax_layout){0, row * p->sweep, p->inner, 1};
        p->sweep_stride = row;
        break;
    case 1:
        c.layout = "temperatures innermost, an offset";
        p->results_layout = (clsoftmax_layout){3, row * p->sweep, p->inner * p->sweep, p->sweep};
        p->sweep_stride = 1;
        break;
    case 2:
        c.layout = "gaps";
        p->logits_layout = (clsoftmax_layout){5, row * 2 + 7, p->inner * 2, 1};
        p->results_layout = (clsoftmax_layout){2, row + 9, p->inner, 1};
        p->sweep_stride = (row + 9) * p->outer + 4;
        break;
    default:
        break;
    }
    return c;
}

/* Runs drawn sweeps on cpu and on the reference. */
Test(sweep, cpu_and_reference, .timeout = 600)
{
    clsoftmax_context *cpu = test_open("cpu"), *reference = test_open("reference");
    for (uint64_t seed = 1; seed <= (test_is_long() ? 4000u : 300u); seed++) {
        sweep_case c = draw(seed, 0);
        check_case(&c, cpu, cpu);
        if (seed % 4 == 0)
            check_case(&c, reference, reference);
    }
    clsoftmax_context_release(cpu);
    clsoftmax_context_release(reference);
}

/* Runs drawn sweeps with the strategies of the device, but not with `lane` and `column`, to spare their compilation.
   These run sweeps in test_buffers, test_digest and kernel_watch, and here where AUTO chooses them. */
static void check_strategies(clsoftmax_context *context, uint64_t seeds)
{
    clsoftmax_context *cpu = test_open("cpu");
    for (uint64_t seed = 1; seed <= seeds; seed++)
        for (clsoftmax_strategy s = CLSOFTMAX_STRATEGY_AUTO; s < CLSOFTMAX_STRATEGY_COUNT; s++) {
            sweep_case c = draw(seed, seed % 4 != 0);
            c.problem.strategy = s;
            c.problem.tile_outer = seed % 3;
            if (clsoftmax_strategy_supported(context, s) && s != CLSOFTMAX_STRATEGY_LANE &&
                s != CLSOFTMAX_STRATEGY_COLUMN)
                check_case(&c, cpu, context);
        }
    clsoftmax_context_release(cpu);
    clsoftmax_context_release(context);
}

Test(sweep, opencl_shared, .timeout = 3600)
{
    setenv("CLSOFTMAX_HOST_MEMORY", "share", 1);
    check_strategies(test_open_opencl(), test_is_long() ? 200 : 8);
}

Test(sweep, opencl_copied, .timeout = 3600)
{
    setenv("CLSOFTMAX_HOST_MEMORY", "copy", 1);
    check_strategies(test_open_opencl(), test_is_long() ? 200 : 8);
}

/* Sweeps more columns than a vector has lanes, which are kept in local memory: several vectors abreast, and a rest. */
Test(sweep, opencl_columns, .timeout = 300)
{
    clsoftmax_context *cpu = test_open("cpu"), *context = test_open_opencl();
    sweep_case c = {CLSOFTMAX_PROBLEM_INIT, "dense", 5};
    c.problem.outer = 2;
    c.problem.classes = 300;
    c.problem.inner = 31;
    c.problem.sweep = 3;
    c.problem.statistics = 1;
    check_case(&c, cpu, context);
    c.problem.operation = CLSOFTMAX_OPERATION_LOG_SOFTMAX;
    check_case(&c, cpu, context);
    clsoftmax_context_release(context);
    clsoftmax_context_release(cpu);
}

/* Sweeps rows that do not fit the room of a thread, and that need the third level of the sum. */
Test(sweep, long_rows_on_cpu)
{
    clsoftmax_context *cpu = test_open("cpu");
    sweep_case c = {CLSOFTMAX_PROBLEM_INIT, "dense", 3};
    c.problem.outer = 2;
    c.problem.classes = 720001;
    c.problem.sweep = 3;
    c.problem.statistics = 1;
    check_case(&c, cpu, cpu);
    c.problem.operation = CLSOFTMAX_OPERATION_LOG_SOFTMAX;
    c.problem.pos_inf = CLSOFTMAX_POS_INF_LIMIT;
    c.seed = 4;
    check_case(&c, cpu, cpu);
    c.problem.operation = CLSOFTMAX_OPERATION_NONE;
    check_case(&c, cpu, cpu);
    clsoftmax_context_release(cpu);
}

/* ---------------------------------------------------------------- clsoftmax_sweep */

/* Compares the simple call with known values and with clsoftmax_run. */
Test(sweep, of_a_matrix)
{
    clsoftmax_context *cpu = test_open("cpu");
    const float logits[2][3] = {{10, 20, 30}, {1, 3, 3}}, at[3] = {0, 1, INFINITY};
    float p[3][2][3], one[2][3];
    clsoftmax_statistics s[3][2], alone[3][2];
    cr_assert_eq(clsoftmax_sweep(cpu, 2, 3, logits[0], 3, at, p[0][0], s[0]), CLSOFTMAX_OK);
    cr_expect_eq(p[0][1][1], 0.5f);
    cr_expect_eq(p[0][0][2], 1.0f);
    cr_expect_eq(p[2][0][0], 1.0f / 3);
    cr_expect_eq(s[0][1].entropy, 0x1.62e43p-1f, "ln 2");
    cr_assert_eq(clsoftmax_run(cpu, 2, 3, logits[0], 1, one[0]), CLSOFTMAX_OK);
    cr_expect(memcmp(one, p[1], sizeof one) == 0);
    cr_assert_eq(clsoftmax_sweep(cpu, 2, 3, logits[0], 3, at, NULL, alone[0]), CLSOFTMAX_OK);
    cr_expect(memcmp(alone, s, sizeof s) == 0);
    cr_expect_eq(clsoftmax_sweep(cpu, 2, 3, logits[0], 0, NULL, p[0][0], NULL), CLSOFTMAX_OK, "no temperatures");
    cr_expect_eq(clsoftmax_sweep(cpu, 0, 3, NULL, 3, at, p[0][0], NULL), CLSOFTMAX_OK, "no rows");
    cr_expect_eq(clsoftmax_sweep(cpu, 2, 3, logits[0], 3, at, NULL, NULL), CLSOFTMAX_INVALID_ARGUMENT, "no output");
    clsoftmax_context_release(cpu);
}

/* Passes what the simple call and plans of sweeps refuse. */
Test(sweep, refused)
{
    clsoftmax_context *cpu = test_open("cpu");
    float logits[6] = {10, 20, 30, 1, 3, 3}, p[30];
    const float wrong[3] = {1, -1, 2}, nan[2] = {1, NAN}, good[2] = {1, 2};
    memset(p, 0x5A, sizeof p);
    cr_expect_eq(clsoftmax_sweep(cpu, 2, 3, logits, 3, wrong, p, NULL), CLSOFTMAX_INVALID_TEMPERATURE);
    cr_expect(strstr(clsoftmax_last_error(), "number 1 of the sweep"), "%s", clsoftmax_last_error());
    cr_expect_eq(clsoftmax_sweep(cpu, 2, 3, logits, 2, nan, p, NULL), CLSOFTMAX_INVALID_TEMPERATURE);
    cr_expect_eq(clsoftmax_sweep(cpu, 2, 3, logits, 2, NULL, p, NULL), CLSOFTMAX_INVALID_ARGUMENT);
    for (size_t i = 0; i < sizeof p; i++)
        cr_assert_eq(((unsigned char *)p)[i], 0x5A, "something was written");
    cr_expect_eq(clsoftmax_sweep(cpu, 2, 3, logits, 2, good, logits, NULL), CLSOFTMAX_INVALID_ARGUMENT, "in place");

    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    clsoftmax_plan *plan = NULL;
    problem.outer = 2;
    problem.classes = 3;
    problem.sweep = 2;
    problem.sweep_stride = 5;
    cr_expect_eq(clsoftmax_plan_create(cpu, &problem, &plan), CLSOFTMAX_INVALID_SHAPE, "results that share places");
    problem.sweep_stride = 0;
    problem.temperature_per_row = 1;
    cr_expect_eq(clsoftmax_plan_create(cpu, &problem, &plan), CLSOFTMAX_INVALID_ARGUMENT);
    problem.temperature_per_row = 0;
    problem.sweep = UINT64_MAX / 4;
    cr_expect_eq(clsoftmax_plan_create(cpu, &problem, &plan), CLSOFTMAX_INVALID_SHAPE, "more than memory");
    clsoftmax_context_release(cpu);
}
