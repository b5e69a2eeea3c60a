/* The cross of operation x dtypes x strategy x axis x in place x kind of temperature, over sizes at and around every
   boundary: the bits of cpu everywhere, canaries whole, results within their bounds of an oracle in MPFR
   (cross_case.c). It loops over the lists of the public header, so that a new entry of one is tested without being
   named here. CLSOFTMAX_TEST_SEED reruns one drawn case. */
#include "cross_case.h"
#include "support/device.h"
#include "support/dtype_values.h"
#include "support/random.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const uint64_t sizes[] = {1, 2, 15, 16, 17, 31, 63, 64, 65, 97, 255, 256, 257, 1000, 1009};
enum { SIZES = sizeof sizes / sizeof *sizes };

/* Draws a case: every choice of the cross, and what is no part of it. */
static cross_case choose(uint64_t seed)
{
    uint64_t random = seed;
    cross_case c = {.seed = seed};
    const clsoftmax_problem initial = CLSOFTMAX_PROBLEM_INIT;
    c.problem = initial;
    c.problem.operation = (clsoftmax_operation)(1 + random_below(&random, CLSOFTMAX_OPERATION_COUNT - 1));
    c.problem.logits_dtype = (clsoftmax_dtype)random_below(&random, CLSOFTMAX_DTYPE_COUNT);
    c.problem.results_dtype = (clsoftmax_dtype)random_below(&random, CLSOFTMAX_DTYPE_COUNT);
    c.problem.temperature_per_row = (int)random_below(&random, 2);
    c.problem.statistics = (int)random_below(&random, 2);
    c.problem.neg_inf_rows = (clsoftmax_neg_inf_rows)random_below(&random, 3);
    c.problem.pos_inf = (clsoftmax_pos_inf)random_below(&random, 2);
    c.problem.strategy = (clsoftmax_strategy)(1 + random_below(&random, CLSOFTMAX_STRATEGY_COUNT - 1)); /* not AUTO */
    c.problem.tile_outer = random_below(&random, 3);
    c.problem.accuracy = (clsoftmax_accuracy)random_below(&random, CLSOFTMAX_ACCURACY_COUNT);
    c.place = (axis_place)random_below(&random, AXIS_PLACES);
    c.in_place = c.problem.logits_dtype == c.problem.results_dtype && random_below(&random, 2);
    c.kind = (fill)random_below(&random, FILL_COUNT);
    c.temperature = fill_temperature(&random);
    cross_set_layouts(&c, 1 + random_below(&random, 40), sizes[random_below(&random, SIZES)]);
    return c;
}

Test(cross, drawn_cases, .timeout = 3600)
{
    clsoftmax_context *opencl = test_open_opencl(), *cpu = test_open("cpu");
    const char *one = getenv("CLSOFTMAX_TEST_SEED");
    uint64_t first = one ? strtoull(one, NULL, 10) : 1, count = one ? 1 : test_is_long() ? 1500 : 25;
    for (uint64_t seed = first; seed < first + count; seed++)
        cross_run(choose(seed), cpu, opencl, seed % 2 == 0 || test_is_long());
    fprintf(stderr, "drawn_cases: %llu cases\n", (unsigned long long)count);
    clsoftmax_context_release(cpu);
    clsoftmax_context_release(opencl);
}

/* Runs a combination at one size: as the combinations go by, the sizes take turns. */
static void run_combination(cross_case c, uint64_t number, clsoftmax_context *cpu, clsoftmax_context *opencl)
{
    cross_case drawn = choose(1000000 + number);
    c.seed = drawn.seed;
    c.problem.accuracy = drawn.problem.accuracy;
    c.kind = drawn.kind;
    c.temperature = drawn.temperature;
    cross_set_layouts(&c, 19, sizes[number % SIZES]);
    cross_run(c, cpu, opencl, 1);
}

/* The choices of the cross, and the most values that one of them has. */
enum { CHOICES = 7, MOST_VALUES = 10 };

/* Pairs of values of two choices: which of them some combination has. */
typedef struct value_pairs {
    char has[CHOICES][MOST_VALUES][CHOICES][MOST_VALUES];
} value_pairs;

/* Adds the pairs of a combination. Returns how many of them are new. */
static int add_pairs(value_pairs *pairs, const unsigned v[CHOICES])
{
    int added = 0;
    for (int i = 0; i < CHOICES; i++)
        for (int j = 0; j < i; j++) {
            added += !pairs->has[i][v[i]][j][v[j]];
            pairs->has[i][v[i]][j][v[j]] = 1;
        }
    return added;
}

static void check_pairs(const value_pairs *pairs, const unsigned counts[CHOICES])
{
    for (int i = 0; i < CHOICES; i++)
        for (int j = 0; j < i; j++)
            for (unsigned a = 0; a < counts[i]; a++)
                for (unsigned b = 0; b < counts[j]; b++)
                    cr_assert(pairs->has[i][a][j][b], "no combination has value %u of choice %d and %u of %d", a, i, b,
                              j);
}

/* Sets the values of a combination from its number. Returns 0 for one that does not exist: in place in another dtype.
 */
static int values_of(uint64_t number, const unsigned counts[CHOICES], unsigned v[CHOICES])
{
    for (int i = 0; i < CHOICES; i++) {
        v[i] = (unsigned)(number % counts[i]);
        number /= counts[i];
    }
    return v[5] == 0 || v[1] == v[2];
}

static cross_case case_of(const unsigned v[CHOICES])
{
    const clsoftmax_problem initial = CLSOFTMAX_PROBLEM_INIT;
    cross_case c = {.problem = initial, .place = (axis_place)v[4], .in_place = v[5] != 0};
    c.problem.operation = (clsoftmax_operation)(1 + v[0]);
    c.problem.logits_dtype = (clsoftmax_dtype)v[1];
    c.problem.results_dtype = (clsoftmax_dtype)v[2];
    c.problem.strategy = (clsoftmax_strategy)(1 + v[3]);
    c.problem.temperature_per_row = (int)v[6];
    return c;
}

/* Runs every operation x dtype x dtype x strategy x axis x in place x kind of temperature; or few of them that have
   every pair of values: first those with the most pairs that no other had, scattered over all. */
Test(cross, every_combination, .timeout = 3600)
{
    enum { STRIDE = 7919, MOST_PAIRS = CHOICES * (CHOICES - 1) / 2 };
    clsoftmax_context *opencl = test_open_opencl(), *cpu = test_open("cpu");
    const unsigned counts[CHOICES] = {CLSOFTMAX_OPERATION_COUNT - 1,
                                      CLSOFTMAX_DTYPE_COUNT,
                                      CLSOFTMAX_DTYPE_COUNT,
                                      CLSOFTMAX_STRATEGY_COUNT - 1,
                                      AXIS_PLACES,
                                      2,
                                      2};
    static value_pairs pairs;
    uint64_t all = 1, count = 0;
    for (int i = 0; i < CHOICES; i++)
        all *= counts[i];
    for (int wanted = test_is_long() ? 0 : MOST_PAIRS; wanted >= !test_is_long(); wanted--)
        for (uint64_t number = 0; number < all; number++) {
            const uint64_t scattered = number * STRIDE % all;
            unsigned v[CHOICES];
            value_pairs with_these = pairs;
            if (!values_of(scattered, counts, v) || add_pairs(&with_these, v) < wanted)
                continue;
            pairs = with_these;
            run_combination(case_of(v), scattered, cpu, opencl);
            count++;
        }
    check_pairs(&pairs, counts);
    fprintf(stderr, "every_combination: %llu cases\n", (unsigned long long)count);
    clsoftmax_context_release(cpu);
    clsoftmax_context_release(opencl);
}

/* Runs more rows than cpu puts side by side in a panel, so that there are whole panels, which are read from where they
   stand, and one that is not whole. */
Test(cross, many_short_rows, .timeout = 600)
{
    clsoftmax_context *opencl = test_open_opencl(), *cpu = test_open("cpu");
    const uint64_t lengths[] = {1, 2, 3, 4, 5, 6, 7, 10, 17, 64};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        for (uint64_t seed = 0; seed < 3; seed++) {
            if (!test_is_long() && seed == i % 3)
                continue;
            cross_case c = choose(3 * i + seed);
            c.problem.strategy = CLSOFTMAX_STRATEGY_LANE;
            c.problem.tile_outer = 0;
            if (seed > 0) /* panels are read from where they stand: dense; with a stride, in place */
                c.problem.logits_dtype = c.problem.results_dtype = CLSOFTMAX_F32;
            c.in_place = seed == 2;
            c.place = seed == 2 ? STRIDED : LAST;
            cross_set_layouts(&c, 200, lengths[i]);
            cross_run(c, cpu, opencl, 0);
        }
    clsoftmax_context_release(cpu);
    clsoftmax_context_release(opencl);
}

/* Runs so many columns that a work-item of a CPU takes several vectors of them abreast: four, the last of which is not
   whole, or stands alone; or two. */
Test(cross, many_columns, .timeout = 600)
{
    clsoftmax_context *opencl = test_open_opencl(), *cpu = test_open("cpu");
    const uint64_t columns[] = {500, 520, 280};
    for (size_t i = 0; i < 3; i++)
        for (uint64_t seed = 0; seed < 4; seed++) {
            cross_case c = choose(900 + 4 * i + seed);
            c.problem.operation = CLSOFTMAX_OPERATION_SOFTMAX;
            c.problem.strategy = CLSOFTMAX_STRATEGY_COLUMN;
            c.problem.tile_outer = 0;
            if (seed > 0) /* stored whole, and in place */
                c.problem.logits_dtype = c.problem.results_dtype = CLSOFTMAX_F32;
            c.in_place = seed == 2;
            c.place = i == 2 ? MIDDLE : FIRST;
            cross_set_layouts(&c, columns[i], 257);
            cross_run(c, cpu, opencl, seed == 1);
        }
    clsoftmax_context_release(cpu);
    clsoftmax_context_release(opencl);
}

/* Runs rows as long as real vocabularies are: longer than what cpu keeps and than every work-group takes. */
Test(cross, long_rows, .timeout = 3600)
{
    clsoftmax_context *opencl = test_open_opencl(), *cpu = test_open("cpu");
    const uint64_t lengths[] = {50257, 128256, 200001};
    for (size_t i = 0; i < (test_is_long() ? 3 : 1); i++)
        for (int strategy = CLSOFTMAX_STRATEGY_AUTO + 1; strategy < CLSOFTMAX_STRATEGY_COUNT; strategy++) {
            cross_case c = choose(77 + i);
            c.problem.strategy = (clsoftmax_strategy)strategy;
            c.problem.results_dtype = CLSOFTMAX_F32;
            c.problem.statistics = 1;
            c.in_place = 0;
            c.kind = FILL_WIDE;
            c.place = strategy == CLSOFTMAX_STRATEGY_COLUMN ? FIRST : LAST;
            cross_set_layouts(&c, 2, lengths[i]);
            cross_run(c, cpu, opencl, strategy == CLSOFTMAX_STRATEGY_ITEM);
        }
    clsoftmax_context_release(cpu);
    clsoftmax_context_release(opencl);
}

/* Reads all 65,536 patterns of a 16-bit type as rows of one class, whose maximum in the statistics is the logit. */
Test(cross, every_16_bit_pattern, .timeout = 300)
{
    clsoftmax_context *opencl = test_open_opencl(), *cpu = test_open("cpu");
    uint16_t *bits = malloc(65536 * sizeof *bits);
    clsoftmax_statistics *statistics = malloc(65536 * sizeof *statistics);
    for (int i = 0; i < 65536; i++)
        bits[i] = (uint16_t)i;
    clsoftmax_context *const contexts[2] = {cpu, opencl};
    for (int dtype = CLSOFTMAX_F16; dtype <= CLSOFTMAX_BF16; dtype++)
        for (int k = 0; k < 2; k++) {
            clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
            problem.outer = 65536;
            problem.classes = 1;
            problem.operation = CLSOFTMAX_OPERATION_NONE;
            problem.logits_dtype = (clsoftmax_dtype)dtype;
            problem.statistics = 1;
            clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
            arguments.logits = bits;
            arguments.statistics = statistics;
            clsoftmax_plan *plan = NULL;
            cr_assert_eq(clsoftmax_plan_create(contexts[k], &problem, &plan), CLSOFTMAX_OK, "%s",
                         clsoftmax_last_error());
            cr_assert_eq(clsoftmax_plan_run(plan, &arguments), CLSOFTMAX_OK, "%s", clsoftmax_last_error());
            clsoftmax_plan_release(plan);
            for (int i = 0; i < 65536; i++) {
                float exact = value_of(bits, (clsoftmax_dtype)dtype, (uint64_t)i), found = statistics[i].maximum;
                cr_assert(isnan(exact) ? isnan(found) : exact == found, "%s %04x: %a, not %a",
                          clsoftmax_dtype_name((clsoftmax_dtype)dtype), i, (double)found, (double)exact);
            }
        }
    free(bits);
    free(statistics);
    clsoftmax_context_release(cpu);
    clsoftmax_context_release(opencl);
}
