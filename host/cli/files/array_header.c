/* The size of an array in a file: see array_header.h. */
#include "files/array_header.h"

const char *array_header_count(array_header *header)
{
    header->elements = 1;
    uint64_t without_zeros = 1; /* a shape must be sound even where a size of 0 hides an overflow */
    for (unsigned i = 0; i < header->dimensions; i++) {
        uint64_t size = header->shape[i];
        header->elements *= size;
        if (size > 0 && without_zeros > (uint64_t)(INT64_MAX / 16) / size)
            return "the shape has more elements than a file can hold";
        without_zeros *= size > 0 ? size : 1;
    }
    return NULL;
}
