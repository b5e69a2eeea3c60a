/* The measurement: verify, warm up, then rounds in which each contender runs once. */
#ifndef CLSOFTMAX_BENCH_ROUNDS_H
#define CLSOFTMAX_BENCH_ROUNDS_H

#include "contender.h"

typedef struct round_limits {
    unsigned rounds; /* so many; 0: until `seconds` are over, or all medians are known well enough */
    double seconds;
    int verify_only;
} round_limits;

/* Prepares every contender for the workload, verifies it, and measures those that can run it and are right. What happened to the
   others is in their reason. 1, or 0 if one of ours was wrong: its bits are not those of device cpu, or too far from the truth. */
int rounds_run(contender_list *list, const workload *workload, const round_limits *limits);
void rounds_finish(contender_list *list);

#endif
