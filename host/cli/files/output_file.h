/* A file that appears under its name only when it is complete. Used for results, statistics, pictures, pages and the
   reports of clsoftmax-bench. */
#ifndef CLSOFTMAX_OUTPUT_FILE_H
#define CLSOFTMAX_OUTPUT_FILE_H

#include <limits.h>
#include <stdint.h>
#include <stdio.h>

typedef struct output_file {
    FILE *file;
    char path[PATH_MAX];      /* where symbolic links lead to */
    char temporary[PATH_MAX]; /* "" for standard output, a device or a pipe, which are written as they stand */
    int is_kept;              /* the temporary file stays when the file is abandoned: see output_shard.h */
} output_file;

/* Opens standard output for "-", or else a file under a temporary name, ".NAME.clsoftmax-XXXXXX", which signals that
   end the process remove; there may be two at a time. The mode of an existing file is kept. What killed processes left
   is removed. EXIT_DONE, or EXIT_FAILED after a complaint. */
int output_file_open(output_file *out, const char *path);

/* Makes the temporary file `bytes` long, so that a disk that is too small says so before the work; does nothing for a
   device or pipe. EXIT_DONE, or EXIT_FAILED after a complaint, with the file abandoned. */
int output_file_reserve(output_file *out, uint64_t bytes);

/* Writes at an offset; any thread may call it. A device or pipe is written on from where it stands. EXIT_DONE, or
   EXIT_FAILED: after a complaint, unless a closed pipe is the reason; the caller then abandons the file. */
int output_file_write(output_file *out, uint64_t offset, uint64_t bytes, const void *data);

/* Waits until everything written is on the disk. EXIT_DONE, or EXIT_FAILED: after a complaint, unless a closed pipe is
   the reason, with the file abandoned. */
int output_file_sync(output_file *out);

/* Synchronises the file, gives it its name, and closes it. EXIT_DONE, or EXIT_FAILED: after a complaint, unless a
   closed pipe is the reason, with the file abandoned. */
int output_file_commit(output_file *out);

/* Closes the file, and removes it unless it is kept. Does nothing to a file that is committed, or zeroed. */
void output_file_abandon(output_file *out);

/* ---------------------------------------------------------------- For output_shard.c */

struct stat;

/* Zeroes *out but for its path. *exists says whether something is there, which *found then describes. EXIT_DONE, or
   EXIT_FAILED after a complaint: a directory is refused. */
int output_file_begin(output_file *out, const char *path, struct stat *found, int *exists);

/* Makes an open descriptor the file's. EXIT_DONE, or EXIT_FAILED after a complaint, with the file abandoned. */
int output_file_adopt(output_file *out, int descriptor);

/* Complains about errno under the file's name, unless it is that of a closed pipe, and abandons the file. Returns
   EXIT_FAILED. */
int output_file_fail(output_file *out);

#endif
