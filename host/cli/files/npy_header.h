/* The header of a NumPy .npy file, read strictly: it comes from strangers. */
#ifndef CLSOFTMAX_NPY_HEADER_H
#define CLSOFTMAX_NPY_HEADER_H

#include "files/array.h"

typedef struct npy_header {
    char descr[16]; /* as written: byte order, kind, bytes, e.g. "<f4" */
    int fortran_order;
    unsigned dimensions;
    uint64_t shape[ARRAY_MOST_DIMENSIONS];
    uint64_t elements;    /* product of the shape */
    uint64_t data_offset; /* of the first element in the file */
} npy_header;

/* Parses the dictionary, `length` bytes of text that need not be terminated, of a file of major version `version`.
   NULL, or what is wrong with it. data_offset is not set. Nothing is allocated. */
const char *npy_header_parse(const char *text, size_t length, unsigned version, npy_header *header);

/* Reads magic, version and header from the start of a file. NULL, or what is wrong with it. */
const char *npy_header_read(FILE *file, npy_header *header);

#endif
