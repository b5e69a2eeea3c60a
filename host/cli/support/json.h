/* JSON, as far as it is more than printf. */
#ifndef CLSOFTMAX_JSON_H
#define CLSOFTMAX_JSON_H

#include <stdio.h>

/* The text in quotes, escaped where it must be. */
void json_string(FILE *file, const char *text);

#endif
