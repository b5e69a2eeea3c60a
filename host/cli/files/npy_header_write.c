/* The header of an .npy file, written: see npy_header.h. */
#include "files/npy_header.h"

#include <stdio.h>
#include <string.h>

/* Bytes before the dictionary: "\x93NUMPY", version 1.0, and the dictionary's length in two bytes. */
enum { START_BYTES = 10 };

const char *npy_descr(clsoftmax_dtype dtype)
{
    static const char *const descrs[CLSOFTMAX_DTYPE_COUNT] = {
        [CLSOFTMAX_F32] = "'<f4'", [CLSOFTMAX_F16] = "'<f2'", [CLSOFTMAX_BF16] = "'<V2'"};
    return descrs[dtype];
}

/* Prints a shape as a Python tuple: "()", "(3,)", "(3, 4)". Returns how many bytes it takes. */
static int print_shape(unsigned dimensions, const uint64_t *shape, char *to, size_t size)
{
    int length = snprintf(to, size, "(");
    for (unsigned i = 0; i < dimensions; i++)
        length += snprintf(to + length, size - (size_t)length,
                           i == 0   ? "%llu,"
                           : i == 1 ? " %llu"
                                    : ", %llu",
                           (unsigned long long)shape[i]);
    return length + snprintf(to + length, size - (size_t)length, ")");
}

size_t npy_header_write(const char *descr, unsigned dimensions, const uint64_t *shape, char *to)
{
    const size_t size = NPY_HEADER_BYTES - START_BYTES;
    char *text = to + START_BYTES;
    int length = snprintf(text, size, "{'descr': %s, 'fortran_order': False, 'shape': ", descr);
    length += print_shape(dimensions, shape, text + length, size - (size_t)length);
    length += snprintf(text + length, size - (size_t)length, ", }");
    while ((START_BYTES + length + 1) % 64 != 0) /* so that the data begins at a multiple of 64 */
        text[length++] = ' ';
    text[length++] = '\n';
    memcpy(to, "\x93NUMPY\x01\x00", 8);
    to[8] = (char)(length & 255);
    to[9] = (char)(length >> 8);
    return START_BYTES + (size_t)length;
}
