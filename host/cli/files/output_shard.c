/*
 * A shard of a file: see output_shard.h.
 *
 * All that processes tell one another is in the temporary file itself, behind the data, so that it cannot outlive the
 * data. It changes under a lock of the file, and whoever has waited for that lock looks whether the file still has its
 * name.
 */
#include "files/output_shard.h"

#include "files/output_path.h"
#include "support/messages.h"
#include "support/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---------------------------------------------------------------- Opening */

/* Returns 1 if the temporary name leads to the descriptor: no other process has completed the file, and nobody removed
   it. Returns -1 with errno if that cannot be found out. */
static int has_the_name(const output_file *out, int descriptor)
{
    struct stat named, opened;
    if (stat(out->temporary, &named) != 0)
        return errno == ENOENT ? 0 : -1;
    if (fstat(descriptor, &opened) != 0)
        return -1;
    return named.st_dev == opened.st_dev && named.st_ino == opened.st_ino;
}

/* Opens or makes the temporary file. Returns -1 with errno. */
static int open_or_make(const output_file *out, int *is_new)
{
    int descriptor = open(out->temporary, O_RDWR | O_CREAT | O_EXCL, 0666);
    *is_new = descriptor >= 0;
    return *is_new || errno != EEXIST ? descriptor : open(out->temporary, O_RDWR | O_NOFOLLOW);
}

/* Opens or makes the temporary file, and locks it; begins again if it is completed in between. Returns -1 with errno.
 */
static int open_locked(const output_file *out, int *is_new)
{
    for (;;) {
        int descriptor = open_or_make(out, is_new);
        if (descriptor < 0 && errno == ENOENT)
            continue;
        if (descriptor < 0)
            return -1;
        int is_right = flock(descriptor, LOCK_EX) == 0 ? has_the_name(out, descriptor) : -1, error = errno;
        if (is_right == 1)
            return descriptor;
        close(descriptor);
        errno = error;
        if (is_right < 0)
            return -1;
    }
}

/* Writes whether the shard is (1) or is not (0) committed. Returns 1, or 0 with errno. */
static int mark(const output_shard *shard, int descriptor, char is_committed)
{
    return write_at(descriptor, shard->bytes + shard->index, &is_committed, 1);
}

/* Takes the room for all shards in a file that is open and locked, and unlocks it. */
static int begin_shard(output_file *out, int descriptor, const output_shard *shard)
{
    FORWARD(output_file_adopt(out, descriptor));
    FORWARD(output_file_reserve(out, shard->bytes + shard->count));
    if (!mark(shard, descriptor, 0))
        return output_file_fail(out);
    flock(descriptor, LOCK_UN);
    return EXIT_DONE;
}

int output_shard_open(output_file *out, const char *path, const output_shard *shard)
{
    struct stat found;
    int exists, is_new;
    char temporary[PATH_MAX];
    FORWARD(output_file_begin(out, path, &found, &exists));
    COMPLAIN_IF(exists && !S_ISREG(found.st_mode), EXIT_FAILED, "%s: a shard needs a regular file", path);
    int length = output_path_temporary(out->path, temporary);
    if (length < 0)
        return EXIT_FAILED;
    snprintf(temporary + length, 20, "%016llx", (unsigned long long)shard->key);
    strcpy(out->temporary, temporary);
    out->is_kept = 1;
    int descriptor = open_locked(out, &is_new);
    if (descriptor < 0)
        return output_file_fail(out);
    if (is_new)
        output_path_set_mode(descriptor, exists ? &found : NULL);
    return begin_shard(out, descriptor, shard);
}

/* ---------------------------------------------------------------- Ending */

/* Counts the shards that are committed. Returns UINT64_MAX with errno if they cannot be read. */
static uint64_t count_committed(const output_shard *shard, int descriptor)
{
    uint64_t committed = 0;
    char marks[4096];
    for (uint64_t i = 0; i < shard->count;) {
        uint64_t left = shard->count - i;
        errno = EIO; /* for a file that ends here */
        ssize_t count =
            pread(descriptor, marks, left < sizeof marks ? (size_t)left : sizeof marks, (off_t)(shard->bytes + i));
        if (count <= 0 && errno != EINTR)
            return UINT64_MAX;
        for (ssize_t k = 0; k < count; k++)
            committed += marks[k] == 1;
        i += count > 0 ? (uint64_t)count : 0;
    }
    return committed;
}

/* Writes the marks of all shards but this one, so that it alone is to be run again. */
static void mark_others(const output_shard *shard, int descriptor)
{
    char marks[4096];
    memset(marks, 1, sizeof marks);
    for (uint64_t i = 0; i < shard->count; i += sizeof marks) {
        uint64_t left = shard->count - i;
        if (!write_at(descriptor, shard->bytes + i, marks, left < sizeof marks ? (size_t)left : sizeof marks))
            return;
    }
    (void)mark(shard, descriptor, 0);
}

/* Takes the marks off a file of which all shards are committed, and gives it its name. */
static int complete(output_file *out, int descriptor, const output_shard *shard)
{
    if (ftruncate(descriptor, (off_t)shard->bytes) == 0 && fsync(descriptor) == 0 &&
        rename(out->temporary, out->path) == 0)
        return EXIT_DONE;
    int error = errno;
    mark_others(shard, descriptor);
    errno = error;
    return output_file_fail(out);
}

/* Marks the shard in a file that is locked and has its temporary name, and completes the file if the shard was the
   last. */
static int mark_committed(output_file *out, int descriptor, const output_shard *shard)
{
    uint64_t committed = mark(shard, descriptor, 1) ? count_committed(shard, descriptor) : UINT64_MAX;
    if (committed == UINT64_MAX)
        return output_file_fail(out);
    if (committed == shard->count)
        return complete(out, descriptor, shard);
    notice("note: %s: %llu of %llu shards are complete; the file appears with the last", out->path,
           (unsigned long long)committed, (unsigned long long)shard->count);
    return EXIT_DONE;
}

int output_shard_commit(output_file *out, const output_shard *shard)
{
    FORWARD(output_file_sync(out));
    int descriptor = fileno(out->file);
    if (flock(descriptor, LOCK_EX) != 0)
        return output_file_fail(out);
    int is_ours = has_the_name(out, descriptor);
    if (is_ours < 0)
        return output_file_fail(out);
    if (is_ours) /* otherwise another process has computed this shard, too, and the file is complete */
        FORWARD(mark_committed(out, descriptor, shard));
    output_file_abandon(out); /* closes, and so unlocks */
    return EXIT_DONE;
}
