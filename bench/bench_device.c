/* Devices under test: opening them, and the buffers of OpenCL devices. See bench_device.h. */
#include "bench_device.h"

#include "opencl/opencl_api.h"
#include "support/library.h"
#include "support/messages.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_PLATFORMS = 32, MOST_DEVICES = 64 };

/* The kernel that copies 16 bytes a work-item, neighbours side by side: no kernel copies faster. */
static const char copy_source[] = "kernel void copy(global const uint4 *restrict from, global uint4 *restrict to)\n"
                                  "{\n"
                                  "    to[get_global_id(0)] = from[get_global_id(0)];\n"
                                  "}\n";

/* Finds the device that the library calls "P:D". Returns NULL if it is not there. */
static cl_device_id find_device(const char *selector)
{
    char *colon;
    unsigned long platform = strtoul(selector, &colon, 10), number = *colon == ':' ? strtoul(colon + 1, NULL, 10) : 0;
    cl_platform_id platforms[MOST_PLATFORMS];
    cl_device_id devices[MOST_DEVICES];
    cl_uint found = 0;
    if (cls_opencl.clGetPlatformIDs(MOST_PLATFORMS, platforms, &found) != CL_SUCCESS || platform >= found)
        return NULL;
    if (cls_opencl.clGetDeviceIDs(platforms[platform], CL_DEVICE_TYPE_ALL, MOST_DEVICES, devices, &found) != CL_SUCCESS)
        return NULL;
    return number < found ? devices[number] : NULL;
}

static int open_opencl(bench_device *device)
{
    const char *selector = device->info.selector;
    device->id = cls_opencl_load() == CLSOFTMAX_OK ? find_device(selector) : NULL;
    COMPLAIN_IF(!device->id, EXIT_FAILED, "device %s: cannot be found again", selector);
    cl_int error;
    const char *source = copy_source;
    cl_ulong cache = 0;
    cls_opencl.clGetDeviceInfo(device->id, CL_DEVICE_GLOBAL_MEM_CACHE_SIZE, sizeof cache, &cache, NULL);
    device->cache = (size_t)cache;
    device->cl = cls_opencl.clCreateContext(NULL, 1, &device->id, NULL, NULL, &error);
    if (device->cl)
        device->queue = cls_opencl.clCreateCommandQueue(device->cl, device->id, 0, &error);
    if (device->queue)
        device->copy_program = cls_opencl.clCreateProgramWithSource(device->cl, 1, &source, NULL, &error);
    if (device->copy_program)
        error = cls_opencl.clBuildProgram(device->copy_program, 1, &device->id, "", NULL, NULL);
    COMPLAIN_IF(error != CL_SUCCESS, EXIT_FAILED, "device %s: OpenCL error %d", selector, error);
    return EXIT_DONE;
}

int bench_device_open(bench_device *device, const char *selector)
{
    memset(device, 0, sizeof *device);
    FORWARD(open_context(selector, &device->context));
    device->info = *clsoftmax_context_device(device->context);
    int status = device->info.type >= CLSOFTMAX_DEVICE_OPENCL_CPU ? open_opencl(device) : EXIT_DONE;
    if (status != EXIT_DONE)
        bench_device_close(device);
    return status;
}

void bench_device_close(bench_device *device)
{
    bench_device_finish(device);
    if (device->copy_program)
        cls_opencl.clReleaseProgram(device->copy_program);
    if (device->queue)
        cls_opencl.clReleaseCommandQueue(device->queue);
    if (device->cl)
        cls_opencl.clReleaseContext(device->cl);
    clsoftmax_context_release(device->context);
    memset(device, 0, sizeof *device);
}

/* ---------------------------------------------------------------- Buffers */

/* Makes a buffer for an array of the workload: over the array itself if the device shares the host's memory, else a
   buffer of its own, with a copy of the array if that is initial. */
static cl_mem make_buffer(bench_device *device, void *array, size_t bytes, int is_initial, cl_int *error)
{
    cl_bool shares_memory = CL_FALSE;
    cls_opencl.clGetDeviceInfo(device->id, CL_DEVICE_HOST_UNIFIED_MEMORY, sizeof shares_memory, &shares_memory, NULL);
    cl_mem_flags flags = CL_MEM_READ_WRITE | (shares_memory ? CL_MEM_USE_HOST_PTR : 0);
    cl_mem buffer = cls_opencl.clCreateBuffer(device->cl, flags, bytes, shares_memory ? array : NULL, error);
    if (buffer && is_initial && !shares_memory)
        *error = cls_opencl.clEnqueueWriteBuffer(device->queue, buffer, CL_TRUE, 0, bytes, array, 0, NULL, NULL);
    return buffer;
}

/* Makes the buffers of one array, for all slots. Returns NULL, or what failed. */
static const char *make_buffers(bench_device *device, const workload *workload, call_array array)
{
    cl_int error = CL_SUCCESS;
    device->buffers[array] = calloc(workload->slots, sizeof *device->buffers[array]);
    if (!device->buffers[array])
        return "no memory for the list of buffers";
    for (unsigned slot = 0; slot < workload->slots && error == CL_SUCCESS; slot++)
        device->buffers[array][slot] = make_buffer(device, workload_array(workload, array, slot),
                                                   workload->bytes[array], !call_writes(array), &error);
    return error == CL_SUCCESS ? NULL : "the device has no memory for the buffers";
}

const char *bench_device_prepare(bench_device *device, const workload *workload)
{
    if (!device->cl)
        return NULL;
    device->slots = workload->slots;
    for (int array = 0; array < CALL_ARRAYS; array++) {
        const char *failed = workload->bytes[array] > 0 ? make_buffers(device, workload, (call_array)array) : NULL;
        if (failed)
            return failed;
    }
    return NULL;
}

void bench_device_finish(bench_device *device)
{
    for (int array = 0; array < CALL_ARRAYS; array++) {
        for (unsigned slot = 0; device->buffers[array] && slot < device->slots; slot++)
            if (device->buffers[array][slot])
                cls_opencl.clReleaseMemObject(device->buffers[array][slot]);
        free(device->buffers[array]);
        device->buffers[array] = NULL;
    }
    device->slots = 0;
}

cl_mem bench_device_buffer(const bench_device *device, call_array array, unsigned slot)
{
    return device->buffers[array] ? device->buffers[array][slot] : NULL;
}

/* Returns 1 for an array that has a buffer and that calls write. */
static int is_written(const bench_device *device, int array)
{
    return device->buffers[array] && call_writes((call_array)array);
}

cl_int bench_device_write(const bench_device *device, const workload *workload, unsigned slot)
{
    cl_int error = CL_SUCCESS;
    for (int array = 0; array < CALL_ARRAYS && error == CL_SUCCESS; array++)
        if (is_written(device, array))
            error = cls_opencl.clEnqueueWriteBuffer(device->queue, device->buffers[array][slot], CL_TRUE, 0,
                                                    workload->bytes[array],
                                                    workload_array(workload, (call_array)array, slot), 0, NULL, NULL);
    return error;
}

cl_int bench_device_read(const bench_device *device, const workload *workload, unsigned slot)
{
    cl_int error = CL_SUCCESS;
    for (int array = 0; array < CALL_ARRAYS && error == CL_SUCCESS; array++)
        if (is_written(device, array))
            error = cls_opencl.clEnqueueReadBuffer(device->queue, device->buffers[array][slot], CL_TRUE, 0,
                                                   workload->bytes[array],
                                                   workload_array(workload, (call_array)array, slot), 0, NULL, NULL);
    return error;
}
