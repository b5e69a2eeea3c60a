/* An array in a file that is open for reading: see array_file.h. */
#include "files/array_file.h"

#include "support/messages.h"
#include "support/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---------------------------------------------------------------- Elements */

/* Takes a descr apart, as "<f4"; without a sign, and behind "=", bytes are in the order of x86 and Arm. Returns 1 if
   the order is known, where it matters. */
static int parse_descr(const char *descr, array_element *element)
{
    const char order = strchr("<>=|", descr[0]) ? descr[0] : '=';
    descr += order == descr[0] && order;
    element->big_endian = order == '>';
    element->kind = descr[0];
    element->bytes = descr[0] && descr[1] >= '1' && descr[1] <= '8' && !descr[2] ? (unsigned)(descr[1] - '0') : 0;
    if (element->kind == 'b' && element->bytes == 1) /* NumPy's bool */
        element->kind = 'u';
    return order != '|' || element->bytes == 1 || element->kind == 'V';
}

/* Understands descr for the file's content, and sets what the elements are in the file and in memory. Returns NULL, or
   why it is not taken. */
static const char *find_element(array_file *file)
{
    array_element *element = &file->element;
    const int is_ordered = parse_descr(file->header.descr, element);
    const int is_float = element->kind == 'f' && (element->bytes == 2 || element->bytes == 4 || element->bytes == 8);
    const int is_integer = (element->kind == 'i' || element->kind == 'u') && element->bytes &&
                           (element->bytes & (element->bytes - 1)) == 0;
    const int may_be_bf16 = element->bytes == 2 && (element->kind == 'V' || element->kind == 'u');
    if (file->content != ARRAY_NUMBERS && is_ordered && may_be_bf16) {
        if (!file->has_bf16)
            return "two bytes of an unknown type; --input-dtype bf16 if that is what they are";
        element->kind = 'b';
    } else if (!is_ordered || !(is_float || is_integer)) {
        return file->content == ARRAY_NUMBERS
                   ? "a dtype that is not a number"
                   : "a dtype that is not supported; it takes f2, f4, f8, integers, and V2 with --input-dtype bf16";
    }
    const int is_bf16 = element->kind == 'b', is_wide = !is_bf16 && (is_integer || element->bytes == 8);
    file->is_double = file->content == ARRAY_NUMBERS || file->content == ARRAY_PROBABILITIES ||
                      (file->content == ARRAY_LOGITS && is_wide); /* more than the types of logits hold */
    file->dtype = CLSOFTMAX_F32;
    if (!file->is_double && element->bytes == 2 && !is_wide)
        file->dtype = is_bf16 ? CLSOFTMAX_BF16 : CLSOFTMAX_F16;
    return NULL;
}

static double decode_integer(const unsigned char *native, array_element element)
{
    uint64_t bits = 0;
    for (unsigned i = element.bytes; i > 0; i--)
        bits = bits << 8 | native[i - 1];
    unsigned unused = 64 - 8 * element.bytes;
    return element.kind == 'i' ? (double)((int64_t)(bits << unused) >> unused) : (double)bits;
}

static double decode(const unsigned char *native, array_element element)
{
    double f8;
    float f4;
    uint16_t two_bytes;
    if (element.kind == 'i' || element.kind == 'u')
        return decode_integer(native, element);
    if (element.bytes == 8) {
        memcpy(&f8, native, 8);
        return f8;
    }
    if (element.bytes == 4) {
        memcpy(&f4, native, 4);
        return (double)f4;
    }
    memcpy(&two_bytes, native, 2);
    return (double)array_float(&two_bytes, element.kind == 'b' ? CLSOFTMAX_BF16 : CLSOFTMAX_F16, 0);
}

/* ---------------------------------------------------------------- Opening */

/* Checks that the file holds all elements that its header speaks of. */
static int check_length(const array_file *file)
{
    const array_header *header = &file->header;
    const uint64_t have = header->end, need = header->data_offset + header->elements * file->element.bytes;
    COMPLAIN_IF(have < need, EXIT_WRONG, "%s: the file ends too early: its header asks for %llu bytes, it has %llu",
                file->path, (unsigned long long)need, (unsigned long long)have);
    if (have > need)
        notice("%s: note: %llu bytes behind the array are ignored", file->path, (unsigned long long)(have - need));
    return EXIT_DONE;
}

/* Checks everything that can be known before memory is taken. */
static int check_file(array_file *file)
{
    const char *wrong = find_element(file);
    COMPLAIN_IF(wrong, EXIT_WRONG, "%s: dtype '%s': %s", file->path, file->header.descr, wrong);
    COMPLAIN_IF(file->header.dimensions == 0 && file->content != ARRAY_FLOATS, EXIT_WRONG,
                "%s: a single number (shape ()), not a row of logits", file->path);
    return check_length(file);
}

int array_file_take(FILE *stream, array_file *file)
{
    file->descriptor = dup(fileno(stream));
    COMPLAIN_IF(file->descriptor < 0, EXIT_FAILED, "%s: %s", file->path, strerror(errno));
    return EXIT_DONE;
}

int array_file_open(FILE *stream, array_finder *find, array_file *file)
{
    file->descriptor = -1;
    int status = find(stream, file);
    if (status == EXIT_DONE)
        status = check_file(file);
    if (status == EXIT_DONE) /* a hint, which may be ignored */
        (void)posix_fadvise(file->descriptor, 0, 0, POSIX_FADV_SEQUENTIAL);
    else
        array_file_close(file);
    return status;
}

void array_file_close(array_file *file)
{
    if (file->descriptor >= 0)
        close(file->descriptor);
    file->descriptor = -1;
}

/* ---------------------------------------------------------------- Names */

void array_names_add(array_names *names, const char *name, size_t length)
{
    const char *comma = names->length > 0 ? ", " : "";
    if (names->length < sizeof names->text)
        names->length += (size_t)snprintf(names->text + names->length, sizeof names->text - names->length, "%s%.*s",
                                          comma, (int)(length < 60 ? length : 60), name);
}

int array_names_complain(const array_names *names, const array_file *file, const char *what)
{
    const char *more = names->length < sizeof names->text ? "" : " ...";
    if (file->tensor)
        return complain(EXIT_WRONG, "%s: no %s \"%.100s\"; it holds %s%s", file->path, what, file->tensor, names->text,
                        more);
    return complain(EXIT_WRONG, "%s: --tensor says which of its %ss: %s%s", file->path, what, names->text, more);
}

/* ---------------------------------------------------------------- Reading */

static int read_bytes(const array_file *file, uint64_t offset, uint64_t bytes, void *to)
{
    ssize_t count = read_at(file->descriptor, file->header.data_offset + offset, to, (size_t)bytes);
    COMPLAIN_IF(count < 0, EXIT_FAILED, "%s: %s", file->path, strerror(errno));
    COMPLAIN_IF((uint64_t)count < bytes, EXIT_FAILED, "%s: the file became shorter while it was read", file->path);
    return EXIT_DONE;
}

/* Complains about element `at` of the file's order, by its indices. */
static int wrong_element(const array_file *file, uint64_t at, double value, const char *why)
{
    const array_header *header = &file->header;
    char place[512] = "";
    int length = 0;
    for (unsigned i = 0; i < header->dimensions; i++) {
        uint64_t stride = 1; /* of the dimensions that run faster */
        for (unsigned k = header->fortran_order ? 0 : i + 1; k < (header->fortran_order ? i : header->dimensions); k++)
            stride *= header->shape[k];
        length += snprintf(place + length, sizeof place - (size_t)length, "%s%llu", i ? ", " : "",
                           (unsigned long long)(at / stride % header->shape[i]));
    }
    return complain(EXIT_WRONG, "%s: element [%s]: %g %s", file->path, place, value, why);
}

/* Returns 1 if elements stay in memory as they are in the file, but for the order of their bytes. */
static int is_kept(const array_file *file)
{
    return !file->is_double && (file->element.kind == 'b' || file->element.kind == 'f') &&
           file->element.bytes == clsoftmax_dtype_size(file->dtype);
}

/* Copies an element's bytes, the least significant first. */
static void copy_native(const unsigned char *from, array_element element, unsigned char *native)
{
    for (unsigned k = 0; k < element.bytes; k++)
        native[k] = from[element.big_endian ? element.bytes - 1 - k : k];
}

/* Returns 1 if an integer of eight bytes is the same in double precision. */
static int is_exact(const unsigned char *native, char kind, double value)
{
    uint64_t bits;
    memcpy(&bits, native, sizeof bits);
    if (kind == 'i')
        return value < 0x1p63 && (int64_t)value == (int64_t)bits;
    return value < 0x1p64 && (uint64_t)value == bits;
}

/* Puts an element into memory. Returns NULL, or what is wrong with it. An integer must be the same number there, except
   for a label, which is none at such a size. */
static const char *put_element(const array_file *file, const unsigned char *native, uint64_t at, array *out)
{
    const array_element element = file->element;
    const double value = decode(native, element);
    if ((element.kind == 'i' || element.kind == 'u') && file->content != ARRAY_NUMBERS) {
        if (!file->is_double && (double)(float)value != value)
            return "is an integer that f32 does not hold";
        if (element.bytes == 8 && !is_exact(native, element.kind, value))
            return "is an integer that double precision does not hold";
    }
    return array_put(out, at, value);
}

/* Reads elements one by one, and puts each as the content wants it. */
static int read_each(const array_file *file, uint64_t first, uint64_t count, array *out)
{
    array_element element = file->element;
    unsigned char buffer[65536], native[8];
    const uint64_t most = sizeof buffer / sizeof native;
    for (uint64_t done = 0, batch; done < count; done += batch) {
        batch = count - done < most ? count - done : most;
        FORWARD(read_bytes(file, (first + done) * element.bytes, batch * element.bytes, buffer));
        for (uint64_t i = 0; i < batch; i++) {
            const char *wrong = NULL;
            copy_native(buffer + i * element.bytes, element, native);
            if (is_kept(file))
                memcpy((char *)out->values + (done + i) * element.bytes, native, element.bytes);
            else
                wrong = put_element(file, native, done + i, out);
            if (wrong)
                return wrong_element(file, first + done + i, decode(native, element), wrong);
        }
    }
    return EXIT_DONE;
}

int array_file_read(const array_file *file, uint64_t first, uint64_t count, void *values)
{
    if (is_kept(file) && !file->element.big_endian)
        return read_bytes(file, first * file->element.bytes, count * file->element.bytes, values);
    array out = {.values = values, .content = file->content, .is_double = file->is_double, .dtype = file->dtype};
    return read_each(file, first, count, &out);
}
