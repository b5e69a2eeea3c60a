/* The .npy file that rows are written to, in any order, by threads, and by processes that share the work. It appears under its
   name when all of it is there. */
#ifndef CLSOFTMAX_RESULT_FILE_H
#define CLSOFTMAX_RESULT_FILE_H

#include "files/array.h"
#include "files/output_file.h"

typedef struct result_file {
    output_file out;
    uint64_t data_offset;
    size_t element_size;
} result_file;

/* What the file will be. */
typedef struct result_format {
    const char *descr;
    size_t element_size;
    unsigned dimensions;
    const uint64_t *shape;
} result_format;

/* The whole file's bytes; its header, in NPY_HEADER_BYTES. Zeroes *file but for what the format says of it. */
uint64_t result_file_begin(result_file *file, const result_format *format, char *header);

/* Takes the room on the disk, and writes the header. shard: see output_file_open_shard; NULL for the whole file.
   EXIT_DONE, or EXIT_FAILED after a complaint. */
int result_file_open(result_file *file, const char *path, const result_format *format, const output_shard *shard);

/* 1 if rows can be written in any order: not to a pipe. */
int result_file_is_seekable(const result_file *file);

/* `count` elements from element `first` on. EXIT_DONE, or EXIT_FAILED after a complaint. */
int result_file_write(result_file *file, uint64_t first, uint64_t count, const void *values);

/* What is written is on the disk; so of two files one can be committed when the other one can hardly fail. EXIT_DONE, or EXIT_FAILED
   after a complaint. */
int result_file_sync(result_file *file);

/* Ends a file that is open and has been synchronised: all of it is written. EXIT_DONE, or EXIT_FAILED after a complaint. */
int result_file_commit(result_file *file);

/* Ends one that failed, or was never opened but zeroed. */
void result_file_abandon(result_file *file);

#endif
