/* Errors inside the library: a status goes up, its story stays in the thread. */
#ifndef CLSOFTMAX_STATUS_H
#define CLSOFTMAX_STATUS_H

#include "clsoftmax/clsoftmax.h"

/* Writes this thread's last error and returns `status`, for `return cls_fail(...)`. */
clsoftmax_status cls_fail_opencl(clsoftmax_status status, int opencl_error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define cls_fail(status, ...) cls_fail_opencl((status), 0, __VA_ARGS__)

/* The first line of this thread's last error, for a message that goes on from it. */
void cls_last_reason(char *reason, size_t size);

#define CLS_FAIL_IF(condition, status, ...)                                                                            \
    do {                                                                                                               \
        if (condition)                                                                                                 \
            return cls_fail((status), __VA_ARGS__);                                                                    \
    } while (0)

/* Returns from the calling function with the callee's failure. */
#define CLS_FORWARD(call)                                                                                              \
    do {                                                                                                               \
        clsoftmax_status forwarded_ = (call);                                                                          \
        if (forwarded_ != CLSOFTMAX_OK)                                                                                \
            return forwarded_;                                                                                         \
    } while (0)

#endif
