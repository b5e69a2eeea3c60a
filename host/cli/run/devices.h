/* The devices of a command, each of which computes for one thread at a time. Used by run, sweep, plot and explore. */
#ifndef CLSOFTMAX_DEVICES_H
#define CLSOFTMAX_DEVICES_H

#include "clsoftmax/clsoftmax.h"

#include <pthread.h>
#include <stddef.h>

/* A plan, or NULL, and its problem. */
typedef struct device_plan {
    clsoftmax_plan *plan;
    clsoftmax_problem problem;
} device_plan;

/* Work that takes turns on a device, such as the components of a job, has places of its own for plans. */
enum { DEVICE_PLANS = 2 };

typedef struct device {
    clsoftmax_context *context;
    pthread_mutex_t lock;            /* of all that follows */
    device_plan plans[DEVICE_PLANS]; /* of the last problem at each place */
    int has_failed;
    int is_reported; /* the failure has been told */
} device;

typedef struct devices {
    device *of;
    size_t count;
} devices;

/* Opens what a list names: selectors separated by commas; "all" for every device that keeps the numeric promise, cpu
   included; NULL for auto. Of several devices all must keep the promise, since otherwise the bits would depend on who
   computed which row. EXIT_DONE, or another status after a complaint, with nothing open. */
int devices_open(const char *list, devices *devices);
void devices_close(devices *devices);

/* Complains, and returns EXIT_WRONG, if one of the devices does not keep the numeric promise. */
int devices_check_exact(const devices *devices);

/* Runs a problem once the device is free. Its plan stays at a place, from 0 to DEVICE_PLANS - 1, for the next problem
   that is the same. A device that fails stays failed. */
clsoftmax_status device_run(device *device, unsigned place, const clsoftmax_problem *problem,
                            const clsoftmax_arguments *arguments);

/* Returns 1 for the first caller alone: a failure is told once, though several threads see it. */
int device_report_once(device *device);

/* Returns the first device that has not failed, or NULL. */
device *devices_alive(devices *devices);

/* Returns what names the device, as "0:1" or "cpu". */
const char *device_selector(const device *device);

#endif
