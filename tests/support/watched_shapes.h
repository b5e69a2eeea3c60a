/* The problems that kernel_watch runs: shapes, each with any combination of wishes. */
#ifndef CLSOFTMAX_TEST_WATCHED_SHAPES_H
#define CLSOFTMAX_TEST_WATCHED_SHAPES_H

#include "clsoftmax/clsoftmax.h"

/* How an array stands in its buffer. */
typedef enum watched_layout {
    DENSE,
    ODD,     /* an offset, and a row of padding behind each outer index, both odd */
    STRIDED, /* the same, and classes and columns two apart */
    COLUMNS, /* the softmax axis first: columns are neighbours */
} watched_layout;

/* A shape for each way through a strategy's kernels that is compiled in: vectors of every device, rows kept and not, one access
   and several, reductions of one, two and three rounds; each with a tail. `reaches` is in the label of the variant that is planned. */
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

/* The problem of a shape and a combination of wishes (wishes.h), each of whose arrays begins `guard_bytes` behind its buffer. */
clsoftmax_problem watched_problem(const watched_shape *shape, unsigned wishes, uint64_t guard_bytes);

#endif
