/* A file that appears under its name only when it is complete. */
#ifndef CLSOFTMAX_OUTPUT_FILE_H
#define CLSOFTMAX_OUTPUT_FILE_H

#include <limits.h>
#include <stdint.h>
#include <stdio.h>

/* Part `index` of `count` of a file that as many processes write, one after another or at once. key: what all of them agree on;
   a process with another key works on another file. */
typedef struct output_shard {
    uint64_t index, count, key;
} output_shard;

typedef struct output_file {
    FILE *file;
    char path[PATH_MAX];      /* where symbolic links lead to */
    char temporary[PATH_MAX]; /* "" where path is a device or a pipe, which is written as it stands */
    output_shard shard;       /* count 0: the whole file */
} output_file;

/* EXIT_DONE, or EXIT_FAILED after a complaint. From here to commit or abandon, SIGINT, SIGTERM and SIGHUP remove the
   temporary file; two such files at a time. An existing file's mode is kept. What processes that were killed left is removed. */
int output_file_open(output_file *out, const char *path);

/* The same for a shard. The temporary file, ".NAME.KEY", stays through failures and signals, since it holds other shards; a shard
   that is committed leaves ".NAME.KEY.INDEX-of-COUNT", and the one that finds all of these gives the file its name. A shard that is
   begun again does not count before it is committed again. */
int output_file_open_shard(output_file *out, const char *path, const output_shard *shard);

/* Makes the temporary file `bytes` long, so that a disk that is too small says so before the work. Nothing for a device or pipe.
   EXIT_DONE, or EXIT_FAILED after a complaint, with the file abandoned. */
int output_file_reserve(output_file *out, uint64_t bytes);

/* Writes at an offset, by any thread; a device or pipe is written on from where it stands. EXIT_DONE, or EXIT_FAILED after a
   complaint; then abandon it. */
int output_file_write(output_file *out, uint64_t offset, uint64_t bytes, const void *data);

/* Complains about errno under the file's name, and abandons it. EXIT_FAILED. */
int output_file_fail(output_file *out);

/* Flushes to the disk, closes, renames. EXIT_DONE, or EXIT_FAILED after a complaint, with nothing left. */
int output_file_commit(output_file *out);

/* Closes and removes. */
void output_file_abandon(output_file *out);

#endif
