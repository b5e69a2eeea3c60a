/* The cross of operation x dtypes x strategy x axis x in place x kind of temperature, over sizes at and around every boundary:
   the bits of cpu everywhere, canaries whole, results right by an oracle. It loops over the tables that the library itself uses,
   so that a new row of one is covered without being asked. */
#include "support/device.h"
#include "support/dtype_values.h"
#include "support/fill.h"
#include "support/oracle.h"
#include "support/oracle_statistics.h"
#include "support/random.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CANARY 0x5A
#define GUARD 64 /* bytes before and behind each array */

/* ---------------------------------------------------------------- A case */

typedef enum axis_place { LAST, MIDDLE, FIRST, STRIDED, MIDDLE_OF_NEIGHBOURS, AXIS_PLACES } axis_place;

typedef struct cross_case {
    clsoftmax_problem problem;
    axis_place place;
    int in_place;
    fill kind;
    float temperature;
    uint64_t seed;
} cross_case;

static const char *describe(const cross_case *c)
{
    static char text[300];
    const clsoftmax_problem *p = &c->problem;
    snprintf(text, sizeof text,
             "%s %s->%s %s, %llu x %llu x %llu, axis %d, in place %d, T %a (per row %d), %s, seed %llu",
             clsoftmax_operation_name(p->operation), clsoftmax_dtype_name(p->logits_dtype),
             clsoftmax_dtype_name(p->results_dtype), clsoftmax_strategy_name(p->strategy), (unsigned long long)p->outer,
             (unsigned long long)p->classes, (unsigned long long)p->inner, (int)c->place, c->in_place,
             (double)c->temperature, p->temperature_per_row, fill_name(c->kind), (unsigned long long)c->seed);
    return text;
}

/* ---------------------------------------------------------------- Arrays with guards */

typedef struct guarded {
    unsigned char *whole;
    size_t bytes;
    void *array;
} guarded;

static guarded make_guarded(size_t bytes)
{
    guarded g = {malloc(bytes + 2 * GUARD), bytes, NULL};
    cr_assert_not_null(g.whole);
    memset(g.whole, CANARY, bytes + 2 * GUARD);
    g.array = g.whole + GUARD;
    return g;
}

static void check_guards(const cross_case *c, const guarded *g, const char *which)
{
    for (size_t i = 0; i < GUARD; i++)
        cr_assert(g->whole[i] == CANARY && g->whole[GUARD + g->bytes + i] == CANARY,
                  "%s: a guard of the %s was written over", describe(c), which);
}

/* ---------------------------------------------------------------- Layouts */

static uint64_t span_of(const clsoftmax_problem *p, const clsoftmax_layout *l)
{
    return l->offset + (p->outer - 1) * l->outer_stride + (p->classes - 1) * l->class_stride +
           (p->inner - 1) * l->inner_stride + 1;
}

static uint64_t place_of(const clsoftmax_problem *p, const clsoftmax_layout *l, uint64_t row, uint64_t class)
{
    return l->offset + row / p->inner * l->outer_stride + class * l->class_stride + row % p->inner * l->inner_stride;
}

/* Rows and classes laid out for the place of the axis. */
static void set_layouts(cross_case *c, uint64_t rows, uint64_t classes)
{
    clsoftmax_problem *p = &c->problem;
    int is_middle = c->place == MIDDLE || c->place == MIDDLE_OF_NEIGHBOURS;
    uint64_t inner = c->place == FIRST ? rows : is_middle ? (rows + 1) / 2 : 1;
    p->inner = inner;
    p->outer = c->place == FIRST ? 1 : is_middle ? 2 : rows;
    p->classes = classes;
    clsoftmax_layout dense = {0, classes * inner, inner, 1};
    if (c->place == STRIDED) { /* leading dimension and offset; classes two apart in the results */
        dense.offset = 5;
        dense.outer_stride = 2 * classes + 3;
    }
    if (c->place == MIDDLE_OF_NEIGHBOURS) { /* as seen from the axis, the last two dimensions are transposed */
        dense.class_stride = 1;
        dense.inner_stride = classes;
    }
    p->logits_layout = p->results_layout = dense;
    if (c->place == STRIDED && !c->in_place)
        p->results_layout.class_stride = 2;
}

/* ---------------------------------------------------------------- Running */

typedef struct result {
    guarded results;
    clsoftmax_statistics *statistics;
    uint64_t invalid_rows;
} result;

static result run_case(const cross_case *c, clsoftmax_context *context, const void *logits, size_t logits_bytes,
                       const float *temperatures, const int64_t *labels)
{
    const clsoftmax_problem *p = &c->problem;
    uint64_t rows = p->outer * p->inner;
    result r = {make_guarded((size_t)span_of(p, &p->results_layout) * clsoftmax_dtype_size(p->results_dtype)), NULL,
                99};
    r.statistics = malloc(rows * sizeof *r.statistics);
    clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
    if (c->in_place)
        memcpy(r.results.array, logits, logits_bytes);
    arguments.logits = c->in_place ? r.results.array : logits;
    arguments.results = r.results.array;
    arguments.temperature = c->temperature;
    arguments.temperatures = p->temperature_per_row ? temperatures : NULL;
    arguments.labels = labels;
    arguments.statistics = r.statistics;
    arguments.invalid_rows = &r.invalid_rows;
    clsoftmax_plan *plan = NULL;
    cr_assert_eq(clsoftmax_plan_create(context, p, &plan), CLSOFTMAX_OK, "%s: %s", describe(c), clsoftmax_last_error());
    cr_assert_eq(clsoftmax_plan_run(plan, &arguments), CLSOFTMAX_OK, "%s: %s", describe(c), clsoftmax_last_error());
    clsoftmax_plan_release(plan);
    check_guards(c, &r.results, "results");
    return r;
}

static void release_result(result *r)
{
    free(r->results.whole);
    free(r->statistics);
}

/* A row's logits and results as f32 side by side. */
static void gather(const clsoftmax_problem *p, const void *logits, const void *results, uint64_t row, float *x,
                   float *y)
{
    for (uint64_t i = 0; i < p->classes; i++) {
        x[i] = value_of(logits, p->logits_dtype, place_of(p, &p->logits_layout, row, i));
        y[i] = value_of(results, p->results_dtype, place_of(p, &p->results_layout, row, i));
    }
}

static int is_ordinary(const float *x, uint64_t classes, float temperature)
{
    int finite = 0;
    for (uint64_t i = 0; i < classes; i++) {
        if (isnan(x[i]) || x[i] == INFINITY)
            return 0;
        finite |= isfinite(x[i]);
    }
    return finite && temperature >= 0;
}

/* Rows of f32 against the oracles. */
static void check_rows(const cross_case *c, const void *logits, const result *r, const float *temperatures,
                       const int64_t *labels)
{
    const clsoftmax_problem *p = &c->problem;
    float *x = malloc(p->classes * sizeof(float)), *y = malloc(p->classes * sizeof(float));
    for (uint64_t row = 0; row < p->outer * p->inner; row++) {
        float temperature = p->temperature_per_row ? temperatures[row] : c->temperature;
        gather(p, logits, r->results.array, row, x, y);
        if (!is_ordinary(x, p->classes, temperature))
            continue;
        double error = p->operation == CLSOFTMAX_OPERATION_SOFTMAX ? oracle_row_error(x, y, p->classes, temperature).ulp
                                                                   : oracle_log_error(x, y, p->classes, temperature);
        cr_assert(error < (p->operation == CLSOFTMAX_OPERATION_SOFTMAX ? 1 : 1.0000001), "%s: row %llu is %.3f ULP off",
                  describe(c), (unsigned long long)row, error);
        const char *which = "";
        if (p->statistics) {
            double ratio =
                oracle_statistics_error(x, &r->statistics[row], p->classes, temperature, labels[row], &which);
            cr_assert(ratio <= 1, "%s: row %llu: %s is off by %.3f of its bound", describe(c), (unsigned long long)row,
                      which, ratio);
        }
    }
    free(x);
    free(y);
}

/* 16-bit results are those of f32, rounded once. */
static void check_rounding(const cross_case *c, const result *wide, const clsoftmax_problem *wide_problem,
                           const result *r)
{
    const clsoftmax_problem *p = &c->problem;
    for (uint64_t row = 0; row < p->outer * p->inner; row++)
        for (uint64_t i = 0; i < p->classes; i++) {
            float exact =
                ((const float *)wide->results.array)[place_of(wide_problem, &wide_problem->results_layout, row, i)];
            uint16_t bits = ((const uint16_t *)r->results.array)[place_of(p, &p->results_layout, row, i)];
            uint16_t expected = p->results_dtype == CLSOFTMAX_F16 ? 0x7E00 : 0x7FC0;
            if (isinf(exact))
                expected = p->results_dtype == CLSOFTMAX_F16 ? 0xFC00 : 0xFF80;
            else if (!isnan(exact))
                expected = nearest_value((double)exact, p->results_dtype);
            cr_assert_eq(bits, expected, "%s: row %llu class %llu: %04x, not %04x for %a", describe(c),
                         (unsigned long long)row, (unsigned long long)i, bits, expected, (double)exact);
        }
}

static void run_everywhere(cross_case c, clsoftmax_context *cpu, clsoftmax_context *opencl, int with_oracle)
{
    clsoftmax_problem *p = &c.problem;
    uint64_t rows = p->outer * p->inner, random = c.seed;
    size_t logits_bytes = (size_t)span_of(p, &p->logits_layout) * clsoftmax_dtype_size(p->logits_dtype);
    guarded logits = make_guarded(logits_bytes);
    float *values = malloc((size_t)(rows * p->classes) * sizeof(float)), *temperatures = malloc(rows * sizeof(float));
    int64_t *labels = malloc(rows * sizeof *labels);
    fill_matrix(c.kind, &random, c.temperature, rows, p->classes, values);
    for (uint64_t row = 0; row < rows; row++) {
        temperatures[row] = row % 5 == 3   ? -1
                            : row % 7 == 4 ? NAN
                            : row == 0     ? c.temperature
                                           : fill_temperature(&random);
        labels[row] = row % 3 == 2 ? -1 : (int64_t)random_below(&random, p->classes);
        for (uint64_t i = 0; i < p->classes; i++)
            put_value(logits.array, p->logits_dtype, place_of(p, &p->logits_layout, row, i),
                      values[row * p->classes + i]);
    }
    free(values);

    clsoftmax_strategy strategy = p->strategy;
    p->strategy = CLSOFTMAX_STRATEGY_AUTO;
    result expected = run_case(&c, cpu, logits.array, logits_bytes, temperatures, labels);
    p->strategy = strategy;
    result r = run_case(&c, opencl, logits.array, logits_bytes, temperatures, labels);
    for (size_t i = 0; i < r.results.bytes; i++)
        cr_assert(((unsigned char *)expected.results.array)[i] == ((unsigned char *)r.results.array)[i],
                  "%s: bits unlike cpu at byte %zu: %02x, not %02x", describe(&c), i,
                  ((unsigned char *)r.results.array)[i], ((unsigned char *)expected.results.array)[i]);
    cr_assert(!p->statistics || memcmp(expected.statistics, r.statistics, rows * sizeof *r.statistics) == 0,
              "%s: statistics unlike cpu", describe(&c));
    cr_assert_eq(expected.invalid_rows, r.invalid_rows, "%s", describe(&c));
    check_guards(&c, &logits, "logits");
    if (p->results_dtype != CLSOFTMAX_F32) {
        cross_case wide = c;
        wide.in_place = 0;
        wide.problem.results_dtype = CLSOFTMAX_F32;
        wide.problem.strategy = CLSOFTMAX_STRATEGY_AUTO;
        result f32 = run_case(&wide, cpu, logits.array, logits_bytes, temperatures, labels);
        check_rounding(&c, &f32, &wide.problem, &expected);
        release_result(&f32);
    } else if (with_oracle) {
        check_rows(&c, logits.array, &expected, temperatures, labels);
    }
    release_result(&expected);
    release_result(&r);
    free(logits.whole);
    free(temperatures);
    free(labels);
}

/* ---------------------------------------------------------------- The cross */

static const uint64_t sizes[] = {1, 2, 15, 16, 17, 31, 63, 64, 65, 97, 255, 256, 257, 1000, 1009};
enum { SIZES = sizeof sizes / sizeof *sizes };

/* One choice of every axis of the cross; the rest is drawn. */
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
    c.place = (axis_place)random_below(&random, AXIS_PLACES);
    c.in_place = c.problem.logits_dtype == c.problem.results_dtype && random_below(&random, 2);
    c.kind = (fill)random_below(&random, FILL_COUNT);
    c.temperature = fill_temperature(&random);
    set_layouts(&c, 1 + random_below(&random, 40), sizes[random_below(&random, SIZES)]);
    return c;
}

Test(cross, drawn_cases, .timeout = 3600)
{
    clsoftmax_context *opencl = test_open_opencl(), *cpu = test_open("cpu");
    const char *one = getenv("CLSOFTMAX_TEST_SEED");
    uint64_t first = one ? strtoull(one, NULL, 10) : 1, count = one ? 1 : test_is_long() ? 1500 : 50;
    for (uint64_t seed = first; seed < first + count; seed++)
        run_everywhere(choose(seed), cpu, opencl, seed % 2 == 0 || test_is_long());
    fprintf(stderr, "drawn_cases: %llu cases\n", (unsigned long long)count);
    clsoftmax_context_release(cpu);
    clsoftmax_context_release(opencl);
}

/* One combination, at every size in turn as combinations go by. */
static void run_combination(cross_case c, uint64_t number, clsoftmax_context *cpu, clsoftmax_context *opencl)
{
    cross_case drawn = choose(1000000 + number);
    c.seed = drawn.seed;
    c.kind = drawn.kind;
    c.temperature = drawn.temperature;
    set_layouts(&c, 19, sizes[number % SIZES]);
    run_everywhere(c, cpu, opencl, 1);
}

/* Every operation x dtype x dtype x strategy x axis x in place x kind of temperature; a part of it has every pair of values. */
Test(cross, every_combination, .timeout = 3600)
{
    clsoftmax_context *opencl = test_open_opencl(), *cpu = test_open("cpu");
    const unsigned counts[7] = {CLSOFTMAX_OPERATION_COUNT - 1,
                                CLSOFTMAX_DTYPE_COUNT,
                                CLSOFTMAX_DTYPE_COUNT,
                                CLSOFTMAX_STRATEGY_COUNT - 1,
                                AXIS_PLACES,
                                2,
                                2};
    uint64_t all = 1, count = 0;
    for (int i = 0; i < 7; i++)
        all *= counts[i];
    for (uint64_t number = 0; number < all; number++) {
        unsigned v[7], sum = 0;
        uint64_t rest = number;
        for (int i = 0; i < 7; i++) {
            v[i] = (unsigned)(rest % counts[i]);
            rest /= counts[i];
            sum += v[i] * (unsigned)(2 * i + 1);
        }
        cross_case c = {.place = (axis_place)v[4], .in_place = v[5] != 0};
        const clsoftmax_problem initial = CLSOFTMAX_PROBLEM_INIT;
        c.problem = initial;
        c.problem.operation = (clsoftmax_operation)(1 + v[0]);
        c.problem.logits_dtype = (clsoftmax_dtype)v[1];
        c.problem.results_dtype = (clsoftmax_dtype)v[2];
        c.problem.strategy = (clsoftmax_strategy)(1 + v[3]);
        c.problem.temperature_per_row = (int)v[6];
        if ((c.in_place && v[1] != v[2]) || (!test_is_long() && sum % 17 != 0))
            continue;
        run_combination(c, number, cpu, opencl);
        count++;
    }
    fprintf(stderr, "every_combination: %llu cases\n", (unsigned long long)count);
    clsoftmax_context_release(cpu);
    clsoftmax_context_release(opencl);
}

/* More rows than device cpu puts side by side, so that whole tiles are read from where they stand, and one that is not whole. */
Test(cross, many_short_rows, .timeout = 600)
{
    clsoftmax_context *opencl = test_open_opencl(), *cpu = test_open("cpu");
    const uint64_t lengths[] = {1, 2, 3, 4, 5, 6, 7, 10, 17, 64};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        for (uint64_t seed = 0; seed < 3; seed++) {
            cross_case c = choose(3 * i + seed);
            c.problem.strategy = CLSOFTMAX_STRATEGY_LANE;
            c.problem.tile_outer = 0;
            if (seed >
                0) /* read from where they stand: dense; with a stride, and in place, so that results have it too */
                c.problem.logits_dtype = c.problem.results_dtype = CLSOFTMAX_F32;
            c.in_place = seed == 2;
            c.place = seed == 2 ? STRIDED : LAST;
            set_layouts(&c, 200, lengths[i]);
            run_everywhere(c, cpu, opencl, 0);
        }
    clsoftmax_context_release(cpu);
    clsoftmax_context_release(opencl);
}

/* So many columns that a work-item of a CPU takes vectors of them abreast: four, the last of them not whole, or a single one at the end;
   two. */
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
            set_layouts(&c, columns[i], 257);
            run_everywhere(c, cpu, opencl, seed == 1);
        }
    clsoftmax_context_release(cpu);
    clsoftmax_context_release(opencl);
}

/* Rows of the lengths of real vocabularies, beyond the scratch row and beyond every work-group. */
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
            set_layouts(&c, 2, lengths[i]);
            run_everywhere(c, cpu, opencl, strategy == CLSOFTMAX_STRATEGY_ITEM);
        }
    clsoftmax_context_release(cpu);
    clsoftmax_context_release(opencl);
}

/* All 65,536 patterns of a 16-bit type through T = inf-free identity: a row of one class is 1, so the logits are read back from
   their maximum instead. */
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
