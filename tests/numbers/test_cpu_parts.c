/* Rows that all threads of cpu compute together, cut into parts. The oracle is one thread, which computes whole rows:
   the bits must be the same, whatever the number of threads, in every layout, type and operation. test_digest.c and
   digest.c show that those bits are right; cli/builds.bats plants faults that digest.c sees. */
#include "support/device.h"
#include "support/dtype_values.h"
#include "support/fill.h"
#include "support/random.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONG = (1 << 17) + 7, THREE_LEVELS = (1 << 18) + 9, MOST_ROWS = 5, MOST_TEMPERATURES = 40 };

typedef struct parts_case {
    const char *what;
    uint64_t outer, classes, inner, sweep;
    clsoftmax_operation operation;
    clsoftmax_dtype logits, results;
    fill data;
    int statistics, per_row, in_place, gap; /* gap: 1: nothing begins where a cache line does */
    clsoftmax_strategy strategy;
} parts_case;

#define SOFTMAX CLSOFTMAX_OPERATION_SOFTMAX
#define LOGARITHMS CLSOFTMAX_OPERATION_LOG_SOFTMAX
#define NOTHING CLSOFTMAX_OPERATION_NONE
#define F32 CLSOFTMAX_F32
#define F16 CLSOFTMAX_F16
#define BF16 CLSOFTMAX_BF16
#define AUTO CLSOFTMAX_STRATEGY_AUTO
#define ITEM CLSOFTMAX_STRATEGY_ITEM

static const parts_case cases[] = {
    {"one row", 1, LONG, 1, 0, SOFTMAX, F32, F32, FILL_NARROW, 0, 0, 0, 0, AUTO},
    {"one wide row", 1, LONG, 1, 0, SOFTMAX, F32, F32, FILL_WIDE, 1, 0, 0, 0, AUTO},
    {"two rows", 2, LONG, 1, 0, SOFTMAX, F32, F32, FILL_MASKED, 1, 0, 0, 1, AUTO},
    {"three rows with their own temperatures", 3, LONG, 1, 0, SOFTMAX, F32, F32, FILL_OFFSET, 1, 1, 0, 0, AUTO},
    {"five rows in place", 5, LONG, 1, 0, SOFTMAX, F32, F32, FILL_NARROW, 1, 0, 1, 1, AUTO},
    {"logarithms", 1, LONG, 1, 0, LOGARITHMS, F32, F32, FILL_WIDE, 1, 0, 0, 1, AUTO},
    {"logarithms in place", 3, LONG, 1, 0, LOGARITHMS, F32, F32, FILL_PEAK, 0, 0, 1, 0, AUTO},
    {"statistics alone", 3, LONG, 1, 0, NOTHING, F32, F32, FILL_MASKED, 1, 1, 0, 0, AUTO},
    {"f16", 1, LONG, 1, 0, SOFTMAX, F16, F16, FILL_NARROW, 1, 0, 0, 1, AUTO},
    {"bf16 in place", 3, LONG, 1, 0, SOFTMAX, BF16, BF16, FILL_NARROW, 1, 0, 1, 0, AUTO},
    {"f32 to f16", 2, LONG, 1, 0, LOGARITHMS, F32, F16, FILL_WIDE, 0, 0, 0, 1, AUTO},
    {"rows of equal logits", 1, LONG, 1, 0, SOFTMAX, F32, F32, FILL_FLAT, 1, 0, 0, 0, AUTO},
    {"any bits", 3, LONG, 1, 0, SOFTMAX, F32, F32, FILL_PATTERN, 1, 0, 0, 0, AUTO},
    {"three levels", 1, THREE_LEVELS, 1, 0, SOFTMAX, F32, F32, FILL_NARROW, 1, 0, 0, 0, AUTO},
    {"three levels, logarithms", 3, THREE_LEVELS, 1, 0, LOGARITHMS, F32, F32, FILL_NARROW, 0, 0, 0, 1, AUTO},
    {"more than the rooms hold", 1, 1200007, 1, 0, SOFTMAX, F32, F32, FILL_NARROW, 0, 0, 0, 1, AUTO},
    {"results past the caches", 1, 8400001, 1, 0, SOFTMAX, F32, F32, FILL_NARROW, 0, 0, 0, 1, AUTO},
    {"rows side by side", 1, LONG, 3, 0, SOFTMAX, F32, F32, FILL_NARROW, 1, 0, 0, 1, ITEM},
    {"rows side by side in place", 1, LONG, 2, 0, SOFTMAX, F16, F16, FILL_NARROW, 1, 1, 1, 0, ITEM},
    {"a sweep of one row", 1, LONG, 1, 3, SOFTMAX, F32, F32, FILL_NARROW, 1, 0, 0, 0, AUTO},
    {"a sweep of three rows", 3, LONG, 1, 3, SOFTMAX, F32, F32, FILL_MASKED, 1, 0, 0, 1, AUTO},
    {"a sweep's logarithms", 1, LONG, 1, 5, LOGARITHMS, F32, F32, FILL_WIDE, 1, 0, 0, 0, AUTO},
    {"a sweep in ranges of temperatures", 2, 5003, 1, 40, SOFTMAX, F32, F32, FILL_NARROW, 1, 0, 0, 1, AUTO},
    {"shares of several ranges", 3, 2050, 1, 40, SOFTMAX, F32, F32, FILL_WIDE, 1, 0, 0, 0, AUTO},
    {"a sweep's statistics", 1, THREE_LEVELS, 1, 2, NOTHING, BF16, F32, FILL_NARROW, 1, 0, 0, 0, AUTO},
};

/* The arrays of a case, as bytes. */
typedef struct arrays {
    void *logits, *results;
    size_t logits_bytes, results_bytes, records;
    clsoftmax_statistics *statistics;
    float temperatures[MOST_TEMPERATURES];
    int64_t labels[MOST_ROWS];
} arrays;

static clsoftmax_problem problem_of(const parts_case *c)
{
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    const uint64_t row = c->classes * c->inner + 3 * (uint64_t)c->gap;
    problem.outer = c->outer;
    problem.classes = c->classes;
    problem.inner = c->inner;
    problem.operation = c->operation;
    problem.logits_dtype = c->logits;
    problem.results_dtype = c->results;
    problem.statistics = c->statistics;
    problem.temperature_per_row = c->per_row;
    problem.sweep = c->sweep;
    problem.sweep_stride = c->sweep > 0 ? c->outer * row + 5 : 0;
    problem.strategy = c->strategy;
    problem.neg_inf_rows = c->data == FILL_MASKED ? CLSOFTMAX_NEG_INF_ROWS_UNIFORM : CLSOFTMAX_NEG_INF_ROWS_NAN;
    problem.pos_inf =
        c->data == FILL_PATTERN || c->data == FILL_MASKED ? CLSOFTMAX_POS_INF_LIMIT : CLSOFTMAX_POS_INF_NAN;
    problem.logits_layout = problem.results_layout = (clsoftmax_layout){(uint64_t)c->gap, row, c->inner, 1};
    return problem;
}

/* Writes the logits of the case. The second row gets +inf in its last class, and the third a NaN. */
static void put_logits(const parts_case *c, float *values, void *logits)
{
    const clsoftmax_problem p = problem_of(c);
    uint64_t random = c->classes + c->data;
    for (uint64_t row = 0; row < c->outer * c->inner; row++) {
        fill_matrix(c->data, &random, 0.7f, 1, c->classes, values);
        if (row == 1)
            values[c->classes - 1] = INFINITY;
        if (row == 2)
            values[c->classes / 2] = NAN;
        const uint64_t begin = p.logits_layout.offset + row / c->inner * p.logits_layout.outer_stride + row % c->inner;
        for (uint64_t i = 0; i < c->classes; i++)
            put_value(logits, c->logits, begin + i * c->inner, values[i]);
    }
}

static arrays make_arrays(const parts_case *c)
{
    const clsoftmax_problem p = problem_of(c);
    const uint64_t temperatures = c->sweep > 0 ? c->sweep : 1;
    const uint64_t span = c->outer * p.logits_layout.outer_stride + 16;
    arrays a = {.logits_bytes = span * clsoftmax_dtype_size(c->logits),
                .results_bytes = (span + temperatures * p.sweep_stride) * clsoftmax_dtype_size(c->results),
                .records = c->outer * c->inner * temperatures};
    float *values = malloc(c->classes * sizeof *values);
    a.logits = calloc(1, a.logits_bytes);
    a.results = calloc(1, a.results_bytes);
    a.statistics = calloc(a.records, sizeof *a.statistics);
    cr_assert(values && a.logits && a.results && a.statistics);
    put_logits(c, values, a.logits);
    free(values);
    for (unsigned k = 0; k < MOST_TEMPERATURES; k++)
        a.temperatures[k] = c->sweep == 0 && k == 1 ? -1.0f : 0.4f + 0.3f * (float)k; /* the second one is invalid */
    for (unsigned k = 0; k < MOST_ROWS; k++)
        a.labels[k] = k == 3 ? -1 : (int64_t)(c->classes / (k + 1)) - 1;
    return a;
}

static void release(arrays *a)
{
    free(a->logits);
    free(a->results);
    free(a->statistics);
}

/* Computes the case with a number of threads. Returns the number of rows with an invalid temperature. */
static uint64_t compute(const parts_case *c, const char *threads, clsoftmax_accuracy accuracy, float temperature,
                        arrays *a)
{
    setenv("CLSOFTMAX_THREADS", threads, 1);
    clsoftmax_context *context = test_open("cpu");
    clsoftmax_problem problem = problem_of(c);
    clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
    problem.accuracy = accuracy;
    uint64_t invalid = 77;
    arguments.logits = a->logits;
    arguments.results = c->in_place ? a->logits : a->results;
    arguments.temperature = temperature;
    arguments.temperatures = c->per_row || c->sweep > 0 ? a->temperatures : NULL;
    arguments.labels = a->labels;
    arguments.statistics = a->statistics;
    arguments.invalid_rows = &invalid;
    test_call(context, &problem, &arguments);
    clsoftmax_context_release(context);
    return invalid;
}

/* Runs every case with one thread and with others, at a temperature that scales logits and at 1, at which rows take the
   short way, and once with the lean core. */
Test(cpu_parts, bits_of_whole_rows, .timeout = 600)
{
    static const char *const threads[] = {"2", "7", "3", "7"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const parts_case *c = &cases[i];
        for (size_t k = 0; k < sizeof threads / sizeof *threads; k++) {
            const float temperature = (i + k) % 2 ? 1.0f : 0.7f;
            const clsoftmax_accuracy accuracy = k == 1 ? CLSOFTMAX_ACCURACY_FAST : CLSOFTMAX_ACCURACY_FAITHFUL;
            arrays expected = make_arrays(c), found = make_arrays(c);
            const uint64_t wanted = compute(c, "1", accuracy, temperature, &expected);
            cr_expect_eq(compute(c, threads[k], accuracy, temperature, &found), wanted, "%s, %s threads", c->what,
                         threads[k]);
            cr_expect_eq(wanted, c->per_row ? 1u : 0u, "%s", c->what);
            cr_expect(memcmp(found.logits, expected.logits, found.logits_bytes) == 0 &&
                          memcmp(found.results, expected.results, found.results_bytes) == 0,
                      "%s, %s threads: results", c->what, threads[k]);
            cr_expect(memcmp(found.statistics, expected.statistics, found.records * sizeof *found.statistics) == 0,
                      "%s, %s threads: statistics", c->what, threads[k]);
            release(&expected);
            release(&found);
        }
    }
}

/* Runs a plan again and again, as threads come in every order. */
Test(cpu_parts, many_calls, .timeout = 300)
{
    const parts_case c = {"many calls", 1, LONG, 1, 0, SOFTMAX, F32, F32, FILL_NARROW, 1, 0, 0, 0, AUTO};
    arrays expected = make_arrays(&c), found = make_arrays(&c);
    compute(&c, "1", CLSOFTMAX_ACCURACY_FAITHFUL, 0.7f, &expected);
    setenv("CLSOFTMAX_THREADS", "3", 1);
    clsoftmax_context *context = test_open("cpu");
    const clsoftmax_problem problem = problem_of(&c);
    clsoftmax_plan *plan = test_plan(context, &problem);
    clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
    arguments.logits = found.logits;
    arguments.results = found.results;
    arguments.temperature = 0.7f;
    arguments.labels = found.labels;
    arguments.statistics = found.statistics;
    unsigned wrong = 0;
    for (unsigned call = 0; call < 200; call++) {
        memset(found.results, 0, found.results_bytes);
        cr_assert_eq(clsoftmax_plan_run(plan, &arguments), CLSOFTMAX_OK, "%s", clsoftmax_last_error());
        wrong += memcmp(found.results, expected.results, found.results_bytes) != 0;
        wrong += memcmp(found.statistics, expected.statistics, sizeof *found.statistics) != 0;
    }
    cr_expect_eq(wrong, 0u, "%u of 200 calls", wrong);
    clsoftmax_plan_release(plan);
    clsoftmax_context_release(context);
    release(&expected);
    release(&found);
}

/* Returns what the plan's description says of a matrix with seven threads. */
static int says(uint64_t rows, uint64_t classes, const char *text)
{
    setenv("CLSOFTMAX_THREADS", "7", 1);
    clsoftmax_context *context = test_open("cpu");
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    problem.outer = rows;
    problem.classes = classes;
    clsoftmax_plan *plan = test_plan(context, &problem);
    const int found = strstr(clsoftmax_plan_description(plan), text) != NULL;
    clsoftmax_plan_release(plan);
    clsoftmax_context_release(context);
    return found;
}

/* Reads which rows are cut from the descriptions of plans. */
Test(cpu_parts, described)
{
    cr_expect(says(1, 1000000, "; 1 row in 109 parts, which all threads compute together"));
    cr_expect(says(9, 1000000, "; 2 rows in 109 parts, "));
    cr_expect(!says(7, 1000000, "parts"), "one whole row for each thread");
    cr_expect(!says(6, 1000000, "parts"), "one thread waits, and six do not");
    cr_expect(!says(57, 1000000, "parts"), "so many rows that the last ones do not matter");
    cr_expect(!says(1, 114687, "parts"), "too few classes");
}
