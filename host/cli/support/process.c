/* The process and its open files: see process.h. */
#include "support/process.h"

#include "support/messages.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* The next file that is opened, a result perhaps, would take the place of a closed standard stream, and would get what
   is printed. /dev/null holds that place, opened for the other direction, so that reading or writing it stays an error.
   */
static void hold_closed_streams(void)
{
    for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; descriptor++)
        if (fcntl(descriptor, F_GETFD) < 0)
            (void)!open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

void begin_process(void)
{
    signal(SIGPIPE, SIG_IGN); /* a closed pipe becomes an error of the write, and ends the command quietly */
    signal(SIGXFSZ, SIG_IGN); /* so does a file that the system's limit forbids */
    signal(SIGCHLD, SIG_DFL); /* if the parent had left it ignored, there would be no child to wait for */
    hold_closed_streams();
}

int finish_output(FILE *file)
{
    int failed = ferror(file); /* errno is then that of the write that failed, which was the last */
    if (!failed && fflush(file) == 0)
        return EXIT_DONE;
    return errno == EPIPE ? EXIT_FAILED : complain(EXIT_FAILED, "standard output: %s", strerror(errno));
}

ssize_t read_at(int descriptor, uint64_t offset, void *to, size_t bytes)
{
    size_t done = 0;
    for (ssize_t count = 1; count != 0 && done < bytes;) {
        count = pread(descriptor, (char *)to + done, bytes - done, (off_t)(offset + done));
        if (count < 0 && errno != EINTR)
            return -1;
        done += count > 0 ? (size_t)count : 0;
    }
    return (ssize_t)done;
}

int write_at(int descriptor, uint64_t offset, const void *data, size_t bytes)
{
    for (size_t done = 0; done < bytes;) {
        errno = EIO; /* for a write that does nothing */
        ssize_t count = pwrite(descriptor, (const char *)data + done, bytes - done, (off_t)(offset + done));
        if (count <= 0 && errno != EINTR)
            return 0;
        done += count > 0 ? (size_t)count : 0;
    }
    return 1;
}

int terminal_size(unsigned *columns, unsigned *rows)
{
    struct winsize window = {.ws_col = 0};
    int is_known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0 && window.ws_row > 0;
    *columns = window.ws_col;
    *rows = window.ws_row;
    return is_known;
}
