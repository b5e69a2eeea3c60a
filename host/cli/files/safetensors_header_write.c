/* The header of a .safetensors file, written: see safetensors_file.h. */
#include "files/safetensors_file.h"

#include <stdio.h>
#include <string.h>

const char *safetensors_dtype(clsoftmax_dtype dtype)
{
    static const char *const names[CLSOFTMAX_DTYPE_COUNT] = {
        [CLSOFTMAX_F32] = "F32", [CLSOFTMAX_F16] = "F16", [CLSOFTMAX_BF16] = "BF16"};
    return names[dtype];
}

size_t safetensors_header_write(const char *name, const char *dtype, unsigned dimensions, const uint64_t *shape,
                                uint64_t bytes, char *to)
{
    enum { START_BYTES = 8 }; /* the length of the text behind them, little-endian */
    char *text = to + START_BYTES;
    const size_t size = SAFETENSORS_HEADER_BYTES - START_BYTES;
    int length = snprintf(text, size, "{\"%s\":{\"dtype\":\"%s\",\"shape\":[", name, dtype);
    for (unsigned i = 0; i < dimensions; i++)
        length +=
            snprintf(text + length, size - (size_t)length, "%s%llu", i > 0 ? "," : "", (unsigned long long)shape[i]);
    length +=
        snprintf(text + length, size - (size_t)length, "],\"data_offsets\":[0,%llu]}}", (unsigned long long)bytes);
    while ((START_BYTES + length) % 8 != 0) /* so that the data is aligned in a mapped file */
        text[length++] = ' ';
    for (int i = 0; i < START_BYTES; i++)
        to[i] = (char)((uint64_t)length >> 8 * i & 255);
    return START_BYTES + (size_t)length;
}
