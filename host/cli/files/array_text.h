/* Matrices as text, read and written. Used by source.c, and by run for results on standard output. */
#ifndef CLSOFTMAX_ARRAY_TEXT_H
#define CLSOFTMAX_ARRAY_TEXT_H

#include "files/array.h"
#include "files/input_stream.h"
#include "files/text_fields.h"

#include <stdio.h>

/* Reads all of a text file as the content that *out has. A line is a row. EXIT_DONE, or another status after a
   complaint that names the file and the line; nothing is left then. */
int array_read_text(const input_stream *stream, const text_format *format, array *out);

/* Writes a line for each `classes` values: "%.9g", which reads back to the same f32, with a space between. EXIT_DONE,
   or EXIT_FAILED: after a complaint, unless a closed pipe is the reason. */
int array_write_text(FILE *file, const void *values, clsoftmax_dtype dtype, uint64_t elements, uint64_t classes);

#endif
