/* How many threads of cpu a call wakes. The functions of cpu_pool.h stand here in place of the library's, and record
   what the backend asks for. The expected numbers are written out. */
#include "cpu/cpu_pool.h"
#include "support/device.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static size_t asked;       /* threads of the last call, if they must be woken */
static size_t asked_awake; /* and if they are awake */
static int last_is_first;  /* 1: the last thread runs first, and alone */

struct cpu_pool {
    size_t threads;
};

cpu_pool *cls_cpu_pool_create(size_t threads)
{
    cpu_pool *pool = calloc(1, sizeof *pool);
    pool->threads = threads;
    return pool;
}

size_t cls_cpu_pool_threads(const cpu_pool *pool)
{
    return pool->threads;
}

void cls_cpu_pool_destroy(cpu_pool *pool)
{
    free(pool);
}

void cls_cpu_pool_run(cpu_pool *pool, cpu_pool_task *task, void *context, size_t threads, size_t awake_threads)
{
    (void)pool;
    asked = threads;
    asked_awake = awake_threads;
    for (size_t i = 0; i < threads; i++)
        task(context, last_is_first ? threads - 1 - i : i);
}

/* Returns how many of seven threads a matrix wakes. */
static size_t threads_of(uint64_t rows, uint64_t classes, uint64_t temperatures)
{
    setenv("CLSOFTMAX_THREADS", "7", 1);
    clsoftmax_context *context = test_open("cpu");
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    problem.outer = rows;
    problem.classes = classes;
    problem.sweep = temperatures;
    const uint64_t count = rows * classes, results = count * (temperatures ? temperatures : 1);
    float *x = calloc(count, sizeof *x), *p = calloc(results, sizeof *p), *t = calloc(64, sizeof *t);
    clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
    arguments.logits = x;
    arguments.results = p;
    arguments.temperatures = temperatures ? t : NULL;
    clsoftmax_plan *plan = NULL;
    asked = 0;
    cr_assert_eq(clsoftmax_plan_create(context, &problem, &plan), CLSOFTMAX_OK, "%s", clsoftmax_last_error());
    cr_assert_eq(clsoftmax_plan_run(plan, &arguments), CLSOFTMAX_OK, "%s", clsoftmax_last_error());
    for (uint64_t i = 0; i < results; i++)
        cr_assert_eq(p[i], p[0], "%llu x %llu", (unsigned long long)rows, (unsigned long long)classes);
    cr_assert_gt(p[0], 0);
    clsoftmax_plan_release(plan);
    clsoftmax_context_release(context);
    free(x);
    free(p);
    free(t);
    return asked;
}

/* Returns how many of seven threads a matrix uses while they are awake. */
static size_t awake_threads_of(uint64_t rows, uint64_t classes)
{
    threads_of(rows, classes, 0);
    return asked_awake;
}

/* A thread is woken for 40,960 elements, and only for rows that are left to compute. */
Test(cpu_threads, few_for_little)
{
    cr_expect_eq(threads_of(1, 1000, 0), 1u);
    cr_expect_eq(threads_of(32, 1000, 0), 1u);
    cr_expect_eq(threads_of(81, 1000, 0), 1u);
    cr_expect_eq(threads_of(82, 1000, 0), 2u, "81,920 elements are enough for two");
    cr_expect_eq(threads_of(123, 1000, 0), 3u);
    cr_expect_eq(threads_of(1000, 1000, 0), 7u);
    cr_expect_eq(threads_of(8192, 10, 0), 2u);
    cr_expect_eq(threads_of(10, 2000, 5), 2u, "elements at every temperature count");
}

/* A thread that is awake is used for 8,192 elements. */
Test(cpu_threads, more_that_are_awake)
{
    cr_expect_eq(awake_threads_of(16, 1000), 1u, "16,000 elements");
    cr_expect_eq(awake_threads_of(17, 1000), 2u);
    cr_expect_eq(awake_threads_of(32, 1000), 3u);
    cr_expect_eq(awake_threads_of(256, 100), 2u, "not three: a share is two panels of 64 rows");
    cr_expect_eq(awake_threads_of(2, 10000), 2u);
    cr_expect_eq(awake_threads_of(1, 50000), 1u, "a row that is not cut has one thread");
    cr_expect_eq(awake_threads_of(82, 1000), 7u);
}

/* All threads take part in a row that is cut. They run one after another here, so each must find what it waits for. */
Test(cpu_threads, one_row_for_all)
{
    for (last_is_first = 0; last_is_first < 2; last_is_first++) {
        cr_expect_eq(threads_of(1, 114687, 0), 1u, "too few classes to be cut");
        cr_expect_eq(threads_of(1, 114688, 0), 2u);
        cr_expect_eq(threads_of(1, 131072, 0), 3u);
        cr_expect_eq(threads_of(1, 1000000, 0), 7u);
        cr_expect_eq(threads_of(3, 1000000, 0), 7u, "fewer rows than threads");
        cr_expect_eq(threads_of(6, 1000000, 0), 6u, "one thread waits, and six do not");
        cr_expect_eq(threads_of(8, 120000, 0), 7u, "one row more than threads");
        cr_expect_eq(threads_of(1, 120000, 3), 7u, "a sweep of one row");
        cr_expect_eq(threads_of(1, 50000, 40), 7u, "ranges of temperatures");
        cr_expect_eq(threads_of(60, 5000, 2), 7u, "enough rows for all");
        cr_expect_eq(threads_of(1, 5000, 3), 1u, "a small sweep");
    }
}
