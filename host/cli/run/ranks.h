/* The processes that share a run's rows: one, in clsoftmax (ranks_one.c); those of MPI, in clsoftmax-mpi (host/mpi/ranks_mpi.c). All
   of them call each function that says so, in the same order. */
#ifndef CLSOFTMAX_RANKS_H
#define CLSOFTMAX_RANKS_H

#include <stddef.h>

unsigned ranks_index(void);
unsigned ranks_count(void);

/* All: the worst status of all. */
int ranks_agree(int status);

/* All: each number becomes the sum over all. */
void ranks_sum(double *numbers, size_t count);

#endif
