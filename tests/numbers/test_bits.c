/* The heart of the contract: probabilities of random matrices have the same bits on cpu and with every strategy of
   OpenCL, and are less than 1 ULP, or 4 with accuracy "fast", from the oracle in MPFR. oracle_sees_two_ulp shows that
   the oracle sees errors. CLSOFTMAX_TEST_SEED reruns one matrix. */
#include "support/device.h"
#include "support/fill.h"
#include "support/oracle.h"
#include "support/random.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_ROWS 64
#define MOST_CLASSES 5000

/* Counts of the results of a whole test. If all of them were 0, 1 or NaN, the test would prove nothing. */
typedef struct evidence {
    uint64_t values, between, subnormal, zero, nan;
} evidence;

static void add_evidence(evidence *evidence, const float *p, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        evidence->values++;
        evidence->between += p[i] > 0 && p[i] < 1;
        evidence->subnormal += p[i] > 0 && p[i] < FLT_MIN;
        evidence->zero += p[i] == 0;
        evidence->nan += isnan(p[i]) != 0;
    }
}

typedef struct random_case {
    uint64_t seed;
    fill kind;
    size_t rows, classes;
    float temperature;
} random_case;

/* Draws a matrix. The logarithms of its sizes are uniform, so that short rows are tried as often as long ones. */
static random_case draw_case(uint64_t seed, float *x)
{
    uint64_t random = seed;
    random_case drawn = {.seed = seed};
    drawn.kind = (fill)random_below(&random, FILL_COUNT);
    drawn.rows = (size_t)exp(random_unit(&random) * log(MOST_ROWS + 0.99));
    drawn.classes = (size_t)exp(random_unit(&random) * log(MOST_CLASSES + 0.99));
    drawn.temperature = fill_temperature(&random);
    fill_matrix(drawn.kind, &random, drawn.temperature, drawn.rows, drawn.classes, x);
    return drawn;
}

static const char *describe(const random_case *c)
{
    static char text[200];
    snprintf(text, sizeof text, "seed %llu: %s, %zu rows of %zu classes, T = %a (rerun with CLSOFTMAX_TEST_SEED=%llu)",
             (unsigned long long)c->seed, fill_name(c->kind), c->rows, c->classes, (double)c->temperature,
             (unsigned long long)c->seed);
    return text;
}

static void expect_same_bits(const random_case *c, const char *who, const float *expected, const float *p)
{
    for (size_t i = 0; i < c->rows * c->classes; i++)
        if (memcmp(&expected[i], &p[i], sizeof *p) != 0)
            cr_assert_fail("%s, row %zu class %zu: %s %a, cpu %a", describe(c), i / c->classes, i % c->classes, who,
                           (double)p[i], (double)expected[i]);
}

typedef struct buffers {
    float *x, *expected, *p;
} buffers;

static buffers make_buffers(size_t count)
{
    buffers made = {malloc(count * sizeof(float)), malloc(count * sizeof(float)), malloc(count * sizeof(float))};
    cr_assert(made.x && made.expected && made.p);
    return made;
}

static void release_buffers(buffers b)
{
    free(b.x);
    free(b.expected);
    free(b.p);
}

static clsoftmax_problem problem_of(const random_case *c, clsoftmax_accuracy accuracy, clsoftmax_strategy strategy)
{
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    problem.outer = c->rows;
    problem.classes = c->classes;
    problem.strategy = strategy;
    problem.accuracy = accuracy;
    return problem;
}

/* Runs a matrix on cpu and with every strategy of the OpenCL device. */
static void run_everywhere(const random_case *c, clsoftmax_accuracy accuracy, clsoftmax_context *cpu,
                           clsoftmax_context *opencl, buffers b)
{
    clsoftmax_problem problem = problem_of(c, accuracy, CLSOFTMAX_STRATEGY_AUTO);
    test_run(cpu, &problem, b.x, c->temperature, b.expected);
    for (clsoftmax_strategy s = CLSOFTMAX_STRATEGY_AUTO; ++s < CLSOFTMAX_STRATEGY_COUNT;) {
        if (!clsoftmax_strategy_supported(opencl, s))
            continue;
        problem = problem_of(c, accuracy, s);
        memset(b.p, 0xA5, c->rows * c->classes * sizeof(float));
        test_run(opencl, &problem, b.x, c->temperature, b.p);
        expect_same_bits(c, clsoftmax_strategy_name(s), b.expected, b.p);
    }
}

/* The promise of each accuracy, in ULP, and the share of the matrices in a short run. */
static const struct {
    double ulp;
    uint64_t step;
} promises[CLSOFTMAX_ACCURACY_COUNT] = {[CLSOFTMAX_ACCURACY_FAITHFUL] = {1, 1}, [CLSOFTMAX_ACCURACY_FAST] = {4, 8}};

/* Compares the rows of a matrix with the oracle, and returns the worst error. */
static row_error check_rows(const random_case *c, clsoftmax_accuracy accuracy, buffers b)
{
    row_error worst = {0};
    for (size_t row = 0; row < c->rows; row++) {
        const float *x = b.x + row * c->classes, *p = b.expected + row * c->classes;
        row_error error = oracle_row_error(x, p, c->classes, c->temperature);
        cr_assert(error.ulp < promises[accuracy].ulp, "%s, %s, row %zu class %zu: %a is %.3f ULP from %a", describe(c),
                  clsoftmax_accuracy_name(accuracy), row, error.class, (double)p[error.class], error.ulp, error.exact);
        if (error.ulp > worst.ulp)
            worst = error;
    }
    return worst;
}

/* Compares random matrices between devices, and with the oracle. */
static void check_random_matrices(clsoftmax_accuracy accuracy)
{
    clsoftmax_context *opencl = test_open_opencl(), *cpu = test_open("cpu");
    buffers b = make_buffers(MOST_ROWS * MOST_CLASSES);
    const char *one = getenv("CLSOFTMAX_TEST_SEED");
    uint64_t first = one ? strtoull(one, NULL, 10) : 1, count = one ? 1 : test_is_long() ? 10000 : 400;
    const uint64_t step = test_is_long() ? 1 : promises[accuracy].step;
    evidence evidence = {0};
    double worst = 0;
    random_case worst_case = {0};
    for (uint64_t seed = first; seed < first + count; seed += step) {
        random_case c = draw_case(seed, b.x);
        run_everywhere(&c, accuracy, cpu, opencl, b);
        add_evidence(&evidence, b.expected, c.rows * c.classes);
        double ulp = check_rows(&c, accuracy, b).ulp;
        worst_case = ulp > worst ? c : worst_case;
        worst = ulp > worst ? ulp : worst;
    }
    fprintf(stderr, "random_matrices, %s: %llu matrices, %llu values, worst %.4f ULP (%s)\n",
            clsoftmax_accuracy_name(accuracy), (unsigned long long)(count / step), (unsigned long long)evidence.values,
            worst, describe(&worst_case));
    if (!one) {
        cr_expect(evidence.between > evidence.values / 3, "too few probabilities between 0 and 1 to prove anything");
        cr_expect(evidence.subnormal > 1000 / step, "too few subnormal probabilities");
        cr_expect(evidence.zero > 1000 / step && evidence.nan > 1000 / step, "too few zeros or NaN rows");
        cr_expect(worst > 0.5 * (accuracy == CLSOFTMAX_ACCURACY_FAST ? 3 : 1),
                  "an error that is never large: is the oracle at work?");
    }
    release_buffers(b);
    clsoftmax_context_release(cpu);
    clsoftmax_context_release(opencl);
}

Test(bits, random_matrices, .timeout = 3600)
{
    check_random_matrices(CLSOFTMAX_ACCURACY_FAITHFUL);
}

Test(bits, random_matrices_fast, .timeout = 3600)
{
    check_random_matrices(CLSOFTMAX_ACCURACY_FAST);
}

/* Runs a row of 2^20 + 1 classes, whose sum needs the third level: all exponentials but one are near the resolution
   2^-45 of the second level, which would lose half of them. The one peak keeps the sum near 1. */
static void expect_long_row(float z, clsoftmax_accuracy accuracy, clsoftmax_context *cpu, clsoftmax_context *opencl,
                            buffers b)
{
    random_case c = {.kind = FILL_PEAK, .rows = 1, .classes = (1 << 20) + 1, .temperature = 1};
    for (size_t i = 0; i < c.classes; i++)
        b.x[i] = z;
    b.x[777] = 0;
    run_everywhere(&c, accuracy, cpu, opencl, b);
    cr_expect(b.expected[777] > 1e-4f && b.expected[0] > 0, "the data proves nothing at z = %g", (double)z);
    row_error error = oracle_row_error(b.x, b.expected, c.classes, 1);
    cr_assert(error.ulp < promises[accuracy].ulp, "z = %g, class %zu: %.3f ULP", (double)z, error.class, error.ulp);
    fprintf(stderr, "long rows, %s: z = %g, worst %.4f ULP\n", clsoftmax_accuracy_name(accuracy), (double)z, error.ulp);
}

Test(bits, long_rows, .timeout = 600)
{
    clsoftmax_context *opencl = test_open_opencl(), *cpu = test_open("cpu");
    buffers b = make_buffers((1 << 20) + 1);
    const float z[] = {-31.8f, -20, -14}; /* exp(-31.8) is 0.55 * 2^-45 */
    for (size_t i = 0; i < (test_is_long() ? 3 : 1); i++)
        for (int accuracy = 0; accuracy < CLSOFTMAX_ACCURACY_COUNT; accuracy++)
            expect_long_row(z[i], (clsoftmax_accuracy)accuracy, cpu, opencl, b);
    release_buffers(b);
    clsoftmax_context_release(cpu);
    clsoftmax_context_release(opencl);
}

/* Gives the oracle results that are wrong. */
Test(bits, oracle_sees_two_ulp)
{
    const float x[3] = {10, 20, 30};
    float p[3] = {0.0900305733f, 0.244728476f, 0.665240943f};
    cr_expect(oracle_row_error(x, p, 3, 10).ulp < 1);
    p[1] = nextafterf(nextafterf(p[1], 1), 1);
    row_error error = oracle_row_error(x, p, 3, 10);
    cr_expect(error.ulp > 1 && error.class == 1);

    const float masked[2] = {1, -INFINITY};
    float negative_zero[2] = {1, -0.0f};
    cr_expect(isinf(oracle_row_error(masked, negative_zero, 2, 1).ulp), "-0 for a mask goes unseen");
    const float nan_row[2] = {NAN, 0};
    float other_nan[2] = {-NAN, NAN};
    cr_expect(isinf(oracle_row_error(nan_row, other_nan, 2, 1).ulp), "a NaN that is not canonical goes unseen");
}
