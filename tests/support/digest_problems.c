/* The problems of the digests: what digest_problems.h declares. */
#include "digest_problems.h"

#include "random.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* ---------------------------------------------------------------- Lines and their names */

static const char *const temperatures_names[] = {
#define NAME(name, text) text,
    DIGEST_TEMPERATURES_LIST(NAME)};
static const char *const layout_names[] = {DIGEST_LAYOUT_LIST(NAME)};
#undef NAME
static const char *const operation_names[] = {
#define NAME(name, text, meaning) text,
    CLSOFTMAX_OPERATION_LIST(NAME)
#undef NAME
};
static const char *const band_names[] = {
#define NAME(name, text, ...) text,
    DIGEST_BAND_LIST(NAME)
#undef NAME
};

/* How numbers of a type are written: bits of the fraction, the bias of the exponent, the exponent of infinities. */
typedef struct format {
    const char *name;
    unsigned fraction_bits, bias, last_exponent, bytes;
} format;

static const format formats[] = {
    [CLSOFTMAX_F32] = {"f32", 23, 127, 255, 4},
    [CLSOFTMAX_F16] = {"f16", 10, 15, 31, 2},
    [CLSOFTMAX_BF16] = {"bf16", 7, 127, 255, 2},
};
enum { FORMATS = sizeof formats / sizeof *formats };

static const clsoftmax_operation operations[] = {CLSOFTMAX_OPERATION_NONE,
                                                 CLSOFTMAX_OPERATION_SOFTMAX,
                                                 CLSOFTMAX_OPERATION_LOG_SOFTMAX,
                                                 CLSOFTMAX_OPERATION_CROSS_ENTROPY,
                                                 CLSOFTMAX_OPERATION_CROSS_ENTROPY_GRADIENT,
                                                 CLSOFTMAX_OPERATION_SOFTMAX_BACKWARD,
                                                 CLSOFTMAX_OPERATION_LOG_SOFTMAX_BACKWARD,
                                                 CLSOFTMAX_OPERATION_SENSITIVITY,
                                                 CLSOFTMAX_OPERATION_DISTILLATION,
                                                 CLSOFTMAX_OPERATION_DISTILLATION_GRADIENT,
                                                 CLSOFTMAX_OPERATION_CROSS_ENTROPY_OF_TARGETS,
                                                 CLSOFTMAX_OPERATION_CROSS_ENTROPY_OF_TARGETS_GRADIENT,
                                                 CLSOFTMAX_OPERATION_SMOOTHED_CROSS_ENTROPY,
                                                 CLSOFTMAX_OPERATION_SMOOTHED_CROSS_ENTROPY_GRADIENT,
                                                 CLSOFTMAX_OPERATION_SOFTMAX_TEMPERATURE_GRADIENT,
                                                 CLSOFTMAX_OPERATION_LOG_SOFTMAX_TEMPERATURE_GRADIENT,
                                                 CLSOFTMAX_OPERATION_REVERSE_DISTILLATION,
                                                 CLSOFTMAX_OPERATION_REVERSE_DISTILLATION_GRADIENT,
                                                 CLSOFTMAX_OPERATION_JENSEN_SHANNON,
                                                 CLSOFTMAX_OPERATION_JENSEN_SHANNON_GRADIENT};

/* Returns 0 for lines that would repeat others: statistics alone have no results whose type and place could vary,
   losses and derivatives have statistics in other lines, derivatives have the types of results in those, f16 is read
   in one way for all of them, and "fast" differs in f32. */
static int is_a_line(const digest_line *line)
{
    int in_place = line->layout == DIGEST_IN_PLACE;
    if (line->accuracy == CLSOFTMAX_ACCURACY_FAST && (line->logits != CLSOFTMAX_F32 || line->results != CLSOFTMAX_F32))
        return 0;
    if (line->operation >= CLSOFTMAX_OPERATION_CROSS_ENTROPY_OF_TARGETS && line->logits == CLSOFTMAX_F16)
        return 0;
    if (!clsoftmax_operation_has_results(line->operation))
        return line->statistics == (line->operation == CLSOFTMAX_OPERATION_NONE) && line->results == CLSOFTMAX_F32 &&
               !in_place;
    const int is_derivative = line->operation >= CLSOFTMAX_OPERATION_SOFTMAX_BACKWARD;
    if ((clsoftmax_operation_has_loss(line->operation) || is_derivative) && line->statistics)
        return 0;
    if (is_derivative && (line->results != line->logits || in_place))
        return 0;
    return !in_place || (line->logits == line->results && line->temperatures != DIGEST_SWEEP);
}

unsigned digest_lines(digest_line lines[DIGEST_MOST_LINES])
{
    enum {
        OPERATIONS = sizeof operations / sizeof *operations,
        LINES = OPERATIONS * FORMATS * FORMATS * DIGEST_TEMPERATURE_KINDS * DIGEST_LAYOUTS * 2
    };
    unsigned count = 0;
    for (unsigned i = 0; i < LINES * CLSOFTMAX_ACCURACY_COUNT; i++) {
        unsigned rest = i % LINES;
        digest_line line = {.accuracy = (clsoftmax_accuracy)(i / LINES)};
        line.statistics = (int)(rest % 2);
        line.layout = (digest_layout)((rest /= 2) % DIGEST_LAYOUTS);
        line.temperatures = (digest_temperatures)((rest /= DIGEST_LAYOUTS) % DIGEST_TEMPERATURE_KINDS);
        line.results = (clsoftmax_dtype)((rest /= DIGEST_TEMPERATURE_KINDS) % FORMATS);
        line.logits = (clsoftmax_dtype)((rest /= FORMATS) % FORMATS);
        line.operation = operations[rest / FORMATS];
        if (is_a_line(&line) && count < DIGEST_MOST_LINES)
            lines[count++] = line;
    }
    return count;
}

void digest_line_name(const digest_line *line, char *text, size_t size)
{
    snprintf(text, size, "%s %s %s %s %s %s%s", operation_names[line->operation], formats[line->logits].name,
             formats[line->results].name, temperatures_names[line->temperatures], layout_names[line->layout],
             line->statistics ? "statistics" : "alone", line->accuracy == CLSOFTMAX_ACCURACY_FAST ? " fast" : "");
}

const char *digest_band_name(digest_band band)
{
    return band_names[band];
}

/* ---------------------------------------------------------------- Logits */

/* What a row is made of. */
typedef enum pattern {
    NEAR,      /* within +-8: most classes count */
    FAR,       /* within +-128: results down to subnormals and zero */
    FEW_TIES,  /* a handful of different values, the largest many times */
    HIGH,      /* close together and far from 0, so that differences cancel */
    PEAK,      /* one class much larger than all others */
    MASKED,    /* near, a third -inf */
    ALL_MASKS, /* nothing but -inf */
    INFINITE,  /* near, with some +inf */
    NOT_A_NUMBER,
    SUBNORMAL,
    HUGE_LOGITS, /* next to the largest finite number, both signs */
    ANY_FINITE,
    PATTERNS
} pattern;

static uint32_t number(const format *f, uint64_t sign, unsigned exponent, uint64_t fraction)
{
    uint32_t fraction_mask = (1u << f->fraction_bits) - 1, sign_place = f->bytes * 8 - 1;
    return (uint32_t)(sign & 1) << sign_place | exponent << f->fraction_bits | ((uint32_t)fraction & fraction_mask);
}

/* Returns a number of magnitude [2^least, 2^most). */
static uint32_t between(const format *f, int least, int most, uint64_t bits)
{
    unsigned exponent = (unsigned)((int)f->bias + least) + (unsigned)(bits >> 40) % (unsigned)(most - least);
    return number(f, bits >> 63, exponent, bits);
}

static uint32_t usual(const format *f, pattern p, uint64_t bits)
{
    unsigned last = f->last_exponent;
    switch (p) {
    case FAR:
        return between(f, -2, 7, bits);
    case FEW_TIES:
        return number(f, bits >> 62, f->bias + (bits >> 60) % 2, 0);
    case HIGH:
        return number(f, 0, f->bias + 9, bits & ((1u << f->fraction_bits * 2 / 3) - 1));
    case MASKED:
        return (bits >> 32) % 3 == 0 ? number(f, 1, last, 0) : between(f, -6, 3, bits);
    case ALL_MASKS:
        return number(f, 1, last, 0);
    case INFINITE:
        return (bits >> 32) % 29 == 0 ? number(f, 0, last, 0) : between(f, -6, 3, bits);
    case SUBNORMAL:
        return number(f, bits >> 63, 0, bits);
    case HUGE_LOGITS:
        return number(f, bits >> 63, last - 1, bits);
    case ANY_FINITE:
        return number(f, bits >> 63, (unsigned)(bits >> 40) % last, bits);
    default:
        return between(f, -6, 3, bits);
    }
}

/* Returns the number that one class of the row has instead of a usual one. */
static uint32_t exception(const format *f, pattern p, uint64_t bits)
{
    switch (p) {
    case PEAK:
        return number(f, 0, f->bias + 6, bits);
    case INFINITE:
        return number(f, 0, f->last_exponent, 0);
    case NOT_A_NUMBER:
        return number(f, bits >> 63, f->last_exponent, bits | 1);
    default:
        return usual(f, p, bits);
    }
}

static uint64_t place_of(const clsoftmax_problem *problem, const clsoftmax_layout *layout, uint64_t row, uint64_t class)
{
    return layout->offset + row / problem->inner * layout->outer_stride + class * layout->class_stride +
           row % problem->inner * layout->inner_stride;
}

static void fill_logits(const clsoftmax_problem *problem, uint64_t *random, unsigned char *logits)
{
    const format *f = &formats[problem->logits_dtype];
    uint64_t first = random_bits(random);
    for (uint64_t row = 0; row < problem->outer * problem->inner; row++) {
        pattern p = (pattern)((first + row) % PATTERNS);
        uint64_t except = random_below(random, problem->classes);
        for (uint64_t class = 0; class < problem->classes; class ++) {
            uint64_t bits = random_bits(random);
            uint32_t x = class == except ? exception(f, p, bits) : usual(f, p, bits);
            uint16_t half = (uint16_t)x;
            memcpy(logits + place_of(problem, &problem->logits_layout, row, class) * f->bytes,
                   f->bytes == 4 ? (const void *)&x : (const void *)&half, f->bytes);
        }
    }
}

/* ---------------------------------------------------------------- Problems */

/* The policies of the problems that a line has in a band: one choice for all of them, so that few kernels are compiled.
 */
typedef struct policies {
    clsoftmax_neg_inf_rows neg_inf_rows;
    clsoftmax_pos_inf pos_inf;
} policies;

static const policies choices[] = {
    {CLSOFTMAX_NEG_INF_ROWS_NAN, CLSOFTMAX_POS_INF_NAN},
    {CLSOFTMAX_NEG_INF_ROWS_ZERO, CLSOFTMAX_POS_INF_LIMIT},
    {CLSOFTMAX_NEG_INF_ROWS_UNIFORM, CLSOFTMAX_POS_INF_NAN},
    {CLSOFTMAX_NEG_INF_ROWS_ZERO, CLSOFTMAX_POS_INF_NAN},
};

/* Returns how many rows a problem has: an even number, for two outer indices. Rows of up to 64 classes are more than a
   panel of the CPU path has, and so are rows of up to 300 in every other problem. */
static uint64_t rows_of(uint64_t classes, unsigned turn)
{
    return classes <= 64 ? 70 : classes <= 300 ? (turn % 2 ? 66 : 6) : 2;
}

/* Returns how many temperatures a sweep has: in turn a few, fewer than a vector has elements, one, and more than a
   panel of the CPU path has rows; but 2 where the results would become too large. */
static uint64_t sweep_of(uint64_t elements, unsigned turn)
{
    static const uint64_t counts[] = {3, 13, 1, 67};
    uint64_t count = counts[turn % 4];
    return count * elements <= 20000 ? count : 2;
}

static void set_layouts(clsoftmax_problem *problem, digest_layout layout, uint64_t rows, unsigned turn)
{
    const uint64_t classes = problem->classes;
    const clsoftmax_layout dense = {0, classes, 1, 1}, padded = {5, classes + 3, 1, classes + 3};
    problem->outer = rows;
    problem->inner = 1;
    switch (layout) {
    case DIGEST_PADDED:
        problem->logits_layout = padded;
        problem->results_layout = turn % 2 ? padded : dense;
        break;
    case DIGEST_COLUMNS:
    case DIGEST_SCATTERED:
        problem->outer = 2;
        problem->inner = rows / 2;
        problem->logits_layout = (clsoftmax_layout){0, classes * problem->inner, problem->inner, 1};
        problem->results_layout = problem->logits_layout;
        if (layout == DIGEST_COLUMNS)
            break;
        problem->logits_layout = (clsoftmax_layout){3, problem->inner * (2 * classes + 1), 2, 2 * classes + 1};
        problem->results_layout =
            (clsoftmax_layout){1, classes * (3 * problem->inner + 2), 3 * problem->inner + 1, turn % 2 ? 3 : 1};
        break;
    default:
        problem->logits_layout = problem->results_layout = layout == DIGEST_IN_PLACE && turn % 2 ? padded : dense;
    }
}

static uint64_t span_of(const clsoftmax_problem *problem, const clsoftmax_layout *layout)
{
    return place_of(problem, layout, problem->outer * problem->inner - 1, problem->classes - 1) + 1;
}

/* Makes a problem a sweep. Of dense rows, every other problem has all temperatures of a row side by side. */
static void set_sweep(clsoftmax_problem *problem, const digest_line *line, unsigned turn)
{
    problem->sweep = sweep_of(problem->outer * problem->inner * problem->classes, turn);
    problem->sweep_stride = span_of(problem, &problem->results_layout) + (line->layout == DIGEST_DENSE ? 0 : 7);
    if (line->layout == DIGEST_DENSE && turn % 2) {
        problem->results_layout.outer_stride = problem->classes * problem->sweep;
        problem->sweep_stride = problem->classes;
    }
}

static clsoftmax_problem problem_of(const digest_line *line, policies policies, uint64_t classes, unsigned turn)
{
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    problem.operation = line->operation;
    problem.classes = classes;
    problem.logits_dtype = line->logits;
    problem.results_dtype = line->results;
    problem.statistics = line->statistics;
    problem.accuracy = line->accuracy;
    problem.neg_inf_rows = policies.neg_inf_rows;
    problem.pos_inf = policies.pos_inf;
    set_layouts(&problem, line->layout, rows_of(classes, turn), turn);
    if (line->temperatures == DIGEST_PER_ROW)
        problem.temperature_per_row = 1;
    /* some temperatures have a square that overflows: of a row it makes a NaN, anywhere else it is refused */
    problem.temperature_squared = problem.temperature_per_row;
    if (line->temperatures == DIGEST_SWEEP)
        set_sweep(&problem, line, turn);
    return problem;
}

/* Fills in temperatures from a list, in its order, beginning at one that is drawn. The invalid ones at its end are for
   temperatures of rows: a sweep that has one of them is refused. */
static void fill_temperatures(uint64_t *random, int may_be_invalid, uint64_t count, float *temperatures)
{
    static const float all[] = {1,         0.7f,    0.07f, 3.05f, 1,        20,    0x1p-62f, 1,   0x1p62f,  0x1p-149f,
                                0x1p-126f, 0x1p40f, 1e30f, 0,     INFINITY, -0.0f, -1,       NAN, -INFINITY};
    const uint64_t limit = sizeof all / sizeof *all - (may_be_invalid ? 0 : 3), first = random_below(random, limit);
    for (uint64_t i = 0; i < count; i++)
        temperatures[i] = all[(first + i) % limit];
}

static void fill_labels(const clsoftmax_problem *problem, uint64_t *random, int64_t *labels)
{
    for (uint64_t row = 0; row < problem->outer * problem->inner; row++)
        labels[row] = row % 7 == 3   ? -1
                      : row % 7 == 5 ? (int64_t)problem->classes
                                     : (int64_t)random_below(random, problem->classes);
}

static void fill_weights(const clsoftmax_problem *problem, float *weights)
{
    for (uint64_t row = 0; row < problem->outer * problem->inner; row++)
        weights[row] = (float)(row % 5) * 0.4f;
}

/* ---------------------------------------------------------------- Digests */

/* Takes 8 bytes at a time; each step is a bijection of what came before, so that no single change is lost. */
static uint64_t add_bytes(uint64_t digest, const void *bytes, size_t count)
{
    const unsigned char *from = bytes;
    for (size_t i = 0; i < count; i += 8) {
        uint64_t word = 0;
        memcpy(&word, from + i, count - i < 8 ? count - i : 8);
        digest = (digest ^ word) * 0x9E3779B97F4A7C15u;
        digest ^= digest >> 32;
    }
    return digest;
}

/* Fills in an operand of both signs and several sizes; without draws, so that those of other arrays stay what they
   are. */
static void fill_operand(const clsoftmax_problem *problem, float *operand)
{
    uint32_t state = 7;
    for (uint64_t i = 0; i < problem->outer * problem->inner * problem->classes; i++) {
        state = state * 1664525u + 1013904223u;
        operand[i] = ((float)(state >> 8) - 0x1p23f) * ((state >> 5) % 4 == 0 ? 0x1p-40f : 0x1p-23f);
        if (clsoftmax_operation_has_targets(problem->operation) && i / problem->classes % 5 > 0)
            operand[i] = fabsf(operand[i]);
    }
}

typedef struct arrays {
    unsigned char *logits, *results;
    float *temperatures;
    int64_t *labels;
    clsoftmax_statistics *statistics;
    float *weights, *losses, *operand;
    size_t logits_bytes, results_bytes, statistics_bytes, losses_bytes;
} arrays;

static void release(arrays *a)
{
    free(a->logits);
    free(a->results);
    free(a->temperatures);
    free(a->labels);
    free(a->statistics);
    free(a->weights);
    free(a->losses);
    free(a->operand);
}

/* Makes the arrays. Gaps between logits are NaN, which no row may read; gaps between results are to stay what they are.
   Returns 0 if there is no memory. */
static int make_arrays(const clsoftmax_problem *problem, arrays *a)
{
    const uint64_t rows = problem->outer * problem->inner, sweep = problem->sweep ? problem->sweep : 1;
    const uint64_t results = span_of(problem, &problem->results_layout) + (sweep - 1) * problem->sweep_stride;
    a->logits_bytes = span_of(problem, &problem->logits_layout) * formats[problem->logits_dtype].bytes;
    a->results_bytes = results * formats[problem->results_dtype].bytes;
    a->statistics_bytes = problem->statistics ? rows * sweep * sizeof *a->statistics : 0;
    a->logits = malloc(a->logits_bytes);
    a->results = malloc(a->results_bytes);
    a->temperatures = malloc((rows + sweep) * sizeof *a->temperatures);
    a->labels = malloc(rows * sizeof *a->labels);
    a->statistics = malloc(a->statistics_bytes + 1);
    a->losses_bytes = clsoftmax_operation_has_loss(problem->operation) ? rows * sweep * sizeof *a->losses : 0;
    a->weights = malloc(rows * sizeof *a->weights);
    a->losses = malloc(a->losses_bytes + 1);
    a->operand = malloc(rows * problem->classes * sizeof *a->operand);
    if (!a->operand || !a->logits || !a->results || !a->temperatures || !a->labels || !a->statistics || !a->weights ||
        !a->losses)
        return 0;
    memset(a->logits, 0xFF, a->logits_bytes);
    memset(a->results, 0xA5, a->results_bytes);
    memset(a->statistics, 0xA5, a->statistics_bytes);
    memset(a->losses, 0xA5, a->losses_bytes);
    return 1;
}

static int run_problem(const digest_line *line, const clsoftmax_problem *problem, uint64_t seed, digest_runner *run,
                       void *with, uint64_t *digest)
{
    arrays a = {0};
    uint64_t random = seed, invalid_rows = UINT64_MAX;
    if (!make_arrays(problem, &a)) {
        release(&a);
        return -1;
    }
    fill_logits(problem, &random, a.logits);
    fill_temperatures(&random, line->temperatures == DIGEST_PER_ROW, problem->outer * problem->inner + problem->sweep,
                      a.temperatures);
    fill_labels(problem, &random, a.labels);
    fill_weights(problem, a.weights);
    fill_operand(problem, a.operand);
    if (line->layout == DIGEST_IN_PLACE)
        memcpy(a.results, a.logits, a.logits_bytes);
    const int writes_results = clsoftmax_operation_has_results(line->operation),
              writes_losses = clsoftmax_operation_has_loss(line->operation);
    clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
    arguments.logits = line->layout == DIGEST_IN_PLACE ? a.results : a.logits;
    arguments.results = writes_results ? a.results : NULL;
    arguments.temperature = a.temperatures[0];
    arguments.temperatures = line->temperatures == DIGEST_ONE ? NULL : a.temperatures;
    arguments.labels = line->statistics || writes_losses ? a.labels : NULL;
    arguments.weights = a.weights;
    arguments.losses = a.losses;
    arguments.scale = -0.3f;
    arguments.z_loss = 1e-4f;
    arguments.label_smoothing = 0.1f;
    arguments.teacher_share = 0.3f;
    arguments.operand = a.operand;
    arguments.statistics = line->statistics ? a.statistics : NULL;
    arguments.invalid_rows = &invalid_rows;
    int status = run(with, problem, &arguments);
    *digest = add_bytes(*digest, a.results, writes_results ? a.results_bytes : 0);
    *digest = add_bytes(*digest, a.losses, a.losses_bytes);
    *digest = add_bytes(*digest, a.statistics, a.statistics_bytes);
    *digest = add_bytes(*digest, &invalid_rows, sizeof invalid_rows);
    release(&a);
    return status;
}

/* Rows of three levels of sums are long; one line in 64 has them instead of its last class count. */
static const uint64_t three_levels = 262147;

int digest_of(const digest_line *line, digest_band band, digest_runner *run, void *with, uint64_t *digest)
{
    static const uint64_t counts[DIGEST_BANDS][9] = {
#define COUNTS(name, text, ...) {__VA_ARGS__, 0},
        DIGEST_BAND_LIST(COUNTS)
#undef COUNTS
    };
    char name[80];
    digest_line_name(line, name, sizeof name);
    uint64_t seed = add_bytes((uint64_t)band, name, strlen(name));
    const policies policies = choices[(seed >> 16) % (sizeof choices / sizeof *choices)];
    int status = 0;
    *digest = seed;
    for (unsigned i = 0; counts[band][i] > 0 && status == 0; i++) {
        uint64_t classes = counts[band][i] == 20000 && seed % 64 == 0 ? three_levels : counts[band][i];
        clsoftmax_problem problem = problem_of(line, policies, classes, i + (unsigned)(seed >> 8) % 4);
        status = run_problem(line, &problem, seed + i, run, with, digest);
    }
    return status;
}

/* ---------------------------------------------------------------- The table */

int digest_table_read(const char *path, uint64_t table[DIGEST_MOST_LINES][DIGEST_BANDS])
{
    static digest_line lines[DIGEST_MOST_LINES];
    const unsigned count = digest_lines(lines);
    char text[256], name[80];
    unsigned read = 0;
    FILE *file = fopen(path, "r");
    if (!file)
        return 0;
    while (fgets(text, sizeof text, file)) {
        if (text[0] == '#')
            continue;
        if (read == count)
            break;
        digest_line_name(&lines[read], name, sizeof name);
        char *at = text + strlen(name);
        if (strncmp(text, name, strlen(name)) != 0)
            break;
        for (unsigned band = 0; band < DIGEST_BANDS; band++)
            table[read][band] = strtoull(at, &at, 16);
        if (*at != '\n')
            break;
        read++;
    }
    int is_whole = read == count && feof(file);
    fclose(file);
    return is_whole;
}

int digest_table_write(const char *path, uint64_t table[DIGEST_MOST_LINES][DIGEST_BANDS])
{
    static digest_line lines[DIGEST_MOST_LINES];
    const unsigned count = digest_lines(lines);
    char name[80];
    FILE *file = fopen(path, "w");
    if (!file)
        return 0;
    fputs("# Digests of every bit: tests/numbers/test_digest.c says what they are for, and when this file may change.\n"
          "# operation logits results temperatures layout statistics, then for each band of class counts:",
          file);
    for (unsigned band = 0; band < DIGEST_BANDS; band++)
        fprintf(file, " %s", band_names[band]);
    fputc('\n', file);
    for (unsigned i = 0; i < count; i++) {
        digest_line_name(&lines[i], name, sizeof name);
        fputs(name, file);
        for (unsigned band = 0; band < DIGEST_BANDS; band++)
            fprintf(file, " %016llx", (unsigned long long)table[i][band]);
        fputc('\n', file);
    }
    int is_written = !ferror(file);
    return fclose(file) == 0 && is_written;
}
