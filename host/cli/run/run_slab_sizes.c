/* Which rows this process computes, how large slabs are, and how many workers there are. */
#include "run/ranks.h"
#include "run/run.h"
#include "run/slab_buffers.h"
#include "support/messages.h"

#include <stdio.h>

/* The most bytes of a slab: enough to keep a device busy, little enough for reading, computing and writing to overlap.
 */
#define MOST_SLAB_BYTES ((uint64_t)32 << 20)

/* Workers of a device: one reads, one computes, one writes. */
#define WORKERS_PER_DEVICE 3

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static void choose_rows(run *run)
{
    const run_options *options = &run->options;
    uint64_t index = options->shard_count > 0 ? options->shard_index : ranks_index();
    uint64_t count = options->shard_count > 0 ? options->shard_count : ranks_count();
    shard_rows(run->rows, index, count, &run->slabs.begin, &run->slabs.end);
}

/* Returns the fewest rows of a slab. Text of a matrix is in the order of its elements, so that a slab has whole outer
   indices. */
static uint64_t fewest_rows(const run *run)
{
    int is_matrix_text = run_prints_results(run) && run->problem.sweep == 0;
    return is_matrix_text ? larger(run->problem.inner, 1) : 1;
}

/* Complains that --memory does not hold the fewest rows of a slab, nor what is `held` of files besides. */
static int complain_memory(const run *run, uint64_t fewest, uint64_t row_bytes, uint64_t held)
{
    char beside[80] = "";
    if (held > 0)
        snprintf(beside, sizeof beside, ", beside %llu bytes of files in Fortran order", (unsigned long long)held);
    return complain(EXIT_WRONG, "--memory %llu: %llu row%s of %llu classes take%s %llu bytes%s",
                    (unsigned long long)run->options.memory, (unsigned long long)fewest, fewest == 1 ? "" : "s",
                    (unsigned long long)run->problem.classes, fewest == 1 ? "s" : "",
                    (unsigned long long)(fewest * row_bytes), beside);
}

/* Slabs are as large as the memory allows to all workers, at most MOST_SLAB_BYTES, and at least of the fewest rows,
   even if that leaves memory for fewer workers. */
int run_choose_slabs(run *run)
{
    slabs *slabs = &run->slabs;
    uint64_t row_bytes = slab_buffers_row_bytes(run), fewest = fewest_rows(run);
    uint64_t held = run->input.held + run->operand.held + run->teacher_classes.held + run->temperatures.held +
                    run->labels.held + run->weights.held;
    uint64_t memory = run->options.memory > held ? run->options.memory - held : 0, fitting = memory / row_bytes;
    if (fitting < fewest && run->rows > 0)
        return complain_memory(run, fewest, row_bytes, held);
    uint64_t workers = larger(smaller(WORKERS_PER_DEVICE * run->devices.count, fitting / fewest), 1);
    slabs->classes = run->problem.classes;
    slabs->inner = run->problem.inner;
    slabs->most_rows = larger(smaller(fitting / workers, MOST_SLAB_BYTES / row_bytes), fewest);
    choose_rows(run);
    run->workers = (unsigned)smaller(workers, (slabs->end - slabs->begin) / slabs->most_rows + 1);
    return EXIT_DONE;
}
