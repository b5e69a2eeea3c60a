/* Errors inside the library: a status goes up, its story stays in the thread. */
#ifndef CLSOFTMAX_STATUS_H
#define CLSOFTMAX_STATUS_H

#include "clsoftmax/clsoftmax.h"

/* Writes this thread's last error as "function: message" and returns `status`, for `return cls_fail(...)`. */
clsoftmax_status cls_fail_(const char *function, clsoftmax_status status, int opencl_error, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The first line of this thread's last error without the function's name, for a message that goes on from it. */
void cls_last_reason(char *reason, size_t size);

#define cls_fail(status, ...) cls_fail_(__func__, (status), 0, __VA_ARGS__)

#define CLS_FAIL_IF(condition, status, ...)                                                                            \
    do {                                                                                                               \
        if (condition)                                                                                                 \
            return cls_fail_(__func__, (status), 0, __VA_ARGS__);                                                      \
    } while (0)

/* Returns from the calling function with the callee's failure. */
#define CLS_FORWARD(call)                                                                                              \
    do {                                                                                                               \
        clsoftmax_status forwarded_ = (call);                                                                          \
        if (forwarded_ != CLSOFTMAX_OK)                                                                                \
            return forwarded_;                                                                                         \
    } while (0)

#endif
