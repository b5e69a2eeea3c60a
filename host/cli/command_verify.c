/* clsoftmax verify: does this device keep the promise? */
#include "cli.h"
#include "compare.h"

#include <getopt.h>
#include <math.h>
#include <stdlib.h>

static const char help[] =
    "usage: clsoftmax verify [-d DEVICE]\n"
    "\n"
    "Runs every strategy of a device on built-in data, at temperatures from 0 to inf, and compares the bits with those "
    "of\n"
    "the CPU path and the values with double precision. Exit status 1 if a bit differs, if a value is more than 1 ULP "
    "from\n"
    "the reference, or if the device cannot promise (no subnormals, not of the full profile).\n"
    "\n"
    "options:\n"
    "  -d, --device DEVICE   auto (default), cpu, P:D, or part of a device's name; also CLSOFTMAX_DEVICE\n"
    "\n"
    "example:\n"
    "  clsoftmax verify -d 0:0\n";

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
    static const float values[] = {NAN, INFINITY, -INFINITY};
    float x = moderate(state, row, i);
    if (row % 4 == 2)
        return -INFINITY; /* nothing but masks */
    return row % 4 < 3 && i == row ? values[row % 4] : x;
}

typedef struct data_set {
    const char *name;
    generator *generate;
    uint64_t rows, classes;
} data_set;

static const data_set data_sets[] = {
    {"moderate", moderate, 33, 10},           {"moderate", moderate, 7, 1000}, {"moderate", moderate, 3, 50257},
    {"far from zero", far_from_zero, 5, 257}, {"ties", ties, 9, 4097},         {"masked", masked, 6, 127},
    {"NaN, inf, all masked", special, 8, 31}, {"one class", moderate, 4, 1},
};
static const float temperatures[] = {0, 1e-30f, 0.07f, 0.7f, 1, 3.05f, 100, 1e30f, INFINITY};

enum { DATA_SETS = sizeof data_sets / sizeof *data_sets, TEMPERATURES = sizeof temperatures / sizeof *temperatures };

/* ---------------------------------------------------------------- Comparing */

typedef struct verdict {
    comparison with_cpu, with_reference;
} verdict;

static clsoftmax_status run_plan(clsoftmax_context *context, const clsoftmax_problem *problem, const float *logits,
                                 float temperature, float *p)
{
    clsoftmax_plan *plan = NULL;
    clsoftmax_status status = clsoftmax_plan_create(context, problem, &plan);
    if (status == CLSOFTMAX_OK)
        status = clsoftmax_plan_run(plan, logits, temperature, p);
    clsoftmax_plan_release(plan);
    return status;
}

/* One data set at all temperatures. buffers: logits and three results, rows * classes values each. */
static clsoftmax_status verify_data_set(clsoftmax_context *contexts[3], clsoftmax_strategy strategy,
                                        const data_set *set, float *buffers, verdict *verdict)
{
    uint64_t elements = set->rows * set->classes, state = elements;
    float *logits = buffers, *results[3] = {buffers + elements, buffers + 2 * elements, buffers + 3 * elements};
    for (uint64_t i = 0; i < elements; i++)
        logits[i] = set->generate(&state, i / set->classes, i % set->classes);
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    problem.rows = set->rows;
    problem.classes = set->classes;
    for (int t = 0; t < TEMPERATURES; t++) {
        for (int i = 0; i < 3; i++) {
            problem.strategy = i == 0 ? strategy : CLSOFTMAX_STRATEGY_AUTO;
            clsoftmax_status status = run_plan(contexts[i], &problem, logits, temperatures[t], results[i]);
            if (status != CLSOFTMAX_OK)
                return status;
        }
        compare(&verdict->with_cpu, results[0], results[1], elements);
        compare(&verdict->with_reference, results[0], results[2], elements);
    }
    return CLSOFTMAX_OK;
}

/* A line of the table; EXIT_FAILED if the strategy does not keep the promise. */
static int verify_strategy(clsoftmax_context *contexts[3], clsoftmax_strategy strategy)
{
    verdict verdict = {{0}, {0}};
    for (int i = 0; i < DATA_SETS; i++) {
        float *buffers = malloc(4 * data_sets[i].rows * data_sets[i].classes * sizeof(float));
        if (!buffers)
            return complain(EXIT_FAILED, "verify: no memory");
        clsoftmax_status status = verify_data_set(contexts, strategy, &data_sets[i], buffers, &verdict);
        free(buffers);
        if (status != CLSOFTMAX_OK)
            return complain_library(clsoftmax_strategy_name(strategy), status);
    }
    int is_reference = clsoftmax_context_device(contexts[0])->type == CLSOFTMAX_DEVICE_REFERENCE;
    int passed = verdict.with_reference.worst_ulp <= 1 && (verdict.with_cpu.different == 0 || is_reference);
    printf("%-10s %-16s %10llu %18llu %18llu   %s\n", clsoftmax_strategy_name(strategy), "softmax f32->f32",
           (unsigned long long)verdict.with_cpu.values, (unsigned long long)verdict.with_cpu.different,
           (unsigned long long)verdict.with_reference.worst_ulp, passed ? "passed" : "FAILED");
    return passed ? EXIT_DONE : EXIT_FAILED;
}

static int verify_device(clsoftmax_context *contexts[3])
{
    const clsoftmax_device *device = clsoftmax_context_device(contexts[0]);
    printf("device %s: %s%s%s\n", device->selector, device->name, device->platform[0] ? ", " : "", device->platform);
    printf("%-10s %-16s %10s %18s %18s\n", "strategy", "operation", "values", "bits unlike cpu", "ULP to reference");
    int exit_status = EXIT_DONE;
    for (clsoftmax_strategy strategy = CLSOFTMAX_STRATEGY_AUTO; ++strategy < CLSOFTMAX_STRATEGY_COUNT;)
        if (clsoftmax_strategy_supported(contexts[0], strategy) && verify_strategy(contexts, strategy) != EXIT_DONE)
            exit_status = EXIT_FAILED;
    if (!device->exact && device->type != CLSOFTMAX_DEVICE_REFERENCE)
        exit_status = complain(EXIT_FAILED, "verify: %s", device->reason);
    printf("%s: %s\n", device->selector, exit_status == EXIT_DONE ? "the promise holds on this data" : "FAILED");
    return fflush(stdout) == 0 ? exit_status : EXIT_FAILED;
}

int command_verify(int argc, char **argv)
{
    static const struct option long_options[] = {
        {"device", required_argument, NULL, 'd'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    const char *selector = NULL;
    for (int option; (option = next_option(argc, argv, ":d:h", long_options)) != -1;) {
        if (option == 'd') {
            selector = optarg;
        } else if (option == 'h') {
            fputs(help, stdout);
            return EXIT_DONE;
        } else {
            return EXIT_WRONG;
        }
    }
    if (optind < argc)
        return complain(EXIT_WRONG, "%s: verify takes no such argument; see clsoftmax verify --help", argv[optind]);
    clsoftmax_context *contexts[3] = {NULL, NULL, NULL};
    int status = open_device(selector, &contexts[0]);
    if (status == EXIT_DONE)
        status = open_device("cpu", &contexts[1]);
    if (status == EXIT_DONE)
        status = open_device("reference", &contexts[2]);
    if (status == EXIT_DONE)
        status = verify_device(contexts);
    for (int i = 0; i < 3; i++)
        clsoftmax_context_release(contexts[i]);
    return status;
}
