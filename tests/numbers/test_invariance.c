/* What must not change a bit: the rows beside a row, the size of work-groups, threads, the instruction set, the
   caller's floating-point environment. The oracle is cpu as it is by default. cli/faults.bats plants faults that
   `neighbours` sees. */
#include "support/device.h"
#include "support/fill.h"

#include <criterion/criterion.h>
#include <fenv.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __x86_64__
#include <xmmintrin.h>
#endif

/* A matrix with wide rows, whose subnormal results would show flushing to zero, and narrow ones, whose sums would show
   another rounding. */
enum { ROWS = 5, CLASSES = 4099, COUNT = ROWS * CLASSES };

static float x[COUNT], expected[COUNT], p[COUNT];

static void fill_both_kinds(void)
{
    uint64_t random = 42;
    fill_matrix(FILL_WIDE, &random, 0.7f, 3, CLASSES, x);
    fill_matrix(FILL_NARROW, &random, 0.7f, ROWS - 3, CLASSES, x + 3 * CLASSES);
}

static void compute(clsoftmax_context *context, clsoftmax_strategy strategy, uint32_t work_group_size, float *result)
{
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    problem.outer = ROWS;
    problem.classes = CLASSES;
    problem.strategy = strategy;
    problem.work_group_size = work_group_size;
    memset(result, 0xA5, sizeof p);
    test_run(context, &problem, x, 0.7f, result);
}

static void compute_on(const char *device, float *result)
{
    clsoftmax_context *context = test_open(device);
    compute(context, CLSOFTMAX_STRATEGY_AUTO, 0, result);
    clsoftmax_context_release(context);
}

static void setup(void)
{
    fill_both_kinds();
    compute_on("cpu", expected);
    size_t subnormal = 0;
    for (size_t i = 0; i < COUNT; i++)
        subnormal += expected[i] > 0 && expected[i] < FLT_MIN;
    cr_assert(subnormal > 10, "flushing to zero would go unseen in this data");
}

TestSuite(invariance, .init = setup, .timeout = 300);

/* Runs every strategy with work-groups of different sizes. */
Test(invariance, work_group_size)
{
    clsoftmax_context *context = test_open_opencl();
    const uint32_t sizes[] = {1, 2, 8, 64, 100, 256, 1024};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (clsoftmax_strategy s = CLSOFTMAX_STRATEGY_AUTO; s < CLSOFTMAX_STRATEGY_COUNT; s++) {
            compute(context, s, sizes[i], p);
            cr_expect(memcmp(p, expected, sizeof p) == 0, "%s, %u work-items", clsoftmax_strategy_name(s), sizes[i]);
        }
    }
    clsoftmax_context_release(context);
}

/* So many rows of few classes, or columns, that they fill panels and vectors, and a part of one. */
enum { NEIGHBOURS = 3 * 64 + 5, FEW = 10 };

static size_t place(int is_column, size_t row, size_t c)
{
    return is_column ? c * NEIGHBOURS + row : row * FEW + c;
}

/* Computes all rows in calls of `rows` rows each; for `column` they are columns. */
static void compute_neighbours(clsoftmax_context *context, clsoftmax_strategy strategy, uint64_t rows,
                               const float *logits, float *result)
{
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    problem.outer = strategy == CLSOFTMAX_STRATEGY_COLUMN ? 1 : rows;
    problem.inner = strategy == CLSOFTMAX_STRATEGY_COLUMN ? rows : 1;
    problem.classes = FEW;
    problem.strategy = strategy;
    for (uint64_t row = 0; row < NEIGHBOURS; row += rows)
        test_run(context, &problem, logits + row * FEW, 1, result + row * FEW);
}

/* Computes all rows at once, and compares them with the same rows alone. */
static void check_neighbours(clsoftmax_context *context, clsoftmax_strategy strategy, const float *logits,
                             const float *alone)
{
    static float logits_there[NEIGHBOURS * FEW], together[NEIGHBOURS * FEW];
    const int is_column = strategy == CLSOFTMAX_STRATEGY_COLUMN;
    for (size_t i = 0; i < NEIGHBOURS * FEW; i++)
        logits_there[place(is_column, i / FEW, i % FEW)] = logits[i];
    compute_neighbours(context, strategy, NEIGHBOURS, logits_there, together);
    for (size_t i = 0; i < NEIGHBOURS * FEW; i++)
        cr_expect(memcmp(&together[place(is_column, i / FEW, i % FEW)], &alone[i], sizeof *alone) == 0,
                  "%s, %s: row %zu", clsoftmax_strategy_name(strategy), clsoftmax_context_device(context)->name,
                  i / FEW);
}

/* Gives some rows, by their last class, what the short way at T = 1 is not for: a maximum beyond 256, a NaN, an
   infinity. The rows beside them must keep their bits. */
Test(invariance, neighbours, .timeout = 300)
{
    static const float others[] = {1000, -INFINITY, NAN, INFINITY};
    static float logits[NEIGHBOURS * FEW], alone[NEIGHBOURS * FEW];
    clsoftmax_context *const contexts[] = {test_open("cpu"), test_open_opencl()};
    uint64_t random = 7;
    fill_matrix(FILL_NARROW, &random, 1, NEIGHBOURS, FEW, logits);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        logits[place(0, 70 + 21 * i, FEW - 1)] = others[i]; /* in the second and the third panel of 64 rows */
    compute_neighbours(contexts[0], CLSOFTMAX_STRATEGY_ITEM, 1, logits, alone);
    for (size_t d = 0; d < sizeof contexts / sizeof *contexts; d++)
        for (clsoftmax_strategy s = CLSOFTMAX_STRATEGY_AUTO; ++s < CLSOFTMAX_STRATEGY_COUNT;)
            if (clsoftmax_strategy_supported(contexts[d], s))
                check_neighbours(contexts[d], s, logits, alone);
    clsoftmax_context_release(contexts[0]);
    clsoftmax_context_release(contexts[1]);
}

/* Runs cpu with different numbers of threads, on the matrix so many times that all of them have something to do. */
Test(invariance, threads)
{
    enum { TIMES = 15 };
    static float many[TIMES][COUNT], results[TIMES][COUNT];
    const char *const counts[] = {"1", "2", "3", "7"};
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    problem.outer = TIMES * ROWS;
    problem.classes = CLASSES;
    for (size_t k = 0; k < TIMES; k++)
        memcpy(many[k], x, sizeof x);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        setenv("CLSOFTMAX_THREADS", counts[i], 1);
        clsoftmax_context *cpu = test_open("cpu");
        test_run(cpu, &problem, many[0], 0.7f, results[0]);
        clsoftmax_context_release(cpu);
        for (size_t k = 0; k < TIMES; k++)
            cr_expect(memcmp(results[k], expected, sizeof expected) == 0, "%s threads", counts[i]);
        memset(results, 0xA5, sizeof results);
    }
    clsoftmax_context *context = NULL;
    setenv("CLSOFTMAX_THREADS", "many", 1);
    cr_expect_eq(clsoftmax_context_create("cpu", &context), CLSOFTMAX_INVALID_ARGUMENT);
}

/* Runs cpu with every instruction set of this processor. */
Test(invariance, instruction_set)
{
    const char *const sets[] = {"baseline", "avx2", "avx512"};
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        clsoftmax_context *context = NULL;
        setenv("CLSOFTMAX_CPU_ISA", sets[i], 1);
        if (clsoftmax_context_create("cpu", &context) != CLSOFTMAX_OK) {
            cr_assert(i > 0, "every processor has the baseline");
            fprintf(stderr, "instruction_set: this processor has no %s\n", sets[i]);
            continue;
        }
        cr_expect_str_eq(clsoftmax_context_device(context)->driver, sets[i]);
        compute(context, CLSOFTMAX_STRATEGY_AUTO, 0, p);
        cr_expect(memcmp(p, expected, sizeof p) == 0, "%s", sets[i]);
        clsoftmax_context_release(context);
    }
}

/* Computes on cpu and with every strategy of OpenCL in the environment that the caller has set. The contexts are made
   in it too, because new threads inherit it. */
static void compute_everywhere_and_compare(const char *environment)
{
    clsoftmax_context *opencl = test_open_opencl();
    compute_on("cpu", p);
    cr_expect(memcmp(p, expected, sizeof p) == 0, "cpu, %s", environment);
    for (clsoftmax_strategy s = CLSOFTMAX_STRATEGY_AUTO; ++s < CLSOFTMAX_STRATEGY_COUNT;) {
        compute(opencl, s, 0, p);
        cr_expect(memcmp(p, expected, sizeof p) == 0, "%s, %s", clsoftmax_strategy_name(s), environment);
    }
    clsoftmax_context_release(opencl);
}

/* Computes on cpu while the caller rounds upward. */
Test(invariance, callers_rounding_mode)
{
    fesetround(FE_UPWARD);
    compute_on("cpu", p);
    cr_expect_eq(fegetround(), FE_UPWARD, "the caller's rounding mode was not given back");
    fesetround(FE_TONEAREST);
    cr_expect(memcmp(p, expected, sizeof p) == 0, "cpu, rounding upward");
}

#ifdef __x86_64__
/* Computes everywhere while the caller flushes subnormals to zero. */
Test(invariance, callers_flush_to_zero)
{
    unsigned callers = _mm_getcsr();
    _mm_setcsr(callers | 0x8040); /* flush to zero, denormals are zero */
    compute_everywhere_and_compare("flush to zero");
    cr_expect_eq(_mm_getcsr() & 0x8040, 0x8040u, "the caller's mode was not given back");
    _mm_setcsr(callers);
}
#endif

/* Computes everywhere while the caller traps. Threads of the driver would inherit the traps, and end the process. */
Test(invariance, callers_traps)
{
    const int traps = FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW | FE_UNDERFLOW;
    feenableexcept(traps);
    compute_everywhere_and_compare("traps");
    cr_expect_eq(fegetexcept(), traps, "the caller's traps were not given back");
    fedisableexcept(traps);
}

/* Computes everywhere in the default environment. */
Test(invariance, default_environment)
{
    compute_everywhere_and_compare("default environment");
}
