/* A sweep as text: a line for each row and temperature, under the names of its columns. Rows come in order, so that the
   text does not depend on slabs. Used by run_outputs.c and slab_write.c. */
#ifndef CLSOFTMAX_SWEEP_TABLE_H
#define CLSOFTMAX_SWEEP_TABLE_H

#include "run/run.h"

#include <stdio.h>

/* Prints the names of the columns: of statistics, if the job prints them in place of results. */
void sweep_print_names(FILE *file, const run *run);

/* Print the rows of a slab, and the names before the first row. EXIT_DONE, or EXIT_FAILED: after a complaint, unless a
   closed pipe is the reason. */
int sweep_print_results(FILE *file, const run *run, const slab *slab, const void *results);
int sweep_print_statistics(FILE *file, const run *run, const slab *slab, const clsoftmax_statistics *statistics);

#endif
