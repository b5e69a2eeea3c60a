/*
 * Every OpenCL function that the library uses, in one table, which is filled from the ICD loader at run time: so the
 * library also works on a machine without OpenCL. For everything in this folder.
 */
#ifndef CLSOFTMAX_OPENCL_API_H
#define CLSOFTMAX_OPENCL_API_H

#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>

#include "../status.h"

#define OPENCL_FUNCTIONS(X)                                                                                            \
    X(clGetPlatformIDs)                                                                                                \
    X(clGetPlatformInfo)                                                                                               \
    X(clGetDeviceIDs)                                                                                                  \
    X(clGetDeviceInfo)                                                                                                 \
    X(clCreateContext)                                                                                                 \
    X(clReleaseContext)                                                                                                \
    X(clCreateCommandQueue)                                                                                            \
    X(clReleaseCommandQueue)                                                                                           \
    X(clRetainContext)                                                                                                 \
    X(clGetContextInfo)                                                                                                \
    X(clGetCommandQueueInfo)                                                                                           \
    X(clGetMemObjectInfo)                                                                                              \
    X(clCreateBuffer)                                                                                                  \
    X(clReleaseMemObject)                                                                                              \
    X(clCreateProgramWithSource)                                                                                       \
    X(clBuildProgram)                                                                                                  \
    X(clGetProgramBuildInfo)                                                                                           \
    X(clReleaseProgram)                                                                                                \
    X(clCreateKernel)                                                                                                  \
    X(clSetKernelArg)                                                                                                  \
    X(clGetKernelWorkGroupInfo)                                                                                        \
    X(clReleaseKernel)                                                                                                 \
    X(clEnqueueWriteBuffer)                                                                                            \
    X(clEnqueueNDRangeKernel)                                                                                          \
    X(clEnqueueReadBuffer)                                                                                             \
    X(clEnqueueMapBuffer)                                                                                              \
    X(clEnqueueUnmapMemObject)                                                                                         \
    X(clEnqueueMarkerWithWaitList)                                                                                     \
    X(clFlush)                                                                                                         \
    X(clWaitForEvents)                                                                                                 \
    X(clFinish)                                                                                                        \
    X(clGetEventInfo)                                                                                                  \
    X(clRetainEvent)                                                                                                   \
    X(clReleaseEvent)

typedef struct cls_opencl_api {
#define OPENCL_FIELD(function) __typeof__(&function) function;
    OPENCL_FUNCTIONS(OPENCL_FIELD)
#undef OPENCL_FIELD
} cls_opencl_api;

/* The table. It is valid once cls_opencl_load has returned OK. */
extern cls_opencl_api cls_opencl;

/* Opens the loader on the first call. DEVICE_NOT_FOUND, with the reason, if there is no loader; FORKED in a child of a
   process that has opened it. */
clsoftmax_status cls_opencl_load(void);

/* The answer of Khronos' loader where no driver is installed. */
#define OPENCL_PLATFORM_NOT_FOUND (-1001)

/* Returns the name of an OpenCL error, such as "CL_OUT_OF_RESOURCES" for -5. */
const char *cls_opencl_error_name(cl_int error);

/* Fails with the status that fits the OpenCL error; its name and number, and what was done, go into the message. */
clsoftmax_status cls_opencl_fail(cl_int error, const char *what);

/* Returns from the calling function if an OpenCL call fails. */
#define OPENCL_CHECK(error, what)                                                                                      \
    do {                                                                                                               \
        cl_int checked_ = (error);                                                                                     \
        if (checked_ != CL_SUCCESS)                                                                                    \
            return cls_opencl_fail(checked_, what);                                                                    \
    } while (0)

#endif
