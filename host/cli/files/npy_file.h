/* .npy files: see array_file.h. Used by source.c and npz_file.c. */
#ifndef CLSOFTMAX_NPY_FILE_H
#define CLSOFTMAX_NPY_FILE_H

#include "files/array_file.h"

array_finder npy_find;

#endif
