/* --explain: which strategy auto takes for each shape, and why. main.c prints it instead of measuring. */
#ifndef CLSOFTMAX_BENCH_EXPLAIN_H
#define CLSOFTMAX_BENCH_EXPLAIN_H

#include "report.h"

/* Prints the plan of every shape and dtype on every device, then the strategies with their rules. EXIT_DONE, or another
   status after a complaint. */
int explain(FILE *file, const session *session);

#endif
