/* A case of test_cross.c: what cross_case.h declares. */
#include "cross_case.h"

#include "support/device.h"
#include "support/dtype_values.h"
#include "problem.h"
#include "support/oracle.h"
#include "support/oracle_backward.h"
#include "support/oracle_distillation.h"
#include "support/oracle_loss.h"
#include "support/oracle_statistics.h"
#include "support/oracle_targets.h"
#include "support/random.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CANARY 0x5A
#define GUARD 64 /* bytes before and behind each array */

static const char *describe(const cross_case *c)
{
    static char text[300];
    const clsoftmax_problem *p = &c->problem;
    snprintf(text, sizeof text,
             "%s %s %s->%s %s, %llu x %llu x %llu, axis %d, in place %d, T %a (per row %d), %s, seed %llu",
             clsoftmax_accuracy_name(p->accuracy), clsoftmax_operation_name(p->operation),
             clsoftmax_dtype_name(p->logits_dtype), clsoftmax_dtype_name(p->results_dtype),
             clsoftmax_strategy_name(p->strategy), (unsigned long long)p->outer, (unsigned long long)p->classes,
             (unsigned long long)p->inner, (int)c->place, c->in_place, (double)c->temperature, p->temperature_per_row,
             fill_name(c->kind), (unsigned long long)c->seed);
    return text;
}

/* ---------------------------------------------------------------- Arrays with guards */

typedef struct guarded {
    unsigned char *whole;
    size_t bytes;
    void *array;
} guarded;

/* Makes an array between guards, all of it canaries. */
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

/* Returns how many elements the layout spans. */
static uint64_t span_of(const clsoftmax_problem *p, const clsoftmax_layout *l)
{
    return l->offset + (p->outer - 1) * l->outer_stride + (p->classes - 1) * l->class_stride +
           (p->inner - 1) * l->inner_stride + 1;
}

static uint64_t place_of(const clsoftmax_problem *p, const clsoftmax_layout *l, uint64_t row, uint64_t class)
{
    return l->offset + row / p->inner * l->outer_stride + class * l->class_stride + row % p->inner * l->inner_stride;
}

void cross_set_layouts(cross_case *c, uint64_t rows, uint64_t classes)
{
    clsoftmax_problem *p = &c->problem;
    int is_middle = c->place == MIDDLE || c->place == MIDDLE_OF_NEIGHBOURS;
    uint64_t inner = c->place == FIRST ? rows : is_middle ? (rows + 1) / 2 : 1;
    p->inner = inner;
    p->outer = c->place == FIRST ? 1 : is_middle ? 2 : rows;
    p->classes = classes;
    clsoftmax_layout dense = {0, classes * inner, inner, 1};
    if (c->place == STRIDED) { /* an offset, and gaps between rows; in the results, below, classes two apart */
        dense.offset = 5;
        dense.outer_stride = 2 * classes + 3;
    }
    if (c->place == MIDDLE_OF_NEIGHBOURS) { /* the classes of a row are neighbours, its column is the slower index */
        dense.class_stride = 1;
        dense.inner_stride = classes;
    }
    p->logits_layout = p->operand_layout = p->results_layout = dense;
    if (c->place == STRIDED)
        p->operand_layout.outer_stride = 0; /* all rows have the same operand */
    if (c->place == STRIDED && !c->in_place)
        p->results_layout.class_stride = 2;
}

/* ---------------------------------------------------------------- Running */

typedef struct result {
    guarded results;
    clsoftmax_statistics *statistics;
    float *losses;
    uint64_t invalid_rows;
} result;

/* What each row has beside its logits. */
typedef struct row_data {
    float *temperatures, *weights;
    int64_t *labels;
    guarded operand;
} row_data;

/* What losses take of each call. */
#define SCALE 0.125f
#define Z_LOSS 0x1p-10f
#define SMOOTHING 0.1f
#define TEACHER_SHARE 0.3f

/* Runs the case on a device, into arrays of its own. */
static result run_case(const cross_case *c, clsoftmax_context *context, const void *logits, size_t logits_bytes,
                       const row_data *data)
{
    const clsoftmax_problem *p = &c->problem;
    uint64_t rows = p->outer * p->inner;
    result r = {make_guarded((size_t)span_of(p, &p->results_layout) * clsoftmax_dtype_size(p->results_dtype)), NULL,
                NULL, 99};
    r.statistics = malloc(rows * sizeof *r.statistics);
    r.losses = calloc(rows, sizeof *r.losses);
    clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
    if (c->in_place)
        memcpy(r.results.array, logits, logits_bytes);
    arguments.logits = c->in_place ? r.results.array : logits;
    arguments.results = r.results.array;
    arguments.temperature = c->temperature;
    arguments.temperatures = p->temperature_per_row ? data->temperatures : NULL;
    arguments.labels = data->labels;
    arguments.weights = data->weights;
    arguments.losses = r.losses;
    arguments.operand = cls_takes_operand(p) ? data->operand.array : NULL;
    arguments.scale = SCALE;
    arguments.z_loss = Z_LOSS;
    arguments.label_smoothing = SMOOTHING;
    arguments.teacher_share = TEACHER_SHARE;
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
    free(r->losses);
}

/* Reads the logits, the results and the operand of a row into x, y and g. */
static void gather(const clsoftmax_problem *p, const void *logits, const void *results, const void *operand,
                   uint64_t row, float *x, float *y, float *g)
{
    for (uint64_t i = 0; i < p->classes; i++) {
        x[i] = value_of(logits, p->logits_dtype, place_of(p, &p->logits_layout, row, i));
        y[i] = value_of(results, p->results_dtype, place_of(p, &p->results_layout, row, i));
        g[i] = value_of(operand, p->operand_dtype, place_of(p, &p->operand_layout, row, i));
    }
}

/* Returns a row as a case of distillation, with the operand as its teacher's. */
static distillation_case distillation_of(const cross_case *c, uint64_t row, const float *x, const float *y,
                                         float temperature, const row_data *data)
{
    return (distillation_case){x,
                               y,
                               c->problem.classes,
                               temperature,
                               data->weights[row],
                               SCALE,
                               c->problem.temperature_squared,
                               c->problem.operation == CLSOFTMAX_OPERATION_REVERSE_DISTILLATION_GRADIENT ||
                                   c->problem.operation == CLSOFTMAX_OPERATION_REVERSE_DISTILLATION,
                               c->problem.operation == CLSOFTMAX_OPERATION_JENSEN_SHANNON_GRADIENT ||
                                       c->problem.operation == CLSOFTMAX_OPERATION_JENSEN_SHANNON
                                   ? TEACHER_SHARE
                                   : 0};
}

/* Returns 1 unless the temperature is at an end where the oracle has no answer. */
static int is_without_limit(const distillation_case *c)
{
    return c->temperature > 0 && !(c->is_squared && c->temperature >= 0x1p64f);
}

/* Returns a row as a case of targets: the operand, or a smoothed label. */
static targets_case targets_of(const cross_case *c, uint64_t row, const float *x, const float *y, float temperature,
                               const row_data *data)
{
    const int has_targets = clsoftmax_operation_has_targets(c->problem.operation);
    return (targets_case){x,
                          has_targets ? y : NULL,
                          c->problem.classes,
                          temperature,
                          data->labels[row],
                          data->weights[row],
                          SCALE,
                          Z_LOSS,
                          SMOOTHING};
}

/* Returns 1 if the row has targets, or a label to be smoothed, and is not at an end where the oracle has no answer. */
static int is_target_case(const cross_case *c, const targets_case *targets)
{
    const int is_beyond = c->kind == FILL_HUGE_LOGITS || c->kind == FILL_PATTERN; /* the z-loss would be beyond f32 */
    return targets->temperature > 0 && !is_beyond && (targets->targets || targets->label >= 0);
}

/* Returns the error of the loss of a row with an operand, or of its derivative by T, as a multiple of its bound. */
static double error_of_loss(const cross_case *c, uint64_t row, const float *x, const float *y, float temperature,
                            const row_data *data, float loss)
{
    const distillation_case distillation = distillation_of(c, row, x, y, temperature, data);
    const targets_case targets = targets_of(c, row, x, y, temperature, data);
    const backward_case backward = {c->problem.operation, x, y, c->problem.classes, temperature};
    switch (c->problem.operation) {
    case CLSOFTMAX_OPERATION_DISTILLATION:
    case CLSOFTMAX_OPERATION_DISTILLATION_GRADIENT:
    case CLSOFTMAX_OPERATION_REVERSE_DISTILLATION:
    case CLSOFTMAX_OPERATION_REVERSE_DISTILLATION_GRADIENT:
    case CLSOFTMAX_OPERATION_JENSEN_SHANNON:
    case CLSOFTMAX_OPERATION_JENSEN_SHANNON_GRADIENT:
        return is_without_limit(&distillation) ? oracle_distillation_error(&distillation, loss) : 0;
    case CLSOFTMAX_OPERATION_CROSS_ENTROPY_OF_TARGETS:
    case CLSOFTMAX_OPERATION_CROSS_ENTROPY_OF_TARGETS_GRADIENT:
    case CLSOFTMAX_OPERATION_SMOOTHED_CROSS_ENTROPY:
    case CLSOFTMAX_OPERATION_SMOOTHED_CROSS_ENTROPY_GRADIENT:
        return is_target_case(c, &targets) ? oracle_targets_error(&targets, loss) : 0;
    case CLSOFTMAX_OPERATION_SOFTMAX_TEMPERATURE_GRADIENT:
        return temperature == 0 ? 0 : oracle_temperature_error(&backward, data->weights[row], loss);
    default:
        return 0;
    }
}

/* Returns the error of a row in ULP, or of a gradient as a multiple of its bound. */
static double error_of_row(const cross_case *c, uint64_t row, const float *x, const float *g, const float *y,
                           float temperature, const row_data *data)
{
    const clsoftmax_problem *p = &c->problem;
    size_t worst;
    const loss_case loss = {x, p->classes, temperature, data->labels[row], data->weights[row], SCALE, Z_LOSS};
    const backward_case backward = {p->operation, x, g, p->classes, temperature};
    const distillation_case distillation = distillation_of(c, row, x, g, temperature, data);
    const targets_case targets = targets_of(c, row, x, g, temperature, data);
    const int is_beyond = c->kind == FILL_HUGE_LOGITS || c->kind == FILL_PATTERN; /* the z-loss would be beyond f32 */
    switch (p->operation) {
    case CLSOFTMAX_OPERATION_SOFTMAX:
        return oracle_row_error(x, y, p->classes, temperature).ulp;
    case CLSOFTMAX_OPERATION_LOG_SOFTMAX:
        return oracle_log_error(x, y, p->classes, temperature);
    case CLSOFTMAX_OPERATION_CROSS_ENTROPY_GRADIENT:
        return loss.label < 0 || temperature == 0 || is_beyond ? 0 : oracle_gradient_error(&loss, y, &worst);
    case CLSOFTMAX_OPERATION_SOFTMAX_BACKWARD:
    case CLSOFTMAX_OPERATION_LOG_SOFTMAX_BACKWARD:
    case CLSOFTMAX_OPERATION_SENSITIVITY:
        return temperature == 0 ? 0 : oracle_backward_error(&backward, y, &worst);
    case CLSOFTMAX_OPERATION_DISTILLATION_GRADIENT:
    case CLSOFTMAX_OPERATION_REVERSE_DISTILLATION_GRADIENT:
    case CLSOFTMAX_OPERATION_JENSEN_SHANNON_GRADIENT:
        return is_without_limit(&distillation) ? oracle_distillation_gradient_error(&distillation, y, &worst) : 0;
    case CLSOFTMAX_OPERATION_CROSS_ENTROPY_OF_TARGETS_GRADIENT:
    case CLSOFTMAX_OPERATION_SMOOTHED_CROSS_ENTROPY_GRADIENT:
        return is_target_case(c, &targets) ? oracle_targets_gradient_error(&targets, y, &worst) : 0;
    default:
        return 0;
    }
}

/* Returns 1 if an operand does not make its row NaN. */
static int is_valid(const clsoftmax_problem *p, const float *operand)
{
    for (uint64_t i = 0; i < p->classes; i++)
        if (!isfinite(operand[i]) || (clsoftmax_operation_has_targets(p->operation) && operand[i] < 0))
            return 0;
    return 1;
}

/* Checks f32 results and statistics against the oracles. */
static void check_rows(const cross_case *c, const void *logits, const result *r, const row_data *data)
{
    const clsoftmax_problem *p = &c->problem;
    float *x = malloc(p->classes * sizeof(float)), *y = malloc(p->classes * sizeof(float));
    float *g = malloc(p->classes * sizeof(float));
    for (uint64_t row = 0; row < p->outer * p->inner; row++) {
        float temperature = p->temperature_per_row ? data->temperatures[row] : c->temperature;
        gather(p, logits, r->results.array, data->operand.array, row, x, y, g);
        if (!fill_is_ordinary(x, (size_t)p->classes) || !(temperature >= 0) ||
            (cls_takes_operand(p) && !is_valid(p, g)))
            continue;
        const double error = error_of_row(c, row, x, g, y, temperature, data);
        const double times = p->accuracy == CLSOFTMAX_ACCURACY_FAST ? 4 : 1;
        const double of_results = times > 1 && clsoftmax_operation_has_teacher(p->operation) ? 2 * times : times;
        cr_assert(error < of_results * (p->operation == CLSOFTMAX_OPERATION_SOFTMAX ? 1 : 1.0000001),
                  "%s: row %llu is %.3f ULP, or times its bound, off", describe(c), (unsigned long long)row, error);
        const double of_loss = error_of_loss(c, row, x, g, temperature, data, r->losses[row]);
        cr_assert(of_loss <= times, "%s: the loss of row %llu is %.3f times its bound off", describe(c),
                  (unsigned long long)row, of_loss);
        const char *which = "";
        if (p->statistics) {
            double ratio =
                oracle_statistics_error(x, &r->statistics[row], p->classes, temperature, data->labels[row], &which);
            cr_assert(ratio <= times, "%s: row %llu: %s is off by %.3f of its bound", describe(c),
                      (unsigned long long)row, which, ratio);
        }
    }
    free(x);
    free(y);
    free(g);
}

/* Checks that 16-bit results are the f32 results, rounded once. */
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
                expected = (uint16_t)((p->results_dtype == CLSOFTMAX_F16 ? 0x7C00 : 0x7F80) | (exact < 0 ? 0x8000 : 0));
            else if (!isnan(exact))
                expected = nearest_value((double)exact, p->results_dtype);
            cr_assert_eq(bits, expected, "%s: row %llu class %llu: %04x, not %04x for %a", describe(c),
                         (unsigned long long)row, (unsigned long long)i, bits, expected, (double)exact);
        }
}

/* Returns an element of the operand: of a size that all types have. */
static float drawn_operand(const clsoftmax_problem *p, uint64_t row, uint64_t *random)
{
    const float drawn = ldexpf((float)(random_unit(random) * 2 - 1), -(int)(row % 3 * random_below(random, 5)));
    return clsoftmax_operation_has_targets(p->operation) && row % 4 > 0 ? fabsf(drawn) : drawn;
}

void cross_run(cross_case c, clsoftmax_context *cpu, clsoftmax_context *opencl, int with_oracle)
{
    clsoftmax_problem *p = &c.problem;
    uint64_t rows = p->outer * p->inner, random = c.seed;
    size_t logits_bytes = (size_t)span_of(p, &p->logits_layout) * clsoftmax_dtype_size(p->logits_dtype);
    guarded logits = make_guarded(logits_bytes);
    float *values = malloc((size_t)(rows * p->classes) * sizeof(float));
    p->operand_dtype = (clsoftmax_dtype)(c.seed % CLSOFTMAX_DTYPE_COUNT);
    p->temperature_squared = c.seed % 2 == 0 && c.temperature < 0x1p64f;
    const size_t operand_bytes = (size_t)span_of(p, &p->operand_layout) * clsoftmax_dtype_size(p->operand_dtype);
    const row_data data = {malloc(rows * sizeof(float)), malloc(rows * sizeof(float)), malloc(rows * sizeof(int64_t)),
                           make_guarded(operand_bytes)};
    fill_matrix(c.kind, &random, c.temperature, rows, p->classes, values);
    for (uint64_t row = 0; row < rows; row++) {
        data.temperatures[row] = row % 5 == 3   ? -1
                                 : row % 7 == 4 ? NAN
                                 : row == 0     ? c.temperature
                                                : fill_temperature(&random);
        data.weights[row] = row % 6 == 5 ? 0 : 0.25f + (float)random_unit(&random);
        data.labels[row] = row % 3 == 2 ? -1 : (int64_t)random_below(&random, p->classes);
        for (uint64_t i = 0; i < p->classes; i++)
            put_value(logits.array, p->logits_dtype, place_of(p, &p->logits_layout, row, i),
                      values[row * p->classes + i]);
        for (uint64_t i = 0; i < p->classes; i++)
            put_value(data.operand.array, p->operand_dtype, place_of(p, &p->operand_layout, row, i),
                      row % 8 == 7 && i == p->classes / 2 ? INFINITY : drawn_operand(p, row, &random));
    }
    free(values);

    clsoftmax_strategy strategy = p->strategy;
    p->strategy = CLSOFTMAX_STRATEGY_AUTO;
    result expected = run_case(&c, cpu, logits.array, logits_bytes, &data);
    p->strategy = strategy;
    result r = run_case(&c, opencl, logits.array, logits_bytes, &data);
    for (size_t i = 0; i < r.results.bytes; i++)
        cr_assert(((unsigned char *)expected.results.array)[i] == ((unsigned char *)r.results.array)[i],
                  "%s: bits unlike cpu at byte %zu: %02x, not %02x", describe(&c), i,
                  ((unsigned char *)r.results.array)[i], ((unsigned char *)expected.results.array)[i]);
    cr_assert(!p->statistics || memcmp(expected.statistics, r.statistics, rows * sizeof *r.statistics) == 0,
              "%s: statistics unlike cpu", describe(&c));
    cr_assert(memcmp(expected.losses, r.losses, rows * sizeof *r.losses) == 0, "%s: losses unlike cpu", describe(&c));
    cr_assert_eq(expected.invalid_rows, r.invalid_rows, "%s", describe(&c));
    check_guards(&c, &logits, "logits");
    check_guards(&c, &data.operand, "operand");
    if (cls_has_results(p) && p->results_dtype != CLSOFTMAX_F32) {
        cross_case wide = c;
        wide.in_place = 0;
        wide.problem.results_dtype = CLSOFTMAX_F32;
        wide.problem.strategy = CLSOFTMAX_STRATEGY_AUTO;
        if (cls_problem_is_lean(p)) /* as results of 16 bits may be */
            wide.problem.accuracy = CLSOFTMAX_ACCURACY_FAST;
        result f32 = run_case(&wide, cpu, logits.array, logits_bytes, &data);
        check_rounding(&c, &f32, &wide.problem, &expected);
        release_result(&f32);
    } else if (with_oracle) {
        check_rows(&c, logits.array, &expected, &data);
    }
    release_result(&expected);
    release_result(&r);
    free(logits.whole);
    free(data.temperatures);
    free(data.weights);
    free(data.labels);
    free(data.operand.whole);
}
