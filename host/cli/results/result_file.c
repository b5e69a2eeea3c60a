/* The file that rows are written to, by one process, or by shards: see result_file.h. */
#include "results/result_file.h"

#include "support/messages.h"

static int open_whole(result_file *file, const char *path, uint64_t bytes)
{
    FORWARD(output_file_open(&file->out, path));
    return output_file_reserve(&file->out, bytes);
}

int result_file_open(result_file *file, const char *path, const result_format *format, const output_shard *shard)
{
    char header[RESULT_HEADER_BYTES];
    uint64_t bytes = result_file_begin(file, format, header);
    if (shard) {
        file->shard = *shard;
        file->shard.bytes = bytes;
        FORWARD(output_shard_open(&file->out, path, &file->shard));
    } else {
        FORWARD(open_whole(file, path, bytes));
    }
    return output_file_write(&file->out, 0, file->data_offset, header);
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

int result_file_sync(result_file *file)
{
    return output_file_sync(&file->out);
}

int result_file_commit(result_file *file)
{
    return file->shard.count > 0 ? output_shard_commit(&file->out, &file->shard) : output_file_commit(&file->out);
}

void result_file_abandon(result_file *file)
{
    output_file_abandon(&file->out);
}
