/* A file that is read from its beginning: see input_stream.h. */
#include "files/input_stream.h"

#include "support/messages.h"

#include <errno.h>
#include <string.h>

int input_stream_open(const char *path, input_stream *stream)
{
    const int is_standard_input = strcmp(path, "-") == 0;
    stream->name = is_standard_input ? "standard input" : path;
    stream->file = is_standard_input ? stdin : fopen(path, "rb");
    COMPLAIN_IF(!stream->file, EXIT_WRONG, "%s: %s", path, strerror(errno));
    return EXIT_DONE;
}

void input_stream_close(input_stream *stream)
{
    if (stream->file && stream->file != stdin)
        fclose(stream->file);
    stream->file = NULL;
}
