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
    uint64_t bytes;           /* of a shard's file */
} output_file;

/* Where a path leads to, through symbolic links, in PATH_MAX bytes; the file itself need not be there. EXIT_DONE, or EXIT_FAILED after a
   complaint. */
int output_file_path(const char *path, char *canonical);

/* EXIT_DONE, or EXIT_FAILED after a complaint. From here to commit or abandon, SIGINT, SIGTERM and SIGHUP remove the
   temporary file, ".NAME.clsoftmax-XXXXXX"; two such files at a time. An existing file's mode is kept. What processes that were killed
   left is removed. */
int output_file_open(output_file *out, const char *path);

/* Makes the temporary file `bytes` long, so that a disk that is too small says so before the work. Nothing for a device or pipe.
   EXIT_DONE, or EXIT_FAILED after a complaint, with the file abandoned. */
int output_file_reserve(output_file *out, uint64_t bytes);

/* A shard of a file of `bytes`. The temporary file, ".NAME.clsoftmax-KEY", stays through failures and signals, since it holds the other
   shards; it has a byte more for each shard, which says whether that one is committed. The last to be committed gives the file its
   name. A shard that is begun again does not count before it is committed again. */
int output_file_open_shard(output_file *out, const char *path, uint64_t bytes, const output_shard *shard);

/* Writes at an offset, by any thread; a device or pipe is written on from where it stands. EXIT_DONE, or EXIT_FAILED after a
   complaint (none for a closed pipe); then abandon it. */
int output_file_write(output_file *out, uint64_t offset, uint64_t bytes, const void *data);

/* Complains about errno under the file's name, and abandons it. EXIT_FAILED. */
int output_file_fail(output_file *out);

/* Everything written is on the disk. EXIT_DONE, or EXIT_FAILED after a complaint, with nothing left. */
int output_file_sync(output_file *out);

/* The same; then gives the file its name, and closes it. */
int output_file_commit(output_file *out);

/* Closes and removes. */
void output_file_abandon(output_file *out);

/* ---------------------------------------------------------------- What output_file.c has for output_shard.c */

struct stat;

/* Sets out->path; *exists says whether something is there, which is then in *found. */
int output_file_find(output_file *out, const char *path, struct stat *found, int *exists);

/* ".NAME.clsoftmax-", in the same folder, with room for 40 bytes behind. Its length, or -1 after a complaint. */
int output_file_temporary_start(const output_file *out, char *start);

/* The mode of the file that is replaced, or that of any new file. */
void output_file_set_mode(int descriptor, const struct stat *replaced);

/* Makes an open descriptor the file's. */
int output_file_adopt(output_file *out, int descriptor);

/* All of it, through interruptions. 1, or 0 with errno. */
int output_file_write_at(int descriptor, uint64_t offset, uint64_t bytes, const void *data);

int output_shard_commit(output_file *out);

#endif
