/* Programs that are built once and then made from their binaries, which the library does not notice: compiling takes a
   second, and there are thousands of cases. */
#ifndef CLSOFTMAX_FAULT_PROGRAMS_H
#define CLSOFTMAX_FAULT_PROGRAMS_H

#include <CL/cl_icd.h>

/* Makes a program as clCreateProgramWithSource does, from one terminated text. */
cl_program fault_programs_create(const struct _cl_icd_dispatch *driver, cl_context context, const char *text,
                                 cl_int *error);

/* Keeps the binary of a program that has been built. */
void fault_programs_keep(const struct _cl_icd_dispatch *driver, cl_program program);

#endif
