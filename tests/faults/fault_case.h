/* A case of opencl_faults.c: a scenario with one fault in it, and what must hold during the calls and afterwards. */
#ifndef CLSOFTMAX_FAULT_CASE_H
#define CLSOFTMAX_FAULT_CASE_H

#include "fault_layer.h"
#include "fault_scenarios.h"
#include "libc_layer.h"

/* What can go wrong. Each kind is also a fault that the self-test plants, to show that it is seen. */
#define VIOLATION_LIST(X)                                                                                              \
    X(CRASH, "a signal ended the process")                                                                             \
    X(HANG, "no end")                                                                                                  \
    X(STATUS, "a status that the header does not allow")                                                               \
    X(MESSAGE, "an error text or code without OpenCL's error")                                                         \
    X(NOTICE, "\"auto\" fell back, or the device is inexact, without a notice")                                        \
    X(IGNORED, "no consequence of a failed call whose answer is needed")                                               \
    X(BITS, "a wrong or partial result reported as OK")                                                                \
    X(RECOVERY, "not usable once the fault is gone")                                                                   \
    X(LEAK, "objects created and not released")                                                                        \
    X(CALLER, "the caller's objects held or released")                                                                 \
    X(UNREACHED, "a function of the library that no scenario calls")

typedef enum violation {
#define VIOLATION_ENUM(name, text) VIOLATION_##name,
    VIOLATION_LIST(VIOLATION_ENUM)
#undef VIOLATION_ENUM
        VIOLATION_COUNT
} violation;

/* The kind of violation that is planted into the cases; VIOLATION_COUNT: none. */
extern violation fault_planted;

/* How cases ended, and which functions they called. */
typedef struct fault_tally {
    unsigned long failed; /* and recovered */
    unsigned long tolerated;
    unsigned long fallen_back; /* to cpu */
    int is_reached[FAULT_CALL_COUNT];
} fault_tally;

/* Marks the functions that were called since fault_arm as reached. */
void fault_note_reached(fault_tally *tally);

/* Runs the scenario with a fault or with an allocation that fails; the other one has `at` 0. `expected` is the right
   answer. Reports violations to injection_report. */
void fault_case_run(const scenario *scenario, const fault *fault, const libc_fault *allocation, const answer *expected,
                    fault_tally *tally);

#endif
