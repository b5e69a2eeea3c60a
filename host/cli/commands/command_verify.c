/* clsoftmax verify: does this device keep the promise? */
#include "commands/commands.h"
#include "run/compare.h"
#include "support/library.h"
#include "support/messages.h"
#include "support/options.h"
#include "support/process.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct verify_options {
    const char *device;
    clsoftmax_strategy strategy;
} verify_options;

static const option_row rows[] = {
    {.heading = "options"},
    {.letter = 'd',
     .name = "device",
     .argument = "DEVICE",
     .set = option_set_text,
     .offset = offsetof(verify_options, device),
     .help = "auto (default), cpu, P:D, or part of a device's name; also CLSOFTMAX_DEVICE"},
    {.name = "strategy",
     .argument = "NAME",
     .set = option_set_strategy,
     .offset = offsetof(verify_options, strategy),
     .help = "verify this strategy alone"},
    {.name = NULL},
};

static const option_table table = {
    .rows = rows,
    .introduction =
        "usage: clsoftmax verify [-d DEVICE] [--strategy NAME]\n"
        "\n"
        "Runs every strategy of a device on built-in data, at temperatures from 0 to inf. Compares the bits with "
        "those\n"
        "of the CPU path, and the values with double precision. f32 is computed a second time as a sweep, all\n"
        "temperatures at once, whose bits must be the same. Exit status 1 if a bit differs, if a value is more than\n"
        "1 ULP from the reference, or if the device cannot promise (no subnormals, not of the full profile).\n"
        "\n"
        "An OpenCL device takes minutes the first time: its driver compiles every kernel.\n"
        "\n",
    .examples = "examples:\n"
                "  clsoftmax verify\n"
                "  clsoftmax verify -d 0:0\n",
};

/* ---------------------------------------------------------------- Built-in data */

typedef float generator(uint64_t *state, uint64_t row, uint64_t i);

/* splitmix64 (Steele, Lea, Flood 2014), high bits as a number in [0, 1). */
static double uniform(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

static float moderate(uint64_t *state, uint64_t row, uint64_t i)
{
    (void)row, (void)i;
    return (float)(uniform(state) * 20 - 10);
}

static float far_from_zero(uint64_t *state, uint64_t row, uint64_t i)
{
    (void)row, (void)i;
    return (float)(1e6 + uniform(state) * 100);
}

static float ties(uint64_t *state, uint64_t row, uint64_t i)
{
    (void)state;
    return i == row ? 3.0f : 1.0f;
}

static float masked(uint64_t *state, uint64_t row, uint64_t i)
{
    float x = moderate(state, row, i);
    return i % 3 == row % 3 ? -INFINITY : x;
}

static float special(uint64_t *state, uint64_t row, uint64_t i)
{
    static const float values[] = {NAN, INFINITY, -INFINITY, -NAN};
    float x = moderate(state, row, i);
    if (row % 4 == 2)
        return -INFINITY; /* nothing but masks */
    return i == row ? values[row % 4] : x;
}

static float huge(uint64_t *state, uint64_t row, uint64_t i)
{
    return moderate(state, row, i) * (row % 2 ? 0x1p124f : 0x1p58f); /* to FLT_MAX, and to both sides of 2^60 */
}

static float subnormal(uint64_t *state, uint64_t row, uint64_t i)
{
    return moderate(state, row, i) * 0x1p-133f;
}

/* All but one at the resolution of the sum's second level, which only its third can add up. */
static float at_resolution(uint64_t *state, uint64_t row, uint64_t i)
{
    (void)state, (void)row;
    return i == 777 ? 0 : -31.8f;
}

typedef struct data_set {
    const char *name;
    generator *generate;
    uint64_t rows, classes;
} data_set;

static const data_set data_sets[] = {
    {"moderate", moderate, 33, 10},
    {"moderate", moderate, 7, 1000},
    {"moderate", moderate, 3, 50257},
    {"far from zero", far_from_zero, 5, 257},
    {"ties", ties, 9, 4097},
    {"masked", masked, 6, 127},
    {"NaN, inf, all masked", special, 8, 31},
    {"one class", moderate, 4, 1},
    {"huge", huge, 6, 100},
    {"subnormal", subnormal, 5, 60},
    {"2^20 + 1 classes", at_resolution, 1, (1 << 20) + 1},
};
static const float temperatures[] = {0, 0x1p-149f, 0x1p-133f, 1e-30f, 0.07f, 0.7f, 1, 3.05f, 20, 100, 1e30f, INFINITY};

#define LARGE 100000 /* data sets with more values than this are used once */

enum { DATA_SETS = sizeof data_sets / sizeof *data_sets, TEMPERATURES = sizeof temperatures / sizeof *temperatures };

/* ---------------------------------------------------------------- Comparing */

/* What a line of the table is about. */
typedef struct verify_case {
    clsoftmax_strategy strategy;
    clsoftmax_operation operation;
    clsoftmax_dtype dtype; /* of logits and results */
} verify_case;

/* Rows stand along the last axis, or, for `column`, along the first; but where that takes temperatures as columns. */
static int is_by_column(const verify_case *c)
{
    return c->strategy == CLSOFTMAX_STRATEGY_COLUMN && c->operation != CLSOFTMAX_OPERATION_NONE;
}

typedef struct verdict {
    comparison with_cpu, with_reference;
} verdict;

/* Memory for a data set on three devices, and for a sweep on the first of them. */
typedef struct buffers {
    void *logits, *results[3], *swept;
    clsoftmax_statistics *statistics[3], *swept_statistics;
} buffers;

static void release_buffers(buffers *b)
{
    free(b->logits);
    free(b->swept);
    free(b->swept_statistics);
    for (int i = 0; i < 3; i++) {
        free(b->results[i]);
        free(b->statistics[i]);
    }
}

static int make_buffers(const data_set *set, buffers *b)
{
    uint64_t elements = set->rows * set->classes;
    b->logits = malloc(elements * sizeof(float));
    b->swept = malloc(TEMPERATURES * elements * sizeof(float));
    b->swept_statistics = malloc(TEMPERATURES * set->rows * sizeof(clsoftmax_statistics));
    int complete = b->logits && b->swept && b->swept_statistics;
    for (int i = 0; i < 3; i++) {
        b->results[i] = malloc(elements * sizeof(float));
        b->statistics[i] = malloc(set->rows * sizeof(clsoftmax_statistics));
        complete = complete && b->results[i] && b->statistics[i];
    }
    return complete;
}

/* Values of the set; as 16-bit patterns the upper halves of f32's, which serve any type. */
static void fill_logits(const data_set *set, const verify_case *c, void *logits)
{
    uint64_t state = set->rows * set->classes;
    for (uint64_t row = 0; row < set->rows; row++)
        for (uint64_t i = 0; i < set->classes; i++) {
            float x = set->generate(&state, row, i);
            uint32_t bits;
            memcpy(&bits, &x, sizeof bits);
            uint64_t at = is_by_column(c) ? i * set->rows + row : row * set->classes + i;
            if (c->dtype == CLSOFTMAX_F32)
                ((float *)logits)[at] = x;
            else
                ((uint16_t *)logits)[at] = (uint16_t)(bits >> 16);
        }
}

static clsoftmax_problem problem_of(const verify_case *c, const data_set *set)
{
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    problem.outer = is_by_column(c) ? 1 : set->rows;
    problem.classes = set->classes;
    problem.inner = is_by_column(c) ? set->rows : 1;
    problem.operation = c->operation;
    problem.logits_dtype = problem.results_dtype = c->dtype;
    problem.statistics = 1;
    problem.strategy = c->strategy;
    return problem;
}

static clsoftmax_status run_problem(clsoftmax_context *context, const clsoftmax_problem *problem,
                                    const clsoftmax_arguments *arguments)
{
    clsoftmax_plan *plan = NULL;
    clsoftmax_status status = clsoftmax_plan_create(context, problem, &plan);
    if (status == CLSOFTMAX_OK)
        status = clsoftmax_plan_run(plan, arguments);
    clsoftmax_plan_release(plan);
    return status;
}

static clsoftmax_status run_one(clsoftmax_context *context, const verify_case *c, const data_set *set,
                                float temperature, const buffers *b, int device)
{
    clsoftmax_problem problem = problem_of(c, set);
    problem.strategy = device == 0 ? c->strategy : CLSOFTMAX_STRATEGY_AUTO;
    clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
    arguments.logits = b->logits;
    arguments.temperature = temperature;
    arguments.results = b->results[device];
    arguments.statistics = b->statistics[device];
    return run_problem(context, &problem, &arguments);
}

/* `count` temperatures on the device that is verified. */
static clsoftmax_status run_sweep(clsoftmax_context *context, const verify_case *c, const data_set *set,
                                  const float *at, uint64_t count, const buffers *b)
{
    clsoftmax_problem problem = problem_of(c, set);
    problem.sweep = count;
    clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
    arguments.logits = b->logits;
    arguments.temperatures = at;
    arguments.results = b->swept;
    arguments.statistics = b->swept_statistics;
    return run_problem(context, &problem, &arguments);
}

static clsoftmax_status verify_data_set(clsoftmax_context *contexts[3], const verify_case *c, const data_set *set,
                                        const buffers *b, verdict *verdict)
{
    static const float large_at[] = {1};
    uint64_t elements = set->rows * set->classes, results = c->operation == CLSOFTMAX_OPERATION_NONE ? 0 : elements;
    const float *at = elements > LARGE ? large_at : temperatures;
    uint64_t count = elements > LARGE ? 1 : TEMPERATURES;
    int sweeps = c->dtype == CLSOFTMAX_F32;
    fill_logits(set, c, b->logits);
    clsoftmax_status status = sweeps ? run_sweep(contexts[0], c, set, at, count, b) : CLSOFTMAX_OK;
    for (uint64_t t = 0; t < count; t++) {
        for (int i = 0; i < 3 && status == CLSOFTMAX_OK; i++)
            status = run_one(contexts[i], c, set, at[t], b, i);
        if (status != CLSOFTMAX_OK)
            return status;
        compare(&verdict->with_cpu, c->dtype, b->results[0], b->results[1], results, 0);
        compare_statistics(&verdict->with_cpu, b->statistics[0], b->statistics[1], set->rows, set->classes);
        compare_statistics(&verdict->with_reference, b->statistics[0], b->statistics[2], set->rows, set->classes);
        compare(&verdict->with_reference, c->dtype, b->results[0], b->results[2], results,
                allowed_difference(c->operation, set->classes));
        if (!sweeps)
            continue;
        compare(&verdict->with_cpu, c->dtype, (float *)b->swept + t * elements, b->results[1], results, 0);
        compare_statistics(&verdict->with_cpu, b->swept_statistics + t * set->rows, b->statistics[1], set->rows,
                           set->classes);
    }
    return CLSOFTMAX_OK;
}

/* A line of the table; *holds becomes 0 if the case does not keep the promise. EXIT_DONE, or another status after a complaint. */
static int verify_one(clsoftmax_context *contexts[3], const verify_case *c, int *holds)
{
    verdict verdict = {{0}, {0}};
    for (int i = 0; i < DATA_SETS; i++) {
        int is_main = c->operation == CLSOFTMAX_OPERATION_SOFTMAX && c->dtype == CLSOFTMAX_F32;
        if (data_sets[i].rows * data_sets[i].classes > LARGE && !is_main)
            continue;
        buffers b = {NULL, {NULL}, NULL, {NULL}, NULL};
        int complete = make_buffers(&data_sets[i], &b);
        clsoftmax_status status = complete ? verify_data_set(contexts, c, &data_sets[i], &b, &verdict) : CLSOFTMAX_OK;
        release_buffers(&b);
        if (!complete)
            return complain(EXIT_FAILED, "verify: no memory");
        if (status != CLSOFTMAX_OK)
            return complain_library(clsoftmax_strategy_name(c->strategy), status);
    }
    int is_reference = clsoftmax_context_device(contexts[0])->type == CLSOFTMAX_DEVICE_REFERENCE;
    int passed = verdict.with_reference.worst_ulp <= 1 && verdict.with_reference.beyond == 0 &&
                 (verdict.with_cpu.different == 0 || is_reference);
    printf("%-8s %-12s %-5s %10llu %16llu %17llu   %s\n", clsoftmax_strategy_name(c->strategy),
           clsoftmax_operation_name(c->operation), clsoftmax_dtype_name(c->dtype),
           (unsigned long long)verdict.with_cpu.values, (unsigned long long)verdict.with_cpu.different,
           (unsigned long long)verdict.with_reference.worst_ulp,
           passed                          ? "passed"
           : verdict.with_reference.beyond ? "FAILED (statistics)"
                                           : "FAILED");
    *holds = *holds && passed;
    return finish_output(stdout); /* while errno is of this line */
}

/* Every operation and dtype of a strategy; of `column` statistics alone, too, for which it has temperatures as columns. */
static int verify_strategy(clsoftmax_context *contexts[3], clsoftmax_strategy strategy, int *holds)
{
    const verify_case statistics_alone = {strategy, CLSOFTMAX_OPERATION_NONE, CLSOFTMAX_F32};
    int status = EXIT_DONE;
    if (strategy == CLSOFTMAX_STRATEGY_COLUMN)
        status = verify_one(contexts, &statistics_alone, holds);
    for (int operation = CLSOFTMAX_OPERATION_SOFTMAX; operation < CLSOFTMAX_OPERATION_COUNT; operation++)
        for (int dtype = 0; dtype < CLSOFTMAX_DTYPE_COUNT && status == EXIT_DONE; dtype++) {
            verify_case c = {strategy, (clsoftmax_operation)operation, (clsoftmax_dtype)dtype};
            status = verify_one(contexts, &c, holds);
        }
    return status;
}

/* AUTO: every strategy that the device has. */
static int verify_device(clsoftmax_context *contexts[3], clsoftmax_strategy only)
{
    const clsoftmax_device *device = clsoftmax_context_device(contexts[0]);
    printf("device %s: %s%s%s\n", device->selector, device->name, device->platform[0] ? ", " : "", device->platform);
    printf("%-8s %-12s %-5s %10s %16s %17s\n", "strategy", "operation", "dtype", "values", "bits unlike cpu",
           "ULP to reference");
    int status = finish_output(stdout), holds = 1;
    for (clsoftmax_strategy strategy = CLSOFTMAX_STRATEGY_AUTO; ++strategy < CLSOFTMAX_STRATEGY_COUNT;) {
        int is_wanted =
            only == CLSOFTMAX_STRATEGY_AUTO ? clsoftmax_strategy_supported(contexts[0], strategy) : only == strategy;
        if (is_wanted && status == EXIT_DONE)
            status = verify_strategy(contexts, strategy, &holds);
    }
    if (status != EXIT_DONE)
        return EXIT_FAILED;
    int is_inexact = !device->exact && device->type != CLSOFTMAX_DEVICE_REFERENCE;
    holds = holds && !is_inexact;
    printf("%s: %s\n", device->selector, holds ? "the promise holds on this data" : "FAILED");
    status = finish_output(stdout);
    if (status == EXIT_DONE && is_inexact)
        complain(EXIT_FAILED, "verify: %s", device->reason);
    return status == EXIT_DONE && holds ? EXIT_DONE : EXIT_FAILED;
}

static int open_and_verify(const verify_options *options, clsoftmax_context *contexts[3])
{
    FORWARD(open_context(options->device, &contexts[0]));
    FORWARD(open_context("cpu", &contexts[1]));
    FORWARD(open_context("reference", &contexts[2]));
    return verify_device(contexts, options->strategy);
}

int command_verify(int argc, char **argv)
{
    verify_options options = {NULL, CLSOFTMAX_STRATEGY_AUTO};
    clsoftmax_context *contexts[3] = {NULL, NULL, NULL};
    FORWARD(options_parse(&table, argc, argv, &options));
    FORWARD(options_refuse_operands(argc, argv));
    int status = open_and_verify(&options, contexts);
    for (int i = 0; i < 3; i++)
        clsoftmax_context_release(contexts[i]);
    return status;
}
