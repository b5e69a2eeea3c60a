/* The arrays of a watched call: what watched_arrays.h declares. */
#include "watched_arrays.h"

#include "dtype_values.h"
#include "problem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CANARY = 0x5A };

/* ---------------------------------------------------------------- Data */

/* Returns an element of one of the kinds of rows that kernels tell apart, a number that every dtype holds. */
static float element_of(uint64_t row, uint64_t class)
{
    const float usual = (float)((row * 37 + class * 29) % 63) * 0.25f - 8;
    switch (row % 7) {
    case 1:
        return class % 3 == 1 ? -INFINITY : usual;
    case 2:
        return -INFINITY;
    case 3:
        return class % 4 == 2 ? INFINITY : usual;
    case 4:
        return class == 1 ? NAN : usual;
    case 5:
        return 1.5f;
    default:
        return usual;
    }
}

/* Returns an element of the operand: rows of one size, of several, and with an infinite number. */
static float operand_of(uint64_t row, uint64_t class)
{
    const float usual = (float)((row * 31 + class * 17) % 41) * 0.125f - 2;
    return row % 6 == 5 && class == 2 ? INFINITY : row % 3 == 1 && class % 5 > 0 ? usual * 0x1p-6f : usual;
}

static void fill_matrix_array(const clsoftmax_problem *p, cls_array name, watched_array *array)
{
    const clsoftmax_layout *layout = cls_array_layout(p, name);
    for (uint64_t row = 0; row < cls_problem_rows(p); row++)
        for (uint64_t class = 0; class < p->classes; class ++)
            put_value(array->before, cls_array_dtype(p, name),
                      cls_layout_row(p, layout, row) + class * layout->class_stride,
                      name == CLS_OPERAND ? operand_of(row, class) : element_of(row, class));
}

/* Fills in temperatures of every kind. In a sweep each of them must be valid. */
static void fill_temperatures(const clsoftmax_problem *p, watched_array *array)
{
    static const float temperatures[] = {0.7f, 3, INFINITY, 1, 0, 1e-3f, 100, -1, NAN};
    enum { ALL = sizeof temperatures / sizeof *temperatures, VALID = ALL - 2 };
    for (uint64_t i = 0; i < cls_array_span(p, CLS_TEMPERATURES); i++)
        memcpy(array->before + array->begin + i * sizeof(float), &temperatures[i % (p->sweep > 0 ? VALID : ALL)],
               sizeof(float));
}

/* Fills in labels: classes, the number behind the last class, and -1. */
static void fill_labels(const clsoftmax_problem *p, watched_array *array)
{
    for (uint64_t row = 0; row < cls_problem_rows(p); row++) {
        const int64_t label =
            row % 4 == 3 ? -1 : (int64_t)(row % 4 == 2 ? p->classes : p->classes - 1 - row % p->classes);
        memcpy(array->before + array->begin + row * sizeof label, &label, sizeof label);
    }
}

/* Fills in weights, one of them 0. */
static void fill_weights(const clsoftmax_problem *p, watched_array *array)
{
    for (uint64_t row = 0; row < cls_problem_rows(p); row++) {
        const float weight = (float)(row % 5) * 0.5f;
        memcpy(array->before + array->begin + row * sizeof weight, &weight, sizeof weight);
    }
}

/* ---------------------------------------------------------------- Arrays */

/* Returns the byte of its buffer at which an array begins: a matrix by the offset of its layout; arrays of rows or
   temperatures, whose first element a call on buffers takes, behind the guard. */
static size_t begin_of(const clsoftmax_problem *p, cls_array name, size_t guard_bytes)
{
    const clsoftmax_layout *layout = cls_array_layout(p, name);
    const cls_extent extent = cls_array_extent(p, name);
    if (layout)
        return layout->offset * cls_array_element_bytes(p, name);
    return extent.rows || extent.temperatures ? guard_bytes : 0;
}

static int make_array(const clsoftmax_problem *p, cls_array name, size_t guard_bytes, watched_array *array)
{
    array->begin = begin_of(p, name, guard_bytes);
    array->end =
        (cls_array_layout(p, name) ? 0 : array->begin) + cls_array_span(p, name) * cls_array_element_bytes(p, name);
    array->bytes = array->end + guard_bytes;
    array->before = malloc(array->bytes);
    array->expected = malloc(array->bytes);
    if (!array->before || !array->expected)
        return 0;
    memset(array->before, CANARY, array->bytes);
    if (cls_array_is_read(name) && cls_array_layout(p, name))
        fill_matrix_array(p, name, array);
    return 1;
}

int watched_arrays_make(const clsoftmax_problem *problem, size_t guard_bytes, watched_array *arrays)
{
    memset(arrays, 0, CLS_ARRAYS * sizeof *arrays);
    CLS_FOR_ARRAYS(name)
        if (!make_array(problem, name, guard_bytes, &arrays[name]))
            return 0;
    fill_temperatures(problem, &arrays[CLS_TEMPERATURES]);
    fill_labels(problem, &arrays[CLS_LABELS]);
    fill_weights(problem, &arrays[CLS_WEIGHTS]);
    CLS_FOR_ARRAYS(name)
        memcpy(arrays[name].expected, arrays[name].before, arrays[name].bytes);
    return 1;
}

void watched_arrays_release(watched_array *arrays)
{
    CLS_FOR_ARRAYS(name) {
        free(arrays[name].before);
        free(arrays[name].expected);
    }
}

/* ---------------------------------------------------------------- Arguments */

/* Returns the place of an array in memory. A matrix is given by its beginning, before its offset. */
static void *in_memory(const clsoftmax_problem *none, cls_array name, watched_array *array)
{
    return array->expected + (cls_array_layout(none, name) ? 0 : array->begin);
}

clsoftmax_arguments watched_arrays_in_memory(watched_array *arrays, int in_place, uint64_t *invalid_rows)
{
    const clsoftmax_problem none = CLSOFTMAX_PROBLEM_INIT;
    clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
#define IN_MEMORY(name, member, ...) arguments.member = in_memory(&none, CLS_##name, &arrays[CLS_##name]);
    CLS_ARRAY_LIST(IN_MEMORY)
    arguments.temperature = 0.7f;
    arguments.invalid_rows = invalid_rows;
    if (in_place)
        arguments.results = arrays[CLS_LOGITS].expected;
    return arguments;
}

void watched_arrays_count_invalid(watched_array *arrays, uint64_t invalid_rows)
{
    cl_uint counted;
    memcpy(&counted, arrays[CLS_INVALID_ROWS].before, sizeof counted);
    counted += (cl_uint)invalid_rows;
    memcpy(arrays[CLS_INVALID_ROWS].expected, &counted, sizeof counted);
}

clsoftmax_cl_arguments watched_arrays_in_buffers(const watched_array *arrays, int in_place)
{
    clsoftmax_cl_arguments arguments = CLSOFTMAX_CL_ARGUMENTS_INIT;
#define IN_BUFFERS(name, member, ...) arguments.member = arrays[CLS_##name].buffer;
    CLS_ARRAY_LIST(IN_BUFFERS)
    arguments.temperature = 0.7f;
    /* an array whose first element is not passed here is found to be written, or read, in its guards */
    arguments.temperatures_first = arrays[CLS_TEMPERATURES].begin / sizeof(cl_float);
    arguments.labels_first = arrays[CLS_LABELS].begin / sizeof(cl_long);
    arguments.statistics_first = arrays[CLS_STATISTICS].begin / sizeof(clsoftmax_statistics);
    arguments.weights_first = arrays[CLS_WEIGHTS].begin / sizeof(cl_float);
    arguments.losses_first = arrays[CLS_LOSSES].begin / sizeof(cl_float);
    if (in_place)
        arguments.results = arguments.logits;
    return arguments;
}

/* ---------------------------------------------------------------- Comparing */

/* Returns the place of the first byte from `begin` to `end` that is not as expected, or `end`. */
static size_t first_difference(const watched_array *array, const unsigned char *now, size_t begin, size_t end)
{
    while (begin < end && now[begin] == array->expected[begin])
        begin++;
    return begin;
}

int watched_array_is_right(const watched_array *array, const unsigned char *now, size_t *at, int *is_guard)
{
    *at = first_difference(array, now, 0, array->begin);
    if (*at == array->begin)
        *at = first_difference(array, now, array->end, array->bytes);
    *is_guard = *at < array->bytes;
    if (!*is_guard)
        *at = first_difference(array, now, array->begin, array->end);
    return !*is_guard && *at == array->end;
}
