/* The OpenCL functions of the benchmark, from the ICD loader if there is one: without, native devices are measured. */
#ifndef CLSOFTMAX_BENCH_OPENCL_H
#define CLSOFTMAX_BENCH_OPENCL_H

#include "clsoftmax/clsoftmax_cl.h"

#define OPENCL_FUNCTIONS(X)                                                                                            \
    X(clGetPlatformIDs)                                                                                                \
    X(clGetDeviceIDs)                                                                                                  \
    X(clGetDeviceInfo)                                                                                                 \
    X(clCreateContext)                                                                                                 \
    X(clReleaseContext)                                                                                                \
    X(clCreateCommandQueue)                                                                                            \
    X(clReleaseCommandQueue)                                                                                           \
    X(clCreateBuffer)                                                                                                  \
    X(clReleaseMemObject)                                                                                              \
    X(clCreateProgramWithSource)                                                                                       \
    X(clBuildProgram)                                                                                                  \
    X(clReleaseProgram)                                                                                                \
    X(clCreateKernel)                                                                                                  \
    X(clReleaseKernel)                                                                                                 \
    X(clSetKernelArg)                                                                                                  \
    X(clEnqueueNDRangeKernel)                                                                                          \
    X(clEnqueueCopyBuffer)                                                                                             \
    X(clEnqueueReadBuffer)                                                                                             \
    X(clEnqueueWriteBuffer)                                                                                            \
    X(clFinish)

typedef struct opencl_functions {
#define OPENCL_FIELD(function) __typeof__(&function) function;
    OPENCL_FUNCTIONS(OPENCL_FIELD)
#undef OPENCL_FIELD
} opencl_functions;

/* Valid once opencl_load has returned 1. */
extern opencl_functions opencl;

/* 1, or 0 where there is no loader. */
int opencl_load(void);

#endif
