/* Reads and initialises public structs that may grow at their end: see growing.h. */
#include "growing.h"

#include "status.h"

#include <string.h>

/* No struct of any version is larger. A larger size is that of no struct: this one was never initialised. */
#define MOST_BYTES 4096

clsoftmax_status cls_read_growing(const void *theirs, void *ours, size_t size, size_t first, const char *name)
{
    size_t theirs_size;
    memcpy(&theirs_size, theirs, sizeof theirs_size);
    CLS_FAIL_IF(theirs_size < first || theirs_size > MOST_BYTES, CLSOFTMAX_INVALID_ARGUMENT,
                "%s.size is %zu, which no version had; start from its INIT macro or its init function", name,
                theirs_size);
    const char *beyond = theirs;
    for (size_t i = size; i < theirs_size; i++)
        CLS_FAIL_IF(beyond[i] != 0, CLSOFTMAX_UNSUPPORTED,
                    "%s has a field set that this library, version %s, does not know", name, clsoftmax_version());
    memcpy(ours, theirs, theirs_size < size ? theirs_size : size);
    memcpy(ours, &size, sizeof size);
    return CLSOFTMAX_OK;
}

void cls_init_growing(void *theirs, size_t theirs_size, const void *defaults, size_t size)
{
    if (!theirs || theirs_size < sizeof theirs_size)
        return;
    memset(theirs, 0, theirs_size);
    memcpy(theirs, defaults, theirs_size < size ? theirs_size : size);
    memcpy(theirs, &theirs_size, sizeof theirs_size);
}
