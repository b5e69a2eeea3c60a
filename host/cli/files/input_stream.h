/* A file that is read from its beginning; "-" is standard input. Used by whatever opens a file that the user names. */
#ifndef CLSOFTMAX_INPUT_STREAM_H
#define CLSOFTMAX_INPUT_STREAM_H

#include <stdio.h>

typedef struct input_stream {
    const char *name; /* of the file, for messages */
    FILE *file;
} input_stream;

/* EXIT_DONE, or EXIT_WRONG after a complaint, with nothing to close. */
int input_stream_open(const char *path, input_stream *stream);
void input_stream_close(input_stream *stream);

#endif
