/* The lines of a text file, whichever way they end. Used by all readers of text: array_text.c and
   pictures/class_names.c. */
#ifndef CLSOFTMAX_TEXT_LINES_H
#define CLSOFTMAX_TEXT_LINES_H

#include "files/input_stream.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct text_lines {
    const char *name; /* of the file, for messages */
    FILE *file;
    uint64_t number; /* of the line that was read last, from 1 on */
    char *buffer;    /* getline's: what stands before a line feed, which may be several lines */
    size_t capacity;
    char *next, *end; /* what is left of it behind a carriage return, or NULL */
} text_lines;

/* Begins with the first line of a stream, which is to stay open. */
void text_lines_begin(const input_stream *stream, text_lines *lines);
void text_lines_end(text_lines *lines);

/* Reads the next line into *line, without its end, which is CR, LF or both; NULL behind the last. It may be changed,
   and stays until the next call. A byte order mark before the first line is left out. EXIT_DONE, or another status
   after a complaint that names the line: of a zero byte, an error of reading, or no memory. */
int text_lines_next(text_lines *lines, char **line);

#endif
