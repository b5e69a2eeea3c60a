/*
 * A workload: a shape with dtypes and a temperature, and the memory that all contenders work on. main.c makes one after
 * another, contenders read and write its arrays, and truth.c has its exact probabilities.
 */
#ifndef CLSOFTMAX_BENCH_WORKLOAD_H
#define CLSOFTMAX_BENCH_WORKLOAD_H

#include "clsoftmax/clsoftmax.h"
#include "shapes.h"

#include <stdint.h>

typedef struct dtype_choice {
    clsoftmax_dtype logits, results;
} dtype_choice;

/* The memory is a file without a name (memfd), so that peers, which are other processes, map the same pages. It has
   several slots. A slot holds the logits and the results of a call; the logits of all slots are equal. Each call takes
   the slot that was used longest ago, so that it does not find its arrays in the last cache. */
typedef struct workload {
    clsoftmax_problem problem; /* strategy AUTO */
    uint64_t rows;
    int axis; /* of the matrix: 0 or -1 */
    float temperature;
    int is_single; /* each call is timed alone, however short it is */
    size_t logits_bytes, results_bytes;
    int descriptor; /* of the memory */
    unsigned char *memory;
    size_t results_offset; /* bytes from the logits of a slot to its results */
    size_t slot_bytes;
    unsigned slots;
    unsigned passes; /* calls that are timed together: one, or more if one is too short to be timed */
    void *expected[CLSOFTMAX_ACCURACY_COUNT]; /* the results of device cpu */
} workload;

/* Describes softmax of a dense matrix along an axis. With axis 0 the matrix is classes x rows. */
clsoftmax_problem workload_problem(shape shape, dtype_choice dtypes, int axis);

/* Creates the memory, which all workloads use in turn. EXIT_DONE, or EXIT_FAILED after a complaint. */
int workload_memory_open(int *descriptor);

/* Fills in all that follows from problem, rows, axis, temperature, is_single and descriptor: the sizes, the memory with
   its logits, and the expected results. `cache` is the size in bytes of the cache that calls are to leave; 0 takes one
   slot. EXIT_DONE, or another status after a complaint; in either case call workload_finish. */
int workload_prepare(workload *workload, clsoftmax_context *cpu, size_t cache);
void workload_finish(workload *workload);

/* Return the arrays of a slot. */
void *workload_logits(const workload *workload, unsigned slot);
void *workload_results(const workload *workload, unsigned slot);

/* Returns the place of an element in either array. */
uint64_t workload_place(const workload *workload, uint64_t row, uint64_t class);

/* Returns 1 if the results of a slot have the bits of device cpu with this accuracy. */
int workload_is_expected(const workload *workload, unsigned slot, clsoftmax_accuracy accuracy);

/* Names a workload: "1024x32768 f32 T=1". Valid until the next call. */
const char *workload_label(const workload *workload);

/* Names its dtypes: "f32", or "f16:f32" where logits and results differ. Valid until the next call. */
const char *workload_dtypes(const workload *workload);

#endif
