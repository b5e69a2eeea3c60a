/* .safetensors files: see array_file.h. Used by source.c, and by results/result_format.c for results. */
#ifndef CLSOFTMAX_SAFETENSORS_FILE_H
#define CLSOFTMAX_SAFETENSORS_FILE_H

#include "files/array_file.h"

/* Finds the tensor that the file is asked for, or the only one. */
array_finder safetensors_find;

/* Returns what a dtype is called in the header of such a file. */
const char *safetensors_dtype(clsoftmax_dtype dtype);

/* Writes the header of a file with one tensor into `to`, which has SAFETENSORS_HEADER_BYTES. Returns its length. */
#define SAFETENSORS_HEADER_BYTES 2048
size_t safetensors_header_write(const char *name, const char *dtype, unsigned dimensions, const uint64_t *shape,
                                uint64_t bytes, char *to);

#endif
