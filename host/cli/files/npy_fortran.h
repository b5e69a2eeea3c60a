/* .npy files in Fortran order, read at once. Used by source.c. */
#ifndef CLSOFTMAX_NPY_FORTRAN_H
#define CLSOFTMAX_NPY_FORTRAN_H

#include "files/npy_file.h"

/* Reads all elements of a file in Fortran order into out->values, in C order; *out has everything else already.
   EXIT_DONE, or another status after a complaint that names the file and the place; nothing is left then. */
int npy_read_fortran(const npy_file *file, array *out);

#endif
