/* The steps that a worker takes with a slab, in their order. Used by run_workers.c. Each returns EXIT_DONE, or another
   status after a complaint. */
#ifndef CLSOFTMAX_SLAB_STEPS_H
#define CLSOFTMAX_SLAB_STEPS_H

#include "run/slab_buffers.h"

/* Reads the slab's logits, as f32 relative to the largest of each row if the input has double precision. */
int slab_read_logits(const run *run, const slab *slab, slab_buffers *buffers);

/* Reads the slab's operand: a teacher's logits, as above; or those that are made of the classes which a teacher lists,
   at the slab's temperatures and of its logits; or targets, which have to be finite numbers from 0 on. Adds to the job
   the rows whose targets do not add up to 1. */
int slab_read_operand(run *run, const slab *slab, slab_buffers *buffers);

/* Reads all that the slab has in files: logits, operand, temperatures, labels and weights. */
int slab_read(run *run, const slab *slab, slab_buffers *buffers);

/* Computes the slab on *device. If the device fails, *device becomes another one that has not failed, which computes it
   then. */
int slab_compute(run *run, const slab *slab, slab_buffers *buffers, device **device);

/* Computes the slab again by cpu and by reference, and adds to the job what differs: --verify. */
int slab_verify(run *run, const slab *slab, const slab_buffers *buffers);

/* Writes the slab's results and statistics to where the job has them, and adds up its labels. */
int slab_write(run *run, const slab *slab, const slab_buffers *buffers);

#endif
