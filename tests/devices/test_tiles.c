/* Calls on host memory by OpenCL devices, which go in tiles. The oracle is cpu, bit for bit, whatever the tiles are and
   whether memory is shared or copied. Every OpenCL call is made to fail once (support/driver.h): afterwards nothing may
   be left, and the plan must run again. */
#include "context.h"
#include "support/device.h"
#include "support/driver.h"
#include "support/random.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- Arrays */

enum { MOST_ELEMENTS = 12000, MOST_ROWS = 512 };

/* The arrays that a call reads and writes. */
typedef struct arrays {
    float logits[MOST_ELEMENTS] __attribute__((aligned(64)));
    float results[MOST_ELEMENTS] __attribute__((aligned(64)));
    float operand[MOST_ELEMENTS] __attribute__((aligned(64)));
    clsoftmax_statistics statistics[MOST_ROWS];
    uint64_t invalid_rows;
} arrays;

static float temperatures[MOST_ROWS];
static int64_t labels[MOST_ROWS];

/* Fills logits with finite numbers, for f16 as bits. Some f32 rows are all -inf, some have a NaN or +inf. */
static void fill_arrays(const clsoftmax_problem *p, arrays *a)
{
    uint64_t random = 7;
    memset(a, 0x5A, sizeof *a);
    for (int i = 0; i < MOST_ELEMENTS; i++)
        a->logits[i] = (float)(random_unit(&random) * 16 - 8);
    for (int i = 0; i < MOST_ELEMENTS; i++)
        a->operand[i] = (float)((i * 37) % 101) * 0.01f - 0.5f;
    if (p->logits_dtype != CLSOFTMAX_F32)
        for (int i = 0; i < 2 * MOST_ELEMENTS; i++)
            ((uint16_t *)a->logits)[i] = (uint16_t)(random_bits(&random) & 0xBFFF);
    for (int row = 0; row < MOST_ROWS; row++) {
        temperatures[row] = row % 5 == 3 ? -1.0f : row % 7 == 2 ? NAN : 0.25f * (float)(row % 11);
        labels[row] = row % 4 == 3 ? -1 : (int64_t)random_below(&random, p->classes);
    }
    const clsoftmax_layout *l = &p->logits_layout;
    for (uint64_t row = 0; row < p->outer * p->inner && p->logits_dtype == CLSOFTMAX_F32; row++)
        for (uint64_t c = 0; c < p->classes; c++) {
            float *x = &a->logits[cls_layout_row(p, l, row) + c * l->class_stride];
            *x = row % 9 == 4                                 ? -INFINITY
                 : row % 9 == 6 && c == p->classes - 1        ? INFINITY
                 : row % 13 == 8 && c == p->classes / 3       ? NAN
                 : row % 2 == 1 && c > 0 && c % (5 + row) < 2 ? 8.5f /* ties for the maximum */
                                                              : *x;
        }
}

static clsoftmax_arguments arguments_of(arrays *a, int in_place)
{
    clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
    arguments.logits = a->logits;
    arguments.results = in_place ? a->logits : a->results;
    arguments.temperature = 0.7f;
    arguments.temperatures = temperatures;
    arguments.labels = labels;
    arguments.operand = a->operand;
    arguments.statistics = a->statistics;
    arguments.invalid_rows = &a->invalid_rows;
    return arguments;
}

/* Runs the problem once, on new arrays that the caller frees. */
static arrays *compute(clsoftmax_context *context, const clsoftmax_problem *problem, int in_place)
{
    arrays *a = aligned_alloc(64, (sizeof *a + 63) / 64 * 64);
    clsoftmax_problem checked;
    cr_assert_not_null(a);
    cr_assert_eq(cls_problem_check(problem, &checked), CLSOFTMAX_OK, "%s", clsoftmax_last_error());
    fill_arrays(&checked, a);
    clsoftmax_plan *plan = test_plan(context, problem);
    const clsoftmax_arguments arguments = arguments_of(a, in_place);
    cr_assert_eq(clsoftmax_plan_run(plan, &arguments), CLSOFTMAX_OK, "%s: %s", clsoftmax_plan_description(plan),
                 clsoftmax_last_error());
    clsoftmax_plan_release(plan);
    return a;
}

static arrays *compute_on_cpu(clsoftmax_context *cpu, const clsoftmax_problem *problem, int in_place)
{
    clsoftmax_problem by_cpu = *problem;
    by_cpu.strategy = CLSOFTMAX_STRATEGY_AUTO;
    return compute(cpu, &by_cpu, in_place);
}

static void expect_same(const arrays *expected, const arrays *found, const char *what, uint64_t tile)
{
    cr_expect(memcmp(expected->logits, found->logits, sizeof found->logits) == 0, "%s, %llu: logits", what,
              (unsigned long long)tile);
    cr_expect(memcmp(expected->results, found->results, sizeof found->results) == 0, "%s, %llu: results", what,
              (unsigned long long)tile);
    cr_expect(memcmp(expected->statistics, found->statistics, sizeof found->statistics) == 0, "%s, %llu: statistics",
              what, (unsigned long long)tile);
    cr_expect_eq(expected->invalid_rows, found->invalid_rows, "%s, %llu: invalid rows", what, (unsigned long long)tile);
}

/* Opens the OpenCL device with host memory that is always shared ("share") or copied ("copy"). */
static clsoftmax_context *open_by(const char *way)
{
    setenv("CLSOFTMAX_HOST_MEMORY", way, 1);
    return test_open_opencl();
}

/* ---------------------------------------------------------------- Problems */

typedef struct kind {
    const char *name;
    clsoftmax_problem problem;
    int in_place;
} kind;

enum { KINDS = 8 };

/* Makes one of the problems. Its 10 outer indices leave a remainder for tiles of 3 and of 7. */
static kind kind_of(int which)
{
    static const char *const names[KINDS] = {"dense",
                                             "temperatures per row, statistics, labels",
                                             "strided",
                                             "strided in place, log",
                                             "f16",
                                             "columns, statistics",
                                             "one row for all",
                                             "an operand with gaps"};
    const clsoftmax_problem initial = CLSOFTMAX_PROBLEM_INIT;
    kind k = {names[which], initial, which == 3};
    clsoftmax_problem *p = &k.problem;
    p->outer = 10;
    p->classes = 50;
    p->statistics = p->temperature_per_row = which == 1;
    if (which == 2 || which == 3) {
        p->logits_layout = (clsoftmax_layout){3, 109, 2, 1};
        p->results_layout = which == 2 ? (clsoftmax_layout){5, 1, 11, 1} : p->logits_layout;
    }
    p->operation = which == 3   ? CLSOFTMAX_OPERATION_LOG_SOFTMAX
                   : which == 7 ? CLSOFTMAX_OPERATION_SOFTMAX_BACKWARD
                                : CLSOFTMAX_OPERATION_SOFTMAX;
    p->operand_layout = (clsoftmax_layout){2, 53, 1, 1};
    if (which == 4)
        p->logits_dtype = p->results_dtype = CLSOFTMAX_F16;
    if (which == 6)
        p->logits_layout = (clsoftmax_layout){0, 0, 1, 1};
    if (which == 5) {
        p->inner = 9;
        p->statistics = 1;
        p->pos_inf = CLSOFTMAX_POS_INF_LIMIT;
        p->neg_inf_rows = CLSOFTMAX_NEG_INF_ROWS_UNIFORM;
    }
    return k;
}

/* Runs every problem by every strategy with tiles of several sizes. */
Test(tiles, sizes_and_remainders, .timeout = 1200)
{
    clsoftmax_context *const cpu = test_open("cpu"), *const ways[2] = {open_by("share"), open_by("copy")};
    const uint64_t sizes[] = {0, 1, 2, 3, 7};
    for (int which = 0; which < KINDS; which++)
        for (clsoftmax_strategy s = CLSOFTMAX_STRATEGY_AUTO; ++s < CLSOFTMAX_STRATEGY_COUNT;)
            for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
                kind k = kind_of(which);
                k.problem.strategy = s;
                k.problem.tile_outer = sizes[i];
                arrays *expected = compute_on_cpu(cpu, &k.problem, k.in_place);
                for (int way = 0; way < 2; way++) {
                    arrays *found = compute(ways[way], &k.problem, k.in_place);
                    expect_same(expected, found, k.name, sizes[i]);
                    free(found);
                }
                free(expected);
            }
    clsoftmax_context_release(cpu);
    clsoftmax_context_release(ways[0]);
    clsoftmax_context_release(ways[1]);
}

/* ---------------------------------------------------------------- Devices too small */

/* Makes the device one on which no buffer is larger. */
static void shrink(clsoftmax_context *context, uint64_t bytes)
{
    context->limits.max_allocation_bytes = bytes;
}

/* Runs every problem on devices with buffers so small that tiles are some columns, or pieces of a row. */
Test(tiles, columns_and_pieces, .timeout = 1200)
{
    clsoftmax_context *const cpu = test_open("cpu"), *const opencl = open_by("share");
    const uint64_t bytes[] = {1900, 1800, 900, 700, 200, 199, 100, 76, 36, 32, 4};
    for (int which = 0; which < KINDS; which++)
        for (size_t i = 0; i < sizeof bytes / sizeof *bytes; i++) {
            kind k = kind_of(which);
            arrays *expected = compute_on_cpu(cpu, &k.problem, k.in_place);
            shrink(opencl, bytes[i]);
            arrays *found = compute(opencl, &k.problem, k.in_place);
            expect_same(expected, found, k.name, bytes[i]);
            free(found);
            free(expected);
        }
    clsoftmax_context_release(cpu);
    clsoftmax_context_release(opencl);
}

/* Runs a row so long that its pieces have several parts and its sum needs three levels. */
Test(tiles, pieces_of_long_rows, .timeout = 1200)
{
    clsoftmax_context *const cpu = test_open("cpu"), *const opencl = open_by("copy");
    enum { CLASSES = 300001 };
    float *x = malloc(CLASSES * sizeof *x), *p = malloc(CLASSES * sizeof *p), *expected = malloc(CLASSES * sizeof *p);
    uint64_t random = 3;
    for (int i = 0; i < CLASSES; i++)
        x[i] = (float)(random_unit(&random) * 30);
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    problem.outer = 1;
    problem.classes = CLASSES;
    test_run(cpu, &problem, x, 0.7f, expected);
    for (uint64_t bytes = 100000; bytes < 1000000; bytes *= 3) {
        shrink(opencl, bytes);
        test_run(opencl, &problem, x, 0.7f, p);
        cr_expect(memcmp(p, expected, CLASSES * sizeof *p) == 0, "buffers of %llu bytes", (unsigned long long)bytes);
    }
    free(x);
    free(p);
    free(expected);
    clsoftmax_context_release(cpu);
    clsoftmax_context_release(opencl);
}

/* Checks that a named strategy which takes no pieces of a row says that memory is missing. */
Test(tiles, named_strategies_take_no_pieces)
{
    clsoftmax_context *const opencl = open_by("copy");
    static arrays a;
    kind k = kind_of(0);
    k.problem.strategy = CLSOFTMAX_STRATEGY_GROUP;
    shrink(opencl, 100);
    clsoftmax_plan *plan = test_plan(opencl, &k.problem);
    const clsoftmax_arguments arguments = arguments_of(&a, 0);
    cr_expect_eq(clsoftmax_plan_run(plan, &arguments), CLSOFTMAX_OUT_OF_DEVICE_MEMORY);
    clsoftmax_plan_release(plan);
    clsoftmax_context_release(opencl);
}

/* ---------------------------------------------------------------- What the driver is asked for */

/* Checks that shared memory is not copied: there is a buffer for each array, or one for both in place, and no
   transfer. */
Test(tiles, nothing_is_copied_where_memory_is_shared)
{
    static const unsigned buffers[KINDS] = {2, 6, 2, 1, 2, 4, 2, 3};
    clsoftmax_context *const opencl = open_by("share");
    driver_observe();
    for (int which = 0; which < KINDS; which++) {
        kind k = kind_of(which);
        driver_since_last();
        free(compute(opencl, &k.problem, k.in_place));
        const driver_seen seen = driver_since_last();
        cr_expect(seen.uploads == 0 && seen.downloads == 0 && seen.kernels == 1 && seen.maps > 0, "%s", k.name);
        cr_expect_eq(seen.buffers, buffers[which], "%s: %u buffers", k.name, seen.buffers);
    }
    clsoftmax_context_release(opencl);
}

/* Runs a plan with accesses of 16 bytes on logits that are aligned to 4 bytes, which must be copied. */
Test(tiles, memory_that_is_not_aligned_is_copied)
{
    clsoftmax_context *const cpu = test_open("cpu"), *const opencl = open_by("share");
    static float x[8 * 64 + 4] __attribute__((aligned(16))), p[8 * 64] __attribute__((aligned(16))), expected[8 * 64];
    uint64_t random = 5;
    for (size_t i = 0; i < sizeof x / sizeof *x; i++)
        x[i] = (float)random_unit(&random);
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    problem.outer = 8;
    problem.classes = 64;
    driver_observe();
    for (int shift = 0; shift < 2; shift++) {
        problem.strategy = CLSOFTMAX_STRATEGY_AUTO;
        test_run(cpu, &problem, x + shift, 0.7f, expected);
        problem.strategy = CLSOFTMAX_STRATEGY_GROUP;
        driver_since_last();
        test_run(opencl, &problem, x + shift, 0.7f, p);
        cr_expect_eq(driver_since_last().uploads, (unsigned)shift);
        cr_expect(memcmp(p, expected, sizeof p) == 0, "shift %d", shift);
    }
    clsoftmax_context_release(cpu);
    clsoftmax_context_release(opencl);
}

/* Checks that three tiles are under way before the first is waited for. */
Test(tiles, uploads_run_ahead)
{
    clsoftmax_context *const opencl = open_by("copy");
    driver_observe();
    kind k = kind_of(0);
    k.problem.tile_outer = 1;
    free(compute(opencl, &k.problem, 0));
    const driver_seen seen = driver_since_last();
    cr_expect(seen.kernels == 10 && seen.kernels_before_wait == 3 && seen.uploads == 10 && seen.downloads == 10,
              "%u kernels, %u before the first wait", seen.kernels, seen.kernels_before_wait);
    clsoftmax_context_release(opencl);
}

/* Sets CLSOFTMAX_HOST_MEMORY to a word that it does not know. */
Test(tiles, an_unknown_way_is_refused)
{
    clsoftmax_context *context = NULL;
    clsoftmax_context_release(test_open_opencl());
    setenv("CLSOFTMAX_HOST_MEMORY", "beam", 1);
    cr_expect_eq(clsoftmax_context_create("0:0", &context), CLSOFTMAX_INVALID_ARGUMENT);
}

/* ---------------------------------------------------------------- Failures */

static const char *const functions[] = {"clCreateCommandQueue", "clCreateBuffer",     "clEnqueueWriteBuffer",
                                        "clSetKernelArg",       "clRetainEvent",      "clEnqueueNDRangeKernel",
                                        "clEnqueueReadBuffer",  "clEnqueueMapBuffer", "clFlush",
                                        "clWaitForEvents",      "clGetEventInfo",     "status"};

/* Makes one call of the function fail after another, each in a run of its own. After each failure the same plan must
   run as if nothing had happened. */
static void fail_one_by_one(clsoftmax_context *opencl, const kind *k, const arrays *expected, const char *function,
                            unsigned *failures)
{
    int has_come = 1;
    static arrays a;
    clsoftmax_problem checked;
    cls_problem_check(&k->problem, &checked);
    for (unsigned number = 1; has_come; number++) {
        clsoftmax_plan *plan = test_plan(opencl, &k->problem);
        const clsoftmax_arguments arguments = arguments_of(&a, k->in_place);
        fill_arrays(&checked, &a);
        driver_running();
        driver_fail(function, number);
        clsoftmax_status status = clsoftmax_plan_run(plan, &arguments);
        has_come = driver_has_failed();
        driver_fail(NULL, 0);
        cr_expect_eq(driver_running(), 0u, "%s, %s %u: commands still run", k->name, function, number);
        *failures += status != CLSOFTMAX_OK;
        cr_expect(status == CLSOFTMAX_OK || clsoftmax_last_opencl_error() < 0, "%s, %s %u: %s", k->name, function,
                  number, clsoftmax_last_error());
        if (status == CLSOFTMAX_OK)
            expect_same(expected, &a, function, number);
        fill_arrays(&checked, &a);
        status = clsoftmax_plan_run(plan, &arguments);
        cr_expect_eq(status, CLSOFTMAX_OK, "%s, behind %s %u: %s", k->name, function, number, clsoftmax_last_error());
        expect_same(expected, &a, function, number);
        clsoftmax_plan_release(plan);
        const driver_seen seen = driver_since_last();
        cr_expect(seen.events == 0 && seen.objects == 0, "%s, %s %u: %d events and %d objects are left", k->name,
                  function, number, seen.events, seen.objects);
    }
}

/* Makes every function fail. At most `most_without` of them may have no call whose failure fails the run. */
static void fail_everywhere(const char *way, int which, uint64_t bytes, unsigned most_without)
{
    clsoftmax_context *const cpu = test_open("cpu"), *const opencl = open_by(way);
    kind k = kind_of(which);
    k.problem.outer = 4;
    k.problem.tile_outer = 1;
    arrays *expected = compute_on_cpu(cpu, &k.problem, k.in_place);
    if (bytes > 0)
        shrink(opencl, bytes);
    driver_observe();
    unsigned without = 0;
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        unsigned failures = 0;
        fail_one_by_one(opencl, &k, expected, functions[i], &failures);
        without += failures == 0;
    }
    cr_expect(without <= most_without, "%u functions never failed", without);
    free(expected);
    clsoftmax_context_release(cpu);
    clsoftmax_context_release(opencl);
}

/* Makes calls fail on shared memory. */
Test(tiles, failures_where_memory_is_shared, .timeout = 600)
{
    fail_everywhere("share", 1, 0, 4); /* no transfers, no retained event, no flush */
}

/* Makes calls fail on copied memory. */
Test(tiles, failures_where_it_is_copied, .timeout = 600)
{
    fail_everywhere("copy", 1, 0, 1); /* no retained event */
}

/* Makes calls fail where rows go in pieces. */
Test(tiles, failures_of_pieces, .timeout = 600)
{
    fail_everywhere("copy", 1, 100, 0);
}
