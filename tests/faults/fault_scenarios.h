/* What faults are put into: a context, a plan and a call, of different kinds. */
#ifndef CLSOFTMAX_FAULT_SCENARIOS_H
#define CLSOFTMAX_FAULT_SCENARIOS_H

#include "clsoftmax/clsoftmax_cl.h"

typedef struct scenario {
    const char *name;
    const char *host_memory; /* "share" or "copy", whatever the device; "": as it is */
    const char *selector;    /* NULL: the caller's own OpenCL context, queue and buffers */
    clsoftmax_strategy strategy;
    uint64_t rows;
    uint64_t classes;
    uint64_t tile_outer;
    int has_row_arrays; /* statistics with labels, temperatures of the rows */
    int is_strided;
    int lists_devices; /* before the context is opened */
} scenario;

extern const scenario scenarios[];
extern const size_t scenario_count;

enum { SCENARIO_ROWS = 5, SCENARIO_MOST_ELEMENTS = 16384 };

typedef struct answer {
    float results[SCENARIO_MOST_ELEMENTS];
    clsoftmax_statistics statistics[SCENARIO_ROWS];
    uint64_t invalid_rows;
} answer;

/* One go through a scenario. */
typedef struct attempt {
    const scenario *scenario;
    clsoftmax_context *context;
    clsoftmax_plan *plan;
    answer answer;
    int failed_in_queue; /* the caller's own event says so, not the library */
} attempt;

/* The caller's objects, made before anything can fail; 0 if there is no device. */
int scenario_prepare(void);

/* What "cpu" answers. */
void scenario_expect(const scenario *scenario, answer *expected);

/* The steps, in their order. After one has failed it may be tried again. */
typedef clsoftmax_status scenario_step(attempt *attempt);
extern scenario_step *const scenario_steps[];
enum { SCENARIO_STEPS = 3 };

/* NULL for what is not there. */
void scenario_release(attempt *attempt);

/* Counts the references to the caller's context, queue, buffers and events, once they do not change any more: the driver gives back what a
   command has held some time after its event is complete. */
void scenario_count_references(void);

/* 1 if those are as they were counted, within so many milliseconds. */
int scenario_references_return(int milliseconds);

/* Retains one of the caller's objects and forgets it: a fault to be seen. */
void scenario_hold_caller(void);

#endif
