/* Where the numbers of a command come from: an .npy file, of which slabs are read, or an array that is in memory
   already. Used for the logits of all commands that compute, and for temperatures and labels of each row. */
#ifndef CLSOFTMAX_SOURCE_H
#define CLSOFTMAX_SOURCE_H

#include "files/npy_file.h"

/* What changes when a file does, as far as its folder tells. Zeros for standard input. */
typedef struct source_version {
    uint64_t device, inode, bytes;
    int64_t seconds, nanoseconds; /* of its last change */
} source_version;

typedef struct source {
    npy_file file; /* descriptor -1: the array has the numbers */
    array array;   /* its values are NULL where the file has the numbers */
    uint64_t skip; /* elements before the first: see source_slice */
    uint64_t held; /* bytes of an .npy file that are in memory */
    source_version version;
} source;

/* Opens an .npy file, a .txt or .csv file, or "-" for text on standard input. Text is read at once; so is .npy in
   Fortran order, if it takes at most `memory` bytes. has_bf16: two-byte elements without a float type (V2, u2) are
   bf16. EXIT_DONE, or another status after a complaint that names the file and the place. */
int source_open(const char *path, array_content content, int has_bf16, uint64_t memory, source *source);
void source_close(source *source);

/* Leaves indices [begin, end) of the first dimension. */
void source_slice(source *source, uint64_t begin, uint64_t end);

/* Reads `count` elements from `first` on, in C order. Several threads may call it. */
int source_read(const source *source, uint64_t first, uint64_t count, void *values);

#endif
