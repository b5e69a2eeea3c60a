/* An .npy file that is open for reading any of its elements: by several threads, and of files larger than memory. Used
   by source.c. */
#ifndef CLSOFTMAX_NPY_FILE_H
#define CLSOFTMAX_NPY_FILE_H

#include "files/array.h"
#include "files/npy_header.h"

typedef struct npy_element {
    char kind; /* f: float, b: bf16, i: signed, u: unsigned integer */
    unsigned bytes;
    int big_endian;
} npy_element;

typedef struct npy_file {
    const char *path;
    int descriptor; /* -1: not open */
    npy_header header;
    npy_element element;
    array_content content;
    int is_double;         /* see array.h */
    clsoftmax_dtype dtype; /* see array.h */
} npy_file;

/* Opens a file, and checks its header and its size. has_bf16: two-byte elements without a float type are bf16.
   EXIT_DONE, or another status after a complaint, with nothing open. */
int npy_file_open(const char *path, array_content content, int has_bf16, npy_file *file);
void npy_file_close(npy_file *file);

/* Reads `count` elements from `first` on, in the file's order, as values of its content. EXIT_DONE, or another status
   after a complaint that names the element. */
int npy_file_read(const npy_file *file, uint64_t first, uint64_t count, void *values);

#endif
