/* .npy files: the array is all of the file behind its header. */
#include "files/npy_file.h"

#include "files/npy_header.h"
#include "support/messages.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

int npy_find(FILE *stream, array_file *file)
{
    struct stat stat;
    COMPLAIN_IF(fstat(fileno(stream), &stat) != 0, EXIT_WRONG, "%s: %s", file->path, strerror(errno));
    const char *wrong = npy_header_read(stream, &file->header);
    COMPLAIN_IF(wrong, EXIT_WRONG, "%s: %s", file->path, ferror(stream) ? strerror(errno) : wrong);
    file->header.end = (uint64_t)stat.st_size;
    return array_file_take(stream, file);
}
