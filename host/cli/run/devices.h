/* The devices of a command, each of which computes for one thread at a time. */
#ifndef CLSOFTMAX_DEVICES_H
#define CLSOFTMAX_DEVICES_H

#include "clsoftmax/clsoftmax.h"

#include <pthread.h>

typedef struct device {
    clsoftmax_context *context;
    pthread_mutex_t lock; /* of all that follows */
    clsoftmax_plan *plan; /* of the last problem, or NULL */
    clsoftmax_problem problem;
    int has_failed;
    int is_reported; /* the failure was */
    uint64_t rows;   /* computed so far */
} device;

typedef struct devices {
    device *of;
    size_t count;
} devices;

/* Opens what a list names: selectors separated by commas; "all": every device that keeps the promise, "cpu" too; NULL: auto. Of
   several, all must keep it: otherwise the bits would depend on who computed which row. EXIT_DONE, or another status after a complaint. */
int devices_open(const char *list, devices *devices);
void devices_close(devices *devices);

/* A complaint, and EXIT_WRONG, if one of them does not keep the promise. */
int devices_check_exact(const devices *devices);

/* Runs a problem when the device is free. After a failure of the device itself it stays failed. */
clsoftmax_status device_run(device *device, const clsoftmax_problem *problem, const clsoftmax_arguments *arguments);

/* 1 for the first caller: the failure is to be told once, though several threads see it. */
int device_report_once(device *device);

/* The first that has not failed, or NULL. */
device *devices_alive(devices *devices);

/* What the device is called. */
const char *device_selector(const device *device);

#endif
