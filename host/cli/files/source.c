/* Where the numbers of a command come from: see source.h. */
#include "files/source.h"

#include "files/array_fortran.h"
#include "files/array_text.h"
#include "files/input_stream.h"
#include "files/npy_file.h"
#include "files/npz_file.h"
#include "files/other_kinds.h"
#include "files/safetensors_file.h"
#include "files/spool.h"
#include "support/messages.h"
#include "support/values.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---------------------------------------------------------------- Kinds of files */

typedef struct file_kind {
    const char *suffix;
    array_finder *find; /* NULL: text */
    int may_hold_several;
} file_kind;

static const file_kind kinds[] = {
    {".npy", npy_find, 0},
#ifdef CLSOFTMAX_WITH_LIBZIP
    {".npz", npz_find, 1},
#endif
#ifdef CLSOFTMAX_WITH_JANSSON
    {".safetensors", safetensors_find, 1},
#endif
    {".txt", NULL, 0},
    {".csv", NULL, 0},
    {".tsv", NULL, 0},
};
static const file_kind *const npy = &kinds[0];
static const file_kind text = {"", NULL, 0}; /* under any other name */

/* Returns NULL if the name does not tell. */
static const file_kind *kind_of_name(const char *path)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (ends_with(path, kinds[i].suffix))
            return &kinds[i];
    return NULL;
}

/* Finds the kind of a stream whose name does not tell: .npy begins with a byte with which no text does. */
static int find_kind(const input_stream *stream, const file_kind **kind)
{
    int first = getc(stream->file);
    COMPLAIN_IF(first == EOF && ferror(stream->file), EXIT_WRONG, "%s: %s", stream->name, strerror(errno));
    if (first != EOF)
        ungetc(first, stream->file);
    *kind = first == 0x93 ? npy : &text;
    return EXIT_DONE;
}

/* Takes FILE:NAME apart, where FILE may hold several arrays. */
static void split_path(char *path, const char **name)
{
    for (char *colon = strchr(path, ':'); colon; colon = strchr(colon + 1, ':')) {
        *colon = '\0';
        const file_kind *kind = kind_of_name(path);
        if (kind && kind->may_hold_several) {
            *name = colon + 1;
            return;
        }
        *colon = ':';
    }
}

/* ---------------------------------------------------------------- Opening */

static int read_fortran(uint64_t memory, source *source)
{
    array *array = &source->array;
    uint64_t size = array_element_size(array);
    COMPLAIN_IF(array->elements > memory / size, EXIT_WRONG,
                "%s: in Fortran order, which is read at once, and larger than --memory (%llu bytes); "
                "numpy.ascontiguousarray makes it one that is read in slabs",
                source->file.path, (unsigned long long)memory);
    source->held = array->elements * size;
    int status = array_read_fortran(&source->file, array);
    array_file_close(&source->file);
    return status;
}

/* Opens a file that holds an array. A pipe is copied into a temporary file first, because a finder seeks. */
static int open_seekable(const file_kind *kind, const input_stream *stream, int is_regular, array_file *file)
{
    if (is_regular)
        return array_file_open(stream->file, kind->find, file);
    FILE *copy;
    FORWARD(spool(stream->name, spool_stream, (void *)(uintptr_t)stream, &copy));
    int status = array_file_open(copy, kind->find, file);
    fclose(copy);
    return status;
}

static int open_array(const file_kind *kind, const input_stream *stream, int is_regular, const source_reading *reading,
                      source *source)
{
    array_file *file = &source->file;
    array *array = &source->array;
    FORWARD(open_seekable(kind, stream, is_regular, file));
    array->is_double = file->is_double;
    array->dtype = file->dtype;
    array->dimensions = file->header.dimensions;
    memcpy(array->shape, file->header.shape, sizeof array->shape);
    array->elements = file->header.elements;
    return file->header.fortran_order ? read_fortran(reading->memory, source) : EXIT_DONE;
}

/* Looks up what a path leads to, before it is read: a change on the way then counts as another version. */
static int find_file(const char *path, source_version *version, mode_t *mode)
{
    struct stat found;
    *mode = S_IFIFO;
    if (strcmp(path, "-") == 0)
        return EXIT_DONE;
    COMPLAIN_IF(stat(path, &found) != 0, EXIT_WRONG, "%s: %s", path, strerror(errno));
    *mode = found.st_mode & S_IFMT;
    COMPLAIN_IF(*mode == S_IFDIR, EXIT_WRONG, "%s: is a directory", path);
    version->device = (uint64_t)found.st_dev;
    version->inode = (uint64_t)found.st_ino;
    version->bytes = (uint64_t)found.st_size;
    version->seconds = (int64_t)found.st_mtim.tv_sec;
    version->nanoseconds = (int64_t)found.st_mtim.tv_nsec;
    return EXIT_DONE;
}

static int open_stream(const file_kind *kind, const input_stream *stream, mode_t mode, const source_reading *reading,
                       source *source)
{
    if (!kind)
        FORWARD(find_kind(stream, &kind));
    COMPLAIN_IF(kind->find && reading->text.header == TEXT_HEADER, EXIT_WRONG, "%s: --header is for text files",
                stream->name);
    COMPLAIN_IF(source->file.tensor && !kind->may_hold_several, EXIT_WRONG,
                "%s: --tensor is for files that hold several arrays, .npz and .safetensors", stream->name);
    return kind->find ? open_array(kind, stream, mode == S_IFREG, reading, source)
                      : array_read_text(stream, &reading->text, &source->array);
}

static int open_path(const source_reading *reading, source *source)
{
    const char *path = source->file.path;
    const file_kind *kind = kind_of_name(path);
    input_stream stream;
    mode_t mode;
    FORWARD(kind ? EXIT_DONE : complain_if_known_kind(path));
    FORWARD(find_file(path, &source->version, &mode));
    COMPLAIN_IF(
        !kind && mode == S_IFREG, EXIT_WRONG,
        "%s: unknown kind of file; it takes .npy, .npz, .safetensors, .txt, .csv, .tsv, or - for standard input", path);
    FORWARD(input_stream_open(path, &stream));
    int status = open_stream(kind, &stream, mode, reading, source);
    input_stream_close(&stream);
    return status;
}

int source_open(const char *path, const source_reading *reading, source *source)
{
    memset(source, 0, sizeof *source);
    array_file *file = &source->file;
    file->descriptor = -1;
    file->content = source->array.content = reading->content;
    file->has_bf16 = reading->has_bf16;
    file->path = strdup(path);
    COMPLAIN_IF(!file->path, EXIT_FAILED, "%s: no memory for its name", path);
    split_path(file->path, &file->tensor);
    if (reading->tensor)
        file->tensor = reading->tensor;
    int status = open_path(reading, source);
    if (status != EXIT_DONE)
        source_close(source);
    return status;
}

void source_close(source *source)
{
    array_file_close(&source->file);
    free(source->file.path);
    source->file.path = NULL;
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
        return array_file_read(&source->file, first, count, values);
    size_t size = array_element_size(&source->array);
    if (count > 0)
        memcpy(values, (const char *)source->array.values + first * size, (size_t)count * size);
    return EXIT_DONE;
}
