/* An array in a file that is open for reading any of its elements: by several threads, and of files larger than memory.
   Which array it is, and where it stands, a finder knows: one for each kind of file. Used by source.c. */
#ifndef CLSOFTMAX_ARRAY_FILE_H
#define CLSOFTMAX_ARRAY_FILE_H

#include "files/array.h"
#include "files/array_header.h"

#include <stdio.h>

typedef struct array_element {
    char kind; /* f: float, b: bf16, i: signed, u: unsigned integer */
    unsigned bytes;
    int big_endian;
} array_element;

typedef struct array_file {
    /* set before array_file_open */
    char *path; /* owned by the file */
    array_content content;
    int has_bf16;       /* two-byte elements without a float type are bf16 */
    const char *tensor; /* which array of a file that may hold several; NULL: the only one */
    /* set by a finder */
    int descriptor; /* -1: not open */
    array_header header;
    /* set by array_file_open */
    array_element element;
    int is_double;         /* see array.h */
    clsoftmax_dtype dtype; /* see array.h */
} array_file;

/* Finds an array in a file: a stream that can seek, and stands at its beginning. Sets header and descriptor; may set
   has_bf16. EXIT_DONE, or another status after a complaint. */
typedef int array_finder(FILE *stream, array_file *file);

/* Finds the array of an open file, and checks its type and size. The stream may be closed then. EXIT_DONE, or another
   status after a complaint, with no descriptor open. */
int array_file_open(FILE *stream, array_finder *find, array_file *file);
void array_file_close(array_file *file);

/* Reads `count` elements from `first` on, in the file's order, as values of its content. EXIT_DONE, or another status
   after a complaint that names the element. */
int array_file_read(const array_file *file, uint64_t first, uint64_t count, void *values);

/* For finders of files that hold several arrays: a list of their names, and a complaint that one of them has to be
   chosen, or that none has the name that is wanted. The list keeps as many as it has room for, and begins as {""}. */
typedef struct array_names {
    char text[400];
    size_t length; /* of the text, had it the room: from sizeof text on, the list is cut */
} array_names;

/* Adds a name of `length` bytes, of which 60 are shown. */
void array_names_add(array_names *names, const char *name, size_t length);

/* Returns EXIT_WRONG. `what` is the format's word for an array. */
int array_names_complain(const array_names *names, const array_file *file, const char *what);

/* For finders: makes the stream's file that of the array. EXIT_DONE, or EXIT_FAILED after a complaint. */
int array_file_take(FILE *stream, array_file *file);

#endif
