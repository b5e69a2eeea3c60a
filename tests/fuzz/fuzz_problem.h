/* Small problems with their arrays, read from the input of a fuzz target. */
#ifndef CLSOFTMAX_FUZZ_PROBLEM_H
#define CLSOFTMAX_FUZZ_PROBLEM_H

#include "fuzz.h"

#include <clsoftmax/clsoftmax.h>

typedef struct fuzz_case {
    clsoftmax_problem problem;
    clsoftmax_arguments arguments; /* but for where results and statistics go */
    uint64_t rows;
    size_t logits_bytes, results_bytes, statistics_bytes;
    void *memory[3]; /* each array in a block of its own, no larger than it: AddressSanitizer sees what goes beyond */
} fuzz_case;

clsoftmax_problem fuzz_problem_read(fuzz_bytes *bytes);

/* What is left of the input becomes logits and temperatures, over and over. */
void fuzz_case_read(fuzz_bytes *bytes, const clsoftmax_problem *problem, fuzz_case *read);
void fuzz_case_release(fuzz_case *read);

/* A plan for the problem, kept for the next case of it: making one takes longer than running it. NULL for a strategy that the device does
   not have for it. */
clsoftmax_plan *fuzz_find_plan(clsoftmax_context *context, const clsoftmax_problem *problem);

/* What a call leaves; gaps between the results are part of it. */
typedef struct fuzz_outcome {
    clsoftmax_status status;
    uint64_t invalid_rows;
    void *results;
    clsoftmax_statistics *statistics;
} fuzz_outcome;

/* Runs the plan. in_place: results take the place of the logits, which the problem allows. */
fuzz_outcome fuzz_run(clsoftmax_plan *plan, const fuzz_case *read, int in_place);
void fuzz_outcome_release(fuzz_outcome *outcome);

/* Aborts unless both are the same to the last bit. */
void fuzz_check_equal(const fuzz_case *read, const fuzz_outcome *a, const fuzz_outcome *b);

#endif
