/*
 * Chooses devices: opens what a selector names, makes the choice of "auto", and lists all devices. Used by api.c, and
 * by programs through clsoftmax_devices_list.
 */
#include "select.h"

#include "opencl/opencl_backend.h"
#include "status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* ---------------------------------------------------------------- auto */

/* The types of OpenCL devices, in the order in which "auto" prefers them. */
static const clsoftmax_device_type preference[] = {CLSOFTMAX_DEVICE_GPU, CLSOFTMAX_DEVICE_ACCELERATOR,
                                                   CLSOFTMAX_DEVICE_OPENCL_CPU};

/* Opens the first device that "auto" may take, and returns its index. Returns `count` if there is none; `reason` then
   tells why the last candidate was refused. */
static size_t open_best(const cls_opencl_device *devices, size_t count, clsoftmax_context *context, char *reason,
                        size_t size)
{
    for (size_t p = 0; p < sizeof preference / sizeof *preference; p++) {
        for (size_t i = 0; i < count; i++) {
            const clsoftmax_device *device = &devices[i].device;
            if (device->type != preference[p])
                continue;
            if (!device->exact)
                snprintf(reason, size, "%s: %.200s", device->name, device->reason);
            else if (cls_opencl_open(context, &devices[i], NULL) == CLSOFTMAX_OK)
                return i;
            else
                cls_last_reason(reason, size);
        }
    }
    return count;
}

/* Opens the best OpenCL device, or "cpu" with a notice that tells why. */
static clsoftmax_status select_automatic(clsoftmax_context *context)
{
    cls_opencl_device *devices;
    size_t count;
    cls_opencl_absence absence;
    char reason[400] = "";
    CLS_FORWARD(cls_opencl_devices(&devices, &count, &absence));
    size_t chosen = open_best(devices, count, context, reason, sizeof reason);
    free(devices);
    if (chosen == count) {
        CLS_FORWARD(cls_cpu_open(context));
        snprintf(context->notice, sizeof context->notice, "computing on device \"cpu\": %s",
                 count == 0 ? absence.reason : reason);
    }
    context->device.automatic = 1;
    return CLSOFTMAX_OK;
}

/* ---------------------------------------------------------------- By name */

/* Returns 1 if the selector means the device: by "P:D", by "gpu", or by a part of its name. */
static int is_named(const clsoftmax_device *device, const char *selector)
{
    unsigned platform, number;
    char rest;
    if (sscanf(selector, "%u:%u%c", &platform, &number, &rest) == 2)
        return strcmp(device->selector, selector) == 0;
    if (strcasecmp(selector, "gpu") == 0)
        return device->type == CLSOFTMAX_DEVICE_GPU;
    return strcasestr(device->name, selector) != NULL;
}

/* Opens the first OpenCL device that the selector names. An error tells whether there are no devices at all. */
static clsoftmax_status select_named(const char *selector, clsoftmax_context *context)
{
    cls_opencl_device *devices;
    size_t count;
    cls_opencl_absence absence;
    CLS_FORWARD(cls_opencl_devices(&devices, &count, &absence));
    clsoftmax_status status;
    size_t i = 0;
    while (i < count && !is_named(&devices[i].device, selector))
        i++;
    if (i < count)
        status = cls_opencl_open(context, &devices[i], NULL);
    else if (count == 0 && cls_opencl_load() == CLSOFTMAX_FORKED)
        status = CLSOFTMAX_FORKED;
    else if (count == 0)
        status = cls_fail_opencl(CLSOFTMAX_DEVICE_NOT_FOUND, absence.error,
                                 "device \"%s\": %s. Install a driver (a package *-opencl-icd, which puts a file into "
                                 "/etc/OpenCL/vendors); clinfo shows what is there",
                                 selector, absence.reason);
    else
        status = cls_fail_opencl(
            CLSOFTMAX_DEVICE_NOT_FOUND, absence.error,
            "device \"%s\": none of the %zu OpenCL devices is so named; there are also \"auto\", \"cpu\" and "
            "\"reference\"%s%s",
            selector, count, absence.error ? "; " : "", absence.error ? absence.reason : "");
    free(devices);
    return status;
}

clsoftmax_status cls_select(const char *selector, clsoftmax_context *context)
{
    if (!selector || !*selector || strcmp(selector, "auto") == 0)
        selector = getenv("CLSOFTMAX_DEVICE");
    if (!selector || !*selector || strcmp(selector, "auto") == 0)
        return select_automatic(context);
    if (strcmp(selector, "cpu") == 0)
        return cls_cpu_open(context);
    if (strcmp(selector, "reference") == 0)
        return cls_reference_open(context);
    return select_named(selector, context);
}

/* ---------------------------------------------------------------- List */

/* Opens and closes each OpenCL device, since nothing else tells whether it works. Writes for each, and for `cpu`,
   whether "auto" takes it, and why. */
static void judge(cls_opencl_device *devices, size_t count, clsoftmax_device *cpu)
{
    clsoftmax_context context = {.process = getpid()};
    char reason[400] = "no OpenCL device";
    size_t best = open_best(devices, count, &context, reason, sizeof reason);
    if (best < count)
        context.backend->context_release(&context);
    for (size_t i = 0; i < count; i++) {
        clsoftmax_device *device = &devices[i].device;
        if (i == best) {
            device->automatic = 1;
            snprintf(device->reason, sizeof device->reason, "the first usable of GPU, accelerator, OpenCL CPU, cpu");
        } else if (device->usable) {
            clsoftmax_context trial = {.process = getpid()};
            if (cls_opencl_open(&trial, &devices[i], NULL) == CLSOFTMAX_OK) {
                trial.backend->context_release(&trial);
                if (device->exact)
                    snprintf(device->reason, sizeof device->reason, "\"auto\" finds one before it");
            } else {
                device->usable = 0;
                cls_last_reason(device->reason, sizeof device->reason);
            }
        }
    }
    cpu->automatic = best == count;
    snprintf(cpu->reason, sizeof cpu->reason, "%.250s",
             best == count ? reason : "needs no OpenCL; what \"auto\" takes where there is no usable device");
}

clsoftmax_status clsoftmax_devices_list(clsoftmax_device **list, size_t *count)
{
    CLS_FAIL_IF(!list || !count, CLSOFTMAX_INVALID_ARGUMENT, "list or count is NULL");
    cls_opencl_device *devices;
    size_t found;
    cls_opencl_absence absence;
    CLS_FORWARD(cls_opencl_devices(&devices, &found, &absence));
    clsoftmax_context cpu = {.process = getpid()}, reference = {.process = getpid()};
    clsoftmax_status status = cls_cpu_open(&cpu);
    if (status == CLSOFTMAX_OK)
        status = cls_reference_open(&reference);
    clsoftmax_device *result = calloc(found + 2, sizeof *result);
    if (status == CLSOFTMAX_OK && !result)
        status = cls_fail(CLSOFTMAX_OUT_OF_HOST_MEMORY, "no memory for a list of %zu devices", found + 2);
    if (status == CLSOFTMAX_OK) {
        judge(devices, found, &cpu.device);
        if (found == 0)
            snprintf(cpu.device.reason, sizeof cpu.device.reason, "%s", absence.reason);
        for (size_t i = 0; i < found; i++)
            result[i] = devices[i].device;
        result[found] = cpu.device;
        result[found + 1] = reference.device;
    }
    cpu.backend->context_release(&cpu); /* also if it could not be opened */
    free(devices);
    if (status != CLSOFTMAX_OK) {
        free(result);
        return status;
    }
    *list = result;
    *count = found + 2;
    return CLSOFTMAX_OK;
}

void clsoftmax_devices_release(clsoftmax_device *devices)
{
    free(devices);
}
