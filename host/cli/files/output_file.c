/* A file that appears under its name only when it is complete: see output_file.h. */
#include "files/output_file.h"

#include "files/output_path.h"
#include "files/temporary_file.h"
#include "support/messages.h"
#include "support/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Complains about errno under the file's name; a closed pipe ends the command quietly. Returns EXIT_FAILED. */
static int complain_errno(const output_file *out)
{
    return errno == EPIPE ? EXIT_FAILED : complain(EXIT_FAILED, "%s: %s", out->path, strerror(errno));
}

/* ---------------------------------------------------------------- Opening */

int output_file_begin(output_file *out, const char *path, struct stat *found, int *exists)
{
    memset(out, 0, sizeof *out);
    FORWARD(output_path_find(path, out->path, found, exists));
    COMPLAIN_IF(*exists && S_ISDIR(found->st_mode), EXIT_FAILED, "%s: is a directory", path);
    return EXIT_DONE;
}

/* Makes the descriptor the file's, in a mode of fopen, or closes it. */
static int open_descriptor(output_file *out, int descriptor, const char *mode)
{
    out->file = fdopen(descriptor, mode);
    if (out->file)
        return EXIT_DONE;
    close(descriptor);
    return output_file_fail(out);
}

int output_file_adopt(output_file *out, int descriptor)
{
    return open_descriptor(out, descriptor, "r+b");
}

static int open_temporary(output_file *out, const struct stat *replaced)
{
    char temporary[PATH_MAX];
    int length = output_path_temporary(out->path, temporary);
    if (length < 0)
        return EXIT_FAILED;
    int descriptor = temporary_file_make(temporary, length);
    COMPLAIN_IF(descriptor < 0, EXIT_FAILED, "%s: %s", out->path, strerror(errno));
    strcpy(out->temporary, temporary);
    output_path_set_mode(descriptor, replaced);
    return output_file_adopt(out, descriptor);
}

/* Opens a copy of standard output, which may be closed as any file is. Unlike the descriptors that are adopted, it may
   be a pipe, which nothing can be read from. */
static int open_standard_output(output_file *out)
{
    memset(out, 0, sizeof *out);
    strcpy(out->path, "standard output");
    int descriptor = dup(STDOUT_FILENO);
    return descriptor < 0 ? output_file_fail(out) : open_descriptor(out, descriptor, "wb");
}

int output_file_open(output_file *out, const char *path)
{
    struct stat found;
    int exists;
    if (strcmp(path, "-") == 0)
        return open_standard_output(out);
    FORWARD(output_file_begin(out, path, &found, &exists));
    if (!exists || S_ISREG(found.st_mode))
        return open_temporary(out, exists ? &found : NULL);
    out->file = fopen(path, "wb");
    COMPLAIN_IF(!out->file, EXIT_FAILED, "%s: %s", path, strerror(errno));
    return EXIT_DONE;
}

/* ---------------------------------------------------------------- Writing */

/* Returns 1 for an errno of fallocate that says that the bytes will not fit. Others say that the file system does not
   have fallocate; then a write finds out. */
static int is_out_of_room(int error)
{
    return error == ENOSPC || error == EFBIG || error == EDQUOT || error == EIO;
}

int output_file_reserve(output_file *out, uint64_t bytes)
{
    if (!out->temporary[0])
        return EXIT_DONE;
    int descriptor = fileno(out->file), failed;
    if (ftruncate(descriptor, (off_t)bytes) != 0)
        return output_file_fail(out);
    do
        failed = bytes > 0 && fallocate(descriptor, 0, 0, (off_t)bytes) != 0;
    while (failed && errno == EINTR);
    return failed && is_out_of_room(errno) ? output_file_fail(out) : EXIT_DONE;
}

/* Lets the disk begin now instead of at the end; nothing depends on it. */
static void begin_writing_back(int descriptor, uint64_t offset, uint64_t bytes)
{
#ifdef SYNC_FILE_RANGE_WRITE
    (void)sync_file_range(descriptor, (off_t)offset, (off_t)bytes, SYNC_FILE_RANGE_WRITE);
#else
    (void)descriptor, (void)offset, (void)bytes;
#endif
}

/* Writes on to a device or pipe. */
static int write_on(output_file *out, uint64_t bytes, const void *data)
{
    if (fwrite(data, 1, (size_t)bytes, out->file) == bytes)
        return EXIT_DONE;
    return complain_errno(out);
}

int output_file_write(output_file *out, uint64_t offset, uint64_t bytes, const void *data)
{
    if (!out->temporary[0])
        return write_on(out, bytes, data);
    int descriptor = fileno(out->file);
    COMPLAIN_IF(!write_at(descriptor, offset, data, (size_t)bytes), EXIT_FAILED, "%s: %s", out->path, strerror(errno));
    if (bytes >= (uint64_t)1 << 20)
        begin_writing_back(descriptor, offset, bytes);
    return EXIT_DONE;
}

/* ---------------------------------------------------------------- Ending */

void output_file_abandon(output_file *out)
{
    if (out->file)
        fclose(out->file);
    out->file = NULL;
    if (out->temporary[0] && !out->is_kept) {
        unlink(out->temporary);
        temporary_file_forget(out->temporary);
    }
    out->temporary[0] = '\0';
}

int output_file_fail(output_file *out)
{
    int status = complain_errno(out);
    output_file_abandon(out);
    return status;
}

int output_file_sync(output_file *out)
{
    if (fflush(out->file) != 0 || (out->temporary[0] && fsync(fileno(out->file)) != 0))
        return output_file_fail(out);
    return EXIT_DONE;
}

/* The file is named before it is closed: while it has its lock, nobody takes it for one that was left. */
int output_file_commit(output_file *out)
{
    FORWARD(output_file_sync(out));
    if (out->temporary[0]) {
        if (rename(out->temporary, out->path) != 0)
            return output_file_fail(out);
        temporary_file_forget(out->temporary);
        out->temporary[0] = '\0';
    }
    FILE *file = out->file;
    out->file = NULL;
    return fclose(file) == 0 ? EXIT_DONE : complain_errno(out);
}
