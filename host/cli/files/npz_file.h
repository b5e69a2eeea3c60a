/* .npz files, which are zip archives of .npy files: see array_file.h. Used by source.c. */
#ifndef CLSOFTMAX_NPZ_FILE_H
#define CLSOFTMAX_NPZ_FILE_H

#include "files/array_file.h"

/* Finds the array that the file is asked for, or the only one. It is read from a copy, which need not be decompressed
   again. */
array_finder npz_find;

#endif
