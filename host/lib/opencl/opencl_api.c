/* Loads OpenCL at run time, and names its errors: see opencl_api.h. */
#include "opencl_api.h"

#include "../process.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

cls_opencl_api cls_opencl;

static char load_error[256]; /* "" if the table is filled */
static pid_t load_process;   /* drivers do not survive fork(): their threads stay with the parent */

/* Fills the table from the loader, or writes load_error. */
static void load(void)
{
    load_process = cls_process();
    void *loader = dlopen("libOpenCL.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!loader)
        loader = dlopen("libOpenCL.so", RTLD_NOW | RTLD_LOCAL);
    if (!loader) {
        snprintf(load_error, sizeof load_error, "the OpenCL loader libOpenCL.so.1 is not installed");
        return;
    }
    void *symbol;
#define OPENCL_LOAD(function)                                                                                          \
    symbol = dlsym(loader, #function);                                                                                 \
    if (!symbol)                                                                                                       \
        snprintf(load_error, sizeof load_error, "the OpenCL loader lacks %s", #function);                              \
    memcpy(&cls_opencl.function, &symbol, sizeof symbol);
    OPENCL_FUNCTIONS(OPENCL_LOAD)
#undef OPENCL_LOAD
}

clsoftmax_status cls_opencl_load(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    CLS_FAIL_IF(load_error[0], CLSOFTMAX_DEVICE_NOT_FOUND, "%s", load_error);
    CLS_FAIL_IF(load_process != cls_process(), CLSOFTMAX_FORKED,
                "OpenCL was used before fork(), which its drivers do not survive; device \"cpu\" works in the child");
    return CLSOFTMAX_OK;
}

#define OPENCL_ERRORS(X)                                                                                               \
    X(CL_DEVICE_NOT_FOUND)                                                                                             \
    X(CL_DEVICE_NOT_AVAILABLE)                                                                                         \
    X(CL_COMPILER_NOT_AVAILABLE)                                                                                       \
    X(CL_MEM_OBJECT_ALLOCATION_FAILURE)                                                                                \
    X(CL_OUT_OF_RESOURCES)                                                                                             \
    X(CL_OUT_OF_HOST_MEMORY)                                                                                           \
    X(CL_PROFILING_INFO_NOT_AVAILABLE)                                                                                 \
    X(CL_MEM_COPY_OVERLAP)                                                                                             \
    X(CL_BUILD_PROGRAM_FAILURE)                                                                                        \
    X(CL_MAP_FAILURE)                                                                                                  \
    X(CL_MISALIGNED_SUB_BUFFER_OFFSET)                                                                                 \
    X(CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST)                                                                    \
    X(CL_INVALID_VALUE)                                                                                                \
    X(CL_INVALID_DEVICE_TYPE)                                                                                          \
    X(CL_INVALID_PLATFORM)                                                                                             \
    X(CL_INVALID_DEVICE)                                                                                               \
    X(CL_INVALID_CONTEXT)                                                                                              \
    X(CL_INVALID_QUEUE_PROPERTIES)                                                                                     \
    X(CL_INVALID_COMMAND_QUEUE)                                                                                        \
    X(CL_INVALID_HOST_PTR)                                                                                             \
    X(CL_INVALID_MEM_OBJECT)                                                                                           \
    X(CL_INVALID_BINARY)                                                                                               \
    X(CL_INVALID_BUILD_OPTIONS)                                                                                        \
    X(CL_INVALID_PROGRAM)                                                                                              \
    X(CL_INVALID_PROGRAM_EXECUTABLE)                                                                                   \
    X(CL_INVALID_KERNEL_NAME)                                                                                          \
    X(CL_INVALID_KERNEL_DEFINITION)                                                                                    \
    X(CL_INVALID_KERNEL)                                                                                               \
    X(CL_INVALID_ARG_INDEX)                                                                                            \
    X(CL_INVALID_ARG_VALUE)                                                                                            \
    X(CL_INVALID_ARG_SIZE)                                                                                             \
    X(CL_INVALID_KERNEL_ARGS)                                                                                          \
    X(CL_INVALID_WORK_DIMENSION)                                                                                       \
    X(CL_INVALID_WORK_GROUP_SIZE)                                                                                      \
    X(CL_INVALID_WORK_ITEM_SIZE)                                                                                       \
    X(CL_INVALID_GLOBAL_OFFSET)                                                                                        \
    X(CL_INVALID_EVENT_WAIT_LIST)                                                                                      \
    X(CL_INVALID_EVENT)                                                                                                \
    X(CL_INVALID_OPERATION)                                                                                            \
    X(CL_INVALID_BUFFER_SIZE)                                                                                          \
    X(CL_INVALID_GLOBAL_WORK_SIZE)

const char *cls_opencl_error_name(cl_int error)
{
    switch (error) {
#define OPENCL_ERROR_CASE(name)                                                                                        \
    case name:                                                                                                         \
        return #name;
        OPENCL_ERRORS(OPENCL_ERROR_CASE)
#undef OPENCL_ERROR_CASE
    case OPENCL_PLATFORM_NOT_FOUND:
        return "CL_PLATFORM_NOT_FOUND_KHR";
    default:
        return "an OpenCL error outside the standard";
    }
}

/* Returns the status that fits an OpenCL error. */
static clsoftmax_status status_of(cl_int error)
{
    switch (error) {
    case CL_OUT_OF_HOST_MEMORY:
        return CLSOFTMAX_OUT_OF_HOST_MEMORY;
    case CL_MEM_OBJECT_ALLOCATION_FAILURE:
    case CL_INVALID_BUFFER_SIZE:
        return CLSOFTMAX_OUT_OF_DEVICE_MEMORY;
    default:
        return CLSOFTMAX_DEVICE_FAILED;
    }
}

clsoftmax_status cls_opencl_fail(cl_int error, const char *what)
{
    return cls_fail_opencl(status_of(error), error, "%s: %s (%d)", what, cls_opencl_error_name(error), error);
}
