#include "files/output_file.h"

#include "support/messages.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const int ending_signals[] = {SIGINT, SIGTERM, SIGHUP};
enum { ENDING_SIGNALS = sizeof ending_signals / sizeof *ending_signals };

/* What the signal handler removes: the temporary files that are open; "" is a free place. */
static char temporaries[2][PATH_MAX];
static struct sigaction old_actions[ENDING_SIGNALS];

static void remove_and_end(int signal_number)
{
    for (int i = 0; i < 2; i++)
        if (temporaries[i][0])
            unlink(temporaries[i]);
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

/* A signal that is ignored, as under nohup, stays ignored. */
static void watch_signals(void)
{
    for (int i = 0; i < ENDING_SIGNALS; i++) {
        struct sigaction action = {.sa_handler = remove_and_end};
        sigaction(ending_signals[i], NULL, &old_actions[i]);
        if (old_actions[i].sa_handler == SIG_DFL)
            sigaction(ending_signals[i], &action, NULL);
    }
}

/* The first byte last: the handler may come at any time. */
static void remember(const char *temporary)
{
    if (!temporaries[0][0] && !temporaries[1][0])
        watch_signals();
    char *place = temporaries[temporaries[0][0] ? 1 : 0];
    strcpy(place + 1, temporary + 1);
    atomic_signal_fence(memory_order_seq_cst);
    place[0] = temporary[0];
}

static void forget(const char *temporary)
{
    for (int i = 0; i < 2; i++)
        if (strcmp(temporaries[i], temporary) == 0)
            temporaries[i][0] = '\0';
    for (int i = 0; i < ENDING_SIGNALS && !temporaries[0][0] && !temporaries[1][0]; i++)
        sigaction(ending_signals[i], &old_actions[i], NULL);
}

/* mkstemp makes files for the owner alone; this one is to look like the file that it replaces, or like any other. */
void output_file_set_mode(int descriptor, const struct stat *replaced)
{
    mode_t mask = umask(0);
    umask(mask);
    if (fchmod(descriptor, replaced ? replaced->st_mode & 07777 : 0666 & ~mask) != 0)
        return; /* a file system without modes */
}

int output_file_temporary_start(const output_file *out, char *start)
{
    const char *slash = strrchr(out->path, '/');
    int folder = slash ? (int)(slash - out->path) + 1 : 0;
    int length = snprintf(start, PATH_MAX, "%.*s.%s.clsoftmax-", folder, out->path, out->path + folder);
    if (length > PATH_MAX - 40) {
        complain(EXIT_FAILED, "%.100s...: the name is too long", out->path);
        return -1;
    }
    return length;
}

/* A process holds a lock on its temporary file as long as it lives; files without one were left by processes that were killed. */
static void remove_left(const char *start, int length)
{
    const char *name = strrchr(start, '/');
    name = name ? name + 1 : start;
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%.*s", (int)(name - start), start);
    DIR *entries = opendir(*folder ? folder : ".");
    size_t name_length = (size_t)(length - (name - start));
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        if (strncmp(entry->d_name, name, name_length) != 0 || strlen(entry->d_name) != name_length + 6)
            continue;
        struct stat found;
        int descriptor = openat(dirfd(entries), entry->d_name, O_RDWR | O_NOFOLLOW | O_NONBLOCK);
        if (descriptor >= 0 && fstat(descriptor, &found) == 0 && S_ISREG(found.st_mode) &&
            flock(descriptor, LOCK_EX | LOCK_NB) == 0)
            unlinkat(dirfd(entries), entry->d_name, 0);
        if (descriptor >= 0)
            close(descriptor);
    }
    if (entries)
        closedir(entries);
}

/* -1, with errno as it was. */
static int discard(int descriptor, const char *path)
{
    int error = errno;
    unlink(path);
    close(descriptor);
    errno = error;
    return -1;
}

/* A new file with a lock on it. Before it has the lock, another process may take it for one that was left, and remove it. */
static int make_locked(char *temporary)
{
    char *random = temporary + strlen(temporary) - 6;
    for (int attempt = 0; attempt < 8; attempt++) {
        struct stat made;
        memcpy(random, "XXXXXX", 6);
        int descriptor = mkstemp(temporary);
        if (descriptor < 0)
            return -1;
        (void)flock(descriptor, LOCK_EX); /* a file system without locks has no removers either */
        if (fstat(descriptor, &made) != 0)
            return discard(descriptor, temporary);
        if (made.st_nlink == 1)
            return descriptor;
        close(descriptor);
    }
    errno = EBUSY;
    return -1;
}

int output_file_adopt(output_file *out, int descriptor)
{
    out->file = fdopen(descriptor, "r+b");
    if (out->file)
        return EXIT_DONE;
    close(descriptor);
    return output_file_fail(out);
}

static int open_temporary(output_file *out, const struct stat *replaced)
{
    char temporary[PATH_MAX];
    int length = output_file_temporary_start(out, temporary);
    if (length < 0)
        return EXIT_FAILED;
    remove_left(temporary, length);
    strcpy(temporary + length, "XXXXXX");
    int descriptor = make_locked(temporary);
    if (descriptor < 0)
        return complain(EXIT_FAILED, "%s: %s", out->path, strerror(errno));
    strcpy(out->temporary, temporary);
    remember(out->temporary);
    output_file_set_mode(descriptor, replaced);
    return output_file_adopt(out, descriptor);
}

/* The path of a file that is not there yet, with its folder's links followed. 1, or 0 with errno. */
static int canonical_new_path(const char *path, char *canonical)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    int length = slash == path ? 1 : slash ? (int)(slash - path) : 1;
    snprintf(folder, sizeof folder, "%.*s", length, slash ? path : ".");
    if (!realpath(folder, canonical))
        return 0;
    size_t used = strlen(canonical);
    int written = snprintf(canonical + used, PATH_MAX - used, "%s%s", used > 1 ? "/" : "", name);
    errno = ENAMETOOLONG;
    return written >= 0 && (size_t)written < PATH_MAX - used;
}

/* What cannot be looked at is not taken for a file that is not there: it would be replaced, whatever it is. */
static int find_path(const char *path, char *canonical, struct stat *found, int *exists)
{
    *exists = stat(path, found) == 0;
    if (*exists ? !realpath(path, canonical) : errno != ENOENT || !canonical_new_path(path, canonical))
        return complain(EXIT_FAILED, "%.1000s: %s", path, strerror(errno));
    return EXIT_DONE;
}

int output_file_path(const char *path, char *canonical)
{
    struct stat found;
    int exists;
    return find_path(path, canonical, &found, &exists);
}

int output_file_find(output_file *out, const char *path, struct stat *found, int *exists)
{
    memset(out, 0, sizeof *out);
    if (find_path(path, out->path, found, exists) != EXIT_DONE)
        return EXIT_FAILED;
    if (*exists && S_ISDIR(found->st_mode))
        return complain(EXIT_FAILED, "%s: is a directory", path);
    return EXIT_DONE;
}

int output_file_open(output_file *out, const char *path)
{
    struct stat found;
    int exists;
    if (output_file_find(out, path, &found, &exists) != EXIT_DONE)
        return EXIT_FAILED;
    if (!exists || S_ISREG(found.st_mode))
        return open_temporary(out, exists ? &found : NULL);
    out->file = fopen(path, "wb");
    return out->file ? EXIT_DONE : complain(EXIT_FAILED, "%s: %s", path, strerror(errno));
}

/* ---------------------------------------------------------------- Writing */

/* File systems without fallocate find out when the bytes come. */
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

/* The disk is to begin now, not at the end; nothing depends on it. */
static void begin_writing_back(int descriptor, uint64_t offset, uint64_t bytes)
{
#ifdef SYNC_FILE_RANGE_WRITE
    (void)sync_file_range(descriptor, (off_t)offset, (off_t)bytes, SYNC_FILE_RANGE_WRITE);
#else
    (void)descriptor, (void)offset, (void)bytes;
#endif
}

static int write_on(output_file *out, uint64_t bytes, const void *data)
{
    if (fwrite(data, 1, (size_t)bytes, out->file) == bytes)
        return EXIT_DONE;
    return errno == EPIPE ? EXIT_FAILED : complain(EXIT_FAILED, "%s: %s", out->path, strerror(errno));
}

int output_file_write_at(int descriptor, uint64_t offset, uint64_t bytes, const void *data)
{
    for (uint64_t done = 0; done < bytes;) {
        errno = EIO; /* of a write that does nothing */
        ssize_t count = pwrite(descriptor, (const char *)data + done, (size_t)(bytes - done), (off_t)(offset + done));
        if (count <= 0 && errno != EINTR)
            return 0;
        done += count > 0 ? (uint64_t)count : 0;
    }
    return 1;
}

int output_file_write(output_file *out, uint64_t offset, uint64_t bytes, const void *data)
{
    if (!out->temporary[0])
        return write_on(out, bytes, data);
    int descriptor = fileno(out->file);
    if (!output_file_write_at(descriptor, offset, bytes, data))
        return complain(EXIT_FAILED, "%s: %s", out->path, strerror(errno));
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
    if (out->temporary[0] && out->shard.count == 0) {
        unlink(out->temporary);
        forget(out->temporary);
    }
    out->temporary[0] = '\0';
}

int output_file_fail(output_file *out)
{
    complain(EXIT_FAILED, "%s: %s", out->path, strerror(errno));
    output_file_abandon(out);
    return EXIT_FAILED;
}

int output_file_sync(output_file *out)
{
    if (fflush(out->file) != 0 || (out->temporary[0] && fsync(fileno(out->file)) != 0))
        return output_file_fail(out);
    return EXIT_DONE;
}

/* Named before it is closed: with its lock, nobody takes it for one that was left. */
int output_file_commit(output_file *out)
{
    if (output_file_sync(out) != EXIT_DONE)
        return EXIT_FAILED;
    if (out->shard.count > 0)
        return output_shard_commit(out);
    if (out->temporary[0]) {
        if (rename(out->temporary, out->path) != 0)
            return output_file_fail(out);
        forget(out->temporary);
        out->temporary[0] = '\0';
    }
    FILE *file = out->file;
    out->file = NULL;
    return fclose(file) == 0 ? EXIT_DONE : complain(EXIT_FAILED, "%s: %s", out->path, strerror(errno));
}
