/* A case of test_cross.c: a problem with its data, which is run on cpu and on the OpenCL device. */
#ifndef CLSOFTMAX_CROSS_CASE_H
#define CLSOFTMAX_CROSS_CASE_H

#include "clsoftmax/clsoftmax.h"
#include "support/fill.h"

/* Where the softmax axis is, and how its arrays are laid out. */
typedef enum axis_place {
    LAST,
    MIDDLE,
    FIRST,
    STRIDED,              /* last, with an offset, gaps between rows and, out of place, between results */
    MIDDLE_OF_NEIGHBOURS, /* as MIDDLE, with the classes of a row next to each other */
    AXIS_PLACES
} axis_place;

typedef struct cross_case {
    clsoftmax_problem problem;
    axis_place place;
    int in_place;
    fill kind;
    float temperature;
    uint64_t seed;
} cross_case;

/* Sets the problem's sizes and layouts for the place of its axis. */
void cross_set_layouts(cross_case *c, uint64_t rows, uint64_t classes);

/* Runs the case on both devices and fails the test unless their results, statistics and counts of invalid rows are the
   same to the last bit, nothing is written beside the arrays, 16-bit results are f32 results rounded once, and,
   with_oracle, f32 results and statistics are within their bounds of the truth. */
void cross_run(cross_case c, clsoftmax_context *cpu, clsoftmax_context *opencl, int with_oracle);

#endif
