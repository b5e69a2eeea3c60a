/* Matrices of f32 in memory, read from and written to files. */
#ifndef CLSOFTMAX_MATRIX_H
#define CLSOFTMAX_MATRIX_H

#include <stdint.h>
#include <stdio.h>

#define MATRIX_MOST_DIMENSIONS 32 /* as NumPy */

/* Row-major; rows run along the last axis. */
typedef struct matrix {
    float *values;
    unsigned dimensions;
    uint64_t shape[MATRIX_MOST_DIMENSIONS];
    uint64_t rows;    /* product of all dimensions but the last */
    uint64_t classes; /* the last dimension */
} matrix;

/* What the numbers of a file are. */
typedef enum matrix_content { MATRIX_LOGITS, MATRIX_PROBABILITIES } matrix_content;

/* Reads a file by its name: .npy; .txt, .csv or "-" as text. Probabilities are turned into logits by their logarithm,
   taken in double precision. EXIT_DONE, or EXIT_WRONG after a complaint that names the file and the place; nothing is
   left then. */
int matrix_read(const char *path, matrix_content content, matrix *out);
void matrix_release(matrix *matrix);

/* One value of a file into f32. NULL, or what is wrong with it. */
const char *matrix_convert(double value, matrix_content content, float *out);

int matrix_read_npy(const char *path, matrix_content content, matrix *out);
int matrix_read_text(const char *path, matrix_content content, matrix *out);

/* Writes an .npy file of version 1.0, dtype <f4, C order, under `path` once it is complete: first into a temporary file
   beside it, removed on failure and on SIGINT, SIGTERM and SIGHUP. EXIT_DONE, or EXIT_FAILED after a complaint. */
int matrix_write_npy(const char *path, const matrix *matrix);

/* A row a line, "%.9g" with a space between, which reads back to the same f32. EXIT_DONE or EXIT_FAILED; a closed pipe
   is not complained about. */
int matrix_write_text(FILE *file, const matrix *matrix);

#endif
