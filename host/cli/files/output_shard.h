/* A shard of a file: what one of several processes writes, one after another or at once. Used by results/result_file.c
   for --shard. */
#ifndef CLSOFTMAX_OUTPUT_SHARD_H
#define CLSOFTMAX_OUTPUT_SHARD_H

#include "files/output_file.h"

typedef struct output_shard {
    uint64_t index, count; /* shard `index` of `count` */
    uint64_t key;          /* what all processes agree on: one with another key works on another file */
    uint64_t bytes;        /* of the whole file */
} output_shard;

/* Opens the temporary file that all shards share, ".NAME.clsoftmax-KEY". It stays through failures and signals, since
   it holds the other shards, and has a byte more for each shard, which says whether that one is committed. A shard that
   is begun again does not count before it is committed again. EXIT_DONE, or EXIT_FAILED after a complaint, with the
   file abandoned. */
int output_shard_open(output_file *out, const char *path, const output_shard *shard);

/* Synchronises the file, and marks the shard as committed. The last one to be committed gives the file its name.
   EXIT_DONE, or EXIT_FAILED after a complaint, with the file abandoned. */
int output_shard_commit(output_file *out, const output_shard *shard);

#endif
