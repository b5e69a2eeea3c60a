/* Arrays of files that are in Fortran order (.npy, and those in .npz), read at once. Used by source.c. */
#ifndef CLSOFTMAX_ARRAY_FORTRAN_H
#define CLSOFTMAX_ARRAY_FORTRAN_H

#include "files/array_file.h"

/* Reads all elements of a file in Fortran order into out->values, in C order; *out has everything else already.
   EXIT_DONE, or another status after a complaint that names the file and the place; nothing is left then. */
int array_read_fortran(const array_file *file, array *out);

#endif
