/*
 * bench-sweep: times a sweep against as many separate runs, in turns in one process, after a check that their bits are
 * the same. docs/experiments.md quotes it.
 *
 *     bench-sweep [DEVICE [ROWS CLASSES [TEMPERATURES [OPERATION [STRATEGY]]]]]
 *
 * By default: cpu, 4096 x 1000, 64 temperatures from 0.01 to 100, and "none", which is statistics alone. Prints one
 * line of JSON.
 */
#include "clsoftmax/clsoftmax.h"
#include "samples.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 7 };

typedef struct sweep {
    clsoftmax_problem problem; /* of a separate run */
    uint64_t count;            /* of temperatures */
    float *logits, *temperatures;
    float *results[2]; /* of the sweep and of the separate runs; NULL for statistics alone */
    clsoftmax_statistics *statistics[2];
    clsoftmax_plan *sweep, *one;
} sweep;

static void die(const char *what)
{
    fprintf(stderr, "bench-sweep: %s\n", what);
    exit(2);
}

static void need(clsoftmax_status status)
{
    if (status != CLSOFTMAX_OK)
        die(clsoftmax_last_error());
}

/* Allocates memory and touches its pages, so that no round does. */
static void *allocate(uint64_t count, size_t size)
{
    void *memory = aligned_alloc(64, (size_t)(count * size + 63) / 64 * 64);
    if (!memory)
        die("no memory");
    memset(memory, 0, (size_t)(count * size));
    return memory;
}

/* Makes all arrays. The logits are from -10 to 10, and the same in every run. */
static void make_arrays(sweep *s)
{
    uint64_t elements = s->problem.outer * s->problem.classes, all = elements * s->count;
    uint32_t state = 1;
    s->logits = allocate(elements, sizeof *s->logits);
    for (uint64_t i = 0; i < elements; i++) {
        state = state * 1664525u + 1013904223u;
        s->logits[i] = (float)(state >> 8) * (20.0f / 16777216) - 10;
    }
    s->temperatures = allocate(s->count, sizeof *s->temperatures);
    for (uint64_t k = 0; k < s->count; k++)
        s->temperatures[k] = powf(10, -2 + 4 * (float)k / (float)s->count);
    for (int i = 0; i < 2; i++) {
        s->results[i] = s->problem.operation == CLSOFTMAX_OPERATION_NONE ? NULL : allocate(all, sizeof(float));
        s->statistics[i] = allocate(s->problem.outer * s->count, sizeof(clsoftmax_statistics));
    }
}

static void release(sweep *s)
{
    clsoftmax_plan_release(s->sweep);
    clsoftmax_plan_release(s->one);
    free(s->logits);
    free(s->temperatures);
    for (int i = 0; i < 2; i++) {
        free(s->results[i]);
        free(s->statistics[i]);
    }
}

static double run_sweep(const sweep *s)
{
    clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
    arguments.logits = s->logits;
    arguments.temperatures = s->temperatures;
    arguments.results = s->results[0];
    arguments.statistics = s->statistics[0];
    double begin = now();
    need(clsoftmax_plan_run(s->sweep, &arguments));
    return now() - begin;
}

static double run_separately(const sweep *s)
{
    uint64_t elements = s->problem.outer * s->problem.classes;
    clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
    arguments.logits = s->logits;
    double begin = now();
    for (uint64_t k = 0; k < s->count; k++) {
        arguments.temperature = s->temperatures[k];
        arguments.results = s->results[1] ? s->results[1] + k * elements : NULL;
        arguments.statistics = s->statistics[1] + k * s->problem.outer;
        need(clsoftmax_plan_run(s->one, &arguments));
    }
    return now() - begin;
}

static int are_equal(const sweep *s)
{
    uint64_t records = s->problem.outer * s->count;
    return memcmp(s->statistics[0], s->statistics[1], (size_t)records * sizeof(clsoftmax_statistics)) == 0 &&
           (!s->results[0] ||
            memcmp(s->results[0], s->results[1], (size_t)(records * s->problem.classes) * sizeof(float)) == 0);
}

static void report(const sweep *s, const clsoftmax_context *context, const samples *swept, const samples *separate)
{
    summary a = samples_summary(swept), b = samples_summary(separate);
    double values = (double)(s->problem.outer * s->problem.classes * s->count);
    printf("{\"device\": \"%s\", \"rows\": %llu, \"classes\": %llu, \"temperatures\": %llu, \"operation\": \"%s\", "
           "\"commit\": \"%s\", \"sweep_ns\": %.4f, \"separate_ns\": %.4f, \"sweep_of_separate\": %.3f, "
           "\"sweep_spread\": %.3f, \"separate_spread\": %.3f, \"plan\": \"%s\"}\n",
           clsoftmax_context_device(context)->name, (unsigned long long)s->problem.outer,
           (unsigned long long)s->problem.classes, (unsigned long long)s->count,
           clsoftmax_operation_name(s->problem.operation), CLSOFTMAX_COMMIT, a.median / values * 1e9,
           b.median / values * 1e9, a.median / b.median, a.spread, b.spread, clsoftmax_plan_description(s->sweep));
}

/* Finds an operation by its name. The library refuses the number that stands for none. */
static clsoftmax_operation operation_of(const char *name)
{
    clsoftmax_operation operation = CLSOFTMAX_OPERATION_NONE;
    while (operation < CLSOFTMAX_OPERATION_COUNT && strcmp(name, clsoftmax_operation_name(operation)) != 0)
        operation++;
    return operation;
}

static clsoftmax_strategy strategy_of(const char *name)
{
    clsoftmax_strategy strategy = CLSOFTMAX_STRATEGY_AUTO;
    while (strategy < CLSOFTMAX_STRATEGY_COUNT && strcmp(name, clsoftmax_strategy_name(strategy)) != 0)
        strategy++;
    return strategy;
}

int main(int argc, char **argv)
{
    clsoftmax_context *context = NULL;
    const clsoftmax_problem initial = CLSOFTMAX_PROBLEM_INIT;
    sweep s = {.problem = initial};
    s.problem.outer = argc > 3 ? strtoull(argv[2], NULL, 10) : 4096;
    s.problem.classes = argc > 3 ? strtoull(argv[3], NULL, 10) : 1000;
    s.count = argc > 4 ? strtoull(argv[4], NULL, 10) : 64;
    s.problem.operation = operation_of(argc > 5 ? argv[5] : "none");
    s.problem.statistics = 1;
    if (s.problem.outer == 0 || s.count == 0)
        die("rows and temperatures are numbers from 1 on");
    need(clsoftmax_context_create(argc > 1 ? argv[1] : "cpu", &context));
    clsoftmax_problem swept = s.problem;
    swept.sweep = s.count;
    swept.strategy = strategy_of(argc > 6 ? argv[6] : "auto");
    need(clsoftmax_plan_create(context, &swept, &s.sweep));
    need(clsoftmax_plan_create(context, &s.problem, &s.one));
    make_arrays(&s);
    run_sweep(&s);
    run_separately(&s);
    if (!are_equal(&s))
        die("the bits differ");
    samples sweeps = {0}, separate = {0};
    for (int round = 0; round < ROUNDS; round++)
        if (!samples_add(&sweeps, run_sweep(&s)) || !samples_add(&separate, run_separately(&s)))
            die("no memory");
    report(&s, context, &sweeps, &separate);
    samples_release(&sweeps);
    samples_release(&separate);
    release(&s);
    clsoftmax_context_release(context);
    return 0;
}
