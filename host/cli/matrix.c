#include "matrix.h"

#include "cli.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);
    return length > end_length && strcmp(text + length - end_length, end) == 0;
}

int matrix_read(const char *path, matrix_content content, matrix *out)
{
    memset(out, 0, sizeof *out);
    if (ends_with(path, ".npy"))
        return matrix_read_npy(path, content, out);
    if (strcmp(path, "-") == 0 || ends_with(path, ".txt") || ends_with(path, ".csv"))
        return matrix_read_text(path, content, out);
    return complain(EXIT_WRONG, "%s: unknown kind of file; it takes .npy, .txt, .csv, or - for text on standard input",
                    path);
}

void matrix_release(matrix *matrix)
{
    free(matrix->values);
    matrix->values = NULL;
}

const char *matrix_convert(double value, matrix_content content, float *out)
{
    if (content == MATRIX_PROBABILITIES) {
        if (value < 0)
            return "is negative; a probability is 0 or more";
        value = log(value);
    }
    *out = (float)value;
    if (isinf(*out) && !isinf(value))
        return "is finite, but larger than f32 holds";
    return NULL;
}

int matrix_write_text(FILE *file, const matrix *matrix)
{
    const float *value = matrix->values;
    int written = 1;
    for (uint64_t row = 0; row < matrix->rows && written >= 0; row++)
        for (uint64_t i = 0; i < matrix->classes && written >= 0; i++)
            written = fprintf(file, "%.9g%c", (double)*value++, i + 1 < matrix->classes ? ' ' : '\n');
    if (written >= 0 && fflush(file) == 0)
        return EXIT_DONE;
    return errno == EPIPE ? EXIT_FAILED : complain(EXIT_FAILED, "standard output: %s", strerror(errno));
}
