/* Small problems for fuzz targets: what fuzz_problem.h declares. */
#include "fuzz_problem.h"

#include <math.h>

enum { MOST_ELEMENTS = 320, MOST_CLASSES = 300, MOST_SPAN = 4 * MOST_ELEMENTS };

/* ---------------------------------------------------------------- Problem */

/* Reads a layout: rows with gaps, columns, dimensions in any order. */
static clsoftmax_layout read_layout(fuzz_bytes *bytes, const clsoftmax_problem *problem)
{
    static const uint8_t orders[6][3] = {{2, 1, 0}, {1, 2, 0}, {2, 0, 1}, {0, 2, 1}, {1, 0, 2}, {0, 1, 2}};
    const uint64_t sizes[3] = {problem->outer, problem->classes, problem->inner};
    uint64_t number = fuzz_number(bytes, 2), gaps = number / 6 / 4, strides[3], spanned = 1;
    const uint8_t *order = orders[number % 6];
    for (int i = 0; i < 3; i++, gaps /= 4) {
        strides[order[i]] = spanned + gaps % 4;
        spanned += (sizes[order[i]] - 1) * strides[order[i]];
    }
    const clsoftmax_layout layout = {number / 6 % 4, strides[0], strides[1], strides[2]}, dense = {0};
    return number == 0 || layout.offset + spanned > MOST_SPAN ? dense : layout;
}

/* Returns how many elements the layout spans. */
static uint64_t span(const clsoftmax_problem *p, const clsoftmax_layout *layout)
{
    return layout->class_stride == 0
               ? p->outer * p->classes * p->inner
               : layout->offset + (p->outer - 1) * layout->outer_stride + (p->classes - 1) * layout->class_stride +
                     (p->inner - 1) * layout->inner_stride + 1;
}

clsoftmax_problem fuzz_problem_read(fuzz_bytes *bytes)
{
    static const uint8_t few[] = {1, 1, 2, 3, 5, 17, 64, 65};
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    problem.outer = few[fuzz_number(bytes, 1) % 8];
    uint64_t classes = fuzz_number(bytes, 2); /* mostly short rows, of which more are tried in the same time */
    problem.classes = 1 + classes / 8 % (classes % 8 == 7 ? MOST_CLASSES : 40);
    problem.inner = few[fuzz_number(bytes, 1) % 8];
    while (problem.outer * problem.classes * problem.inner > MOST_ELEMENTS)
        problem.outer > 1 ? problem.outer-- : problem.inner > 1 ? problem.inner-- : problem.classes--;
    uint64_t choices = fuzz_number(bytes, 2);
    problem.neg_inf_rows = (clsoftmax_neg_inf_rows)fuzz_choice(&choices, 3);
    problem.pos_inf = (clsoftmax_pos_inf)fuzz_choice(&choices, 2);
    problem.statistics = (int)fuzz_choice(&choices, 2);
    problem.temperature_per_row = (int)fuzz_choice(&choices, 2);
    problem.logits_dtype = (clsoftmax_dtype)fuzz_choice(&choices, CLSOFTMAX_DTYPE_COUNT);
    problem.results_dtype = (clsoftmax_dtype)fuzz_choice(&choices, CLSOFTMAX_DTYPE_COUNT);
    problem.operation = (clsoftmax_operation)fuzz_choice(&choices, CLSOFTMAX_OPERATION_COUNT); /* last: it grows */
    problem.operand_dtype = problem.results_dtype;
    problem.statistics |= problem.operation == CLSOFTMAX_OPERATION_NONE;
    problem.logits_layout = read_layout(bytes, &problem);
    problem.results_layout = read_layout(bytes, &problem);
    uint64_t sweep = fuzz_number(bytes, 1);
    problem.sweep = problem.temperature_per_row ? 0 : sweep % 4;
    problem.accuracy = (clsoftmax_accuracy)(sweep / 64 % 2);
    problem.temperature_squared = (int)(sweep / 16 % 2);
    problem.sweep_stride = sweep < 128 ? 0 : span(&problem, &problem.results_layout) + sweep / 4 % 4;
    return problem;
}

/* ---------------------------------------------------------------- Arguments */

static void *allocate(size_t size)
{
    void *block = malloc(size > 0 ? size : 1);
    FUZZ_CHECK(block != NULL);
    return block;
}

/* Makes an array from the rest of the input, which is repeated as often as needed. */
static void *read_array(const fuzz_bytes *bytes, size_t size)
{
    size_t length = (size_t)(bytes->end - bytes->at);
    char *array = allocate(size);
    memset(array, 0, size);
    for (size_t done = 0; done < size && length > 0; done += length)
        memcpy(array + done, bytes->at, size - done < length ? size - done : length);
    return array;
}

/* Makes numbers ordinary: keeps signs and fractions, and turns exponents into those of 2^-7 to 2. With arbitrary bits
   nearly all rows have a single probability that is not 0. */
static void make_ordinary(void *values, clsoftmax_dtype dtype, size_t size)
{
    static const struct {
        uint32_t kept, set;
    } masks[CLSOFTMAX_DTYPE_COUNT] = {[CLSOFTMAX_F32] = {0x83FFFFFF, 0x3C000000},
                                      [CLSOFTMAX_F16] = {0x9FFF, 0x2000},
                                      [CLSOFTMAX_BF16] = {0x83FF, 0x3C00}};
    size_t each = clsoftmax_dtype_size(dtype);
    for (char *at = values, *end = at + size; at < end; at += each) {
        uint32_t bits = 0;
        memcpy(&bits, at, each);
        bits = (bits & masks[dtype].kept) | masks[dtype].set;
        memcpy(at, &bits, each);
    }
}

void fuzz_case_read(fuzz_bytes *bytes, const clsoftmax_problem *p, fuzz_case *read)
{
    clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
    memset(read, 0, sizeof *read);
    read->problem = *p;
    read->rows = p->outer * p->inner;
    uint64_t sweep = p->sweep > 0 ? p->sweep : 1, one_result = span(p, &p->results_layout);
    uint64_t results = one_result + (sweep - 1) * (p->sweep_stride > 0 ? p->sweep_stride : one_result);
    read->logits_bytes = (size_t)span(p, &p->logits_layout) * clsoftmax_dtype_size(p->logits_dtype);
    const int has_loss = clsoftmax_operation_has_loss(p->operation);
    read->results_bytes =
        clsoftmax_operation_has_results(p->operation) ? (size_t)results * clsoftmax_dtype_size(p->results_dtype) : 0;
    read->losses_bytes = has_loss ? (size_t)(sweep * read->rows) * sizeof(float) : 0;
    read->statistics_bytes = p->statistics ? (size_t)(sweep * read->rows) * sizeof(clsoftmax_statistics) : 0;
    uint64_t choices = fuzz_number(bytes, 1);
    uint32_t temperature = (uint32_t)fuzz_number(bytes, 4);
    memcpy(&arguments.temperature, &temperature, sizeof temperature);
    float *temperatures = read->memory[0] =
        read_array(bytes, (size_t)(p->sweep > 0 ? p->sweep : read->rows) * sizeof *temperatures);
    for (uint64_t k = 0; k < p->sweep && choices & 4; k++)
        temperatures[k] = fabsf(temperatures[k]); /* an invalid one is an error */
    int64_t *labels = read->memory[1] = allocate((size_t)read->rows * sizeof *labels);
    for (uint64_t i = 0; i < read->rows; i++) /* from two below the first class to two above the last */
        labels[i] = (int64_t)((i * 7 + choices) % (p->classes + 4)) - 2;
    arguments.logits = read->memory[2] = read_array(bytes, read->logits_bytes);
    arguments.temperatures = p->temperature_per_row || p->sweep > 0 ? temperatures : NULL;
    arguments.labels = has_loss || (p->statistics && choices & 2) ? labels : NULL;
    float *weights = read->memory[3] = allocate((size_t)read->rows * sizeof *weights);
    for (uint64_t i = 0; i < read->rows; i++)
        weights[i] = (float)((i * 3 + choices) % 5) * 0.75f;
    arguments.weights = choices & 8 ? weights : NULL;
    arguments.z_loss = choices & 16 ? 0.25f : 0;
    arguments.scale = choices & 32 ? -3e-5f : 1;
    if (choices & 1)
        make_ordinary(read->memory[2], p->logits_dtype, read->logits_bytes);
    const size_t operand_bytes = (size_t)span(p, &p->operand_layout) * clsoftmax_dtype_size(p->operand_dtype);
    arguments.operand = read->memory[4] = read_array(bytes, operand_bytes);
    if (choices & 64)
        make_ordinary(read->memory[4], p->operand_dtype, operand_bytes);
    read->arguments = arguments;
}

void fuzz_case_release(fuzz_case *read)
{
    for (int i = 0; i < 5; i++)
        free(read->memory[i]);
}

/* ---------------------------------------------------------------- Running */

/* Keeps a plan for each hash of context and problem. */
clsoftmax_plan *fuzz_find_plan(clsoftmax_context *context, const clsoftmax_problem *problem)
{
    enum { PLACES = 256 };
    static struct known_plan {
        clsoftmax_context *context;
        clsoftmax_problem problem;
        clsoftmax_plan *plan;
    } places[PLACES];
    uint64_t hash = (uint64_t)(uintptr_t)context;
    for (size_t i = 0; i < sizeof *problem; i++)
        hash = (hash ^ ((const unsigned char *)problem)[i]) * 0x100000001b3u;
    struct known_plan *place = &places[hash >> 32 & (PLACES - 1)];
    if (place->context == context && memcmp(&place->problem, problem, sizeof *problem) == 0)
        return place->plan;
    clsoftmax_plan_release(place->plan);
    place->context = context;
    place->problem = *problem;
    clsoftmax_status status = clsoftmax_plan_create(context, problem, &place->plan);
    int may_be_unsupported = problem->strategy != CLSOFTMAX_STRATEGY_AUTO;
    FUZZ_CHECK(status == CLSOFTMAX_OK || (status == CLSOFTMAX_UNSUPPORTED && may_be_unsupported));
    return place->plan;
}

fuzz_outcome fuzz_run(clsoftmax_plan *plan, const fuzz_case *read, int in_place)
{
    fuzz_outcome outcome = {.results = allocate(read->results_bytes),
                            .statistics = allocate(read->statistics_bytes),
                            .losses = allocate(read->losses_bytes)};
    clsoftmax_arguments arguments = read->arguments;
    memset(outcome.results, 0xA5, read->results_bytes);
    memset(outcome.statistics, 0xA5, read->statistics_bytes);
    memset(outcome.losses, 0xA5, read->losses_bytes);
    if (in_place)
        arguments.logits = memcpy(outcome.results, arguments.logits, read->results_bytes);
    arguments.results = read->results_bytes > 0 ? outcome.results : NULL;
    arguments.statistics = read->statistics_bytes > 0 ? outcome.statistics : NULL;
    arguments.losses = read->losses_bytes > 0 ? outcome.losses : NULL;
    arguments.invalid_rows = &outcome.invalid_rows;
    outcome.status = clsoftmax_plan_run(plan, &arguments);
    return outcome;
}

void fuzz_outcome_release(fuzz_outcome *outcome)
{
    free(outcome->results);
    free(outcome->statistics);
    free(outcome->losses);
}

void fuzz_check_equal(const fuzz_case *read, const fuzz_outcome *a, const fuzz_outcome *b)
{
    FUZZ_CHECK(a->status == b->status);
    FUZZ_CHECK(a->invalid_rows == b->invalid_rows);
    FUZZ_CHECK(memcmp(a->results, b->results, read->results_bytes) == 0);
    FUZZ_CHECK(memcmp(a->statistics, b->statistics, read->statistics_bytes) == 0);
    FUZZ_CHECK(memcmp(a->losses, b->losses, read->losses_bytes) == 0);
}
