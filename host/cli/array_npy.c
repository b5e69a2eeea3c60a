#include "array.h"
#include "cli.h"
#include "npy_header.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---------------------------------------------------------------- Elements */

typedef struct element_type {
    char kind; /* f: float, i: signed, u: unsigned integer */
    unsigned bytes;
    int big_endian;
} element_type;

/* Understands descr for this content, and sets out->dtype. NULL, or why it is not taken. */
static const char *find_type(const char *descr, int has_bf16, array *out, element_type *type)
{
    type->big_endian = descr[0] == '>';
    type->kind = descr[0] ? descr[1] : '\0';
    type->bytes = type->kind && descr[2] >= '1' && descr[2] <= '8' && !descr[3] ? (unsigned)(descr[2] - '0') : 0;
    int ordered = descr[0] == '<' || descr[0] == '>' || (descr[0] == '|' && (type->bytes == 1 || type->kind == 'V'));
    int is_float = type->kind == 'f' && (type->bytes == 2 || type->bytes == 4 || type->bytes == 8);
    int is_integer = (type->kind == 'i' || type->kind == 'u') && (type->bytes & (type->bytes - 1)) == 0 && type->bytes;
    int is_two_bytes = type->bytes == 2 && (type->kind == 'V' || type->kind == 'u');
    if (out->content == ARRAY_NUMBERS)
        return ordered && (is_float || is_integer) ? NULL : "a dtype that is not a number";
    if (ordered && is_two_bytes && has_bf16) {
        out->dtype = out->content == ARRAY_LOGITS ? CLSOFTMAX_BF16 : CLSOFTMAX_F32;
        type->kind = 'b';
        return NULL;
    }
    if (ordered && is_two_bytes)
        return "two bytes of an unknown type; --input-dtype bf16 if that is what they are";
    if (!ordered || !is_float)
        return "a dtype that is not supported; it takes f2, f4, f8, and V2 as bf16";
    out->dtype = type->bytes == 2 && out->content == ARRAY_LOGITS ? CLSOFTMAX_F16 : CLSOFTMAX_F32;
    return NULL;
}

static double decode_integer(const unsigned char *native, element_type type)
{
    uint64_t bits = 0;
    for (unsigned i = type.bytes; i > 0; i--)
        bits = bits << 8 | native[i - 1];
    unsigned unused = 64 - 8 * type.bytes;
    return type.kind == 'i' ? (double)((int64_t)(bits << unused) >> unused) : (double)bits;
}

static double decode(const unsigned char *native, element_type type)
{
    double f8;
    float f4;
    uint16_t two_bytes;
    if (type.kind == 'i' || type.kind == 'u')
        return decode_integer(native, type);
    if (type.bytes == 8) {
        memcpy(&f8, native, 8);
        return f8;
    }
    if (type.bytes == 4) {
        memcpy(&f4, native, 4);
        return (double)f4;
    }
    memcpy(&two_bytes, native, 2);
    return (double)array_float(&two_bytes, type.kind == 'b' ? CLSOFTMAX_BF16 : CLSOFTMAX_F16, 0);
}

/* Walks the elements of a file in its order and tells where each belongs in C order. */
typedef struct walk {
    const npy_header *header;
    uint64_t index[ARRAY_MOST_DIMENSIONS];
    uint64_t stride[ARRAY_MOST_DIMENSIONS]; /* in C order */
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

/* Elements that stay as they are in the file but for their place and the order of their bytes. */
static int is_kept(const array *out, element_type type)
{
    return out->content == ARRAY_LOGITS && type.bytes == clsoftmax_dtype_size(out->dtype);
}

static int read_each(const char *path, FILE *file, const npy_header *header, element_type type, array *out)
{
    unsigned char buffer[65536], native[8];
    walk walk; /* of every element, in the file's order */
    walk_begin(&walk, header);
    for (uint64_t left = header->elements; left > 0;) {
        size_t count = left < sizeof buffer / type.bytes ? (size_t)left : sizeof buffer / type.bytes;
        if (fread(buffer, type.bytes, count, file) != count)
            return read_failed(path, file);
        for (size_t i = 0; i < count; i++, walk_next(&walk)) {
            for (unsigned k = 0; k < type.bytes; k++)
                native[k] = buffer[i * type.bytes + (type.big_endian ? type.bytes - 1 - k : k)];
            const char *why = NULL;
            if (is_kept(out, type))
                memcpy((char *)out->values + walk.position * type.bytes, native, type.bytes);
            else
                why = array_put(out, walk.position, decode(native, type));
            if (why)
                return wrong_element(path, header, walk.position, decode(native, type), why);
        }
        left -= count;
    }
    return EXIT_DONE;
}

static int read_elements(const char *path, FILE *file, const npy_header *header, element_type type, array *out)
{
    if (!is_kept(out, type) || type.big_endian || header->fortran_order)
        return read_each(path, file, header, type, out);
    if (fread(out->values, type.bytes, (size_t)header->elements, file) != header->elements)
        return read_failed(path, file);
    return EXIT_DONE;
}

/* Everything that can be known before memory is taken. */
static int check_file(const char *path, FILE *file, int has_bf16, npy_header *header, array *out, element_type *type)
{
    struct stat stat;
    if (fstat(fileno(file), &stat) != 0)
        return complain(EXIT_WRONG, "%s: %s", path, strerror(errno));
    if (!S_ISREG(stat.st_mode))
        return complain(EXIT_WRONG, "%s: not a regular file", path);
    const char *wrong = npy_header_read(file, header);
    if (wrong)
        return complain(EXIT_WRONG, "%s: %s", path, ferror(file) ? strerror(errno) : wrong);
    wrong = find_type(header->descr, has_bf16, out, type);
    if (wrong)
        return complain(EXIT_WRONG, "%s: dtype '%s': %s", path, header->descr, wrong);
    if (header->dimensions == 0)
        return complain(EXIT_WRONG, "%s: a single number (shape ()), not a row of logits", path);
    uint64_t need = header->data_offset + header->elements * type->bytes, have = (uint64_t)stat.st_size;
    if (have < need)
        return complain(EXIT_WRONG, "%s: the file ends too early: its header asks for %llu bytes, it has %llu", path,
                        (unsigned long long)need, (unsigned long long)have);
    if (have > need)
        notice("%s: note: %llu bytes behind the array are ignored", path, (unsigned long long)(have - need));
    if (type->bytes == 8 && out->content == ARRAY_LOGITS)
        notice("%s: note: f8 is rounded to f4", path);
    return EXIT_DONE;
}

static int read_open_file(const char *path, FILE *file, int has_bf16, array *out)
{
    npy_header header = {.elements = 0};
    element_type type = {.bytes = 0};
    int status = check_file(path, file, has_bf16, &header, out, &type);
    if (status != EXIT_DONE)
        return status;
    out->dimensions = header.dimensions;
    memcpy(out->shape, header.shape, sizeof out->shape);
    out->elements = header.elements;
    out->values = malloc(header.elements > 0 ? (size_t)header.elements * array_element_size(out) : 1);
    if (!out->values)
        return complain(EXIT_FAILED, "%s: no memory for %llu values", path, (unsigned long long)header.elements);
    return read_elements(path, file, &header, type, out);
}

int array_read_npy(const char *path, int has_bf16, array *out)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return complain(EXIT_WRONG, "%s: %s", path, strerror(errno));
    int status = read_open_file(path, file, has_bf16, out);
    fclose(file);
    if (status != EXIT_DONE)
        array_release(out);
    return status;
}

/* ---------------------------------------------------------------- Writing */

const char *npy_descr(clsoftmax_dtype dtype)
{
    static const char *const descrs[CLSOFTMAX_DTYPE_COUNT] = {
        [CLSOFTMAX_F32] = "'<f4'", [CLSOFTMAX_F16] = "'<f2'", [CLSOFTMAX_BF16] = "'<V2'"};
    return descrs[dtype];
}

int npy_write(FILE *file, const char *descr, unsigned dimensions, const uint64_t *shape, const void *data,
              uint64_t bytes)
{
    char header[2048];
    int length = snprintf(header, sizeof header, "{'descr': %s, 'fortran_order': False, 'shape': (", descr);
    for (unsigned i = 0; i < dimensions; i++)
        length += snprintf(header + length, sizeof header - (size_t)length,
                           i == 0   ? "%llu,"
                           : i == 1 ? " %llu"
                                    : ", %llu",
                           (unsigned long long)shape[i]);
    length += snprintf(header + length, sizeof header - (size_t)length, "), }");
    while ((10 + length + 1) % 64 != 0) /* so that the data begins at a multiple of 64 */
        header[length++] = ' ';
    header[length++] = '\n';
    const unsigned char start[10] = {
        0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (unsigned char)(length & 255), (unsigned char)(length >> 8)};
    return fwrite(start, 1, sizeof start, file) == sizeof start &&
           fwrite(header, 1, (size_t)length, file) == (size_t)length && fwrite(data, 1, (size_t)bytes, file) == bytes;
}
