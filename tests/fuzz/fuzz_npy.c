/* The readers of .npy, .npz and .safetensors files: the first byte chooses what the numbers are, the rest is the file.
   Every element is read at once and in parts, and both must be the same. What is opened can be read. */
#include "support/messages.h"
#include "fuzz.h"
#include "files/source.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

const char program_name[] = "fuzz";

/* What the name of the file ends with. */
#ifndef FUZZ_SUFFIX
#define FUZZ_SUFFIX ".npy"
#endif

#define MOST_ELEMENTS 100000

static void read_all(const source *source, uint64_t part)
{
    uint64_t elements = source->array.elements;
    size_t size = array_element_size(&source->array);
    char *whole = calloc(elements + 1, size), *parts = calloc(elements + 1, size);
    int status = source_read(source, 0, elements, whole), in_parts = EXIT_DONE;
    for (uint64_t first = 0; first < elements && in_parts == EXIT_DONE; first += part)
        in_parts = source_read(source, first, elements - first < part ? elements - first : part, parts + first * size);
    FUZZ_CHECK(status == in_parts && status != EXIT_FAILED);
    FUZZ_CHECK(status != EXIT_DONE || memcmp(whole, parts, elements * size) == 0);
    free(whole);
    free(parts);
}

static char path[64];

static void remove_path(void)
{
    unlink(path);
}

/* Writes the file that `path` names. There is one for all inputs, because making and removing a name takes longer than
   all else. */
static int write_file(const uint8_t *data, size_t size)
{
    static int file = -1;
    if (file < 0) {
        char target[64];
        file = memfd_create("fuzz", 0);
        snprintf(path, sizeof path, "/tmp/clsoftmax-fuzz-%d" FUZZ_SUFFIX, (int)getpid());
        snprintf(target, sizeof target, "/proc/self/fd/%d", file);
        unlink(path);
        if (symlink(target, path) != 0)
            return 0;
        atexit(remove_path);
    }
    return ftruncate(file, 0) == 0 && pwrite(file, data, size, 0) == (ssize_t)size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    FUZZ_CHECK(write_file(data + 1, size - 1));
    const source_reading reading = {
        .content = (array_content)(data[0] % 4), .has_bf16 = data[0] & 4, .memory = 1 << 20};
    source source;
    int status = source_open(path, &reading, &source);
    if (status == EXIT_DONE) {
        FUZZ_CHECK((source.array.dimensions >= 1 || reading.content == ARRAY_FLOATS) &&
                   source.array.dimensions <= ARRAY_MOST_DIMENSIONS);
        if (source.array.elements <= MOST_ELEMENTS)
            read_all(&source, (data[0] >> 3) + 1);
        source_close(&source);
    } else {
        FUZZ_CHECK(status == EXIT_WRONG || status == EXIT_FAILED);
    }
    return 0;
}
