/* The .npy or .safetensors file that rows are written to: in any order, by threads, and by processes that share the
   work. It appears under its name when all of it is there. Used for results and statistics of `run` and `sweep`.
   result_file.c is for one process, or for shards; host/mpi/result_file_mpi.c for the ranks of MPI. */
#ifndef CLSOFTMAX_RESULT_FILE_H
#define CLSOFTMAX_RESULT_FILE_H

#include "clsoftmax/clsoftmax.h"
#include "files/output_shard.h"

#include <stddef.h>

typedef struct result_file {
    output_file out;
    output_shard shard; /* count 0: the whole file */
    uint64_t data_offset;
    size_t element_size;
} result_file;

/* What the file will be. */
typedef struct result_format {
    const char *descr;  /* the type of the elements as the kind of file calls it: see result_format_of */
    const char *tensor; /* the name of the tensor in a .safetensors file; NULL: an .npy file */
    size_t element_size;
    unsigned dimensions;
    const uint64_t *shape;
} result_format;

/* Returns the format of results in the file that `path` names, whose ending tells its kind. */
result_format result_format_of(const char *path, const char *tensor, clsoftmax_dtype dtype, unsigned dimensions,
                               const uint64_t *shape);

/* Zeroes *file but for what the format says of it, and writes the header into `header`, which has RESULT_HEADER_BYTES.
   Returns the bytes of the whole file. */
enum { RESULT_HEADER_BYTES = 2048 };
uint64_t result_file_begin(result_file *file, const result_format *format, char *header);

/* Takes the room on the disk, and writes the header. `shard` has no `bytes` yet; NULL for the whole file. EXIT_DONE, or
   EXIT_FAILED after a complaint. */
int result_file_open(result_file *file, const char *path, const result_format *format, const output_shard *shard);

/* Returns 1 if rows can be written in any order, which a pipe does not allow. */
int result_file_is_seekable(const result_file *file);

/* Writes `count` elements from element `first` on. EXIT_DONE, or EXIT_FAILED after a complaint. */
int result_file_write(result_file *file, uint64_t first, uint64_t count, const void *values);

/* Waits until what is written is on the disk, so that committing it can hardly fail: of two files, both are
   synchronised before one is committed. EXIT_DONE, or EXIT_FAILED after a complaint. */
int result_file_sync(result_file *file);

/* Ends a file that has been written and synchronised. EXIT_DONE, or EXIT_FAILED after a complaint. */
int result_file_commit(result_file *file);

/* Ends a file that failed, or was never opened but zeroed. Does nothing to one that is committed. */
void result_file_abandon(result_file *file);

#endif
