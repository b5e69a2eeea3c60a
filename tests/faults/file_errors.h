/* The errors with which calls of the C library can plausibly end, and what the command may make of them, for
   file_faults. */
#ifndef CLSOFTMAX_FILE_ERRORS_H
#define CLSOFTMAX_FILE_ERRORS_H

#include "libc_layer.h"

/* Returns the errors of the call, ended by 0. For SHORT and NOTHING it returns a single one for calls that move bytes,
   and none for others. */
const int *file_errors(libc_call call, libc_reach reach);

/* Returns 1 if the command may end with `status`, 1 or 2, and this message after a fault that struck first in a call of
   `call`. */
int file_status_is_right(const libc_fault *fault, libc_call call, int status, const char *text);

/* Returns 1 if the command may end with 0, and the right bytes. */
int file_may_be_ignored(const libc_fault *fault, libc_call call);

/* Returns 1 if the message tells why the command failed. */
int file_text_names(const char *text, const libc_fault *fault, libc_call call);

#endif
