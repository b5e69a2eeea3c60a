/* The paths that cpu takes by size and layout. The oracle is `item` on dense rows: however rows are laid out and
   whatever the caches hold, their bits must be the same. */
#include "support/device.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct path {
    const char *name;
    uint64_t outer, classes, inner;
    uint64_t gap; /* elements behind each outer index */
    clsoftmax_strategy strategy;
    clsoftmax_operation operation;
    int statistics, has_ties;
} path;

/* Whatever the caches hold, some of these sizes fit a thread's room once but not twice, and some do not fit. */
#define LONG_ROWS(classes)                                                                                             \
    {                                                                                                                  \
        "long rows", 1, (classes), 2, 0, CLSOFTMAX_STRATEGY_COLUMN, CLSOFTMAX_OPERATION_SOFTMAX, 0, 0                  \
    }
#define PADDED_ROWS(classes)                                                                                           \
    {                                                                                                                  \
        "padded rows", 150, (classes), 1, 3, CLSOFTMAX_STRATEGY_LANE, CLSOFTMAX_OPERATION_SOFTMAX, 0, 0                \
    }

static const path paths[] = {
    PADDED_ROWS(2),
    PADDED_ROWS(5),
    PADDED_ROWS(16),
    PADDED_ROWS(100),
    {"too long to be transposed", 7000, 300, 1, 0, CLSOFTMAX_STRATEGY_LANE, CLSOFTMAX_OPERATION_SOFTMAX, 1, 0},
    {"columns", 2, 70, 150, 0, CLSOFTMAX_STRATEGY_COLUMN, CLSOFTMAX_OPERATION_SOFTMAX, 1, 1},
    {"deep columns", 1, 20000, 70, 0, CLSOFTMAX_STRATEGY_COLUMN, CLSOFTMAX_OPERATION_SOFTMAX, 1, 1},
    {"deep columns, logarithms", 1, 20000, 70, 0, CLSOFTMAX_STRATEGY_COLUMN, CLSOFTMAX_OPERATION_LOG_SOFTMAX, 0, 1},
    {"three levels of sums", 1, (1 << 18) + 1, 3, 0, CLSOFTMAX_STRATEGY_COLUMN, CLSOFTMAX_OPERATION_SOFTMAX, 1, 0},
    LONG_ROWS(24000),
    LONG_ROWS(48000),
    LONG_ROWS(96000),
    LONG_ROWS(192000),
    LONG_ROWS(384000),
    LONG_ROWS(1100000),
};

static clsoftmax_problem problem_of(const path *path)
{
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    problem.outer = path->outer;
    problem.classes = path->classes;
    problem.inner = path->inner;
    problem.operation = path->operation;
    problem.statistics = path->statistics;
    problem.pos_inf = CLSOFTMAX_POS_INF_LIMIT;
    problem.strategy = path->strategy;
    problem.logits_layout = problem.results_layout =
        (clsoftmax_layout){0, path->classes * path->inner + path->gap, path->inner, 1};
    return problem;
}

static void compute(clsoftmax_context *context, const clsoftmax_problem *problem, const float *x, float *p,
                    clsoftmax_statistics *statistics)
{
    const clsoftmax_arguments arguments = {.size = sizeof(clsoftmax_arguments),
                                           .logits = x,
                                           .results = p,
                                           .temperature = 0.7f,
                                           .statistics = statistics,
                                           .scale = 1};
    test_call(context, problem, &arguments);
}

static float logit(const path *path, uint64_t row, uint64_t c)
{
    if (path->has_ties && row % 2 == 1 && c % 7 == 3)
        return INFINITY;
    return (float)((row * 7919 + c * 104729) % 1009) * 0.01f;
}

/* Returns where class c of a row is in the layout. */
static uint64_t place(const path *path, uint64_t row, uint64_t c)
{
    uint64_t outer_stride = path->classes * path->inner + path->gap;
    return row / path->inner * outer_stride + c * path->inner + row % path->inner;
}

/* Runs the path, and `item` on the same rows laid out densely. */
static void check_path(clsoftmax_context *context, const path *path)
{
    const uint64_t rows = path->outer * path->inner, span = path->outer * (path->classes * path->inner + path->gap);
    float *x = calloc(span, sizeof *x), *p = calloc(span, sizeof *p);
    float *dense = calloc(rows * path->classes, sizeof *dense);
    clsoftmax_statistics *records = calloc(rows, sizeof *records), *expected = calloc(rows, sizeof *expected);
    for (uint64_t row = 0; row < rows; row++)
        for (uint64_t c = 0; c < path->classes; c++)
            x[place(path, row, c)] = dense[row * path->classes + c] = logit(path, row, c);
    const clsoftmax_problem problem = problem_of(path);
    clsoftmax_problem dense_problem = problem;
    dense_problem.outer = rows;
    dense_problem.inner = 1;
    dense_problem.strategy = CLSOFTMAX_STRATEGY_ITEM;
    dense_problem.logits_layout = dense_problem.results_layout = (clsoftmax_layout){0, 0, 0, 0};
    compute(context, &problem, x, p, records);
    compute(context, &dense_problem, dense, dense, expected);
    uint64_t wrong = 0;
    for (uint64_t row = 0; row < rows; row++)
        for (uint64_t c = 0; c < path->classes; c++)
            wrong += memcmp(&p[place(path, row, c)], &dense[row * path->classes + c], sizeof *p) != 0;
    cr_expect_eq(wrong, 0u, "%s, %llu classes: %llu results", path->name, (unsigned long long)path->classes,
                 (unsigned long long)wrong);
    cr_expect(memcmp(records, expected, rows * sizeof *records) == 0, "%s: statistics", path->name);
    free(x);
    free(p);
    free(dense);
    free(records);
    free(expected);
}

/* Runs every path of the table. */
Test(cpu_paths, bits_of_dense_rows, .timeout = 600)
{
    clsoftmax_context *context = test_open("cpu");
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        check_path(context, &paths[i]);
    clsoftmax_context_release(context);
}

/* Runs rows of `item` that end at, before and behind a strip of 64 or 128 classes, a vector of 16, a block of 1,024,
   and the 4,096 classes after which it adds its lanes up. */
Test(cpu_paths, ends_of_strips_and_blocks, .timeout = 600)
{
    const uint64_t parts[] = {0, 16, 64, 128, 144, 1024, 1152, 4096, 8192};
    clsoftmax_context *context = test_open("cpu");
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        for (uint64_t more = 0; more < 18; more++)
            for (int k = 0; k < 2; k++) {
                path path = PADDED_ROWS(parts[i] + more);
                path.outer = 3;
                path.statistics = k;
                path.operation = k ? CLSOFTMAX_OPERATION_LOG_SOFTMAX : CLSOFTMAX_OPERATION_SOFTMAX;
                if (path.classes > 0)
                    check_path(context, &path);
            }
    clsoftmax_context_release(context);
}

/* Runs columns that end at and around the numbers of classes at which `cpu` changes what it does: it takes eight or
   four classes at a time, flushes after 256, and prefetches the next panel of columns of up to 512. Of their panels two
   are whole. */
Test(cpu_paths, ends_of_strips_in_columns, .timeout = 600)
{
    const uint64_t parts[] = {0, 18, 240, 504};
    clsoftmax_context *context = test_open("cpu");
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        for (uint64_t more = 1; more <= 18; more++)
            for (int k = 0; k < 3; k++) {
                path path = {
                    "columns", 2,    parts[i] + more, 150, 0, CLSOFTMAX_STRATEGY_COLUMN, CLSOFTMAX_OPERATION_SOFTMAX,
                    k == 1,    k > 0};
                path.operation = k == 2 ? CLSOFTMAX_OPERATION_LOG_SOFTMAX : CLSOFTMAX_OPERATION_SOFTMAX;
                check_path(context, &path);
            }
    clsoftmax_context_release(context);
}

/* The rows of special_row: each has one logit that decides. */
enum { ROW_NAN, ROW_NEGATIVE_NAN, ROW_INFINITE, ROW_PEAK, ROW_NEGATIVE_PEAK, ROW_ALONE, ROW_ORDINARY, SPECIAL_ROWS };

/* Writes a row whose class `at` decides. */
static void special_row(int row, uint64_t classes, uint64_t at, float *x)
{
    const float deciding[SPECIAL_ROWS] = {NAN, -NAN, INFINITY, 40, -10, 0, 0.5f};
    for (uint64_t c = 0; c < classes; c++)
        x[c] = row == ROW_ALONE ? -INFINITY : (float)(c * 7919 % 101) * 0.01f - (row == ROW_NEGATIVE_PEAK ? 60 : 0);
    x[at] = deciding[row];
}

/* Tells whether the results of such a row are those that follow from its deciding class. */
static int is_right(int row, uint64_t classes, uint64_t at, const float *p)
{
    int right = 1;
    for (uint64_t c = 0; c < classes; c++)
        right &= row <= ROW_INFINITE ? isnan(p[c]) : row == ROW_ALONE ? p[c] == (c == at) : p[c] >= 0 && p[c] <= 1;
    return right && ((row != ROW_PEAK && row != ROW_NEGATIVE_PEAK) || p[at] > 0.999f);
}

static void check_every_place(clsoftmax_context *context, uint64_t classes, int rows, clsoftmax_accuracy accuracy)
{
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    problem.outer = (uint64_t)rows;
    problem.classes = classes;
    problem.strategy = CLSOFTMAX_STRATEGY_ITEM;
    problem.accuracy = accuracy;
    float *x = calloc((uint64_t)rows * classes, sizeof *x), *p = calloc((uint64_t)rows * classes, sizeof *p);
    for (uint64_t at = 0; at < classes; at++) {
        for (int row = 0; row < rows; row++)
            special_row(row, classes, at, x + (uint64_t)row * classes);
        compute(context, &problem, x, p, NULL);
        for (int row = 0; row < rows; row++)
            cr_assert(is_right(row, classes, at, p + (uint64_t)row * classes), "row %d, class %llu of %llu, of %d rows",
                      row, (unsigned long long)at, (unsigned long long)classes, rows);
    }
    free(x);
    free(p);
}

/* Puts what decides a row at every place of rows that end in every way: the maximum, a NaN of either sign, an infinity.
   Few rows are reduced one after another, more of them all at once. */
Test(cpu_paths, every_place_decides, .timeout = 600)
{
    enum { FEW_ROWS = 2 };
    static const uint64_t classes[] = {1, 2, 15, 16, 17, 31, 32, 33, 48, 63, 64, 100, 128, 144, 145, 300, 1040};
    static const char *const instruction_sets[] = {"avx512", "avx2", "baseline"};
    for (size_t i = 0; i < sizeof instruction_sets / sizeof *instruction_sets; i++) {
        clsoftmax_context *context;
        setenv("CLSOFTMAX_CPU_ISA", instruction_sets[i], 1);
        if (clsoftmax_context_create("cpu", &context) != CLSOFTMAX_OK)
            continue; /* this processor does not have it */
        for (size_t k = 0; k < sizeof classes / sizeof *classes; k++)
            for (int accuracy = 0; accuracy < CLSOFTMAX_ACCURACY_COUNT; accuracy++) {
                check_every_place(context, classes[k], SPECIAL_ROWS, (clsoftmax_accuracy)accuracy);
                check_every_place(context, classes[k], FEW_ROWS, (clsoftmax_accuracy)accuracy);
            }
        clsoftmax_context_release(context);
    }
    unsetenv("CLSOFTMAX_CPU_ISA");
}
