/* Keeps each thread's last error, and names the statuses: see status.h. */
#include "status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A build log can have megabytes. Its first error is at its beginning, so the rest is cut off. */
static _Thread_local char last_error[4096];
static _Thread_local int last_opencl_error;

clsoftmax_status cls_fail_opencl(clsoftmax_status status, int opencl_error, const char *format, ...)
{
    char message[sizeof last_error]; /* apart, because a message may quote the error before it */
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    memcpy(last_error, message, strlen(message) + 1);
    last_opencl_error = opencl_error;
    return status;
}

void cls_last_reason(char *reason, size_t size)
{
    snprintf(reason, size, "%.*s", (int)strcspn(last_error, "\n"), last_error);
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
