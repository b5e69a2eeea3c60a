/* What all result files have in common, whoever writes them: see result_file.h. */
#include "results/result_file.h"

#include "files/npy_header.h"

#include <string.h>

uint64_t result_file_begin(result_file *file, const result_format *format, char *header)
{
    uint64_t elements = 1;
    memset(file, 0, sizeof *file);
    for (unsigned i = 0; i < format->dimensions; i++)
        elements *= format->shape[i];
    file->element_size = format->element_size;
    file->data_offset = npy_header_write(format->descr, format->dimensions, format->shape, header);
    return file->data_offset + elements * format->element_size;
}
