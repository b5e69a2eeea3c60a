/*
 * The arrays of a call, as rows of a table: what each is called, which way it goes, for what it has an element, and
 * where the caller's arguments hold it. Checks, tiles, transfers, kernel arguments and tests loop over the table.
 *
 * To add an array, add a row here; a member to clsoftmax_arguments; a member to clsoftmax_cl_arguments, and its place
 * in opencl_interop.c; and a row in ROW_ARGUMENT_LIST (kernels/core/interface.h), by which kernels declare it.
 */
#ifndef CLSOFTMAX_ARRAY_H
#define CLSOFTMAX_ARRAY_H

#include "clsoftmax/clsoftmax.h"
#include "plan/plan.h"
#include "problem.h"

/* The direction of an array: the device reads it, writes it, or adds to what it holds. */
typedef enum cls_direction { CLS_IN, CLS_OUT, CLS_IN_OUT } cls_direction;

/* What an array has an element for: each class, each row, each temperature of a sweep. An array with an element for
   each class has a layout, which says where they stand. */
typedef struct cls_extent {
    int classes, rows, temperatures;
} cls_extent;

/* X(NAME, member of the arguments, direction, extent {classes, rows, temperatures}, bytes of an element on the device
   or 0 for that of its dtype, condition under which it may be NULL, condition under which the problem p has it).
   `temperatures` has an element for each row, or in a sweep one for each of its temperatures. */
#define CLS_ARRAY_LIST(X)                                                                                              \
    X(LOGITS, logits, CLS_IN, CLS_EXTENT(1, 1, 0), 0, 0, 1)                                                            \
    X(OPERAND, operand, CLS_IN, CLS_EXTENT(1, 1, 0), 0, 0, cls_takes_operand(p))                                       \
    X(TEMPERATURES, temperatures, CLS_IN, CLS_EXTENT(0, p->sweep == 0, p->sweep > 0), sizeof(float), 0,                \
      p->sweep > 0 || p->temperature_per_row)                                                                          \
    X(LABELS, labels, CLS_IN, CLS_EXTENT(0, 1, 0), sizeof(int64_t), !cls_has_labels(p),                                \
      p->statistics || cls_has_labels(p))                                                                              \
    X(WEIGHTS, weights, CLS_IN, CLS_EXTENT(0, 1, 0), sizeof(float), 1, cls_has_loss(p))                                \
    X(INVALID_ROWS, invalid_rows, CLS_IN_OUT, CLS_EXTENT(0, 0, 0), sizeof(uint32_t), 1, p->temperature_per_row)        \
    X(STATISTICS, statistics, CLS_OUT, CLS_EXTENT(0, 1, 1), sizeof(clsoftmax_statistics), 0, p->statistics)            \
    X(LOSSES, losses, CLS_OUT, CLS_EXTENT(0, 1, 1), sizeof(float), cls_has_results(p), cls_has_loss(p))                \
    X(RESULTS, results, CLS_OUT, CLS_EXTENT(1, 1, 1), 0, 0, cls_has_results(p))
#define CLS_EXTENT(classes, rows, temperatures) ((cls_extent){classes, rows, temperatures})

typedef enum cls_array {
#define CLS_ARRAY_NUMBER(name, ...) CLS_##name,
    CLS_ARRAY_LIST(CLS_ARRAY_NUMBER)
#undef CLS_ARRAY_NUMBER
        CLS_ARRAYS
} cls_array;

#define CLS_FOR_ARRAYS(array) for (cls_array array = 0; array < CLS_ARRAYS; array++)

/* Return the array's name in clsoftmax_arguments, and the name of its transfer in error messages. */
const char *cls_array_name(cls_array array);
const char *cls_array_transfer(cls_array array);

/* Return 1 if the device reads the array, and 1 if it writes the array. */
int cls_array_is_read(cls_array array);
int cls_array_is_written(cls_array array);

/* Returns 1 if a call may leave the array out, though its problem has it. */
int cls_array_is_optional(const clsoftmax_problem *problem, cls_array array);

/* Returns 1 if the problem has the array. */
int cls_array_is_wanted(const clsoftmax_problem *problem, cls_array array);

/* Returns what the array has an element for. */
cls_extent cls_array_extent(const clsoftmax_problem *problem, cls_array array);

/* Return the layout of an array with an element for each class, or NULL for other arrays; and its dtype, which has no
   meaning for them. */
const clsoftmax_layout *cls_array_layout(const clsoftmax_problem *problem, cls_array array);
clsoftmax_dtype cls_array_dtype(const clsoftmax_problem *problem, cls_array array);

/* Returns the bytes of an element on the device. */
size_t cls_array_element_bytes(const clsoftmax_problem *problem, cls_array array);

/* Returns the number of elements from the start of the array to its last, offset included; 0 for a problem without
   rows. */
uint64_t cls_array_span(const clsoftmax_problem *problem, cls_array array);

/* Returns the bytes of that span; 0 if the problem does not have the array. */
uint64_t cls_array_bytes(const clsoftmax_problem *problem, cls_array array);

/* Return the number of elements before the first one of a tile, and from one temperature of a sweep to the next. */
uint64_t cls_array_first(const clsoftmax_problem *problem, cls_array array, const cls_tile *tile);
uint64_t cls_array_temperature_stride(const clsoftmax_problem *problem, cls_array array);

/* Returns the address of the array in the arguments. What is const there is only read. */
void *cls_array_of(const clsoftmax_arguments *arguments, cls_array array);

/* Returns the address of the tile's first element in the caller's array; NULL if the problem does not have the array,
   or the caller left it out. */
char *cls_array_of_tile(const clsoftmax_problem *problem, const clsoftmax_arguments *arguments, const cls_tile *tile,
                        cls_array array);

#endif
