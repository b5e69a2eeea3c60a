#include "status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A build log can be megabytes; its beginning is where the first error stands. */
static _Thread_local char last_error[4096];
static _Thread_local int last_opencl_error;
static _Thread_local size_t reason_offset; /* of the message behind the function's name */

clsoftmax_status cls_fail_(const char *function, clsoftmax_status status, int opencl_error, const char *format, ...)
{
    char message[sizeof last_error]; /* apart, so that a message may quote the error before it */
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    reason_offset = (size_t)snprintf(last_error, sizeof last_error, "%s: ", function);
    snprintf(last_error + reason_offset, sizeof last_error - reason_offset, "%s", message);
    last_opencl_error = opencl_error;
    return status;
}

void cls_last_reason(char *reason, size_t size)
{
    const char *text = last_error + reason_offset;
    snprintf(reason, size, "%.*s", (int)strcspn(text, "\n"), text);
}

const char *clsoftmax_last_error(void)
{
    return last_error;
}

int clsoftmax_last_opencl_error(void)
{
    return last_opencl_error;
}

const char *clsoftmax_status_name(clsoftmax_status status)
{
    switch (status) {
#define CLS_STATUS_CASE(name, value, meaning)                                                                          \
    case CLSOFTMAX_##name:                                                                                             \
        return #name;
        CLSOFTMAX_STATUS_LIST(CLS_STATUS_CASE)
#undef CLS_STATUS_CASE
    }
    return "UNKNOWN";
}

const char *clsoftmax_version(void)
{
    return CLSOFTMAX_VERSION_STRING;
}
