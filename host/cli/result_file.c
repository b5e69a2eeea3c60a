#include "result_file.h"

#include "cli.h"

#include <string.h>

int result_file_open(result_file *file, const char *path, const result_format *format, const output_shard *shard)
{
    char header[NPY_HEADER_BYTES];
    uint64_t elements = 1;
    memset(file, 0, sizeof *file);
    for (unsigned i = 0; i < format->dimensions; i++)
        elements *= format->shape[i];
    file->element_size = format->element_size;
    file->data_offset = npy_header_write(format->descr, format->dimensions, format->shape, header);
    int status = shard ? output_file_open_shard(&file->out, path, shard) : output_file_open(&file->out, path);
    if (status == EXIT_DONE)
        status = output_file_reserve(&file->out, file->data_offset + elements * format->element_size);
    return status == EXIT_DONE ? output_file_write(&file->out, 0, file->data_offset, header) : status;
}

int result_file_is_seekable(const result_file *file)
{
    return file->out.temporary[0] != '\0';
}

int result_file_write(result_file *file, uint64_t first, uint64_t count, const void *values)
{
    return output_file_write(&file->out, file->data_offset + first * file->element_size, count * file->element_size,
                             values);
}

int result_file_commit(result_file *file)
{
    return output_file_commit(&file->out);
}

void result_file_abandon(result_file *file)
{
    output_file_abandon(&file->out);
}
