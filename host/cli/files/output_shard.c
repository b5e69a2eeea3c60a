/* Shards of a file: see output_file_open_shard. All that processes tell one another is in the temporary file itself, behind the data, so that
   it cannot outlive that; it changes under a lock, and whoever has waited for that looks whether the file is still the one with the
   name. */
#include "files/output_file.h"
#include "support/messages.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* 1 if the temporary file's name leads to the descriptor: no other process has completed the file, and nobody removed it. -1 with errno if
   that cannot be found out. */
static int has_the_name(const output_file *out, int descriptor)
{
    struct stat named, opened;
    if (stat(out->temporary, &named) != 0)
        return errno == ENOENT ? 0 : -1;
    if (fstat(descriptor, &opened) != 0)
        return -1;
    return named.st_dev == opened.st_dev && named.st_ino == opened.st_ino;
}

/* Opened, or made, and locked; -1 with errno. *is_new says which. */
static int open_locked(const output_file *out, int *is_new)
{
    for (;;) {
        int descriptor = open(out->temporary, O_RDWR | O_CREAT | O_EXCL, 0666);
        *is_new = descriptor >= 0;
        if (!*is_new && errno == EEXIST)
            descriptor = open(out->temporary, O_RDWR | O_NOFOLLOW);
        if (descriptor < 0 && errno == ENOENT)
            continue; /* completed in between */
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

/* Says that the shard is (1) or is not (0) committed. */
static int mark(const output_file *out, int descriptor, char is_committed)
{
    return output_file_write_at(descriptor, out->bytes + out->shard.index, 1, &is_committed);
}

int output_file_open_shard(output_file *out, const char *path, uint64_t bytes, const output_shard *shard)
{
    struct stat found;
    int exists, is_new;
    char temporary[PATH_MAX];
    if (output_file_find(out, path, &found, &exists) != EXIT_DONE)
        return EXIT_FAILED;
    if (exists && !S_ISREG(found.st_mode))
        return complain(EXIT_FAILED, "%s: a shard needs a regular file", path);
    int length = output_file_temporary_start(out, temporary);
    if (length < 0)
        return EXIT_FAILED;
    snprintf(temporary + length, 20, "%016llx", (unsigned long long)shard->key);
    strcpy(out->temporary, temporary);
    out->shard = *shard;
    out->bytes = bytes;
    int descriptor = open_locked(out, &is_new);
    if (descriptor < 0)
        return output_file_fail(out);
    if (is_new)
        output_file_set_mode(descriptor, exists ? &found : NULL);
    int status = output_file_adopt(out, descriptor);
    if (status == EXIT_DONE)
        status = output_file_reserve(out, bytes + shard->count);
    if (status == EXIT_DONE && !mark(out, descriptor, 0))
        status = output_file_fail(out);
    if (status == EXIT_DONE)
        flock(descriptor, LOCK_UN);
    return status;
}

/* Shards that are committed; UINT64_MAX if they cannot be read. */
static uint64_t count_committed(const output_file *out, int descriptor)
{
    uint64_t committed = 0;
    char marks[4096];
    for (uint64_t i = 0; i < out->shard.count;) {
        uint64_t left = out->shard.count - i;
        errno = EIO; /* of a file that ends here */
        ssize_t count =
            pread(descriptor, marks, left < sizeof marks ? (size_t)left : sizeof marks, (off_t)(out->bytes + i));
        if (count <= 0 && errno != EINTR)
            return UINT64_MAX;
        for (ssize_t k = 0; k < count; k++)
            committed += marks[k] == 1;
        i += count > 0 ? (uint64_t)count : 0;
    }
    return committed;
}

/* The marks of all shards but this one, so that it alone is to be run again. */
static void mark_others(const output_file *out, int descriptor)
{
    char marks[4096];
    memset(marks, 1, sizeof marks);
    for (uint64_t i = 0; i < out->shard.count; i += sizeof marks) {
        uint64_t left = out->shard.count - i;
        if (!output_file_write_at(descriptor, out->bytes + i, left < sizeof marks ? left : sizeof marks, marks))
            return;
    }
    (void)mark(out, descriptor, 0);
}

/* The last one: takes the marks off, and gives the file its name. */
static int complete(output_file *out, int descriptor)
{
    if (ftruncate(descriptor, (off_t)out->bytes) == 0 && fsync(descriptor) == 0 &&
        rename(out->temporary, out->path) == 0)
        return EXIT_DONE;
    int error = errno;
    mark_others(out, descriptor);
    errno = error;
    return output_file_fail(out);
}

int output_shard_commit(output_file *out)
{
    int descriptor = fileno(out->file), status = EXIT_DONE;
    if (flock(descriptor, LOCK_EX) != 0)
        return output_file_fail(out);
    int is_ours = has_the_name(out, descriptor);
    if (is_ours < 0)
        return output_file_fail(out);
    if (is_ours) { /* else another process has computed this shard, too, and the file is complete */
        uint64_t committed = mark(out, descriptor, 1) ? count_committed(out, descriptor) : UINT64_MAX;
        if (committed == UINT64_MAX)
            return output_file_fail(out);
        if (committed == out->shard.count)
            status = complete(out, descriptor);
        else
            notice("note: %s: %llu of %llu shards are complete; the file appears with the last", out->path,
                   (unsigned long long)committed, (unsigned long long)out->shard.count);
    }
    output_file_abandon(out); /* closes, and so unlocks; a shard's file is not removed */
    return status;
}
