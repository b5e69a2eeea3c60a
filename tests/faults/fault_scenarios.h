/* The scenarios of opencl_faults, into which faults are put: each opens a context, makes a plan and runs it once. */
#ifndef CLSOFTMAX_FAULT_SCENARIOS_H
#define CLSOFTMAX_FAULT_SCENARIOS_H

#include "array.h"
#include "clsoftmax/clsoftmax_cl.h"

typedef struct scenario {
    const char *name;
    const char *host_memory; /* "share" or "copy", whatever the device is; "": as the device is */
    const char *selector;    /* NULL: on the caller's own OpenCL context, with a queue and buffers */
    clsoftmax_strategy strategy;
    clsoftmax_operation operation;
    uint64_t rows;
    uint64_t classes;
    uint64_t tile_outer;
    int has_row_arrays; /* statistics with labels, and a temperature for each row */
    int is_strided;
    int lists_devices; /* lists the devices before it opens the context */
    clsoftmax_accuracy accuracy;
} scenario;

extern const scenario scenarios[];
extern const size_t scenario_count;

enum { SCENARIO_ROWS = 5, SCENARIO_MOST_BYTES = 1 << 16 };

/* The arrays of a call, one for each row of the library's table of arrays, so that one which is added is part of the
   scenarios: inputs, and what a call leaves in the others. */
typedef struct answer {
    _Alignas(64) unsigned char of[CLS_ARRAYS][SCENARIO_MOST_BYTES];
} answer;

/* One run through a scenario. */
typedef struct attempt {
    const scenario *scenario;
    clsoftmax_context *context;
    clsoftmax_plan *plan;
    answer answer;
    int failed_in_queue; /* the caller's own event has failed, not a call of the library */
} attempt;

/* Makes the caller's objects, before anything can fail. Returns 0 if there is no device. */
int scenario_prepare(void);

/* Lets cpu compute the right answer. */
void scenario_expect(const scenario *scenario, answer *expected);

/* The steps of a run, in order. A step that has failed may be tried again. */
typedef clsoftmax_status scenario_step(attempt *attempt);
extern scenario_step *const scenario_steps[];
enum { SCENARIO_STEPS = 3 };

/* Releases what the run has made. */
void scenario_release(attempt *attempt);

/* Counts the references to the caller's context, queue, buffers and events, once they stay the same: the driver
   releases what a command has retained some time after its event is complete. */
void scenario_count_references(void);

/* Returns 1 if the references are as they were counted, within so many milliseconds. */
int scenario_references_return(int milliseconds);

/* Retains one of the caller's objects and forgets it, which must be seen. */
void scenario_hold_caller(void);

#endif
