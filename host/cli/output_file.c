#include "output_file.h"

#include "cli.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const int ending_signals[] = {SIGINT, SIGTERM, SIGHUP};

/* What the signal handler removes; written before the handlers are set, emptied after they are unset. */
static char temporary_to_remove[PATH_MAX];

static void remove_and_end(int signal_number)
{
    unlink(temporary_to_remove);
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

static void set_handlers(void (*handler)(int))
{
    for (size_t i = 0; i < sizeof ending_signals / sizeof *ending_signals; i++)
        signal(ending_signals[i], handler);
}

/* mkstemp makes files for the owner alone; this one is to look like any other. */
static void set_usual_mode(int descriptor)
{
    mode_t mask = umask(0);
    umask(mask);
    if (fchmod(descriptor, 0666 & ~mask) != 0)
        return; /* a file system without modes */
}

static int open_temporary(output_file *out)
{
    const char *slash = strrchr(out->path, '/');
    int folder = slash ? (int)(slash - out->path) + 1 : 0;
    int length =
        snprintf(out->temporary, sizeof out->temporary, "%.*s.%s.XXXXXX", folder, out->path, out->path + folder);
    if (length >= (int)sizeof out->temporary)
        return complain(EXIT_FAILED, "%.100s...: the name is too long", out->path);
    int descriptor = mkstemp(out->temporary);
    if (descriptor < 0)
        return complain(EXIT_FAILED, "%s: %s", out->path, strerror(errno));
    strcpy(temporary_to_remove, out->temporary);
    set_handlers(remove_and_end);
    set_usual_mode(descriptor);
    out->file = fdopen(descriptor, "wb");
    if (!out->file) {
        complain(EXIT_FAILED, "%s: %s", out->path, strerror(errno));
        close(descriptor);
        output_file_abandon(out);
        return EXIT_FAILED;
    }
    return EXIT_DONE;
}

int output_file_open(output_file *out, const char *path)
{
    struct stat stat_;
    memset(out, 0, sizeof *out);
    out->path = path;
    if (stat(path, &stat_) != 0 || S_ISREG(stat_.st_mode))
        return open_temporary(out);
    if (S_ISDIR(stat_.st_mode))
        return complain(EXIT_FAILED, "%s: is a directory", path);
    out->file = fopen(path, "wb");
    return out->file ? EXIT_DONE : complain(EXIT_FAILED, "%s: %s", path, strerror(errno));
}

void output_file_abandon(output_file *out)
{
    if (out->file)
        fclose(out->file);
    out->file = NULL;
    if (out->temporary[0])
        unlink(out->temporary);
    set_handlers(SIG_DFL);
    temporary_to_remove[0] = '\0';
}

int output_file_commit(output_file *out)
{
    int failed = fflush(out->file) != 0;
    if (!failed && out->temporary[0])
        failed = fsync(fileno(out->file)) != 0;
    if (!failed) {
        failed = fclose(out->file) != 0;
        out->file = NULL;
    }
    if (!failed && out->temporary[0])
        failed = rename(out->temporary, out->path) != 0;
    if (failed) {
        complain(EXIT_FAILED, "%s: %s", out->path, strerror(errno));
        output_file_abandon(out);
        return EXIT_FAILED;
    }
    set_handlers(SIG_DFL);
    temporary_to_remove[0] = '\0';
    return EXIT_DONE;
}
