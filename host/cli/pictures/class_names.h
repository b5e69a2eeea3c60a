/* Names of classes, one a line of a text file. */
#ifndef CLSOFTMAX_CLASS_NAMES_H
#define CLSOFTMAX_CLASS_NAMES_H

#include <stdint.h>

typedef struct class_names {
    char **names; /* of classes from 0 on */
    uint64_t count;
} class_names;

/* path NULL: no names. UTF-8, as many lines as there are classes; control characters become spaces (text.h). EXIT_DONE, or another status
   after a complaint, with nothing left. */
int class_names_read(const char *path, uint64_t classes, class_names *names);
void class_names_release(class_names *names);

/* The class's name, or else its number, which is put into `number`. */
#define CLASS_NUMBER_BYTES 24
const char *class_names_text(const class_names *names, uint64_t class, char *number);

#endif
