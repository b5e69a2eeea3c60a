/* Which errors a call can plausibly end with, and what the library is to make of them. */
#ifndef CLSOFTMAX_FAULT_ERRORS_H
#define CLSOFTMAX_FAULT_ERRORS_H

#include "clsoftmax/clsoftmax.h"
#include "fault_layer.h"

/* The errors of the call, ended by CL_SUCCESS: what the specification lists, and one outside it. For FAULT_COMMAND, how a command can end
   in the queue: none for calls that put none there. */
const cl_int *fault_errors(fault_call call, fault_reach reach);

/* 1 if the header allows `status` where `fault` has struck, first in a call of `struck`. */
int fault_status_is_right(const fault *fault, fault_call struck, clsoftmax_status status);

/* 1 if the library may go on as if the call had not failed: what it releases is gone, and what it asks for is for people, or has an answer
   that is safe. */
int fault_may_be_ignored(fault_call call);

/* 1 if `error` is the fault's, or what it leads to. */
int fault_error_is_right(const fault *fault, cl_int error);

/* 1 if the text names the error, with its number, or says that the standard has none such. Also where the error is the ordinary answer of a
   machine without drivers or devices, and the text says so. */
int fault_text_names(const char *text, cl_int error);

/* How a nasty device is to end: OK, with a notice if it is outside the numeric promise; or a status. */
typedef struct fault_device_end {
    clsoftmax_status status;
    int has_notice;
    int may_work;   /* where the scenario does not come upon what is nasty */
    int is_lasting; /* its limits stay with the context: it stays as it is */
} fault_device_end;

extern const fault_device_end fault_device_ends[FAULT_DEVICE_COUNT];

#endif
