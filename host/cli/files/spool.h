/* A copy of what can be read only once, as a file that can be read anywhere: of a pipe, or of a member of an archive.
   Used by source.c and npz_file.c. */
#ifndef CLSOFTMAX_SPOOL_H
#define CLSOFTMAX_SPOOL_H

#include <stdio.h>
#include <sys/types.h>

/* Reads at most `bytes`. Returns how many were read, 0 at the end, or -1 after a complaint. */
typedef ssize_t spool_reader(void *from, void *to, size_t bytes);

/* Copies what `read` gives into a file in TMPDIR, or else /tmp, which has no name, so that it ends with the process.
   `path` is for messages. *copy is a stream at its beginning. EXIT_DONE, or another status after a complaint. */
int spool(const char *path, spool_reader *read, void *from, FILE **copy);

/* Reads from an input_stream. */
spool_reader spool_stream;

#endif
