/*
 * Files under a temporary name: see temporary_file.h.
 *
 * A process holds a lock on its temporary file as long as it lives. So a file of such a name without a lock was left by
 * a process that was killed, and whoever makes the next one removes it.
 */
#include "files/temporary_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---------------------------------------------------------------- Signals */

static const int ending_signals[] = {SIGINT, SIGTERM, SIGHUP};
enum { ENDING_SIGNALS = sizeof ending_signals / sizeof *ending_signals, MOST_FILES = 2 };

/* What the signal handler removes; "" is a free place. */
static char temporaries[MOST_FILES][PATH_MAX];
static struct sigaction old_actions[ENDING_SIGNALS];

static int has_files(void)
{
    int count = 0;
    for (int i = 0; i < MOST_FILES; i++)
        count += temporaries[i][0] != '\0';
    return count > 0;
}

/* Returns NULL if there is none. */
static char *find_free_place(void)
{
    for (int i = 0; i < MOST_FILES; i++)
        if (!temporaries[i][0])
            return temporaries[i];
    return NULL;
}

static void remove_and_end(int signal_number)
{
    for (int i = 0; i < MOST_FILES; i++)
        if (temporaries[i][0])
            unlink(temporaries[i]);
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

/* Makes the signals that end the process remove the files first. One that is ignored, as under nohup, stays ignored. */
static void watch_signals(void)
{
    for (int i = 0; i < ENDING_SIGNALS; i++) {
        struct sigaction action = {.sa_handler = remove_and_end};
        sigaction(ending_signals[i], NULL, &old_actions[i]);
        if (old_actions[i].sa_handler == SIG_DFL)
            sigaction(ending_signals[i], &action, NULL);
    }
}

/* Notes a file for the signal handler. The first byte is written last, since the handler may run at any time. */
static void remember(char *place, const char *temporary)
{
    if (!has_files())
        watch_signals();
    strcpy(place + 1, temporary + 1);
    atomic_signal_fence(memory_order_seq_cst);
    place[0] = temporary[0];
}

void temporary_file_forget(const char *temporary)
{
    for (int i = 0; i < MOST_FILES; i++)
        if (strcmp(temporaries[i], temporary) == 0)
            temporaries[i][0] = '\0';
    for (int i = 0; i < ENDING_SIGNALS && !has_files(); i++)
        sigaction(ending_signals[i], &old_actions[i], NULL);
}

/* ---------------------------------------------------------------- Files */

/* Removes an entry of a folder if it is a regular file that nobody has locked. */
static void remove_unlocked(int folder, const char *name)
{
    struct stat found;
    int descriptor = openat(folder, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK);
    if (descriptor < 0)
        return;
    if (fstat(descriptor, &found) == 0 && S_ISREG(found.st_mode) && flock(descriptor, LOCK_EX | LOCK_NB) == 0)
        unlinkat(folder, name, 0);
    close(descriptor);
}

/* Removes what killed processes left: files whose names are `start` and six letters. */
static void remove_left(const char *start, int length)
{
    const char *slash = strrchr(start, '/'), *name = slash ? slash + 1 : start;
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%.*s", (int)(name - start), start);
    DIR *entries = opendir(*folder ? folder : ".");
    if (!entries)
        return;
    size_t name_length = (size_t)(length - (name - start));
    for (struct dirent *entry; (entry = readdir(entries));)
        if (strncmp(entry->d_name, name, name_length) == 0 && strlen(entry->d_name) == name_length + 6)
            remove_unlocked(dirfd(entries), entry->d_name);
    closedir(entries);
}

/* Closes and removes a file, and keeps errno. Returns -1. */
static int discard(int descriptor, const char *path)
{
    int error = errno;
    unlink(path);
    close(descriptor);
    errno = error;
    return -1;
}

/* Makes a file with a lock on it, and tries again where another process has removed it: before it has its lock, it
   looks like one that was left. */
static int make_locked(char *temporary)
{
    char *letters = temporary + strlen(temporary) - 6;
    for (int attempt = 0; attempt < 8; attempt++) {
        struct stat made;
        memcpy(letters, "XXXXXX", 6);
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

int temporary_file_make(char *temporary, int length)
{
    char *place = find_free_place();
    if (!place) {
        errno = EMFILE;
        return -1;
    }
    remove_left(temporary, length);
    strcpy(temporary + length, "XXXXXX");
    int descriptor = make_locked(temporary);
    if (descriptor >= 0)
        remember(place, temporary);
    return descriptor;
}
