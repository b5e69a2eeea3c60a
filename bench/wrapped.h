/* Text in lines that a terminal of 100 columns holds. The table and the sentences below it use it. */
#ifndef CLSOFTMAX_BENCH_WRAPPED_H
#define CLSOFTMAX_BENCH_WRAPPED_H

#include <stdio.h>

enum { TABLE_COLUMNS = 100 };

/* Writes a text, broken at its blanks into lines of at most TABLE_COLUMNS. All lines but the first begin with `indent`
   blanks. A longer word has a line of its own. */
void write_wrapped(FILE *file, const char *text, int indent);

#endif
