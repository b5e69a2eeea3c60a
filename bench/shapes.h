/*
 * The shapes of the matrices that are measured, read from the option --shapes:
 *
 *     1024x32768                       rows x classes
 *     bytes=128M:classes=2..1048576    two of rows, classes, and bytes of the logits as f32; N..M doubles from N to M
 *     llm                              a named set
 *
 * Commas separate several. K, M and G stand for 2^10, 2^20 and 2^30.
 */
#ifndef CLSOFTMAX_BENCH_SHAPES_H
#define CLSOFTMAX_BENCH_SHAPES_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct shape {
    uint64_t rows, classes;
} shape;

typedef struct shape_list {
    shape *items;
    size_t count;
} shape_list;

/* Adds the shapes that a text names. EXIT_DONE, or another status after a complaint. */
int shapes_parse(const char *text, shape_list *list);
void shapes_release(shape_list *list);

/* Prints each named set with its meaning and its shapes, for --help. */
void shapes_print_sets(FILE *file);

#endif
