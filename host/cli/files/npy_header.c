/*
 * The header of an .npy file, read: see npy_header.h.
 *
 * Format: numpy/lib/_format_impl.py. "\x93NUMPY", major, minor, the header's length (2 bytes in version 1.0, 4 in 2.0
 * and 3.0, little-endian), a Python dictionary with exactly the keys descr, fortran_order and shape in any order, then
 * the data. Stricter than NumPy where its header check lets nonsense through: negative sizes, booleans as sizes,
 * products that overflow.
 */
#include "files/npy_header.h"

#include <stdio.h>
#include <string.h>

#define MOST_HEADER_BYTES 65536

typedef struct cursor {
    const char *at, *end;
} cursor;

static void skip_spaces(cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\t' || *c->at == '\n' || *c->at == '\r'))
        c->at++;
}

/* Moves behind `text`, and spaces before it. Returns 1 if it was there. */
static int take(cursor *c, const char *text)
{
    size_t length = strlen(text);
    skip_spaces(c);
    if ((size_t)(c->end - c->at) < length || memcmp(c->at, text, length) != 0)
        return 0;
    c->at += length;
    return 1;
}

/* Reads a quoted string of printable ASCII without escapes, of fewer than `size` characters. Returns 1 if it was there.
 */
static int take_string(cursor *c, char *string, size_t size)
{
    skip_spaces(c);
    if (c->at == c->end || (*c->at != '\'' && *c->at != '"'))
        return 0;
    char quote = *c->at++;
    size_t length = 0;
    for (; c->at < c->end && *c->at != quote; c->at++) {
        if (*c->at < ' ' || *c->at > '~' || *c->at == '\\' || length + 1 >= size)
            return 0;
        string[length++] = *c->at;
    }
    string[length] = '\0';
    return take(c, quote == '\'' ? "'" : "\"");
}

static const char *take_size(cursor *c, unsigned version, uint64_t *size)
{
    skip_spaces(c);
    if (c->at == c->end || *c->at < '0' || *c->at > '9')
        return "the shape is not a tuple of whole numbers from 0 on";
    *size = 0;
    for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++) {
        if (*size > (INT64_MAX - 9) / 10)
            return "a size in the shape is too large";
        *size = *size * 10 + (uint64_t)(*c->at - '0');
    }
    if (version < 3)
        take(c, "L"); /* Python 2 wrote long integers so */
    return NULL;
}

_Static_assert(ARRAY_MOST_DIMENSIONS == 32, "a message of take_shape has this number");

static const char *take_shape(cursor *c, unsigned version, array_header *header)
{
    if (!take(c, "("))
        return "the shape is not a tuple";
    header->dimensions = 0;
    for (int comma = 1; !take(c, ")");) {
        if (!comma)
            return "the shape is not a tuple";
        if (header->dimensions == ARRAY_MOST_DIMENSIONS)
            return "the shape has more than 32 dimensions";
        const char *wrong = take_size(c, version, &header->shape[header->dimensions]);
        if (wrong)
            return wrong;
        header->dimensions++;
        comma = take(c, ",");
        if (!comma && header->dimensions == 1 && take(c, ")"))
            return "the shape is a number, not a tuple";
    }
    return NULL;
}

/* The entries of a header, as bits. */
enum { DESCR = 1, FORTRAN_ORDER = 2, SHAPE = 4 };

static const char *take_entry(cursor *c, unsigned version, array_header *header, unsigned *seen)
{
    char key[32];
    if (!take_string(c, key, sizeof key) || !take(c, ":"))
        return "the header is not a dictionary";
    unsigned entry = strcmp(key, "descr") == 0           ? DESCR
                     : strcmp(key, "fortran_order") == 0 ? FORTRAN_ORDER
                     : strcmp(key, "shape") == 0         ? SHAPE
                                                         : 0;
    if (!entry)
        return "the header has a key other than descr, fortran_order and shape";
    if (*seen & entry)
        return "the header has a key twice";
    *seen |= entry;
    if (entry == DESCR && !take_string(c, header->descr, sizeof header->descr))
        return "the dtype (descr) is not a plain one";
    if (entry == SHAPE)
        return take_shape(c, version, header);
    if (entry == FORTRAN_ORDER) {
        header->fortran_order = take(c, "True");
        if (!header->fortran_order && !take(c, "False"))
            return "fortran_order is neither True nor False";
    }
    return NULL;
}

const char *npy_header_parse(const char *text, size_t length, unsigned version, array_header *header)
{
    cursor c = {text, text + length};
    unsigned seen = 0;
    memset(header, 0, sizeof *header);
    if (!take(&c, "{"))
        return "the header is not a dictionary";
    for (int comma = 1; !take(&c, "}");) {
        if (!comma)
            return "the header is not a dictionary";
        const char *wrong = take_entry(&c, version, header, &seen);
        if (wrong)
            return wrong;
        comma = take(&c, ",");
    }
    skip_spaces(&c);
    if (c.at != c.end)
        return "the header goes on behind its dictionary";
    if (seen != (DESCR | FORTRAN_ORDER | SHAPE))
        return "the header lacks descr, fortran_order or shape";
    return array_header_count(header);
}

const char *npy_header_read(FILE *file, array_header *header)
{
    unsigned char start[12];
    if (fread(start, 1, 8, file) != 8 || memcmp(start, "\x93NUMPY", 6) != 0)
        return "this is not an .npy file";
    unsigned version = start[6];
    if (version < 1 || version > 3 || start[7] != 0)
        return "an .npy version other than 1.0, 2.0 and 3.0";
    size_t length_bytes = version == 1 ? 2 : 4;
    if (fread(start + 8, 1, length_bytes, file) != length_bytes)
        return "the file ends within its header";
    uint64_t length = 0;
    for (size_t i = length_bytes; i > 0; i--)
        length = length << 8 | start[7 + i];
    if (length > MOST_HEADER_BYTES)
        return "the header is longer than 64 KiB";
    char text[MOST_HEADER_BYTES];
    if (fread(text, 1, (size_t)length, file) != length)
        return "the file ends within its header";
    const char *wrong = npy_header_parse(text, (size_t)length, version, header);
    header->data_offset = 8 + length_bytes + length;
    return wrong;
}
