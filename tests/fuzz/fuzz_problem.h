/* Small problems with their arrays, read from the input of a fuzz target: what fuzz_cpu.c and fuzz_devices.c share. */
#ifndef CLSOFTMAX_FUZZ_PROBLEM_H
#define CLSOFTMAX_FUZZ_PROBLEM_H

#include "fuzz.h"

#include <clsoftmax/clsoftmax.h>

typedef struct fuzz_case {
    clsoftmax_problem problem;
    clsoftmax_arguments arguments; /* without results and statistics, which fuzz_run sets */
    uint64_t rows;
    size_t logits_bytes, results_bytes, statistics_bytes, losses_bytes;
    void *memory[5]; /* each array in a block of its own size, so that AddressSanitizer sees accesses beyond */
} fuzz_case;

/* Reads a problem: small, valid, of any kind. */
clsoftmax_problem fuzz_problem_read(fuzz_bytes *bytes);

/* Reads the arrays for the problem: the rest of the input becomes temperatures and logits, repeated as often as
   needed. */
void fuzz_case_read(fuzz_bytes *bytes, const clsoftmax_problem *problem, fuzz_case *read);
void fuzz_case_release(fuzz_case *read);

/* Returns a plan for the problem, and keeps it for the next case, since making one takes longer than running it.
   Returns NULL where the device does not have the strategy for the problem. */
clsoftmax_plan *fuzz_find_plan(clsoftmax_context *context, const clsoftmax_problem *problem);

/* What a call leaves. Gaps between the results are part of it. */
typedef struct fuzz_outcome {
    clsoftmax_status status;
    uint64_t invalid_rows;
    void *results;
    clsoftmax_statistics *statistics;
    float *losses;
} fuzz_outcome;

/* Runs the plan. With in_place the results take the place of the logits, which the problem must allow. */
fuzz_outcome fuzz_run(clsoftmax_plan *plan, const fuzz_case *read, int in_place);
void fuzz_outcome_release(fuzz_outcome *outcome);

/* Aborts unless both outcomes are the same to the last bit. */
void fuzz_check_equal(const fuzz_case *read, const fuzz_outcome *a, const fuzz_outcome *b);

#endif
