/* Matrices as text: a row on each line; numbers separated by spaces, tabs or one comma; "inf" and "nan" are understood;
   # starts a comment. Numbers are read and written in the C locale, which a program has until it asks for another. */
#include "files/array_text.h"

#include "support/messages.h"
#include "support/process.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- Reading */

typedef struct text_reader {
    const char *path;
    array *out;
    uint64_t line, rows, classes, capacity;
} text_reader;

/* Makes room for one more value. */
static int reserve(text_reader *reader)
{
    array *out = reader->out;
    if (out->elements < reader->capacity)
        return EXIT_DONE;
    uint64_t capacity = reader->capacity ? reader->capacity * 2 : 1024;
    size_t size = array_element_size(out);
    void *grown = capacity <= SIZE_MAX / size ? realloc(out->values, capacity * size) : NULL;
    COMPLAIN_IF(!grown, EXIT_FAILED, "%s: line %llu: no memory for more than %llu values", reader->path,
                (unsigned long long)reader->line, (unsigned long long)out->elements);
    out->values = grown;
    reader->capacity = capacity;
    return EXIT_DONE;
}

static int wrong_number(const text_reader *reader, uint64_t column, const char *text, const char *why)
{
    int length = (int)strcspn(text, " \t,\r\n");
    return complain(EXIT_WRONG, "%s: line %llu, value %llu: \"%.*s\" %s", reader->path,
                    (unsigned long long)reader->line, (unsigned long long)column, length > 40 ? 40 : length, text, why);
}

/* Reads a number at *cursor, and moves *cursor behind it. Logits are read as f32, so that they are rounded once. */
static int read_number(text_reader *reader, char **cursor, uint64_t column)
{
    char *text = *cursor;
    FORWARD(reserve(reader));
    errno = 0;
    double value = reader->out->content == ARRAY_LOGITS ? (double)strtof(text, cursor) : strtod(text, cursor);
    const char *why = array_put(reader->out, reader->out->elements, value);
    if (errno == ERANGE && isinf(value))
        why =
            reader->out->content == ARRAY_LOGITS ? "is finite, but larger than f32 holds" : "is finite, but too large";
    if (*cursor == text || !strchr(" \t,\r\n", **cursor)) /* strchr also finds the end of the line */
        why = "is not a number";
    if (why)
        return wrong_number(reader, column, text, why);
    reader->out->elements++;
    return EXIT_DONE;
}

static char *skip_spaces(char *cursor)
{
    return cursor + strspn(cursor, " \t\r\n");
}

/* Reads the numbers of a line, and counts them in *classes. */
static int read_line(text_reader *reader, char *line, uint64_t *classes)
{
    *classes = 0;
    char *cursor = skip_spaces(line);
    while (*cursor) {
        FORWARD(read_number(reader, &cursor, ++*classes));
        cursor = skip_spaces(cursor);
        if (*cursor == ',') {
            cursor = skip_spaces(cursor + 1);
            if (!*cursor)
                return wrong_number(reader, *classes + 1, cursor, "is missing after a comma");
        }
    }
    return EXIT_DONE;
}

/* Reads a line of `length` bytes as a row; a line with nothing but a comment is skipped. */
static int read_row(text_reader *reader, char *line, size_t length)
{
    unsigned long long number = reader->line;
    COMPLAIN_IF(strlen(line) != length, EXIT_WRONG, "%s: line %llu: a zero byte; this is not text", reader->path,
                number);
    char *comment = strchr(line, '#');
    if (comment)
        *comment = '\0';
    uint64_t classes;
    FORWARD(read_line(reader, line, &classes));
    if (classes == 0 && comment)
        return EXIT_DONE;
    COMPLAIN_IF(classes == 0, EXIT_WRONG, "%s: line %llu: an empty row", reader->path, number);
    if (reader->rows == 0)
        reader->classes = classes;
    COMPLAIN_IF(classes != reader->classes, EXIT_WRONG, "%s: line %llu: %llu values, but the rows before have %llu",
                reader->path, number, (unsigned long long)classes, (unsigned long long)reader->classes);
    reader->rows++;
    return EXIT_DONE;
}

/* Reads all rows; *line is getline's, and the caller's to release. */
static int read_rows(text_reader *reader, FILE *file, char **line)
{
    size_t capacity = 0;
    errno = 0;
    for (ssize_t length; (length = getline(line, &capacity, file)) >= 0; errno = 0) {
        reader->line++;
        FORWARD(read_row(reader, *line, (size_t)length));
    }
    COMPLAIN_IF(!feof(file), ferror(file) ? EXIT_WRONG : EXIT_FAILED, "%s: line %llu: %s", reader->path,
                (unsigned long long)reader->line + 1, strerror(errno)); /* getline also stops where memory ends */
    COMPLAIN_IF(reader->rows == 0, EXIT_WRONG, "%s: it has no row of numbers", reader->path);
    return EXIT_DONE;
}

int array_read_text(const char *path, array *out)
{
    int is_standard_input = strcmp(path, "-") == 0;
    FILE *file = is_standard_input ? stdin : fopen(path, "r");
    COMPLAIN_IF(!file, EXIT_WRONG, "%s: %s", path, strerror(errno));
    text_reader reader = {.path = is_standard_input ? "standard input" : path, .out = out};
    char *line = NULL;
    int status = read_rows(&reader, file, &line);
    free(line);
    if (!is_standard_input)
        fclose(file);
    if (status != EXIT_DONE) {
        array_release(out);
        return status;
    }
    out->dimensions = 2;
    out->shape[0] = reader.rows;
    out->shape[1] = reader.classes;
    return EXIT_DONE;
}

/* ---------------------------------------------------------------- Writing */

int array_write_text(FILE *file, const void *values, clsoftmax_dtype dtype, uint64_t elements, uint64_t classes)
{
    int written = 1;
    for (uint64_t i = 0; i < elements && written >= 0; i++)
        written = fprintf(file, "%.9g%c", (double)array_float(values, dtype, i), (i + 1) % classes ? ' ' : '\n');
    return finish_output(file);
}
