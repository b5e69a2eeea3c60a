/* Finds OpenCL devices, and reads what each says about itself: see opencl_device.h. */
#include "opencl_device.h"

#include "../float_environment.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Reads a property of a device. If the driver does not answer, even with success, the value is zeros: nothing is
   listed, nothing promised. */
static cl_int device_info(cl_device_id id, cl_device_info property, size_t size, void *value)
{
    memset(value, 0, size);
    cl_int error = cls_opencl.clGetDeviceInfo(id, property, size, value, NULL);
    if (error != CL_SUCCESS)
        memset(value, 0, size);
    return error;
}

/* Reads a property without which nothing can be decided. The first error is kept in the device. */
static void need_info(cls_opencl_device *device, cl_device_info property, size_t size, void *value)
{
    cl_int error = device_info(device->id, property, size, value);
    if (device->error == CL_SUCCESS)
        device->error = error;
}

static void device_text(cl_device_id id, cl_device_info property, char *text, size_t size)
{
    char whole[1024] = ""; /* a driver refuses a buffer that is too small */
    device_info(id, property, sizeof whole - 1, whole);
    snprintf(text, size, "%s", whole);
}

/* Writes the platform's name and version. */
static void platform_text(cl_platform_id id, char *text, size_t size)
{
    char name[256] = "", version[256] = "";
    cls_opencl.clGetPlatformInfo(id, CL_PLATFORM_NAME, sizeof name - 1, name, NULL);
    cls_opencl.clGetPlatformInfo(id, CL_PLATFORM_VERSION, sizeof version - 1, version, NULL);
    snprintf(text, size, "%.60s, %.60s", name, version);
}

static clsoftmax_device_type device_type(cl_device_id id)
{
    cl_device_type type = 0;
    device_info(id, CL_DEVICE_TYPE, sizeof type, &type);
    if (type & CL_DEVICE_TYPE_GPU)
        return CLSOFTMAX_DEVICE_GPU;
    if (type & CL_DEVICE_TYPE_CPU)
        return CLSOFTMAX_DEVICE_OPENCL_CPU;
    return CLSOFTMAX_DEVICE_ACCELERATOR;
}

static void describe_error(const char *call, cl_int error, char *reason, size_t size)
{
    snprintf(reason, size, "%s: %s (%d)", call, cls_opencl_error_name(error), error);
}

/* Returns why the device cannot run kernels at all, or NULL. */
static const char *why_unusable(cls_opencl_device *device)
{
    cl_bool available, compiler, little_endian;
    need_info(device, CL_DEVICE_AVAILABLE, sizeof available, &available);
    need_info(device, CL_DEVICE_COMPILER_AVAILABLE, sizeof compiler, &compiler);
    need_info(device, CL_DEVICE_ENDIAN_LITTLE, sizeof little_endian, &little_endian);
    const cls_limits *limits = &device->limits;
    if (!available)
        return "the device is not available";
    if (!compiler)
        return "the device has no compiler";
    if (!little_endian)
        return "the device is big-endian";
    if (limits->max_allocation_bytes == 0 || limits->global_memory_bytes == 0 || limits->max_work_group_size == 0)
        return "the device says that it has no memory, or no work-items";
    return NULL;
}

/* Returns why the device cannot keep the numeric promise, or NULL. */
static const char *why_inexact(cls_opencl_device *device)
{
    cl_device_fp_config config;
    char profile[64] = "";
    need_info(device, CL_DEVICE_SINGLE_FP_CONFIG, sizeof config, &config);
    need_info(device, CL_DEVICE_PROFILE, sizeof profile - 1, profile);
    if (strcmp(profile, "FULL_PROFILE") != 0)
        return "outside the numeric promise: the device is not of OpenCL's full profile";
    if (!(config & CL_FP_DENORM))
        return "outside the numeric promise: the device flushes subnormals to zero";
    if (!(config & CL_FP_ROUND_TO_NEAREST) || !(config & CL_FP_INF_NAN))
        return "outside the numeric promise: the device lacks rounding to nearest, or infinities";
    return NULL;
}

/* Returns the floats in a native vector; 1 for a width that OpenCL C has no vectors for. */
static unsigned vector_width(cl_device_id id)
{
    cl_uint width = 0;
    device_info(id, CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT, sizeof width, &width);
    return width == 2 || width == 4 || width == 8 || width == 16 ? width : 1;
}

/* Reads what planning must know of the device. */
static void describe_limits(cls_opencl_device *device)
{
    cls_limits *limits = &device->limits;
    cl_ulong bytes;
    cl_uint number;
    cl_bool is_unified;
    size_t size;
    limits->type = device_type(device->id);
    limits->vector_width = vector_width(device->id);
    device_info(device->id, CL_DEVICE_MAX_COMPUTE_UNITS, sizeof number, &number);
    limits->compute_units = number;
    need_info(device, CL_DEVICE_GLOBAL_MEM_SIZE, sizeof bytes, &bytes);
    limits->global_memory_bytes = bytes;
    need_info(device, CL_DEVICE_LOCAL_MEM_SIZE, sizeof bytes, &bytes);
    limits->local_memory_bytes = bytes;
    need_info(device, CL_DEVICE_MAX_MEM_ALLOC_SIZE, sizeof bytes, &bytes);
    limits->max_allocation_bytes = bytes;
    device_info(device->id, CL_DEVICE_GLOBAL_MEM_CACHE_SIZE, sizeof bytes, &bytes);
    limits->cache_bytes = bytes;
    device_info(device->id, CL_DEVICE_HOST_UNIFIED_MEMORY, sizeof is_unified, &is_unified);
    limits->shares_memory = is_unified == CL_TRUE;
    device_info(device->id, CL_DEVICE_MEM_BASE_ADDR_ALIGN, sizeof number, &number);
    limits->alignment_bytes = number / 8;
    need_info(device, CL_DEVICE_MAX_WORK_GROUP_SIZE, sizeof size, &size);
    limits->max_work_group_size = size > UINT32_MAX ? UINT32_MAX : (uint32_t)size;
}

void cls_opencl_device_describe(cl_platform_id platform, cl_device_id id, cls_opencl_device *out)
{
    memset(out, 0, sizeof *out);
    out->platform = platform;
    out->id = id;
    describe_limits(out);

    clsoftmax_device *device = &out->device;
    device->type = out->limits.type;
    strcpy(device->selector, "opencl");
    device_text(id, CL_DEVICE_NAME, device->name, sizeof device->name);
    device_text(id, CL_DRIVER_VERSION, device->driver, sizeof device->driver);
    platform_text(platform, device->platform, sizeof device->platform);
    out->limits.tuning = cls_tuning_of_device(device);
    device->compute_units = out->limits.compute_units;
    device->global_memory = out->limits.global_memory_bytes;
    const char *unusable = why_unusable(out), *inexact = why_inexact(out);
    device->usable = !unusable && out->error == CL_SUCCESS;
    device->exact = !inexact;
    snprintf(device->reason, sizeof device->reason, "%s", unusable ? unusable : inexact ? inexact : "");
    if (out->error != CL_SUCCESS)
        describe_error("clGetDeviceInfo", out->error, device->reason, sizeof device->reason);
}

/* Adds the devices of one platform, number p, to the list. A platform without devices is normal. One that fails is
   noted in *absence, and does not keep the others from being listed. */
static clsoftmax_status add_platform(cl_platform_id platform, unsigned p, cls_opencl_device **devices, size_t *count,
                                     cls_opencl_absence *absence)
{
    enum { MOST_DEVICES = 64 };
    cl_device_id ids[MOST_DEVICES];
    cl_uint found = 0;
    cl_int error = cls_opencl.clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, MOST_DEVICES, ids, &found);
    if (error != CL_SUCCESS && error != CL_DEVICE_NOT_FOUND) {
        absence->error = error;
        describe_error("clGetDeviceIDs", error, absence->reason, sizeof absence->reason);
    }
    if (error != CL_SUCCESS || found == 0)
        return CLSOFTMAX_OK;
    if (found > MOST_DEVICES)
        found = MOST_DEVICES;
    cls_opencl_device *grown = realloc(*devices, (*count + found) * sizeof **devices);
    CLS_FAIL_IF(!grown, CLSOFTMAX_OUT_OF_HOST_MEMORY, "no memory for a list of %zu devices", *count + found);
    *devices = grown;
    for (unsigned d = 0; d < found; d++) {
        cls_opencl_device *device = &grown[(*count)++];
        cls_opencl_device_describe(platform, ids[d], device);
        snprintf(device->device.selector, sizeof device->device.selector, "%u:%u", p, d);
    }
    return CLSOFTMAX_OK;
}

/* Finds the platforms, and returns their number. Writes why there are no devices into *absence, in case there are
   none. */
static cl_uint find_platforms(cl_uint room, cl_platform_id *platforms, cls_opencl_absence *absence)
{
    cl_uint found = 0;
    cl_int error = cls_opencl.clGetPlatformIDs(room, platforms, &found);
    if (error != CL_SUCCESS)
        found = 0;
    snprintf(absence->reason, sizeof absence->reason, "%s",
             found == 0 ? "no OpenCL driver is installed" : "no OpenCL platform has a device");
    if (error != CL_SUCCESS && error != OPENCL_PLATFORM_NOT_FOUND) {
        absence->error = error;
        describe_error("clGetPlatformIDs", error, absence->reason, sizeof absence->reason);
    }
    return found < room ? found : room;
}

/* Lists the devices of all platforms. After a failure the list is empty. */
static clsoftmax_status find_devices(cls_opencl_device **devices, size_t *count, cls_opencl_absence *absence)
{
    enum { MOST_PLATFORMS = 32 };
    cl_platform_id platforms[MOST_PLATFORMS];
    cl_uint found = find_platforms(MOST_PLATFORMS, platforms, absence);
    for (unsigned p = 0; p < found; p++) {
        clsoftmax_status status = add_platform(platforms[p], p, devices, count, absence);
        if (status != CLSOFTMAX_OK) {
            free(*devices);
            *devices = NULL;
            return status;
        }
    }
    return CLSOFTMAX_OK;
}

clsoftmax_status cls_opencl_devices(cls_opencl_device **devices, size_t *count, cls_opencl_absence *absence)
{
    /* PoCL 3.1 says that it has no devices while another thread makes it look for them. */
    static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
    CLS_IN_DEFAULT_ENVIRONMENT;
    *devices = NULL;
    *count = 0;
    absence->error = CL_SUCCESS;
    if (cls_opencl_load() != CLSOFTMAX_OK) { /* also in a child, where nobody would unlock the mutex */
        cls_last_reason(absence->reason, sizeof absence->reason);
        return CLSOFTMAX_OK;
    }
    pthread_mutex_lock(&one_at_a_time);
    clsoftmax_status status = find_devices(devices, count, absence);
    pthread_mutex_unlock(&one_at_a_time);
    return status;
}
