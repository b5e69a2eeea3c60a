/* The header of a NumPy .npy file, read and written. It is read strictly, since files are untrusted. Used by
   npy_file.c for files that are read, and by results/result_format.c for results. */
#ifndef CLSOFTMAX_NPY_HEADER_H
#define CLSOFTMAX_NPY_HEADER_H

#include "files/array_header.h"

#include <stdio.h>

/* Parses the dictionary of a file of major version `version`: `length` bytes of text that need not be terminated.
   Allocates nothing, and does not set data_offset. Returns NULL, or what is wrong with the header. */
const char *npy_header_parse(const char *text, size_t length, unsigned version, array_header *header);

/* Reads magic, version and header from the start of a file. Returns NULL, or what is wrong with them. */
const char *npy_header_read(FILE *file, array_header *header);

/* Writes a header of version 1.0 in C order into `to`, which has NPY_HEADER_BYTES; `descr` is written as it is. Returns
   its length. */
#define NPY_HEADER_BYTES 2048
size_t npy_header_write(const char *descr, unsigned dimensions, const uint64_t *shape, char *to);

/* Returns what stands for a dtype in a header, with its quotes; bf16 is V2, as ml_dtypes writes it. */
const char *npy_descr(clsoftmax_dtype dtype);

#endif
