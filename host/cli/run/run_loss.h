/* What a job of `loss` or `distill` has beside that of `run`: weights, the scales of its gradients, and exact sums of
   losses. Used by the steps of run.h. */
#ifndef CLSOFTMAX_RUN_LOSS_H
#define CLSOFTMAX_RUN_LOSS_H

#include "run/slab_buffers.h"

/* Finds the scale of each component's gradient: 1 for a sum; for a mean 1 / the weights of all rows that count, for
   which it goes through the files of labels and weights. EXIT_DONE, or another status after a complaint; so do the
   others. */
int run_choose_scales(run *run);

/* Reads the weights of rows, from `row` on: those of their file, finite numbers from 0 on, times those of their labels'
   classes. labels: NULL where there are none; numbers: room for what the file has. */
int run_read_weights(const run *run, uint64_t row, uint64_t rows, const int64_t *labels, double *numbers,
                     float *weights);

/* Adds a slab's losses to the job's sums, and writes them to their file. */
int run_write_losses(run *run, const slab *slab, const slab_buffers *buffers);

/* Adds up the sums of all ranks. All ranks call it. */
void run_add_up_losses(run *run);

/* Prints what the losses come to. */
void run_print_losses(const run *run);

#endif
