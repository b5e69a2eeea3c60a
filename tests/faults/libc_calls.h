/* The calls of the C library that can fail, and how they do. The linker hands them to libc_layer.c (--wrap), and CMake
   reads their names here. cli/faults.bats compares them with what the command calls. How they fail:
     MEMORY    returns NULL, with errno; what it gives is freed by free()
     OBJECT    returns NULL, with errno
     REFUSED   returns -1, with errno, and does nothing
     LATE      does its work, then returns EOF (-1), with errno: what is closed is gone
     CODE      returns the error
     TRANSFER  returns -1, with errno, or moves fewer bytes than asked for
     STREAM    returns the value in the third column, and sets the stream's error indicator
     BY_HAND   is written out in libc_layer.c
   The order matters. Calls that take memory come first, up to __getdelim (is_memory in libc_layer.c and file_errors.c);
   those of streams come last, from fread on (check_reached in file_faults.c). */
#ifndef CLSOFTMAX_LIBC_CALLS_H
#define CLSOFTMAX_LIBC_CALLS_H

/* clang-format off */
#define LIBC_CALLS(MEMORY, OBJECT, REFUSED, LATE, CODE, TRANSFER, STREAM, BY_HAND)                                     \
    MEMORY(malloc, void *, (size_t size), (size))                                                                      \
    MEMORY(calloc, void *, (size_t count, size_t size), (count, size))                                                 \
    MEMORY(aligned_alloc, void *, (size_t alignment, size_t size), (alignment, size))                                  \
    MEMORY(strdup, char *, (const char *text), (text))                                                                 \
    MEMORY(open_memstream, FILE *, (char **text, size_t *length), (text, length))                                      \
    BY_HAND(realloc)                                                                                                   \
    BY_HAND(__getdelim)                                                                                                \
    BY_HAND(ioctl)                                                                                                     \
    BY_HAND(open)                                                                                                      \
    BY_HAND(openat)                                                                                                    \
    OBJECT(fopen, FILE *, (const char *path, const char *mode), (path, mode))                                          \
    OBJECT(fdopen, FILE *, (int descriptor, const char *mode), (descriptor, mode))                                     \
    OBJECT(opendir, DIR *, (const char *path), (path))                                                                 \
    OBJECT(readdir, struct dirent *, (DIR *folder), (folder))                                                          \
    OBJECT(realpath, char *, (const char *path, char *canonical), (path, canonical))                                   \
    OBJECT(dlopen, void *, (const char *path, int flags), (path, flags))                                               \
    REFUSED(mmap, void *, (void *at, size_t size, int access, int flags, int descriptor, off_t offset),                \
            (at, size, access, flags, descriptor, offset))                                                             \
    REFUSED(madvise, int, (void *at, size_t size, int advice), (at, size, advice))                                     \
    REFUSED(mkstemp, int, (char *path), (path))                                                                        \
    REFUSED(memfd_create, int, (const char *name, unsigned flags), (name, flags))                                      \
    REFUSED(dup, int, (int descriptor), (descriptor))                                                                  \
    REFUSED(pipe2, int, (int *ends, int flags), (ends, flags))                                                         \
    REFUSED(waitpid, pid_t, (pid_t process, int *status, int options), (process, status, options))                     \
    REFUSED(lseek, off_t, (int descriptor, off_t offset, int from), (descriptor, offset, from))                        \
    REFUSED(stat, int, (const char *path, struct stat *found), (path, found))                                          \
    REFUSED(fstat, int, (int descriptor, struct stat *found), (descriptor, found))                                     \
    REFUSED(fchmod, int, (int descriptor, mode_t mode), (descriptor, mode))                                            \
    REFUSED(flock, int, (int descriptor, int operation), (descriptor, operation))                                      \
    REFUSED(ftruncate, int, (int descriptor, off_t length), (descriptor, length))                                      \
    REFUSED(fallocate, int, (int descriptor, int mode, off_t offset, off_t length),                                    \
            (descriptor, mode, offset, length))                                                                        \
    REFUSED(sync_file_range, int, (int descriptor, off_t offset, off_t length, unsigned flags),                        \
            (descriptor, offset, length, flags))                                                                       \
    REFUSED(fsync, int, (int descriptor), (descriptor))                                                                \
    REFUSED(rename, int, (const char *from, const char *to), (from, to))                                               \
    REFUSED(unlink, int, (const char *path), (path))                                                                   \
    REFUSED(unlinkat, int, (int folder, const char *name, int flags), (folder, name, flags))                           \
    REFUSED(sysconf, long, (int name), (name))                                                                         \
    REFUSED(sched_getaffinity, int, (pid_t process, size_t size, cpu_set_t *set), (process, size, set))                \
    LATE(close, (int descriptor), (descriptor))                                                                        \
    LATE(fclose, (FILE *stream), (stream))                                                                             \
    LATE(closedir, (DIR *folder), (folder))                                                                            \
    CODE(pthread_create,                                                                                               \
         (pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument),                \
         (thread, attributes, start, argument))                                                                        \
    CODE(posix_fadvise, (int descriptor, off_t offset, off_t length, int advice),                                      \
         (descriptor, offset, length, advice))                                                                         \
    CODE(posix_spawnattr_init, (posix_spawnattr_t *attributes), (attributes))                                          \
    CODE(posix_spawn_file_actions_init, (posix_spawn_file_actions_t *actions), (actions))                              \
    CODE(posix_spawn_file_actions_adddup2, (posix_spawn_file_actions_t *actions, int from, int to),                    \
         (actions, from, to))                                                                                          \
    CODE(posix_spawnp,                                                                                                 \
         (pid_t *process, const char *file, const posix_spawn_file_actions_t *actions,                                 \
          const posix_spawnattr_t *attributes, char *const *arguments, char *const *environment),                      \
         (process, file, actions, attributes, arguments, environment))                                                 \
    TRANSFER(pread, (int descriptor, void *to, size_t count, off_t offset), (descriptor, to, count, offset))           \
    TRANSFER(pwrite, (int descriptor, const void *from, size_t count, off_t offset),                                   \
             (descriptor, from, count, offset))                                                                        \
    STREAM(fread, size_t, 0, (void *to, size_t size, size_t count, FILE *stream), (to, size, count, stream))           \
    STREAM(getc, int, EOF, (FILE *stream), (stream))                                                                   \
    STREAM(fgets, char *, NULL, (char *to, int room, FILE *stream), (to, room, stream))                                \
    STREAM(fwrite, size_t, 0, (const void *from, size_t size, size_t count, FILE *stream),                             \
           (from, size, count, stream))                                                                                \
    STREAM(fputs, int, EOF, (const char *text, FILE *stream), (text, stream))                                          \
    STREAM(fputc, int, EOF, (int c, FILE *stream), (c, stream))                                                        \
    STREAM(fflush, int, EOF, (FILE *stream), (stream))                                                                 \
    BY_HAND(puts)                                                                                                      \
    BY_HAND(putchar)                                                                                                   \
    BY_HAND(printf)                                                                                                    \
    BY_HAND(fprintf)                                                                                                   \
    BY_HAND(__printf_chk)                                                                                              \
    BY_HAND(__fprintf_chk)                                                                                             \
    BY_HAND(__pread_chk)                                                                                               \
    BY_HAND(__fread_chk)                                                                                               \
    BY_HAND(__fgets_chk)                                                                                               \
    BY_HAND(__realpath_chk)
/* clang-format on */

#endif
