/*
 * The job of `run`, `sweep`, `loss` and `distill`: softmax of all rows of an input, at one temperature or at many, or
 * their losses, into files or to standard output. Pictures and pages take their input and their devices from it, too.
 *
 * A job is prepared, and then explained or computed: commands/command_run.c calls run_prepare, and run_explain or
 * run_compute. Behind these three stand the steps that they are made of, in the order in which they are taken.
 */
#ifndef CLSOFTMAX_RUN_H
#define CLSOFTMAX_RUN_H

#include "files/source.h"
#include "options/run_options.h"
#include "results/compare.h"
#include "results/result_file.h"
#include "results/statistics_report.h"
#include "run/devices.h"
#include "run/slabs.h"

#include <pthread.h>

/* What the losses of a component come to: exact sums, so that they do not depend on the order of slabs, shards and
   ranks. They begin as zeros. */
typedef struct loss_sums {
    clsoftmax_total losses, weights; /* the weights of the rows that count, if the job has weights */
    uint64_t counted, rows;          /* rows count that have a label, or a teacher */
} loss_sums;

/* What one plan computes of each slab. A job has one component; a distillation that learns from labels as well has two,
   whose gradients and losses are mixed: the cross-entropy of the labels, at T = 1, and behind it what the job would be
   without labels. The last component is the only one that may write where the logits are. */
typedef struct run_component {
    clsoftmax_operation operation;
    float scale; /* of its gradient */
    loss_sums loss;
} run_component;

enum { RUN_MOST_COMPONENTS = 2 };

typedef struct run {
    run_options options;
    clsoftmax_problem problem; /* of all rows of the input; of a mix, that of the last component */
    run_component components[RUN_MOST_COMPONENTS];
    unsigned component_count;
    uint64_t rows;      /* of the input, after --rows */
    uint64_t first_row; /* where row 0 stands in the files of temperatures and labels */
    source input, temperatures, labels, weights;
    source operand;                  /* the teacher's logits, or targets */
    source teacher_classes;          /* those that the teacher lists, if it does not have all */
    float *class_weights;            /* one for each class, or NULL */
    devices devices, cpu, reference; /* the last two if the results are verified */
    result_file results, statistics, losses;
    int has_results_file, has_statistics_file, has_losses_file;
    int in_place; /* in a slab, results take the place of the logits */
    int in_order; /* slabs are written one after another: to standard output, to a pipe, or into a sum over rows */
    slabs slabs;
    unsigned workers; /* threads, each of which has a slab */

    /* What the rows come to. The lock is for all but `labelled`: sums over rows are made in order, so that only the
       worker whose turn it is adds to it. */
    pthread_mutex_t lock;
    uint64_t rows_computed, invalid_rows;
    uint64_t foreign_labels; /* neither a class nor -1 */
    uint64_t deviating;      /* rows whose targets do not add up to 1 */
    float largest_deviation; /* of the sum of their targets from 1 */
    comparison bits, ulp;    /* against cpu, and against reference */
    label_summary *labelled; /* at each temperature */
} run;

/* Zeroes a job, so that run_end may be called whatever has been opened; gives everything back. */
void run_begin(run *run);
void run_end(run *run);

/* ---------------------------------------------------------------- What is known of a job */

/* Returns how many temperatures each row has: those of a sweep, or 1. */
uint64_t run_temperatures(const run *run);

/* Returns 1 if results are printed on standard output. */
int run_prints_results(const run *run);

/* Returns 1 if a table of statistics is printed on standard output. */
int run_prints_statistics(const run *run);

/* Returns 1 if results or statistics are printed on standard output. */
int run_prints_rows(const run *run);

/* Returns 1 if rows have weights of their own, or those of their labels' classes. */
int run_has_weights(const run *run);

/* Returns the file with the operand of the job's operation, a teacher or targets; NULL if it has none. */
const char *run_operand_path(const run *run);

/* Returns how many classes of each row the teacher lists; 0 if it has all of them, or there is none. */
uint64_t run_teacher_top(const run *run);

/* Returns 1 if the job has two components, which are mixed. */
int run_is_mix(const run *run);

/* Returns 1 if a component of a mix is the cross-entropy of the labels, at T = 1. */
int run_is_of_labels(const run *run, unsigned component);

/* Returns the problem of a component, of all rows or of a slab alone. Components of a mix have results of f32. */
clsoftmax_problem run_component_problem(const run *run, unsigned component);
clsoftmax_problem run_slab_problem(const run *run, const slab *slab, unsigned component);

/* ---------------------------------------------------------------- The job */

/* Functions that return an int return EXIT_DONE, or another status after a complaint, unless they say otherwise. */

/* Opens the input and the devices, and chooses the slabs: all that can go wrong before there is an output. */
int run_prepare(run *run);

/* Prints what would be done: --explain. */
int run_explain(run *run);

/* Computes and writes all rows: opens the outputs, goes through the slabs, adds up over ranks, finishes the outputs. */
int run_compute(run *run);

/* ---------------------------------------------------------------- Steps of run_prepare */

/* Complains if both outputs are one file. Called before either is opened, since opening empties a file. */
int run_check_paths(const run *run);

/* Opens the input and the files with a number for each row, and cuts them to --rows; the problem then has its shape. */
int run_open_input(run *run);

/* Reads the labels of rows of the input, from `row` on: as the file has them, and as classes, where any whole number
   that is no class is -1. */
int run_read_labels(const run *run, uint64_t row, uint64_t rows, double *numbers, int64_t *labels);

/* Opens the devices of --verify: cpu for the bits, reference for the values. */
int run_open_verifiers(run *run);

/* Chooses which rows this process computes, how large slabs are, and how many workers there are. */
int run_choose_slabs(run *run);

/* ---------------------------------------------------------------- Steps of run_compute */

/* Opens the files for results and statistics, where there are any. */
int run_open_outputs(run *run);

/* Returns 1 if an output is a pipe, which takes an array from its first byte to its last. */
int run_has_pipe(run *run);

/* Goes through the slabs: each worker takes the next slab, reads, computes and writes it. */
int run_go_through_slabs(run *run);

/* Reads the rows of a slab from an array of the input's shape, dense, as they are in memory: of the array's dtype, or
   double (array.h). */
int run_read_rows(const source *from, const slabs *slabs, const slab *slab, void *values);

/* Adds up over all ranks what each found of its rows. All ranks call it. */
void run_add_up_ranks(run *run);

/* Says whether the results held: --verify. EXIT_FAILED if they did not. */
int run_say_verdict(const run *run);

/* Prints what follows the rows, and gives the files their names. */
int run_finish_outputs(run *run);

#endif
