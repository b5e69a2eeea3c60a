/* What a file says of an array that it holds. Read by npy_header.c and safetensors_file.c, and checked by
   array_file.c. */
#ifndef CLSOFTMAX_ARRAY_HEADER_H
#define CLSOFTMAX_ARRAY_HEADER_H

#include "files/array.h"

typedef struct array_header {
    char descr[16]; /* the type of the elements in NumPy's words: byte order, kind, bytes, e.g. "<f4" */
    int fortran_order;
    unsigned dimensions;
    uint64_t shape[ARRAY_MOST_DIMENSIONS];
    uint64_t elements;    /* product of the shape */
    uint64_t data_offset; /* of the first element in the file */
    uint64_t end;         /* of the room that the file has for the elements */
} array_header;

/* Sets `elements` from the shape. Returns NULL, or what is wrong with the shape. */
const char *array_header_count(array_header *header);

#endif
