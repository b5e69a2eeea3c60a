/* Arrays in Fortran order: see array_fortran.h. */
#include "files/array_fortran.h"

#include "support/messages.h"

#include <stdlib.h>
#include <string.h>

/* A walk through the elements of a file in Fortran order, which tells where each belongs in C order. */
typedef struct walk {
    const array_header *header;
    uint64_t index[ARRAY_MOST_DIMENSIONS];
    uint64_t stride[ARRAY_MOST_DIMENSIONS]; /* in C order */
    uint64_t position;
} walk;

static void walk_begin(walk *walk, const array_header *header)
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

/* Reads the elements in the file's order, some at a time, and puts each in its place. */
static int read_elements(const array_file *file, array *out)
{
    enum { BATCH = 8192 };
    double batch[BATCH];
    size_t size = array_element_size(out);
    walk walk;
    walk_begin(&walk, &file->header);
    for (uint64_t first = 0; first < out->elements; first += BATCH) {
        uint64_t count = out->elements - first < BATCH ? out->elements - first : BATCH;
        FORWARD(array_file_read(file, first, count, batch));
        for (uint64_t i = 0; i < count; i++, walk_next(&walk))
            memcpy((char *)out->values + walk.position * size, (const char *)batch + i * size, size);
    }
    return EXIT_DONE;
}

int array_read_fortran(const array_file *file, array *out)
{
    out->values = malloc(out->elements > 0 ? (size_t)out->elements * array_element_size(out) : 1);
    COMPLAIN_IF(!out->values, EXIT_FAILED, "%s: no memory for %llu values", file->path,
                (unsigned long long)out->elements);
    int status = read_elements(file, out);
    if (status != EXIT_DONE)
        array_release(out);
    return status;
}
