#include "output_file.h"

#include "cli.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
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

static void remember(const char *temporary)
{
    if (!temporaries[0][0] && !temporaries[1][0])
        watch_signals();
    strcpy(temporaries[temporaries[0][0] ? 1 : 0], temporary);
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
static void set_mode(int descriptor, const struct stat *replaced)
{
    mode_t mask = umask(0);
    umask(mask);
    if (fchmod(descriptor, replaced ? replaced->st_mode & 07777 : 0666 & ~mask) != 0)
        return; /* a file system without modes */
}

static int open_temporary(output_file *out, const struct stat *replaced)
{
    const char *slash = strrchr(out->path, '/');
    int folder = slash ? (int)(slash - out->path) + 1 : 0;
    char temporary[2 * PATH_MAX];
    int length = snprintf(temporary, sizeof temporary, "%.*s.%s.XXXXXX", folder, out->path, out->path + folder);
    if (length >= PATH_MAX)
        return complain(EXIT_FAILED, "%.100s...: the name is too long", out->path);
    int descriptor = mkstemp(temporary);
    if (descriptor < 0)
        return complain(EXIT_FAILED, "%s: %s", out->path, strerror(errno));
    memcpy(out->temporary, temporary, (size_t)length + 1);
    remember(out->temporary);
    set_mode(descriptor, replaced);
    out->file = fdopen(descriptor, "wb");
    if (!out->file) {
        close(descriptor);
        return output_file_fail(out);
    }
    return EXIT_DONE;
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

int output_file_open(output_file *out, const char *path)
{
    struct stat found;
    memset(out, 0, sizeof *out);
    int exists = stat(path, &found) == 0;
    if (exists ? !realpath(path, out->path) : !canonical_new_path(path, out->path))
        return complain(EXIT_FAILED, "%.1000s: %s", path, strerror(errno));
    if (!exists || S_ISREG(found.st_mode))
        return open_temporary(out, exists ? &found : NULL);
    if (S_ISDIR(found.st_mode))
        return complain(EXIT_FAILED, "%s: is a directory", path);
    out->file = fopen(path, "wb");
    return out->file ? EXIT_DONE : complain(EXIT_FAILED, "%s: %s", path, strerror(errno));
}

void output_file_abandon(output_file *out)
{
    if (out->file)
        fclose(out->file);
    out->file = NULL;
    if (out->temporary[0]) {
        unlink(out->temporary);
        forget(out->temporary);
        out->temporary[0] = '\0';
    }
}

int output_file_fail(output_file *out)
{
    complain(EXIT_FAILED, "%s: %s", out->path, strerror(errno));
    output_file_abandon(out);
    return EXIT_FAILED;
}

int output_file_commit(output_file *out)
{
    if (fflush(out->file) != 0 || (out->temporary[0] && fsync(fileno(out->file)) != 0))
        return output_file_fail(out);
    FILE *file = out->file;
    out->file = NULL;
    if (fclose(file) != 0 || (out->temporary[0] && rename(out->temporary, out->path) != 0))
        return output_file_fail(out);
    if (out->temporary[0])
        forget(out->temporary);
    return EXIT_DONE;
}
