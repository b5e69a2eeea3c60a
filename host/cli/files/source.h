/* Where the numbers of a command come from: an array in a file, of which slabs are read, or one that is in memory
   already. Used for the logits of all commands that compute, and for temperatures and labels of each row. */
#ifndef CLSOFTMAX_SOURCE_H
#define CLSOFTMAX_SOURCE_H

#include "files/array_file.h"
#include "files/text_fields.h"

/* What changes when a file does, as far as its folder tells. Zeros for standard input. */
typedef struct source_version {
    uint64_t device, inode, bytes;
    int64_t seconds, nanoseconds; /* of its last change */
} source_version;

typedef struct source {
    array_file file; /* descriptor -1: the array has the numbers */
    array array;     /* its values are NULL where the file has the numbers */
    uint64_t skip;   /* elements before the first: see source_slice */
    uint64_t held;   /* bytes of an array in Fortran order, which are in memory */
    source_version version;
} source;

/* How the numbers of a file are read. */
typedef struct source_reading {
    array_content content;
    const char *tensor; /* which array of an .npz or .safetensors file; NULL: as the path says, or the only one */
    int has_bf16;       /* two-byte elements of .npy without a float type (V2, u2) are bf16 */
    uint64_t memory;    /* the most bytes for an array in Fortran order, which is read at once */
    text_format text;   /* of text files, which are read at once */
} source_reading;

/* Opens an .npy, .npz or .safetensors file, of the latter two as FILE:NAME, too; a .txt, .csv or .tsv file; or .npy or
   text from a pipe, "-" for standard input. EXIT_DONE, or another status after a complaint that names the file and the
   place. */
int source_open(const char *path, const source_reading *reading, source *source);
void source_close(source *source);

/* Leaves indices [begin, end) of the first dimension. */
void source_slice(source *source, uint64_t begin, uint64_t end);

/* Reads `count` elements from `first` on, in C order. Several threads may call it. */
int source_read(const source *source, uint64_t first, uint64_t count, void *values);

#endif
