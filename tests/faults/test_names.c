/* The names of statuses, and of OpenCL errors, against the table of the OpenCL specification. */
#include "opencl/opencl_api.h"

#include <criterion/criterion.h>

/* Checks the name and the number of each status. */
Test(names, of_statuses)
{
#define CHECK(name, value, meaning)                                                                                    \
    cr_expect_str_eq(clsoftmax_status_name(CLSOFTMAX_##name), #name);                                                  \
    cr_expect_eq(CLSOFTMAX_##name, value);
    CLSOFTMAX_STATUS_LIST(CHECK)
    cr_expect_str_eq(clsoftmax_status_name((clsoftmax_status)12345), "UNKNOWN");
    cr_expect_str_eq(clsoftmax_version(), CLSOFTMAX_VERSION_STRING);
}

/* The error codes of OpenCL 1.2, negated. Numbers between them have no name, nor have those behind them. */
static const char *const errors[69] = {
    [1] = "CL_DEVICE_NOT_FOUND",
    [2] = "CL_DEVICE_NOT_AVAILABLE",
    [3] = "CL_COMPILER_NOT_AVAILABLE",
    [4] = "CL_MEM_OBJECT_ALLOCATION_FAILURE",
    [5] = "CL_OUT_OF_RESOURCES",
    [6] = "CL_OUT_OF_HOST_MEMORY",
    [7] = "CL_PROFILING_INFO_NOT_AVAILABLE",
    [8] = "CL_MEM_COPY_OVERLAP",
    [11] = "CL_BUILD_PROGRAM_FAILURE",
    [12] = "CL_MAP_FAILURE",
    [13] = "CL_MISALIGNED_SUB_BUFFER_OFFSET",
    [14] = "CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST",
    [30] = "CL_INVALID_VALUE",
    [31] = "CL_INVALID_DEVICE_TYPE",
    [32] = "CL_INVALID_PLATFORM",
    [33] = "CL_INVALID_DEVICE",
    [34] = "CL_INVALID_CONTEXT",
    [35] = "CL_INVALID_QUEUE_PROPERTIES",
    [36] = "CL_INVALID_COMMAND_QUEUE",
    [37] = "CL_INVALID_HOST_PTR",
    [38] = "CL_INVALID_MEM_OBJECT",
    [42] = "CL_INVALID_BINARY",
    [43] = "CL_INVALID_BUILD_OPTIONS",
    [44] = "CL_INVALID_PROGRAM",
    [45] = "CL_INVALID_PROGRAM_EXECUTABLE",
    [46] = "CL_INVALID_KERNEL_NAME",
    [47] = "CL_INVALID_KERNEL_DEFINITION",
    [48] = "CL_INVALID_KERNEL",
    [49] = "CL_INVALID_ARG_INDEX",
    [50] = "CL_INVALID_ARG_VALUE",
    [51] = "CL_INVALID_ARG_SIZE",
    [52] = "CL_INVALID_KERNEL_ARGS",
    [53] = "CL_INVALID_WORK_DIMENSION",
    [54] = "CL_INVALID_WORK_GROUP_SIZE",
    [55] = "CL_INVALID_WORK_ITEM_SIZE",
    [56] = "CL_INVALID_GLOBAL_OFFSET",
    [57] = "CL_INVALID_EVENT_WAIT_LIST",
    [58] = "CL_INVALID_EVENT",
    [59] = "CL_INVALID_OPERATION",
    [61] = "CL_INVALID_BUFFER_SIZE",
    [63] = "CL_INVALID_GLOBAL_WORK_SIZE",
};

/* Checks the name of each OpenCL error. */
Test(names, of_opencl_errors)
{
    for (int i = 0; i < 69; i++)
        cr_expect_str_eq(cls_opencl_error_name(-i), errors[i] ? errors[i] : "an OpenCL error outside the standard");
    cr_expect_str_eq(cls_opencl_error_name(-1001), "CL_PLATFORM_NOT_FOUND_KHR");
    cr_expect_str_eq(cls_opencl_error_name(-9999), "an OpenCL error outside the standard");
}
