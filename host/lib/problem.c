/*
 * Problems and arguments: their names, and the checks that every call passes before planning. Used by api.c, and by
 * opencl/opencl_interop.c for device buffers; the public functions here are those of clsoftmax.h.
 */
#include "problem.h"

#include "array.h"
#include "core/interface.h"
#include "status.h"

#include <stddef.h>
#include <float.h>
#include <math.h>
#include <string.h>

/* ---------------------------------------------------------------- Names */

const char *clsoftmax_dtype_name(clsoftmax_dtype dtype)
{
    static const char *const names[] = {
#define CLS_DTYPE_NAME(name, text, bytes) text,
        CLSOFTMAX_DTYPE_LIST(CLS_DTYPE_NAME)
#undef CLS_DTYPE_NAME
    };
    return (unsigned)dtype < CLSOFTMAX_DTYPE_COUNT ? names[dtype] : NULL;
}

size_t clsoftmax_dtype_size(clsoftmax_dtype dtype)
{
    static const size_t sizes[] = {
#define CLS_DTYPE_SIZE(name, text, bytes) bytes,
        CLSOFTMAX_DTYPE_LIST(CLS_DTYPE_SIZE)
#undef CLS_DTYPE_SIZE
    };
    return (unsigned)dtype < CLSOFTMAX_DTYPE_COUNT ? sizes[dtype] : 0;
}

const char *clsoftmax_operation_name(clsoftmax_operation operation)
{
    static const char *const names[] = {
#define CLS_OPERATION_NAME(name, text, meaning) text,
        CLSOFTMAX_OPERATION_LIST(CLS_OPERATION_NAME)
#undef CLS_OPERATION_NAME
    };
    return (unsigned)operation < CLSOFTMAX_OPERATION_COUNT ? names[operation] : NULL;
}

const char *clsoftmax_accuracy_name(clsoftmax_accuracy accuracy)
{
    static const char *const names[] = {
#define CLS_ACCURACY_NAME(name, text) text,
        CLSOFTMAX_ACCURACY_LIST(CLS_ACCURACY_NAME)
#undef CLS_ACCURACY_NAME
    };
    return (unsigned)accuracy < CLSOFTMAX_ACCURACY_COUNT ? names[accuracy] : NULL;
}

typedef struct strategy_texts {
    const char *name, *idea, *rule;
} strategy_texts;

/* Returns the texts of a strategy; NULLs for a number that is no strategy. */
static strategy_texts texts_of(clsoftmax_strategy strategy)
{
    static const strategy_texts texts[] = {
#define CLS_STRATEGY_TEXTS(name, text, idea, rule) {text, idea, rule},
        CLSOFTMAX_STRATEGY_LIST(CLS_STRATEGY_TEXTS)
#undef CLS_STRATEGY_TEXTS
    };
    static const strategy_texts none = {NULL, NULL, NULL};
    return (unsigned)strategy < CLSOFTMAX_STRATEGY_COUNT ? texts[strategy] : none;
}

const char *clsoftmax_strategy_name(clsoftmax_strategy strategy)
{
    return texts_of(strategy).name;
}

const char *clsoftmax_strategy_idea(clsoftmax_strategy strategy)
{
    return texts_of(strategy).idea;
}

const char *clsoftmax_strategy_rule(clsoftmax_strategy strategy)
{
    return texts_of(strategy).rule;
}

/* ---------------------------------------------------------------- Operations */

/* The public header and the kernels must give each operation the same number. */
#define CLS_SAME_NUMBER(name, text, meaning)                                                                           \
    _Static_assert((int)CLSOFTMAX_OPERATION_##name == (int)OPERATION_##name, "OPERATION_LIST: " #name);
CLSOFTMAX_OPERATION_LIST(CLS_SAME_NUMBER)
#undef CLS_SAME_NUMBER
_Static_assert((int)CLSOFTMAX_OPERATION_COUNT == (int)OPERATION_COUNT, "OPERATION_LIST and CLSOFTMAX_OPERATION_LIST");

int clsoftmax_operation_has_results(clsoftmax_operation operation)
{
    return operation_made_of((int)operation) != MADE_OF_NOTHING;
}

int clsoftmax_operation_has_loss(clsoftmax_operation operation)
{
    return operation_loss((int)operation) != LOSS_NONE;
}

int clsoftmax_operation_has_labels(clsoftmax_operation operation)
{
    return operation_loss((int)operation) == LOSS_OF_LABEL;
}

int clsoftmax_operation_has_operand(clsoftmax_operation operation)
{
    return operation_has_operand((int)operation) && operation_operand((int)operation) != OPERAND_MASK;
}

int clsoftmax_operation_has_teacher(clsoftmax_operation operation)
{
    return operation_has_teacher((int)operation);
}

int clsoftmax_operation_has_targets(clsoftmax_operation operation)
{
    return operation_operand((int)operation) == OPERAND_TARGETS;
}

int cls_has_results(const clsoftmax_problem *problem)
{
    return clsoftmax_operation_has_results(problem->operation);
}

int cls_has_loss(const clsoftmax_problem *problem)
{
    return clsoftmax_operation_has_loss(problem->operation);
}

int cls_has_labels(const clsoftmax_problem *problem)
{
    return clsoftmax_operation_has_labels(problem->operation);
}

int cls_has_operand(const clsoftmax_problem *problem)
{
    return operation_has_operand((int)problem->operation);
}

int cls_takes_operand(const clsoftmax_problem *problem)
{
    return clsoftmax_operation_has_operand(problem->operation);
}

int cls_operand_is_logits(const clsoftmax_problem *problem)
{
    return operation_operand((int)problem->operation) == OPERAND_MASK;
}

int cls_has_mixture(const clsoftmax_problem *problem)
{
    return operation_divergence((int)problem->operation) == DIVERGENCE_MIXED;
}

float cls_loss_share(const clsoftmax_problem *problem, float label_smoothing, float teacher_share)
{
    return operation_share((int)problem->operation, label_smoothing, teacher_share);
}

int cls_problem_is_lean(const clsoftmax_problem *problem)
{
    const int has_short_results = cls_has_results(problem) && clsoftmax_dtype_size(problem->results_dtype) == 2;
    return problem->accuracy == CLSOFTMAX_ACCURACY_FAST ||
           (has_short_results && !problem->statistics && !cls_has_loss(problem) && !cls_has_operand(problem));
}

int cls_is_made_of_exponentials(const clsoftmax_problem *problem)
{
    return operation_made_of((int)problem->operation) == MADE_OF_EXPONENTIALS;
}

/* ---------------------------------------------------------------- Statistics */

/* The record that kernels write must be the public header's, field by field. */
#define CLS_SAME_FIELD(row_type, type, name)                                                                           \
    _Static_assert(offsetof(clsoftmax_statistics, name) == offsetof(core_statistics_record, name) &&                   \
                       sizeof(((clsoftmax_statistics *)0)->name) == sizeof(type),                                      \
                   "STATISTICS_FIELDS: " #name);
STATISTICS_FIELDS(CLS_SAME_FIELD)
#undef CLS_SAME_FIELD
_Static_assert(sizeof(clsoftmax_statistics) == sizeof(core_statistics_record), "STATISTICS_FIELDS");

/* ---------------------------------------------------------------- Shapes */

/* Returns a * b, or UINT64_MAX if that overflows. */
static uint64_t product(uint64_t a, uint64_t b)
{
    return b != 0 && a > UINT64_MAX / b ? UINT64_MAX : a * b;
}

/* Returns a + b, or UINT64_MAX if that overflows. */
static uint64_t sum(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

uint64_t cls_layout_span(const clsoftmax_problem *problem, const clsoftmax_layout *layout, uint64_t temperatures)
{
    if (cls_problem_rows(problem) == 0)
        return 0;
    uint64_t last =
        sum(product(problem->outer - 1, layout->outer_stride), sum(product(problem->classes - 1, layout->class_stride),
                                                                   product(problem->inner - 1, layout->inner_stride)));
    last = sum(last, product(temperatures - 1, problem->sweep_stride));
    return sum(sum(layout->offset, last), 1);
}

clsoftmax_layout cls_dense_layout(const clsoftmax_problem *problem)
{
    clsoftmax_layout dense = {0, product(problem->classes, problem->inner), problem->inner, 1};
    return dense;
}

int cls_layout_is_dense(const clsoftmax_problem *problem, const clsoftmax_layout *layout)
{
    clsoftmax_layout dense = cls_dense_layout(problem);
    return memcmp(&dense, layout, sizeof dense) == 0;
}

/* Replaces strides of zeros by the dense ones. The strides of dimensions of size 1 do not matter; they become the dense
   ones too, so that equal layouts compare equal. */
static void fill_in_layout(const clsoftmax_problem *problem, clsoftmax_layout *layout)
{
    clsoftmax_layout dense = cls_dense_layout(problem);
    int all = layout->outer_stride == 0 && layout->class_stride == 0 && layout->inner_stride == 0;
    if (all || problem->outer <= 1)
        layout->outer_stride = dense.outer_stride;
    if (all || problem->classes <= 1)
        layout->class_stride = dense.class_stride;
    if (all || problem->inner <= 1)
        layout->inner_stride = dense.inner_stride;
}

/* Returns the stride of a dense sweep: it puts the results of one temperature directly behind those of the one
   before. */
static uint64_t dense_sweep_stride(const clsoftmax_problem *problem)
{
    clsoftmax_problem some = *problem; /* at least one row, so that it spans something */
    some.outer = problem->outer ? problem->outer : 1;
    some.inner = problem->inner ? problem->inner : 1;
    some.results_layout.offset = 0;
    return cls_layout_span(&some, &some.results_layout, 1);
}

/* One dimension of an array: `size` steps of `stride` elements. */
typedef struct dimension {
    uint64_t size, stride;
} dimension;

/* Returns 1 if no two results share a place. Sorted by stride, each dimension must step over all that the smaller ones
   span. */
static int is_nested(const clsoftmax_problem *problem)
{
    if (cls_problem_rows(problem) == 0) /* without rows, dense strides are 0 */
        return 1;
    const clsoftmax_layout *layout = &problem->results_layout;
    enum { DIMENSIONS = 4 };
    dimension d[DIMENSIONS] = {{cls_problem_temperatures(problem), problem->sweep_stride},
                               {problem->outer, layout->outer_stride},
                               {problem->classes, layout->class_stride},
                               {problem->inner, layout->inner_stride}};
    for (int i = 0; i < DIMENSIONS - 1; i++)
        for (int k = 0; k < DIMENSIONS - 1 - i; k++)
            if (d[k].stride > d[k + 1].stride) {
                dimension swapped = d[k];
                d[k] = d[k + 1];
                d[k + 1] = swapped;
            }
    uint64_t spanned = 0;
    for (int i = 0; i < DIMENSIONS; i++) {
        if (d[i].size <= 1)
            continue;
        if (d[i].stride <= spanned)
            return 0;
        spanned = sum(spanned, product(d[i].size - 1, d[i].stride));
    }
    return 1;
}

/* Checks that memory can hold every array that has an element for each class. */
static clsoftmax_status check_spans(const clsoftmax_problem *problem)
{
    CLS_FOR_ARRAYS(array)
        CLS_FAIL_IF(cls_array_layout(problem, array) &&
                        cls_array_span(problem, array) >
                            (uint64_t)PTRDIFF_MAX / cls_array_element_bytes(problem, array),
                    CLSOFTMAX_INVALID_SHAPE, "%s: the array is larger than memory can be", cls_array_name(array));
    return CLSOFTMAX_OK;
}

/* ---------------------------------------------------------------- Problems */

/* Checks every field that is a choice: its number must exist, and the choices must fit together. */
static clsoftmax_status check_choices(const clsoftmax_problem *p)
{
    CLS_FAIL_IF(!clsoftmax_operation_name(p->operation), CLSOFTMAX_INVALID_ARGUMENT, "there is no operation %d",
                (int)p->operation);
    CLS_FAIL_IF(!clsoftmax_dtype_name(p->logits_dtype) || !clsoftmax_dtype_name(p->results_dtype),
                CLSOFTMAX_INVALID_ARGUMENT, "there is no dtype %d or %d", (int)p->logits_dtype, (int)p->results_dtype);
    CLS_FAIL_IF(cls_takes_operand(p) && !clsoftmax_dtype_name(p->operand_dtype), CLSOFTMAX_INVALID_ARGUMENT,
                "there is no dtype %d", (int)p->operand_dtype);
    CLS_FAIL_IF(!clsoftmax_strategy_name(p->strategy), CLSOFTMAX_INVALID_ARGUMENT, "there is no strategy %d",
                (int)p->strategy);
    CLS_FAIL_IF(!clsoftmax_accuracy_name(p->accuracy), CLSOFTMAX_INVALID_ARGUMENT, "there is no accuracy %d",
                (int)p->accuracy);
    CLS_FAIL_IF((unsigned)p->neg_inf_rows > CLSOFTMAX_NEG_INF_ROWS_UNIFORM ||
                    (unsigned)p->pos_inf > CLSOFTMAX_POS_INF_LIMIT,
                CLSOFTMAX_INVALID_ARGUMENT, "there is no such policy: neg_inf_rows %d, pos_inf %d",
                (int)p->neg_inf_rows, (int)p->pos_inf);
    CLS_FAIL_IF(p->sweep > 0 && p->temperature_per_row, CLSOFTMAX_INVALID_ARGUMENT,
                "a sweep has temperatures for all rows; it cannot have one for each");
    CLS_FAIL_IF(!cls_has_results(p) && !cls_has_loss(p) && !p->statistics, CLSOFTMAX_INVALID_ARGUMENT,
                "neither an operation nor statistics are asked for");
    return CLSOFTMAX_OK;
}

/* Checks that no stride is negative. Strides are unsigned and count forwards; a negative one arrives as a huge
   number. */
static clsoftmax_status check_directions(const clsoftmax_problem *problem)
{
    if (cls_problem_rows(problem) == 0)
        return CLSOFTMAX_OK;
    CLS_FOR_ARRAYS(array) {
        const clsoftmax_layout *layout = cls_array_layout(problem, array);
        if (!layout)
            continue;
        const uint64_t strides[] = {layout->outer_stride, layout->class_stride, layout->inner_stride};
        static const char *const names[] = {"outer_stride", "class_stride", "inner_stride"};
        for (int i = 0; i < 3; i++)
            CLS_FAIL_IF(strides[i] > INT64_MAX, CLSOFTMAX_INVALID_SHAPE,
                        "%s_layout.%s is %lld: strides count forwards; copy an array that is to be read backwards",
                        cls_array_name(array), names[i], (long long)strides[i]);
    }
    return CLSOFTMAX_OK;
}

clsoftmax_status cls_problem_check(const clsoftmax_problem *problem, clsoftmax_problem *checked)
{
    *checked = *problem;
    CLS_FAIL_IF(problem->classes == 0, CLSOFTMAX_INVALID_SHAPE, "a row needs at least one class");
    /* An empty problem is checked as if it had a row, so that no later product of its sizes overflows. */
    uint64_t outer = problem->outer ? problem->outer : 1, inner = problem->inner ? problem->inner : 1;
    uint64_t temperatures = cls_problem_temperatures(problem);
    CLS_FAIL_IF(product(product(product(outer, inner), problem->classes), temperatures) >
                    (uint64_t)PTRDIFF_MAX / sizeof(clsoftmax_statistics),
                CLSOFTMAX_INVALID_SHAPE, "%llu x %llu x %llu x %llu elements are more than memory can hold",
                (unsigned long long)temperatures, (unsigned long long)problem->outer,
                (unsigned long long)problem->classes, (unsigned long long)problem->inner);
    CLS_FORWARD(check_choices(problem));
    fill_in_layout(problem, &checked->logits_layout);
    if (!cls_takes_operand(problem)) { /* it is the logits, or nothing may depend on the layout or dtype of an array
                                          that is not there */
        checked->operand_layout = checked->logits_layout;
        checked->operand_dtype = checked->logits_dtype;
    }
    fill_in_layout(problem, &checked->operand_layout);
    if (!cls_has_results(problem)) { /* likewise */
        checked->results_layout = checked->logits_layout;
        checked->results_dtype = checked->logits_dtype;
    }
    fill_in_layout(problem, &checked->results_layout);
    if (problem->sweep_stride == 0 || problem->sweep <= 1)
        checked->sweep_stride = dense_sweep_stride(checked);
    const clsoftmax_layout *results = &checked->results_layout;
    CLS_FORWARD(check_directions(checked));
    CLS_FORWARD(check_spans(checked));
    CLS_FAIL_IF(
        cls_has_results(problem) && !is_nested(checked), CLSOFTMAX_INVALID_SHAPE,
        "results: one of the strides (%llu, %llu, %llu, sweep %llu) does not step over what the smaller ones span",
        (unsigned long long)results->outer_stride, (unsigned long long)results->class_stride,
        (unsigned long long)results->inner_stride, (unsigned long long)checked->sweep_stride);
    return CLSOFTMAX_OK;
}

uint32_t cls_problem_policies(const clsoftmax_problem *problem)
{
    static const uint32_t neg_inf_rows[] = {CORE_NEGATIVE_INFINITY_NAN, CORE_NEGATIVE_INFINITY_ZERO,
                                            CORE_NEGATIVE_INFINITY_UNIFORM};
    return neg_inf_rows[problem->neg_inf_rows] |
           (problem->pos_inf == CLSOFTMAX_POS_INF_LIMIT ? CORE_POSITIVE_INFINITY_LIMIT : 0u) |
           (problem->temperature_squared ? CORE_TEMPERATURE_SQUARED : 0u);
}

clsoftmax_status clsoftmax_problem_set_shape(clsoftmax_problem *problem, unsigned dimensions, const uint64_t *shape,
                                             int axis)
{
    CLS_FAIL_IF(!problem || !shape, CLSOFTMAX_INVALID_ARGUMENT, "problem or shape is NULL");
    CLS_FAIL_IF(dimensions > 64, CLSOFTMAX_INVALID_SHAPE, "%u dimensions are too many", dimensions);
    int first_behind = (int)dimensions;
    CLS_FAIL_IF(axis < -first_behind || axis >= first_behind, CLSOFTMAX_INVALID_SHAPE,
                "axis %d is not there: the array has %u dimensions", axis, dimensions);
    int at = axis < 0 ? axis + first_behind : axis;
    uint64_t outer = 1, inner = 1;
    for (int i = 0; i < first_behind; i++) {
        outer = product(outer, i < at ? shape[i] : 1);
        inner = product(inner, i > at ? shape[i] : 1);
    }
    CLS_FAIL_IF(product(product(outer, inner), shape[at]) == UINT64_MAX || outer == UINT64_MAX || inner == UINT64_MAX,
                CLSOFTMAX_INVALID_SHAPE, "the product of the sizes overflows");
    problem->outer = outer;
    problem->classes = shape[at];
    problem->inner = inner;
    return CLSOFTMAX_OK;
}

/* ---------------------------------------------------------------- Arguments */

/* Returns 1 if the call computes in place: both arrays begin at the same address and have the same elements, and each
   result is written once, as it is not in a sweep. */
static int is_in_place(const clsoftmax_problem *problem, const clsoftmax_arguments *arguments, cls_array in,
                       cls_array out)
{
    return cls_array_of(arguments, in) == cls_array_of(arguments, out) && problem->sweep == 0 &&
           cls_array_dtype(problem, in) == cls_array_dtype(problem, out) &&
           memcmp(cls_array_layout(problem, in), cls_array_layout(problem, out), sizeof(clsoftmax_layout)) == 0;
}

/* The addresses of an array's first byte and of the byte behind its last. */
typedef struct extent_in_memory {
    uintptr_t begin, end;
} extent_in_memory;

static extent_in_memory place_of(const clsoftmax_problem *problem, const clsoftmax_arguments *arguments,
                                 cls_array array)
{
    uintptr_t address = (uintptr_t)cls_array_of(arguments, array);
    size_t size = cls_array_element_bytes(problem, array);
    return (extent_in_memory){address + cls_array_layout(problem, array)->offset * size,
                              address + cls_array_span(problem, array) * size};
}

int cls_arguments_overlap(const clsoftmax_problem *problem, const clsoftmax_arguments *arguments)
{
    CLS_FOR_ARRAYS(in) {
        if (!cls_array_layout(problem, in) || cls_array_is_written(in) || !cls_array_is_wanted(problem, in))
            continue;
        CLS_FOR_ARRAYS(out) {
            if (!cls_array_layout(problem, out) || !cls_array_is_written(out) ||
                is_in_place(problem, arguments, in, out))
                continue;
            extent_in_memory read = place_of(problem, arguments, in), written = place_of(problem, arguments, out);
            if (read.begin < written.end && written.begin < read.end)
                return 1;
        }
    }
    return 0;
}

/* Returns 1 for a number in [0, inf], -0 included. Looks at its bits, because the caller's floating-point mode may take
   a subnormal for zero. */
static int is_temperature(float temperature)
{
    uint32_t bits = core_bits_of_float(temperature);
    return bits <= 0x7F800000u || bits == 0x80000000u;
}

/* Returns 1 if T^2 is beyond f32, and the problem wants it. */
static int overflows_squared(const clsoftmax_problem *problem, float temperature)
{
    return clsoftmax_operation_has_teacher(problem->operation) && problem->temperature_squared &&
           temperature >= 0x1p64f;
}

clsoftmax_status cls_temperature_check(const clsoftmax_problem *problem, float temperature)
{
    CLS_FAIL_IF(problem->sweep == 0 && !problem->temperature_per_row && !is_temperature(temperature),
                CLSOFTMAX_INVALID_TEMPERATURE, "temperature %g; it takes a number from 0 to inf", (double)temperature);
    CLS_FAIL_IF(problem->sweep == 0 && !problem->temperature_per_row && overflows_squared(problem, temperature),
                CLSOFTMAX_INVALID_TEMPERATURE,
                "temperature %g: its square, by which a distillation is multiplied, overflows", (double)temperature);
    return CLSOFTMAX_OK;
}

static clsoftmax_status check_temperatures(const clsoftmax_problem *problem, const clsoftmax_arguments *arguments)
{
    CLS_FORWARD(cls_temperature_check(problem, arguments->temperature));
    CLS_FAIL_IF(problem->sweep > 0 && !arguments->temperatures, CLSOFTMAX_INVALID_ARGUMENT,
                "temperatures is NULL, and the sweep wants %llu", (unsigned long long)problem->sweep);
    for (uint64_t k = 0; k < problem->sweep; k++) {
        CLS_FAIL_IF(overflows_squared(problem, arguments->temperatures[k]), CLSOFTMAX_INVALID_TEMPERATURE,
                    "temperature %g, number %llu of the sweep: its square overflows",
                    (double)arguments->temperatures[k], (unsigned long long)k);
        CLS_FAIL_IF(!is_temperature(arguments->temperatures[k]), CLSOFTMAX_INVALID_TEMPERATURE,
                    "temperature %g, number %llu of the sweep; it takes a number from 0 to inf",
                    (double)arguments->temperatures[k], (unsigned long long)k);
    }
    return CLSOFTMAX_OK;
}

clsoftmax_status cls_loss_check(const clsoftmax_problem *problem, float scale, float z_loss, float share)
{
    CLS_FAIL_IF(cls_has_loss(problem) && !(fabsf(scale) <= FLT_MAX), CLSOFTMAX_INVALID_ARGUMENT,
                "the scale of the gradient is %g; it takes a finite number", (double)scale);
    CLS_FAIL_IF(cls_has_loss(problem) && !(z_loss >= 0 && z_loss <= FLT_MAX), CLSOFTMAX_INVALID_ARGUMENT,
                "the weight of the z-loss is %g; it takes a finite number from 0 on", (double)z_loss);
    CLS_FAIL_IF(cls_has_mixture(problem) && !(share > 0 && share < 1), CLSOFTMAX_INVALID_ARGUMENT,
                "the teacher's share is %g; it takes a number between 0 and 1", (double)share);
    CLS_FAIL_IF(cls_has_loss(problem) && !(share >= 0 && share <= 1), CLSOFTMAX_INVALID_ARGUMENT,
                "the label smoothing is %g; it takes a number from 0 to 1", (double)share);
    return CLSOFTMAX_OK;
}

/* Checks the weights of rows that have a loss. */
static clsoftmax_status check_weights(const clsoftmax_problem *problem, const float *weights)
{
    const uint64_t rows = weights && cls_has_loss(problem) ? cls_problem_rows(problem) : 0;
    for (uint64_t r = 0; r < rows; r++)
        CLS_FAIL_IF(!(weights[r] >= 0 && weights[r] <= FLT_MAX), CLSOFTMAX_INVALID_ARGUMENT,
                    "the weight of row %llu is %g; it takes a finite number from 0 on", (unsigned long long)r,
                    (double)weights[r]);
    return CLSOFTMAX_OK;
}

clsoftmax_status cls_arguments_check(const clsoftmax_problem *problem, const clsoftmax_arguments *arguments)
{
    CLS_FORWARD(check_temperatures(problem, arguments));
    CLS_FORWARD(cls_loss_check(problem, arguments->scale, arguments->z_loss,
                               cls_loss_share(problem, arguments->label_smoothing, arguments->teacher_share)));
    CLS_FORWARD(check_weights(problem, arguments->weights));
    if (cls_problem_rows(problem) == 0)
        return CLSOFTMAX_OK;
    CLS_FOR_ARRAYS(array)
        CLS_FAIL_IF(cls_array_is_wanted(problem, array) && !cls_array_is_optional(problem, array) &&
                        !cls_array_of(arguments, array),
                    CLSOFTMAX_INVALID_ARGUMENT, "%s is NULL, and the problem wants it", cls_array_name(array));
    CLS_FAIL_IF(cls_has_results(problem) && cls_arguments_overlap(problem, arguments), CLSOFTMAX_INVALID_ARGUMENT,
                "results overlap what is read without being the same array");
    return CLSOFTMAX_OK;
}
