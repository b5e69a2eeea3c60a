/* Matrices as text: a row on each line, and numbers separated by commas, semicolons, tabs or spaces, which
   text_fields.c tells apart. Blank lines at the end are nothing. */
#include "files/array_text.h"

#include "files/text_lines.h"
#include "support/messages.h"
#include "support/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- Reading */

typedef struct text_reader {
    text_format format;
    char delimiter; /* the one given, or that of the rows so far; 0: no row has had one */
    text_lines lines;
    array *out;
    uint64_t rows, classes, capacity;
    uint64_t blank;       /* number of the first of the blank lines behind the last row; 0: none */
    char *header;         /* a copy of the line that names the classes, or NULL */
    int is_behind_header; /* a first line has been read */
} text_reader;

/* Complains about the line that was read last. */
#define COMPLAIN_IF_LINE(condition, reader, format, ...)                                                               \
    COMPLAIN_IF(condition, EXIT_WRONG, "%s: line %llu: " format, (reader)->lines.name,                                 \
                (unsigned long long)(reader)->lines.number, __VA_ARGS__)

/* Makes room for one more value. */
static int reserve(text_reader *reader)
{
    array *out = reader->out;
    if (out->elements < reader->capacity)
        return EXIT_DONE;
    uint64_t capacity = reader->capacity ? reader->capacity * 2 : 1024;
    size_t size = array_element_size(out);
    void *grown = capacity <= SIZE_MAX / size ? realloc(out->values, capacity * size) : NULL;
    COMPLAIN_IF(!grown, EXIT_FAILED, "%s: line %llu: no memory for more than %llu values", reader->lines.name,
                (unsigned long long)reader->lines.number, (unsigned long long)out->elements);
    out->values = grown;
    reader->capacity = capacity;
    return EXIT_DONE;
}

/* Reads a field as the next value of the array; it is value number `column` of its line. */
static int read_number(text_reader *reader, char *field, uint64_t column)
{
    double value = 0;
    FORWARD(reserve(reader));
    COMPLAIN_IF_LINE(!*field, reader, "value %llu is missing", (unsigned long long)column);
    const char *why = text_number(field, reader->format.decimal, !reader->out->is_double, &value);
    if (!why)
        why = array_put(reader->out, reader->out->elements, value);
    COMPLAIN_IF(why, EXIT_WRONG, "%s: line %llu, value %llu: \"%.40s\" %s", reader->lines.name,
                (unsigned long long)reader->lines.number, (unsigned long long)column, field, why);
    reader->out->elements++;
    return EXIT_DONE;
}

/* Finds the delimiter of a line, which must be that of the lines before. */
static int find_delimiter(text_reader *reader, const char *line)
{
    char found[2], *delimiter = &reader->delimiter;
    text_find_delimiters(line, reader->format.decimal, found);
    if (*delimiter && found[0] && found[0] != *delimiter)
        found[1] = *delimiter;
    int has_comma = found[0] == ',' || found[1] == ',';
    COMPLAIN_IF_LINE(found[1], reader, "%s and %s both separate values; --delimiter says which do%s",
                     text_delimiter_name(found[0]), text_delimiter_name(found[1]),
                     has_comma ? ", and --decimal comma reads commas as decimal points" : "");
    if (!*delimiter)
        *delimiter = found[0];
    return EXIT_DONE;
}

/* Reads the numbers of a trimmed line that is not empty, and counts them in *classes. */
static int read_numbers(text_reader *reader, char *line, uint64_t *classes)
{
    *classes = 0;
    for (char *rest = line; rest;) {
        char *field = text_next_field(&rest, reader->delimiter ? reader->delimiter : ' ');
        FORWARD(read_number(reader, field, ++*classes));
    }
    return EXIT_DONE;
}

/* Reads a trimmed line that is not empty as a row. */
static int read_row(text_reader *reader, char *line)
{
    uint64_t classes;
    COMPLAIN_IF_LINE(reader->blank, reader, "a row behind line %llu, which is blank; blank lines are for the end alone",
                     (unsigned long long)reader->blank);
    if (!reader->format.delimiter)
        FORWARD(find_delimiter(reader, line));
    FORWARD(read_numbers(reader, line, &classes));
    if (reader->rows == 0)
        reader->classes = classes;
    COMPLAIN_IF_LINE(classes != reader->classes, reader, "%llu values, but the rows before have %llu",
                     (unsigned long long)classes, (unsigned long long)reader->classes);
    reader->rows++;
    return EXIT_DONE;
}

/* ---------------------------------------------------------------- A header */

/* Returns the delimiter of a header, whose names may have spaces. */
static char header_delimiter(const text_reader *reader, const char *line)
{
    char found[2];
    if (reader->delimiter)
        return reader->delimiter;
    text_find_delimiters(line, reader->format.decimal, found);
    return found[1] && found[0] == ' ' ? found[1] : found[0] ? found[0] : ' ';
}

/* Returns 1 if no word of the line is a number, whatever separates its fields. */
static int has_no_number(const text_reader *reader, const char *line)
{
    const char *between = reader->format.decimal == ',' ? " \t;" : " \t;,";
    for (const char *at = line + strspn(line, between); *at; at += strspn(at, between)) {
        char word[64];
        double number;
        size_t length = strcspn(at, between);
        snprintf(word, sizeof word, "%.*s", (int)(length < sizeof word ? length : 0), at);
        if (!text_number(word, reader->format.decimal, 0, &number))
            return 0;
        at += length;
    }
    return 1;
}

/* Takes the first line as a header if it is one, and sets *is_header. */
static int take_header(text_reader *reader, const char *line, int *is_header)
{
    text_header header = reader->format.header;
    *is_header = header == TEXT_HEADER || has_no_number(reader, line);
    COMPLAIN_IF_LINE(*is_header && header == TEXT_NO_HEADER, reader,
                     "no number in \"%.40s\"; if it is a header, --header takes it as the names of the classes", line);
    if (*is_header && header == TEXT_HEADER) {
        reader->header = strdup(line);
        COMPLAIN_IF(!reader->header, EXIT_FAILED, "%s: line %llu: no memory for the names", reader->lines.name,
                    (unsigned long long)reader->lines.number);
    }
    return EXIT_DONE;
}

/* Sets the names of the array from its header, one for each class. */
static int read_names(text_reader *reader)
{
    array *out = reader->out;
    uint64_t count = 0;
    char *rest = reader->header;
    if (!rest)
        return EXIT_DONE;
    char delimiter = header_delimiter(reader, rest);
    out->names = calloc((size_t)reader->classes + 1, sizeof *out->names);
    COMPLAIN_IF(!out->names, EXIT_FAILED, "%s: no memory for the names", reader->lines.name);
    for (; rest; count++) {
        const char *name = text_next_field(&rest, delimiter);
        if (count >= reader->classes)
            continue;
        out->names[count] = strdup(name);
        COMPLAIN_IF(!out->names[count], EXIT_FAILED, "%s: no memory for the names", reader->lines.name);
    }
    COMPLAIN_IF(count != reader->classes, EXIT_WRONG, "%s: the header has %llu names, but the rows have %llu values",
                reader->lines.name, (unsigned long long)count, (unsigned long long)reader->classes);
    return EXIT_DONE;
}

/* ---------------------------------------------------------------- All of a file */

/* Reads a line that may be a row, a header, a comment or blank. */
static int read_line(text_reader *reader, char *line)
{
    int is_blank = !*text_trim(line), is_header = 0;
    text_cut_comment(line);
    line = text_trim(line);
    if (!*line) {
        if (is_blank && !reader->blank)
            reader->blank = reader->lines.number;
        return EXIT_DONE;
    }
    if (!reader->is_behind_header)
        FORWARD(take_header(reader, line, &is_header));
    reader->is_behind_header = 1;
    return is_header ? EXIT_DONE : read_row(reader, line);
}

static int read_lines(text_reader *reader)
{
    for (;;) {
        char *line;
        FORWARD(text_lines_next(&reader->lines, &line));
        if (!line)
            break;
        FORWARD(read_line(reader, line));
    }
    COMPLAIN_IF(reader->rows == 0, EXIT_WRONG, "%s: it has no row of numbers", reader->lines.name);
    return read_names(reader);
}

int array_read_text(const input_stream *stream, const text_format *format, array *out)
{
    text_reader reader = {.format = *format, .delimiter = format->delimiter, .out = out};
    out->is_double = out->content != ARRAY_FLOATS;
    text_lines_begin(stream, &reader.lines);
    int status = read_lines(&reader);
    text_lines_end(&reader.lines);
    free(reader.header);
    out->dimensions = 2;
    out->shape[0] = reader.rows;
    out->shape[1] = reader.classes;
    if (status != EXIT_DONE)
        array_release(out);
    return status;
}

/* ---------------------------------------------------------------- Writing */

int array_write_text(FILE *file, const void *values, clsoftmax_dtype dtype, uint64_t elements, uint64_t classes)
{
    int written = 1;
    for (uint64_t i = 0; i < elements && written >= 0; i++)
        written = fprintf(file, "%.9g%c", (double)array_float(values, dtype, i), (i + 1) % classes ? ' ' : '\n');
    return finish_output(file);
}
