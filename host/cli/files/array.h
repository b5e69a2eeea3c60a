/* Arrays in memory, read from and written to files. */
#ifndef CLSOFTMAX_ARRAY_H
#define CLSOFTMAX_ARRAY_H

#include "clsoftmax/clsoftmax.h"

#include <stdint.h>
#include <stdio.h>

#define ARRAY_MOST_DIMENSIONS 32 /* as NumPy */

/* What the numbers of a file are, and so what they become in memory. */
typedef enum array_content {
    ARRAY_LOGITS,        /* f32, f16 or bf16, as in the file; f8 is rounded to f32 */
    ARRAY_PROBABILITIES, /* their logarithms, taken in double precision, as f32 */
    ARRAY_NUMBERS        /* double; integers are read too */
} array_content;

/* In C order. */
typedef struct array {
    void *values;
    array_content content;
    clsoftmax_dtype dtype; /* of logits and probabilities */
    unsigned dimensions;
    uint64_t shape[ARRAY_MOST_DIMENSIONS];
    uint64_t elements; /* product of the shape */
} array;

/* Bytes of an element in memory. */
size_t array_element_size(const array *array);

void array_release(array *array);

/* Puts one number of a file at values[at]. NULL, or what is wrong with it. */
const char *array_put(array *array, uint64_t at, double value);

/* The whole of a file. An .npy file in Fortran order: the values of *out, which has everything else. Text: of the content that *out has; "-" is
   standard input. EXIT_DONE, or another status after a complaint that names the file and the place; nothing is left then. */
struct npy_file;
int array_read_fortran(const struct npy_file *file, array *out);
int array_read_text(const char *path, array *out);

/* The header of an .npy file of version 1.0, C order: `descr` as it stands there. Its length, at most NPY_HEADER_BYTES. */
#define NPY_HEADER_BYTES 2048
size_t npy_header_write(const char *descr, unsigned dimensions, const uint64_t *shape, char *to);

/* The descr of a dtype in .npy files; bf16 is V2, as ml_dtypes writes it. */
const char *npy_descr(clsoftmax_dtype dtype);

/* One value of a dtype as f32. */
float array_float(const void *values, clsoftmax_dtype dtype, uint64_t at);

/* A line for each `classes` values, "%.9g" with a space between, which reads back to the same f32. EXIT_DONE or EXIT_FAILED; a
   closed pipe is not complained about. */
int array_write_text(FILE *file, const void *values, clsoftmax_dtype dtype, uint64_t elements, uint64_t classes);

#endif
