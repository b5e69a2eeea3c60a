/* Which errors a call of the C library can plausibly end with, and what the command is to make of them. */
#ifndef CLSOFTMAX_FILE_ERRORS_H
#define CLSOFTMAX_FILE_ERRORS_H

#include "libc_layer.h"

/* The errors of the call, ended by 0. For SHORT and NOTHING one that stands for all: none for calls that move no bytes. */
const int *file_errors(libc_call call, libc_reach reach);

/* 1 if the command may end with `status`, 1 or 2, and a message, where the fault has struck first in a call of `call`. */
int file_status_is_right(const libc_fault *fault, libc_call call, int status, const char *text);

/* 1 if the command may end with 0, and the right bytes. */
int file_may_be_ignored(const libc_fault *fault, libc_call call);

/* 1 if the message tells why. */
int file_text_names(const char *text, const libc_fault *fault, libc_call call);

#endif
