/* clsoftmax verify: does a device keep the numeric promise? Every strategy, operation and dtype runs on built-in data,
   and is compared with the CPU path and with double precision. */
#include "commands/commands.h"
#include "commands/verify_data.h"
#include "results/compare.h"
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
    clsoftmax_strategy strategy;   /* AUTO: every one */
    clsoftmax_operation operation; /* NONE: every one */
} verify_options;

static const option_row rows[] = {
    {.heading = "options"},
    {.letter = 'd',
     .name = "device",
     .argument = "DEVICE",
     .set = option_set_text,
     .offset = offsetof(verify_options, device),
     .help = "auto (default), cpu, opencl, P:D, or part of a device's name; also CLSOFTMAX_DEVICE"},
    {.name = "strategy",
     .argument = "NAME",
     .set = option_set_strategy,
     .offset = offsetof(verify_options, strategy),
     .help = "verify this strategy alone"},
    {.name = "operation",
     .argument = "NAME",
     .set = option_set_operation,
     .offset = offsetof(verify_options, operation),
     .help = "verify this operation alone, such as softmax or cross_entropy_gradient"},
    {.name = NULL},
};

static const option_table table = {
    .rows = rows,
    .introduction =
        "usage: clsoftmax verify [-d DEVICE] [--strategy NAME] [--operation NAME]\n"
        "\n"
        "Runs every strategy of a device on built-in data, at temperatures from 0 to inf. Compares the bits with "
        "those\n"
        "of the CPU path, and the values with double precision. f32 is computed a second time as a sweep, all\n"
        "temperatures at once, whose bits must be the same. Exit status 1 if a bit differs, if a value is further "
        "from\n"
        "the reference than its bound (1 ULP for a probability), or if the device cannot promise (no subnormals, not "
        "of\n"
        "the full profile).\n"
        "\n"
        "An OpenCL device takes minutes the first time: its driver compiles every kernel.\n"
        "\n",
    .examples = "examples:\n"
                "  clsoftmax verify\n"
                "  clsoftmax verify -d 0:0\n"
                "  clsoftmax verify -d 0:0 --strategy group --operation softmax\n",
};

/* Data sets with more values than this are used once, instead of at every temperature in every dtype. */
#define LARGE 100000

/* ---------------------------------------------------------------- Comparing */

/* What a line of the table is about. */
typedef struct verify_case {
    clsoftmax_strategy strategy;
    clsoftmax_operation operation;
    clsoftmax_dtype dtype; /* of logits and results */
    clsoftmax_accuracy accuracy;
} verify_case;

/* Returns 1 if a row stands along the first axis: for `column`, except where its columns are temperatures. */
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
    int64_t *labels; /* for losses */
    float *losses[3], *swept_losses;
    float *operand;
} buffers;

static void release_buffers(buffers *b)
{
    free(b->logits);
    free(b->swept);
    free(b->swept_statistics);
    free(b->labels);
    free(b->swept_losses);
    free(b->operand);
    for (int i = 0; i < 3; i++) {
        free(b->losses[i]);
        free(b->results[i]);
        free(b->statistics[i]);
    }
}

static int make_buffers(const verify_data_set *set, buffers *b)
{
    uint64_t elements = set->rows * set->classes;
    b->logits = malloc(elements * sizeof(float));
    b->swept = malloc(VERIFY_TEMPERATURES * elements * sizeof(float));
    b->swept_statistics = malloc(VERIFY_TEMPERATURES * set->rows * sizeof(clsoftmax_statistics));
    b->labels = malloc(set->rows * sizeof *b->labels);
    b->swept_losses = calloc(VERIFY_TEMPERATURES * set->rows, sizeof *b->swept_losses);
    b->operand = malloc(elements * sizeof *b->operand);
    int complete = b->operand && b->logits && b->swept && b->swept_statistics && b->labels && b->swept_losses;
    for (int i = 0; i < 3; i++) {
        b->results[i] = malloc(elements * sizeof(float));
        b->statistics[i] = malloc(set->rows * sizeof(clsoftmax_statistics));
        b->losses[i] = calloc(set->rows, sizeof *b->losses[i]);
        complete = complete && b->results[i] && b->statistics[i] && b->losses[i];
    }
    return complete;
}

/* Fills in labels all over the rows, one of them none. */
static void fill_labels(const verify_data_set *set, int64_t *labels)
{
    for (uint64_t row = 0; row < set->rows; row++)
        labels[row] = row % 5 == 4 ? -1 : (int64_t)(row * 7919 % set->classes);
}

/* The largest size of an operand. */
#define LARGEST_OPERAND 2.0

/* Fills in an operand: numbers of both signs and many sizes, and a row that has an infinite one. It is f32 whatever the
   logits are. */
static void fill_operand(const verify_data_set *set, float *operand)
{
    uint32_t state = 1;
    for (uint64_t i = 0; i < set->rows * set->classes; i++) {
        state = state * 1664525u + 1013904223u;
        operand[i] = ldexpf((float)(state >> 8) - 0x1p23f, -22 - (int)(i / set->classes % 3 * (state >> 5) % 30));
    }
    operand[set->rows * set->classes / 2] = set->rows > 4 ? INFINITY : 0;
}

/* Makes an operand one that is not negative: bounds of a derivative by T are known then. */
static void fill_sizes(const verify_data_set *set, float *operand)
{
    fill_operand(set, operand);
    for (uint64_t i = 0; i < set->rows * set->classes; i++)
        operand[i] = fabsf(operand[i]);
}

/* Returns where a class of a row stands in an array. */
static uint64_t place_of(const verify_data_set *set, const verify_case *c, uint64_t row, uint64_t class)
{
    return is_by_column(c) ? class * set->rows + row : row * set->classes + class;
}

/* Fills in a teacher's logits: those of the set with noise of many sizes, in every third row others of its kind, and in
   a row a NaN. */
static void fill_teacher(const verify_data_set *set, const verify_case *c, float *teacher)
{
    uint64_t same = set->rows * set->classes, other = same + 1;
    for (uint64_t row = 0; row < set->rows; row++)
        for (uint64_t i = 0; i < set->classes; i++) {
            const float x = set->generate(&same, row, i), y = set->generate(&other, row, i);
            teacher[place_of(set, c, row, i)] =
                row % 3 == 2 ? y : x + (isfinite(y) ? ldexpf(y, -(int)(row % 3 * 12)) * 0.1f : 0);
        }
    if (set->rows > 4)
        teacher[place_of(set, c, set->rows / 2, 0)] = NAN;
}

/* Fills in target probabilities: those of a row add up to 1, and have many sizes. A row has one that is negative. */
static void fill_targets(const verify_data_set *set, const verify_case *c, float *targets)
{
    fill_sizes(set, targets);
    for (uint64_t row = 0; row < set->rows; row++) {
        double sum = 0;
        for (uint64_t i = 0; i < set->classes; i++) {
            float *target = &targets[place_of(set, c, row, i)];
            *target = isfinite(*target) ? *target + 1e-6f : 1;
            sum += (double)*target;
        }
        for (uint64_t i = 0; i < set->classes; i++)
            targets[place_of(set, c, row, i)] /= (float)sum;
    }
    if (set->rows > 4)
        targets[place_of(set, c, set->rows / 2, 0)] = -0.5f;
}

/* Fills in what the operation has beside the logits. */
static void fill_any_operand(const verify_data_set *set, const verify_case *c, float *operand)
{
    if (clsoftmax_operation_has_teacher(c->operation))
        fill_teacher(set, c, operand);
    else if (clsoftmax_operation_has_targets(c->operation))
        fill_targets(set, c, operand);
    else if (c->operation == CLSOFTMAX_OPERATION_LOG_SOFTMAX_TEMPERATURE_GRADIENT)
        fill_sizes(set, operand);
    else
        fill_operand(set, operand);
}

/* Fills in the values of a set. 16-bit values are the upper halves of those of f32, which are patterns of every kind in
   any type. */
static void fill_logits(const verify_data_set *set, const verify_case *c, void *logits)
{
    uint64_t state = set->rows * set->classes;
    for (uint64_t row = 0; row < set->rows; row++)
        for (uint64_t i = 0; i < set->classes; i++) {
            float x = set->generate(&state, row, i);
            uint32_t bits;
            memcpy(&bits, &x, sizeof bits);
            const uint64_t at = place_of(set, c, row, i);
            if (clsoftmax_dtype_size(c->dtype) == sizeof x)
                ((float *)logits)[at] = x;
            else
                ((uint16_t *)logits)[at] = (uint16_t)(bits >> 16);
        }
}

/* Returns 1 if distillation is multiplied by T^2. Both is verified, with different sets. */
static int is_squared(const verify_data_set *set)
{
    return set->rows % 2 == 0;
}

static clsoftmax_problem problem_of(const verify_case *c, const verify_data_set *set)
{
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    problem.outer = is_by_column(c) ? 1 : set->rows;
    problem.classes = set->classes;
    problem.inner = is_by_column(c) ? set->rows : 1;
    problem.operation = c->operation;
    problem.logits_dtype = problem.results_dtype = c->dtype;
    problem.statistics = 1;
    problem.strategy = c->strategy;
    problem.accuracy = c->accuracy;
    problem.temperature_squared = is_squared(set);
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

static clsoftmax_status run_one(clsoftmax_context *context, const verify_case *c, const verify_data_set *set,
                                float temperature, const buffers *b, int device)
{
    clsoftmax_problem problem = problem_of(c, set);
    problem.strategy = device == 0 ? c->strategy : CLSOFTMAX_STRATEGY_AUTO;
    clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
    arguments.logits = b->logits;
    arguments.temperature = temperature;
    arguments.results = b->results[device];
    arguments.statistics = b->statistics[device];
    arguments.labels = b->labels;
    arguments.losses = b->losses[device];
    arguments.operand = b->operand;
    arguments.label_smoothing = 0.1f; /* for the operations that have it */
    arguments.teacher_share = 0.3f;
    return run_problem(context, &problem, &arguments);
}

/* Runs `count` temperatures at once on the device that is verified. */
static clsoftmax_status run_sweep(clsoftmax_context *context, const verify_case *c, const verify_data_set *set,
                                  const float *at, uint64_t count, const buffers *b)
{
    clsoftmax_problem problem = problem_of(c, set);
    problem.sweep = count;
    clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
    arguments.logits = b->logits;
    arguments.temperatures = at;
    arguments.results = b->swept;
    arguments.statistics = b->swept_statistics;
    arguments.labels = b->labels;
    arguments.losses = b->swept_losses;
    arguments.operand = b->operand;
    arguments.label_smoothing = 0.1f; /* for the operations that have it */
    arguments.teacher_share = 0.3f;
    return run_problem(context, &problem, &arguments);
}

/* Returns the number of results of a set: none if the operation gives rows only a loss, or statistics alone. */
static uint64_t results_of(const verify_case *c, const verify_data_set *set)
{
    return clsoftmax_operation_has_results(c->operation) ? set->rows * set->classes : 0;
}

/* Adds to the verdict how the sweep differs from cpu at its temperature t. */
static void compare_swept(const verify_case *c, const verify_data_set *set, const buffers *b, uint64_t t,
                          verdict *verdict)
{
    const uint64_t elements = set->rows * set->classes, results = results_of(c, set);
    const allowance none = {0, 0};
    compare(&verdict->with_cpu, c->dtype, (float *)b->swept + t * elements, b->results[1], results, none);
    const clsoftmax_problem problem = problem_of(c, set);
    compare_statistics(&verdict->with_cpu, &problem, b->swept_statistics + t * set->rows, b->statistics[1], set->rows);
    compare(&verdict->with_cpu, CLSOFTMAX_F32, b->swept_losses + t * set->rows, b->losses[1], set->rows, none);
}

/* Adds to the verdict how the device differs from cpu and from the reference. */
static void compare_devices(const verify_case *c, const verify_data_set *set, float temperature, const buffers *b,
                            verdict *verdict)
{
    const uint64_t results = results_of(c, set);
    const allowance none = {0, 0};
    compare(&verdict->with_cpu, c->dtype, b->results[0], b->results[1], results, none);
    const clsoftmax_problem problem = problem_of(c, set);
    compare_statistics(&verdict->with_cpu, &problem, b->statistics[0], b->statistics[1], set->rows);
    compare_statistics(&verdict->with_reference, &problem, b->statistics[0], b->statistics[2], set->rows);
    const double largest =
        clsoftmax_operation_has_teacher(c->operation) ? largest_loss(b->losses[2], set->rows) : LARGEST_OPERAND;
    const allowance allowed = allowed_error(&problem, (double)temperature, largest);
    compare(&verdict->with_reference, c->dtype, b->results[0], b->results[2], results, allowed);
    compare(&verdict->with_cpu, CLSOFTMAX_F32, b->losses[0], b->losses[1], set->rows, none);
    compare(&verdict->with_reference, CLSOFTMAX_F32, b->losses[0], b->losses[2], set->rows,
            allowed_loss_error(&problem, (double)temperature, LARGEST_OPERAND));
}

static clsoftmax_status run_and_compare(clsoftmax_context *contexts[3], const verify_case *c,
                                        const verify_data_set *set, const buffers *b, verdict *verdict)
{
    static const float large_at[] = {1};
    int is_large = set->rows * set->classes > LARGE, sweeps = c->dtype == CLSOFTMAX_F32;
    const float *at = is_large ? large_at : verify_temperatures;
    uint64_t count = is_large ? 1 : VERIFY_TEMPERATURES;
    if (clsoftmax_operation_has_teacher(c->operation) && is_squared(set) && !is_large)
        count -= VERIFY_OVERFLOWING;
    fill_logits(set, c, b->logits);
    fill_labels(set, b->labels);
    fill_any_operand(set, c, b->operand);
    clsoftmax_status status = sweeps ? run_sweep(contexts[0], c, set, at, count, b) : CLSOFTMAX_OK;
    for (uint64_t t = 0; t < count; t++) {
        for (int i = 0; i < 3 && status == CLSOFTMAX_OK; i++)
            status = run_one(contexts[i], c, set, at[t], b, i);
        if (status != CLSOFTMAX_OK)
            return status;
        compare_devices(c, set, at[t], b, verdict);
        if (sweeps)
            compare_swept(c, set, b, t, verdict);
    }
    return CLSOFTMAX_OK;
}

/* Adds what a data set shows to a verdict. EXIT_DONE, or another status after a complaint. */
static int verify_data(clsoftmax_context *contexts[3], const verify_case *c, const verify_data_set *set,
                       verdict *verdict)
{
    buffers b = {.logits = NULL};
    int is_complete = make_buffers(set, &b);
    clsoftmax_status status = is_complete ? run_and_compare(contexts, c, set, &b, verdict) : CLSOFTMAX_OK;
    release_buffers(&b);
    COMPLAIN_IF(!is_complete, EXIT_FAILED, "verify: no memory");
    return status == CLSOFTMAX_OK ? EXIT_DONE : complain_library(clsoftmax_strategy_name(c->strategy), status);
}

/* Returns 1 if the device keeps the promise, as far as a verdict shows. */
static int is_kept(clsoftmax_context *device, const verify_case *c, const verdict *verdict)
{
    const clsoftmax_problem problem = {.operation = c->operation, .accuracy = c->accuracy, .results_dtype = c->dtype};
    int is_reference = clsoftmax_context_device(device)->type == CLSOFTMAX_DEVICE_REFERENCE;
    return verdict->with_reference.worst_ulp <= allowed_ulp(&problem) && verdict->with_reference.beyond == 0 &&
           (verdict->with_cpu.different == 0 || is_reference);
}

/* Prints a line of the table; `failed` is the first data set that shows a fault, or NULL. */
static void print_case(const verify_case *c, const verdict *verdict, const verify_data_set *failed)
{
    printf("%-8s %-33s %-5s %-8s %10llu %16llu %17llu   ", clsoftmax_strategy_name(c->strategy),
           clsoftmax_operation_name(c->operation), clsoftmax_dtype_name(c->dtype), clsoftmax_accuracy_name(c->accuracy),
           (unsigned long long)verdict->with_cpu.values, (unsigned long long)verdict->with_cpu.different,
           (unsigned long long)verdict->with_reference.worst_ulp);
    if (failed)
        printf("FAILED%s: %s, %llux%llu\n", verdict->with_reference.beyond ? " (statistics)" : "", failed->name,
               (unsigned long long)failed->rows, (unsigned long long)failed->classes);
    else
        puts("passed");
}

/* Verifies and prints a line of the table; *holds becomes 0 if the case does not keep the promise. EXIT_DONE, or
   another status after a complaint. */
static int verify_one(clsoftmax_context *contexts[3], const verify_case *c, int *holds)
{
    verdict verdict = {{0}, {0}};
    const verify_data_set *failed = NULL;
    int is_main = c->operation == CLSOFTMAX_OPERATION_SOFTMAX && c->dtype == CLSOFTMAX_F32;
    for (int i = 0; i < VERIFY_DATA_SETS; i++) {
        const verify_data_set *set = &verify_data_sets[i];
        if (!is_main && set->rows * set->classes > LARGE)
            continue;
        FORWARD(verify_data(contexts, c, set, &verdict));
        if (!failed && !is_kept(contexts[0], c, &verdict))
            failed = set;
    }
    print_case(c, &verdict, failed);
    *holds = *holds && !failed;
    return finish_output(stdout); /* while errno is that of this line */
}

static int verify_operation(clsoftmax_context *contexts[3], clsoftmax_strategy strategy, clsoftmax_operation operation,
                            int *holds)
{
    const verify_case fast = {strategy, operation, CLSOFTMAX_F32, CLSOFTMAX_ACCURACY_FAST};
    for (int dtype = 0; dtype < CLSOFTMAX_DTYPE_COUNT; dtype++) {
        verify_case c = {strategy, operation, (clsoftmax_dtype)dtype, CLSOFTMAX_ACCURACY_FAITHFUL};
        FORWARD(verify_one(contexts, &c, holds));
    }
    return verify_one(contexts, &fast, holds);
}

/* Verifies an operation of a strategy in every dtype and, in f32, with either accuracy, or for NONE every operation; of
   `column` then also statistics alone, for which its columns are temperatures. */
static int verify_strategy(clsoftmax_context *contexts[3], clsoftmax_strategy strategy, clsoftmax_operation only,
                           int *holds)
{
    const verify_case statistics_alone = {strategy, CLSOFTMAX_OPERATION_NONE, CLSOFTMAX_F32,
                                          CLSOFTMAX_ACCURACY_FAITHFUL};
    if (only != CLSOFTMAX_OPERATION_NONE)
        return verify_operation(contexts, strategy, only, holds);
    if (strategy == CLSOFTMAX_STRATEGY_COLUMN)
        FORWARD(verify_one(contexts, &statistics_alone, holds));
    for (clsoftmax_operation operation = CLSOFTMAX_OPERATION_NONE; ++operation < CLSOFTMAX_OPERATION_COUNT;)
        FORWARD(verify_operation(contexts, strategy, operation, holds));
    return EXIT_DONE;
}

/* Prints the table: of one strategy, or, for AUTO, of every strategy that the device has. */
static int verify_strategies(clsoftmax_context *contexts[3], const verify_options *options, int *holds)
{
    const clsoftmax_strategy only = options->strategy;
    const clsoftmax_device *device = clsoftmax_context_device(contexts[0]);
    printf("device %s: %s%s%s\n", device->selector, device->name, device->platform[0] ? ", " : "", device->platform);
    printf("%-8s %-33s %-5s %-8s %10s %16s %17s\n", "strategy", "operation", "dtype", "accuracy", "values",
           "bits unlike cpu", "ULP to reference");
    FORWARD(finish_output(stdout));
    for (clsoftmax_strategy strategy = CLSOFTMAX_STRATEGY_AUTO; ++strategy < CLSOFTMAX_STRATEGY_COUNT;)
        if (only == CLSOFTMAX_STRATEGY_AUTO ? clsoftmax_strategy_supported(contexts[0], strategy) : only == strategy)
            FORWARD(verify_strategy(contexts, strategy, options->operation, holds));
    return EXIT_DONE;
}

/* Prints the table and the verdict. */
static int verify_device(clsoftmax_context *contexts[3], const verify_options *options)
{
    const clsoftmax_device *device = clsoftmax_context_device(contexts[0]);
    int holds = 1, is_inexact = !device->exact && device->type != CLSOFTMAX_DEVICE_REFERENCE;
    FORWARD(verify_strategies(contexts, options, &holds));
    holds = holds && !is_inexact;
    printf("%s: %s\n", device->selector, holds ? "the promise holds on this data" : "FAILED");
    FORWARD(finish_output(stdout));
    COMPLAIN_IF(is_inexact, EXIT_FAILED, "verify: %s", device->reason);
    return holds ? EXIT_DONE : EXIT_FAILED;
}

static int open_and_verify(const verify_options *options, clsoftmax_context *contexts[3])
{
    FORWARD(open_context(options->device, &contexts[0]));
    FORWARD(open_context("cpu", &contexts[1]));
    FORWARD(open_context("reference", &contexts[2]));
    return verify_device(contexts, options);
}

int command_verify(int argc, char **argv)
{
    verify_options options = {NULL, CLSOFTMAX_STRATEGY_AUTO, CLSOFTMAX_OPERATION_NONE};
    clsoftmax_context *contexts[3] = {NULL, NULL, NULL};
    FORWARD(options_parse(&table, argc, argv, &options));
    FORWARD(options_refuse_operands(argc, argv));
    int status = open_and_verify(&options, contexts);
    for (int i = 0; i < 3; i++)
        clsoftmax_context_release(contexts[i]);
    return status;
}
