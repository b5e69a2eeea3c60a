/* The problems that kernel_watch runs: shapes, each of which is combined with wishes (wishes.h). */
#ifndef CLSOFTMAX_TEST_WATCHED_SHAPES_H
#define CLSOFTMAX_TEST_WATCHED_SHAPES_H

#include "clsoftmax/clsoftmax.h"

/* How an array is laid out in its buffer. */
typedef enum watched_layout {
    DENSE,
    ODD,     /* with an offset and a gap behind each row, both of 3 elements */
    STRIDED, /* as ODD, with classes and columns two apart */
    COLUMNS, /* the softmax axis first, with neighbouring columns */
} watched_layout;

/* A shape for each way through each strategy's kernels that is compiled in: vectors of every width, rows that are kept
   and rows that are not, one access and several, reductions of one, two and three rounds. Each has a tail. `reaches`
   must stand in the label of the variant that is planned. */
typedef struct watched_shape {
    clsoftmax_strategy strategy;
    unsigned vector_width; /* of the device that is planned for */
    watched_layout layout;
    uint64_t rows, classes;
    uint32_t work_group_size;
    const char *reaches;
} watched_shape;

extern const watched_shape watched_shapes[];
extern const unsigned watched_shape_count;

/* Makes the problem of a shape and a combination of wishes. Logits and results begin at least `guard_bytes` behind the
   beginning of their buffers. */
clsoftmax_problem watched_problem(const watched_shape *shape, unsigned wishes, uint64_t guard_bytes);

#endif
