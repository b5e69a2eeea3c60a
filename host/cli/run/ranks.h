/* The ranks: the processes that share a job's rows. clsoftmax has one (ranks_one.c), clsoftmax-mpi those of MPI
   (host/mpi/ranks_mpi.c). Of the functions that "all ranks call", every rank must make the same calls in the same
   order. */
#ifndef CLSOFTMAX_RANKS_H
#define CLSOFTMAX_RANKS_H

#include <stddef.h>

/* Return this rank's number, from 0 on, and how many ranks there are. */
unsigned ranks_index(void);
unsigned ranks_count(void);

/* Returns the largest status of all ranks. All ranks call it. */
int ranks_agree(int status);

/* Replaces each number by its sum over all ranks. All ranks call it. */
void ranks_sum(double *numbers, size_t count);

#endif
