/* What all result files have in common, whoever writes them: see result_file.h. */
#include "files/npy_header.h"
#include "files/safetensors_file.h"
#include "results/result_file.h"
#include "support/values.h"

#include <string.h>

_Static_assert((int)RESULT_HEADER_BYTES >= NPY_HEADER_BYTES && (int)RESULT_HEADER_BYTES >= SAFETENSORS_HEADER_BYTES,
               "room for a header of either kind");

result_format result_format_of(const char *path, const char *tensor, clsoftmax_dtype dtype, unsigned dimensions,
                               const uint64_t *shape)
{
    const int is_safetensors = ends_with(path, ".safetensors");
    return (result_format){.descr = is_safetensors ? safetensors_dtype(dtype) : npy_descr(dtype),
                           .tensor = is_safetensors ? tensor : NULL,
                           .element_size = clsoftmax_dtype_size(dtype),
                           .dimensions = dimensions,
                           .shape = shape};
}

uint64_t result_file_begin(result_file *file, const result_format *format, char *header)
{
    uint64_t bytes = format->element_size;
    memset(file, 0, sizeof *file);
    for (unsigned i = 0; i < format->dimensions; i++)
        bytes *= format->shape[i];
    file->element_size = format->element_size;
    file->data_offset = format->tensor ? safetensors_header_write(format->tensor, format->descr, format->dimensions,
                                                                  format->shape, bytes, header)
                                       : npy_header_write(format->descr, format->dimensions, format->shape, header);
    return file->data_offset + bytes;
}
