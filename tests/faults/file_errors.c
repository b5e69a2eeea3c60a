/* What calls of the C library can end with, and what the command may make of it: what file_errors.h declares. */
#include "file_errors.h"

#include "file_scenarios.h"

#include <errno.h>
#include <string.h>

#define ERRORS(call, ...) [LIBC_##call] = {__VA_ARGS__, 0}
#define OUT_OF_MEMORY(call) ERRORS(call, ENOMEM)
#define FULL_DISK ENOSPC, EDQUOT, EFBIG, EIO
#define STREAM_ERRORS(call) ERRORS(call, FULL_DISK, EPIPE)

enum { MOST_ERRORS = 10 };

static const int errors_of[LIBC_CALL_COUNT][MOST_ERRORS] = {
    OUT_OF_MEMORY(malloc),
    OUT_OF_MEMORY(calloc),
    OUT_OF_MEMORY(aligned_alloc),
    OUT_OF_MEMORY(strdup),
    OUT_OF_MEMORY(open_memstream),
    OUT_OF_MEMORY(realloc),
    ERRORS(__getdelim, ENOMEM, EIO, EISDIR),
    ERRORS(fopen, EACCES, EMFILE, ENFILE, ENOMEM, EIO, EINTR),
    ERRORS(fdopen, ENOMEM, EMFILE),
    ERRORS(opendir, EACCES, EMFILE, ENFILE, ENOMEM),
    ERRORS(readdir, EIO, EBADF),
    ERRORS(realpath, EACCES, EIO, ELOOP, ENOMEM),
    ERRORS(dlopen, ENOMEM),
    ERRORS(mmap, ENOMEM),
    ERRORS(madvise, EINVAL),
    ERRORS(memfd_create, EMFILE, ENFILE, ENOMEM),
    ERRORS(mkstemp, EACCES, EROFS, ENOSPC, EDQUOT, EMFILE, EIO),
    ERRORS(dup, EMFILE),
    ERRORS(pipe2, EMFILE, ENFILE),
    ERRORS(waitpid, EINTR, ECHILD),
    ERRORS(lseek, EIO, ESPIPE, EOVERFLOW),
    ERRORS(stat, EACCES, EIO, ENOMEM, ELOOP),
    ERRORS(fstat, EIO, ENOMEM, ESTALE),
    ERRORS(fchmod, EPERM, EROFS, EIO),
    ERRORS(flock, ENOLCK, EINTR, EWOULDBLOCK),
    ERRORS(ftruncate, EINTR, EIO, EFBIG, EROFS),
    ERRORS(fallocate, EOPNOTSUPP, EINTR, ENOSYS, FULL_DISK),
    ERRORS(sync_file_range, EIO, ENOSPC, ESPIPE),
    ERRORS(fsync, EIO, ENOSPC, EDQUOT, EROFS),
    ERRORS(rename, EACCES, EROFS, EIO, ENOSPC, EXDEV),
    ERRORS(unlink, EACCES, EROFS, EIO),
    ERRORS(unlinkat, EACCES, EROFS, ENOENT),
    ERRORS(sysconf, EINVAL),
    ERRORS(sched_getaffinity, EINVAL),
    ERRORS(close, EIO, EINTR, EDQUOT),
    ERRORS(fclose, EIO, ENOSPC, EDQUOT),
    ERRORS(closedir, EBADF),
    ERRORS(pthread_create, EAGAIN, EPERM),
    ERRORS(posix_fadvise, EINVAL, ESPIPE),
    OUT_OF_MEMORY(posix_spawnattr_init),
    OUT_OF_MEMORY(posix_spawn_file_actions_init),
    OUT_OF_MEMORY(posix_spawn_file_actions_adddup2),
    ERRORS(posix_spawnp, ENOENT, EACCES, EAGAIN, ENOMEM),
    ERRORS(pread, EINTR, EIO, ESTALE, EAGAIN),
    ERRORS(pwrite, EINTR, FULL_DISK, EAGAIN),
    ERRORS(fread, EIO, EISDIR),
    ERRORS(getc, EIO, EISDIR),
    ERRORS(fgets, EIO, ENOMEM),
    STREAM_ERRORS(fwrite),
    STREAM_ERRORS(fputs),
    STREAM_ERRORS(fputc),
    STREAM_ERRORS(fflush),
    STREAM_ERRORS(puts),
    STREAM_ERRORS(putchar),
    STREAM_ERRORS(printf),
    STREAM_ERRORS(fprintf),
    STREAM_ERRORS(__printf_chk),
    STREAM_ERRORS(__fprintf_chk),
    ERRORS(open, EACCES, EROFS, ENOSPC, EDQUOT, EMFILE, EIO),
    ERRORS(ioctl, ENOTTY, EIO),
    ERRORS(openat, EACCES, EMFILE, ENOENT, EINTR),
};

const int *file_errors(libc_call call, libc_reach reach)
{
    static const int none[] = {0}, one[] = {EIO, 0};
    if (reach == LIBC_SHORT || reach == LIBC_NOTHING)
        return call == LIBC_pread || call == LIBC_pwrite ? one : none;
    return errors_of[call];
}

/* Returns 1 if memory is missing. With another order of threads it may be an allocation that fails with the error of
   another call. */
static int is_memory(const libc_fault *fault, libc_call call)
{
    return call < LIBC___getdelim || (call == LIBC___getdelim && fault->error == ENOMEM);
}

/* Returns 1 for calls that open the input or the output, before a row is computed. */
static int is_opening(libc_call call)
{
    return call == LIBC_fopen || call == LIBC_stat || call == LIBC_fstat || call == LIBC_fread || call == LIBC_getc ||
           call == LIBC___getdelim;
}

static int names_output(const char *text)
{
    for (int i = 0; i < FILE_FINAL_NAMES; i++)
        if (strstr(text, file_names[i]))
            return 1;
    return 0;
}

int file_status_is_right(const libc_fault *fault, libc_call call, int status, const char *text)
{
    if (is_memory(fault, call)) /* the command can also go on without it, to the next input */
        return status == 1 || (fault->reach == LIBC_EVERYTHING && strstr(text, "n.txt: "));
    if (fault->reach == LIBC_EVERYTHING)
        return status == 1 || status == 2;
    return status == (call == LIBC_dlopen || (is_opening(call) && !names_output(text)) ? 2 : 1);
}

int file_may_be_ignored(const libc_fault *fault, libc_call call)
{
    switch (call) {
    case LIBC_pread: /* it is repeated for the rest */
        return fault->error == EINTR || fault->reach == LIBC_SHORT;
    case LIBC_pwrite:
        return fault->error == EINTR || fault->reach == LIBC_SHORT;
    case LIBC_ftruncate:
        return fault->error == EINTR;
    case LIBC_fallocate: /* the file system does not have it, or finds out later */
        return fault->error == EOPNOTSUPP || fault->error == ENOSYS || fault->error == EINTR;
    case LIBC_fsync:
    case LIBC_rename:
    case LIBC_fwrite:
    case LIBC_fputs:
    case LIBC_fputc:
    case LIBC_fflush:
    case LIBC_puts:
    case LIBC_putchar:
    case LIBC_printf:
    case LIBC_fprintf:
    case LIBC___printf_chk:
    case LIBC___fprintf_chk:
    case LIBC_mkstemp:
    case LIBC_realpath:
    case LIBC_fopen:
    case LIBC_fread:
    case LIBC_getc:
    case LIBC___getdelim:
        return 0;
    default:
        return 1; /* the bytes are checked anyway */
    }
}

int file_text_names(const char *text, const libc_fault *fault, libc_call call)
{
    int may_be_memory = is_memory(fault, call) || fault->error == ENOMEM || fault->reach == LIBC_EVERYTHING ||
                        strstr(text, "the source of a kernel") ||
                        strstr(text, "the page"); /* a stream into memory fails only where memory is missing */
    /* A closed pipe is not spoken of; but where every later call fails as it does, so do those for files. */
    int is_spoken_of = fault->error != EPIPE || fault->reach == LIBC_EVERYTHING;
    int names_error = is_spoken_of && strstr(text, strerror(fault->error));
    if (names_error || (may_be_memory && strstr(text, "memory")))
        return 1;
    if (fault->reach == LIBC_NOTHING)
        return strstr(text, "became shorter") || strstr(text, "did not write all of it");
    if (call == LIBC_posix_spawnp && (fault->error == ENOENT || fault->error == EACCES))
        return strstr(text, "gnuplot is not installed") != NULL;
    if (fault->error == EPIPE && strstr(text, "gnuplot failed: ")) /* it has ended, and says why */
        return 1;
    return call == LIBC_dlopen && strstr(text, "OpenCL");
}
