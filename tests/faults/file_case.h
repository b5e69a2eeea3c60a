/* A case of file_faults.c: a command with one fault in it, and what it must leave. */
#ifndef CLSOFTMAX_FILE_CASE_H
#define CLSOFTMAX_FILE_CASE_H

#include "file_scenarios.h"
#include "libc_layer.h"

/* What can go wrong. Each kind is also planted by the self-test, as what a ruined command does (LIBC_PLANT_LIST). */
#define VIOLATION_LIST(X)                                                                                              \
    X(CRASH, "a signal ended the command")                                                                             \
    X(HANG, "no end")                                                                                                  \
    X(STATUS, "an exit status other than the documented one")                                                          \
    X(MESSAGE, "not one line that says why")                                                                           \
    X(IGNORED, "no consequence of a failed call on which the result hangs")                                            \
    X(BITS, "exit status 0, but not the right bytes")                                                                  \
    X(OLDER, "under the final name neither the older file nor the right one")                                          \
    X(LEFT, "a temporary file left, or in the way of the next run")                                                    \
    X(LEAK, "memory or descriptors not given back at the end")                                                         \
    X(CHILD, "a process of its own that it has not waited for")                                                        \
    X(UNREACHED, "a function that no scenario calls")

typedef enum violation {
#define VIOLATION_ENUM(name, text) VIOLATION_##name,
    VIOLATION_LIST(VIOLATION_ENUM)
#undef VIOLATION_ENUM
        VIOLATION_COUNT
} violation;

/* What the ruinable command does at its end; LIBC_PLANT_NONE: nothing wrong. */
extern libc_plant file_planted;

/* How commands ended, by their exit status, and which functions they called. */
typedef struct file_tally {
    unsigned long ended[3];
    int is_reached[LIBC_CALL_COUNT];
} file_tally;

extern file_tally file_tally_now;

/* Makes the board that is shared with the ruinable command, and takes the paths of the two commands: as it is, and over
   libc_layer.c. Returns 0 if there is no room in /tmp. */
int file_case_begin(const char *command, const char *ruinable);
void file_case_end(void);

/* Runs the scenario without a fault: the command as it is, whose outcome is the right one for file_case_run, and the
   ruinable one, whose calls are counted and whose outcome is checked. Returns 0 if the command as it is needs an OpenCL
   device that is not there. */
int file_case_expect(const file_scenario *scenario);

/* The calls of the scenario, from 1 on, as file_case_expect has counted them. */
unsigned long file_case_calls(void);
libc_call file_case_call_at(unsigned long n);

/* Runs the scenario with the fault, and reports violations to injection_report. */
void file_case_run(const file_scenario *scenario, const libc_fault *fault);

#endif
