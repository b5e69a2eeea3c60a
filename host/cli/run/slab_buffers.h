/* The memory in which a worker has its slab. Used by run_workers.c; its size decides how large slabs are. */
#ifndef CLSOFTMAX_SLAB_BUFFERS_H
#define CLSOFTMAX_SLAB_BUFFERS_H

#include "run/run.h"

/* Arrays of a slab; NULL where the job does not need them. */
typedef struct slab_buffers {
    char *memory; /* which holds all others */
    void *logits, *results, *other_results;
    /* What each component computes. The last of a job is `results` and `losses`, unless both have to be kept. */
    void *component_results[RUN_MOST_COMPONENTS];
    float *component_losses[RUN_MOST_COMPONENTS];
    double *exact_logits, *shifts;          /* of an input in double precision: see relative_logits.h */
    void *operand;                          /* a teacher's logits, or targets */
    double *exact_operand, *operand_shifts; /* likewise, of a teacher */
    /* Of a teacher that lists some classes: which they are, as the file has them and as classes; ln of their
       probabilities; weights of rows for the component with the teacher; and the student's logits, which are f32. */
    double *listed_numbers;
    int64_t *listed;
    float *log_probabilities, *teacher_weights, *student;
    float *temperatures;
    double *label_numbers; /* labels or weights as their file has them */
    int64_t *labels;
    float *weights, *losses, *other_losses;
    clsoftmax_statistics *statistics, *other_statistics; /* "other": of the device that verifies */
} slab_buffers;

/* Returns the bytes that a row takes in the buffers. */
uint64_t slab_buffers_row_bytes(const run *run);

/* Takes memory for the largest slab. EXIT_DONE, or EXIT_FAILED after a complaint. */
int slab_buffers_take(const run *run, slab_buffers *buffers);
void slab_buffers_release(slab_buffers *buffers);

#endif
