/* Programs made from binaries of their first build, which the library does not notice: a compiler's second for each of thousands of cases
   is more than all else. */
#ifndef CLSOFTMAX_FAULT_PROGRAMS_H
#define CLSOFTMAX_FAULT_PROGRAMS_H

#include <CL/cl_icd.h>

/* As clCreateProgramWithSource, for one terminated text. */
cl_program fault_programs_create(const struct _cl_icd_dispatch *driver, cl_context context, const char *text,
                                 cl_int *error);

/* To be told of each program that has been built. */
void fault_programs_keep(const struct _cl_icd_dispatch *driver, cl_program program);

#endif
