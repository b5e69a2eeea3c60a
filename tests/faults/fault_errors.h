/* The errors with which OpenCL calls can plausibly end, and what the library may make of them, for opencl_faults. */
#ifndef CLSOFTMAX_FAULT_ERRORS_H
#define CLSOFTMAX_FAULT_ERRORS_H

#include "clsoftmax/clsoftmax.h"
#include "fault_layer.h"

/* Returns the errors of the call, ended by CL_SUCCESS: those of the specification, and one outside it. For
   FAULT_COMMAND it returns how a command can end in the queue, and nothing for calls that enqueue no command. */
const cl_int *fault_errors(fault_call call, fault_reach reach);

/* Returns 1 if the public header allows `status` after a fault that struck first in a call of `struck`. */
int fault_status_is_right(const fault *fault, fault_call struck, clsoftmax_status status);

/* Returns 1 if the library may ignore that the call failed: a release whose object is gone, or a question whose answer
   is only for people, or has a safe default. */
int fault_may_be_ignored(fault_call call);

/* Returns 1 if `error` is the fault's, or one that it leads to. */
int fault_error_is_right(const fault *fault, cl_int error);

/* Returns 1 if the text gives the error's name and number, or says that it is outside the standard. Where the error is
   the usual answer of a machine without drivers or devices, it is enough that the text says so. */
int fault_text_names(const char *text, cl_int error);

/* How a run on a nasty device must end: with OK, and a notice if the device is outside the numeric promise; or with a
   status. */
typedef struct fault_device_end {
    clsoftmax_status status;
    int has_notice;
    int may_work;   /* not every scenario meets what is nasty */
    int is_lasting; /* the context keeps the device's limits, and stays unusable */
} fault_device_end;

extern const fault_device_end fault_device_ends[FAULT_DEVICE_COUNT];

#endif
