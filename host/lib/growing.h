/*
 * Structs of the public headers that may grow at their end. Each begins with its size in the program, so that a program
 * built against one version works with a later library, whose struct is larger. For api.c and opencl/opencl_interop.c.
 */
#ifndef CLSOFTMAX_GROWING_H
#define CLSOFTMAX_GROWING_H

#include "clsoftmax/clsoftmax.h"

/* Reads a struct of the program into one of this library's size, which holds the defaults. `first` is the size that the
   struct had in the first version with it. INVALID_ARGUMENT for a smaller struct, UNSUPPORTED for one that asks for what only
   a later library has. `name` is the struct's, for people. */
clsoftmax_status cls_read_growing(const void *theirs, void *ours, size_t size, size_t first, const char *name);

/* Writes defaults of `size` bytes into a struct of the program, of which it has `theirs_size` bytes. */
void cls_init_growing(void *theirs, size_t theirs_size, const void *defaults, size_t size);

#endif
