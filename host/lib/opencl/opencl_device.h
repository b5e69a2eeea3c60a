/* The OpenCL devices of a machine, and what each says about itself: for select.c and for the files of this folder. */
#ifndef CLSOFTMAX_OPENCL_DEVICE_H
#define CLSOFTMAX_OPENCL_DEVICE_H

#include "../plan/plan.h"
#include "opencl_api.h"

/* A device that was found. */
typedef struct cls_opencl_device {
    cl_platform_id platform;
    cl_device_id id;
    clsoftmax_device device; /* usable and exact by its own account; nothing has been built */
    cls_limits limits;
    cl_int error; /* behind device.reason, if a query failed whose answer is needed */
} cls_opencl_device;

/* Why there are no devices, or not as many as there might be. */
typedef struct cls_opencl_absence {
    char reason[256];
    cl_int error; /* of the platform that could not list its devices, or of the loader; or CL_SUCCESS */
} cls_opencl_absence;

/* Describes a device. Its selector is "opencl", since it was not found by one. */
void cls_opencl_device_describe(cl_platform_id platform, cl_device_id id, cls_opencl_device *device);

/* Lists the devices of all platforms. The caller frees the list. OK with *count = 0, and the reason in *absence, if
   there are none. */
clsoftmax_status cls_opencl_devices(cls_opencl_device **devices, size_t *count, cls_opencl_absence *absence);

#endif
