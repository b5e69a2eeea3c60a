/* What a context and a plan are inside, and what each kind of device must provide. */
#ifndef CLSOFTMAX_CONTEXT_H
#define CLSOFTMAX_CONTEXT_H

#include "clsoftmax/clsoftmax.h"
#include "plan/plan.h"
#include "problem.h"

#include <sys/types.h>

/* A kind of device. Each function sees a checked problem with at least one row. */
typedef struct cls_backend {
    clsoftmax_status (*plan_prepare)(clsoftmax_plan *plan); /* plan->decision is made; sets plan->state */
    /* checked arguments; *invalid_rows, zeroed, becomes the number of rows whose temperature is none */
    clsoftmax_status (*plan_run)(clsoftmax_plan *plan, const clsoftmax_arguments *arguments, uint64_t *invalid_rows);
    void (*plan_release)(clsoftmax_plan *plan);          /* state may be NULL */
    void (*context_release)(clsoftmax_context *context); /* state may be NULL */
} cls_backend;

struct clsoftmax_context {
    const cls_backend *backend;
    void *state; /* the backend's */
    clsoftmax_device device;
    cls_limits limits;
    pid_t process; /* that made it: threads and device handles do not survive fork() */
    char notice[512];
};

struct clsoftmax_plan {
    clsoftmax_context *context;
    void *state;               /* the backend's */
    clsoftmax_problem problem; /* checked: see problem.h */
    cls_decision decision;
    char description[640];
};

/* Each opens its device into a context that is zeroed but for `process`. */
clsoftmax_status cls_cpu_open(clsoftmax_context *context);
clsoftmax_status cls_reference_open(clsoftmax_context *context);

#endif
