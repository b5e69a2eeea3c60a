/*
 * A workload: an operation on a shape with dtypes and a temperature, and the memory that all contenders work on. main.c
 * makes one after another, contenders read and write its arrays, and truth.c has its exact results.
 */
#ifndef CLSOFTMAX_BENCH_WORKLOAD_H
#define CLSOFTMAX_BENCH_WORKLOAD_H

#include "clsoftmax/clsoftmax.h"
#include "shapes.h"

#include <stdint.h>

typedef struct dtype_choice {
    clsoftmax_dtype logits, results;
} dtype_choice;

/* The arrays of a call. An operation has those that it needs. */
typedef enum call_array {
    CALL_LOGITS,
    CALL_RESULTS,
    CALL_OPERAND, /* of the logits' dtype: a gradient from above, or a teacher's logits */
    CALL_LABELS,  /* an int64_t for each row */
    CALL_LOSSES,  /* a float for each row */
    CALL_ARRAYS
} call_array;

/* The memory is a file without a name (memfd), so that peers, which are other processes, map the same pages. It has
   several slots. A slot holds the arrays of a call; what the calls read is equal in all slots. Each call takes the slot
   that was used longest ago, so that it does not find its arrays in the last cache. */
typedef struct workload {
    clsoftmax_problem problem; /* strategy AUTO */
    uint64_t rows;
    int axis; /* of the matrix: 0 or -1 */
    float temperature;
    int is_single;               /* each call is timed alone, however short it is */
    size_t bytes[CALL_ARRAYS];   /* of each array; 0: the operation does not have it */
    size_t offsets[CALL_ARRAYS]; /* of each array from the beginning of a slot, in bytes; that of the logits is 0 */
    int descriptor;              /* of the memory */
    unsigned char *memory;
    size_t slot_bytes;
    unsigned slots;
    unsigned passes; /* calls that are timed together: one, or more if one is too short to be timed */
    void *expected[CLSOFTMAX_ACCURACY_COUNT][CALL_ARRAYS]; /* what device cpu writes; NULL for what calls read */
} workload;

/* Describes an operation on a dense matrix along an axis. With axis 0 the matrix is classes x rows. */
clsoftmax_problem workload_problem(clsoftmax_operation operation, shape shape, dtype_choice dtypes, int axis);

/* Creates the memory, which all workloads use in turn. EXIT_DONE, or EXIT_FAILED after a complaint. */
int workload_memory_open(int *descriptor);

/* Fills in all that follows from problem, rows, axis, temperature, is_single and descriptor: the sizes, the memory with
   what calls read, and what is expected of them. `cache` is the size in bytes of the cache that calls are to leave; 0
   takes one slot. EXIT_DONE, or another status after a complaint; in either case call workload_finish. */
int workload_prepare(workload *workload, clsoftmax_context *cpu, size_t cache);
void workload_finish(workload *workload);

/* Returns 1 for an array that calls write. */
int call_writes(call_array array);

/* Returns an array of a slot; NULL if the operation does not have it. */
void *workload_array(const workload *workload, call_array array, unsigned slot);

/* Returns the arguments of a call on host memory. */
clsoftmax_arguments workload_arguments(const workload *workload, unsigned slot);

/* Returns the place of an element in the logits, the operand or the results. */
uint64_t workload_place(const workload *workload, uint64_t row, uint64_t class);

/* Fills what calls write into a slot with bits that no operation writes, so that a call that writes nothing is seen. */
void workload_spoil(const workload *workload, unsigned slot);

/* Returns how many bytes a call moves if it reads and writes each element for a class once. Arrays with an element for
   a row are left out. */
size_t workload_moved(const workload *workload);

/* Returns 1 if what a call wrote into a slot has the bits of device cpu with this accuracy. */
int workload_is_expected(const workload *workload, unsigned slot, clsoftmax_accuracy accuracy);

/* Names a workload: "1024x32768 f32 T=1", with another operation than softmax in front. Valid until the next call. */
const char *workload_label(const workload *workload);

/* Names its dtypes: "f32", or "f16:f32" where logits and results differ. Valid until the next call. */
const char *workload_dtypes(const workload *workload);

#endif
