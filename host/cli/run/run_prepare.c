/* A job made ready: everything that can go wrong before there is an output. */
#include "run/ranks.h"
#include "run/run_loss.h"
#include "support/messages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int is_standard_input(const char *path)
{
    return path && strcmp(path, "-") == 0;
}

static int reads_standard_input(const run_options *options)
{
    return is_standard_input(options->input) || is_standard_input(options->temperatures) ||
           is_standard_input(options->labels) || is_standard_input(options->weights) ||
           is_standard_input(options->teacher) || is_standard_input(options->targets) ||
           is_standard_input(options->teacher_classes) || is_standard_input(options->class_weights);
}

/* Checks what processes that share the rows can do: ranks, or shards. */
static int check_processes(const run *run)
{
    int has_shards = run->options.shard_count > 0, has_ranks = ranks_count() > 1;
    COMPLAIN_IF(has_ranks && (run_prints_rows(run) || has_shards), EXIT_WRONG,
                "several processes write to files only: -o FILE or --stats=FILE, without a table and without --shard");
    COMPLAIN_IF((has_ranks || has_shards) && reads_standard_input(&run->options), EXIT_WRONG,
                "standard input goes to one process; several need a file");
    return EXIT_DONE;
}

/* Checks that the results have a dimension for the temperatures, and makes room for a sum of labels at each of them. */
static int prepare_sweep(run *run)
{
    COMPLAIN_IF(run->problem.sweep > 0 && run->input.array.dimensions == ARRAY_MOST_DIMENSIONS, EXIT_WRONG,
                "%s: %d dimensions, the most that an .npy file has; a sweep adds one", run->options.input,
                ARRAY_MOST_DIMENSIONS);
    run->labelled = calloc((size_t)run_temperatures(run), sizeof *run->labelled);
    COMPLAIN_IF(!run->labelled, EXIT_FAILED, "-T: no memory for so many temperatures");
    return EXIT_DONE;
}

static int open_devices(run *run)
{
    FORWARD(devices_open(run->options.device, &run->devices));
    if (ranks_count() > 1 || run->options.shard_count > 0)
        FORWARD(devices_check_exact(&run->devices));
    return run->options.verify ? run_open_verifiers(run) : EXIT_DONE;
}

/* Says that most probabilities of so many classes are less than f16 holds: below 2^-14 it loses digits, and below 2^-25
   all of them. */
static void warn_of_f16(const run *run)
{
    const clsoftmax_problem *p = &run->problem;
    if (p->results_dtype == CLSOFTMAX_F16 && p->operation == CLSOFTMAX_OPERATION_SOFTMAX && p->classes > 1 << 14)
        notice(
            "note: many of %llu probabilities are too small for f16, and become 0; --out-dtype bf16 holds them, and so "
            "does --log",
            (unsigned long long)p->classes);
}

/* Chooses what is computed of each slab. */
static void choose_components(run *run)
{
    const int is_gradient = clsoftmax_operation_has_results(run->problem.operation);
    if (run->options.command == DISTILL && run->options.labels)
        run->components[run->component_count++].operation =
            is_gradient ? CLSOFTMAX_OPERATION_CROSS_ENTROPY_GRADIENT : CLSOFTMAX_OPERATION_CROSS_ENTROPY;
    run->components[run->component_count++].operation = run->problem.operation;
}

int run_prepare(run *run)
{
    run->problem = run->options.problem;
    choose_components(run);
    run->has_results_file = run->options.output != NULL;
    run->has_statistics_file = run->options.statistics && *run->options.statistics;
    run->has_losses_file = run->options.losses != NULL;
    FORWARD(check_processes(run));
    FORWARD(run_check_paths(run));
    FORWARD(run_open_input(run));
    warn_of_f16(run);
    FORWARD(prepare_sweep(run));
    if (run_options_have_losses(&run->options))
        FORWARD(run_choose_scales(run));
    FORWARD(open_devices(run));
    run->in_place = clsoftmax_operation_has_results(run->problem.operation) && !run->options.verify &&
                    run->problem.results_dtype == run->problem.logits_dtype && run->problem.sweep == 0;
    return run_choose_slabs(run);
}
