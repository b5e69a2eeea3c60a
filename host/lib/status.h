/*
 * Errors inside the library: a status is returned upwards, and the reason is kept for the thread, where
 * clsoftmax_last_error finds it. Used by every file of the library that can fail.
 */
#ifndef CLSOFTMAX_STATUS_H
#define CLSOFTMAX_STATUS_H

#include "clsoftmax/clsoftmax.h"

/* Sets this thread's last error to the message and the OpenCL error code, and returns `status`, for `return
   cls_fail_opencl(...)`. */
clsoftmax_status cls_fail_opencl(clsoftmax_status status, int opencl_error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Fails like cls_fail_opencl, without an OpenCL error. */
#define cls_fail(status, ...) cls_fail_opencl((status), 0, __VA_ARGS__)

/* Copies the first line of this thread's last error, for a message that quotes it. */
void cls_last_reason(char *reason, size_t size);

/* Fails in the calling function if the condition holds. */
#define CLS_FAIL_IF(condition, status, ...)                                                                            \
    do {                                                                                                               \
        if (condition)                                                                                                 \
            return cls_fail((status), __VA_ARGS__);                                                                    \
    } while (0)

/* Returns from the calling function if the call fails, with its status. */
#define CLS_FORWARD(call)                                                                                              \
    do {                                                                                                               \
        clsoftmax_status forwarded_ = (call);                                                                          \
        if (forwarded_ != CLSOFTMAX_OK)                                                                                \
            return forwarded_;                                                                                         \
    } while (0)

#endif
