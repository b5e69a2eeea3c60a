/* Does a job that is prepared: opens its outputs, goes through its slabs, says what they came to, finishes the outputs.
 */
#include "run/ranks.h"
#include "run/run.h"
#include "support/messages.h"

/* Checks that slabs can go to a pipe one after another: it takes an array from its first byte to its last. */
static int check_pipes(const run *run, int has_pipe)
{
    const slabs *slabs = &run->slabs;
    uint64_t fewest = run->problem.sweep > 0 ? slabs->end - slabs->begin : slabs->inner;
    COMPLAIN_IF(has_pipe && slabs->most_rows < fewest, EXIT_WRONG,
                "a pipe needs %llu rows in memory at a time, which is more than --memory allows",
                (unsigned long long)fewest);
    return EXIT_DONE;
}

int run_compute(run *run)
{
    FORWARD(run_open_outputs(run));
    int has_pipe = run_has_pipe(run);
    run->in_order = run_prints_rows(run) || run->problem.statistics || has_pipe;
    FORWARD(ranks_agree(check_pipes(run, has_pipe)));
    FORWARD(ranks_agree(run_go_through_slabs(run)));
    run_add_up_ranks(run);
    if (run->options.verify)
        FORWARD(run_say_verdict(run));
    if (run->invalid_rows > 0)
        notice("note: %llu of %llu rows are NaN: their temperature is negative or NaN",
               (unsigned long long)run->invalid_rows, (unsigned long long)run->rows_computed);
    if (run->foreign_labels > 0)
        notice("note: %llu of %llu labels are none, since they are no class from 0 to %llu",
               (unsigned long long)run->foreign_labels, (unsigned long long)run->rows_computed,
               (unsigned long long)run->problem.classes - 1);
    if (run->deviating > 0)
        notice("note: the targets of %llu of %llu rows do not add up to 1; the largest deviation is %.3g",
               (unsigned long long)run->deviating, (unsigned long long)run->rows_computed,
               (double)run->largest_deviation);
    return run_finish_outputs(run);
}
