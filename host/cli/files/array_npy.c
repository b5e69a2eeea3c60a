#include "files/array.h"
#include "files/npy_file.h"
#include "support/messages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- Reading */

/* Walks the elements of a file in Fortran order and tells where each belongs in C order. */
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
    for (unsigned i = 0; i < walk->header->dimensions; i++) {
        walk->position += walk->stride[i];
        if (++walk->index[i] < walk->header->shape[i])
            return;
        walk->position -= walk->stride[i] * walk->index[i];
        walk->index[i] = 0;
    }
}

/* In the file's order, a part at a time, each element to its place. */
static int read_parts(const npy_file *file, array *out)
{
    enum { PART = 8192 };
    double part[PART];
    size_t size = array_element_size(out);
    walk walk;
    walk_begin(&walk, &file->header);
    for (uint64_t first = 0; first < out->elements; first += PART) {
        uint64_t count = out->elements - first < PART ? out->elements - first : PART;
        int status = npy_file_read(file, first, count, part);
        if (status != EXIT_DONE)
            return status;
        for (uint64_t i = 0; i < count; i++, walk_next(&walk))
            memcpy((char *)out->values + walk.position * size, (const char *)part + i * size, size);
    }
    return EXIT_DONE;
}

int array_read_fortran(const npy_file *file, array *out)
{
    out->values = malloc(out->elements > 0 ? (size_t)out->elements * array_element_size(out) : 1);
    if (!out->values)
        return complain(EXIT_FAILED, "%s: no memory for %llu values", file->path, (unsigned long long)out->elements);
    int status = read_parts(file, out);
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

size_t npy_header_write(const char *descr, unsigned dimensions, const uint64_t *shape, char *to)
{
    char *text = to + 10;
    const size_t room = NPY_HEADER_BYTES - 10;
    int length = snprintf(text, room, "{'descr': %s, 'fortran_order': False, 'shape': (", descr);
    for (unsigned i = 0; i < dimensions; i++)
        length += snprintf(text + length, room - (size_t)length,
                           i == 0   ? "%llu,"
                           : i == 1 ? " %llu"
                                    : ", %llu",
                           (unsigned long long)shape[i]);
    length += snprintf(text + length, room - (size_t)length, "), }");
    while ((10 + length + 1) % 64 != 0) /* so that the data begins at a multiple of 64 */
        text[length++] = ' ';
    text[length++] = '\n';
    memcpy(to, "\x93NUMPY\x01\x00", 8);
    to[8] = (char)(length & 255);
    to[9] = (char)(length >> 8);
    return 10 + (size_t)length;
}
