/* The table of arrays, and what follows from its rows: see array.h. */
#include "array.h"

#include "problem.h"

#include <stddef.h>
#include <string.h>

/* One row of the table. `transfer` names the array's way to or from the device in an error message. */
typedef struct array_row {
    const char *name, *transfer;
    cls_direction direction;
    size_t element_bytes; /* 0: that of the dtype */
    size_t place;         /* offset in clsoftmax_arguments */
} array_row;

static const array_row table[CLS_ARRAYS] = {
#define CLS_ARRAY_ROW(name, member, direction, extent, bytes, is_optional, condition)                                  \
    [CLS_##name] = {#member, "the transfer of " #member, direction, bytes, offsetof(clsoftmax_arguments, member)},
    CLS_ARRAY_LIST(CLS_ARRAY_ROW)
#undef CLS_ARRAY_ROW
};

/* ---------------------------------------------------------------- Rows of the table */

const char *cls_array_name(cls_array array)
{
    return table[array].name;
}

const char *cls_array_transfer(cls_array array)
{
    return table[array].transfer;
}

int cls_array_is_read(cls_array array)
{
    return table[array].direction != CLS_OUT;
}

int cls_array_is_written(cls_array array)
{
    return table[array].direction != CLS_IN;
}

/* What an array is to a problem: the columns of its row that depend on that. */
typedef struct array_use {
    int is_optional, is_wanted;
    cls_extent extent;
} array_use;

static array_use use_of(const clsoftmax_problem *p, cls_array array)
{
    switch (array) {
#define CLS_ARRAY_USE(name, member, direction, extent, bytes, is_optional, condition)                                  \
    case CLS_##name:                                                                                                   \
        return (array_use){is_optional, condition, extent};
        CLS_ARRAY_LIST(CLS_ARRAY_USE)
#undef CLS_ARRAY_USE
    case CLS_ARRAYS:
        break;
    }
    return (array_use){0, 0, CLS_EXTENT(0, 0, 0)};
}

int cls_array_is_optional(const clsoftmax_problem *problem, cls_array array)
{
    return use_of(problem, array).is_optional;
}

int cls_array_is_wanted(const clsoftmax_problem *problem, cls_array array)
{
    return use_of(problem, array).is_wanted;
}

/* ---------------------------------------------------------------- Extents */

cls_extent cls_array_extent(const clsoftmax_problem *problem, cls_array array)
{
    return use_of(problem, array).extent;
}

const clsoftmax_layout *cls_array_layout(const clsoftmax_problem *problem, cls_array array)
{
    switch (array) {
    case CLS_LOGITS:
        return &problem->logits_layout;
    case CLS_OPERAND:
        return &problem->operand_layout;
    case CLS_RESULTS:
        return &problem->results_layout;
    default:
        return NULL;
    }
}

clsoftmax_dtype cls_array_dtype(const clsoftmax_problem *problem, cls_array array)
{
    return array == CLS_LOGITS    ? problem->logits_dtype
           : array == CLS_OPERAND ? problem->operand_dtype
                                  : problem->results_dtype;
}

size_t cls_array_element_bytes(const clsoftmax_problem *problem, cls_array array)
{
    size_t bytes = table[array].element_bytes;
    return bytes ? bytes : clsoftmax_dtype_size(cls_array_dtype(problem, array));
}

uint64_t cls_array_temperature_stride(const clsoftmax_problem *problem, cls_array array)
{
    cls_extent extent = cls_array_extent(problem, array);
    if (!extent.temperatures)
        return 0;
    return extent.classes ? problem->sweep_stride : extent.rows ? cls_problem_rows(problem) : 1;
}

uint64_t cls_array_span(const clsoftmax_problem *problem, cls_array array)
{
    cls_extent extent = cls_array_extent(problem, array);
    uint64_t rows = cls_problem_rows(problem), temperatures = cls_problem_temperatures(problem);
    if (rows == 0)
        return 0;
    if (extent.classes)
        return cls_layout_span(problem, cls_array_layout(problem, array), extent.temperatures ? temperatures : 1);
    return (extent.rows ? rows : 1) * (extent.temperatures ? temperatures : 1);
}

uint64_t cls_array_bytes(const clsoftmax_problem *problem, cls_array array)
{
    return cls_array_is_wanted(problem, array)
               ? cls_array_span(problem, array) * cls_array_element_bytes(problem, array)
               : 0;
}

uint64_t cls_array_first(const clsoftmax_problem *problem, cls_array array, const cls_tile *tile)
{
    const clsoftmax_layout *layout = cls_array_layout(problem, array);
    uint64_t first = tile->first_temperature * cls_array_temperature_stride(problem, array);
    if (layout)
        first += layout->offset + tile->first_outer * layout->outer_stride + tile->first_class * layout->class_stride +
                 tile->first_inner * layout->inner_stride;
    else if (cls_array_extent(problem, array).rows)
        first += tile->first_outer * problem->inner + tile->first_inner;
    return first;
}

/* ---------------------------------------------------------------- Arguments */

void *cls_array_of(const clsoftmax_arguments *arguments, cls_array array)
{
    void *address;
    memcpy(&address, (const char *)arguments + table[array].place, sizeof address);
    return address;
}

char *cls_array_of_tile(const clsoftmax_problem *problem, const clsoftmax_arguments *arguments, const cls_tile *tile,
                        cls_array array)
{
    char *begin = cls_array_is_wanted(problem, array) ? cls_array_of(arguments, array) : NULL;
    return begin ? begin + cls_array_first(problem, array, tile) * cls_array_element_bytes(problem, array) : NULL;
}
