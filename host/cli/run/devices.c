/* The devices of a command: see devices.h. */
#include "run/devices.h"

#include "support/library.h"
#include "support/lists.h"
#include "support/messages.h"

#include <stdlib.h>
#include <string.h>

static int add_device(const char *selector, void *devices_)
{
    devices *devices = devices_;
    device *grown = realloc(devices->of, (devices->count + 1) * sizeof *grown);
    COMPLAIN_IF(!grown, EXIT_FAILED, "--device: no memory for one more");
    devices->of = grown;
    device *added = &grown[devices->count];
    memset(added, 0, sizeof *added);
    FORWARD(open_context(selector, &added->context));
    pthread_mutex_init(&added->lock, NULL);
    devices->count++;
    return EXIT_DONE;
}

static int add_found(const clsoftmax_device *found, size_t count, devices *devices)
{
    for (size_t i = 0; i < count; i++)
        if (found[i].usable && found[i].exact && found[i].type != CLSOFTMAX_DEVICE_REFERENCE)
            FORWARD(add_device(found[i].selector, devices));
    return EXIT_DONE;
}

static int add_all(devices *devices)
{
    clsoftmax_device *found;
    size_t count;
    clsoftmax_status listed = clsoftmax_devices_list(&found, &count);
    if (listed != CLSOFTMAX_OK)
        return complain_library("--device all", listed);
    int status = add_found(found, count, devices);
    clsoftmax_devices_release(found);
    return status;
}

int devices_check_exact(const devices *devices)
{
    for (size_t i = 0; i < devices->count; i++)
        COMPLAIN_IF(!clsoftmax_context_device(devices->of[i].context)->exact, EXIT_WRONG,
                    "--device %s: its bits are its own, so that it cannot share rows with others",
                    device_selector(&devices->of[i]));
    return EXIT_DONE;
}

static int open_list(const char *list, devices *devices)
{
    if (list && strcmp(list, "all") == 0)
        FORWARD(add_all(devices));
    else if (list && strchr(list, ','))
        FORWARD(for_each_item("--device", list, add_device, devices));
    else
        FORWARD(add_device(list, devices));
    return devices->count > 1 ? devices_check_exact(devices) : EXIT_DONE;
}

int devices_open(const char *list, devices *devices)
{
    memset(devices, 0, sizeof *devices);
    int status = open_list(list, devices);
    if (status != EXIT_DONE)
        devices_close(devices);
    return status;
}

void devices_close(devices *devices)
{
    for (size_t i = 0; i < devices->count; i++) {
        for (unsigned p = 0; p < DEVICE_PLANS; p++)
            clsoftmax_plan_release(devices->of[i].plans[p].plan);
        clsoftmax_context_release(devices->of[i].context);
        pthread_mutex_destroy(&devices->of[i].lock);
    }
    free(devices->of);
    memset(devices, 0, sizeof *devices);
}

/* Makes a plan unless the last one serves: all slabs but a few have one shape. */
static clsoftmax_status plan_for(clsoftmax_context *context, const clsoftmax_problem *problem, device_plan *at)
{
    if (at->plan && memcmp(&at->problem, problem, sizeof *problem) == 0)
        return CLSOFTMAX_OK;
    clsoftmax_plan_release(at->plan);
    at->plan = NULL;
    at->problem = *problem;
    return clsoftmax_plan_create(context, problem, &at->plan);
}

clsoftmax_status device_run(device *device, unsigned place, const clsoftmax_problem *problem,
                            const clsoftmax_arguments *arguments)
{
    device_plan *at = &device->plans[place];
    pthread_mutex_lock(&device->lock);
    clsoftmax_status status = plan_for(device->context, problem, at);
    if (status == CLSOFTMAX_OK)
        status = clsoftmax_plan_run(at->plan, arguments);
    if (status != CLSOFTMAX_OK && !is_request_wrong(status))
        device->has_failed = 1;
    pthread_mutex_unlock(&device->lock);
    return status;
}

int device_report_once(device *device)
{
    pthread_mutex_lock(&device->lock);
    int is_first = !device->is_reported;
    device->is_reported = 1;
    pthread_mutex_unlock(&device->lock);
    return is_first;
}

device *devices_alive(devices *devices)
{
    for (size_t i = 0; i < devices->count; i++) {
        device *device = &devices->of[i];
        pthread_mutex_lock(&device->lock);
        int is_alive = !device->has_failed;
        pthread_mutex_unlock(&device->lock);
        if (is_alive)
            return device;
    }
    return NULL;
}

const char *device_selector(const device *device)
{
    return clsoftmax_context_device(device->context)->selector;
}
