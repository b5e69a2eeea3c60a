/* The layer itself: every call of the program to a function of libc_calls.h passes here, where it may fail. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libc_layer.h"

static libc_board own, *board = &own;
static atomic_int is_armed;

libc_board *libc_layer_board(void)
{
    return board;
}

void libc_layer_use(libc_board *shared)
{
    board = shared;
}

void libc_layer_arm(const libc_fault *fault)
{
    atomic_store(&is_armed, 0);
    if (!fault)
        return;
    board->fault = *fault;
    atomic_store(&board->calls, 0);
    atomic_store(&board->struck, 0);
    atomic_store(&is_armed, 1);
}

/* ---------------------------------------------------------------- Which call */

static int is_memory(libc_call call)
{
    return call <= LIBC___getdelim;
}

/* Counts a call. Returns 1 if it must fail. */
static int strikes(libc_call call)
{
    const libc_fault *fault = &board->fault;
    if (!atomic_load(&is_armed) || (fault->memory_only && !is_memory(call)))
        return 0;
    unsigned long n = atomic_fetch_add(&board->calls, 1) + 1;
    if (n <= LIBC_MOST_CALLS)
        atomic_store(&board->trace[n - 1], call);
    if (fault->at == 0 || n < fault->at)
        return 0;
    if (n == fault->at)
        atomic_store(&board->struck, (int)call + 1);
    int is_of_function = fault->reach == LIBC_FUNCTION || fault->reach == LIBC_SHORT;
    if (n > fault->at && fault->reach != LIBC_EVERYTHING &&
        !(is_of_function && atomic_load(&board->struck) == (int)call + 1))
        return 0;
    /* with another order of threads it may be another call than the one that the fault is for */
    int moves_bytes = call == LIBC_pread || call == LIBC_pwrite;
    if (fault->reach != LIBC_NOTHING || !moves_bytes)
        errno = fault->error;
    return board->plant != LIBC_PLANT_IGNORED;
}

/* Counts what a call that has succeeded has given to the program, or taken from it. */
static void note(libc_call call)
{
    static const signed char memory[LIBC_CALL_COUNT] = {
        [LIBC_malloc] = 1, [LIBC_calloc] = 1, [LIBC_aligned_alloc] = 1, [LIBC_strdup] = 1, [LIBC_open_memstream] = 1};
    static const signed char descriptors[LIBC_CALL_COUNT] = {
        [LIBC_open] = 1,           [LIBC_openat] = 1,       [LIBC_mkstemp] = 1, [LIBC_dup] = 1,
        [LIBC_fopen] = 1,          [LIBC_memfd_create] = 1, [LIBC_pipe2] = 2,   [LIBC_opendir] = 1,
        [LIBC_open_memstream] = 1, [LIBC_close] = -1,       [LIBC_fclose] = -1, [LIBC_closedir] = -1};
    atomic_fetch_add(&board->memory, memory[call]);
    atomic_fetch_add(&board->descriptors, descriptors[call]);
}

/* ---------------------------------------------------------------- Calls of a kind */

#define PASS(type, name, parameters, arguments, failed)                                                                \
    type __real_##name parameters;                                                                                     \
    type __wrap_##name parameters;                                                                                     \
    type __wrap_##name parameters                                                                                      \
    {                                                                                                                  \
        if (strikes(LIBC_##name))                                                                                      \
            return (type)failed;                                                                                       \
        type result = __real_##name arguments;                                                                         \
        if (result != (type)failed)                                                                                    \
            note(LIBC_##name);                                                                                         \
        return result;                                                                                                 \
    }
#define NULL_CALL(name, type, parameters, arguments) PASS(type, name, parameters, arguments, NULL)
#define REFUSED_CALL(name, type, parameters, arguments) PASS(type, name, parameters, arguments, -1)
#define LATE_CALL(name, parameters, arguments)                                                                         \
    int __real_##name parameters;                                                                                      \
    int __wrap_##name parameters;                                                                                      \
    int __wrap_##name parameters                                                                                       \
    {                                                                                                                  \
        int fails = strikes(LIBC_##name), error = errno, result = __real_##name arguments;                             \
        note(LIBC_##name);                                                                                             \
        if (fails)                                                                                                     \
            errno = error;                                                                                             \
        return fails ? -1 : result;                                                                                    \
    }
#define CODE_CALL(name, parameters, arguments)                                                                         \
    int __real_##name parameters;                                                                                      \
    int __wrap_##name parameters;                                                                                      \
    int __wrap_##name parameters                                                                                       \
    {                                                                                                                  \
        return strikes(LIBC_##name) ? board->fault.error : __real_##name arguments;                                    \
    }
#define TRANSFER_CALL(name, parameters, arguments)                                                                     \
    ssize_t __real_##name parameters;                                                                                  \
    ssize_t __wrap_##name parameters;                                                                                  \
    ssize_t __wrap_##name parameters                                                                                   \
    {                                                                                                                  \
        int fails = strikes(LIBC_##name);                                                                              \
        if (fails && board->fault.reach == LIBC_NOTHING)                                                               \
            return 0;                                                                                                  \
        if (fails && board->fault.reach != LIBC_SHORT)                                                                 \
            return -1;                                                                                                 \
        if (fails)                                                                                                     \
            count = (count + 1) / 2;                                                                                   \
        return __real_##name arguments;                                                                                \
    }

/* Returns 1 if the call must fail, and marks the stream as failed. Standard error never fails, because the messages
   that are checked are written there. */
static int strikes_stream(libc_call call, FILE *stream)
{
    if (stream == stderr || !strikes(call))
        return 0;
    stream->_flags |= _IO_ERR_SEEN;
    return 1;
}

#define STREAM_CALL(name, type, failed, parameters, arguments)                                                         \
    type __real_##name parameters;                                                                                     \
    type __wrap_##name parameters;                                                                                     \
    type __wrap_##name parameters                                                                                      \
    {                                                                                                                  \
        return strikes_stream(LIBC_##name, stream) ? (type)failed : __real_##name arguments;                           \
    }
#define NO_CALL(name)
LIBC_CALLS(NULL_CALL, NULL_CALL, REFUSED_CALL, LATE_CALL, CODE_CALL, TRANSFER_CALL, STREAM_CALL, NO_CALL)

/* ---------------------------------------------------------------- Calls written by hand */

void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size)
{
    void *grown = strikes(LIBC_realloc) ? NULL : __real_realloc(old, size);
    if (!old && grown)
        atomic_fetch_add(&board->memory, 1);
    return grown;
}

void __real_free(void *memory);
void __wrap_free(void *memory);
void __wrap_free(void *memory)
{
    if (memory)
        atomic_fetch_sub(&board->memory, 1);
    __real_free(memory);
}

/* libzip closes the descriptor that it is given. It is there in the command alone. */
void *__real_zip_fdopen(int descriptor, int flags, int *code) __attribute__((weak));
void *__wrap_zip_fdopen(int descriptor, int flags, int *code);
void *__wrap_zip_fdopen(int descriptor, int flags, int *code)
{
    void *archive = __real_zip_fdopen(descriptor, flags, code);
    if (archive)
        atomic_fetch_sub(&board->descriptors, 1);
    return archive;
}

/* getline calls it. Where memory is missing, it fails without the stream's error indicator. */
ssize_t __real___getdelim(char **line, size_t *capacity, int delimiter, FILE *stream);
ssize_t __wrap___getdelim(char **line, size_t *capacity, int delimiter, FILE *stream);
ssize_t __wrap___getdelim(char **line, size_t *capacity, int delimiter, FILE *stream)
{
    int had_none = !*line;
    if (board->fault.error == ENOMEM ? strikes(LIBC___getdelim) : strikes_stream(LIBC___getdelim, stream))
        return -1;
    ssize_t length = __real___getdelim(line, capacity, delimiter, stream);
    if (had_none && *line)
        atomic_fetch_add(&board->memory, 1);
    return length;
}

int __real_puts(const char *text);
int __wrap_puts(const char *text);
int __wrap_puts(const char *text)
{
    return strikes_stream(LIBC_puts, stdout) ? EOF : __real_puts(text);
}

int __real_putchar(int c);
int __wrap_putchar(int c);
int __wrap_putchar(int c)
{
    return strikes_stream(LIBC_putchar, stdout) ? EOF : __real_putchar(c);
}

static int print(libc_call call, FILE *stream, const char *format, va_list arguments)
{
    return strikes_stream(call, stream) ? -1 : vfprintf(stream, format, arguments);
}

#define PRINT_CALL(name, stream, ...)                                                                                  \
    int __wrap_##name(__VA_ARGS__, const char *format, ...);                                                           \
    int __wrap_##name(__VA_ARGS__, const char *format, ...)                                                            \
    {                                                                                                                  \
        va_list arguments;                                                                                             \
        va_start(arguments, format);                                                                                   \
        int written = print(LIBC_##name, stream, format, arguments);                                                   \
        va_end(arguments);                                                                                             \
        return written;                                                                                                \
    }
PRINT_CALL(fprintf, file, FILE *file)
PRINT_CALL(__fprintf_chk, file, FILE *file, int flag __attribute__((unused)))
PRINT_CALL(__printf_chk, stdout, int flag __attribute__((unused)))

int __wrap_printf(const char *format, ...);
int __wrap_printf(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int written = print(LIBC_printf, stdout, format, arguments);
    va_end(arguments);
    return written;
}

static int note_open(libc_call call, int descriptor)
{
    if (descriptor >= 0)
        note(call);
    return descriptor;
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, mode_t mode);
int __wrap_open(const char *path, int flags, mode_t mode)
{
    return strikes(LIBC_open) ? -1 : note_open(LIBC_open, __real_open(path, flags, mode));
}

int __real_openat(int folder, const char *path, int flags, ...);
int __wrap_openat(int folder, const char *path, int flags, mode_t mode);
int __wrap_openat(int folder, const char *path, int flags, mode_t mode)
{
    return strikes(LIBC_openat) ? -1 : note_open(LIBC_openat, __real_openat(folder, path, flags, mode));
}

int __real_ioctl(int descriptor, unsigned long request, ...);
int __wrap_ioctl(int descriptor, unsigned long request, void *argument);
int __wrap_ioctl(int descriptor, unsigned long request, void *argument)
{
    return strikes(LIBC_ioctl) ? -1 : __real_ioctl(descriptor, request, argument);
}

/* ---------------------------------------------------------------- Names of these calls under _FORTIFY_SOURCE */

ssize_t __wrap___pread_chk(int descriptor, void *to, size_t count, off_t offset, size_t room);
ssize_t __wrap___pread_chk(int descriptor, void *to, size_t count, off_t offset, size_t room)
{
    (void)room;
    return __wrap_pread(descriptor, to, count, offset);
}

size_t __wrap___fread_chk(void *to, size_t room, size_t size, size_t count, FILE *stream);
size_t __wrap___fread_chk(void *to, size_t room, size_t size, size_t count, FILE *stream)
{
    (void)room;
    return __wrap_fread(to, size, count, stream);
}

char *__wrap___fgets_chk(char *to, size_t room, int count, FILE *stream);
char *__wrap___fgets_chk(char *to, size_t room, int count, FILE *stream)
{
    (void)room;
    return __wrap_fgets(to, count, stream);
}

char *__wrap___realpath_chk(const char *path, char *canonical, size_t room);
char *__wrap___realpath_chk(const char *path, char *canonical, size_t room)
{
    (void)room;
    return __wrap_realpath(path, canonical);
}
