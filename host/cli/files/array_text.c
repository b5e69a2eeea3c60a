/* Text matrices: a row a line, numbers separated by spaces, tabs or one comma, "inf" and "nan" understood, # to the end
   of the line a comment. Parsed as f32 in the C locale, which a program has until it asks for another. */
#include "files/array.h"
#include "support/messages.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct text_reader {
    const char *path;
    array *out;
    uint64_t line, rows, classes, capacity;
} text_reader;

/* Room for one more value. */
static int reserve(text_reader *reader)
{
    array *out = reader->out;
    if (out->elements < reader->capacity)
        return EXIT_DONE;
    uint64_t capacity = reader->capacity ? reader->capacity * 2 : 1024;
    size_t size = array_element_size(out);
    void *grown = capacity <= SIZE_MAX / size ? realloc(out->values, capacity * size) : NULL;
    if (!grown)
        return complain(EXIT_FAILED, "%s: line %llu: no memory for more than %llu values", reader->path,
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

/* One number at *cursor, which moves behind it. Logits are read as f32, so that they are rounded once. */
static int read_number(text_reader *reader, char **cursor, uint64_t column)
{
    char *text = *cursor;
    if (reserve(reader) != EXIT_DONE)
        return EXIT_FAILED;
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

/* The numbers of a line; *classes says how many. */
static int read_line(text_reader *reader, char *line, uint64_t *classes)
{
    *classes = 0;
    char *cursor = skip_spaces(line);
    while (*cursor) {
        int status = read_number(reader, &cursor, ++*classes);
        if (status != EXIT_DONE)
            return status;
        cursor = skip_spaces(cursor);
        if (*cursor == ',') {
            cursor = skip_spaces(cursor + 1);
            if (!*cursor)
                return wrong_number(reader, *classes + 1, cursor, "is missing after a comma");
        }
    }
    return EXIT_DONE;
}

static int read_row(text_reader *reader, char *line, size_t length)
{
    if (strlen(line) != length)
        return complain(EXIT_WRONG, "%s: line %llu: a zero byte; this is not text", reader->path,
                        (unsigned long long)reader->line);
    char *comment = strchr(line, '#');
    if (comment)
        *comment = '\0';
    uint64_t classes;
    int status = read_line(reader, line, &classes);
    if (status != EXIT_DONE)
        return status;
    if (classes == 0 && comment)
        return EXIT_DONE;
    if (classes == 0)
        return complain(EXIT_WRONG, "%s: line %llu: an empty row", reader->path, (unsigned long long)reader->line);
    if (reader->rows == 0)
        reader->classes = classes;
    if (classes != reader->classes)
        return complain(EXIT_WRONG, "%s: line %llu: %llu values, but the rows before have %llu", reader->path,
                        (unsigned long long)reader->line, (unsigned long long)classes,
                        (unsigned long long)reader->classes);
    reader->rows++;
    return EXIT_DONE;
}

static int read_rows(text_reader *reader, FILE *file)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t length;
    int status = EXIT_DONE;
    errno = 0;
    while (status == EXIT_DONE && (length = getline(&line, &capacity, file)) >= 0) {
        reader->line++;
        status = read_row(reader, line, (size_t)length);
        errno = 0;
    }
    if (status == EXIT_DONE && !feof(file)) /* getline also stops where memory does */
        status = complain(ferror(file) ? EXIT_WRONG : EXIT_FAILED, "%s: line %llu: %s", reader->path,
                          (unsigned long long)reader->line + 1, strerror(errno));
    free(line);
    return status;
}

int array_read_text(const char *path, array *out)
{
    int standard_input = strcmp(path, "-") == 0;
    FILE *file = standard_input ? stdin : fopen(path, "r");
    if (!file)
        return complain(EXIT_WRONG, "%s: %s", path, strerror(errno));
    text_reader reader = {.path = standard_input ? "standard input" : path, .out = out};
    int status = read_rows(&reader, file);
    if (!standard_input)
        fclose(file);
    if (status == EXIT_DONE && reader.rows == 0)
        status = complain(EXIT_WRONG, "%s: there is no row of numbers in it", reader.path);
    if (status != EXIT_DONE) {
        array_release(out);
        return status;
    }
    out->dimensions = 2;
    out->shape[0] = reader.rows;
    out->shape[1] = reader.classes;
    return EXIT_DONE;
}
