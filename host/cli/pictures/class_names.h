/* Names of classes, from a text file with one on each line, or from the header of a text INPUT. Used by the pictures
   and the page. */
#ifndef CLSOFTMAX_CLASS_NAMES_H
#define CLSOFTMAX_CLASS_NAMES_H

#include "files/array.h"

#include <stdint.h>

typedef struct class_names {
    char **names; /* of classes from 0 on */
    uint64_t count;
} class_names;

/* Reads a file of UTF-8 with as many lines as there are classes. Without a path it takes the names that the logits have
   from a header, if their last dimension is the classes, or none. Control characters become spaces (see
   support/text.h). EXIT_DONE, or another status after a complaint, with nothing left. */
int class_names_read(const char *path, const array *logits, uint64_t classes, class_names *names);
void class_names_release(class_names *names);

/* Returns the name of a class, or its number if it has none; the number is written into `number`, which has
   CLASS_NUMBER_BYTES. */
#define CLASS_NUMBER_BYTES 24
const char *class_names_text(const class_names *names, uint64_t class, char *number);

#endif
