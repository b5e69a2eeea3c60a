/* The key of a shard: what all processes that share a result file must agree on. Used by run_outputs.c. */
#ifndef CLSOFTMAX_SHARD_KEY_H
#define CLSOFTMAX_SHARD_KEY_H

#include "run/run.h"

/* Returns a hash of everything that the bytes of a result file depend on: the request, the input and its time of
   change, and the type of the file's elements. Shards with another key belong to another file. */
uint64_t shard_key(const run *run, const char *descr);

#endif
