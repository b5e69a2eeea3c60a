/* The page of clsoftmax explore as it was when the command was built: kernels/embed.cmake makes the table. Used by
   command_explore.c. */
#ifndef CLSOFTMAX_EMBEDDED_FILES_H
#define CLSOFTMAX_EMBEDDED_FILES_H

#include <stddef.h>

typedef struct embedded_file {
    const char *name; /* as in this folder; NULL ends the table */
    const unsigned char *data;
    size_t length;
} embedded_file;

extern const embedded_file embedded_files[];

#endif
