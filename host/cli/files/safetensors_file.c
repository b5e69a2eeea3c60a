/*
 * .safetensors files, read: see safetensors_file.h.
 *
 * Format: https://github.com/huggingface/safetensors. Eight bytes with the length of the header, little-endian; the
 * header, a JSON object with dtype, shape and data_offsets of each tensor; their data, without overlaps and holes,
 * which fills the rest of the file. All of it is checked, whichever tensor is wanted: a file that breaks one of these
 * rules is damaged, or means to deceive. jansson parses the JSON.
 */
#include "files/safetensors_file.h"

#include "support/messages.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { LENGTH_BYTES = 8, MOST_HEADER_BYTES = 100000000 }; /* the limit of the format's own library */

static const char metadata[] = "__metadata__";

/* The dtypes of the format. Those without a descr are not read; bytes 0: an element is less than a byte. */
static const struct dtype_row {
    const char *name, *descr;
    unsigned bytes;
} dtype_rows[] = {
    {"F32", "<f4", 4},        {"F16", "<f2", 2},        {"BF16", "<V2", 2},   {"F64", "<f8", 8},
    {"I8", "|i1", 1},         {"I16", "<i2", 2},        {"I32", "<i4", 4},    {"I64", "<i8", 8},
    {"U8", "|u1", 1},         {"U16", "<u2", 2},        {"U32", "<u4", 4},    {"U64", "<u8", 8},
    {"BOOL", "|b1", 1},       {"F8_E4M3", NULL, 1},     {"F8_E5M2", NULL, 1}, {"F8_E8M0", NULL, 1},
    {"F8_E4M3FNUZ", NULL, 1}, {"F8_E5M2FNUZ", NULL, 1}, {"C64", NULL, 8},     {"F4", NULL, 0},
    {"F6_E2M3", NULL, 0},     {"F6_E3M2", NULL, 0},
};

/* Returns NULL for a dtype that the format does not have. */
static const struct dtype_row *find_dtype(const char *name)
{
    for (size_t i = 0; i < sizeof dtype_rows / sizeof *dtype_rows; i++)
        if (strcmp(dtype_rows[i].name, name) == 0)
            return &dtype_rows[i];
    return NULL;
}

/* ---------------------------------------------------------------- The header */

/* The bytes of a tensor, counted from the end of the header. */
typedef struct extent {
    uint64_t begin, end;
} extent;

static int is_size(const json_t *value)
{
    return json_is_integer(value) && json_integer_value(value) >= 0;
}

static const char *read_extent(const json_t *entry, extent *extent)
{
    const json_t *offsets = json_object_get(entry, "data_offsets");
    const json_t *begin = json_array_get(offsets, 0), *end = json_array_get(offsets, 1);
    if (json_array_size(offsets) != 2 || !is_size(begin) || !is_size(end))
        return "data_offsets are not two whole numbers from 0 on";
    extent->begin = (uint64_t)json_integer_value(begin);
    extent->end = (uint64_t)json_integer_value(end);
    return extent->begin > extent->end ? "data_offsets go backward" : NULL;
}

_Static_assert(ARRAY_MOST_DIMENSIONS == 32, "a message of read_shape has this number");

static const char *read_shape(const json_t *entry, array_header *header)
{
    const json_t *shape = json_object_get(entry, "shape");
    if (!json_is_array(shape))
        return "the shape is not an array";
    if (json_array_size(shape) > ARRAY_MOST_DIMENSIONS)
        return "the shape has more than 32 dimensions";
    header->dimensions = (unsigned)json_array_size(shape);
    for (unsigned i = 0; i < header->dimensions; i++) {
        const json_t *size = json_array_get(shape, i);
        if (!is_size(size))
            return "the shape has something that is not a whole number from 0 on";
        header->shape[i] = (uint64_t)json_integer_value(size);
    }
    return array_header_count(header);
}

/* Reads what the header says of a tensor. Returns NULL, or what is wrong with it. */
static const char *read_entry(const json_t *entry, array_header *header, const struct dtype_row **dtype, extent *extent)
{
    const char *name = json_string_value(json_object_get(entry, "dtype"));
    memset(header, 0, sizeof *header);
    if (!name || json_object_size(entry) != 3)
        return "it has not exactly dtype, shape and data_offsets";
    *dtype = find_dtype(name);
    if (!*dtype)
        return "a dtype that .safetensors does not have";
    const char *wrong = read_shape(entry, header);
    if (!wrong)
        wrong = read_extent(entry, extent);
    if (!wrong && (*dtype)->bytes > 0 && header->elements * (*dtype)->bytes != extent->end - extent->begin)
        wrong = "data_offsets do not fit shape and dtype";
    return wrong;
}

static int compare_extents(const void *a_, const void *b_)
{
    const extent *a = a_, *b = b_;
    if (a->begin != b->begin)
        return a->begin < b->begin ? -1 : 1;
    return (a->end > b->end) - (a->end < b->end);
}

/* Checks that the tensors, one behind another, are all of the data. */
static int check_extents(const char *path, extent *extents, size_t count, uint64_t data_bytes)
{
    uint64_t end = 0;
    qsort(extents, count, sizeof *extents, compare_extents);
    for (size_t i = 0; i < count; end = extents[i++].end)
        COMPLAIN_IF(extents[i].begin != end, EXIT_WRONG,
                    "%s: tensors overlap, or leave a hole, at byte %llu of the data", path,
                    (unsigned long long)(extents[i].begin < end ? extents[i].begin : end));
    COMPLAIN_IF(end != data_bytes, EXIT_WRONG, "%s: the tensors take %llu bytes, but the file has %llu for them", path,
                (unsigned long long)end, (unsigned long long)data_bytes);
    return EXIT_DONE;
}

/* Checks every entry, and gathers the extents of the tensors. */
static int check_entries(const char *path, json_t *root, extent *extents, size_t *count)
{
    const char *name;
    json_t *entry;
    *count = 0;
    json_object_foreach(root, name, entry)
    {
        array_header header;
        const struct dtype_row *dtype;
        if (strcmp(name, metadata) == 0)
            continue;
        const char *wrong = read_entry(entry, &header, &dtype, &extents[*count]);
        COMPLAIN_IF(wrong, EXIT_WRONG, "%s: tensor \"%.100s\": %s", path, name, wrong);
        ++*count;
    }
    return EXIT_DONE;
}

static int check_tensors(const char *path, json_t *root, uint64_t data_bytes)
{
    size_t count;
    extent *extents = calloc(json_object_size(root) + 1, sizeof *extents);
    COMPLAIN_IF(!extents, EXIT_FAILED, "%s: no memory for its header", path);
    int status = check_entries(path, root, extents, &count);
    if (status == EXIT_DONE)
        status = check_extents(path, extents, count, data_bytes);
    free(extents);
    return status;
}

/* ---------------------------------------------------------------- The tensor that is wanted */

/* Complains that one has to be chosen. */
static int complain_choice(const array_file *file, json_t *root)
{
    array_names names = {.text = ""};
    const char *name;
    json_t *entry;
    json_object_foreach(root, name, entry)
    {
        (void)entry;
        if (strcmp(name, metadata) != 0)
            array_names_add(&names, name, strlen(name));
    }
    return array_names_complain(&names, file, "tensor");
}

static json_t *first_tensor(json_t *root)
{
    const char *name;
    json_t *entry;
    json_object_foreach(root, name, entry)
    {
        if (strcmp(name, metadata) != 0)
            return entry;
    }
    return NULL;
}

static int choose_tensor(json_t *root, uint64_t data_offset, array_file *file)
{
    const size_t count = json_object_size(root) - (json_object_get(root, metadata) != NULL);
    json_t *entry = NULL;
    COMPLAIN_IF(count == 0, EXIT_WRONG, "%s: it holds no tensor", file->path);
    if (file->tensor && strcmp(file->tensor, metadata) != 0)
        entry = json_object_get(root, file->tensor);
    else if (!file->tensor && count == 1)
        entry = first_tensor(root);
    if (!entry)
        return complain_choice(file, root);
    const struct dtype_row *dtype = NULL;
    extent extent = {0, 0};
    (void)read_entry(entry, &file->header, &dtype, &extent); /* it has been checked */
    COMPLAIN_IF(!dtype->descr, EXIT_WRONG,
                "%s: dtype %s is not supported; it takes F16, BF16, F32, F64, integers, BOOL", file->path, dtype->name);
    strcpy(file->header.descr, dtype->descr);
    file->has_bf16 = strcmp(dtype->name, "BF16") == 0;
    file->header.data_offset = data_offset + extent.begin;
    file->header.end = data_offset + extent.end;
    return EXIT_DONE;
}

/* ---------------------------------------------------------------- The file */

/* Reads the length of the header and the header into *text, which is allocated. */
static int read_text(FILE *stream, const char *path, uint64_t file_bytes, char **text, uint64_t *length)
{
    unsigned char start[LENGTH_BYTES];
    size_t count = fread(start, 1, LENGTH_BYTES, stream);
    COMPLAIN_IF(count != LENGTH_BYTES, EXIT_WRONG, "%s: %s", path,
                ferror(stream) ? strerror(errno) : "this is not a .safetensors file");
    *length = 0;
    for (int i = LENGTH_BYTES; i > 0; i--)
        *length = *length << 8 | start[i - 1];
    COMPLAIN_IF(*length > MOST_HEADER_BYTES, EXIT_WRONG, "%s: a header of %llu bytes; at most %d are taken", path,
                (unsigned long long)*length, MOST_HEADER_BYTES);
    COMPLAIN_IF(*length > file_bytes - LENGTH_BYTES, EXIT_WRONG, "%s: the file ends within its header", path);
    *text = malloc((size_t)*length + 1);
    COMPLAIN_IF(!*text, EXIT_FAILED, "%s: no memory for its header", path);
    COMPLAIN_IF(fread(*text, 1, (size_t)*length, stream) != *length, EXIT_WRONG, "%s: %s", path,
                ferror(stream) ? strerror(errno) : "the file ends within its header");
    return EXIT_DONE;
}

static int check_metadata(const char *path, const json_t *root)
{
    json_t *entries = json_object_get(root, metadata), *value;
    const char *name;
    COMPLAIN_IF(entries && !json_is_object(entries), EXIT_WRONG, "%s: %s is not an object", path, metadata);
    json_object_foreach(entries, name, value)
        COMPLAIN_IF(!json_is_string(value), EXIT_WRONG, "%s: %s: \"%.100s\" is not a string", path, metadata, name);
    return EXIT_DONE;
}

/* Checks a header that is JSON, and finds the tensor. `data_offset` is the length of what comes before the data. */
static int find_in(json_t *root, uint64_t data_offset, uint64_t file_bytes, array_file *file)
{
    COMPLAIN_IF(!json_is_object(root), EXIT_WRONG, "%s: the header is not a JSON object", file->path);
    FORWARD(check_metadata(file->path, root));
    FORWARD(check_tensors(file->path, root, file_bytes - data_offset));
    return choose_tensor(root, data_offset, file);
}

static int find_in_text(const char *text, uint64_t length, uint64_t file_bytes, array_file *file)
{
    json_error_t error;
    COMPLAIN_IF(length == 0 || *text != '{', EXIT_WRONG, "%s: this is not a .safetensors file", file->path);
    json_t *root = json_loadb(text, (size_t)length, JSON_REJECT_DUPLICATES, &error);
    COMPLAIN_IF(!root, json_error_code(&error) == json_error_out_of_memory ? EXIT_FAILED : EXIT_WRONG,
                "%s: the header is not JSON: %s at byte %d", file->path, error.text, error.position);
    int status = find_in(root, LENGTH_BYTES + length, file_bytes, file);
    json_decref(root);
    return status;
}

int safetensors_find(FILE *stream, array_file *file)
{
    struct stat stat;
    char *text = NULL;
    uint64_t length = 0;
    COMPLAIN_IF(fstat(fileno(stream), &stat) != 0, EXIT_WRONG, "%s: %s", file->path, strerror(errno));
    int status = read_text(stream, file->path, (uint64_t)stat.st_size, &text, &length);
    if (status == EXIT_DONE)
        status = find_in_text(text, length, (uint64_t)stat.st_size, file);
    free(text);
    return status == EXIT_DONE ? array_file_take(stream, file) : status;
}
