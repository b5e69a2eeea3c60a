/* Where the numbers of a command come from: see source.h. */
#include "files/source.h"

#include "files/array_text.h"
#include "files/npy_fortran.h"
#include "support/messages.h"
#include "support/values.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

static int read_fortran(uint64_t memory, source *source)
{
    array *array = &source->array;
    uint64_t size = array_element_size(array);
    COMPLAIN_IF(array->elements > memory / size, EXIT_WRONG,
                "%s: in Fortran order, which is read at once, and larger than --memory (%llu bytes); "
                "numpy.ascontiguousarray makes it one that is read in slabs",
                source->file.path, (unsigned long long)memory);
    source->held = array->elements * size;
    int status = npy_read_fortran(&source->file, array);
    npy_file_close(&source->file);
    return status;
}

static int open_npy(const char *path, int has_bf16, uint64_t memory, source *source)
{
    npy_file *file = &source->file;
    array *array = &source->array;
    FORWARD(npy_file_open(path, array->content, has_bf16, file));
    array->is_double = file->is_double;
    array->dtype = file->dtype;
    array->dimensions = file->header.dimensions;
    memcpy(array->shape, file->header.shape, sizeof array->shape);
    array->elements = file->header.elements;
    return file->header.fortran_order ? read_fortran(memory, source) : EXIT_DONE;
}

static int find_version(const char *path, source_version *version)
{
    struct stat found;
    if (strcmp(path, "-") == 0)
        return EXIT_DONE;
    COMPLAIN_IF(stat(path, &found) != 0, EXIT_WRONG, "%s: %s", path, strerror(errno));
    version->device = (uint64_t)found.st_dev;
    version->inode = (uint64_t)found.st_ino;
    version->bytes = (uint64_t)found.st_size;
    version->seconds = (int64_t)found.st_mtim.tv_sec;
    version->nanoseconds = (int64_t)found.st_mtim.tv_nsec;
    return EXIT_DONE;
}

/* The version is looked up before the file is read: a change on the way then counts as another version. */
static int open_file(const char *path, const source_reading *reading, source *source)
{
    int is_npy = ends_with(path, ".npy");
    int is_text =
        ends_with(path, ".txt") || ends_with(path, ".csv") || ends_with(path, ".tsv") || strcmp(path, "-") == 0;
    COMPLAIN_IF(!is_npy && !is_text, EXIT_WRONG,
                "%s: unknown kind of file; it takes .npy, .txt, .csv, .tsv, or - for text on standard input", path);
    COMPLAIN_IF(is_npy && reading->text.header == TEXT_HEADER, EXIT_WRONG, "%s: --header is for text files", path);
    FORWARD(find_version(path, &source->version));
    return is_npy ? open_npy(path, reading->has_bf16, reading->memory, source)
                  : array_read_text(path, &reading->text, &source->array);
}

int source_open(const char *path, const source_reading *reading, source *source)
{
    memset(source, 0, sizeof *source);
    source->file.descriptor = -1;
    source->array.content = reading->content;
    int status = open_file(path, reading, source);
    if (status != EXIT_DONE)
        source_close(source);
    return status;
}

void source_close(source *source)
{
    npy_file_close(&source->file);
    array_release(&source->array);
}

void source_slice(source *source, uint64_t begin, uint64_t end)
{
    array *array = &source->array;
    uint64_t each = 1;
    for (unsigned i = 1; i < array->dimensions; i++)
        each *= array->shape[i];
    source->skip += begin * each;
    array->shape[0] = end - begin;
    array->elements = (end - begin) * each;
}

int source_read(const source *source, uint64_t first, uint64_t count, void *values)
{
    first += source->skip;
    if (source->file.descriptor >= 0)
        return npy_file_read(&source->file, first, count, values);
    size_t size = array_element_size(&source->array);
    if (count > 0)
        memcpy(values, (const char *)source->array.values + first * size, (size_t)count * size);
    return EXIT_DONE;
}
