/* A sweep as text: a line for each row and temperature, under the names of its columns. Rows come in order, so that the text does not
   depend on tiles. */
#ifndef CLSOFTMAX_SWEEP_TABLE_H
#define CLSOFTMAX_SWEEP_TABLE_H

#include "run/run.h"

#include <stdio.h>

/* The names of the columns: of statistics, if the run has them in place of results. */
void sweep_print_names(FILE *file, const run *run);

/* The rows of a tile, with the names in front of the first. EXIT_DONE or EXIT_FAILED; a closed pipe is not complained about. */
int sweep_print_results(FILE *file, const run *run, const tile *tile, const void *results);
int sweep_print_statistics(FILE *file, const run *run, const tile *tile, const clsoftmax_statistics *statistics);

#endif
