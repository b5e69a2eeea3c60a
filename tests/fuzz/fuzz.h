/* What the fuzz targets share. libFuzzer calls LLVMFuzzerTestOneInput with inputs that it makes (./dev fuzz), replay.c
   with the files of a corpus. cli/faults.bats plants a fault for each target, which its corpus must show. */
#ifndef CLSOFTMAX_FUZZ_H
#define CLSOFTMAX_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Aborts unless the condition holds. There is no assert in a release build. */
#define FUZZ_CHECK(condition)                                                                                          \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition);                              \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

/* Makes a file in memory with these bytes, and writes its path. The caller closes it. */
enum { FUZZ_PATH_BYTES = 64 };
static inline int fuzz_file(const void *data, size_t size, char *path)
{
    int file = memfd_create("fuzz.txt", 0);
    FUZZ_CHECK(file >= 0 && write(file, data, size) == (ssize_t)size);
    snprintf(path, FUZZ_PATH_BYTES, "/proc/self/fd/%d", file);
    return file;
}

/* The input, as a stream of numbers with zeros behind its end. */
typedef struct fuzz_bytes {
    const uint8_t *at, *end;
} fuzz_bytes;

static inline uint64_t fuzz_number(fuzz_bytes *bytes, size_t size)
{
    uint64_t number = 0;
    for (size_t i = 0; i < size; i++)
        number |= (bytes->at < bytes->end ? (uint64_t)*bytes->at++ : 0) << 8 * i;
    return number;
}

/* Takes one of `count` choices out of a number, and leaves the rest of the number for further ones. */
static inline unsigned fuzz_choice(uint64_t *number, unsigned count)
{
    unsigned choice = (unsigned)(*number % count);
    *number /= count;
    return choice;
}

#endif
