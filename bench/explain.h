/* Which strategy auto takes, and why. */
#ifndef CLSOFTMAX_BENCH_EXPLAIN_H
#define CLSOFTMAX_BENCH_EXPLAIN_H

#include "report.h"

/* For every shape and pair of dtypes on every device, without measuring; behind it the strategies. EXIT_DONE, or another status
   after a complaint. */
int explain(FILE *file, const session *session);

#endif
