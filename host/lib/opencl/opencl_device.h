/* OpenCL devices: what there is, and whether it will do. */
#ifndef CLSOFTMAX_OPENCL_DEVICE_H
#define CLSOFTMAX_OPENCL_DEVICE_H

#include "../plan/plan.h"
#include "opencl_api.h"

typedef struct cls_opencl_device {
    cl_platform_id platform;
    cl_device_id id;
    clsoftmax_device device; /* usable and exact as far as the device's own word goes; nothing built yet */
    cls_limits limits;
    cl_int error; /* behind device.reason: a query failed whose answer is needed */
} cls_opencl_device;

/* Why there are no devices, or not all that there might be. */
typedef struct cls_opencl_absence {
    char reason[256];
    cl_int error; /* of the platform that could not list its devices, or of the loader; else CL_SUCCESS */
} cls_opencl_absence;

/* Describes a device; its selector is "opencl", as it is not found by one. */
void cls_opencl_device_describe(cl_platform_id platform, cl_device_id id, cls_opencl_device *device);

/* All devices of all platforms, to be freed. OK with *count = 0 where there is none. */
clsoftmax_status cls_opencl_devices(cls_opencl_device **devices, size_t *count, cls_opencl_absence *absence);

#endif
