/* A copy of what can be read only once: see spool.h. */
#include "files/spool.h"

#include "files/input_stream.h"
#include "support/messages.h"
#include "support/process.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Makes a file without a name. Returns -1 with errno. */
static int open_nameless(const char *folder)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/clsoftmax-XXXXXX", folder) >= (int)sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int descriptor = mkstemp(path);
    if (descriptor >= 0)
        unlink(path);
    return descriptor;
}

/* Complains that a copy fails, and why: the folder is what can be changed. Returns EXIT_FAILED. */
static int complain_copy(const char *path, const char *folder)
{
    return complain(EXIT_FAILED, "%s: a copy in %s: %s; TMPDIR names another folder", path, folder, strerror(errno));
}

static int copy_all(const char *path, const char *folder, spool_reader *read, void *from, int to)
{
    char buffer[65536];
    ssize_t count;
    for (uint64_t offset = 0; (count = read(from, buffer, sizeof buffer)) > 0; offset += (uint64_t)count)
        if (!write_at(to, offset, buffer, (size_t)count))
            return complain_copy(path, folder);
    return count == 0 ? EXIT_DONE : EXIT_WRONG;
}

int spool(const char *path, spool_reader *read, void *from, FILE **copy)
{
    const char *variable = getenv("TMPDIR"), *folder = variable && *variable ? variable : "/tmp";
    int descriptor = open_nameless(folder);
    if (descriptor < 0)
        return complain_copy(path, folder);
    int status = copy_all(path, folder, read, from, descriptor);
    *copy = status == EXIT_DONE ? fdopen(descriptor, "rb") : NULL;
    if (!*copy && status == EXIT_DONE)
        status = complain_copy(path, folder);
    if (status != EXIT_DONE)
        close(descriptor);
    return status;
}

ssize_t spool_stream(void *from, void *to, size_t bytes)
{
    const input_stream *stream = from;
    size_t count = fread(to, 1, bytes, stream->file);
    if (count > 0 || !ferror(stream->file))
        return (ssize_t)count;
    return complain(-1, "%s: %s", stream->name, strerror(errno));
}
