/*
 * Structs of the public headers that may grow at their end. Each begins with its size as the program was compiled, so
 * that a program works with a later library, whose struct is larger. For api.c and opencl/opencl_interop.c.
 */
#ifndef CLSOFTMAX_GROWING_H
#define CLSOFTMAX_GROWING_H

#include "clsoftmax/clsoftmax.h"

/* Copies a struct of the program over one of this library, which has `size` bytes and holds the defaults. `first` is
   the size of the struct in the first version that had it, and `name` its name, for messages. INVALID_ARGUMENT for a
   struct smaller than `first`; UNSUPPORTED if a field is set that only a later library has. */
clsoftmax_status cls_read_growing(const void *theirs, void *ours, size_t size, size_t first, const char *name);

/* Writes the defaults, of `size` bytes, into a struct of the program, of `theirs_size` bytes. Fields that this library
   does not know become 0. A struct that is NULL, or too small for its field `size`, stays as it is. */
void cls_init_growing(void *theirs, size_t theirs_size, const void *defaults, size_t size);

#endif
