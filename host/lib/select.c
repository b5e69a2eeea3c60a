/*
 * Chooses devices: opens what a selector names, makes the choice of "auto", and lists all devices. Used by api.c, and
 * by programs through clsoftmax_devices_list.
 */
#include "select.h"

#include "opencl/opencl_backend.h"
#include "process.h"
#include "status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---------------------------------------------------------------- The first of some types */

/* The types of OpenCL devices, the fastest first. "auto" takes the first type alone; "opencl" takes any. */
static const clsoftmax_device_type preference[] = {CLSOFTMAX_DEVICE_GPU, CLSOFTMAX_DEVICE_ACCELERATOR,
                                                   CLSOFTMAX_DEVICE_OPENCL_CPU};
enum { AUTO_TYPES = 1, ALL_TYPES = sizeof preference / sizeof *preference };

/* Opens the first device of the first `types` types that keeps the numeric promise, and returns its index. Returns
   `count` if there is none; `reason` then tells why the last candidate was refused, and is "" if there was no
   candidate. A device of another type is not opened: that alone may take long, or end the process. */
static size_t open_first(const cls_opencl_device *devices, size_t count, size_t types, clsoftmax_context *context,
                         char *reason, size_t size)
{
    *reason = '\0';
    for (size_t p = 0; p < types; p++) {
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

/* Opens the first GPU that keeps the promise, or "cpu": with a notice where there is no driver, or a GPU that cannot be
   used. */
static clsoftmax_status select_automatic(clsoftmax_context *context)
{
    cls_opencl_device *devices;
    size_t count;
    cls_opencl_absence absence;
    char reason[400];
    CLS_FORWARD(cls_opencl_devices(&devices, &count, &absence));
    size_t chosen = open_first(devices, count, AUTO_TYPES, context, reason, sizeof reason);
    free(devices);
    if (chosen == count) {
        CLS_FORWARD(cls_cpu_open(context));
        const char *why = count == 0 ? absence.reason : reason;
        if (*why)
            snprintf(context->notice, sizeof context->notice, "computing on device \"cpu\": %s", why);
    }
    context->device.automatic = 1;
    return CLSOFTMAX_OK;
}

/* ---------------------------------------------------------------- By name */

/* Names of types of devices, as selectors. */
static const struct {
    const char *name;
    clsoftmax_device_type type;
} type_names[] = {{"gpu", CLSOFTMAX_DEVICE_GPU},
                  {"accelerator", CLSOFTMAX_DEVICE_ACCELERATOR},
                  {"opencl-cpu", CLSOFTMAX_DEVICE_OPENCL_CPU}};

/* Returns 1 if the selector means the device: by "P:D", by its type, or by a part of its name. */
static int is_named(const clsoftmax_device *device, const char *selector)
{
    unsigned platform, number;
    char rest;
    if (sscanf(selector, "%u:%u%c", &platform, &number, &rest) == 2)
        return strcmp(device->selector, selector) == 0;
    for (size_t i = 0; i < sizeof type_names / sizeof *type_names; i++)
        if (strcasecmp(selector, type_names[i].name) == 0)
            return device->type == type_names[i].type;
    return strcasestr(device->name, selector) != NULL;
}

/* Fails since no device is so named, and says which there are. */
static clsoftmax_status fail_unnamed(const char *selector, const cls_opencl_device *devices, size_t count,
                                     const cls_opencl_absence *absence)
{
    char there[600] = "";
    size_t length = 0;
    for (size_t i = 0; i < count && length < sizeof there - 120; i++)
        length += (size_t)snprintf(there + length, sizeof there - length, "%s (%.80s), ", devices[i].device.selector,
                                   devices[i].device.name);
    return cls_fail_opencl(CLSOFTMAX_DEVICE_NOT_FOUND, absence->error,
                           "device \"%s\": no OpenCL device is so named; there are %s\"cpu\" and \"reference\"%s%s",
                           selector, there, absence->error ? "; " : "", absence->error ? absence->reason : "");
}

/* Opens the first usable OpenCL device of any type. */
static clsoftmax_status select_any(const cls_opencl_device *devices, size_t count, clsoftmax_context *context)
{
    char reason[400];
    if (open_first(devices, count, ALL_TYPES, context, reason, sizeof reason) < count)
        return CLSOFTMAX_OK;
    return cls_fail(CLSOFTMAX_DEVICE_UNUSABLE, "device \"opencl\": no OpenCL device is usable; the last said: %s",
                    reason);
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
    int is_any = strcasecmp(selector, "opencl") == 0;
    while (i < count && !is_any && !is_named(&devices[i].device, selector))
        i++;
    if (i < count)
        status = is_any ? select_any(devices, count, context) : cls_opencl_open(context, &devices[i], NULL);
    else if (count == 0 && cls_opencl_load() == CLSOFTMAX_FORKED)
        status = CLSOFTMAX_FORKED;
    else if (count == 0)
        status = cls_fail_opencl(CLSOFTMAX_DEVICE_NOT_FOUND, absence.error,
                                 "device \"%s\": %s. Install a driver (a package *-opencl-icd, which puts a file into "
                                 "/etc/OpenCL/vendors); clinfo shows what is there",
                                 selector, absence.reason);
    else
        status = fail_unnamed(selector, devices, count, &absence);
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
    clsoftmax_context context = {.process = cls_process()};
    char reason[400];
    size_t best = open_first(devices, count, AUTO_TYPES, &context, reason, sizeof reason);
    if (best < count)
        context.backend->context_release(&context);
    for (size_t i = 0; i < count; i++) {
        clsoftmax_device *device = &devices[i].device;
        if (i == best) {
            device->automatic = 1;
            snprintf(device->reason, sizeof device->reason, "the first usable GPU");
        } else if (device->usable) {
            clsoftmax_context trial = {.process = cls_process()};
            if (cls_opencl_open(&trial, &devices[i], NULL) == CLSOFTMAX_OK) {
                trial.backend->context_release(&trial);
                if (device->exact)
                    snprintf(device->reason, sizeof device->reason, "%s",
                             device->type == CLSOFTMAX_DEVICE_GPU ? "\"auto\" finds one before it"
                                                                  : "by name alone; \"auto\" takes GPUs and cpu");
            } else {
                device->usable = 0;
                cls_last_reason(device->reason, sizeof device->reason);
            }
        }
    }
    cpu->automatic = best == count;
    snprintf(cpu->reason, sizeof cpu->reason, "%.250s",
             best < count ? "needs no OpenCL; what \"auto\" takes where there is no usable GPU"
             : *reason    ? reason
                          : "there is no GPU");
}

clsoftmax_status clsoftmax_devices_list(clsoftmax_device **list, size_t *count)
{
    CLS_FAIL_IF(!list || !count, CLSOFTMAX_INVALID_ARGUMENT, "list or count is NULL");
    cls_opencl_device *devices;
    size_t found;
    cls_opencl_absence absence;
    CLS_FORWARD(cls_opencl_devices(&devices, &found, &absence));
    clsoftmax_context cpu = {.process = cls_process()}, reference = {.process = cls_process()};
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
