/* A file that appears under its name only when it is complete. */
#ifndef CLSOFTMAX_OUTPUT_FILE_H
#define CLSOFTMAX_OUTPUT_FILE_H

#include <limits.h>
#include <stdio.h>

typedef struct output_file {
    FILE *file;
    char path[PATH_MAX];      /* where symbolic links lead to */
    char temporary[PATH_MAX]; /* "" where path is a device or a pipe, which is written as it stands */
} output_file;

/* EXIT_DONE, or EXIT_FAILED after a complaint. From here to commit or abandon, SIGINT, SIGTERM and SIGHUP remove the
   temporary file; two such files at a time. An existing file's mode is kept. */
int output_file_open(output_file *out, const char *path);

/* Complains about errno under the file's name, and abandons it. EXIT_FAILED. */
int output_file_fail(output_file *out);

/* Flushes to the disk, closes, renames. EXIT_DONE, or EXIT_FAILED after a complaint, with nothing left. */
int output_file_commit(output_file *out);

/* Closes and removes. */
void output_file_abandon(output_file *out);

#endif
