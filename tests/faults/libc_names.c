/* The names of calls of the C library. They are apart from libc_layer.c for file_faults, which is not under the
   layer. */
#include "libc_layer.h"

const char *libc_call_name(libc_call call)
{
    static const char *const names[] = {
#define CALL_NAME(name, ...) #name,
        LIBC_CALLS(CALL_NAME, CALL_NAME, CALL_NAME, CALL_NAME, CALL_NAME, CALL_NAME, CALL_NAME, CALL_NAME)};
    return names[call];
}
