/* The OpenCL calls that the fault layer makes fail, and how they do:
     REFUSED  returns the error, and does nothing
     LATE     does its work, then returns the error: what is released is gone, what was waited for is over
     OBJECT   returns no object, and the error by its last parameter */
#ifndef CLSOFTMAX_FAULT_CALLS_H
#define CLSOFTMAX_FAULT_CALLS_H

#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>

/* clang-format off */
#define FAULT_COMMANDS(COMMAND)                                                                                        \
    COMMAND(clEnqueueWriteBuffer,                                                                                      \
            (cl_command_queue queue, cl_mem buffer, cl_bool blocking, size_t offset, size_t size, const void *from,    \
             cl_uint wait_count, const cl_event *wait, cl_event *event),                                               \
            (queue, buffer, blocking, offset, size, from, wait_count, wait, event))                                    \
    COMMAND(clEnqueueReadBuffer,                                                                                       \
            (cl_command_queue queue, cl_mem buffer, cl_bool blocking, size_t offset, size_t size, void *to,            \
             cl_uint wait_count, const cl_event *wait, cl_event *event),                                               \
            (queue, buffer, blocking, offset, size, to, wait_count, wait, event))                                      \
    COMMAND(clEnqueueUnmapMemObject,                                                                                   \
            (cl_command_queue queue, cl_mem buffer, void *mapped, cl_uint wait_count, const cl_event *wait,            \
             cl_event *event),                                                                                         \
            (queue, buffer, mapped, wait_count, wait, event))                                                          \
    COMMAND(clEnqueueNDRangeKernel,                                                                                    \
            (cl_command_queue queue, cl_kernel kernel, cl_uint dimensions, const size_t *offset, const size_t *global, \
             const size_t *local, cl_uint wait_count, const cl_event *wait, cl_event *event),                          \
            (queue, kernel, dimensions, offset, global, local, wait_count, wait, event))                               \
    COMMAND(clEnqueueMarkerWithWaitList,                                                                               \
            (cl_command_queue queue, cl_uint wait_count, const cl_event *wait, cl_event *event),                       \
            (queue, wait_count, wait, event))

#define FAULT_CALLS(REFUSED, LATE, OBJECT)                                                                             \
    REFUSED(clGetPlatformIDs, (cl_uint room, cl_platform_id *ids, cl_uint *count), (room, ids, count))                 \
    REFUSED(clGetPlatformInfo, (cl_platform_id id, cl_platform_info name, size_t size, void *value, size_t *size_out), \
            (id, name, size, value, size_out))                                                                         \
    REFUSED(clGetDeviceIDs,                                                                                            \
            (cl_platform_id id, cl_device_type type, cl_uint room, cl_device_id *ids, cl_uint *count),                 \
            (id, type, room, ids, count))                                                                              \
    REFUSED(clGetDeviceInfo, (cl_device_id id, cl_device_info name, size_t size, void *value, size_t *size_out),       \
            (id, name, size, value, size_out))                                                                         \
    OBJECT(cl_context, clCreateContext,                                                                                \
           (const cl_context_properties *properties, cl_uint count, const cl_device_id *devices,                       \
            void(CL_CALLBACK *notify)(const char *, const void *, size_t, void *), void *data, cl_int *error),         \
           (properties, count, devices, notify, data, error))                                                          \
    REFUSED(clRetainContext, (cl_context context), (context))                                                          \
    LATE(clReleaseContext, (cl_context context), (context))                                                            \
    REFUSED(clGetContextInfo, (cl_context context, cl_context_info name, size_t size, void *value, size_t *size_out),  \
            (context, name, size, value, size_out))                                                                    \
    OBJECT(cl_command_queue, clCreateCommandQueue,                                                                     \
           (cl_context context, cl_device_id device, cl_command_queue_properties properties, cl_int *error),           \
           (context, device, properties, error))                                                                       \
    LATE(clReleaseCommandQueue, (cl_command_queue queue), (queue))                                                     \
    REFUSED(clGetCommandQueueInfo,                                                                                     \
            (cl_command_queue queue, cl_command_queue_info name, size_t size, void *value, size_t *size_out),          \
            (queue, name, size, value, size_out))                                                                      \
    OBJECT(cl_mem, clCreateBuffer, (cl_context context, cl_mem_flags flags, size_t size, void *host, cl_int *error),   \
           (context, flags, size, host, error))                                                                        \
    LATE(clReleaseMemObject, (cl_mem buffer), (buffer))                                                                \
    REFUSED(clGetMemObjectInfo, (cl_mem buffer, cl_mem_info name, size_t size, void *value, size_t *size_out),         \
            (buffer, name, size, value, size_out))                                                                     \
    OBJECT(cl_program, clCreateProgramWithSource,                                                                      \
           (cl_context context, cl_uint count, const char **texts, const size_t *lengths, cl_int *error),              \
           (context, count, texts, lengths, error))                                                                    \
    REFUSED(clBuildProgram,                                                                                            \
            (cl_program program, cl_uint count, const cl_device_id *devices, const char *options,                      \
             void(CL_CALLBACK *notify)(cl_program, void *), void *data),                                               \
            (program, count, devices, options, notify, data))                                                          \
    REFUSED(clGetProgramBuildInfo,                                                                                     \
            (cl_program program, cl_device_id device, cl_program_build_info name, size_t size, void *value,            \
             size_t *size_out),                                                                                        \
            (program, device, name, size, value, size_out))                                                            \
    LATE(clReleaseProgram, (cl_program program), (program))                                                            \
    OBJECT(cl_kernel, clCreateKernel, (cl_program program, const char *name, cl_int *error), (program, name, error))   \
    REFUSED(clSetKernelArg, (cl_kernel kernel, cl_uint index, size_t size, const void *value),                         \
            (kernel, index, size, value))                                                                              \
    REFUSED(clGetKernelWorkGroupInfo,                                                                                  \
            (cl_kernel kernel, cl_device_id device, cl_kernel_work_group_info name, size_t size, void *value,          \
             size_t *size_out),                                                                                        \
            (kernel, device, name, size, value, size_out))                                                             \
    LATE(clReleaseKernel, (cl_kernel kernel), (kernel))                                                                \
    FAULT_COMMANDS(REFUSED)                                                                                            \
    OBJECT(void *, clEnqueueMapBuffer,                                                                                 \
           (cl_command_queue queue, cl_mem buffer, cl_bool blocking, cl_map_flags flags, size_t offset, size_t size,   \
            cl_uint wait_count, const cl_event *wait, cl_event *event, cl_int *error),                                 \
           (queue, buffer, blocking, flags, offset, size, wait_count, wait, event, error))                             \
    REFUSED(clFlush, (cl_command_queue queue), (queue))                                                                \
    LATE(clFinish, (cl_command_queue queue), (queue))                                                                  \
    LATE(clWaitForEvents, (cl_uint count, const cl_event *events), (count, events))                                    \
    REFUSED(clGetEventInfo, (cl_event event, cl_event_info name, size_t size, void *value, size_t *size_out),          \
            (event, name, size, value, size_out))                                                                      \
    REFUSED(clRetainEvent, (cl_event event), (event))                                                                  \
    LATE(clReleaseEvent, (cl_event event), (event))
/* clang-format on */

#endif
