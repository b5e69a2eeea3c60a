/* JSON, as far as it takes more than printf. Used by devices, explore and clsoftmax-bench. */
#ifndef CLSOFTMAX_JSON_H
#define CLSOFTMAX_JSON_H

#include <stdio.h>

/* Prints a text in quotes, escaped where JSON, or a page that JSON stands in, wants it. */
void json_string(FILE *file, const char *text);

#endif
