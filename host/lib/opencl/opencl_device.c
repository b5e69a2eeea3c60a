#include "opencl_device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A property that a driver does not answer reads as zeros: nothing listed, nothing promised. */
static void device_info(cl_device_id id, cl_device_info property, size_t size, void *value)
{
    if (cls_opencl.clGetDeviceInfo(id, property, size, value, NULL) != CL_SUCCESS)
        memset(value, 0, size);
}

static void device_text(cl_device_id id, cl_device_info property, char *text, size_t size)
{
    char whole[1024] = ""; /* a driver refuses a buffer that is too small */
    device_info(id, property, sizeof whole - 1, whole);
    snprintf(text, size, "%s", whole);
}

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

/* What stands in the way of running at all, or NULL. */
static const char *why_unusable(cl_device_id id)
{
    cl_bool available = CL_FALSE, compiler = CL_FALSE, little_endian = CL_FALSE;
    device_info(id, CL_DEVICE_AVAILABLE, sizeof available, &available);
    device_info(id, CL_DEVICE_COMPILER_AVAILABLE, sizeof compiler, &compiler);
    device_info(id, CL_DEVICE_ENDIAN_LITTLE, sizeof little_endian, &little_endian);
    if (!available)
        return "the device is not available";
    if (!compiler)
        return "the device has no compiler";
    if (!little_endian)
        return "the device is big-endian";
    return NULL;
}

/* What stands in the way of the numeric promise, or NULL. */
static const char *why_inexact(cl_device_id id)
{
    cl_device_fp_config config = 0;
    char profile[64];
    device_info(id, CL_DEVICE_SINGLE_FP_CONFIG, sizeof config, &config);
    device_text(id, CL_DEVICE_PROFILE, profile, sizeof profile);
    if (strcmp(profile, "FULL_PROFILE") != 0)
        return "outside the numeric promise: the device is not of OpenCL's full profile";
    if (!(config & CL_FP_DENORM))
        return "outside the numeric promise: the device flushes subnormals to zero";
    if (!(config & CL_FP_ROUND_TO_NEAREST) || !(config & CL_FP_INF_NAN))
        return "outside the numeric promise: the device lacks rounding to nearest, or infinities";
    return NULL;
}

static unsigned vector_width(cl_device_id id)
{
    cl_uint width = 0;
    device_info(id, CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT, sizeof width, &width);
    return width == 2 || width == 4 || width == 8 || width == 16 ? width : 1;
}

void cls_opencl_device_describe(cl_platform_id platform, cl_device_id id, cls_opencl_device *out)
{
    memset(out, 0, sizeof *out);
    out->platform = platform;
    out->id = id;

    clsoftmax_device *device = &out->device;
    device->type = device_type(id);
    strcpy(device->selector, "opencl");
    device_text(id, CL_DEVICE_NAME, device->name, sizeof device->name);
    device_text(id, CL_DRIVER_VERSION, device->driver, sizeof device->driver);
    platform_text(platform, device->platform, sizeof device->platform);
    cl_uint units = 0;
    device_info(id, CL_DEVICE_MAX_COMPUTE_UNITS, sizeof units, &units);
    device->compute_units = units;
    cl_ulong bytes = 0;
    device_info(id, CL_DEVICE_GLOBAL_MEM_SIZE, sizeof bytes, &bytes);
    device->global_memory = bytes;
    const char *unusable = why_unusable(id), *inexact = why_inexact(id);
    device->usable = !unusable;
    device->exact = !inexact;
    snprintf(device->reason, sizeof device->reason, "%s", unusable ? unusable : inexact ? inexact : "");

    cls_limits *limits = &out->limits;
    limits->type = device->type;
    limits->compute_units = units;
    limits->vector_width = vector_width(id);
    limits->global_memory_bytes = bytes;
    device_info(id, CL_DEVICE_LOCAL_MEM_SIZE, sizeof bytes, &bytes);
    limits->local_memory_bytes = bytes;
    device_info(id, CL_DEVICE_MAX_MEM_ALLOC_SIZE, sizeof bytes, &bytes);
    limits->max_allocation_bytes = bytes;
    device_info(id, CL_DEVICE_GLOBAL_MEM_CACHE_SIZE, sizeof bytes, &bytes);
    limits->cache_bytes = bytes;
    cl_bool is_unified = CL_FALSE;
    device_info(id, CL_DEVICE_HOST_UNIFIED_MEMORY, sizeof is_unified, &is_unified);
    limits->shares_memory = is_unified == CL_TRUE;
    cl_uint bits = 0;
    device_info(id, CL_DEVICE_MEM_BASE_ADDR_ALIGN, sizeof bits, &bits);
    limits->alignment_bytes = bits / 8;
    size_t size = 0;
    device_info(id, CL_DEVICE_MAX_WORK_GROUP_SIZE, sizeof size, &size);
    limits->max_work_group_size = size > UINT32_MAX ? UINT32_MAX : (uint32_t)size;
}

/* The devices of one platform, behind those that `devices` holds already. A platform without devices is normal. */
static clsoftmax_status add_platform(cl_platform_id platform, unsigned p, cls_opencl_device **devices, size_t *count)
{
    enum { MOST_DEVICES = 64 };
    cl_device_id ids[MOST_DEVICES];
    cl_uint found = 0;
    if (cls_opencl.clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, MOST_DEVICES, ids, &found) != CL_SUCCESS || found == 0)
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

clsoftmax_status cls_opencl_devices(cls_opencl_device **devices, size_t *count, char *reason, size_t size)
{
    enum { MOST_PLATFORMS = 32 };
    *devices = NULL;
    *count = 0;
    if (cls_opencl_load() != CLSOFTMAX_OK) {
        cls_last_reason(reason, size);
        return CLSOFTMAX_OK;
    }
    cl_platform_id platforms[MOST_PLATFORMS];
    cl_uint found = 0;
    if (cls_opencl.clGetPlatformIDs(MOST_PLATFORMS, platforms, &found) != CL_SUCCESS)
        found = 0; /* -1001 where no vendor is installed */
    snprintf(reason, size, "%s", found == 0 ? "no OpenCL driver is installed" : "no OpenCL platform has a device");
    for (unsigned p = 0; p < found && p < MOST_PLATFORMS; p++) {
        clsoftmax_status status = add_platform(platforms[p], p, devices, count);
        if (status != CLSOFTMAX_OK) {
            free(*devices);
            *devices = NULL;
            return status;
        }
    }
    return CLSOFTMAX_OK;
}
