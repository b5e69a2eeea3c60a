/* What OpenCL calls can end with, and what the library may make of it: what fault_errors.h declares. */
#include "fault_errors.h"

#include <stdio.h>
#include <string.h>

#define OUTSIDE_THE_STANDARD -9999 /* NVIDIA's driver returns it for kernels that it has ended */

#define PLATFORM_NOT_FOUND -1001 /* the loader of Khronos returns it where no vendor is installed */

/* The errors that every call can return, and those of its own. */
#define ERRORS(call, ...)                                                                                              \
    [FAULT_##call] = {CL_OUT_OF_RESOURCES, CL_OUT_OF_HOST_MEMORY, OUTSIDE_THE_STANDARD, __VA_ARGS__, CL_SUCCESS}
#define TRANSFER_ERRORS                                                                                                \
    CL_MEM_OBJECT_ALLOCATION_FAILURE, CL_INVALID_COMMAND_QUEUE, CL_INVALID_CONTEXT, CL_INVALID_MEM_OBJECT,             \
        CL_INVALID_VALUE, CL_INVALID_EVENT_WAIT_LIST, CL_MISALIGNED_SUB_BUFFER_OFFSET,                                 \
        CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST, CL_INVALID_OPERATION

enum { MOST_ERRORS = 20 };

static const cl_int errors_of[FAULT_CALL_COUNT][MOST_ERRORS] = {
    ERRORS(clGetPlatformIDs, CL_INVALID_VALUE, PLATFORM_NOT_FOUND),
    ERRORS(clGetPlatformInfo, CL_INVALID_PLATFORM, CL_INVALID_VALUE),
    ERRORS(clGetDeviceIDs, CL_DEVICE_NOT_FOUND, CL_INVALID_PLATFORM, CL_INVALID_DEVICE_TYPE, CL_INVALID_VALUE),
    ERRORS(clGetDeviceInfo, CL_INVALID_DEVICE, CL_INVALID_VALUE),
    ERRORS(clCreateContext, CL_DEVICE_NOT_AVAILABLE, CL_INVALID_PLATFORM, CL_INVALID_DEVICE, CL_INVALID_VALUE),
    ERRORS(clRetainContext, CL_INVALID_CONTEXT),
    ERRORS(clReleaseContext, CL_INVALID_CONTEXT),
    ERRORS(clGetContextInfo, CL_INVALID_CONTEXT, CL_INVALID_VALUE),
    ERRORS(clCreateCommandQueue, CL_INVALID_CONTEXT, CL_INVALID_DEVICE, CL_INVALID_VALUE, CL_INVALID_QUEUE_PROPERTIES),
    ERRORS(clReleaseCommandQueue, CL_INVALID_COMMAND_QUEUE),
    ERRORS(clGetCommandQueueInfo, CL_INVALID_COMMAND_QUEUE, CL_INVALID_VALUE),
    ERRORS(clCreateBuffer, CL_MEM_OBJECT_ALLOCATION_FAILURE, CL_INVALID_BUFFER_SIZE, CL_INVALID_HOST_PTR,
           CL_INVALID_VALUE, CL_INVALID_CONTEXT),
    ERRORS(clReleaseMemObject, CL_INVALID_MEM_OBJECT),
    ERRORS(clGetMemObjectInfo, CL_INVALID_MEM_OBJECT, CL_INVALID_VALUE),
    ERRORS(clCreateProgramWithSource, CL_INVALID_CONTEXT, CL_INVALID_VALUE),
    ERRORS(clBuildProgram, CL_BUILD_PROGRAM_FAILURE, CL_COMPILER_NOT_AVAILABLE, CL_INVALID_BUILD_OPTIONS,
           CL_INVALID_BINARY, CL_INVALID_PROGRAM, CL_INVALID_OPERATION, CL_INVALID_DEVICE, CL_INVALID_VALUE),
    ERRORS(clGetProgramBuildInfo, CL_INVALID_DEVICE, CL_INVALID_PROGRAM, CL_INVALID_VALUE),
    ERRORS(clReleaseProgram, CL_INVALID_PROGRAM),
    ERRORS(clCreateKernel, CL_INVALID_KERNEL_NAME, CL_INVALID_PROGRAM_EXECUTABLE, CL_INVALID_KERNEL_DEFINITION,
           CL_INVALID_PROGRAM, CL_INVALID_VALUE),
    ERRORS(clSetKernelArg, CL_INVALID_ARG_INDEX, CL_INVALID_ARG_VALUE, CL_INVALID_ARG_SIZE, CL_INVALID_MEM_OBJECT,
           CL_INVALID_KERNEL),
    ERRORS(clGetKernelWorkGroupInfo, CL_INVALID_DEVICE, CL_INVALID_KERNEL, CL_INVALID_VALUE),
    ERRORS(clReleaseKernel, CL_INVALID_KERNEL),
    ERRORS(clEnqueueWriteBuffer, TRANSFER_ERRORS),
    ERRORS(clEnqueueReadBuffer, TRANSFER_ERRORS),
    ERRORS(clEnqueueMapBuffer, TRANSFER_ERRORS, CL_MAP_FAILURE),
    ERRORS(clEnqueueUnmapMemObject, CL_INVALID_COMMAND_QUEUE, CL_INVALID_MEM_OBJECT, CL_INVALID_VALUE,
           CL_INVALID_EVENT_WAIT_LIST, CL_INVALID_CONTEXT),
    ERRORS(clEnqueueNDRangeKernel, CL_MEM_OBJECT_ALLOCATION_FAILURE, CL_INVALID_PROGRAM_EXECUTABLE,
           CL_INVALID_COMMAND_QUEUE, CL_INVALID_KERNEL, CL_INVALID_CONTEXT, CL_INVALID_KERNEL_ARGS,
           CL_INVALID_WORK_DIMENSION, CL_INVALID_GLOBAL_WORK_SIZE, CL_INVALID_GLOBAL_OFFSET, CL_INVALID_WORK_GROUP_SIZE,
           CL_INVALID_WORK_ITEM_SIZE, CL_MISALIGNED_SUB_BUFFER_OFFSET, CL_INVALID_EVENT_WAIT_LIST),
    ERRORS(clEnqueueMarkerWithWaitList, CL_INVALID_COMMAND_QUEUE, CL_INVALID_CONTEXT, CL_INVALID_EVENT_WAIT_LIST),
    ERRORS(clFlush, CL_INVALID_COMMAND_QUEUE),
    ERRORS(clFinish, CL_INVALID_COMMAND_QUEUE),
    ERRORS(clWaitForEvents, CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST, CL_INVALID_EVENT, CL_INVALID_CONTEXT,
           CL_INVALID_VALUE),
    ERRORS(clGetEventInfo, CL_INVALID_EVENT, CL_INVALID_VALUE),
    ERRORS(clRetainEvent, CL_INVALID_EVENT),
    ERRORS(clReleaseEvent, CL_INVALID_EVENT),
};

const cl_int *fault_errors(fault_call call, fault_reach reach)
{
    static const cl_int none[] = {CL_SUCCESS};
    static const cl_int of_commands[] = {
        CL_OUT_OF_RESOURCES,  CL_MEM_OBJECT_ALLOCATION_FAILURE, CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST,
        OUTSIDE_THE_STANDARD, CL_INVALID_COMMAND_QUEUE,         CL_SUCCESS};
    if (reach != FAULT_COMMAND)
        return errors_of[call];
    switch (call) {
    case FAULT_clEnqueueWriteBuffer:
    case FAULT_clEnqueueReadBuffer:
    case FAULT_clEnqueueMapBuffer:
    case FAULT_clEnqueueUnmapMemObject:
    case FAULT_clEnqueueNDRangeKernel:
    case FAULT_clEnqueueMarkerWithWaitList:
        return of_commands;
    default:
        return none;
    }
}

static clsoftmax_status status_of(cl_int error)
{
    if (error == CL_OUT_OF_HOST_MEMORY)
        return CLSOFTMAX_OUT_OF_HOST_MEMORY;
    if (error == CL_MEM_OBJECT_ALLOCATION_FAILURE || error == CL_INVALID_BUFFER_SIZE)
        return CLSOFTMAX_OUT_OF_DEVICE_MEMORY;
    return CLSOFTMAX_DEVICE_FAILED;
}

int fault_status_is_right(const fault *fault, fault_call struck, clsoftmax_status status)
{
    int is_wide = fault->reach == FAULT_EVERYTHING;
    if (is_wide || struck == FAULT_clGetPlatformIDs || struck == FAULT_clGetDeviceIDs)
        if (status == CLSOFTMAX_DEVICE_NOT_FOUND)
            return 1;
    if (is_wide || struck == FAULT_clGetDeviceInfo || struck == FAULT_clBuildProgram)
        if (status == CLSOFTMAX_DEVICE_UNUSABLE)
            return 1;
    if (!is_wide && struck == FAULT_clBuildProgram)
        return 0;
    return status == status_of(fault->error) || (fault->reach == FAULT_COMMAND && status == CLSOFTMAX_DEVICE_FAILED);
}

int fault_may_be_ignored(fault_call call)
{
    switch (call) {
    case FAULT_clGetPlatformInfo:
    case FAULT_clGetDeviceInfo:
    case FAULT_clGetProgramBuildInfo:
    case FAULT_clReleaseContext:
    case FAULT_clReleaseCommandQueue:
    case FAULT_clReleaseMemObject:
    case FAULT_clReleaseProgram:
    case FAULT_clReleaseKernel:
    case FAULT_clReleaseEvent:
    case FAULT_clEnqueueUnmapMemObject:
    case FAULT_clFinish: /* it comes before releases, when events have told how commands ended */
        return 1;
    default:
        return 0;
    }
}

int fault_error_is_right(const fault *fault, cl_int error)
{
    return error == fault->error ||
           (fault->reach == FAULT_COMMAND && error == CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST);
}

int fault_text_names(const char *text, cl_int error)
{
    if ((error == PLATFORM_NOT_FOUND || error == CL_DEVICE_NOT_FOUND) && strstr(text, "no OpenCL "))
        return 1;
    char number[32];
    snprintf(number, sizeof number, "(%d)", error);
    const char *found = strstr(text, number);
    return found && (strstr(text, "CL_") != NULL) != (error == OUTSIDE_THE_STANDARD);
}

const fault_device_end fault_device_ends[FAULT_DEVICE_COUNT] = {
    [FAULT_DEVICE_WORK_GROUP_0] = {CLSOFTMAX_DEVICE_UNUSABLE, 0, 0, 0},
    [FAULT_DEVICE_KERNEL_WORK_GROUP_0] = {CLSOFTMAX_DEVICE_UNUSABLE, 0, 1, 0},
    [FAULT_DEVICE_TINY_BUFFERS] = {CLSOFTMAX_OUT_OF_DEVICE_MEMORY, 0, 1, 1},
    [FAULT_DEVICE_LATE_ALLOCATION] = {CLSOFTMAX_OUT_OF_DEVICE_MEMORY, 0, 1, 0},
    [FAULT_DEVICE_EMPTY_TEXTS] = {CLSOFTMAX_OK, 1, 0, 0},
    [FAULT_DEVICE_EMPTY_NUMBERS] = {CLSOFTMAX_DEVICE_UNUSABLE, 0, 0, 0},
    [FAULT_DEVICE_EMPTY_ANSWERS] = {CLSOFTMAX_DEVICE_UNUSABLE, 0, 0, 0},
    [FAULT_DEVICE_EMBEDDED] = {CLSOFTMAX_OK, 1, 0, 0},
    [FAULT_DEVICE_NO_SUBNORMALS] = {CLSOFTMAX_OK, 1, 0, 0},
    [FAULT_DEVICE_NO_ROUNDING] = {CLSOFTMAX_OK, 1, 0, 0},
    [FAULT_DEVICE_NO_INFINITIES] = {CLSOFTMAX_OK, 1, 0, 0},
    [FAULT_DEVICE_NO_COMPILER] = {CLSOFTMAX_DEVICE_UNUSABLE, 0, 0, 0},
    [FAULT_DEVICE_UNAVAILABLE] = {CLSOFTMAX_DEVICE_UNUSABLE, 0, 0, 0},
    [FAULT_DEVICE_SILENT_COMPILER] = {CLSOFTMAX_DEVICE_UNUSABLE, 0, 0, 0},
    [FAULT_DEVICE_CHATTY_COMPILER] = {CLSOFTMAX_DEVICE_UNUSABLE, 0, 0, 0},
    [FAULT_DEVICE_MUTE_COMPILER] = {CLSOFTMAX_DEVICE_UNUSABLE, 0, 0, 0},
    [FAULT_DEVICE_NO_DEVICE] = {CLSOFTMAX_DEVICE_NOT_FOUND, 0, 1, 0},
    [FAULT_DEVICE_EMPTY_PLATFORM] = {CLSOFTMAX_DEVICE_NOT_FOUND, 0, 1, 0},
    [FAULT_DEVICE_NO_PLATFORM] = {CLSOFTMAX_DEVICE_NOT_FOUND, 0, 1, 0},
};
