/* An array in memory whose numbers came from a file. Used by all readers of files, and by whatever needs one value of a
   dtype as f32. */
#ifndef CLSOFTMAX_ARRAY_H
#define CLSOFTMAX_ARRAY_H

#include "clsoftmax/clsoftmax.h"

#include <stddef.h>
#include <stdint.h>

#define ARRAY_MOST_DIMENSIONS 32 /* as NumPy */

/* What the numbers of a file are, and so what they become in memory. */
typedef enum array_content {
    ARRAY_LOGITS,        /* f32, f16 or bf16 as in the file; of f8, integers and text doubles */
    ARRAY_PROBABILITIES, /* their logarithms, as doubles */
    ARRAY_FLOATS,        /* f32, f16 or bf16 as in the file; of f8, integers and text f32, rounded once */
    ARRAY_NUMBERS        /* doubles */
} array_content;

/* The numbers of a file, in C order. */
typedef struct array {
    void *values;
    array_content content;
    int is_double;         /* the values in memory are doubles; else they are of this type: */
    clsoftmax_dtype dtype; /* with which logits are computed */
    unsigned dimensions;
    uint64_t shape[ARRAY_MOST_DIMENSIONS];
    uint64_t elements; /* product of the shape */
    char **names;      /* of the indices of the last dimension, from the header of a text file, or NULL */
} array;

/* Returns the bytes of an element in memory. */
size_t array_element_size(const array *array);

void array_release(array *array);

/* Puts a number of a file at values[at], as the array's content wants it. Returns NULL, or what is wrong with the
   number. */
const char *array_put(array *array, uint64_t at, double value);

/* Returns one value of a dtype as f32, which holds every value of every dtype. */
float array_float(const void *values, clsoftmax_dtype dtype, uint64_t at);

#endif
