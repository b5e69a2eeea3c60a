#include "run/devices.h"

#include "support/library.h"
#include "support/messages.h"

#include <stdlib.h>
#include <string.h>

static int add_device(devices *devices, const char *selector)
{
    device *grown = realloc(devices->of, (devices->count + 1) * sizeof *grown);
    if (!grown)
        return complain(EXIT_FAILED, "--device: no memory for one more");
    devices->of = grown;
    device *added = &grown[devices->count];
    memset(added, 0, sizeof *added);
    int status = open_context(selector, &added->context);
    if (status != EXIT_DONE)
        return status;
    pthread_mutex_init(&added->lock, NULL);
    devices->count++;
    return EXIT_DONE;
}

static int add_all(devices *devices)
{
    clsoftmax_device *found;
    size_t count;
    clsoftmax_status listed = clsoftmax_devices_list(&found, &count);
    if (listed != CLSOFTMAX_OK)
        return complain_library("--device all", listed);
    int status = EXIT_DONE;
    for (size_t i = 0; i < count && status == EXIT_DONE; i++)
        if (found[i].usable && found[i].exact && found[i].type != CLSOFTMAX_DEVICE_REFERENCE)
            status = add_device(devices, found[i].selector);
    clsoftmax_devices_release(found);
    return status;
}

static int add_listed(devices *devices, const char *list)
{
    char *copy = strdup(list), *rest = copy, *selector;
    int status = copy ? EXIT_DONE : complain(EXIT_FAILED, "--device %s: no memory for the list", list);
    while (status == EXIT_DONE && (selector = strsep(&rest, ",")))
        status = *selector ? add_device(devices, selector)
                           : complain(EXIT_WRONG, "--device %s: a name between commas is empty", list);
    free(copy);
    return status;
}

int devices_check_exact(const devices *devices)
{
    for (size_t i = 0; i < devices->count; i++)
        if (!clsoftmax_context_device(devices->of[i].context)->exact)
            return complain(EXIT_WRONG, "--device %s: its bits are its own, so that it cannot share rows with others",
                            device_selector(&devices->of[i]));
    return EXIT_DONE;
}

int devices_open(const char *list, devices *devices)
{
    memset(devices, 0, sizeof *devices);
    int status = !list                      ? add_device(devices, NULL)
                 : strcmp(list, "all") == 0 ? add_all(devices)
                 : strchr(list, ',')        ? add_listed(devices, list)
                                            : add_device(devices, list);
    if (status == EXIT_DONE && devices->count > 1)
        status = devices_check_exact(devices);
    if (status != EXIT_DONE)
        devices_close(devices);
    return status;
}

void devices_close(devices *devices)
{
    for (size_t i = 0; i < devices->count; i++) {
        clsoftmax_plan_release(devices->of[i].plan);
        clsoftmax_context_release(devices->of[i].context);
        pthread_mutex_destroy(&devices->of[i].lock);
    }
    free(devices->of);
    memset(devices, 0, sizeof *devices);
}

/* Tiles are of one shape but for the last, so that one plan serves nearly all. */
static clsoftmax_status plan_for(device *device, const clsoftmax_problem *problem)
{
    if (device->plan && memcmp(&device->problem, problem, sizeof *problem) == 0)
        return CLSOFTMAX_OK;
    clsoftmax_plan_release(device->plan);
    device->plan = NULL;
    device->problem = *problem;
    return clsoftmax_plan_create(device->context, problem, &device->plan);
}

clsoftmax_status device_run(device *device, const clsoftmax_problem *problem, const clsoftmax_arguments *arguments)
{
    pthread_mutex_lock(&device->lock);
    clsoftmax_status status = plan_for(device, problem);
    if (status == CLSOFTMAX_OK)
        status = clsoftmax_plan_run(device->plan, arguments);
    if (status >= CLSOFTMAX_OUT_OF_HOST_MEMORY)
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
