/*
 * The measurement of a workload: every contender is verified, then timed in rounds, in each of which it runs once. So
 * whatever disturbs the machine for a while disturbs all of them. main.c calls this for each workload.
 */
#ifndef CLSOFTMAX_BENCH_ROUNDS_H
#define CLSOFTMAX_BENCH_ROUNDS_H

#include "contender.h"
#include "truth.h"

typedef struct round_limits {
    unsigned rounds; /* how many; 0: until `seconds` are over, or all medians are known well enough */
    double seconds;
    int verify_only;
} round_limits;

/* Prepares every contender for the workload, verifies it, and measures those that run it and are right. `reason` says
   of all others what happened. Returns 1; or 0 if a result of this library was wrong: its bits are not those of device
   cpu, or it is too far from the truth. */
int rounds_run(contender_list *list, const workload *workload, const truth *truth, const round_limits *limits);

/* Ends the workload for every contender. */
void rounds_finish(contender_list *list);

#endif
