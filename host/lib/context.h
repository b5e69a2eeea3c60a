/*
 * What a context and a plan are inside, and the four functions that each kind of device provides. For api.c, which
 * calls these functions, and for the backends: cpu/cpu_backend.c, opencl/opencl_backend.c, reference.c.
 */
#ifndef CLSOFTMAX_CONTEXT_H
#define CLSOFTMAX_CONTEXT_H

#include "clsoftmax/clsoftmax.h"
#include "plan/plan.h"
#include "problem.h"

#include <sys/types.h>

/* The functions of a kind of device. The first two are called only for a checked problem with at least one row. */
typedef struct cls_backend {
    clsoftmax_status (*plan_prepare)(clsoftmax_plan *plan); /* the decision is made; sets plan->state */
    /* Runs the plan on checked arguments. *invalid_rows is 0 before, and becomes the number of rows with an invalid
       temperature. */
    clsoftmax_status (*plan_run)(clsoftmax_plan *plan, const clsoftmax_arguments *arguments, uint64_t *invalid_rows);
    void (*plan_release)(clsoftmax_plan *plan);          /* plan->state may be NULL */
    void (*context_release)(clsoftmax_context *context); /* context->state may be NULL */
} cls_backend;

struct clsoftmax_context {
    const cls_backend *backend;
    void *state; /* belongs to the backend */
    clsoftmax_device device;
    cls_limits limits;
    pid_t process; /* which made it: threads and device handles do not survive fork() */
    char notice[512];
};

struct clsoftmax_plan {
    clsoftmax_context *context;
    void *state;               /* belongs to the backend */
    clsoftmax_problem problem; /* checked: see problem.h */
    cls_decision decision;
    char description[640];
};

/* Open the device into a context in which everything is zero but `process`. */
clsoftmax_status cls_cpu_open(clsoftmax_context *context);
clsoftmax_status cls_reference_open(clsoftmax_context *context);

#endif
