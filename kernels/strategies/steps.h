/*
 * The exponentials of several vectors at once, for the strategies with vectors (item, lane, column). All vectors go
 * through each step together, so that no vector waits for its own last result. One exponential after another would be a
 * chain of operations that wait for each other, and a processor looks only a few hundred operations ahead.
 *
 * The strategy defines STEP_VECTORS, the most vectors that go together, before it includes this file.
 */
#ifndef CLSOFTMAX_STEPS_H
#define CLSOFTMAX_STEPS_H

#include "strategies/phases.h"

/* Runs the statement that follows for each vector i. */
#define FOR_STEP(count) _Pragma("unroll") for (uint i = 0; i < (count); i++)

/* Prefetches a quarter of `count` neighbouring vectors at `ahead` into the second-level cache; does nothing if `ahead`
   is NULL. */
ROW_INLINE void step_fetch(__global const logit_t *ahead, uint count, uint quarter)
{
    if (CORE_WIDTH == 1 || ahead == 0)
        return;
    for (uint i = quarter * count / 4; i < (quarter + 1) * count / 4; i++)
        ROW_PREFETCH(ahead + i * CORE_WIDTH, 2);
}

/* Computes the exponentials of `count` vectors of logits into e; vector i belongs to row i % rows. is_unscaled says
   that core_row_is_unscaled holds for all rows. Branching on it here costs nothing, and saves a second copy of all
   loops around it. Between the steps it prefetches as many vectors at `ahead`, a quarter at a time, so that no step
   waits for all of them. */
ROW_INLINE void step_exponentials(const core_float *x, uint count, const row_state *states, uint rows, int is_unscaled,
                                  core_pair *e, __global const logit_t *ahead)
{
    core_reduced reduced[STEP_VECTORS];
    core_float q[STEP_VECTORS];
    step_fetch(ahead, count, 0);
    if (is_unscaled)
        FOR_STEP(count)
            reduced[i] = core_reduce_unscaled(x[i], states[i % rows].set.row);
    else
        FOR_STEP(count)
            reduced[i] = core_reduce(x[i], states[i % rows].set.row);
    step_fetch(ahead, count, 1);
    FOR_STEP(count)
        q[i] = core_polynomial(reduced[i].r);
    step_fetch(ahead, count, 2);
    FOR_STEP(count)
        e[i] = core_reconstruct(reduced[i], q[i]);
    step_fetch(ahead, count, 3);
}

#endif
