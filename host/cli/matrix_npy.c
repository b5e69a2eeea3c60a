#include "cli.h"
#include "matrix.h"
#include "npy_header.h"
#include "output_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---------------------------------------------------------------- Elements */

typedef struct dtype {
    unsigned bytes;
    int big_endian;
} dtype;

static const char *find_dtype(const char *descr, dtype *out)
{
    out->big_endian = descr[0] == '>';
    if ((descr[0] != '<' && descr[0] != '>') || descr[1] != 'f' || (descr[2] != '4' && descr[2] != '8') || descr[3])
        return "a dtype that is not supported; it takes f4 and f8";
    out->bytes = (unsigned)(descr[2] - '0');
    return NULL;
}

static double decode(const unsigned char *bytes, dtype type)
{
    unsigned char native[8];
    for (unsigned i = 0; i < type.bytes; i++)
        native[i] = bytes[type.big_endian ? type.bytes - 1 - i : i];
    if (type.bytes == 8) {
        double value;
        memcpy(&value, native, 8);
        return value;
    }
    float value;
    memcpy(&value, native, 4);
    return (double)value;
}

/* Walks the elements of a file in its order and tells where each belongs in C order. */
typedef struct walk {
    const npy_header *header;
    uint64_t index[MATRIX_MOST_DIMENSIONS];
    uint64_t stride[MATRIX_MOST_DIMENSIONS]; /* in C order */
    uint64_t position;
} walk;

static void walk_begin(walk *walk, const npy_header *header)
{
    memset(walk, 0, sizeof *walk);
    walk->header = header;
    uint64_t stride = 1;
    for (unsigned i = header->dimensions; i > 0; i--) {
        walk->stride[i - 1] = stride;
        stride *= header->shape[i - 1];
    }
}

static void walk_next(walk *walk)
{
    if (!walk->header->fortran_order) {
        walk->position++;
        return;
    }
    for (unsigned i = 0; i < walk->header->dimensions; i++) {
        walk->position += walk->stride[i];
        if (++walk->index[i] < walk->header->shape[i])
            return;
        walk->position -= walk->stride[i] * walk->index[i];
        walk->index[i] = 0;
    }
}

/* ---------------------------------------------------------------- Reading */

static int wrong_element(const char *path, const npy_header *header, uint64_t position, double value, const char *why)
{
    char place[512] = "";
    int length = 0;
    for (unsigned i = 0; i < header->dimensions; i++) {
        uint64_t stride = 1;
        for (unsigned k = i + 1; k < header->dimensions; k++)
            stride *= header->shape[k];
        length += snprintf(place + length, sizeof place - (size_t)length, "%s%llu", i ? ", " : "",
                           (unsigned long long)(position / stride % header->shape[i]));
    }
    return complain(EXIT_WRONG, "%s: element [%s]: %g %s", path, place, value, why);
}

static int read_failed(const char *path, FILE *file)
{
    return ferror(file) ? complain(EXIT_FAILED, "%s: %s", path, strerror(errno))
                        : complain(EXIT_FAILED, "%s: the file became shorter while it was read", path);
}

static int read_converted(const char *path, FILE *file, const npy_header *header, dtype type, matrix_content content,
                          float *values)
{
    unsigned char buffer[65536];
    walk walk; /* of every element, in the file's order */
    walk_begin(&walk, header);
    for (uint64_t left = header->elements; left > 0;) {
        size_t count = left < sizeof buffer / type.bytes ? (size_t)left : sizeof buffer / type.bytes;
        if (fread(buffer, type.bytes, count, file) != count)
            return read_failed(path, file);
        for (size_t i = 0; i < count; i++, walk_next(&walk)) {
            double value = decode(buffer + i * type.bytes, type);
            const char *why = matrix_convert(value, content, &values[walk.position]);
            if (why)
                return wrong_element(path, header, walk.position, value, why);
        }
        left -= count;
    }
    return EXIT_DONE;
}

static int read_elements(const char *path, FILE *file, const npy_header *header, dtype type, matrix_content content,
                         float *values)
{
    int as_in_memory = type.bytes == 4 && !type.big_endian && !header->fortran_order && content == MATRIX_LOGITS;
    if (!as_in_memory)
        return read_converted(path, file, header, type, content, values);
    if (fread(values, sizeof(float), (size_t)header->elements, file) != header->elements)
        return read_failed(path, file);
    return EXIT_DONE;
}

/* Everything that can be known before memory is taken. */
static int check_file(const char *path, FILE *file, npy_header *header, dtype *type)
{
    struct stat stat;
    if (fstat(fileno(file), &stat) != 0)
        return complain(EXIT_WRONG, "%s: %s", path, strerror(errno));
    if (!S_ISREG(stat.st_mode))
        return complain(EXIT_WRONG, "%s: not a regular file", path);
    const char *wrong = npy_header_read(file, header);
    if (wrong)
        return complain(EXIT_WRONG, "%s: %s", path, ferror(file) ? strerror(errno) : wrong);
    wrong = find_dtype(header->descr, type);
    if (wrong)
        return complain(EXIT_WRONG, "%s: dtype '%s': %s", path, header->descr, wrong);
    if (header->dimensions == 0)
        return complain(EXIT_WRONG, "%s: a single number (shape ()), not a row of logits", path);
    if (header->shape[header->dimensions - 1] == 0)
        return complain(EXIT_WRONG, "%s: rows of 0 classes", path);
    uint64_t need = header->data_offset + header->elements * type->bytes, have = (uint64_t)stat.st_size;
    if (have < need)
        return complain(EXIT_WRONG, "%s: the file ends too early: its header asks for %llu bytes, it has %llu", path,
                        (unsigned long long)need, (unsigned long long)have);
    if (have > need)
        notice("%s: note: %llu bytes behind the array are ignored", path, (unsigned long long)(have - need));
    if (type->bytes == 8)
        notice("%s: note: f8 is rounded to f4", path);
    return EXIT_DONE;
}

static int read_open_file(const char *path, FILE *file, matrix_content content, matrix *out)
{
    npy_header header = {.elements = 0};
    dtype type = {.bytes = 0};
    int status = check_file(path, file, &header, &type);
    if (status != EXIT_DONE)
        return status;
    out->dimensions = header.dimensions;
    memcpy(out->shape, header.shape, sizeof out->shape);
    out->classes = header.shape[header.dimensions - 1];
    out->rows = header.elements / out->classes;
    out->values = malloc(header.elements > 0 ? (size_t)header.elements * sizeof(float) : 1);
    if (!out->values)
        return complain(EXIT_FAILED, "%s: no memory for %llu values", path, (unsigned long long)header.elements);
    return read_elements(path, file, &header, type, content, out->values);
}

int matrix_read_npy(const char *path, matrix_content content, matrix *out)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return complain(EXIT_WRONG, "%s: %s", path, strerror(errno));
    int status = read_open_file(path, file, content, out);
    fclose(file);
    if (status != EXIT_DONE)
        matrix_release(out);
    return status;
}

/* ---------------------------------------------------------------- Writing */

/* Version 1.0, keys in order, padded with spaces so that the data begins at a multiple of 64. */
static int write_header(FILE *file, const matrix *matrix)
{
    char header[1024];
    int length = snprintf(header, sizeof header, "{'descr': '<f4', 'fortran_order': False, 'shape': (");
    for (unsigned i = 0; i < matrix->dimensions; i++)
        length += snprintf(header + length, sizeof header - (size_t)length,
                           i == 0   ? "%llu,"
                           : i == 1 ? " %llu"
                                    : ", %llu",
                           (unsigned long long)matrix->shape[i]);
    length += snprintf(header + length, sizeof header - (size_t)length, "), }");
    while ((10 + length + 1) % 64 != 0)
        header[length++] = ' ';
    header[length++] = '\n';
    const unsigned char start[10] = {
        0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (unsigned char)(length & 255), (unsigned char)(length >> 8)};
    return fwrite(start, 1, sizeof start, file) == sizeof start &&
           fwrite(header, 1, (size_t)length, file) == (size_t)length;
}

int matrix_write_npy(const char *path, const matrix *matrix)
{
    output_file out;
    if (output_file_open(&out, path) != EXIT_DONE)
        return EXIT_FAILED;
    uint64_t elements = matrix->rows * matrix->classes;
    errno = 0;
    if (!write_header(out.file, matrix) ||
        fwrite(matrix->values, sizeof(float), (size_t)elements, out.file) != elements) {
        complain(EXIT_FAILED, "%s: %s", path, strerror(errno));
        output_file_abandon(&out);
        return EXIT_FAILED;
    }
    return output_file_commit(&out);
}
